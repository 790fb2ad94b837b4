/* scale.c: scaling of features, column by column or row by row. A new kind is a function and a row. */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "scale.h"

static void learn_minmax(const tn_column_facts *f, double low, double high, double *centre, double *spread)
{
    *centre = f->least;
    *spread = (f->largest - f->least) / (high - low);
}

static void learn_standard(const tn_column_facts *f, double low, double high, double *centre, double *spread)
{
    (void)low, (void)high;
    *centre = f->mean;
    *spread = f->deviation;
}

static const struct {
    const char *name;
    void (*learn)(const tn_column_facts *facts, double low, double high, double *centre, double *spread);
} kinds[] = {
    [TN_SCALE_NONE] = {"none", NULL},
    [TN_SCALE_MINMAX] = {"minmax", learn_minmax},
    [TN_SCALE_STANDARD] = {"standard", learn_standard},
    [TN_SCALE_UNIT] = {"unit", NULL},
};

#define GROUP 16 /* columns at once: a cache line of each row */
#define KINDS ((int32_t)(sizeof kinds / sizeof *kinds))

int32_t tn_scale_kind(const char *name)
{
    if (!name) return -1;
    for (int32_t kind = 0; kind < KINDS; kind++)
        if (!strcmp(name, kinds[kind].name)) return kind;
    return -1;
}

const char *tn_scale_name(int32_t kind)
{
    return kind >= 0 && kind < KINDS ? kinds[kind].name : NULL;
}

/* ---- fitting ---- */

int tn_scale_needs_deviation(int32_t kind)
{
    return kinds[kind].learn == learn_standard;
}

tn_status tn_scaler_learn_column(tn_scaler *scaler, double low, double high, int64_t c, const tn_column_facts *f)
{
    TN_REQUIRE(!isinf(f->least) && !isinf(f->largest), TN_EINVAL, "scaling: column %lld has an infinite value",
               (long long)c);
    scaler->mean[c] = isnan(f->mean) ? 0 : f->mean;
    if (!scaler->centre) return TN_OK;
    kinds[scaler->kind].learn(f, low, high, &scaler->centre[c], &scaler->spread[c]);
    if (f->largest - f->least > 0) return TN_OK;
    scaler->spread[c] = 1;
    scaler->centre[c] = isnan(f->mean) ? 0 : f->least;
    return TN_OK;
}

static tn_column_facts facts_of(tn_column x, int deviation)
{
    return (tn_column_facts){tn_stat_mean(x), tn_stat_least(x), tn_stat_largest(x),
                             deviation ? tn_stat_deviation(x, 0) : 0};
}

/* The columns from `first` on, brought together in `dense`: several passes over each go through memory in order. */
static tn_status learn_group(tn_scaler *scaler, double low, double high, const float *x, int64_t rows, int64_t first,
                             float *dense)
{
    int64_t count = scaler->columns - first < GROUP ? scaler->columns - first : GROUP;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < count; c++) dense[c * rows + r] = x[r * scaler->columns + first + c];
    for (int64_t c = 0; c < count; c++) {
        const tn_column_facts facts =
            facts_of((tn_column){dense + c * rows, rows, 1}, tn_scale_needs_deviation(scaler->kind));
        TN_TRY(tn_scaler_learn_column(scaler, low, high, first + c, &facts));
    }
    return TN_OK;
}

static tn_status learn(tn_scaler *scaler, double low, double high, const float *x, int64_t rows)
{
    float *dense = tn_alloc((size_t)rows * GROUP * sizeof *dense);
    tn_status status = dense ? TN_OK : TN_ENOMEM;
    for (int64_t c = 0; c < scaler->columns && !status; c += GROUP)
        status = learn_group(scaler, low, high, x, rows, c, dense);
    tn_free(dense);
    return status;
}

tn_status tn_scaler_begin(tn_scaler *scaler, int32_t kind, double low, double high, int64_t columns)
{
    const size_t room = (size_t)columns;
    TN_REQUIRE(tn_scale_name(kind), TN_EINVAL, "scaling: there is no kind %d", kind);
    TN_REQUIRE(kind != TN_SCALE_MINMAX || (low < high && isfinite(high - low)), TN_EINVAL,
               "scaling: the range from %g to %g is none", low, high);
    *scaler = (tn_scaler){.kind = kind, .columns = columns, .base = kind == TN_SCALE_MINMAX ? low : 0};
    if (!(scaler->mean = tn_alloc(room * sizeof(double)))) return TN_ENOMEM;
    if (!kinds[kind].learn) return TN_OK;
    scaler->centre = tn_alloc(room * sizeof(double));
    scaler->spread = tn_alloc(room * sizeof(double));
    return scaler->centre && scaler->spread ? TN_OK : TN_ENOMEM;
}

tn_status tn_scaler_fit(tn_scaler *scaler, int32_t kind, double low, double high, const float *x, int64_t rows,
                        int64_t columns)
{
    TN_GIVEN(scaler, x);
    TN_REQUIRE(columns > 0 && rows >= 0, TN_ESHAPE, "scaling: a table of %lld rows and %lld columns", (long long)rows,
               (long long)columns);
    tn_scaler fitted = {0};
    tn_status status = tn_scaler_begin(&fitted, kind, low, high, columns);
    if (!status) status = learn(&fitted, low, high, x, rows);
    if (status)
        tn_scaler_free(&fitted);
    else
        *scaler = fitted;
    return status;
}

void tn_scaler_free(tn_scaler *scaler)
{
    if (!scaler) return;
    tn_free(scaler->centre);
    tn_free(scaler->spread);
    tn_free(scaler->mean);
    *scaler = (tn_scaler){0};
}

/* ---- applying ---- */

void tn_scaler_fill(const tn_scaler *scaler, float *x, int64_t rows)
{
    if (!scaler || !x) return;
    for (int64_t i = 0; i < rows * scaler->columns; i++)
        if (isnan(x[i])) x[i] = (float)scaler->mean[i % scaler->columns];
}

static void to_unit(float *row, int64_t columns)
{
    double power = 0;
    for (int64_t c = 0; c < columns; c++)
        if (!isnan(row[c])) power += (double)row[c] * row[c];
    for (int64_t c = 0; c < columns && power > 0; c++) row[c] = (float)(row[c] / sqrt(power));
}

void tn_scaler_apply(const tn_scaler *scaler, float *x, int64_t rows)
{
    if (!scaler) return;
    int64_t columns = scaler->columns;
    for (int64_t r = 0; r < rows && scaler->kind == TN_SCALE_UNIT; r++) to_unit(x + r * columns, columns);
    for (int64_t i = 0; i < rows * columns && scaler->centre; i++)
        x[i] = (float)(scaler->base + (x[i] - scaler->centre[i % columns]) / scaler->spread[i % columns]);
}

tn_status tn_scaler_invert(const tn_scaler *scaler, float *x, int64_t rows)
{
    TN_GIVEN(scaler, x);
    int64_t columns = scaler->columns;
    TN_REQUIRE(scaler->kind != TN_SCALE_UNIT, TN_EUNSUPPORTED, "scaling: rows of length 1 have lost their length");
    for (int64_t i = 0; i < rows * columns && scaler->centre; i++)
        x[i] = (float)(scaler->centre[i % columns] + (x[i] - scaler->base) * scaler->spread[i % columns]);
    return TN_OK;
}
