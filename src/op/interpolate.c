/* interpolate.c: elements at places between those of an axis, and pictures, rows and volumes of another size. Each axis
 * by itself is a product by a matrix of weights, which is known when the graph is built, or a choice of elements. */
#include <math.h>

#include "alloc.h"
#include "along.h"
#include "given.h"

enum { MOST_WEIGHTS = 1 << 26 };
#define MOST_PLACE 0x1p40 /* numbers far below 2^53, of which each has a next one */

typedef struct job {
    tn_interpolate_options o;
    int64_t from, count;
    double start, step;
} job;

/* ---- weights ---- */

/* What an element counts at a distance: of cubic convolution after Keys, 1981. */
static double weight_of(const job *j, double distance)
{
    const double d = fabs(distance), a = j->o.cubic != 0 ? j->o.cubic : -0.75;
    if (j->o.mode == TN_LINEAR) return d < 1 ? 1 - d : 0;
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

static int64_t inside(const job *j, double place)
{
    return (int64_t)fmin(fmax(place, 0), (double)(j->from - 1));
}

/* How much of the distance between two elements counts, so that those that one of the result stands for all do. */
static double narrowed(const job *j)
{
    const double width = j->o.width != 0 ? j->o.width : j->step;
    return j->o.antialias && width > 1 ? 1 / width : 1;
}

/* Row i of the matrix, of zeros before: weights add up to 1. */
static void fill_row(const job *j, int64_t i, double *row)
{
    const double x = j->start + (double)i * j->step, narrow = narrowed(j);
    const double reach = (j->o.mode == TN_CUBIC ? 2 : 1) / narrow;
    double sum = 0;
    for (double k = floor(x - reach); k <= ceil(x + reach); k++) {
        if (j->o.exclude && (k < 0 || k >= (double)j->from)) continue;
        const double weight = weight_of(j, (k - x) * narrow);
        row[inside(j, k)] += weight;
        sum += weight;
    }
    for (int64_t k = 0; k < j->from && sum != 0; k++) row[k] /= sum;
}

static double half_down(double place)
{
    return ceil(place - 0.5);
}

static double half_up(double place)
{
    return floor(place + 0.5);
}

static double (*const round_by[])(double) = {half_down, half_up, floor, ceil};

/* The matrix (count, from) of x's type. As f32 it has two parts, so that a program in f64 has all digits. */
static tn_tensor *matrix(const job *j, tn_tensor *x)
{
    size_t n = (size_t)(j->count * j->from);
    double *weight = tn_alloc(n * sizeof *weight);
    float *part = tn_alloc(2 * n * sizeof *part);
    tn_shape shape = TN_SHAPE(j->count, j->from);
    tn_tensor *y = x;
    for (int64_t i = 0; weight && i < j->count; i++) fill_row(j, i, weight + i * j->from);
    for (size_t i = 0; weight && part && i < n; i++) {
        part[i] = (float)weight[i];
        part[n + i] = (float)(weight[i] - (double)part[i]);
    }
    if (!weight || !part)
        tn_node_fail(x->graph, TN_ENOMEM, "interpolate: no memory for %zu weights", n);
    else if (x->type.dtype == TN_F64)
        y = tn_constant(x->graph, TN_F64, shape, weight);
    else
        y = tn_add(tn_constant(x->graph, TN_F32, shape, part), tn_constant(x->graph, TN_F32, shape, part + n));
    tn_free(weight);
    tn_free(part);
    return y;
}

static tn_tensor *chosen(const job *j, tn_tensor *x, int32_t axis)
{
    int32_t *place = tn_alloc((size_t)j->count * sizeof *place);
    if (!place) tn_node_fail(x->graph, TN_ENOMEM, "interpolate: no memory for %lld places", (long long)j->count);
    for (int64_t i = 0; place && i < j->count; i++)
        place[i] = (int32_t)inside(j, round_by[j->o.round](j->start + (double)i * j->step));
    if (place) x = tn_index_select(x, axis, tn_constant(x->graph, TN_I32, TN_SHAPE(j->count), place));
    tn_free(place);
    return x;
}

/* ---- what is called ---- */

tn_tensor *tn_interpolate(tn_tensor *x, int32_t axis, int64_t count, double start, double step,
                          tn_interpolate_options options)
{
    uint32_t at = 0;
    if (!tn_find_axis("interpolate", x, axis, &at)) return x;
    tn_shape s = x->type.shape;
    job j = {options, s.dim[at], count, start, step};
    if (count < 1 || j.from < 1 || j.from > INT32_MAX || count > INT32_MAX || !(fabs(start) <= MOST_PLACE) ||
        !isfinite(step) || options.mode < 0 || options.mode > TN_CUBIC || options.round < 0 ||
        options.round > TN_ROUND_UP || fabs(step) > 1e6 ||
        (options.mode != TN_NEAREST && count > MOST_WEIGHTS / j.from) || !(options.width >= 0) ||
        !((double)count / narrowed(&j) <= MOST_WEIGHTS))
        tn_node_fail(x->graph, TN_EINVAL,
                     "interpolate: %lld of %lld elements from %g by steps of %g, mode %d, %d, width %g",
                     (long long)count, (long long)j.from, start, step, options.mode, options.round, options.width);
    if (tn_graph_status(x->graph)) return x;
    if (options.mode == TN_NEAREST) return chosen(&j, x, axis);
    if (!tn_is_floating(x->type.dtype))
        tn_node_fail(x->graph, TN_EDTYPE, "interpolate: of element type %s", tn_dtype_name(x->type.dtype));
    if (tn_graph_status(x->graph)) return x;
    if ((int32_t)at == s.rank - 1) return tn_matmul_t(x, matrix(&j, x), 0, 1);
    tn_tensor_desc flat = tn_desc_along(x, at);
    tn_tensor *y = tn_reshape(x, TN_SHAPE(flat.dim[0], flat.dim[1], flat.dim[2]));
    s.dim[at] = count;
    return tn_reshape(tn_matmul(matrix(&j, x), y), s);
}

tn_tensor *tn_resize(tn_tensor *x, tn_shape sizes, tn_resize_options o)
{
    tn_shape s = tn_shape_of(x);
    if (sizes.rank < 1 || s.rank != sizes.rank + 2)
        tn_node_fail(tn_graph_of(x), TN_ESHAPE, "resize: %d sizes for rank %d, which has batch and channels",
                     sizes.rank, s.rank);
    for (int32_t d = 0; d < sizes.rank && !tn_graph_status(tn_graph_of(x)); d++) {
        double from = (double)s.dim[2 + d], to = (double)sizes.dim[d];
        if (s.dim[2 + d] == sizes.dim[d]) continue;
        double step = !o.align_corners ? from / to : to > 1 ? (from - 1) / (to - 1) : 0;
        double start = o.align_corners || (o.mode == TN_NEAREST && !o.exact) ? 0 : step / 2 - 0.5;
        if (o.mode == TN_NEAREST) start += (o.exact ? 0.25 : 0.5) / to; /* no rounding makes 1 less of a whole number */
        tn_interpolate_options way = {.mode = o.mode, .antialias = o.antialias, .exclude = o.antialias};
        way.round = o.exact ? TN_ROUND_HALF_UP : TN_ROUND_DOWN;
        way.cubic = o.antialias ? -0.5 : 0;
        x = tn_interpolate(x, 2 + d, sizes.dim[d], start, step, way);
    }
    return x;
}
