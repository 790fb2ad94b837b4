/* rules_picture.c: convolution and pooling along one to three dimensions. */
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

/* All but the padding. */
static tn_conv_nd_options options_of(onnx_node *n, const onnx_window *w)
{
    int64_t groups = onnx_int(n, "group", 1);
    tn_conv_nd_options o = {.groups = groups > 0 && groups <= INT32_MAX ? (uint32_t)groups : 1};
    if (o.groups != groups) onnx_cannot(n, "attribute group");
    for (int32_t i = 0; i < w->axes; i++)
        o.stride[i] = (uint32_t)w->stride[i], o.dilation[i] = (uint32_t)w->dilation[i];
    return o;
}

static tn_tensor *convolve(onnx_node *n, tn_tensor *x, tn_tensor *weight)
{
    onnx_window w;
    tn_shape shape = tn_shape_of(weight);
    if (!onnx_window_read(n, x, shape.dim + 2, &w)) return NULL;
    tn_conv_nd_options o = options_of(n, &w);
    for (int32_t i = 0; i < w.axes; i++) o.begin[i] = (uint32_t)w.begin[i], o.end[i] = (uint32_t)w.end[i];
    return n->failed ? NULL : tn_conv_nd(x, weight, o);
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
        if (more[i] < 0 || more[i] > 1 << 20 || asked[i] < 0 || asked[i] > INT32_MAX)
            onnx_cannot(n, "output_padding %lld or output_shape %lld", (long long)more[i], (long long)asked[i]);
        if (n->failed) return;
        int64_t full = w->stride[i] * (in[i] - 1) + more[i] + w->dilation[i] * (w->size[i] - 1) + 1;
        if (same && !is_asked) asked[i] = in[i] * w->stride[i];
        if (is_asked || same) {
            int64_t all = full - asked[i] > 0 ? full - asked[i] : 0;
            if (!is_asked && asked[i] > full) asked[i] = full;
            w->begin[i] =
                lower || (is_asked && !onnx_text_is(n, "auto_pad", "NOTSET", "SAME_UPPER")) ? all - all / 2 : all / 2;
            w->end[i] = all - w->begin[i];
        }
        w->out[i] = is_asked || same ? asked[i] : full - w->begin[i] - w->end[i];
    }
}

/* A place of the result beyond what the input reaches is 0: where there are such, or more is cut off at the beginning
 * than the kernel reaches, all of it is made first. */
static tn_tensor *transposed(tn_tensor *x, tn_tensor *weight, const onnx_window *w, tn_conv_nd_options o)
{
    int64_t full[ONNX_MOST_AXES];
    int fits = 1;
    for (int32_t i = 0; i < w->axes; i++) {
        int64_t reach = w->dilation[i] * (w->size[i] - 1) + 1;
        full[i] = w->stride[i] * (onnx_dim(x, i + 2) - 1) + reach;
        fits &= w->begin[i] + w->out[i] <= full[i] && w->begin[i] < reach;
    }
    for (int32_t i = 0; fits && i < w->axes; i++)
        o.begin[i] = (uint32_t)w->begin[i], o.end[i] = (uint32_t)(full[i] - w->begin[i] - w->out[i]);
    tn_tensor *y = tn_conv_nd_transposed(x, weight, o);
    for (int32_t i = 0; !fits && i < w->axes; i++) {
        int64_t missing = w->begin[i] + w->out[i] - full[i];
        y = onnx_pad_number(y, i + 2, 0, missing > 0 ? missing : 0, 0);
        y = tn_slice(y, i + 2, w->begin[i], w->out[i], 1);
    }
    return y;
}

void onnx_rule_conv_transpose(onnx_node *n)
{
    onnx_window w;
    tn_tensor *x = onnx_in(n, 0), *weight = onnx_in(n, 1);
    if (!x || !weight) return;
    tn_shape shape = tn_shape_of(weight), in = tn_shape_of(x);
    if (!onnx_window_read(n, x, shape.dim + 2, &w)) return;
    pad_transposed(n, &w, in.dim + 2);
    tn_conv_nd_options o = options_of(n, &w);
    if (!n->failed) onnx_out(n, 0, with_bias(transposed(x, weight, &w, o), onnx_in(n, 2)));
}

/* ---- pooling ---- */

int onnx_pool_read(onnx_node *n, const tn_tensor *x, tn_pool_nd_options *o)
{
    onnx_window w;
    if (!x || !onnx_window_read(n, x, NULL, &w)) return 0;
    *o = (tn_pool_nd_options){.ceil_mode = onnx_int(n, "ceil_mode", 0) != 0,
                              .count_pad = onnx_int(n, "count_include_pad", 0) != 0};
    for (int32_t i = 0; i < w.axes; i++) {
        o->window[i] = (uint32_t)w.size[i], o->stride[i] = (uint32_t)w.stride[i];
        o->dilation[i] = (uint32_t)w.dilation[i];
        o->begin[i] = (uint32_t)w.begin[i], o->end[i] = (uint32_t)w.end[i];
    }
    return 1;
}

