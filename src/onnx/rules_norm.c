/* rules_norm.c: products, softmax, normalisation, losses. */
#include <math.h>
#include <string.h>

#include "rule.h"

/* ---- products ---- */

void onnx_rule_matmul(onnx_node *n)
{
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 1);
    if (a && b) onnx_out(n, 0, tn_matmul(a, b));
}

static tn_tensor *times(tn_tensor *x, double factor)
{
    return factor == 1 ? x : tn_mul(x, tn_number(x, factor));
}

void onnx_rule_gemm(onnx_node *n)
{
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 1), *c = onnx_in(n, 2);
    const double beta = onnx_float(n, "beta", 1);
    if (n->opset < 7) onnx_heeded(n, "broadcast"); /* it always is */
    if (!a || !b) return;
    tn_tensor *y = tn_matmul_t(a, b, onnx_int(n, "transA", 0) != 0, onnx_int(n, "transB", 0) != 0);
    y = times(y, onnx_float(n, "alpha", 1));
    if (c) y = tn_add(y, times(c, beta));
    onnx_out(n, 0, onnx_is_whole(onnx_type(n, 0)) ? tn_cast(y, TN_I32) : y);
}

void onnx_rule_det(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, tn_det(x));
}

void onnx_rule_einsum(onnx_node *n)
{
    char equation[200];
    tn_tensor *x[16];
    const onnx_attribute *at = onnx_attr(n, "equation");
    if (n->n_in < 1 || n->n_in > 16) onnx_cannot(n, "%u operands", n->n_in);
    if (!at || !at->has_s || at->s.len >= sizeof equation) onnx_cannot(n, "attribute equation");
    for (uint32_t i = 0; i < n->n_in && !n->failed; i++)
        if (!(x[i] = onnx_in(n, i))) return;
    if (n->failed) return;
    memcpy(equation, at->s.data, at->s.len);
    equation[at->s.len] = 0;
    onnx_out(n, 0, tn_einsum(equation, x, n->n_in));
}

/* ---- softmax ---- */

/* Before opset 13 all dimensions from the axis on are one. */
static void soft(onnx_node *n, tn_tensor *(*function)(tn_tensor *x, int32_t axis))
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    tn_shape shape = tn_shape_of(x);
    int old = n->opset < 13;
    int32_t axis = onnx_axis(n, onnx_int(n, "axis", old ? 1 : -1), shape.rank);
    if (n->failed) return;
    if (!old || axis == shape.rank - 1) {
        onnx_out(n, 0, function(x, axis));
        return;
    }
    int64_t rows = 1;
    for (int32_t d = 0; d < axis; d++) rows *= shape.dim[d];
    onnx_out(n, 0, tn_reshape(function(tn_reshape(x, TN_SHAPE(rows, -1)), 1), shape));
}

static tn_tensor *hardmax(tn_tensor *x, int32_t axis)
{
    tn_tensor *best = tn_unsqueeze(tn_argmax(x, axis), axis);
    return tn_cast(tn_eq(tn_iota(tn_graph_of(x), tn_shape_of(x), axis), best), tn_dtype_of(x));
}

void onnx_rule_softmax(onnx_node *n)
{
    soft(n, tn_softmax);
}

void onnx_rule_log_softmax(onnx_node *n)
{
    soft(n, tn_log_softmax);
}

void onnx_rule_hardmax(onnx_node *n)
{
    soft(n, hardmax);
}

/* ---- normalisation ---- */

static tn_axes axes_from(int32_t first, int32_t rank)
{
    tn_axes axes = {0};
    for (int32_t d = first; d < rank; d++) axes.axis[axes.count++] = d;
    return axes;
}

/* A vector by channels, which are axis 1. */
static tn_tensor *by_channel(tn_tensor *x, int32_t rank)
{
    tn_shape to = {.rank = rank};
    for (int32_t d = 0; d < rank; d++) to.dim[d] = d == 1 ? onnx_dim(x, 0) : 1;
    return tn_reshape(x, to);
}

