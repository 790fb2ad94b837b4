/* conv2d_data.c: what dy of a convolution means for its x; by itself, the transposed convolution. */
#include "cases.h"
#include "conv.h"

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_conv_node *at = raw;
    (void)n_in;
    TN_TRY(tn_conv_require("conv2d_data", at, in[0], in[1]));
    const int64_t *dy = in[0]->type.shape.dim, *weight = in[1]->type.shape.dim;
    const int h = tn_image_height(at->channels_last);
    int64_t size[2];
    if (weight[0] != dy[tn_image_channels(at->channels_last)] || weight[0] % at->groups)
        return tn_conv_misfit("conv2d_data", at, in[0], in[1],
                              "the weight's first dimension should be the channels of the first operand");
    for (int d = 0; d < 2; d++) {
        const int64_t whole = (dy[h + d] - 1) * at->stride[d] - 2 * (int64_t)at->pad[d] +
                              (int64_t)at->dilation[d] * (weight[2 + d] - 1) + 1;
        size[d] = at->size[d] < 0 ? whole : at->size[d];
        if (size[d] < 0)
            return tn_conv_misfit("conv2d_data", at, in[0], in[1], "the padding is larger than the result");
    }
    *out = (tn_type){in[0]->type.dtype,
                     tn_image_shape(at->channels_last, dy[0], weight[1] * at->groups, size[0], size[1])};
    return TN_OK;
}

static void grad(tn_tensor *x, tn_tensor *dx, tn_tensor *din[])
{
    const tn_conv_node *at = x->attrs;
    const int64_t *dy = x->in[0]->type.shape.dim + tn_image_height(at->channels_last),
                  *weight = x->in[1]->type.shape.dim;
    din[0] = tn_conv_forward(dx, x->in[1], at, dy[0], dy[1]);
    din[1] = tn_conv_weight(dx, x->in[0], at, weight[2], weight[3]);
}

typedef struct sum {
    const double *dy, *weight;
    double *dx;
} sum;

static void add(void *arg, int64_t ix, int64_t iw, int64_t iy)
{
    sum *s = arg;
    s->dx[ix] += s->dy[iy] * s->weight[iw];
}

static void reference(const tn_reference_call *call)
{
    sum s = {call->in[0], call->in[1], call->out[0]};
    for (int64_t e = 0; e < tn_desc_count(&call->desc->out[0]); e++) s.dx[e] = 0;
    tn_conv_each(call->desc, &call->desc->out[0], &call->desc->in[1], &call->desc->in[0], add, &s);
}

static double flops(const tn_op_desc *desc)
{
    return tn_conv_flops(&desc->in[1], &desc->in[0]);
}

tn_tensor *tn_convolve2d_transposed(tn_tensor *x, tn_tensor *weight, tn_conv_options options)
{
    tn_conv_node node = tn_conv_node_of(options);
    return tn_conv_data(x, weight, &node, node.size[0], node.size[1]);
}

static tn_tensor *case_plain(tn_tensor *const in[])
{
    return tn_convolve2d_transposed(in[0], in[1], (tn_conv_options){0});
}

static tn_tensor *case_stride(tn_tensor *const in[])
{
    return tn_convolve2d_transposed(in[0], in[1], (tn_conv_options){.stride = {2, 3}, .pad = {1, 0}});
}

/* Rows and columns of the result that no window sees. */
static tn_tensor *case_size(tn_tensor *const in[])
{
    return tn_convolve2d_transposed(in[0], in[1], (tn_conv_options){.stride = {2, 2}, .pad = {1, 1}, .size = {9, 8}});
}

static tn_tensor *case_dilation(tn_tensor *const in[])
{
    return tn_convolve2d_transposed(in[0], in[1], (tn_conv_options){.dilation = {2, 3}, .pad = {1, 2}});
}

static tn_tensor *case_groups(tn_tensor *const in[])
{
    return tn_convolve2d_transposed(in[0], in[1], (tn_conv_options){.groups = 2, .stride = {2, 1}});
}

