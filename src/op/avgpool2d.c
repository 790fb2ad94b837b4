/* avgpool2d.c: the mean of each window, and the gradient, which spreads over the window; each is the other's gradient.
 */
#include "cases.h"
#include "check.h"
#include "pool.h"

/* ---- avgpool2d ---- */

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    (void)n_in;
    return tn_pool_shape("avgpool2d", raw, in[0], 0, out);
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    din[0] = tn_node(&tn_op_avgpool2d_grad, NULL, &dy, 1, y->attrs);
}

static void reference(const tn_reference_call *call)
{
    const tn_tensor_desc *x = &call->desc->in[0], *y = &call->desc->out[0];
    for (int64_t e = 0; e < tn_desc_count(y); e++) {
        tn_pool_window window = tn_pool_window_of(call->desc, x, y, e);
        double sum = 0;
        for (int64_t h = window.begin[0]; h < window.end[0]; h++)
            for (int64_t w = window.begin[1]; w < window.end[1]; w++) sum += call->in[0][tn_pool_at(&window, h, w)];
        call->out[0][e] = window.count ? sum / (double)window.count : 0;
    }
}

static double flops(const tn_op_desc *desc)
{
    return tn_pool_flops(desc, &desc->out[0]);
}

tn_tensor *tn_avgpool2d_with(tn_tensor *x, tn_pool_options options)
{
    return tn_pool(&tn_op_avgpool2d, x, options);
}

tn_tensor *tn_global_avgpool2d(tn_tensor *x)
{
    tn_shape shape = tn_shape_of(x);
    return shape.rank == 4 ? tn_mean(x, TN_AXES(2, 3), 0) : tn_avgpool2d(x, .window = {1, 1});
}

static tn_tensor *case_halves(tn_tensor *const in[])
{
    return tn_avgpool2d(in[0], .window = {2, 2});
}

static tn_tensor *case_overlap(tn_tensor *const in[])
{
    return tn_avgpool2d(in[0], .window = {3, 3}, .stride = {2, 2}, .pad = {1, 1});
}

static tn_tensor *case_count_pad(tn_tensor *const in[])
{
    return tn_avgpool2d(in[0], .window = {3, 2}, .stride = {2, 3}, .pad = {1, 1}, .ceil_mode = 1, .count_pad = 1);
}

static tn_tensor *case_ceil(tn_tensor *const in[])
{
    return tn_avgpool2d(in[0], .window = {3, 2}, .stride = {2, 3}, .ceil_mode = 1);
}

static tn_tensor *case_gaps(tn_tensor *const in[])
{
    return tn_avgpool2d(in[0], .window = {1, 2}, .stride = {3, 4});
}

static tn_tensor *case_global(tn_tensor *const in[])
{
    return tn_global_avgpool2d(in[0]);
}

static tn_tensor *case_last(tn_tensor *const in[])
{
    const tn_pool_node node = {.window = {3, 2}, .stride = {2, 2}, .pad = {1, 0}, .channels_last = 1, .size = {9, 8}};
    return tn_node(&tn_op_avgpool2d, NULL, in, 1, &node);
}

static const tn_op_case cases[] = {
    {"halves", case_halves, {F32(2, 3, 8, 10)}},
    {"halves, rows and columns left over", case_halves, {F32(2, 3, 7, 37)}},
    {"windows that overlap, padding not counted", case_overlap, {F32(2, 2, 9, 8)}},
    {"padding counted, but not beyond it", case_count_pad, {F32(2, 2, 8, 9)}},
    {"over the end", case_ceil, {F32(2, 2, 8, 9)}},
    {"gaps between windows", case_gaps, {F32(1, 2, 8, 11)}},
    {"one element", case_overlap, {F32(1, 1, 1, 1)}},
    {"no pictures", case_halves, {F32(0, 3, 4, 4)}},
    {"all of a channel", case_global, {F32(3, 5, 4, 7)}},
    {"channels last", case_last, {F32(2, 9, 8, 5)}, .is_extra = 1},
    {0},
};

