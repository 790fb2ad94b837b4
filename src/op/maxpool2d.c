/* maxpool2d.c: the largest element of each window, and the gradient, which goes to the first of the largest. */
#include <math.h>

#include "cases.h"
#include "pool.h"

/* ---- maxpool2d ---- */

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *node, tn_type *out)
{
    (void)n_in;
    return tn_pool_shape("maxpool2d", node, in[0], 1, out);
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    if (y->type.dtype == TN_I32) return;
    din[0] = tn_node(&tn_op_maxpool2d_grad, NULL, (tn_tensor *[]){y->in[0], dy}, 2, y->attrs);
}

/* The place of the first largest element, a NaN being larger than all; -1 in an empty window. */
static int64_t largest(const tn_pool_window *window, const double *x)
{
    int64_t best = -1;
    for (int64_t h = window->begin[0]; h < window->end[0]; h++)
        for (int64_t w = window->begin[1]; w < window->end[1]; w++) {
            int64_t at = tn_pool_at(window, h, w);
            if (best < 0 || x[at] > x[best] || (isnan(x[at]) && !isnan(x[best]))) best = at;
        }
    return best;
}

static void reference(const tn_reference_call *call)
{
    const tn_tensor_desc *x = &call->desc->in[0], *y = &call->desc->out[0];
    const double least = y->dtype == TN_I32 ? INT32_MIN : (double)-INFINITY;
    for (int64_t e = 0; e < tn_desc_count(y); e++) {
        tn_pool_window window = tn_pool_window_of(call->desc, x, y, e);
        int64_t best = largest(&window, call->in[0]);
        call->out[0][e] = best < 0 ? least : call->in[0][best];
    }
}

static double flops(const tn_op_desc *desc)
{
    return tn_pool_flops(desc, &desc->out[0]);
}

tn_tensor *tn_maxpool2d_with(tn_tensor *x, tn_pool_options options)
{
    return tn_pool(&tn_op_maxpool2d, x, options);
}

tn_tensor *tn_global_maxpool2d(tn_tensor *x)
{
    tn_shape shape = tn_shape_of(x);
    return shape.rank == 4 ? tn_amax(x, TN_AXES(2, 3), 0) : tn_maxpool2d(x, .window = {1, 1});
}

static tn_tensor *case_halves(tn_tensor *const in[])
{
    return tn_maxpool2d(in[0], .window = {2, 2});
}

static tn_tensor *case_overlap(tn_tensor *const in[])
{
    return tn_maxpool2d(in[0], .window = {3, 3}, .stride = {2, 2}, .pad = {1, 1});
}

static tn_tensor *case_ceil(tn_tensor *const in[])
{
    return tn_maxpool2d(in[0], .window = {3, 2}, .stride = {2, 3}, .pad = {1, 0}, .ceil_mode = 1);
}

static tn_tensor *case_gaps(tn_tensor *const in[])
{
    return tn_maxpool2d(in[0], .window = {1, 2}, .stride = {3, 4});
}

static tn_tensor *case_every(tn_tensor *const in[])
{
    return tn_maxpool2d(in[0], .window = {4, 3}, .stride = {1, 1}, .pad = {2, 1});
}

static tn_tensor *case_global(tn_tensor *const in[])
{
    return tn_global_maxpool2d(in[0]);
}

static tn_tensor *case_last(tn_tensor *const in[])
{
    const tn_pool_node node = {.window = {3, 2}, .stride = {2, 2}, .pad = {1, 0}, .channels_last = 1};
    return tn_node(&tn_op_maxpool2d, NULL, in, 1, &node);
}

