/* rules_picture.c: convolution and pooling. Rows are pictures of height 1, and volumes are sums over the depth of
 * convolutions of pictures. */
#include <limits.h>
#include <math.h>

#include "window.h"

/* ---- convolution ---- */

static tn_tensor *with_bias(tn_tensor *y, tn_tensor *bias)
{
    tn_shape to = {.rank = tn_shape_of(y).rank};
    if (!bias) return y;
    for (int32_t d = 0; d < to.rank; d++) to.dim[d] = d == 1 ? onnx_dim(bias, 0) : 1;
    return tn_add(y, tn_reshape(bias, to));
}

/* The last two dimensions of the window, of which a row lacks the first. */
static tn_conv_options options_of(const onnx_window *w, int64_t groups)
{
    tn_conv_options o = {.groups = (uint32_t)groups, .stride = {1, 1}, .dilation = {1, 1}, .size = {1, 1}};
    for (int32_t k = 0; k < 2; k++) {
        int32_t i = w->axes - 2 + k;
        if (i < 0) continue;
        o.stride[k] = (uint32_t)w->stride[i], o.dilation[k] = (uint32_t)w->dilation[i];
        o.pad[k] = (uint32_t)w->begin[i], o.size[k] = w->out[i];
    }
    return o;
}

static tn_tensor *as_picture(tn_tensor *x)
{
    return tn_shape_of(x).rank == 3 ? tn_unsqueeze(x, 2) : x;
}

/* (b, c, d, h, w): the slice of depths that meets one plane of the weight, as a batch of pictures. */
static tn_tensor *planes(tn_tensor *x, const onnx_window *w, int64_t k)
{
    tn_tensor *y = tn_slice(x, 2, k * w->dilation[0], w->out[0], w->stride[0]);
    y = tn_transpose(y, (const int32_t[]){0, 2, 1, 3, 4});
    tn_shape s = tn_shape_of(y);
    return tn_reshape(y, TN_SHAPE(s.dim[0] * s.dim[1], s.dim[2], s.dim[3], s.dim[4]));
}

static tn_tensor *plane_of(tn_tensor *weight, int64_t k)
{
    return tn_squeeze(tn_slice(weight, 2, k, 1, 1), 2);
}

/* The batch of pictures as a volume again. */
static tn_tensor *as_volume(tn_tensor *y, int64_t depth)
{
    tn_shape s = tn_shape_of(y);
    y = tn_reshape(y, TN_SHAPE(s.dim[0] / depth, depth, s.dim[1], s.dim[2], s.dim[3]));
    return tn_transpose(y, (const int32_t[]){0, 2, 1, 3, 4});
}

static tn_tensor *conv3d(tn_tensor *x, tn_tensor *weight, const onnx_window *w, tn_conv_options options)
{
    tn_tensor *sum = NULL;
    int64_t reach = (w->out[0] - 1) * w->stride[0] + w->dilation[0] * (w->size[0] - 1) + 1;
    int64_t end = reach - w->begin[0] - onnx_dim(x, 2);
    x = onnx_pad_number(x, 2, w->begin[0], end > 0 ? end : 0, 0);
    for (int64_t k = 0; k < w->size[0]; k++) {
        tn_tensor *one = tn_convolve2d(planes(x, w, k), plane_of(weight, k), options);
        sum = sum ? tn_add(sum, one) : one;
    }
    return as_volume(sum, w->out[0]);
}

static tn_tensor *convolve(onnx_node *n, tn_tensor *x, tn_tensor *weight)
{
    onnx_window w;
    tn_shape shape = tn_shape_of(weight);
    if (!onnx_window_read(n, x, shape.dim + 2, &w)) return NULL;
    tn_conv_options options = options_of(&w, onnx_int(n, "group", 1));
    if (w.axes == 3) return conv3d(x, weight, &w, options);
    tn_tensor *y = tn_convolve2d(as_picture(x), as_picture(weight), options);
    return w.axes == 1 ? tn_squeeze(y, 2) : y;
}

