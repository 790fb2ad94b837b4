/* pool_nd.c: pooling along one to three dimensions, with dilation and uneven padding, by the pooling of pictures. A
 * volume is pooled along height and width, and the result along its depth: largest ones, sums and means are what they
 * are of these. A dilated window is made of slices instead, one for each of its elements along a dimension. */
#include <math.h>

#include "formulas.h"
#include "given.h"

/* One dimension: its size before and after, and the window along it. `end` is what windows reach beyond the end, which
 * with ceil_mode is more than the padding, or less. */
typedef struct line {
    int64_t from, to, window, stride, dilation, begin, end, pad_end;
} line;

typedef struct job {
    const char *op;
    line line[3]; /* depth, height, width; those that are not there have a window of one */
    int count_pad, ceil_mode;
    int32_t rank;
} job;

/* ---- what is asked for ---- */

/* 1 if the window can be moved; else the graph has failed. The number of windows is as in pool.c. */
static int measure(const char *op, tn_tensor *x, line *l, int ceil_mode)
{
    int64_t reach = (l->window - 1) * l->dilation + 1, room = l->from + l->begin + l->pad_end - reach;
    if (!l->window || l->begin >= reach || l->pad_end >= reach || (room < 0 && !ceil_mode) || !l->from ||
        l->from > INT32_MAX || l->window > INT32_MAX || l->stride > INT32_MAX || l->dilation > INT32_MAX) {
        tn_node_fail(tn_graph_of(x), TN_ESHAPE,
                     "%s: %lld elements, padded by %lld and %lld, have no windows of %lld by steps of %lld", op,
                     (long long)l->from, (long long)l->begin, (long long)l->pad_end, (long long)l->window,
                     (long long)l->dilation);
        return 0;
    }
    l->to = room < 0 ? 1 : (room + (ceil_mode ? l->stride - 1 : 0)) / l->stride + 1;
    if (l->to > 1 && (l->to - 1) * l->stride >= l->from + l->begin) l->to--;
    l->end = (l->to - 1) * l->stride + reach - l->begin - l->from;
    if (l->end < 0) l->end = 0;
    return 1;
}

static int read_options(const char *op, tn_tensor *x, const tn_pool_nd_options *o, job *j)
{
    tn_shape s = tn_shape_of(x);
    char text[160];
    if (tn_graph_status(tn_graph_of(x))) return 0;
    *j = (job){.op = op, .count_pad = o->count_pad != 0, .ceil_mode = o->ceil_mode != 0, .rank = s.rank};
    for (int d = 0; d < 3; d++) j->line[d] = (line){1, 1, 1, 1, 1, 0, 0, 0};
    for (int d = 0; d < s.rank - 2 && s.rank <= 5; d++) {
        line *l = &j->line[5 - s.rank + d];
        *l = (line){.from = s.dim[2 + d], .window = o->window[d], .stride = o->stride[d] ? o->stride[d] : o->window[d]};
        l->dilation = o->dilation[d] ? o->dilation[d] : 1;
        l->begin = o->begin[d], l->pad_end = o->end[d];
        if (!measure(op, x, l, j->ceil_mode)) return 0;
    }
    if (s.rank >= 3 && s.rank <= 5) return 1;
    tn_node_fail(tn_graph_of(x), TN_ESHAPE, "%s: %s is not (batch, channels, one to three sizes)", op,
                 tn_shape_text(&s, text, sizeof text));
    return 0;
}

/* x as (b c, depth, height, width); and a result that is so in the shape that x has. */
static tn_tensor *as_volumes(const job *j, tn_tensor *x)
{
    tn_shape s = tn_shape_of(x);
    return tn_reshape(x, TN_SHAPE(s.dim[0] * s.dim[1], j->line[0].from, j->line[1].from, j->line[2].from));
}

static tn_tensor *of_shape(const job *j, tn_tensor *y, tn_shape s)
{
    for (int d = 2; d < j->rank; d++) s.dim[d] = j->line[3 - j->rank + d].to;
    return tn_reshape(y, s);
}

/* ---- one plane ---- */

typedef enum fold { LARGEST, SUM, MEAN } fold;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static double lowest(tn_tensor *x)
{
    return tn_dtype_of(x) == TN_I32 ? INT32_MIN : -INFINITY;
}

static tn_tensor *together(tn_tensor *a, tn_tensor *b, fold how)
{
    return how == LARGEST ? tn_max(a, b) : tn_add(a, b);
}

