/* rules_sample.c: pictures that are read at any place, and put together from windows. */
#include "window.h"

static int32_t word_of(onnx_node *n, const char *name, const char *usual, const char *const words[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (onnx_text_is(n, name, usual, words[i])) return (int32_t)i;
    onnx_cannot(n, "attribute %s", name);
    return 0;
}

void onnx_rule_grid_sample(onnx_node *n)
{
    static const char *const modes[] = {"linear", "nearest", "cubic", "bilinear", "bicubic"};
    static const int32_t mode_of[] = {TN_LINEAR, TN_NEAREST, TN_CUBIC, TN_LINEAR, TN_CUBIC};
    static const char *const paddings[] = {"zeros", "border", "reflection"};
    static const int32_t outside_of[] = {TN_OUTSIDE_ZEROS, TN_OUTSIDE_BORDER, TN_OUTSIDE_REFLECTION};
    tn_tensor *x = onnx_in(n, 0), *grid = onnx_in(n, 1);
    tn_grid_options o = {.mode = mode_of[word_of(n, "mode", "linear", modes, 5)],
                         .outside = outside_of[word_of(n, "padding_mode", "zeros", paddings, 3)],
                         .align_corners = onnx_int(n, "align_corners", 0) != 0};
    if (x && grid && !n->failed) onnx_out(n, 0, tn_grid_sample(x, grid, o));
}

void onnx_rule_affine_grid(onnx_node *n)
{
    int64_t size[TN_MAX_RANK];
    tn_tensor *theta = onnx_in(n, 0);
    int64_t count = onnx_known_ints(n, 1, size, TN_MAX_RANK);
    if (!theta || count < 4 || count > 5) return;
    tn_shape sizes = {.rank = (int32_t)count - 2};
    for (int32_t d = 0; d < sizes.rank; d++) sizes.dim[d] = size[d + 2];
    onnx_out(n, 0, tn_affine_grid(theta, sizes, onnx_int(n, "align_corners", 0) != 0));
}

/* Places are numbered in what the windows cover; a size that is asked for may be larger. */
void onnx_rule_max_unpool(onnx_node *n)
{
    onnx_window w;
    tn_tensor *x = onnx_in(n, 0), *place = onnx_in(n, 1);
    if (!x || !place || !onnx_window_read(n, x, NULL, &w)) return;
    tn_shape shape = tn_shape_of(x);
    for (int32_t i = 0; i < w.axes; i++)
        shape.dim[i + 2] = (shape.dim[i + 2] - 1) * w.stride[i] + w.size[i] - w.begin[i] - w.end[i];
    tn_shape to = shape;
    if (n->n_in > 2 && n->in[2] && onnx_known_ints(n, 2, to.dim, to.rank) != to.rank) return;
    for (int32_t d = 0; d < to.rank; d++)
        if (to.dim[d] < shape.dim[d]) onnx_cannot(n, "an output smaller than what its windows cover");
    if (n->failed) return;
    tn_tensor *y = tn_max_unpool_nd(x, place, shape);
    for (int32_t d = 0; d < to.rank; d++) y = onnx_pad_number(y, d, 0, to.dim[d] - shape.dim[d], 0);
    onnx_out(n, 0, y);
}

/* ---- Col2Im ---- */

typedef struct blocks {
    int32_t axes;
    int64_t image[TN_MAX_RANK], block[TN_MAX_RANK], count[TN_MAX_RANK];
    int64_t stride[TN_MAX_RANK], dilation[TN_MAX_RANK], pads[2 * TN_MAX_RANK];
} blocks;

static int read_blocks(onnx_node *n, blocks *b)
{
    int64_t axes = onnx_known_ints(n, 1, b->image, TN_MAX_RANK);
    if (axes < 1 || axes > 3 || onnx_known_ints(n, 2, b->block, TN_MAX_RANK) != axes) return 0;
    b->axes = (int32_t)axes;
    for (int32_t i = 0; i < 2 * TN_MAX_RANK; i++) b->pads[i] = 0;
    for (int32_t i = 0; i < TN_MAX_RANK; i++) b->stride[i] = b->dilation[i] = 1;
    onnx_ints(n, "strides", b->stride, axes);
    onnx_ints(n, "dilations", b->dilation, axes);
    onnx_ints(n, "pads", b->pads, 2 * axes);
    for (int32_t i = 0; i < b->axes; i++) {
        if (b->stride[i] < 1) return 0;
        int64_t all = b->image[i] + b->pads[i] + b->pads[b->axes + i];
        b->count[i] = (all - b->dilation[i] * (b->block[i] - 1) - 1) / b->stride[i] + 1;
    }
    return !n->failed;
}

/* Element k of all blocks, which are (b, c, block..., count...), where it lies in the padded picture. */
static tn_tensor *spread(tn_tensor *x, const blocks *b, int64_t k)
{
    for (int32_t i = b->axes - 1; i >= 0; k /= b->block[i--]) x = tn_slice(x, 2 + i, k % b->block[i], 1, 1);
    return x;
}

static tn_tensor *placed(tn_tensor *x, const blocks *b, int64_t k)
{
    for (int32_t i = b->axes - 1; i >= 0; k /= b->block[i--]) {
        int64_t all = b->image[i] + b->pads[i] + b->pads[b->axes + i];
        x = tn_unslice(x, 2 + i, k % b->block[i] * b->dilation[i], b->stride[i], all);
    }
    return x;
}

void onnx_rule_col2im(onnx_node *n)
{
    blocks b;
    tn_tensor *x = onnx_in(n, 0), *sum = NULL;
    if (!x || tn_shape_of(x).rank != 3 || !read_blocks(n, &b)) return;
    tn_shape all = {.rank = 2 + 2 * b.axes}, one = {.rank = 2 + b.axes};
    int64_t size = 1;
    for (int32_t i = 0; i < b.axes; i++) {
        size *= b.block[i];
        all.dim[2 + i] = b.block[i], all.dim[2 + b.axes + i] = one.dim[2 + i] = b.count[i];
    }
    all.dim[0] = one.dim[0] = onnx_dim(x, 0), all.dim[1] = one.dim[1] = onnx_dim(x, 1) / size;
    x = tn_reshape(x, all);
    for (int64_t k = 0; k < size; k++) {
        tn_tensor *y = placed(tn_reshape(spread(x, &b, k), one), &b, k);
        sum = sum ? tn_add(sum, y) : y;
    }
    for (int32_t i = 0; i < b.axes; i++) sum = tn_slice(sum, 2 + i, b.pads[i], b.image[i], 1);
    onnx_out(n, 0, sum);
}

/* ---- convolution of what comes piece by piece ---- */

/* Each channel by itself, behind what was there before. */
void onnx_rule_causal_conv(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *weight = onnx_in(n, 1), *bias = onnx_in(n, 2), *past = onnx_in(n, 3);
    int plain = onnx_text_is(n, "activation", "none", "none");
    int silu = onnx_text_is(n, "activation", "none", "silu") || onnx_text_is(n, "activation", "none", "swish");
    if (!x || !weight || tn_shape_of(x).rank != 3) return;
    if (!plain && !silu) onnx_cannot(n, "attribute activation");
    const int64_t kept = onnx_dim(weight, 2) - 1;
    if (n->failed) return;
    x = past ? tn_concat((tn_tensor *[]){past, x}, 2, 2) : onnx_pad_number(x, 2, kept, 0, 0);
    tn_tensor *y = tn_conv_nd(x, weight, (tn_conv_nd_options){.groups = (uint32_t)onnx_dim(x, 1)});
    if (bias) y = tn_add(y, tn_reshape(bias, TN_SHAPE(1, onnx_dim(bias, 0), 1)));
    onnx_out(n, 0, silu ? tn_silu(y) : y);
    onnx_out(n, 1, tn_slice(x, 2, onnx_dim(x, 2) - kept, kept, 1));
}