void onnx_rule_conv(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *weight = onnx_in(n, 1);
    tn_tensor *y = x && weight ? convolve(n, x, weight) : NULL;
    if (y) onnx_out(n, 0, with_bias(y, onnx_in(n, 2)));
}

/* The padding that is left where the size of the result is asked for. */
static void pad_transposed(onnx_node *n, onnx_window *w, const int64_t in[])
{
    int64_t asked[ONNX_MOST_AXES] = {0}, more[ONNX_MOST_AXES] = {0};
    int lower = onnx_text_is(n, "auto_pad", "NOTSET", "SAME_LOWER");
    int same = lower || onnx_text_is(n, "auto_pad", "NOTSET", "SAME_UPPER");
    int64_t is_asked = onnx_ints(n, "output_shape", asked, ONNX_MOST_AXES);
    onnx_ints(n, "output_padding", more, ONNX_MOST_AXES);
    if (is_asked == w->axes + 2) onnx_cannot(n, "output_shape with batch and channels");
    for (int32_t i = 0; i < w->axes; i++) {
        int64_t full = w->stride[i] * (in[i] - 1) + more[i] + w->dilation[i] * (w->size[i] - 1) + 1;
        if (same && !is_asked) asked[i] = in[i] * w->stride[i];
        if (is_asked || same) {
            int64_t all = full - asked[i] > 0 ? full - asked[i] : 0;
            w->begin[i] =
                lower || (is_asked && !onnx_text_is(n, "auto_pad", "NOTSET", "SAME_UPPER")) ? all - all / 2 : all / 2;
            w->end[i] = all - w->begin[i];
        }
        w->out[i] = is_asked || same ? asked[i] : full - w->begin[i] - w->end[i];
    }
}

/* What a place of the result beyond what the input reaches would be: none of it is padding. */
static tn_tensor *transposed2d(tn_tensor *x, tn_tensor *weight, const onnx_window *w, int64_t groups)
{
    onnx_window part = *w;
    tn_tensor *y;
    for (int32_t i = 0; i < w->axes; i++) { /* all of it, then the part that is wanted */
        part.begin[i] = 0;
        part.out[i] = w->stride[i] * (onnx_dim(x, i + 2) - 1) + w->dilation[i] * (w->size[i] - 1) + 1;
    }
    int fits = 1;
    for (int32_t i = 0; i < w->axes; i++)
        fits &= w->begin[i] + w->out[i] <= part.out[i] && w->begin[i] < (w->size[i] - 1) * w->dilation[i] + 1;
    tn_conv_options options = options_of(fits ? w : &part, groups);
    y = tn_convolve2d_transposed(as_picture(x), as_picture(weight), options);
    if (w->axes == 1) y = tn_squeeze(y, 2);
    for (int32_t i = 0; !fits && i < w->axes; i++) {
        int64_t missing = w->begin[i] + w->out[i] - part.out[i];
        y = onnx_pad_number(y, i + 2, 0, missing > 0 ? missing : 0, 0);
        y = tn_slice(y, i + 2, w->begin[i], w->out[i], 1);
    }
    return y;
}

