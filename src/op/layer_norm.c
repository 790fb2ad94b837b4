/* layer_norm.c: layer normalisation as one operator, which a device computes row by row in one pass over memory: the
 * last dimensions of x with mean 0 and variance 1, times a weight plus a bias. Ba, Kiros and Hinton, "Layer
 * normalization", 2016. Without the mean it is RMS normalisation: Zhang and Sennrich, "Root mean square layer
 * normalization", 2019. */
#include "layer_norm.h"

#include <math.h>

#include "cases.h"
#include "check.h"
#include "given.h"

const tn_field tn_layer_norm_fields[] = {TN_FIELD(tn_layer_norm_node, epsilon, NUMBER),
                                         TN_FIELD(tn_layer_norm_node, last, SIZE),
                                         TN_FIELD(tn_layer_norm_node, keep_mean, FLAG),
                                         {0}};

const tn_field tn_layer_norm_crosses[] = {TN_FIELD(tn_layer_norm_attrs, epsilon, HIDDEN),
                                          TN_FIELD(tn_layer_norm_attrs, keep_mean, FLAG),
                                          TN_FIELD(tn_layer_norm_attrs, reserved, NOTHING),
                                          {0}};

/* ---- shapes ---- */

tn_shape tn_layer_norm_row(const tn_shape *x, uint32_t last)
{
    tn_shape row = {.rank = (int32_t)last};
    for (int32_t d = 0; d < row.rank; d++) row.dim[d] = x->dim[x->rank - row.rank + d];
    return row;
}

tn_normal tn_layer_norm_normal(const tn_shape *x, const tn_layer_norm_node *at)
{
    return (tn_normal){at->epsilon, ((1u << at->last) - 1) << ((uint32_t)x->rank - at->last), at->keep_mean};
}

tn_status tn_layer_norm_require(const char *op, tn_tensor *const in[], uint32_t n_in, uint32_t rows,
                                const tn_layer_norm_node *at)
{
    const tn_shape *x = &in[0]->type.shape;
    char a[160], b[160];
    TN_TRY(tn_require_type(op, in[0], 0));
    TN_REQUIRE(at->epsilon >= 0 && !isinf(at->epsilon), TN_EINVAL, "%s: epsilon %g", op, at->epsilon);
    TN_REQUIRE(at->last >= 1 && (int64_t)at->last <= x->rank, TN_ESHAPE, "%s: %u dimensions of %s", op, at->last,
               tn_shape_text(x, a, sizeof a));
    const tn_shape row = tn_layer_norm_row(x, at->last);
    for (uint32_t i = 1; i < n_in; i++) {
        TN_REQUIRE(tn_shape_equal(&in[i]->type.shape, i < rows ? x : &row), TN_ESHAPE,
                   "%s: operand %u, %s, does not fit x, %s", op, i, tn_shape_text(&in[i]->type.shape, b, sizeof b),
                   tn_shape_text(x, a, sizeof a));
        TN_REQUIRE(in[i]->type.dtype == in[0]->type.dtype, TN_EDTYPE, "%s: operand %u is of %s, and x of %s", op, i,
                   tn_dtype_name(in[i]->type.dtype), tn_dtype_name(in[0]->type.dtype));
    }
    return TN_OK;
}

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    TN_REQUIRE(n_in >= 1 && n_in <= 3, TN_EINVAL, "layer_norm: %u operands", n_in);
    TN_TRY(tn_layer_norm_require("layer_norm", in, n_in, 1, raw));
    *out = in[0]->type;
    return TN_OK;
}

void tn_layer_norm_describe(const tn_tensor *y, uint32_t rows, tn_operation *o)
{
    const tn_layer_norm_node *at = y->attrs;
    const tn_shape *x = &y->in[0]->type.shape, row = tn_layer_norm_row(x, at->last);
    const int64_t n = tn_shape_count(&row);
    int64_t m = 1;
    for (int32_t d = 0; d < x->rank - row.rank; d++) m *= x->dim[d];
    o->attrs.layer_norm = (tn_layer_norm_attrs){sizeof o->attrs.layer_norm, at->epsilon, at->keep_mean, 0};
    for (uint32_t i = 0; i < y->n_in; i++)
        o->in[i] = tn_desc_dense(y->in[i]->type.dtype, i < rows ? &TN_SHAPE(m, n) : &TN_SHAPE(n));
}

static void describe(const tn_tensor *y, tn_operation *o)
{
    tn_layer_norm_describe(y, 1, o);
    o->out[0] = o->in[0];
}

/* ---- gradient ---- */

/* Elements `start` and those after it of a vector. */
static tn_tensor *piece(tn_tensor *flat, int64_t start, const tn_shape *shape)
{
    return tn_reshape(tn_slice(flat, 0, start, tn_shape_count(shape), 1), *shape);
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    const tn_shape *x = &y->in[0]->type.shape;
    tn_tensor *weight = y->n_in > 1 ? y->in[1] : NULL, *all = tn_layer_norm_slopes(y->in[0], dy, weight, y->attrs);
    din[0] = piece(all, 0, x);
    int64_t start = tn_shape_count(x);
    for (uint32_t i = 1; i < y->n_in; i++) {
        din[i] = piece(all, start, &y->in[i]->type.shape);
        start += tn_shape_count(&y->in[i]->type.shape);
    }
}

/* ---- by other operators ---- */

static tn_tensor *lower(tn_tensor *y)
{
    const tn_normal normal = tn_layer_norm_normal(&y->type.shape, y->attrs);
    tn_tensor *x = tn_normal_by_parts(&normal, y->in[0]);
    if (y->n_in > 1) x = tn_mul(x, y->in[1]);
    return y->n_in > 2 ? tn_add(x, y->in[2]) : x;
}

