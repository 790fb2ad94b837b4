/* normalize.c: x less its mean, divided by the root of its variance or, without the mean, of its mean square; over
 * some axes. What layer, group, instance and RMS normalisation have in common. */
#include <math.h>

#include "cases.h"
#include "check.h"
#include "composite.h"
#include "layer_norm.h"

typedef tn_normal attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    (void)n_in;
    TN_TRY(tn_require_type("normalize", in[0], 0));
    TN_REQUIRE(at->epsilon >= 0, TN_EINVAL, "normalize: epsilon %g", at->epsilon);
    *out = in[0]->type;
    return TN_OK;
}

/* The mean over the axes, which are kept. */
static tn_tensor *mean_of(const attrs *at, tn_tensor *x)
{
    tn_axes axes = {0};
    for (int32_t d = 0; d < x->type.shape.rank; d++)
        if (at->axes >> d & 1) axes.axis[axes.count++] = d;
    return tn_mean(x, axes, 1);
}

static tn_tensor *centred(const attrs *at, tn_tensor *x)
{
    return at->keep_mean ? x : tn_sub(x, mean_of(at, x));
}

/* What the centred x is multiplied by. */
static tn_tensor *scale_of(const attrs *at, tn_tensor *x)
{
    return tn_rsqrt(tn_add(mean_of(at, tn_square(x)), tn_number(x, at->epsilon)));
}

tn_tensor *tn_normal_by_parts(const tn_normal *at, tn_tensor *x)
{
    if (!tn_shape_count(&x->type.shape)) return x;
    x = centred(at, x);
    return tn_mul(x, scale_of(at, x));
}

/* scale (dy - mean of dy - y mean of (dy y)): what the rules of its parts come to, with fewer sums. */
tn_tensor *tn_normal_slope(const tn_normal *at, tn_tensor *x, tn_tensor *y, tn_tensor *dy)
{
    if (!tn_shape_count(&x->type.shape)) return dy;
    tn_tensor *flow = tn_sub(dy, tn_mul(y, mean_of(at, tn_mul(dy, y))));
    if (!at->keep_mean) flow = tn_sub(flow, mean_of(at, dy));
    return tn_mul(flow, scale_of(at, centred(at, x)));
}

/* How many dimensions, all of them the last, if the axes are such: rows, for which there is an operator. Else 0. */
static uint32_t rows_of(const attrs *at, const tn_shape *x)
{
    for (uint32_t last = 1; (int32_t)last <= x->rank; last++)
        if (at->axes == ((1u << last) - 1) << ((uint32_t)x->rank - last)) return last;
    return 0;
}

static tn_tensor *lower(tn_tensor *y)
{
    const attrs *at = y->attrs;
    const tn_layer_norm_node row = {at->epsilon, rows_of(at, &y->type.shape), at->keep_mean};
    return row.last ? tn_layer_norm_of(y->in[0], NULL, NULL, &row) : tn_normal_by_parts(at, y->in[0]);
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    const attrs *at = y->attrs;
    const tn_layer_norm_node row = {at->epsilon, rows_of(at, &y->type.shape), at->keep_mean};
    if (!row.last)
        din[0] = tn_normal_slope(at, y->in[0], y, dy);
    else
        din[0] = tn_reshape(tn_layer_norm_slopes(y->in[0], dy, NULL, &row), y->type.shape);
}

static void reference(const tn_reference_call *call)
{
    const attrs *at = call->desc->attrs;
    const tn_tensor_desc *x = &call->desc->in[0];
    int64_t count = tn_desc_count(x), size = tn_group_size(x, at->axes);
    for (int64_t group = 0; count && group < count / size; group++) {
        double mean = 0, power = 0;
        for (int64_t i = 0; i < size && !at->keep_mean; i++)
            mean += call->in[0][tn_group_member(x, at->axes, group, i)];
        mean /= (double)size;
        for (int64_t i = 0; i < size; i++)
            power += pow(call->in[0][tn_group_member(x, at->axes, group, i)] - mean, 2) / (double)size;
        for (int64_t i = 0; i < size; i++) {
            int64_t e = tn_group_member(x, at->axes, group, i);
            call->out[0][e] = (call->in[0][e] - mean) / sqrt(power + at->epsilon);
        }
    }
}

static tn_tensor *build(tn_tensor *x, tn_axes axes, double epsilon, uint32_t keep_mean)
{
    attrs at = {.epsilon = epsilon, .keep_mean = keep_mean};
    tn_graph *graph = tn_graph_of(x);
    if (tn_graph_status(graph)) return x;
    tn_status s = tn_axes_mask(axes, x->type.shape.rank, &at.axes);
    if (s) tn_node_fail(graph, s, "normalize: %s", tn_message());
    return tn_node(&tn_op_normalize, NULL, &x, 1, &at);
}

tn_tensor *tn_normalize(tn_tensor *x, tn_axes axes, double epsilon)
{
    return build(x, axes, epsilon, 0);
}

tn_tensor *tn_rms_normalize(tn_tensor *x, tn_axes axes, double epsilon)
{
    return build(x, axes, epsilon, 1);
}

static tn_tensor *case_last(tn_tensor *const in[])
{
    return tn_normalize(in[0], TN_AXES(-1), 1e-5);
}

static tn_tensor *case_batch(tn_tensor *const in[])
{
    return tn_normalize(in[0], TN_AXES(0, 2, 3), 1e-5);
}

static tn_tensor *case_rms(tn_tensor *const in[])
{
    return tn_rms_normalize(in[0], TN_AXES(-1), 1e-6);
}

static const tn_op_case cases[] = {
    {"rows", case_last, {F32(33, 17)}},
    {"far from 0", case_last, {F32(7, 129)}, 100, 110, 1},
    {"channels of pictures", case_batch, {F32(3, 5, 4, 3)}},
    {"by the mean square", case_rms, {F32(13, 31)}},
    {"one element", case_last, {F32(5, 1)}, .no_gradient = 1},
    {"nothing", case_last, {F32(0, 5)}},
    {0},
};

static const tn_field fields[] = {
    TN_FIELD(attrs, epsilon, NUMBER), TN_FIELD(attrs, axes, AXES), TN_FIELD(attrs, keep_mean, FLAG), {0}};

const tn_op_def tn_op_normalize = {.name = "normalize",
                                   .doc = "x with mean 0 and variance 1, or with mean square 1, over some axes",
                                   .kind = TN_COMPOSITE,
                                   .arity = 1,
                                   TN_ATTRS(attrs, fields),
                                   .shape = shape,
                                   .grad = grad,
                                   .lower = lower,
                                   .reference = reference,
                                   .cases = cases};