/* Running statistics move towards those of the batch, of each use of a layer in turn: by what is left of the momentum.
 */
static void follow(tn_tensor *running, tn_tensor *now, double momentum)
{
    tn_tensor *old = times(tn_assigned(running), momentum), *step = times(now, 1 - momentum);
    tn_assign_again(running, tn_add(old, tn_reshape(step, tn_shape_of(running))));
}

/* A mean over what this graph has of the batch, or over all shards. */
static tn_tensor *over_batch(const onnx_node *n, tn_tensor *mean)
{
    return n->build->options.sync_norm ? tn_across(tn_mul(mean, tn_batch_share(mean))) : mean;
}

/* The variance of all samples of which these are some, as PyTorch has it, by that of these alone: n / (n - 1) of it. */
static tn_tensor *unbiased(const onnx_node *n, const tn_tensor *x, tn_tensor *variance)
{
    const tn_shape shape = tn_shape_of(x);
    const double each = shape.dim[1] ? (double)(tn_shape_count(&shape) / shape.dim[1]) : 0;
    if (!n->build->options.sync_norm) return times(variance, each > 1 ? each / (each - 1) : 1);
    tn_tensor *here = tn_number(variance, each);
    return tn_mul(variance, tn_div(here, tn_sub(here, tn_batch_share(variance))));
}

static void batch_norm_trained(onnx_node *n, tn_tensor *x, tn_tensor *const in[4], double epsilon, double momentum)
{
    tn_axes axes = {0};
    const tn_onnx_options *options = &n->build->options;
    int32_t rank = tn_shape_of(x).rank;
    for (int32_t d = 0; d < rank; d++)
        if (d != 1) axes.axis[axes.count++] = d;
    tn_tensor *y = (options->sync_norm ? tn_batch_normalize_across : tn_batch_normalize)(
        x, by_channel(in[0], rank), by_channel(in[1], rank), axes, epsilon);
    tn_tensor *mean = over_batch(n, tn_mean(x, axes, 1));
    tn_tensor *variance = over_batch(n, tn_mean(tn_square(tn_sub(x, mean)), axes, 0));
    mean = tn_reshape(mean, tn_shape_of(variance));
    onnx_out(n, 0, y);
    if (options->training && tn_name_of(in[2]) && tn_name_of(in[3])) {
        follow(in[2], mean, momentum);
        follow(in[3], unbiased(n, x, variance), momentum);
    }
    onnx_out(n, 1, tn_add(times(in[2], momentum), times(mean, 1 - momentum)));
    onnx_out(n, 2, tn_add(times(in[3], momentum), times(variance, 1 - momentum)));
}

void onnx_rule_batch_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *in[4];
    double epsilon = onnx_decimal(n, "epsilon", 1e-5), momentum = onnx_decimal(n, "momentum", 0.9);
    for (uint32_t i = 0; i < 4; i++)
        if (!x || !(in[i] = onnx_in(n, i + 1))) return;
    int32_t rank = tn_shape_of(x).rank;
    if (n->opset < 7 && !onnx_int(n, "is_test", 0)) onnx_cannot(n, "training as opset 6 has it");
    if (n->failed) return;
    const int is_trained = onnx_int(n, "training_mode", 0) || n->build->options.training;
    if (is_trained && !onnx_is_frozen(n->build->model, onnx_initializer_name(n, 3))) {
        batch_norm_trained(n, x, in, epsilon, momentum);
        return;
    }
    tn_tensor *scale = tn_div(in[0], tn_sqrt(tn_add(in[3], tn_number(in[3], epsilon))));
    tn_tensor *shift = tn_sub(in[1], tn_mul(in[2], scale));
    onnx_out(n, 0, tn_add(tn_mul(x, by_channel(scale, rank)), by_channel(shift, rank)));
    onnx_out(n, 1, in[2]);
    onnx_out(n, 2, in[3]);
}