static void reference(const tn_reference_call *call)
{
    const tn_layer_norm_attrs *at = call->desc->attrs;
    const int64_t m = call->desc->in[0].dim[0], n = call->desc->in[0].dim[1];
    for (int64_t row = 0; row < m; row++) {
        const double *x = call->in[0] + row * n;
        double mean = 0, power = 0;
        for (int64_t i = 0; i < n && !at->keep_mean; i++) mean += x[i];
        mean /= (double)n;
        for (int64_t i = 0; i < n; i++) power += (x[i] - mean) * (x[i] - mean) / (double)n;
        for (int64_t i = 0; i < n; i++) {
            const double normal = (x[i] - mean) / sqrt(power + at->epsilon);
            const double weight = call->desc->n_in > 1 ? call->in[1][i] : 1;
            call->out[0][row * n + i] = normal * weight + (call->desc->n_in > 2 ? call->in[2][i] : 0);
        }
    }
}

/* Sums of x and of squares, and what is made of them. */
static double flops(const tn_op_desc *desc)
{
    return 8 * (double)tn_desc_count(&desc->in[0]);
}

/* ---- building ---- */

tn_tensor *tn_layer_norm_of(tn_tensor *x, tn_tensor *weight, tn_tensor *bias, const tn_layer_norm_node *at)
{
    return tn_node(&tn_op_layer_norm, NULL, (tn_tensor *[]){x, weight, bias}, 1u + (weight != NULL) + (bias != NULL),
                   at);
}

/* The operator has no bias where the mean is kept. */
tn_tensor *tn_layer_normalize(tn_tensor *x, tn_tensor *weight, double epsilon, tn_layer_normalize_options options)
{
    TN_OPERANDS(x, weight);
    if (tn_graph_status(tn_graph_of(x))) return x;
    const tn_layer_norm_node at = {epsilon, (uint32_t)tn_shape_of(weight).rank, options.keep_mean != 0};
    tn_tensor *y = tn_layer_norm_of(x, weight, at.keep_mean ? NULL : options.bias, &at);
    if (!at.keep_mean || !options.bias || tn_graph_status(tn_graph_of(x))) return y;
    const tn_shape w = tn_shape_of(weight), b = tn_shape_of(options.bias);
    if (!tn_shape_equal(&w, &b))
        tn_graph_fail(tn_graph_of(x), TN_ESHAPE, "layer_norm: the bias has not weight's shape");
    return tn_add(y, options.bias);
}

/* ---- cases ---- */

static tn_tensor *case_all(tn_tensor *const in[])
{
    return tn_layer_normalize(in[0], in[1], 1e-5, (tn_layer_normalize_options){.bias = in[2]});
}

static tn_tensor *case_weight(tn_tensor *const in[])
{
    return tn_layer_normalize(in[0], in[1], 1e-3, (tn_layer_normalize_options){0});
}

static tn_tensor *case_rms(tn_tensor *const in[])
{
    return tn_layer_normalize(in[0], in[1], 1e-6, (tn_layer_normalize_options){.keep_mean = 1});
}

static tn_tensor *case_alone(tn_tensor *const in[])
{
    return tn_layer_norm_of(in[0], NULL, NULL, &(tn_layer_norm_node){1e-5, 2, 0});
}

/* Some rows are one number throughout. */
static tn_tensor *case_constant(tn_tensor *const in[])
{
    tn_tensor *row = tn_iota(tn_graph_of(in[0]), TN_SHAPE(9, 1), 0), *x = in[0];
    x = tn_where(tn_lt(row, tn_number(row, 4)), tn_cast(row, x->type.dtype), x);
    return tn_layer_normalize(x, in[1], 1e-5, (tn_layer_normalize_options){.bias = in[2]});
}

static const tn_op_case cases[] = {
    {"rows", case_all, {F32(33, 17), F32(17), F32(17)}},
    {"far from 0", case_all, {F32(7, 129), F32(129), F32(129)}, 100, 110, 1},
    {"rows of two dimensions", case_all, {F32(2, 3, 4, 5), F32(4, 5), F32(4, 5)}},
    {"without a bias", case_weight, {F32(4, 3, 6), F32(6)}},
    {"by the mean square", case_rms, {F32(13, 31), F32(31)}},
    {"by the mean square, far from 0", case_rms, {F32(5, 65), F32(65)}, 100, 110, 1},
    {"without a weight", case_alone, {F32(3, 4, 5)}},
    {"rows of one number throughout", case_constant, {F32(9, 21), F32(21), F32(21)}, .no_gradient = 1},
    {"long rows", case_all, {F32(3, 5003), F32(5003), F32(5003)}, .no_gradient = 1},
    {"many rows", case_all, {F32(1031, 67), F32(67), F32(67)}, .no_gradient = 1},
    {"one element", case_all, {F32(5, 1), F32(1), F32(1)}, .no_gradient = 1},
    {"one row", case_all, {F32(7), F32(7), F32(7)}},
    {"no rows", case_all, {F32(0, 5), F32(5), F32(5)}},
    {"rows of nothing", case_all, {F32(4, 0), F32(0), F32(0)}},
    {0},
};

const tn_op_def tn_op_layer_norm = {.name = "layer_norm",
                                    .crosses = tn_layer_norm_crosses,
                                    .doc = "rows with mean 0 and variance 1, or with mean square 1, times a weight, "
                                           "plus a bias",
                                    .kind = TN_KERNEL,
                                    .arity = -1,
                                    TN_ATTRS(tn_layer_norm_node, tn_layer_norm_fields),
                                    .shape = shape,
                                    .grad = grad,
                                    .lower = lower,
                                    .describe = describe,
                                    .reference = reference,
                                    .flops = flops,
                                    .cases = cases,
                                    .budget = TN_BUDGET_SUM};
