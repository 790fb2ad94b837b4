/* batch_normalize.c: x with mean 0 and variance 1 over some axes, times a weight plus a bias for each of the others:
 * Ioffe and Szegedy, "Batch normalization", 2015. Its gradient needs two sums, which are those of weight and bias. */
#include <math.h>

#include "cases.h"
#include "check.h"
#include "composite.h"
#include "given.h"
#include "graph.h"

typedef struct attrs {
    double epsilon;  /* added to the variance */
    uint32_t axes;   /* bit d set: dimension d */
    uint32_t across; /* over all shards of a batch */
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    (void)n_in;
    TN_TRY(tn_require_type("batch_normalize", in[0], 0));
    TN_REQUIRE(at->epsilon >= 0, TN_EINVAL, "batch_normalize: epsilon %g", at->epsilon);
    tn_shape each = in[0]->type.shape;
    for (int32_t d = 0; d < each.rank; d++)
        if (at->axes >> d & 1) each.dim[d] = 1;
    for (int i = 1; i < 3; i++)
        TN_REQUIRE(tn_shape_equal(&in[i]->type.shape, &each) && in[i]->type.dtype == in[0]->type.dtype, TN_ESHAPE,
                   "batch_normalize: weight and bias must have x's type, and its shape with 1 for each axis");
    *out = in[0]->type;
    return TN_OK;
}

static tn_axes axes_of(const tn_tensor *y)
{
    tn_axes axes = {0};
    for (int32_t d = 0; d < y->type.shape.rank; d++)
        if (((const attrs *)y->attrs)->axes >> d & 1) axes.axis[axes.count++] = d;
    return axes;
}

static int is_across(const tn_tensor *y)
{
    return y->graph->is_shard && ((const attrs *)y->attrs)->across;
}

static tn_tensor *mean_of(const tn_tensor *y, tn_tensor *x)
{
    tn_tensor *mean = tn_mean(x, axes_of(y), 1);
    return is_across(y) ? tn_across(tn_mul(mean, tn_batch_share(mean))) : mean;
}

/* x less its mean; and 1 / its deviation. */
static tn_tensor *centre(tn_tensor *y, tn_tensor **scale)
{
    tn_tensor *x = y->in[0], *centred = tn_sub(x, mean_of(y, x));
    tn_tensor *variance = mean_of(y, tn_square(centred));
    *scale = tn_rsqrt(tn_add(variance, tn_number(x, ((const attrs *)y->attrs)->epsilon)));
    return centred;
}

static tn_tensor *lower(tn_tensor *y)
{
    tn_tensor *scale;
    if (!tn_shape_count(&y->type.shape)) return y->in[0];
    tn_tensor *centred = centre(y, &scale);
    return tn_add(tn_mul(centred, tn_mul(scale, y->in[1])), y->in[2]);
}

/* One shard's two sums become the whole batch's: they cross together. */
static void add_across(tn_tensor *sum[2])
{
    tn_tensor *pack = tn_pack(sum, 2), *all = tn_across(pack);
    for (size_t i = 0; i < 2; i++) sum[i] = tn_unpack(all, pack, i);
}

/* With x' the normalised x and means over the axes: dx = scale weight (dy - mean(dy) - x' mean(dy x')). */
static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    int64_t count = tn_shape_count(&y->type.shape), outputs = tn_shape_count(&y->in[1]->type.shape);
    tn_tensor *scale, *centred = centre(y, &scale);
    tn_tensor *share = tn_number(dy, count ? (double)outputs / (double)count : 0);
    din[2] = tn_sum(dy, axes_of(y), 1);
    din[1] = tn_sum(tn_mul(dy, centred), axes_of(y), 1);
    if (count) din[1] = tn_mul(din[1], scale); /* of nothing there is no deviation */
    tn_tensor *sum[] = {din[1], din[2]};
    if (is_across(y)) {
        add_across(sum);
        share = tn_mul(share, tn_batch_share(dy));
    }
    tn_tensor *along = tn_mul(centred, tn_mul(scale, tn_mul(sum[0], share)));
    din[0] = tn_mul(tn_sub(tn_sub(dy, tn_mul(sum[1], share)), along), tn_mul(scale, y->in[1]));
}

