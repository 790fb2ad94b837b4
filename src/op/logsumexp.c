/* logsumexp.c: log(sum(exp(x))) over some axes, without overflow: the largest element is subtracted before and added
 * after. A composite with its own gradient, the softmax, for that of the steps would go through the largest element
 * too. */
#include <math.h>

#include "cases.h"
#include "check.h"
#include "composite.h"

/* Reduced dimensions stay, as 1; the function below drops them. */
typedef struct attrs {
    uint32_t axes; /* bit d set: dimension d is reduced */
    uint32_t reserved;
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    (void)n_in;
    TN_TRY(tn_require_type("logsumexp", in[0], 0));
    *out = in[0]->type;
    for (int32_t d = 0; d < out->shape.rank; d++)
        if (at->axes >> d & 1) out->shape.dim[d] = 1;
    return TN_OK;
}

/* exp(x - y): 0 where y is minus infinity, as all of its x are. */
static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    tn_tensor *x = y->in[0], *none = tn_eq(y, tn_number(y, -INFINITY));
    din[0] = tn_mul(dy, tn_where(none, tn_number(x, 0), tn_exp(tn_sub(x, y))));
}

/* An infinity is not subtracted, for infinity less infinity is NaN; over no elements the sum is 0. */
static tn_tensor *lower(tn_tensor *y)
{
    const attrs *at = y->attrs;
    tn_tensor *x = y->in[0];
    tn_axes axes = {0};
    for (int32_t d = 0; d < x->type.shape.rank; d++)
        if (at->axes >> d & 1) axes.axis[axes.count++] = d;
    if (!tn_shape_count(&x->type.shape)) return tn_log(tn_sum(x, axes, 1));
    tn_tensor *top = tn_amax(x, axes, 1), *infinite = tn_eq(tn_abs(top), tn_number(top, INFINITY));
    top = tn_where(infinite, tn_number(top, 0), top);
    return tn_add(top, tn_log(tn_sum(tn_exp(tn_sub(x, top)), axes, 1)));
}

static double largest(const tn_reference_call *call, uint32_t axes, int64_t group)
{
    const tn_tensor_desc *x = &call->desc->in[0];
    double top = -INFINITY;
    for (int64_t i = 0; i < tn_group_size(x, axes); i++)
        top = fmax(top, call->in[0][tn_group_member(x, axes, group, i)]);
    return isfinite(top) ? top : 0;
}

static void reference(const tn_reference_call *call)
{
    const tn_tensor_desc *x = &call->desc->in[0];
    uint32_t axes = ((const attrs *)call->desc->attrs)->axes;
    for (int64_t group = 0; group < tn_desc_count(&call->desc->out[0]); group++) {
        double top = largest(call, axes, group), sum = 0;
        for (int64_t i = 0; i < tn_group_size(x, axes); i++)
            sum += exp(call->in[0][tn_group_member(x, axes, group, i)] - top);
        call->out[0][group] = top + log(sum);
    }
}

tn_tensor *tn_logsumexp(tn_tensor *x, tn_axes axes, int keep)
{
    attrs at = {0};
    tn_graph *graph = tn_graph_of(x);
    if (tn_graph_status(graph)) return x;
    tn_status s = tn_axes_mask(axes, x->type.shape.rank, &at.axes);
    if (s) tn_node_fail(graph, s, "logsumexp: %s", tn_message());
    if (s) return x;
    tn_tensor *y = tn_node(&tn_op_logsumexp, NULL, &x, 1, &at);
    tn_shape left = {0};
    for (int32_t d = 0; d < x->type.shape.rank; d++)
        if (!(at.axes >> d & 1)) left.dim[left.rank++] = x->type.shape.dim[d];
    return keep ? y : tn_reshape(y, left);
}

static tn_tensor *case_last(tn_tensor *const in[])
{
    return tn_logsumexp(in[0], TN_AXES(-1), 0);
}

static tn_tensor *case_ends(tn_tensor *const in[])
{
    return tn_logsumexp(in[0], TN_AXES(0, -1), 1);
}

static tn_tensor *case_all(tn_tensor *const in[])
{
    return tn_logsumexp(in[0], TN_ALL, 0);
}

/* A row that is minus infinity throughout, where x is below 0. */
static tn_tensor *case_infinite(tn_tensor *const in[])
{
    tn_tensor *x = in[0];
    return tn_logsumexp(tn_where(tn_lt(x, tn_number(x, 0)), tn_number(x, -INFINITY), x), TN_AXES(-1), 0);
}

static const tn_op_case cases[] = {
    {"of each row", case_last, {F32(33, 10)}},
    {"over the first and last axes, kept", case_ends, {F32(3, 7, 5)}},
    {"of everything", case_all, {F32(1031)}},
    {"of a number", case_all, {NUMBER}},
    {"of large numbers", case_last, {F32(9, 10)}, -30000, 30000, 1},
    {"of infinities, some rows of nothing else", case_infinite, {F32(64, 2)}, .no_gradient = 1},
    {"of one element", case_last, {F32(5, 1)}},
    {"of no elements", case_last, {F32(4, 0)}},
    {"no rows", case_last, {F32(0, 4)}},
    {0},
};

static const tn_field fields[] = {TN_FIELD(attrs, axes, AXES), TN_FIELD(attrs, reserved, NOTHING), {0}};

const tn_op_def tn_op_logsumexp = {.name = "logsumexp",
                                   .doc = "log(sum(exp(x))) over some axes, for any x",
                                   .kind = TN_COMPOSITE,
                                   .arity = 1,
                                   TN_ATTRS(attrs, fields),
                                   .shape = shape,
                                   .grad = grad,
                                   .lower = lower,
                                   .reference = reference,
                                   .cases = cases};