/* A dilated window along an axis: the slices that its elements see, taken together. */
static tn_tensor *dilated(tn_tensor *x, int32_t axis, const line *l, fold how)
{
    x = tn_pad_value(x, axis, l->begin, l->end, how == LARGEST ? lowest(x) : 0);
    tn_tensor *y = tn_slice(x, axis, 0, l->to, l->stride);
    for (int64_t t = 1; t < l->window; t++) y = together(y, tn_slice(x, axis, t * l->dilation, l->to, l->stride), how);
    return y;
}

/* Windows along the last two of four dimensions that are not dilated. What both sides are padded by, pooling does
 * itself, and the rest is put there. */
static tn_tensor *plain(tn_tensor *x, const line l[2], fold how)
{
    tn_pool_options o = {0};
    for (int d = 0; d < 2; d++) {
        int64_t both = how == SUM ? 0 : least(least(l[d].begin, l[d].end), l[d].window - 1);
        x = tn_pad_value(x, 2 + d, l[d].begin - both, l[d].end - both, how == LARGEST ? lowest(x) : 0);
        o.window[d] = (uint32_t)l[d].window, o.stride[d] = (uint32_t)l[d].stride, o.pad[d] = (uint32_t)both;
    }
    return how == LARGEST ? tn_maxpool2d_with(x, o) : tn_avgpool2d_with(x, o);
}

static tn_tensor *windows(tn_tensor *x, const line l[2], fold how)
{
    line rest[2] = {l[0], l[1]};
    for (int d = 0; d < 2; d++) {
        if (l[d].dilation == 1 || l[d].window == 1) continue;
        x = dilated(x, 2 + d, &l[d], how);
        rest[d] = (line){l[d].to, l[d].to, 1, 1, 1, 0, 0, 0};
    }
    double count = (double)(rest[0].window * rest[1].window);
    tn_tensor *y = plain(x, rest, how);
    return how == SUM && count > 1 ? tn_mul(y, tn_number(y, count)) : y;
}

/* How many elements each window sees, of x's type: (1, 1, height, width). */
static tn_tensor *counts(tn_tensor *x, const line l[2], int count_pad)
{
    line padded[2] = {l[0], l[1]};
    tn_tensor *one = tn_full(tn_graph_of(x), tn_dtype_of(x), TN_SHAPE(1, 1, l[0].from, l[1].from), 1);
    for (int d = 0; d < 2 && count_pad; d++) {
        int64_t counted = least(l[d].pad_end, l[d].end);
        one = tn_pad_value(one, 2 + d, l[d].begin, counted, 1);
        padded[d].begin = 0, padded[d].end -= counted;
    }
    return windows(one, padded, SUM);
}

/* Whether pooling of pictures has the mean by itself: what it takes as padding is on both sides, and not beyond. */
static int has_mean(const line *l)
{
    return (l->dilation == 1 || l->window == 1) && l->begin == l->pad_end && l->begin < l->window;
}

static tn_tensor *plane(const job *j, tn_tensor *x, const line l[2], fold how)
{
    if (how != MEAN) return windows(x, l, how);
    if (!has_mean(&l[0]) || !has_mean(&l[1])) return tn_div(windows(x, l, SUM), counts(x, l, j->count_pad));
    tn_pool_options o = {.count_pad = (uint32_t)j->count_pad, .ceil_mode = (uint32_t)j->ceil_mode};
    for (int d = 0; d < 2; d++)
        o.window[d] = (uint32_t)l[d].window, o.stride[d] = (uint32_t)l[d].stride, o.pad[d] = (uint32_t)l[d].begin;
    return tn_avgpool2d_with(x, o);
}

/* ---- all dimensions ---- */

static int is_all(const line *l)
{
    return l->window == 1 && l->stride == 1 && !l->begin && !l->pad_end;
}

/* Height and width, then depth, for which the other two are one. */
static tn_tensor *pool(const char *op, tn_tensor *x, const tn_pool_nd_options *options, fold how)
{
    job j;
    if (!read_options(op, x, options, &j)) return x;
    tn_tensor *y = plane(&j, as_volumes(&j, x), &j.line[1], how);
    if (!is_all(&j.line[0])) {
        int64_t each = j.line[1].to * j.line[2].to;
        const line deep[2] = {j.line[0], {each, each, 1, 1, 1, 0, 0, 0}};
        y = tn_reshape(y, TN_SHAPE(1, tn_shape_of(y).dim[0], j.line[0].from, each));
        y = plane(&j, y, deep, how);
    }
    return of_shape(&j, y, tn_shape_of(x));
}

tn_tensor *tn_maxpool_nd(tn_tensor *x, tn_pool_nd_options options)
{
    const int32_t dtype = tn_dtype_of(x);
    const int bytes = tn_dtype_size(dtype) == 1;
    tn_tensor *y = pool("maxpool_nd", bytes ? tn_cast(x, TN_I32) : x, &options, LARGEST);
    return bytes ? tn_cast(y, dtype) : y;
}

