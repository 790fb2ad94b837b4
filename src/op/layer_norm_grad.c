/* layer_norm_grad.c: what dy of layer normalisation means for x, for the weight and for the bias, one after another in
 * a vector. Mean and deviation of a row are made again from x, which has to be read anyway. */
#include "layer_norm.h"

#include <math.h>

#include "cases.h"

enum { X, SLOPE, WEIGHT };

/* With a weight there is one for it, and one for a bias, unless the mean is kept: there is no bias then. */
static int64_t rows_behind(uint32_t n_in, uint32_t keep_mean)
{
    return n_in <= WEIGHT ? 0 : keep_mean ? 1 : 2;
}

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_layer_norm_node *at = raw;
    TN_REQUIRE(n_in == WEIGHT || n_in == WEIGHT + 1, TN_EINVAL, "layer_norm_grad: %u operands", n_in);
    TN_TRY(tn_layer_norm_require("layer_norm_grad", in, n_in, WEIGHT, at));
    const tn_shape *x = &in[X]->type.shape, row = tn_layer_norm_row(x, at->last);
    const tn_shape all = TN_SHAPE(tn_shape_count(x) + rows_behind(n_in, at->keep_mean) * tn_shape_count(&row));
    TN_TRY(tn_shape_check(&all));
    *out = (tn_type){in[X]->type.dtype, all};
    return TN_OK;
}

static void describe(const tn_tensor *y, tn_operation *o)
{
    tn_layer_norm_describe(y, WEIGHT, o);
    o->out[0] = tn_desc_dense(y->type.dtype, &y->type.shape);
}

static tn_tensor *lower(tn_tensor *y)
{
    const tn_layer_norm_node *at = y->attrs;
    tn_tensor *x = y->in[X], *dy = y->in[SLOPE], *weight = y->n_in > WEIGHT ? y->in[WEIGHT] : NULL;
    const tn_normal normal = tn_layer_norm_normal(&x->type.shape, at);
    const int64_t behind = rows_behind(y->n_in, at->keep_mean);
    tn_tensor *made = tn_normal_by_parts(&normal, x), *flat[3];
    flat[0] = tn_normal_slope(&normal, x, made, weight ? tn_mul(dy, weight) : dy);
    if (behind > 0) flat[1] = tn_unbroadcast(tn_mul(dy, made), &weight->type.shape);
    if (behind > 1) flat[2] = tn_unbroadcast(dy, &weight->type.shape);
    for (int64_t i = 0; i <= behind; i++) flat[i] = tn_reshape(flat[i], TN_SHAPE(tn_shape_count(&flat[i]->type.shape)));
    return behind ? tn_concat(flat, (uint32_t)behind + 1, 0) : flat[0];
}

/* One row's dx, and its part in the sums, each of which may be NULL. */
static void add_row(const tn_layer_norm_attrs *at, int64_t n, const double *x, const double *dy, const double *weight,
                    double *dx, double *dweight, double *dbias)
{
    double mean = 0, power = 0, along = 0, level = 0;
    for (int64_t i = 0; i < n && !at->keep_mean; i++) mean += x[i];
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++) power += (x[i] - mean) * (x[i] - mean) / (double)n;
    const double deviation = sqrt(power + at->epsilon);
    for (int64_t i = 0; i < n; i++) {
        const double slope = dy[i] * (weight ? weight[i] : 1), y = (x[i] - mean) / deviation;
        along += slope * y / (double)n;
        level += at->keep_mean ? 0 : slope / (double)n;
        if (dweight) dweight[i] += dy[i] * y;
        if (dbias) dbias[i] += dy[i];
    }
    for (int64_t i = 0; i < n; i++)
        dx[i] = (dy[i] * (weight ? weight[i] : 1) - level - (x[i] - mean) / deviation * along) / deviation;
}

static void reference(const tn_reference_call *call)
{
    const tn_op_desc *desc = call->desc;
    const tn_layer_norm_attrs *at = desc->attrs;
    const int64_t m = desc->in[X].dim[0], n = desc->in[X].dim[1], behind = rows_behind(desc->n_in, at->keep_mean);
    double *dx = call->out[0], *dweight = behind > 0 ? dx + m * n : NULL, *dbias = behind > 1 ? dweight + n : NULL;
    for (int64_t i = 0; i < behind * n; i++) dweight[i] = 0;
    for (int64_t i = 0; i < m; i++)
        add_row(at, n, call->in[X] + i * n, call->in[SLOPE] + i * n, desc->n_in > WEIGHT ? call->in[WEIGHT] : NULL,
                dx + i * n, dweight, dbias);
}

/* Four sums of a row, dx, and two sums of all rows. */
static double flops(const tn_op_desc *desc)
{
    return 18 * (double)tn_desc_count(&desc->in[X]);
}

tn_tensor *tn_layer_norm_slopes(tn_tensor *x, tn_tensor *dy, tn_tensor *weight, const tn_layer_norm_node *at)
{
    return tn_node(&tn_op_layer_norm_grad, NULL, (tn_tensor *[]){x, dy, weight}, weight ? 3 : 2, at);
}

/* ---- cases ---- */

static tn_tensor *case_all(tn_tensor *const in[])
{
    return tn_layer_norm_slopes(in[0], in[1], in[2], &(tn_layer_norm_node){1e-3, 1, 0});
}

static tn_tensor *case_rms(tn_tensor *const in[])
{
    return tn_layer_norm_slopes(in[0], in[1], in[2], &(tn_layer_norm_node){1e-3, 2, 1});
}

static tn_tensor *case_alone(tn_tensor *const in[])
{
    return tn_layer_norm_slopes(in[0], in[1], NULL, &(tn_layer_norm_node){1e-3, 1, 0});
}

static tn_tensor *case_rms_alone(tn_tensor *const in[])
{
    return tn_layer_norm_slopes(in[0], in[1], NULL, &(tn_layer_norm_node){1e-3, 1, 1});
}

static const tn_op_case cases[] = {
    {"rows", case_all, {F32(9, 17), F32(9, 17), F32(17)}},
    {"by the mean square, rows of two dimensions", case_rms, {F32(3, 4, 5), F32(3, 4, 5), F32(4, 5)}},
    {"without a weight", case_alone, {F32(4, 3, 7), F32(4, 3, 7)}},
    {"by the mean square, without a weight", case_rms_alone, {F32(5, 9), F32(5, 9)}},
    {"long rows", case_all, {F32(3, 5003), F32(3, 5003), F32(5003)}, .no_gradient = 1},
    {"many rows", case_all, {F32(1031, 67), F32(1031, 67), F32(67)}, .no_gradient = 1},
    {"one element", case_all, {F32(5, 1), F32(5, 1), F32(1)}, .no_gradient = 1},
    {"one row", case_all, {F32(1, 16), F32(1, 16), F32(16)}},
    {"no rows", case_all, {F32(0, 5), F32(0, 5), F32(5)}},
    {"rows of nothing", case_all, {F32(4, 0), F32(4, 0), F32(0)}},
    {0},
};

const tn_op_def tn_op_layer_norm_grad = {.name = "layer_norm_grad",
                                         .crosses = tn_layer_norm_crosses,
                                         .doc = "the gradients of layer_norm for x, weight and bias",
                                         .kind = TN_KERNEL,
                                         .arity = -1,
                                         .traits = TN_CANCELS,
                                         TN_ATTRS(tn_layer_norm_node, tn_layer_norm_fields),
                                         .shape = shape,
                                         .lower = lower,
                                         .describe = describe,
                                         .reference = reference,
                                         .flops = flops,
                                         .cases = cases,
                                         .budget = TN_BUDGET_SUM};