static const tn_op_case cases[] = {
    {"halves", case_halves, {F32(2, 3, 8, 10)}},
    {"halves, rows and columns left over", case_halves, {F32(2, 3, 7, 37)}},
    {"windows that overlap, padded", case_overlap, {F32(2, 2, 9, 8)}},
    {"over the end", case_ceil, {F32(2, 2, 8, 9)}},
    {"gaps between windows", case_gaps, {F32(1, 2, 8, 11)}},
    {"a window at every element", case_every, {F32(1, 3, 5, 19)}},
    {"one element", case_overlap, {F32(1, 1, 1, 1)}},
    {"no pictures", case_halves, {F32(0, 3, 4, 4)}},
    {"all of a channel", case_global, {F32(3, 5, 4, 7)}},
    {"whole numbers, halves", case_halves, {I32(2, 3, 7, 37)}, -2147483647, 2147483647, 1},
    {"whole numbers below 0, padded", case_overlap, {I32(2, 2, 9, 8)}, -9, -1, 1},
    {"channels last", case_last, {F32(2, 9, 8, 5)}, .is_extra = 1},
    {"whole numbers, channels last", case_last, {I32(2, 7, 37, 3)}, -2147483647, 2147483647, 1, 1},
    {0},
};

const tn_op_def tn_op_maxpool2d = {.name = "maxpool2d",
                                   .crosses = tn_pool_crosses,
                                   .doc = "the largest of each window of a picture",
                                   .kind = TN_KERNEL,
                                   .arity = 1,
                                   TN_ATTRS(tn_pool_node, tn_pool_fields),
                                   .shape = shape,
                                   .grad = grad,
                                   .lower = tn_pool_lower,
                                   .describe = tn_pool_describe,
                                   .reference = reference,
                                   .flops = flops,
                                   .cases = cases};

/* ---- maxpool2d_grad: made by the gradient above alone, so that dy fits ---- */

static tn_status grad_shape(tn_tensor *const in[], uint32_t n_in, const void *node, tn_type *out)
{
    tn_type pooled;
    (void)n_in;
    TN_TRY(tn_pool_shape("maxpool2d_grad", node, in[0], 0, &pooled));
    TN_REQUIRE(pooled.dtype == in[1]->type.dtype && tn_shape_equal(&pooled.shape, &in[1]->type.shape), TN_ESHAPE,
               "maxpool2d_grad: dy is not what pooling gives");
    *out = in[0]->type;
    return TN_OK;
}

/* x with zeros around it, as far as windows reach. */
static tn_tensor *surround(tn_tensor *x, const tn_pool_node *node, const tn_shape *y)
{
    const int32_t first = tn_image_height(node->channels_last);
    for (int32_t d = 0; d < 2; d++) {
        int64_t reach = (y->dim[first + d] - 1) * node->stride[d] + node->window[d];
        int64_t after = reach - node->pad[d] - tn_shape_of(x).dim[first + d];
        x = tn_pad(x, first + d, node->pad[d], after > 0 ? after : 0);
    }
    return x;
}

/* Of each window the element in this row and column. */
static tn_tensor *part(tn_tensor *x, const tn_pool_node *node, const tn_shape *y, int64_t row, int64_t column)
{
    const int32_t first = tn_image_height(node->channels_last);
    x = tn_slice(x, first, row, y->dim[first], node->stride[0]);
    return tn_slice(x, first + 1, column, y->dim[first + 1], node->stride[1]);
}

enum { MOST_PARTS = 1024 }; /* elements of a window, each of which takes some operators */

/* 1 where an element is the largest of its window, as `largest` finds it. */
static tn_tensor *is_largest(tn_tensor *x, tn_tensor *y)
{
    return tn_logical_or(tn_eq(x, y), tn_logical_and(tn_ne(x, x), tn_ne(y, y)));
}

/* What dx sends back to dy: of each window the element of ddx where x is the largest, the first among equals. */
static void grad_grad(tn_tensor *dx, tn_tensor *ddx, tn_tensor *din[])
{
    const tn_pool_node *node = dx->attrs;
    tn_tensor *x = dx->in[0], *y = tn_node(&tn_op_maxpool2d, NULL, &x, 1, node);
    const tn_shape shape = tn_shape_of(dx->in[1]);
    tn_tensor *ones = tn_full(x->graph, x->type.dtype, x->type.shape, 1), *zero = tn_number(x, 0);
    tn_tensor *left = tn_full(x->graph, x->type.dtype, shape, 1), *sum = NULL;
    x = surround(x, node, &shape), ddx = surround(ddx, node, &shape), ones = surround(ones, node, &shape);
    int64_t parts = (int64_t)node->window[0] * node->window[1];
    if (parts > MOST_PARTS)
        tn_node_fail(dx->graph, TN_EUNSUPPORTED, "maxpool2d: a second derivative for windows of %u x %u",
                     node->window[0], node->window[1]);
    for (int64_t i = 0; i < parts && parts <= MOST_PARTS; i++) {
        int64_t row = i / node->window[1], column = i % node->window[1];
        tn_tensor *wins = is_largest(part(x, node, &shape, row, column), y);
        wins = tn_mul(tn_mul(wins, part(ones, node, &shape, row, column)), left);
        left = tn_sub(left, wins);
        tn_tensor *share = tn_where(wins, part(ddx, node, &shape, row, column), zero);
        sum = sum ? tn_add(sum, share) : share;
    }
    din[1] = sum;
}

