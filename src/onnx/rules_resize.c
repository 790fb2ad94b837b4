/* rules_resize.c: pictures in another size, an axis after another. */
#include <math.h>
#include <string.h>

#include "rule.h"

/* One axis: from so many elements to so many, by a factor. */
typedef struct axis_plan {
    int64_t in, out;
    double scale, roi[2];
    onnx_node *node;
} axis_plan;

/* Before opset 11 there is no such attribute, and one way. */
static int is_way(const onnx_node *n, const char *way)
{
    return onnx_text_is(n, "coordinate_transformation_mode", n->opset < 11 ? "asymmetric" : "half_pixel", way);
}

/* Where element i of the result lies among those of x, in f32 as elsewhere, for some lie in the middle of two. The
 * length of all is of the scale before it became f32: of sizes it is the size, and corners that meet do so exactly. */
static double place_of(const axis_plan *p, int64_t i)
{
    const onnx_node *n = p->node;
    const float at = (float)i, out = (float)p->out, in = (float)p->in, scale = (float)p->scale;
    const float all = (float)(p->scale * (double)p->in), first = (float)p->roi[0], last = (float)p->roi[1];
    float place = (at + 0.5F) / scale - 0.5F;
    if (is_way(n, "tf_half_pixel_for_nn")) place = (at + 0.5F) / scale;
    if (is_way(n, "asymmetric")) place = at / scale;
    if (is_way(n, "align_corners")) place = out == 1 ? 0 : at * (in - 1) / (all - 1);
    if (is_way(n, "pytorch_half_pixel") && out == 1) place = 0;
    if (is_way(n, "half_pixel_symmetric")) place = in / 2 * (1 - out / all) + (at + 0.5F) / scale - 0.5F;
    if (is_way(n, "tf_crop_and_resize") && out == 1) place = 0.5F * (first + last) * (in - 1);
    if (is_way(n, "tf_crop_and_resize") && out != 1)
        place = first * (in - 1) + at * (last - first) * (in - 1) / (out - 1);
    return (double)place;
}

/* Opset 10 has no such attribute either: by its node tests a smaller picture has the element behind the place. */
static int is_rounding(const axis_plan *p, const char *how)
{
    const char *way = p->scale < 1 ? "ceil" : "floor";
    return onnx_text_is(p->node, "nearest_mode", p->node->opset < 11 ? way : "round_prefer_floor", how);
}

/* A place in f32 misses the middle it stands for by so much, as in ONNX Runtime: 4 / (8 / 7) is 3.4999998. */
#define MIDDLE (0.5 + 1e-6)

