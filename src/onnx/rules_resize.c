/* rules_resize.c: pictures in another size, and read at any place. Both are weighted sums of elements: along an axis a
 * product by a matrix that is known when the graph is built. */
#include <math.h>
#include <string.h>

#include "rule.h"

/* ---- Resize ---- */

enum { NEAREST, LINEAR, CUBIC };

/* One axis: from so many elements to so many, by a factor. */
typedef struct axis_plan {
    int64_t in, out;
    double scale, roi[2], cubic;
    int mode, antialias, exclude, rounds;
    const onnx_node *node;
} axis_plan;

static int is_way(const axis_plan *p, const char *way)
{
    return onnx_text_is(p->node, "coordinate_transformation_mode", "half_pixel", way);
}

/* Where element i of the result lies among those of x. */
static double place_of(const axis_plan *p, int64_t i)
{
    const double at = (double)i, out = (double)p->out, in = (double)p->in, all = p->scale * in;
    if (is_way(p, "tf_half_pixel_for_nn")) return (at + 0.5) / p->scale;
    if (is_way(p, "asymmetric")) return at / p->scale;
    if (is_way(p, "align_corners")) return out == 1 ? 0 : at * (in - 1) / (all - 1);
    if (is_way(p, "pytorch_half_pixel")) return out == 1 ? 0 : (at + 0.5) / p->scale - 0.5;
    if (is_way(p, "half_pixel_symmetric")) {
        const double middle = in / 2 * (1 - out / all);
        return middle + (at + 0.5) / p->scale - 0.5;
    }
    if (is_way(p, "tf_crop_and_resize")) {
        if (out == 1) return 0.5 * (p->roi[0] + p->roi[1]) * (in - 1);
        return p->roi[0] * (in - 1) + at * (p->roi[1] - p->roi[0]) * (in - 1) / (out - 1);
    }
    return (at + 0.5) / p->scale - 0.5;
}

static double nearest_of(const axis_plan *p, double x)
{
    if (onnx_text_is(p->node, "nearest_mode", "round_prefer_floor", "floor")) return floor(x);
    if (onnx_text_is(p->node, "nearest_mode", "round_prefer_floor", "ceil")) return ceil(x);
    if (onnx_text_is(p->node, "nearest_mode", "round_prefer_floor", "round_prefer_ceil")) return floor(x + 0.5);
    return ceil(x - 0.5);
}

