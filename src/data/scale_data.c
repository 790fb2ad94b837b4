/* scale_data.c: scaling whole data sets. Of samples with a loader the facts are found in two passes, by the sums that
 * they would be found by in memory, so that they are the same to the bit; and they are scaled as they are read. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "csv_kinds.h"
#include "error.h"
#include "given.h"
#include "loader.h"
#include "prefetch.h"
#include "scale.h"

#define BATCH_BYTES (1 << 20) /* that a pass takes at once, at least a sample */

/* ---- learning ---- */

static tn_status no_value_in(const tn_dataset *data, int64_t column)
{
    const char *names = data->column_names ? data->column_names : "";
    const int64_t of_table = data->categories ? tn_kinds_column(data->categories, column) : column;
    for (int64_t c = 0; c < of_table; c++) {
        names += strcspn(names, "\n");
        names += *names == '\n';
    }
    const int length = (int)strcspn(names, "\n");
    TN_REQUIRE(!length, TN_EFORMAT, "%s: column '%.*s' has no value in the %lld samples to learn from", data->source,
               length, names, (long long)data->count);
    return tn_fail(TN_EFORMAT, "%s: feature %lld has no value in the %lld samples to learn from", data->source,
                   (long long)column + 1, (long long)data->count);
}

/* The sums of a column so far. */
typedef struct sums {
    int64_t count;
    double sum, squares; /* squares: of distances from the mean, in the second pass */
} sums;

typedef struct pass {
    int64_t columns;
    tn_column_facts *facts;
    sums *sums;
    int second;
} pass;

static void add_row(pass *p, const float *row)
{
    for (int64_t c = 0; c < p->columns; c++) {
        const double value = row[c], away = value - p->facts[c].mean;
        if (isnan(value)) continue;
        if (p->second) {
            p->sums[c].squares += away * away;
            continue;
        }
        p->sums[c].count++;
        p->sums[c].sum += value;
        p->facts[c].least = fmin(p->facts[c].least, value);
        p->facts[c].largest = fmax(p->facts[c].largest, value);
    }
}

/* All samples in their order. */
static tn_status run_pass(const tn_dataset *data, pass *p)
{
    tn_prefetch *prefetch = NULL;
    const int64_t fit = BATCH_BYTES / (int64_t)(tn_sample_bytes(data) + 1), batch = fit ? fit : 1;
    tn_batch b = {0};
    tn_status s = tn_prefetch_new(data, batch, 0, 1, 0, NULL, &prefetch);
    if (!s) tn_prefetch_begin(prefetch, NULL, NULL, 0);
    for (int64_t done = 0; !s && done < data->count; done += b.count) {
        s = tn_prefetch_next(prefetch, &b);
        for (int64_t i = 0; !s && i < b.count; i++) add_row(p, (const float *)b.x + i * p->columns);
    }
    tn_prefetch_free(prefetch);
    return s;
}

static double mean_of(double sum, int64_t count)
{
    return count > 0 ? sum / (double)count : NAN;
}

static tn_status find_facts(const tn_dataset *data, int deviation, pass *p)
{
    for (int64_t c = 0; c < p->columns; c++) p->facts[c] = (tn_column_facts){NAN, NAN, NAN, NAN};
    TN_TRY(run_pass(data, p));
    for (int64_t c = 0; c < p->columns; c++) {
        if (!p->sums[c].count) return no_value_in(data, c);
        p->facts[c].mean = mean_of(p->sums[c].sum, p->sums[c].count);
    }
    p->second = 1;
    if (deviation) TN_TRY(run_pass(data, p));
    for (int64_t c = 0; c < p->columns; c++)
        p->facts[c].deviation = sqrt(mean_of(p->sums[c].squares, p->sums[c].count));
    return TN_OK;
}

static tn_status learn_by_passes(tn_scaler *scaler, double low, double high, const tn_dataset *data)
{
    pass p = {.columns = scaler->columns};
    p.facts = tn_alloc((size_t)p.columns * sizeof *p.facts);
    p.sums = tn_alloc((size_t)p.columns * sizeof *p.sums);
    tn_status s = p.facts && p.sums ? TN_OK : TN_ENOMEM;
    if (!s) s = find_facts(data, tn_scale_needs_deviation(scaler->kind), &p);
    for (int64_t c = 0; c < p.columns && !s; c++) s = tn_scaler_learn_column(scaler, low, high, c, &p.facts[c]);
    tn_free(p.sums);
    tn_free(p.facts);
    return s;
}