/* Weight and bias are numbered as the groups are. */
static void reference(const tn_reference_call *call)
{
    const attrs *at = call->desc->attrs;
    const tn_tensor_desc *x = &call->desc->in[0];
    int64_t count = tn_desc_count(x), size = tn_group_size(x, at->axes);
    for (int64_t group = 0; count && group < count / size; group++) {
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < size; i++) mean += call->in[0][tn_group_member(x, at->axes, group, i)];
        mean /= (double)size;
        for (int64_t i = 0; i < size; i++)
            variance += pow(call->in[0][tn_group_member(x, at->axes, group, i)] - mean, 2) / (double)size;
        for (int64_t i = 0; i < size; i++) {
            int64_t e = tn_group_member(x, at->axes, group, i);
            double normal = (call->in[0][e] - mean) / sqrt(variance + at->epsilon);
            call->out[0][e] = normal * call->in[1][group] + call->in[2][group];
        }
    }
}

static tn_tensor *normalize(tn_tensor *const in[], tn_axes axes, double epsilon, uint32_t across)
{
    attrs at = {.epsilon = epsilon, .across = across};
    tn_graph *graph = tn_graph_of(in[0]);
    if (tn_graph_status(graph)) return in[0];
    tn_status s = tn_axes_mask(axes, in[0]->type.shape.rank, &at.axes);
    if (s) tn_node_fail(graph, s, "batch_normalize: %s", tn_message());
    return tn_node(&tn_op_batch_normalize, NULL, in, 3, &at);
}

tn_tensor *tn_batch_normalize(tn_tensor *x, tn_tensor *weight, tn_tensor *bias, tn_axes axes, double epsilon)
{
    TN_OPERANDS(x, weight, bias);
    return normalize((tn_tensor *[]){x, weight, bias}, axes, epsilon, 0);
}

tn_tensor *tn_batch_normalize_across(tn_tensor *x, tn_tensor *weight, tn_tensor *bias, tn_axes axes, double epsilon)
{
    TN_OPERANDS(x, weight, bias);
    return normalize((tn_tensor *[]){x, weight, bias}, axes, epsilon, 1);
}

static tn_tensor *case_pictures(tn_tensor *const in[])
{
    return tn_batch_normalize(in[0], in[1], in[2], TN_AXES(0, 2, 3), 1e-5);
}

static tn_tensor *case_rows(tn_tensor *const in[])
{
    return tn_batch_normalize(in[0], in[1], in[2], TN_AXES(0), 1e-5);
}

static const tn_op_case cases[] = {
    {"pictures", case_pictures, {F32(3, 5, 4, 3), F32(1, 5, 1, 1), F32(1, 5, 1, 1)}},
    {"rows", case_rows, {F32(33, 7), F32(1, 7), F32(1, 7)}},
    {"far from 0", case_pictures, {F32(7, 2, 5, 5), F32(1, 2, 1, 1), F32(1, 2, 1, 1)}, 100, 110, 1},
    {"one channel", case_pictures, {F32(2, 1, 3, 1), F32(1, 1, 1, 1), F32(1, 1, 1, 1)}},
    {"one element for each channel", case_rows, {F32(1, 5), F32(1, 5), F32(1, 5)}, .no_gradient = 1},
    {"nothing", case_rows, {F32(0, 5), F32(1, 5), F32(1, 5)}},
    {0},
};

static const tn_field fields[] = {
    TN_FIELD(attrs, epsilon, NUMBER), TN_FIELD(attrs, axes, AXES), TN_FIELD(attrs, across, FLAG), {0}};

const tn_op_def tn_op_batch_normalize = {.name = "batch_normalize",
                                         .doc =
                                             "x with mean 0 and variance 1 over some axes, times a weight, plus a bias",
                                         .kind = TN_COMPOSITE,
                                         .arity = 3,
                                         TN_ATTRS(attrs, fields),
                                         .shape = shape,
                                         .grad = grad,
                                         .lower = lower,
                                         .reference = reference,
                                         .cases = cases};
