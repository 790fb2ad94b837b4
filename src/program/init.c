/* init.c: first values of variables. A new initialisation is a row. */
#include "init.h"

#include <math.h>

#include "alloc.h"
#include "error.h"
#include "hash.h"
#include "leaf.h"
#include "philox.h"

enum { ALIKE, UNIFORM, NORMAL, TRUNCATED, ORTHOGONAL };

/* Deviations, and ends of uniform ranges, are sqrt(factor / (in fan_in + out fan_out)) times `a`, which is a gain and 1
 * unless it is given; or `a` itself where the factor is 0. */
static const struct {
    int values;
    double factor, in, out;
} kinds[] = {[TN_INIT_ZERO] = {ALIKE, 0, 0, 0},          [TN_INIT_CONSTANT] = {ALIKE, 0, 0, 0},
             [TN_INIT_NORMAL] = {NORMAL, 0, 0, 0},       [TN_INIT_UNIFORM] = {UNIFORM, 0, 0, 0},
             [TN_INIT_XAVIER] = {UNIFORM, 6, 1, 1},      [TN_INIT_HE] = {NORMAL, 2, 1, 0},
             [TN_INIT_LECUN] = {UNIFORM, 1, 1, 0},       [TN_INIT_XAVIER_NORMAL] = {NORMAL, 2, 1, 1},
             [TN_INIT_HE_UNIFORM] = {UNIFORM, 6, 1, 0},  [TN_INIT_LECUN_NORMAL] = {NORMAL, 1, 1, 0},
             [TN_INIT_TRUNCATED] = {TRUNCATED, 0, 0, 0}, [TN_INIT_ORTHOGONAL] = {ORTHOGONAL, 0, 0, 0}};

/* By fans: those of a (out, in, window...) weight, unless given. */
static double spread_of(const tn_init *init, const tn_shape *shape)
{
    int64_t window = 1;
    for (int32_t d = 2; d < shape->rank; d++) window *= shape->dim[d];
    double fan_in = (double)(shape->rank > 1 ? shape->dim[1] * window : tn_shape_count(shape));
    double fan_out = (double)(shape->rank > 0 ? shape->dim[0] * window : 1), gain = init->a != 0 ? init->a : 1;
    if (init->fan_in) fan_in = (double)init->fan_in;
    if (init->fan_out) fan_out = (double)init->fan_out;
    double factor = kinds[init->kind].factor;
    if (factor == 0) return init->a;
    return gain * sqrt(factor / (kinds[init->kind].in * fan_in + kinds[init->kind].out * fan_out));
}

/* From N(0, 1), drawn anew until it is within 2. */
static double truncated(uint64_t key, int64_t i)
{
    for (uint64_t draw = 0;; draw++) {
        double x = tn_philox_normal(key, draw, 0, (uint64_t)i);
        if (fabs(x) <= 2) return x;
    }
}

/* ---- orthogonal: Saxe, McClelland and Ganguli, 2014 ---- */

static double dot(const double *a, const double *b, int64_t n)
{
    double sum[8] = {0}, all = 0;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++) sum[k] += a[i + k] * b[i + k];
    for (; i < n; i++) all += a[i] * b[i];
    for (int k = 0; k < 8; k++) all += sum[k];
    return all;
}

/* Makes each row orthogonal to those before, and of length 1 (Gram and Schmidt, the modified way). */
static void orthonormalize(double *row, int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < rows; i++) {
        double *own = row + i * columns;
        for (int64_t k = 0; k < i; k++) {
            const double *other = row + k * columns;
            double share = dot(own, other, columns);
            for (int64_t c = 0; c < columns; c++) own[c] -= share * other[c];
        }
        double length = sqrt(dot(own, own, columns));
        for (int64_t c = 0; c < columns; c++) own[c] /= length;
    }
}

/* value, (first dimension, all others) of normal numbers, with its rows or, if they are fewer, its columns made
 * orthogonal. */
static tn_status orthogonal(const tn_tensor *x, double gain, double *value)
{
    const tn_shape *shape = &x->type.shape;
    int64_t count = tn_shape_count(shape), rows = shape->rank ? shape->dim[0] : 1, columns = rows ? count / rows : 0;
    TN_REQUIRE(shape->rank > 1, TN_EINVAL, "variable '%s': what is made orthogonal has two dimensions or more",
               x->name);
    int wide = rows <= columns;
    double *turned = wide ? value : tn_alloc((size_t)(count + 1) * sizeof *turned);
    if (!turned) return TN_ENOMEM;
    for (int64_t i = 0; !wide && i < count; i++) turned[i % columns * rows + i / columns] = value[i];
    orthonormalize(turned, wide ? rows : columns, wide ? columns : rows);
    for (int64_t i = 0; i < count; i++) value[i] = gain * (wide ? value[i] : turned[i % columns * rows + i / columns]);
    if (!wide) tn_free(turned);
    return TN_OK;
}

static tn_status zero_row(const tn_tensor *x, int64_t row, double *value)
{
    const tn_shape *shape = &x->type.shape;
    int64_t rows = shape->rank ? shape->dim[0] : 1, each = rows ? tn_shape_count(shape) / rows : 0;
    TN_REQUIRE(row >= 0 && row <= rows, TN_EINVAL, "variable '%s': no row %lld of %lld to be zero", x->name,
               (long long)row, (long long)rows);
    for (int64_t i = 0; row && i < each; i++) value[(row - 1) * each + i] = 0;
    return TN_OK;
}

tn_status tn_first_values(const tn_tensor *x, uint64_t seed, double *value)
{
    const tn_init *init = &((const tn_variable_attrs *)x->attrs)->init;
    int64_t count = tn_shape_count(&x->type.shape);
    uint64_t key = seed ^ tn_hash_text(x->name); /* its own stream */
    TN_REQUIRE(init->kind >= 0 && (size_t)init->kind < sizeof kinds / sizeof *kinds, TN_EINVAL,
               "variable '%s': no initialisation %d", x->name, init->kind);
    int values = kinds[init->kind].values;
    double spread = spread_of(init, &x->type.shape);
    for (int64_t i = 0; i < count; i++) {
        if (values == ALIKE)
            value[i] = init->kind == TN_INIT_CONSTANT ? init->a : 0;
        else if (values == UNIFORM)
            value[i] = spread * (2 * tn_philox_uniform(key, 0, 0, (uint64_t)i) - 1);
        else if (values == TRUNCATED)
            value[i] = spread * truncated(key, i);
        else
            value[i] = (values == NORMAL ? spread : 1) * tn_philox_normal(key, 0, 0, (uint64_t)i);
    }
    if (values == ORTHOGONAL) TN_TRY(orthogonal(x, init->a != 0 ? init->a : 1, value));
    return zero_row(x, init->zero_row, value);
}
