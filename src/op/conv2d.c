/* conv2d.c: y[b,k,i,j] = sum over c, r, s of x[b,c,i stride - pad + r dilation, ...] weight[k,c,r,s]. */
#include "cases.h"
#include "conv.h"
#include "map_internal.h"

/* As many whole windows as fit into the padded x; negative if there is none. */
static int64_t windows(const tn_conv_node *at, int d, int64_t x, int64_t window)
{
    int64_t room = x + 2 * (int64_t)at->pad[d] - (int64_t)at->dilation[d] * (window - 1) - 1;
    return room < 0 ? -1 : room / at->stride[d] + 1;
}

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_conv_node *at = raw;
    (void)n_in;
    TN_TRY(tn_conv_require("conv2d", at, in[0], in[1]));
    const int64_t *x = in[0]->type.shape.dim, *weight = in[1]->type.shape.dim;
    const int h = tn_image_height(at->channels_last);
    int64_t size[2];
    if (weight[1] * at->groups != x[tn_image_channels(at->channels_last)] || weight[0] % at->groups)
        return tn_conv_misfit("conv2d", at, in[0], in[1],
                              "the weight's second dimension should be the channels of a group of x");
    for (int d = 0; d < 2; d++) {
        size[d] = at->size[d] < 0 ? windows(at, d, x[h + d], weight[2 + d]) : at->size[d];
        if (size[d] < 0)
            return tn_conv_misfit("conv2d", at, in[0], in[1], "the window is larger than the padded picture");
    }
    *out = (tn_type){in[0]->type.dtype, tn_image_shape(at->channels_last, x[0], weight[0], size[0], size[1])};
    return TN_OK;
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    const tn_conv_node *at = y->attrs;
    const int64_t *x = y->in[0]->type.shape.dim + tn_image_height(at->channels_last),
                  *weight = y->in[1]->type.shape.dim;
    din[0] = tn_conv_data(dy, y->in[1], at, x[0], x[1]);
    din[1] = tn_conv_weight(y->in[0], dy, at, weight[2], weight[3]);
}

static void epilogue(tn_operation *o, const tn_map_attrs *map)
{
    o->attrs.conv.epilogue = map;
}

typedef struct sum {
    const double *x, *weight;
    double *y;
} sum;

static void add(void *arg, int64_t ix, int64_t iw, int64_t iy)
{
    sum *s = arg;
    s->y[iy] += s->x[ix] * s->weight[iw];
}

static void reference(const tn_reference_call *call)
{
    const tn_conv_attrs *at = call->desc->attrs;
    const tn_tensor_desc *y = &call->desc->out[0];
    sum s = {call->in[0], call->in[1], call->out[0]};
    tn_map_program program;
    if (at->epilogue) tn_map_ready(&program, at->epilogue);
    for (int64_t e = 0; e < tn_desc_count(y); e++) s.y[e] = 0;
    tn_conv_each(call->desc, &call->desc->in[0], &call->desc->in[1], y, add, &s);
    for (int64_t e = 0; at->epilogue && e < tn_desc_count(y); e++) s.y[e] = tn_map_epilogue(call, &program, s.y[e], e);
}

static double flops(const tn_op_desc *desc)
{
    return tn_conv_flops(&desc->in[1], &desc->out[0]);
}

tn_tensor *tn_convolve2d(tn_tensor *x, tn_tensor *weight, tn_conv_options options)
{
    tn_conv_node node = tn_conv_node_of(options);
    return tn_conv_forward(x, weight, &node, node.size[0], node.size[1]);
}

static tn_tensor *case_plain(tn_tensor *const in[])
{
    return tn_convolve2d(in[0], in[1], (tn_conv_options){0});
}

static tn_tensor *case_stride(tn_tensor *const in[])
{
    return tn_convolve2d(in[0], in[1], (tn_conv_options){.stride = {2, 3}});
}

static tn_tensor *case_pad(tn_tensor *const in[])
{
    return tn_convolve2d(in[0], in[1], (tn_conv_options){.pad = {1, 2}});
}

static tn_tensor *case_dilation(tn_tensor *const in[])
{
    return tn_convolve2d(in[0], in[1], (tn_conv_options){.dilation = {2, 3}, .pad = {2, 1}});
}

static tn_tensor *case_groups(tn_tensor *const in[])
{
    return tn_convolve2d(in[0], in[1], (tn_conv_options){.groups = 2, .pad = {1, 1}, .stride = {2, 1}});
}