void onnx_rule_instance_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *scale = onnx_in(n, 1), *bias = onnx_in(n, 2);
    if (!x || !scale || !bias) return;
    int32_t rank = tn_shape_of(x).rank;
    tn_tensor *y = tn_normalize(x, axes_from(2, rank), onnx_decimal(n, "epsilon", 1e-5));
    onnx_out(n, 0, tn_add(tn_mul(y, by_channel(scale, rank)), by_channel(bias, rank)));
}

/* Opset 18 has a scale for each group, 21 for each channel. */
void onnx_rule_group_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *scale = onnx_in(n, 1), *bias = onnx_in(n, 2);
    onnx_heeded(n, "stash_type"); /* f32 at the least */
    int64_t groups = onnx_int(n, "num_groups", 1);
    if (!x || !scale || !bias || groups < 1) return;
    tn_shape shape = tn_shape_of(x);
    if (onnx_dim(scale, 0) != shape.dim[1]) {
        scale = tn_repeat(scale, 0, shape.dim[1] / groups);
        bias = tn_repeat(bias, 0, shape.dim[1] / groups);
    }
    tn_tensor *y = tn_reshape(x, TN_SHAPE(shape.dim[0], groups, -1));
    y = tn_reshape(tn_normalize(y, TN_AXES(2), onnx_decimal(n, "epsilon", 1e-5)), shape);
    onnx_out(n, 0, tn_add(tn_mul(y, by_channel(scale, shape.rank)), by_channel(bias, shape.rank)));
}

/* Whether it is of that type, and has the last dimensions of x. */
static int is_row_of(tn_tensor *weight, tn_tensor *x, int32_t first)
{
    tn_shape row = {0}, all = tn_shape_of(x), s = tn_shape_of(weight);
    for (int32_t d = first; first >= 0 && d < all.rank; d++) row.dim[row.rank++] = all.dim[d];
    return row.rank && tn_dtype_of(weight) == tn_dtype_of(x) && tn_shape_equal(&s, &row);
}

tn_tensor *onnx_norm(tn_tensor *x, int32_t first, tn_tensor *scale, tn_tensor *bias, double epsilon, int keeps_mean)
{
    const tn_axes axes = axes_from(first, tn_shape_of(x).rank);
    if (is_row_of(scale, x, first) && (!bias || is_row_of(bias, x, first)))
        return tn_layer_normalize(x, scale, epsilon, (tn_layer_normalize_options){bias, (uint32_t)keeps_mean});
    tn_tensor *y = tn_mul((keeps_mean ? tn_rms_normalize : tn_normalize)(x, axes, epsilon), scale);
    return bias ? tn_add(y, bias) : y;
}

void onnx_rule_layer_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *scale = onnx_in(n, 1), *bias = onnx_in(n, 2);
    double epsilon = onnx_decimal(n, "epsilon", 1e-5);
    onnx_heeded(n, "stash_type");
    if (!x || !scale) return;
    int32_t rank = tn_shape_of(x).rank, axis = onnx_axis(n, onnx_int(n, "axis", -1), rank);
    tn_axes axes = axes_from(axis, rank);
    onnx_out(n, 0, onnx_norm(x, axis, scale, bias, epsilon, 0));
    if (onnx_wants(n, 1)) onnx_out_as(n, 1, tn_mean(x, axes, 1), ONNX_FLOAT);
    if (!onnx_wants(n, 2)) return;
    tn_tensor *variance = tn_variance(x, axes, 0, 1);
    onnx_out_as(n, 2, tn_rsqrt(tn_add(variance, tn_number(variance, epsilon))), ONNX_FLOAT);
}

void onnx_rule_rms_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *scale = onnx_in(n, 1);
    onnx_heeded(n, "stash_type");
    if (!x || !scale) return;
    int32_t rank = tn_shape_of(x).rank, axis = onnx_axis(n, onnx_int(n, "axis", -1), rank);
    onnx_out(n, 0, onnx_norm(x, axis, scale, NULL, onnx_decimal(n, "epsilon", 1e-5), 1));
}