const tn_op_def tn_op_avgpool2d = {.name = "avgpool2d",
                                   .crosses = tn_pool_crosses,
                                   .doc = "the mean of each window of a picture",
                                   .kind = TN_KERNEL,
                                   .arity = 1,
                                   TN_ATTRS(tn_pool_node, tn_pool_fields),
                                   .shape = shape,
                                   .grad = grad,
                                   .lower = tn_pool_lower,
                                   .describe = tn_pool_describe,
                                   .reference = reference,
                                   .flops = flops,
                                   .cases = cases,
                                   .budget = {4, 4, 16, 0}};

/* ---- avgpool2d_grad: made by the gradient above alone ---- */

static tn_status grad_shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_pool_node *node = raw;
    tn_tensor x = {.type = in[0]->type};
    tn_type pooled = {0};
    (void)n_in;
    for (int d = 0; d < 2; d++) x.type.shape.dim[tn_image_height(node->channels_last) + d] = node->size[d];
    TN_TRY(tn_pool_shape("avgpool2d_grad", node, &x, 0, &pooled));
    TN_REQUIRE(tn_shape_equal(&pooled.shape, &in[0]->type.shape), TN_ESHAPE,
               "avgpool2d_grad: dy is not what pooling gives");
    *out = x.type;
    return TN_OK;
}

static void grad_grad(tn_tensor *dx, tn_tensor *g, tn_tensor *din[])
{
    din[0] = tn_node(&tn_op_avgpool2d, NULL, &g, 1, dx->attrs);
}

static void grad_reference(const tn_reference_call *call)
{
    const tn_tensor_desc *x = &call->desc->out[0], *y = &call->desc->in[0];
    for (int64_t e = 0; e < tn_desc_count(x); e++) call->out[0][e] = 0;
    for (int64_t e = 0; e < tn_desc_count(y); e++) {
        tn_pool_window window = tn_pool_window_of(call->desc, x, y, e);
        for (int64_t h = window.begin[0]; h < window.end[0]; h++)
            for (int64_t w = window.begin[1]; w < window.end[1]; w++)
                call->out[0][tn_pool_at(&window, h, w)] += call->in[0][e] / (double)window.count;
    }
}

static double grad_flops(const tn_op_desc *desc)
{
    return tn_pool_flops(desc, &desc->in[0]);
}

static tn_tensor *grad_overlap(tn_tensor *const in[])
{
    const tn_pool_node node = {.window = {3, 3}, .stride = {2, 2}, .pad = {1, 1}, .size = {9, 8}};
    return tn_node(&tn_op_avgpool2d_grad, NULL, in, 1, &node);
}

static tn_tensor *grad_halves(tn_tensor *const in[])
{
    const tn_pool_node node = {.window = {2, 2}, .stride = {2, 2}, .size = {7, 37}};
    return tn_node(&tn_op_avgpool2d_grad, NULL, in, 1, &node);
}

static tn_tensor *grad_last(tn_tensor *const in[])
{
    const tn_pool_node node = {
        .window = {3, 3}, .stride = {2, 2}, .pad = {1, 1}, .count_pad = 1, .channels_last = 1, .size = {9, 8}};
    return tn_node(&tn_op_avgpool2d_grad, NULL, in, 1, &node);
}

static const tn_op_case grad_cases[] = {
    {"windows that overlap, padded", grad_overlap, {F32(2, 2, 5, 4)}},
    {"halves, rows and columns left over", grad_halves, {F32(2, 3, 3, 18)}},
    {"channels last", grad_last, {F32(2, 5, 4, 6)}, .is_extra = 1},
    {0},
};

const tn_op_def tn_op_avgpool2d_grad = {.name = "avgpool2d_grad",
                                        .crosses = tn_pool_crosses,
                                        .doc = "the gradient of avgpool2d",
                                        .kind = TN_KERNEL,
                                        .arity = 1,
                                        TN_ATTRS(tn_pool_node, tn_pool_fields),
                                        .shape = grad_shape,
                                        .grad = grad_grad,
                                        .lower = tn_pool_lower,
                                        .describe = tn_pool_describe,
                                        .reference = grad_reference,
                                        .flops = grad_flops,
                                        .cases = grad_cases,
                                        .budget = {4, 4, 16, 0}};
