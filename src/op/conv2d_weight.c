/* conv2d_weight.c: what dy of a convolution means for its weight. */
#include "cases.h"
#include "conv.h"

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_conv_node *at = raw;
    (void)n_in;
    TN_TRY(tn_conv_require("conv2d_weight", at, in[0], in[1]));
    const int64_t *x = in[0]->type.shape.dim, *dy = in[1]->type.shape.dim;
    const int c = tn_image_channels(at->channels_last);
    if (x[0] != dy[0] || x[c] % at->groups || dy[c] % at->groups)
        return tn_conv_misfit("conv2d_weight", at, in[0], in[1],
                              "batches differ, or groups do not divide the channels");
    *out = (tn_type){in[0]->type.dtype, TN_SHAPE(dy[c], x[c] / at->groups, at->size[0], at->size[1])};
    return TN_OK;
}

static void grad(tn_tensor *dw, tn_tensor *g, tn_tensor *din[])
{
    const tn_conv_node *at = dw->attrs;
    const int h = tn_image_height(at->channels_last);
    const int64_t *x = dw->in[0]->type.shape.dim + h, *dy = dw->in[1]->type.shape.dim + h;
    din[0] = tn_conv_data(dw->in[1], g, at, x[0], x[1]);
    din[1] = tn_conv_forward(dw->in[0], g, at, dy[0], dy[1]);
}

typedef struct sum {
    const double *x, *dy;
    double *dw;
} sum;

static void add(void *arg, int64_t ix, int64_t iw, int64_t iy)
{
    sum *s = arg;
    s->dw[iw] += s->x[ix] * s->dy[iy];
}

static void reference(const tn_reference_call *call)
{
    sum s = {call->in[0], call->in[1], call->out[0]};
    for (int64_t e = 0; e < tn_desc_count(&call->desc->out[0]); e++) s.dw[e] = 0;
    tn_conv_each(call->desc, &call->desc->in[0], &call->desc->out[0], &call->desc->in[1], add, &s);
}

static double flops(const tn_op_desc *desc)
{
    return tn_conv_flops(&desc->out[0], &desc->in[1]);
}

static tn_tensor *case_plain(tn_tensor *const in[])
{
    return tn_conv_weight(in[0], in[1], &(tn_conv_node){{1, 1}, {0, 0}, {1, 1}, 1, 0, {0, 0}}, 3, 2);
}

static tn_tensor *case_all(tn_tensor *const in[])
{
    return tn_conv_weight(in[0], in[1], &(tn_conv_node){{2, 1}, {1, 2}, {1, 2}, 2, 0, {0, 0}}, 3, 3);
}

static tn_tensor *case_depthwise(tn_tensor *const in[])
{
    return tn_conv_weight(in[0], in[1], &(tn_conv_node){{1, 1}, {1, 1}, {1, 1}, 5, 0, {0, 0}}, 3, 3);
}

static tn_tensor *case_last(tn_tensor *const in[])
{
    return tn_conv_weight(in[0], in[1], &(tn_conv_node){{1, 1}, {1, 1}, {1, 1}, 1, 1, {0, 0}}, 3, 3);
}

static tn_tensor *case_last_all(tn_tensor *const in[])
{
    return tn_conv_weight(in[0], in[1], &(tn_conv_node){{2, 1}, {1, 2}, {1, 2}, 2, 1, {0, 0}}, 3, 3);
}

static const tn_op_case cases[] = {
    {"plain", case_plain, {F32(2, 3, 7, 6), F32(2, 4, 5, 5)}},
    {"many pictures and filters", case_plain, {F32(9, 3, 6, 5), F32(9, 37, 4, 4)}},
    {"stride, padding, dilation, groups", case_all, {F32(2, 6, 7, 5), F32(2, 8, 4, 5)}},
    {"many channels, stride, padding, dilation, groups", case_all, {F32(3, 48, 7, 5), F32(3, 18, 4, 5)}},
    {"depthwise", case_depthwise, {F32(2, 5, 4, 6), F32(2, 5, 4, 6)}},
    {"no pictures give zeros", case_plain, {F32(0, 3, 7, 6), F32(0, 4, 5, 5)}},
    {"channels last", case_last, {F32(2, 5, 4, 6), F32(2, 5, 4, 9)}, .is_extra = 1},
    {"channels last, many", case_last, {F32(3, 9, 11, 32), F32(3, 9, 11, 48)}, .no_gradient = 1, .is_extra = 1},
    {"channels last, stride, padding, dilation, groups",
     case_last_all,
     {F32(2, 7, 5, 6), F32(2, 4, 5, 8)},
     .is_extra = 1},
    {0},
};

const tn_op_def tn_op_conv2d_weight = {.name = "conv2d_weight",
                                       .crosses = tn_conv_crosses,
                                       .doc = "the gradient of conv2d for its weight",
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