void onnx_rule_mean_variance_normalization(onnx_node *n)
{
    int64_t axis[TN_MAX_RANK] = {0, 2, 3};
    tn_tensor *x = onnx_in(n, 0);
    int64_t count = onnx_ints(n, "axes", axis, TN_MAX_RANK);
    if (!x) return;
    tn_axes axes = {.count = count ? (int32_t)count : 3};
    for (int32_t i = 0; i < axes.count && i < TN_MAX_RANK; i++)
        axes.axis[i] = onnx_axis(n, axis[i], tn_shape_of(x).rank);
    if (n->failed) return;
    tn_tensor *far = tn_sub(x, tn_mean(x, axes, 1)), *deviation = tn_sqrt(tn_mean(tn_square(far), axes, 1));
    onnx_out(n, 0, tn_div(far, tn_add(deviation, tn_number(deviation, 1e-9))));
}

void onnx_rule_lp_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    tn_axes axes = TN_AXES(onnx_axis(n, onnx_int(n, "axis", -1), tn_shape_of(x).rank));
    tn_tensor *norm = onnx_int(n, "p", 2) == 1 ? tn_sum(tn_abs(x), axes, 1) : tn_sqrt(tn_sum(tn_square(x), axes, 1));
    tn_tensor *zero = tn_number(x, 0);
    onnx_out(n, 0, tn_where(tn_eq(norm, zero), zero, tn_div(x, norm)));
}

void onnx_rule_lrn(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    int64_t size = onnx_int(n, "size", 1);
    tn_response_options o = {.before = (uint32_t)((size - 1) / 2), .after = (uint32_t)(size / 2)};
    o.alpha = onnx_float(n, "alpha", (double)0.0001f), o.beta = onnx_float(n, "beta", 0.75);
    o.k = onnx_float(n, "bias", 1);
    if (size < 1) onnx_cannot(n, "attribute size");
    if (x && !n->failed) onnx_out(n, 0, tn_local_response_norm(x, o));
}

/* ---- losses ---- */

/* Of log-probabilities (n, c, ...) and classes (n, ...): their mean by weights, their sum, or each. */
static void nll(onnx_node *n, uint32_t out, tn_tensor *log_p, tn_tensor *target, tn_tensor *weight)
{
    const onnx_attribute *ignored = onnx_attr(n, "ignore_index");
    tn_tensor *place = tn_unsqueeze(tn_cast(target, TN_I32), 1);
    tn_tensor *loss = tn_neg(tn_squeeze(tn_take(log_p, place, 1), 1));
    tn_tensor *share = weight ? tn_gather(weight, tn_cast(target, TN_I32))
                              : tn_full(n->graph, tn_dtype_of(log_p), tn_shape_of(loss), 1);
    if (ignored) {
        tn_tensor *is = tn_eq(target, tn_number(target, (double)ignored->i));
        share = tn_where(is, tn_number(share, 0), share);
        loss = tn_where(is, tn_number(loss, 0), loss);
    }
    loss = tn_mul(loss, share);
    if (!onnx_text_is(n, "reduction", "mean", "none")) {
        loss = tn_sum(loss, TN_ALL, 0);
        if (onnx_text_is(n, "reduction", "mean", "mean")) loss = tn_div(loss, tn_sum(share, TN_ALL, 0));
    }
    onnx_out(n, out, loss);
}

void onnx_rule_nll_loss(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *target = onnx_in(n, 1);
    if (x && target) nll(n, 0, x, target, onnx_in(n, 2));
}

void onnx_rule_softmax_cross_entropy_loss(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *target = onnx_in(n, 1);
    if (!x || !target) return;
    x = tn_log_softmax(x, 1);
    nll(n, 0, x, target, onnx_in(n, 2));
    onnx_out(n, 1, x);
}