void onnx_rule_max_pool(onnx_node *n)
{
    tn_pool_nd_options o;
    tn_tensor *x = onnx_in(n, 0), *y = NULL;
    int columns = onnx_int(n, "storage_order", 0) != 0;
    if (!onnx_pool_read(n, x, &o)) return;
    if (onnx_wants(n, 1))
        onnx_out_as(n, 1, tn_maxpool_nd_places(x, o, columns, &y), ONNX_INT64);
    else
        y = tn_maxpool_nd(x, o);
    onnx_out(n, 0, y);
}

void onnx_rule_average_pool(onnx_node *n)
{
    tn_pool_nd_options o;
    tn_tensor *x = onnx_in(n, 0);
    if (onnx_pool_read(n, x, &o)) onnx_out(n, 0, tn_avgpool_nd(x, o));
}

void onnx_rule_lp_pool(onnx_node *n)
{
    tn_pool_nd_options o;
    tn_tensor *x = onnx_in(n, 0);
    if (onnx_pool_read(n, x, &o)) onnx_out(n, 0, tn_lppool_nd(x, (double)onnx_int(n, "p", 2), o));
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
    if (x) onnx_out(n, 0, tn_norm(x, (double)onnx_int(n, "p", 2), picture_of(x), 1));
}

/* ---- quantised, as whole numbers ---- */

static tn_tensor *by_axis(tn_tensor *x, int32_t axis, int32_t rank)
{
    tn_shape to = {.rank = rank}, from = tn_shape_of(x);
    for (int32_t d = 0; d < rank; d++) to.dim[d] = d == axis ? tn_shape_count(&from) : 1;
    return tn_reshape(x, to);
}

/* Less the number that stands for zero. */
static tn_tensor *centred(onnx_node *n, uint32_t i, uint32_t zero, int32_t axis)
{
    tn_tensor *x = onnx_in(n, i), *z = onnx_in(n, zero);
    return x && z ? tn_sub(x, by_axis(z, axis, tn_shape_of(x).rank)) : x;
}

/* Sums of products of numbers up to 255 are exact in f32 if they have at most 258 terms; where there are more, x is
 * taken apart into 16 times a number and the rest, for which there may be 4112. */
static tn_tensor *convolve_whole(onnx_node *n, tn_tensor *x, tn_tensor *weight)
{
    enum { MOST_TERMS = 258, PART = 16 };
    tn_shape shape = tn_shape_of(weight);
    int64_t terms = shape.dim[0] ? tn_shape_count(&shape) / shape.dim[0] : 0;
    if (terms > MOST_TERMS * PART - PART) onnx_cannot(n, "sums of %lld products of bytes", (long long)terms);
    weight = tn_cast(weight, TN_F32);
    if (n->failed) return NULL;
    if (terms <= MOST_TERMS) {
        tn_tensor *y = convolve(n, tn_cast(x, TN_F32), weight);
        return y ? tn_cast(y, TN_I32) : NULL;
    }
    tn_tensor *low = tn_remainder(x, tn_number(x, PART)), *high = tn_div(tn_sub(x, low), tn_number(x, PART));
    low = convolve(n, tn_cast(low, TN_F32), weight), high = convolve(n, tn_cast(high, TN_F32), weight);
    if (!low || !high) return NULL;
    high = tn_cast(high, TN_I32);
    return tn_add(tn_cast(low, TN_I32), tn_mul(high, tn_number(high, PART)));
}

void onnx_rule_conv_integer(onnx_node *n)
{
    tn_tensor *x = centred(n, 0, 2, 1), *weight = centred(n, 1, 3, 0);
    tn_tensor *y = x && weight ? convolve_whole(n, x, weight) : NULL;
    if (y) onnx_out_as(n, 0, y, ONNX_INT32);
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
    tn_tensor *y = x && weight ? convolve_whole(n, x, weight) : NULL;
    if (!y || !scale_x || !scale_w || !scale_y || !zero) return;
    int32_t rank = tn_shape_of(y).rank;
    if (bias) y = tn_add(y, by_axis(bias, 1, rank));
    y = tn_mul(tn_cast(y, TN_F32), by_axis(tn_mul(tn_reshape(scale_x, TN_SCALAR), scale_w), 1, rank));
    y = requantised(y, tn_reshape(scale_y, TN_SCALAR), tn_reshape(zero, TN_SCALAR), onnx_type(n, 7));
    onnx_out_as(n, 0, y, onnx_type(n, 7));
}