static tn_tensor *case_depthwise(tn_tensor *const in[])
{
    return tn_convolve2d_transposed(in[0], in[1], (tn_conv_options){.groups = 5, .pad = {1, 1}});
}

static tn_tensor *case_depthwise_size(tn_tensor *const in[])
{
    return tn_convolve2d_transposed(in[0], in[1],
                                    (tn_conv_options){.groups = 3, .stride = {2, 2}, .pad = {1, 1}, .size = {9, 8}});
}

static tn_tensor *case_depthwise_long(tn_tensor *const in[])
{
    return tn_convolve2d_transposed(in[0], in[1],
                                    (tn_conv_options){.groups = 3, .stride = {2, 2}, .pad = {1, 1}, .size = {8, 43}});
}

static tn_tensor *case_last(tn_tensor *const in[])
{
    return tn_conv_data(in[0], in[1], &(tn_conv_node){{1, 1}, {1, 1}, {1, 1}, 1, 1, {0, 0}}, -1, -1);
}

static tn_tensor *case_last_all(tn_tensor *const in[])
{
    return tn_conv_data(in[0], in[1], &(tn_conv_node){{2, 3}, {1, 0}, {1, 2}, 2, 1, {0, 0}}, -1, -1);
}

static const tn_op_case cases[] = {
    {"plain", case_plain, {F32(2, 4, 5, 4), F32(4, 3, 3, 3)}},
    {"one pixel", case_plain, {F32(1, 1, 1, 1), F32(1, 1, 2, 3)}},
    {"a window of 1 x 1", case_plain, {F32(2, 9, 5, 7), F32(9, 13, 1, 1)}},
    {"strides and padding", case_stride, {F32(2, 4, 4, 3), F32(4, 3, 3, 2)}},
    {"strides wider than the window", case_stride, {F32(2, 3, 4, 3), F32(3, 2, 2, 2)}},
    {"a given size", case_size, {F32(2, 3, 4, 4), F32(3, 2, 3, 3)}},
    {"dilation", case_dilation, {F32(2, 3, 5, 6), F32(3, 2, 3, 3)}},
    {"groups", case_groups, {F32(2, 6, 4, 5), F32(6, 4, 3, 2)}},
    {"depthwise", case_depthwise, {F32(2, 5, 7, 9), F32(5, 1, 3, 3)}},
    {"depthwise, a given size", case_depthwise_size, {F32(2, 3, 4, 4), F32(3, 1, 3, 3)}},
    {"depthwise, long rows", case_depthwise_long, {F32(2, 3, 4, 21), F32(3, 1, 3, 4)}},
    {"more channels than a tile is wide", case_plain, {F32(1, 37, 3, 4), F32(37, 19, 2, 3)}},
    {"no pictures", case_stride, {F32(0, 4, 4, 3), F32(4, 3, 3, 2)}},
    {"channels last", case_last, {F32(2, 5, 4, 9), F32(9, 6, 3, 3)}, .is_extra = 1},
    {"channels last, many", case_last, {F32(2, 9, 16, 48), F32(48, 32, 3, 3)}, .no_gradient = 1, .is_extra = 1},
    {"channels last, strides, padding, dilation, groups",
     case_last_all,
     {F32(2, 4, 3, 6), F32(6, 4, 3, 2)},
     .is_extra = 1},
    {0},
};

const tn_op_def tn_op_conv2d_data = {.name = "conv2d_data",
                                     .crosses = tn_conv_crosses,
                                     .doc = "transposed convolution; the gradient of conv2d for x",
                                     .kind = TN_KERNEL,
                                     .arity = 2,
                                     .traits = TN_MULTIPLIES | TN_ADDS_UP | TN_PADS,
                                     TN_ATTRS(tn_conv_node, tn_conv_fields),
                                     .shape = shape,
                                     .grad = grad,
                                     .lower = tn_conv_lower,
                                     .describe = tn_conv_describe,
                                     .reference = reference,
                                     .flops = flops,
                                     .cases = cases,
                                     .budget = TN_BUDGET_SUM};