static tn_tensor *case_depthwise(tn_tensor *const in[])
{
    return tn_convolve2d(in[0], in[1], (tn_conv_options){.groups = 5, .pad = {1, 1}});
}

static tn_tensor *case_depthwise_steps(tn_tensor *const in[])
{
    return tn_convolve2d(in[0], in[1],
                         (tn_conv_options){.groups = 5, .pad = {1, 2}, .stride = {2, 3}, .dilation = {1, 2}});
}

static tn_tensor *case_depthwise_halves(tn_tensor *const in[])
{
    return tn_convolve2d(in[0], in[1],
                         (tn_conv_options){.groups = 3, .pad = {1, 2}, .stride = {2, 2}, .size = {22, 18}});
}

static tn_tensor *case_depthwise_two(tn_tensor *const in[])
{
    return tn_convolve2d(in[0], in[1], (tn_conv_options){.groups = 3, .pad = {1, 2}, .stride = {2, 2}});
}

/* Padding at the end larger and smaller than at the beginning. */
static tn_tensor *case_size(tn_tensor *const in[])
{
    return tn_convolve2d(in[0], in[1], (tn_conv_options){.pad = {0, 1}, .stride = {2, 1}, .size = {4, 5}});
}

static tn_tensor *case_wide_pad(tn_tensor *const in[])
{
    return tn_convolve2d(in[0], in[1], (tn_conv_options){.pad = {3, 4}, .stride = {2, 2}});
}

static tn_tensor *case_epilogue(tn_tensor *const in[])
{
    tn_tensor *y = tn_convolve2d(in[0], in[1], (tn_conv_options){.pad = {1, 1}});
    return tn_sigmoid(tn_add(y, tn_reshape(in[2], TN_SHAPE(-1, 1, 1))));
}

static tn_tensor *case_from_bias(tn_tensor *const in[])
{
    tn_tensor *y = tn_convolve2d(in[0], in[1], (tn_conv_options){.pad = {1, 1}}),
              *bias = tn_reshape(in[2], TN_SHAPE(-1, 1, 1));
    return tn_mul(tn_sub(bias, y), bias);
}

static tn_tensor *case_residual(tn_tensor *const in[])
{
    return tn_tanh(tn_add(tn_convolve2d(in[0], in[1], (tn_conv_options){.pad = {1, 1}}), in[2]));
}

static tn_tensor *case_last(tn_tensor *const in[])
{
    return tn_conv_forward(in[0], in[1], &(tn_conv_node){{1, 1}, {1, 1}, {1, 1}, 1, 1, {0, 0}}, -1, -1);
}

static tn_tensor *case_last_steps(tn_tensor *const in[])
{
    return tn_conv_forward(in[0], in[1], &(tn_conv_node){{2, 3}, {2, 1}, {1, 2}, 1, 1, {0, 0}}, -1, -1);
}

static tn_tensor *case_last_groups(tn_tensor *const in[])
{
    return tn_conv_forward(in[0], in[1], &(tn_conv_node){{2, 1}, {1, 1}, {1, 1}, 2, 1, {0, 0}}, -1, -1);
}

static tn_tensor *case_last_epilogue(tn_tensor *const in[])
{
    return tn_tanh(tn_add(tn_add(case_last(in), in[2]), in[3]));
}

