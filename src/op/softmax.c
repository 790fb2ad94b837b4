/* softmax.c: softmax and its logarithm along an axis, each after the largest element was subtracted, so that no
 * exponential overflows. */
#include <math.h>

#include "cases.h"
#include "check.h"
#include "leaf.h"

typedef tn_softmax_node attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    (void)n_in, (void)raw;
    TN_TRY(tn_require_type("softmax", in[0], 0));
    *out = in[0]->type;
    return TN_OK;
}

static tn_axes axis_of(const tn_tensor *y)
{
    return TN_AXES((int32_t)((const attrs *)y->attrs)->axis);
}

/* ---- gradients ---- */

static void grad_softmax(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    din[0] = tn_mul(y, tn_sub(dy, tn_sum(tn_mul(dy, y), axis_of(y), 1)));
}

static void grad_log(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    din[0] = tn_sub(dy, tn_mul(tn_exp(y), tn_sum(dy, axis_of(y), 1)));
}

/* ---- by other operators, for devices without the kernels ---- */

static tn_tensor *shifted(tn_tensor *y)
{
    return tn_sub(y->in[0], tn_amax(y->in[0], axis_of(y), 1));
}

/* Nothing has no largest element. */
static int is_empty(const tn_tensor *y)
{
    return !tn_shape_count(&y->type.shape);
}

static tn_tensor *lower_softmax(tn_tensor *y)
{
    if (is_empty(y)) return y->in[0];
    tn_tensor *e = tn_exp(shifted(y));
    return tn_div(e, tn_sum(e, axis_of(y), 1));
}

static tn_tensor *lower_log(tn_tensor *y)
{
    if (is_empty(y)) return y->in[0];
    tn_tensor *z = shifted(y);
    return tn_sub(z, tn_log(tn_sum(tn_exp(z), axis_of(y), 1)));
}

/* ---- the operations ---- */

/* (outer, n, inner) */
static void describe(const tn_tensor *y, tn_operation *o)
{
    const tn_shape *s = &y->type.shape;
    int32_t axis = (int32_t)((const attrs *)y->attrs)->axis;
    int64_t outer = 1, inner = 1;
    for (int32_t d = 0; d < axis; d++) outer *= s->dim[d];
    for (int32_t d = axis + 1; d < s->rank; d++) inner *= s->dim[d];
    o->in[0] = o->out[0] = tn_desc_dense(y->type.dtype, &TN_SHAPE(outer, s->dim[axis], inner));
}

/* A NaN makes all of its row NaN. */
static double largest(const double *x, int64_t n, int64_t stride)
{
    double best = x[0];
    for (int64_t i = 1; i < n; i++)
        if (x[i * stride] > best || x[i * stride] != x[i * stride]) best = x[i * stride];
    return best;
}

/* The sum is kept in more than double precision where there is any: the oracle of f64 must not be the coarser one. */
static void each_row(const tn_reference_call *call, int take_log)
{
    const int64_t *dim = call->desc->in[0].dim;
    int64_t n = dim[1], inner = dim[2];
    for (int64_t row = 0; row < dim[0] * inner && n; row++) {
        int64_t start = row / inner * n * inner + row % inner;
        const double *x = call->in[0] + start;
        double *y = call->out[0] + start, top = largest(x, n, inner);
        long double exact = 0;
        for (int64_t i = 0; i < n; i++) exact += exp(x[i * inner] - top);
        double sum = (double)exact;
        for (int64_t i = 0; i < n; i++) {
            double z = x[i * inner] - top;
            y[i * inner] = take_log ? z - log(sum) : exp(z) / sum;
        }
    }
}

static void reference_softmax(const tn_reference_call *call)
{
    each_row(call, 0);
}

static void reference_log(const tn_reference_call *call)
{
    each_row(call, 1);
}

/* Largest, difference, exponential, sum and quotient. */
static double flops(const tn_op_desc *desc)
{
    return 5 * (double)tn_desc_count(&desc->out[0]);
}

/* ---- public functions ---- */

static tn_tensor *along(const tn_op_def *op, tn_tensor *x, int32_t axis)
{
    attrs at = {0};
    tn_graph *graph = tn_graph_of(x);
    if (tn_graph_status(graph)) return x;
    tn_status s = tn_require_axis(op->name, x, axis, &at.axis);
    if (s) tn_node_fail(graph, s, "%s", tn_message());
    return tn_node(op, NULL, &x, 1, &at);
}

tn_tensor *tn_softmax(tn_tensor *x, int32_t axis)
{
    return along(&tn_op_softmax, x, axis);
}

tn_tensor *tn_log_softmax(tn_tensor *x, int32_t axis)
{
    return along(&tn_op_log_softmax, x, axis);
}

/* ---- cases ---- */

#define CASES(name)                                                                                                    \
    static tn_tensor *case_##name##_last(tn_tensor *const in[])                                                        \
    {                                                                                                                  \
        return tn_##name(in[0], -1);                                                                                   \
    }                                                                                                                  \
    static tn_tensor *case_##name##_first(tn_tensor *const in[])                                                       \
    {                                                                                                                  \
        return tn_##name(in[0], 0);                                                                                    \
    }                                                                                                                  \
    static tn_tensor *case_##name##_middle(tn_tensor *const in[])                                                      \
    {                                                                                                                  \
        return tn_##name(in[0], 1);                                                                                    \
    }                                                                                                                  \
    static const tn_op_case cases_##name[] = {                                                                         \
        {"ten classes", case_##name##_last, {F32(129, 10)}, -5, 5},                                                    \
        {"a long row", case_##name##_last, {F32(3, 1031)}},                                                            \
        {"one vector", case_##name##_last, {F32(17)}},                                                                 \
        {"the first axis", case_##name##_first, {F32(13, 31)}},                                                        \
        {"a middle axis", case_##name##_middle, {F32(3, 11, 5)}},                                                      \
        {"one class", case_##name##_last, {F32(5, 1)}},                                                                \
        {"large numbers", case_##name##_last, {F32(9, 10)}, -30000, 30000, 1},                                         \
        {"no rows", case_##name##_last, {F32(0, 10)}},                                                                 \
        {0},                                                                                                           \
    };
CASES(softmax)
CASES(log_softmax)

static const tn_field fields[] = {TN_FIELD(attrs, axis, AXIS), TN_FIELD(attrs, reserved, NOTHING), {0}};

const tn_op_def tn_op_softmax = {.name = "softmax",
                                 .doc = "exp(x) divided by its sum along an axis",
                                 .kind = TN_KERNEL,
                                 .arity = 1,
                                 TN_ATTRS(attrs, fields),
                                 .shape = shape,
                                 .grad = grad_softmax,
                                 .lower = lower_softmax,
                                 .describe = describe,
                                 .reference = reference_softmax,
                                 .flops = flops,
                                 .cases = cases_softmax,
                                 .budget = {8, 2, 16, 0}};

const tn_op_def tn_op_log_softmax = {.name = "log_softmax",
                                     .doc = "logarithm of softmax along an axis, for any x",
                                     .kind = TN_KERNEL,
                                     .arity = 1,
                                     TN_ATTRS(attrs, fields),
                                     .shape = shape,
                                     .grad = grad_log,
                                     .lower = lower_log,
                                     .describe = describe,
                                     .reference = reference_log,
                                     .flops = flops,
                                     .cases = cases_log_softmax,
                                     .budget = {8, 8, 16, 1}};