/* What an element at that distance counts: Keys, 1981, for cubic. */
static double weight_of(const axis_plan *p, double distance)
{
    const double d = fabs(distance), a = p->cubic;
    if (p->mode == LINEAR) return d < 1 ? 1 - d : 0;
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* Row i of the matrix. Places beyond the border count for the element at it, or not at all. */
static void fill_row(const axis_plan *p, int64_t i, double *row)
{
    const double x = place_of(p, i), shrink = p->antialias && p->scale < 1 ? p->scale : 1;
    const double reach = (p->mode == CUBIC ? 2 : 1) / shrink;
    double sum = 0;
    for (int64_t k = 0; k < p->in; k++) row[k] = 0;
    if (p->mode == NEAREST) {
        double at = nearest_of(p, x);
        row[(int64_t)fmin(fmax(at, 0), (double)(p->in - 1))] = 1;
        return;
    }
    for (double k = floor(x - reach); k <= ceil(x + reach); k++) {
        const double weight = weight_of(p, (k - x) * shrink);
        if (p->exclude && (k < 0 || k >= (double)p->in)) continue;
        row[(int64_t)fmin(fmax(k, 0), (double)(p->in - 1))] += weight;
        sum += weight;
    }
    for (int64_t k = 0; k < p->in && sum != 0; k++) row[k] /= sum;
}

/* Where tf_crop_and_resize reads beyond the picture, its own number stands. */
static tn_tensor *blank_outside(onnx_node *n, const axis_plan *p, tn_tensor *x, int32_t axis)
{
    tn_shape line = {.rank = tn_shape_of(x).rank};
    int32_t *inside = tn_region_alloc(&n->build->region, (size_t)p->out * sizeof *inside + 1);
    for (int64_t i = 0; inside && i < p->out; i++)
        inside[i] = place_of(p, i) >= 0 && place_of(p, i) <= (double)(p->in - 1);
    for (int32_t d = 0; d < line.rank; d++) line.dim[d] = d == axis ? p->out : 1;
    if (!inside) return x;
    return tn_where(tn_constant(n->graph, TN_I32, line, inside), x,
                    tn_number(x, onnx_float(n, "extrapolation_value", 0)));
}

/* Nearest elements are picked, whatever their type; the others are a product. */
static tn_tensor *resize_axis(onnx_node *n, const axis_plan *p, tn_tensor *x, int32_t axis)
{
    double *matrix = tn_region_alloc(&n->build->region, (size_t)(p->in * p->out) * sizeof *matrix + 1);
    int64_t *nearest = tn_region_alloc(&n->build->region, (size_t)p->out * sizeof *nearest + 1);
    if (!matrix || !nearest) return x;
    for (int64_t i = 0; i < p->out; i++) {
        fill_row(p, i, matrix + i * p->in);
        while (p->mode == NEAREST && nearest[i] < p->in - 1 && matrix[i * p->in + nearest[i]] == 0) nearest[i]++;
    }
    tn_shape shape = tn_shape_of(x);
    if (p->mode == NEAREST) return tn_index_select(x, axis, onnx_constant_ints(n, nearest, TN_SHAPE(p->out)));
    tn_tensor *m = tn_cast(tn_constant(n->graph, TN_F64, TN_SHAPE(p->out, p->in), matrix), tn_dtype_of(x));
    if (axis == shape.rank - 1) return tn_matmul_t(x, m, 0, 1);
    int64_t outer = 1, inner = 1;
    for (int32_t d = 0; d < axis; d++) outer *= shape.dim[d];
    for (int32_t d = axis + 1; d < shape.rank; d++) inner *= shape.dim[d];
    shape.dim[axis] = p->out;
    x = tn_matmul(m, tn_reshape(x, TN_SHAPE(outer, p->in, inner)));
    return tn_reshape(x, shape);
}

/* The two scales of a picture, or all: by what is asked, sizes or factors; with a policy one factor for all axes. */
typedef struct sizes {
    int64_t axis[TN_MAX_RANK], count, size[TN_MAX_RANK];
    double scale[TN_MAX_RANK];
} sizes;

static int by_scales(onnx_node *n, const tn_tensor *x, const double *scale, sizes *s)
{
    for (int64_t i = 0; i < s->count; i++) {
        s->scale[i] = scale[i];
        s->size[i] = (int64_t)floor(scale[i] * (double)onnx_dim(x, (int32_t)s->axis[i]));
    }
    return !n->failed;
}

static int by_sizes(onnx_node *n, const tn_tensor *x, uint32_t operand, sizes *s)
{
    double least = INFINITY, most = 0;
    if (onnx_known_ints(n, operand, s->size, TN_MAX_RANK) != s->count) return 0;
    for (int64_t i = 0; i < s->count; i++) {
        s->scale[i] = (double)s->size[i] / (double)onnx_dim(x, (int32_t)s->axis[i]);
        least = fmin(least, s->scale[i]), most = fmax(most, s->scale[i]);
    }
    if (onnx_text_is(n, "keep_aspect_ratio_policy", "stretch", "stretch")) return 1;
    if (onnx_text_is(n, "keep_aspect_ratio_policy", "stretch", "not_smaller")) least = most;
    for (int64_t i = 0; i < s->count; i++) {
        s->scale[i] = least;
        s->size[i] = (int64_t)floor(least * (double)onnx_dim(x, (int32_t)s->axis[i]) + 0.5);
    }
    return 1;
}

static tn_tensor *resize_all(onnx_node *n, tn_tensor *x, const sizes *s, const double *roi, int mode)
{
    for (int64_t i = 0; i < s->count && !n->failed; i++) {
        int32_t axis = onnx_axis(n, s->axis[i], tn_shape_of(x).rank);
        axis_plan p = {.in = onnx_dim(x, axis),
                       .out = s->size[i],
                       .scale = s->scale[i],
                       .mode = mode,
                       .node = n,
                       .cubic = onnx_float(n, "cubic_coeff_a", -0.75),
                       .roi = {0, 1},
                       .antialias = onnx_int(n, "antialias", 0) != 0,
                       .exclude = onnx_int(n, "exclude_outside", 0) != 0};
        if (roi) p.roi[0] = roi[i], p.roi[1] = roi[s->count + i];
        int crops = is_way(&p, "tf_crop_and_resize");
        if (p.in < 1 || p.out < 0 || p.scale <= 0) onnx_cannot(n, "a picture without elements");
        if (n->failed || (p.in == p.out && p.scale == 1 && !crops)) continue;
        x = resize_axis(n, &p, x, axis);
        if (crops) x = blank_outside(n, &p, x, axis);
    }
    return x;
}

static void check_way(onnx_node *n)
{
    static const char *const ways[] = {"half_pixel",    "half_pixel_symmetric", "pytorch_half_pixel",  "asymmetric",
                                       "align_corners", "tf_crop_and_resize",   "tf_half_pixel_for_nn"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (onnx_text_is(n, "coordinate_transformation_mode", "half_pixel", ways[i])) return;
    onnx_cannot(n, "attribute coordinate_transformation_mode");
}

static int mode_of(onnx_node *n)
{
    if (onnx_text_is(n, "mode", "nearest", "linear") || onnx_text_is(n, "mode", "nearest", "bilinear")) return LINEAR;
    return onnx_text_is(n, "mode", "nearest", "cubic") ? CUBIC : NEAREST;
}

/* Opset 10 has no region, and scales in its place. */
void onnx_rule_resize(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    uint32_t scales = n->opset < 11 ? 1 : 2;
    sizes s = {.count = x ? tn_shape_of(x).rank : 0};
    if (!x) return;
    for (int64_t i = 0; i < s.count; i++) s.axis[i] = i;
    if (onnx_attr(n, "axes")) s.count = onnx_ints(n, "axes", s.axis, TN_MAX_RANK);
    if (s.count > TN_MAX_RANK) onnx_cannot(n, "%lld axes", (long long)s.count);
    onnx_heeded(n, "keep_aspect_ratio_policy"), onnx_heeded(n, "extrapolation_value"), onnx_heeded(n, "nearest_mode");
    check_way(n);
    int crops = onnx_text_is(n, "coordinate_transformation_mode", "half_pixel", "tf_crop_and_resize");
    const double *roi = crops && n->n_in > 1 && n->in[1] ? onnx_known_line(n, 1, 2 * s.count) : NULL;
    tn_tensor *given = onnx_in(n, scales);
    int has_scales = given && onnx_dim(given, 0) == s.count && tn_shape_of(given).rank == 1;
    const double *scale = has_scales ? onnx_known(n, scales) : NULL;
    if (n->failed || !(scale ? by_scales(n, x, scale, &s) : by_sizes(n, x, scales + 1, &s))) {
        onnx_cannot(n, "neither scales nor sizes of all axes");
        return;
    }
    onnx_out(n, 0, resize_all(n, x, &s, roi, mode_of(n)));
}

void onnx_rule_upsample(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    double listed[TN_MAX_RANK];
    sizes s = {.count = x ? tn_shape_of(x).rank : 0};
    if (!x) return;
    for (int64_t i = 0; i < s.count; i++) s.axis[i] = i;
    const double *scale = n->n_in > 1 ? onnx_known_line(n, 1, s.count) : listed;
    if (scale == listed && onnx_floats(n, "scales", listed, TN_MAX_RANK) != s.count) onnx_cannot(n, "its scales");
    if (n->failed || !scale || !by_scales(n, x, scale, &s)) return;
    for (int64_t i = 0; i < s.count; i++) { /* as asymmetric, down: whole factors are repetitions */
        int64_t times = (int64_t)s.scale[i];
        if (mode_of(n) != NEAREST || (double)times != s.scale[i]) onnx_cannot(n, "but by whole factors, nearest");
        if (!n->failed && times != 1) x = tn_repeat(x, (int32_t)i, times);
    }
    onnx_out(n, 0, x);
}