tn_status tn_dataset_check_columns(const tn_dataset *data)
{
    TN_GIVEN(data);
    const int64_t columns = data->x_dtype == TN_F32 && !data->loader ? tn_shape_count(&data->sample) : 0;
    for (int64_t c = 0; c < columns; c++) {
        const float *x = (const float *)data->x + c;
        int there = 0;
        for (int64_t i = 0; i < data->count && !there; i++) there = !isnan(x[i * columns]);
        if (!there) return no_value_in(data, c);
    }
    return TN_OK;
}

static tn_status learn(tn_scaler *scaler, int32_t kind, double low, double high, const tn_dataset *data)
{
    const int64_t columns = tn_shape_count(&data->sample);
    if (!data->loader) return tn_scaler_fit(scaler, kind, low, high, data->x, data->count, columns);
    TN_TRY(tn_scaler_begin(scaler, kind, low, high, columns));
    return learn_by_passes(scaler, low, high, data);
}

/* What can't be scaled is the data's fault: a column that is infinite somewhere. */
static tn_status name_data(const tn_dataset *data, tn_status status)
{
    char text[400];
    snprintf(text, sizeof text, "%s", tn_message());
    return status == TN_EINVAL ? tn_fail(status, "%s: %s", data->source ? data->source : "the data", text) : status;
}

tn_status tn_scaler_learn(tn_scaler *scaler, int32_t kind, double low, double high, const tn_dataset *data)
{
    TN_GIVEN(scaler, data);
    tn_scaler fitted = {0};
    TN_REQUIRE(data->x_dtype == TN_F32, TN_EDTYPE, "%s: bytes are not scaled", data->source);
    TN_TRY(tn_dataset_check_columns(data));
    tn_status s = learn(&fitted, kind, low, high, data);
    if (!s) {
        *scaler = fitted;
        return TN_OK;
    }
    tn_scaler_free(&fitted);
    return name_data(data, s);
}

/* ---- applying ---- */

/* A source whose samples are another's, scaled. */
typedef struct scaled {
    tn_loader *from;
    tn_scaler scaler;
} scaled;

static tn_status fill(void *arg, int64_t index, void *x, void *target, tn_msg *msg)
{
    const scaled *s = arg;
    TN_TRY(tn_loader_fill(s->from, index, x, target, msg));
    tn_scaler_fill(&s->scaler, x, 1);
    tn_scaler_apply(&s->scaler, x, 1);
    return TN_OK;
}

static void close_scaled(void *arg)
{
    scaled *s = arg;
    tn_loader_free(s->from);
    tn_scaler_free(&s->scaler);
    tn_free(s);
}

static tn_status copy_numbers(const double *from, int64_t count, double **to)
{
    if (!from) return TN_OK;
    *to = tn_alloc((size_t)count * sizeof **to);
    if (*to) memcpy(*to, from, (size_t)count * sizeof **to);
    return *to ? TN_OK : TN_ENOMEM;
}

static tn_status copy_scaler(const tn_scaler *from, tn_scaler *to)
{
    *to = *from;
    to->mean = to->centre = to->spread = NULL;
    TN_TRY(copy_numbers(from->mean, from->columns, &to->mean));
    TN_TRY(copy_numbers(from->centre, from->columns, &to->centre));
    return copy_numbers(from->spread, from->columns, &to->spread);
}

static tn_status scale_loader(tn_dataset *data, const tn_scaler *scaler)
{
    tn_loader *loader = NULL;
    scaled *s = tn_alloc(sizeof *s);
    if (!s) return TN_ENOMEM;
    tn_status status = copy_scaler(scaler, &s->scaler);
    if (!status) status = tn_loader_new(&(tn_source){fill, close_scaled, s}, &loader);
    if (status) {
        close_scaled(s);
        return status;
    }
    s->from = data->loader;
    data->loader = loader;
    return TN_OK;
}

tn_status tn_dataset_scale(tn_dataset *data, const tn_scaler *scaler)
{
    TN_GIVEN(data, scaler);
    if (!data->count || !scaler->columns) return TN_OK;
    TN_REQUIRE(data->x_dtype == TN_F32 && scaler->columns == tn_shape_count(&data->sample), TN_ESHAPE,
               "%s: a scaler of %lld columns does not fit its samples", data->source, (long long)scaler->columns);
    if (data->loader) return scale_loader(data, scaler);
    tn_scaler_fill(scaler, data->x, data->count);
    tn_scaler_apply(scaler, data->x, data->count);
    return TN_OK;
}