static const tn_op_case cases[] = {
    {"plain", case_plain, {F32(2, 3, 7, 6), F32(4, 3, 3, 3)}},
    {"one pixel, one channel", case_plain, {F32(1, 1, 1, 1), F32(1, 1, 1, 1)}},
    {"a window of 1 x 1", case_plain, {F32(2, 13, 5, 7), F32(9, 13, 1, 1)}},
    {"a window of 1 x 1, many channels", case_plain, {F32(1, 70, 9, 13), F32(11, 70, 1, 1)}},
    {"a window as large as the picture", case_plain, {F32(3, 2, 5, 4), F32(7, 2, 5, 4)}},
    {"a row", case_plain, {F32(2, 3, 1, 19), F32(5, 3, 1, 4)}},
    {"more filters than a tile is wide", case_plain, {F32(1, 2, 6, 9), F32(37, 2, 3, 2)}},
    {"strides", case_stride, {F32(2, 3, 9, 11), F32(4, 3, 3, 2)}},
    {"padding", case_pad, {F32(2, 3, 5, 4), F32(4, 3, 3, 5)}},
    {"padding, a window of 3 x 3", case_pad, {F32(2, 11, 7, 9), F32(9, 11, 3, 3)}},
    {"a window larger than the picture", case_pad, {F32(2, 2, 2, 3), F32(3, 2, 4, 5)}},
    {"padding wider than the window", case_wide_pad, {F32(1, 2, 3, 4), F32(3, 2, 2, 2)}},
    {"dilation", case_dilation, {F32(2, 3, 9, 10), F32(4, 3, 3, 3)}},
    {"groups", case_groups, {F32(2, 6, 7, 5), F32(8, 3, 3, 2)}},
    {"depthwise", case_depthwise, {F32(2, 5, 7, 9), F32(5, 1, 3, 3)}},
    {"depthwise, strides and dilation", case_depthwise_steps, {F32(2, 5, 8, 21), F32(5, 1, 3, 3)}},
    {"depthwise, two filters each", case_depthwise, {F32(1, 5, 4, 5), F32(10, 1, 3, 3)}},
    {"depthwise, long rows", case_depthwise, {F32(1, 5, 3, 39), F32(5, 1, 3, 3)}},
    {"depthwise, steps of two", case_depthwise_two, {F32(2, 3, 7, 39), F32(3, 1, 5, 3)}},
    {"depthwise, 5 x 5 in steps of two", case_depthwise_two, {F32(1, 3, 43, 37), F32(3, 1, 5, 5)}},
    {"depthwise, a given size", case_depthwise_halves, {F32(2, 3, 42, 34), F32(3, 1, 3, 3)}},
    {"rows of whole vectors", case_pad, {F32(2, 3, 6, 32), F32(11, 3, 3, 5)}},
    {"rows of whole vectors, groups", case_groups, {F32(1, 4, 7, 32), F32(10, 2, 3, 3)}},
    {"a given size", case_size, {F32(2, 2, 6, 6), F32(3, 2, 3, 2)}},
    {"no pictures", case_pad, {F32(0, 3, 5, 4), F32(4, 3, 3, 5)}},
    {"no channels give zeros", case_plain, {F32(2, 0, 4, 4), F32(3, 0, 3, 3)}},
    {"no channels, a window of 1 x 1", case_plain, {F32(2, 0, 4, 4), F32(3, 0, 1, 1)}},
    {"no filters", case_plain, {F32(2, 3, 4, 4), F32(0, 3, 3, 3)}},
    {"bias and sigmoid", case_epilogue, {F32(2, 3, 6, 5), F32(5, 3, 3, 3), F32(5)}},
    {"a bias of many pixels", case_from_bias, {F32(2, 3, 12, 13), F32(5, 3, 3, 3), F32(5)}},
    {"another picture added", case_residual, {F32(2, 3, 6, 5), F32(5, 3, 3, 3), F32(2, 5, 6, 5)}},
    {"channels last", case_last, {F32(2, 7, 5, 6), F32(9, 6, 3, 3)}, .is_extra = 1},
    {"channels last, many", case_last, {F32(2, 9, 11, 32), F32(48, 32, 3, 3)}, .no_gradient = 1, .is_extra = 1},
    {"channels last, a window of 1 x 1", case_last, {F32(2, 5, 7, 13), F32(9, 13, 1, 1)}, .is_extra = 1},
    {"channels last, strides and dilation", case_last_steps, {F32(2, 9, 11, 3), F32(4, 3, 3, 2)}, .is_extra = 1},
    {"channels last, groups", case_last_groups, {F32(2, 7, 5, 6), F32(8, 3, 3, 2)}, .is_extra = 1},
    {"channels last, bias, another picture and tanh",
     case_last_epilogue,
     {F32(2, 6, 5, 4), F32(8, 4, 3, 3), F32(8), F32(2, 6, 5, 8)},
     .is_extra = 1},
    {"channels last, no pictures", case_last, {F32(0, 5, 4, 3), F32(4, 3, 3, 5)}, .is_extra = 1},
    {0},
};

const tn_op_def tn_op_conv2d = {.name = "conv2d",
                                .crosses = tn_conv_crosses,
                                .doc = "convolution of pictures: stride, padding, dilation, groups",
                                .kind = TN_KERNEL,
                                .arity = 2,
                                .traits = TN_MULTIPLIES | TN_ADDS_UP | TN_PADS,
                                TN_ATTRS(tn_conv_node, tn_conv_fields),
                                .shape = shape,
                                .grad = grad,
                                .lower = tn_conv_lower,
                                .describe = tn_conv_describe,
                                .epilogue = epilogue,
                                .reference = reference,
                                .flops = flops,
                                .cases = cases,
                                .budget = TN_BUDGET_SUM};