static void grad_reference(const tn_reference_call *call)
{
    const tn_tensor_desc *x = &call->desc->in[0], *y = &call->desc->in[1];
    for (int64_t e = 0; e < tn_desc_count(x); e++) call->out[0][e] = 0;
    for (int64_t e = 0; e < tn_desc_count(y); e++) {
        tn_pool_window window = tn_pool_window_of(call->desc, x, y, e);
        int64_t best = largest(&window, call->in[0]);
        if (best >= 0) call->out[0][best] += call->in[1][e];
    }
}

static double grad_flops(const tn_op_desc *desc)
{
    return tn_pool_flops(desc, &desc->in[1]);
}

static tn_tensor *backward(tn_tensor *const in[], tn_pool_options options)
{
    tn_tensor *y = tn_maxpool2d_with(in[0], options);
    return tn_node(&tn_op_maxpool2d_grad, NULL, (tn_tensor *[]){in[0], in[1]}, 2, y->attrs);
}

static tn_tensor *grad_halves(tn_tensor *const in[])
{
    return backward(in, (tn_pool_options){.window = {2, 2}});
}

static tn_tensor *grad_overlap(tn_tensor *const in[])
{
    return backward(in, (tn_pool_options){.window = {3, 3}, .stride = {2, 2}, .pad = {1, 1}});
}

/* Many elements are alike: the first of them takes it all. */
static tn_tensor *grad_ties(tn_tensor *const in[])
{
    tn_tensor *alike[] = {tn_sign(in[0]), in[1]};
    return backward(alike, (tn_pool_options){.window = {2, 2}});
}

static tn_tensor *grad_last(tn_tensor *const in[])
{
    const tn_pool_node node = {.window = {3, 2}, .stride = {2, 2}, .pad = {1, 0}, .channels_last = 1};
    return tn_node(&tn_op_maxpool2d_grad, NULL, in, 2, &node);
}

static const tn_op_case grad_cases[] = {
    {"halves", grad_halves, {F32(2, 3, 8, 10), F32(2, 3, 4, 5)}, .no_gradient = 1},
    {"halves, rows and columns left over", grad_halves, {F32(2, 3, 7, 37), F32(2, 3, 3, 18)}, .no_gradient = 1},
    {"windows that overlap, padded", grad_overlap, {F32(2, 2, 9, 8), F32(2, 2, 5, 4)}, .no_gradient = 1},
    {"elements that are alike", grad_ties, {F32(2, 3, 8, 36), F32(2, 3, 4, 18)}, .no_gradient = 1},
    {"channels last", grad_last, {F32(2, 9, 8, 5), F32(2, 5, 4, 5)}, .no_gradient = 1, .is_extra = 1},
    {0},
};

const tn_op_def tn_op_maxpool2d_grad = {.name = "maxpool2d_grad",
                                        .crosses = tn_pool_crosses,
                                        .doc = "the gradient of maxpool2d",
                                        .kind = TN_KERNEL,
                                        .arity = 2,
                                        TN_ATTRS(tn_pool_node, tn_pool_fields),
                                        .shape = grad_shape,
                                        .grad = grad_grad,
                                        .lower = tn_pool_lower,
                                        .describe = tn_pool_describe,
                                        .reference = grad_reference,
                                        .flops = grad_flops,
                                        .cases = grad_cases,
                                        .budget = {4, 4, 16, 0}};