/* Plane k of the weight makes depths k dilation, + stride, ...: zeros lie between these. */
static tn_tensor *transposed3d(tn_tensor *x, tn_tensor *weight, const onnx_window *w, int64_t groups)
{
    tn_tensor *sum = NULL;
    tn_shape in = tn_shape_of(x);
    onnx_window flat = *w;
    flat.axes = 2;
    for (int32_t i = 0; i < 2; i++)
        flat.size[i] = w->size[i + 1], flat.stride[i] = w->stride[i + 1], flat.dilation[i] = w->dilation[i + 1],
        flat.begin[i] = w->begin[i + 1], flat.out[i] = w->out[i + 1];
    tn_tensor *pictures = tn_reshape(tn_transpose(x, (const int32_t[]){0, 2, 1, 3, 4}),
                                     TN_SHAPE(in.dim[0] * in.dim[2], in.dim[1], in.dim[3], in.dim[4]));
    int64_t all = w->begin[0] + w->out[0],
            reach = w->stride[0] * (in.dim[2] - 1) + w->dilation[0] * (w->size[0] - 1) + 1;
    if (all < reach) all = reach;
    for (int64_t k = 0; k < w->size[0]; k++) {
        tn_tensor *y = as_volume(transposed2d(pictures, plane_of(weight, k), &flat, groups), in.dim[2]);
        tn_shape s = tn_shape_of(y);
        y = tn_reshape(y, TN_SHAPE(s.dim[0], s.dim[1], s.dim[2], 1, s.dim[3], s.dim[4]));
        y = onnx_pad_number(y, 3, 0, w->stride[0] - 1, 0);
        y = tn_reshape(y, TN_SHAPE(s.dim[0], s.dim[1], s.dim[2] * w->stride[0], s.dim[3], s.dim[4]));
        y = tn_slice(y, 2, 0, w->stride[0] * (s.dim[2] - 1) + 1, 1);
        y = onnx_pad_number(y, 2, k * w->dilation[0], all - k * w->dilation[0] - onnx_dim(y, 2), 0);
        sum = sum ? tn_add(sum, y) : y;
    }
    return tn_slice(sum, 2, w->begin[0], w->out[0], 1);
}

void onnx_rule_conv_transpose(onnx_node *n)
{
    onnx_window w;
    tn_tensor *x = onnx_in(n, 0), *weight = onnx_in(n, 1);
    if (!x || !weight) return;
    tn_shape shape = tn_shape_of(weight), in = tn_shape_of(x);
    if (!onnx_window_read(n, x, shape.dim + 2, &w)) return;
    pad_transposed(n, &w, in.dim + 2);
    if (n->failed) return;
    int64_t groups = onnx_int(n, "group", 1);
    tn_tensor *y = w.axes == 3 ? transposed3d(x, weight, &w, groups) : transposed2d(x, weight, &w, groups);
    onnx_out(n, 0, with_bias(y, onnx_in(n, 2)));
}

/* ---- pooling ---- */

/* Pictures whose windows have no gaps and equal padding have an operator. */
static int is_plain(const onnx_window *w, const tn_tensor *x, tn_pool_options *o)
{
    *o = (tn_pool_options){0};
    for (int32_t i = 0; i < 2; i++) {
        if (w->axes != 2 || w->dilation[i] != 1 || w->begin[i] != w->end[i] || w->begin[i] >= w->size[i]) return 0;
        int64_t plain = (onnx_dim(x, i + 2) + 2 * w->begin[i] - w->size[i]) / w->stride[i] + 1;
        if (w->out[i] != plain) return 0;
        o->window[i] = (uint32_t)w->size[i], o->stride[i] = (uint32_t)w->stride[i], o->pad[i] = (uint32_t)w->begin[i];
    }
    return 1;
}

/* What is larger comes with its place in the picture: two tensors side by side in one of f64 or i32 would be one way;
 * here the places are found again: the first at which the largest number is. */
