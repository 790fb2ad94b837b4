/* resize.c: pictures (n, c, h, w) of another size: repeated, selected or interpolated pixels, and channels spread over
 * pixels, by other operators. */
#include "check.h"

static int is_picture(const char *op, tn_tensor *x, int64_t height, int64_t width)
{
    const tn_shape s = tn_shape_of(x);
    char text[160];
    tn_graph *graph = tn_graph_of(x);
    if (s.rank != 4)
        tn_node_fail(graph, TN_ESHAPE, "%s: %s is not (batch, channels, height, width)", op,
                     tn_shape_text(&s, text, sizeof text));
    else if (height < 1 || width < 1 || height > INT32_MAX / 4 / (s.dim[2] + 1) ||
             width > INT32_MAX / 4 / (s.dim[3] + 1))
        tn_node_fail(graph, TN_EINVAL, "%s: to %lld x %lld pixels", op, (long long)height, (long long)width);
    else if (!s.dim[2] || !s.dim[3])
        tn_node_fail(graph, TN_ESHAPE, "%s: from no pixels", op);
    return !tn_graph_status(graph);
}

/* ---- nearest ---- */

/* Place i comes from floor(i from / to): as many j > 0 are there with j to <= i from. */
static tn_tensor *nearest(tn_tensor *x, int32_t axis, int64_t to)
{
    int64_t from = x->type.shape.dim[axis];
    tn_shape both = TN_SHAPE(to, from);
    if (to % from == 0) return tn_repeat(x, axis, to / from);
    if (from % to == 0) return tn_slice(x, axis, 0, to, from / to);
    tn_tensor *i = tn_iota(x->graph, both, 0), *j = tn_iota(x->graph, both, 1);
    tn_tensor *reached = tn_le(tn_mul(j, tn_number(j, (double)to)), tn_mul(i, tn_number(i, (double)from)));
    tn_tensor *count = tn_sum(reached, TN_AXES(1), 0);
    return tn_index_select(x, axis, tn_sub(count, tn_number(count, 1)));
}

tn_tensor *tn_resize_nearest(tn_tensor *x, int64_t height, int64_t width)
{
    if (!is_picture("resize_nearest", x, height, width)) return x;
    return nearest(nearest(x, 2, height), 3, width);
}

/* ---- bilinear ---- */

/* (to, from): the weights of pixels j in pixel i, which lies at p / q in x: max(0, 1 - |p / q - j|), with whole p and
 * q. Corners aligned: p / q = i (from - 1) / (to - 1); else (i + 1/2) from / to - 1/2, kept inside. */
static tn_tensor *weights(const tn_tensor *x, int64_t to, int64_t from, int align_corners)
{
    tn_shape both = TN_SHAPE(to, from);
    tn_tensor *i = tn_iota(x->graph, both, 0), *j = tn_iota(x->graph, both, 1);
    int64_t q = !align_corners ? 2 * to : to > 1 ? to - 1 : 1, times = align_corners ? from - 1 : 2 * from;
    if (align_corners && to == 1) times = 0;
    tn_tensor *p = tn_mul(i, tn_number(i, (double)times));
    if (!align_corners) p = tn_clamp(tn_add(p, tn_number(p, (double)(from - to))), 0, (double)(q * (from - 1)));
    tn_tensor *away = tn_sub(p, tn_mul(j, tn_number(j, (double)q)));
    away = tn_max(away, tn_sub(tn_number(away, 0), away));
    tn_tensor *left = tn_cast(tn_max(tn_sub(tn_number(away, (double)q), away), tn_number(away, 0)), x->type.dtype);
    return tn_div(left, tn_number(left, (double)q));
}

tn_tensor *tn_resize_bilinear(tn_tensor *x, int64_t height, int64_t width, int align_corners)
{
    if (!is_picture("resize_bilinear", x, height, width)) return x;
    const int64_t *from = x->type.shape.dim;
    tn_tensor *rows = tn_reshape(x, TN_SHAPE(from[0] * from[1], from[2], from[3]));
    rows = tn_matmul(weights(x, height, from[2], align_corners), rows);
    return tn_reshape(tn_matmul_t(rows, weights(x, width, from[3], align_corners), 0, 1),
                      TN_SHAPE(from[0], from[1], height, width));
}

/* ---- channels and pixels ---- */

tn_tensor *tn_pixel_shuffle(tn_tensor *x, int64_t factor)
{
    if (!is_picture("pixel_shuffle", x, factor, factor)) return x;
    const int64_t *s = x->type.shape.dim, r = factor, c = s[1] / r / r;
    if (s[1] % (r * r))
        tn_node_fail(x->graph, TN_ESHAPE, "pixel_shuffle: %lld channels by %lld", (long long)s[1], (long long)r);
    tn_tensor *parts = tn_reshape(x, TN_SHAPE(s[0] * c, r, r, s[2], s[3]));
    parts = tn_transpose(parts, (int32_t[]){0, 3, 1, 4, 2});
    return tn_reshape(parts, TN_SHAPE(s[0], c, s[2] * r, s[3] * r));
}

tn_tensor *tn_pixel_unshuffle(tn_tensor *x, int64_t factor)
{
    if (!is_picture("pixel_unshuffle", x, factor, factor)) return x;
    const int64_t *s = x->type.shape.dim, r = factor, h = s[2] / r, w = s[3] / r;
    if (s[2] % r || s[3] % r)
        tn_node_fail(x->graph, TN_ESHAPE, "pixel_unshuffle: %lld x %lld pixels by %lld", (long long)s[2],
                     (long long)s[3], (long long)r);
    tn_tensor *parts = tn_reshape(x, TN_SHAPE(s[0] * s[1], h, r, w, r));
    parts = tn_transpose(parts, (int32_t[]){0, 2, 4, 1, 3});
    return tn_reshape(parts, TN_SHAPE(s[0], s[1] * r * r, h, w));
}

/* As tn_pixel_shuffle, but the places within a pixel's square come before the channels, as in TensorFlow. */
tn_tensor *tn_depth_to_space(tn_tensor *x, int64_t factor)
{
    if (!is_picture("depth_to_space", x, factor, factor)) return x;
    const int64_t *s = x->type.shape.dim, r = factor, c = s[1] / r / r;
    if (s[1] % (r * r))
        tn_node_fail(x->graph, TN_ESHAPE, "depth_to_space: %lld channels by %lld", (long long)s[1], (long long)r);
    tn_tensor *parts = tn_reshape(x, TN_SHAPE(s[0], r, r, c, s[2], s[3]));
    parts = tn_transpose(parts, (int32_t[]){0, 3, 4, 1, 5, 2});
    return tn_reshape(parts, TN_SHAPE(s[0], c, s[2] * r, s[3] * r));
}

tn_tensor *tn_space_to_depth(tn_tensor *x, int64_t factor)
{
    if (!is_picture("space_to_depth", x, factor, factor)) return x;
    const int64_t *s = x->type.shape.dim, r = factor, h = s[2] / r, w = s[3] / r;
    if (s[2] % r || s[3] % r)
        tn_node_fail(x->graph, TN_ESHAPE, "space_to_depth: %lld x %lld pixels by %lld", (long long)s[2],
                     (long long)s[3], (long long)r);
    tn_tensor *parts = tn_reshape(x, TN_SHAPE(s[0], s[1], h, r, w, r));
    parts = tn_transpose(parts, (int32_t[]){0, 3, 5, 1, 2, 4});
    return tn_reshape(parts, TN_SHAPE(s[0], s[1] * r * r, h, w));
}