tn_tensor *tn_avgpool_nd(tn_tensor *x, tn_pool_nd_options options)
{
    return pool("avgpool_nd", x, &options, MEAN);
}

tn_tensor *tn_lppool_nd(tn_tensor *x, double p, tn_pool_nd_options options)
{
    if (!(p > 0) || isinf(p)) tn_node_fail(tn_graph_of(x), TN_EINVAL, "lppool_nd: p = %g", p);
    tn_tensor *power = p == 2 ? tn_square(x) : tn_pow(tn_abs(x), tn_number(x, p));
    return tn_root(pool("lppool_nd", power, &options, SUM), 1 / p);
}

/* ---- places ---- */

/* Each element's number in x, (b c, depth, height, width), by rows or by columns. */
static tn_tensor *numbers(const job *j, tn_tensor *x, int columns)
{
    tn_shape s = tn_shape_of(x);
    tn_graph *graph = tn_graph_of(x);
    if (!columns) return tn_reshape(tn_iota(graph, TN_SHAPE(tn_shape_count(&s)), 0), s);
    int64_t stride[4] = {j->line[0].from * j->line[1].from * j->line[2].from, 1, s.dim[1], s.dim[1] * s.dim[2]};
    tn_tensor *sum = NULL;
    for (int32_t d = 0; d < 4; d++) {
        tn_tensor *i = tn_iota(graph, s, d);
        i = tn_mul(i, tn_number(i, (double)stride[d]));
        sum = sum ? tn_add(sum, i) : i;
    }
    return sum;
}

/* The largest along one axis, and their numbers; of equal ones the first, and of NaN too. */
static void largest(tn_tensor **value, tn_tensor **number, int32_t axis, const line *l)
{
    tn_tensor *x = tn_pad_value(*value, axis, l->begin, l->end, lowest(*value));
    tn_tensor *n = tn_pad_value(*number, axis, l->begin, l->end, -1);
    for (int64_t t = 0; t < l->window; t++) {
        tn_tensor *v = tn_slice(x, axis, t * l->dilation, l->to, l->stride);
        tn_tensor *m = tn_slice(n, axis, t * l->dilation, l->to, l->stride);
        tn_tensor *better = t ? tn_logical_or(tn_gt(v, *value), tn_gt(tn_ne(v, v), tn_ne(*value, *value))) : NULL;
        if (t && l->begin) { /* than padding */
            tn_tensor *none = tn_cast(tn_lt(*number, tn_number(*number, 0)), tn_dtype_of(v));
            better = tn_logical_or(better, none);
        }
        *value = t ? tn_where(better, v, *value) : v;
        *number = t ? tn_where(better, m, *number) : m;
    }
}

tn_tensor *tn_maxpool_nd_places(tn_tensor *x, tn_pool_nd_options options, int columns, tn_tensor **values)
{
    job j;
    tn_shape s = tn_shape_of(x);
    const int32_t dtype = tn_dtype_of(x);
    const int bytes = tn_dtype_size(dtype) == 1;
    if (tn_shape_count(&s) > INT32_MAX)
        tn_node_fail(tn_graph_of(x), TN_ESHAPE, "maxpool_nd_places: more than 2^31 - 1 elements");
    if (!read_options("maxpool_nd_places", x, &options, &j)) return x;
    tn_tensor *value = as_volumes(&j, bytes ? tn_cast(x, TN_I32) : x), *number = numbers(&j, value, columns);
    for (int d = 2; d >= 0; d--)
        if (!is_all(&j.line[d])) largest(&value, &number, 1 + d, &j.line[d]);
    value = of_shape(&j, value, s);
    if (values) *values = bytes ? tn_cast(value, dtype) : value;
    return of_shape(&j, number, s);
}

tn_tensor *tn_max_unpool_nd(tn_tensor *values, tn_tensor *places, tn_shape shape)
{
    TN_OPERANDS(values, places);
    const tn_shape flat = TN_SHAPE(-1);
    int64_t size = tn_shape_count(&shape);
    if (size > INT32_MAX || size < 0)
        tn_node_fail(tn_graph_of(values), TN_ESHAPE, "max_unpool_nd: to %lld elements", (long long)size);
    if (tn_graph_status(tn_graph_of(values))) return values;
    tn_tensor *at = tn_reshape(places, flat), *sum = tn_put(at, tn_reshape(values, flat), 0, size);
    tn_tensor *count = tn_put(at, tn_full(tn_graph_of(values), tn_dtype_of(values), tn_shape_of(at), 1), 0, size);
    return tn_reshape(tn_div(sum, tn_max(count, tn_number(count, 1))), shape);
}