static tn_tensor *place_of_largest(onnx_node *n, tn_tensor *x, tn_tensor *y, const onnx_window *w)
{
    tn_shape shape = tn_shape_of(x);
    int64_t size = 1, all = 1, columns = onnx_int(n, "storage_order", 0);
    tn_tensor *place = NULL;
    for (int32_t i = 0; i < w->axes; i++) size *= w->size[i];
    for (int32_t d = 0; d < shape.rank; d++) all *= shape.dim[d];
    tn_tensor *number = tn_full(n->graph, TN_I32, shape, 0);
    for (int32_t d = 0; d < shape.rank; d++) {
        int64_t step = 1;
        for (int32_t k = 0; k < shape.rank; k++) {
            int picture = k >= 2, later = columns && d >= 2 && picture ? k < d : k > d;
            if (later && !(columns && picture && d < 2 && 0)) step *= shape.dim[k];
        }
        tn_tensor *at = tn_iota(n->graph, shape, d);
        number = tn_add(number, tn_mul(at, tn_number(at, (double)step)));
    }
    tn_tensor *none = tn_full(n->graph, TN_I32, tn_shape_of(y), (double)all);
    for (int64_t k = size - 1; k >= 0; k--) {
        tn_tensor *value = x, *at = number;
        int64_t rest = k;
        for (int32_t i = w->axes - 1; i >= 0; rest /= w->size[i--]) {
            int64_t reach = (w->out[i] - 1) * w->stride[i] + w->dilation[i] * (w->size[i] - 1) + 1;
            int64_t end = reach - w->begin[i] - onnx_dim(value, i + 2), from = rest % w->size[i] * w->dilation[i];
            end = end > 0 ? end : 0;
            value = tn_slice(onnx_pad_number(value, i + 2, w->begin[i], end, -(double)INFINITY), i + 2, from, w->out[i],
                             w->stride[i]);
            at = tn_slice(onnx_pad_number(at, i + 2, w->begin[i], end, (double)all), i + 2, from, w->out[i],
                          w->stride[i]);
        }
        tn_tensor *is = tn_where(tn_eq(value, y), at, none);
        place = place ? tn_min(place, is) : is;
    }
    return place;
}

void onnx_rule_max_pool(onnx_node *n)
{
    onnx_window w;
    tn_pool_options options;
    tn_tensor *x = onnx_in(n, 0), *y;
    onnx_heeded(n, "storage_order");
    if (!x || !onnx_window_read(n, x, NULL, &w)) return;
    if (is_plain(&w, x, &options))
        y = tn_maxpool2d_with(x, options);
    else
        y = onnx_window_reduce(x, &w, tn_max, tn_dtype_of(x) == TN_I32 ? INT_MIN : -(double)INFINITY);
    onnx_out(n, 0, y);
    if (onnx_wants(n, 1)) onnx_out_as(n, 1, place_of_largest(n, x, y, &w), ONNX_INT64);
}

/* How many elements of the picture, and of its padding if that counts, each window has: known when it is built. */
static tn_tensor *elements_of(onnx_node *n, const onnx_window *w, const tn_tensor *x, int counts_pad)
{
    tn_tensor *count = NULL;
    tn_shape shape = tn_shape_of(x), to = {.rank = shape.rank};
    for (int32_t i = 0; i < w->axes; i++) {
        int64_t low = counts_pad ? -w->begin[i] : 0, high = shape.dim[i + 2] + (counts_pad ? w->end[i] : 0);
        double *many = tn_region_alloc(&n->build->region, (size_t)w->out[i] * sizeof *many + 1);
        for (int64_t p = 0; many && p < w->out[i]; p++)
            for (int64_t k = 0; k < w->size[i]; k++) {
                int64_t at = p * w->stride[i] - w->begin[i] + k * w->dilation[i];
                many[p] += at >= low && at < high;
            }
        for (int32_t d = 0; d < to.rank; d++) to.dim[d] = d == i + 2 ? w->out[i] : 1;
        if (!many) return NULL;
        tn_tensor *one = tn_cast(tn_constant(n->graph, TN_F64, to, many), tn_dtype_of(x));
        count = count ? tn_mul(count, one) : one;
    }
    return count;
}

void onnx_rule_average_pool(onnx_node *n)
{
    onnx_window w;
    tn_pool_options options;
    tn_tensor *x = onnx_in(n, 0);
    int counts_pad = onnx_int(n, "count_include_pad", 0) != 0;
    if (!x || !onnx_window_read(n, x, NULL, &w)) return;
    if (is_plain(&w, x, &options)) {
        options.count_pad = (uint32_t)counts_pad;
        onnx_out(n, 0, tn_avgpool2d_with(x, options));
        return;
    }
    tn_tensor *count = elements_of(n, &w, x, counts_pad);
    if (count) onnx_out(n, 0, tn_div(onnx_window_reduce(x, &w, tn_add, 0), count));
}

static tn_tensor *root(tn_tensor *x, double p)
{
    return p == 1 ? x : p == 2 ? tn_sqrt(x) : tn_pow(x, tn_number(x, 1 / p));
}