static double nearest_of(const axis_plan *p, double place)
{
    if (is_rounding(p, "floor")) return floor(place);
    if (is_rounding(p, "ceil")) return ceil(place);
    return is_rounding(p, "round_prefer_ceil") ? floor(place + MIDDLE) : ceil(place - MIDDLE);
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

/* Elements are picked, whatever their type. */
static tn_tensor *pick_nearest(onnx_node *n, const axis_plan *p, tn_tensor *x, int32_t axis)
{
    int64_t *nearest = tn_region_alloc(&n->build->region, (size_t)p->out * sizeof *nearest + 1);
    for (int64_t i = 0; nearest && i < p->out; i++)
        nearest[i] = (int64_t)fmin(fmax(nearest_of(p, place_of(p, i)), 0), (double)(p->in - 1));
    return nearest ? tn_index_select(x, axis, onnx_constant_ints(n, nearest, TN_SHAPE(p->out))) : x;
}

/* Whole numbers lose what is behind the point. With antialias an element of the result stands for 1 / scale of x's
 * wherever the places are, by whose distance that can't be known: not of a single one, nor with align_corners. Of a
 * single element pytorch_half_pixel's place is 0 by the standard's text, as in ONNX Runtime; the reference evaluator of
 * the package onnx has -0.5. */
static tn_tensor *resize_axis(onnx_node *n, const axis_plan *p, tn_tensor *x, int32_t axis, int32_t mode)
{
    if (mode == TN_NEAREST) return pick_nearest(n, p, x, axis);
    tn_interpolate_options o = {.mode = mode,
                                .cubic = onnx_float(n, "cubic_coeff_a", -0.75),
                                .antialias = onnx_int(n, "antialias", 0) != 0,
                                .exclude = onnx_int(n, "exclude_outside", 0) != 0,
                                .width = 1 / p->scale};
    const double start = place_of(p, 0), way = place_of(p, p->out - 1) - start;
    const double step = p->out > 1 ? way / (double)(p->out - 1) : 0;
    const int32_t dtype = tn_dtype_of(x);
    return tn_cast(tn_interpolate(dtype == TN_I32 ? tn_cast(x, TN_F32) : x, axis, p->out, start, step, o), dtype);
}

/* The two scales of a picture, or all: by what is asked, sizes or factors; with a policy one factor for all axes. */
typedef struct sizes {
    int64_t axis[TN_MAX_RANK], count, size[TN_MAX_RANK];
    double scale[TN_MAX_RANK];
} sizes;

static int64_t size_of(onnx_node *n, double size)
{
    if (size >= 0 && size <= INT32_MAX) return (int64_t)size;
    onnx_cannot(n, "a size of %g", size);
    return 0;
}

static int by_scales(onnx_node *n, const tn_tensor *x, const double *scale, sizes *s)
{
    for (int64_t i = 0; i < s->count; i++) {
        s->scale[i] = scale[i];
        s->size[i] = size_of(n, (double)floorf((float)scale[i] * (float)onnx_dim(x, (int32_t)s->axis[i])));
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
        s->size[i] = size_of(n, floor(least * (double)onnx_dim(x, (int32_t)s->axis[i]) + 0.5));
    }
    return !n->failed;
}

static tn_tensor *resize_all(onnx_node *n, tn_tensor *x, const sizes *s, const double *roi, int32_t mode)
{
    int crops = is_way(n, "tf_crop_and_resize");
    for (int64_t i = 0; i < s->count && !n->failed; i++) {
        int32_t axis = onnx_axis(n, s->axis[i], tn_shape_of(x).rank);
        axis_plan p = {.in = onnx_dim(x, axis), .out = s->size[i], .scale = s->scale[i], .roi = {0, 1}, .node = n};
        if (roi) p.roi[0] = roi[i], p.roi[1] = roi[s->count + i];
        if (p.in < 1 || p.out < 1 || p.out > INT32_MAX || !(p.scale > 0)) onnx_cannot(n, "a picture without elements");
        if (n->failed || (p.in == p.out && p.scale == 1 && !crops)) continue;
        x = resize_axis(n, &p, x, axis, mode);
        if (crops) x = blank_outside(n, &p, x, axis);
    }
    return x;
}

static void check_way(onnx_node *n)
{
    static const char *const ways[] = {"half_pixel",    "half_pixel_symmetric", "pytorch_half_pixel",  "asymmetric",
                                       "align_corners", "tf_crop_and_resize",   "tf_half_pixel_for_nn"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (is_way(n, ways[i])) return;
    onnx_cannot(n, "attribute coordinate_transformation_mode");
}

static int32_t mode_of(onnx_node *n)
{
    if (onnx_text_is(n, "mode", "nearest", "linear") || onnx_text_is(n, "mode", "nearest", "bilinear"))
        return TN_LINEAR;
    return onnx_text_is(n, "mode", "nearest", "cubic") ? TN_CUBIC : TN_NEAREST;
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
    onnx_heeded(n, "antialias"), onnx_heeded(n, "cubic_coeff_a"), onnx_heeded(n, "exclude_outside");
    check_way(n);
    int crops = is_way(n, "tf_crop_and_resize");
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
    if (!n->failed && scale && by_scales(n, x, scale, &s)) onnx_out(n, 0, resize_all(n, x, &s, NULL, mode_of(n)));
}