static tn_tensor *power(tn_tensor *x, double p)
{
    return p == 1 ? tn_abs(x) : p == 2 ? tn_square(x) : tn_pow(tn_abs(x), tn_number(x, p));
}

void onnx_rule_lp_pool(onnx_node *n)
{
    onnx_window w;
    tn_tensor *x = onnx_in(n, 0);
    double p = (double)onnx_int(n, "p", 2);
    if (!x || !onnx_window_read(n, x, NULL, &w)) return;
    onnx_out(n, 0, root(onnx_window_reduce(power(x, p), &w, tn_add, 0), p));
}

/* ---- the whole picture ---- */

static tn_axes picture_of(const tn_tensor *x)
{
    tn_axes axes = {0};
    for (int32_t d = 2; d < tn_shape_of(x).rank; d++) axes.axis[axes.count++] = d;
    return axes;
}

void onnx_rule_global_average_pool(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, tn_mean(x, picture_of(x), 1));
}

void onnx_rule_global_max_pool(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, tn_amax(x, picture_of(x), 1));
}

void onnx_rule_global_lp_pool(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    double p = (double)onnx_int(n, "p", 2);
    if (x) onnx_out(n, 0, root(tn_sum(power(x, p), picture_of(x), 1), p));
}

/* ---- quantised, as whole numbers ---- */

static tn_tensor *by_axis(tn_tensor *x, int32_t axis, int32_t rank)
{
    tn_shape to = {.rank = rank}, from = tn_shape_of(x);
    for (int32_t d = 0; d < rank; d++) to.dim[d] = d == axis ? tn_shape_count(&from) : 1;
    return tn_reshape(x, to);
}

/* Less the number that stands for zero; in f32 all of it is exact as long as sums stay under 2^24. */
static tn_tensor *centred(onnx_node *n, uint32_t i, uint32_t zero, int32_t axis)
{
    tn_tensor *x = onnx_in(n, i), *z = onnx_in(n, zero);
    if (x && z) x = tn_sub(x, by_axis(z, axis, tn_shape_of(x).rank));
    return x ? tn_cast(x, TN_F32) : NULL;
}

void onnx_rule_conv_integer(onnx_node *n)
{
    tn_tensor *x = centred(n, 0, 2, 1), *weight = centred(n, 1, 3, 0);
    tn_tensor *y = x && weight ? convolve(n, x, weight) : NULL;
    if (y) onnx_out_as(n, 0, tn_cast(y, TN_I32), ONNX_INT32);
}

/* Rounded to the type of a zero, and within its range. */
static tn_tensor *requantised(tn_tensor *y, tn_tensor *scale, tn_tensor *zero, int32_t type)
{
    double least, most;
    onnx_range(type, &least, &most);
    y = tn_add(tn_round(tn_div(y, scale)), tn_cast(zero, TN_F32));
    return tn_cast(tn_clamp(y, least, most), TN_I32);
}

void onnx_rule_qlinear_conv(onnx_node *n)
{
    tn_tensor *x = centred(n, 0, 2, 1), *weight = centred(n, 3, 5, 0), *bias = onnx_in(n, 8);
    tn_tensor *scale_x = onnx_in(n, 1), *scale_w = onnx_in(n, 4), *scale_y = onnx_in(n, 6), *zero = onnx_in(n, 7);
    tn_tensor *y = x && weight ? convolve(n, x, weight) : NULL;
    if (!y || !scale_x || !scale_w || !scale_y || !zero) return;
    int32_t rank = tn_shape_of(y).rank;
    if (bias) y = tn_add(y, by_axis(tn_cast(bias, TN_F32), 1, rank));
    y = tn_mul(y, by_axis(tn_mul(tn_reshape(scale_x, TN_SCALAR), scale_w), 1, rank));
    y = requantised(y, tn_reshape(scale_y, TN_SCALAR), tn_reshape(zero, TN_SCALAR), onnx_type(n, 7));
    onnx_out_as(n, 0, y, onnx_type(n, 7));
}
