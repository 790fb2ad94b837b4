/* attend_grad.c: what dy of attention in tiles means for queries, keys and values, one after another in a vector. The
 * weights are made again from the scores and the logarithms of their sums; what a query's weights lose to each other is
 * the sum of dy y. */
#include <math.h>

#include "attend.h"
#include "cases.h"

enum { BOTH = 3, SLOPE, MASK };

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    TN_TRY(tn_attend_require("attend_grad", in, n_in, MASK, raw));
    const tn_shape *q = &in[0]->type.shape, *both = &in[BOTH]->type.shape;
    tn_shape y = *q;
    y.dim[3] = in[2]->type.shape.dim[3];
    const int64_t rows = y.dim[0] * y.dim[1] * y.dim[2];
    TN_REQUIRE(tn_shape_equal(&y, &in[SLOPE]->type.shape) && both->rank == 1 && both->dim[0] == rows * (y.dim[3] + 1),
               TN_ESHAPE, "attend_grad: the result, or its gradient, does not fit");
    *out = (tn_type){in[0]->type.dtype, TN_SHAPE(tn_shape_count(q) + tn_shape_count(&in[1]->type.shape) +
                                                 tn_shape_count(&in[2]->type.shape))};
    return TN_OK;
}

static void describe(const tn_tensor *y, tn_operation *o)
{
    tn_attend_describe(y, MASK, o);
}

/* Of the operands, without what was kept of the result: so that it can be differentiated again. */
static tn_tensor *lower(tn_tensor *y)
{
    const tn_attend_node *at = y->attrs;
    tn_tensor *q = y->in[0], *k = y->in[1], *v = y->in[2], *mask = y->n_in > MASK ? y->in[MASK] : NULL;
    tn_tensor *p = tn_attend_weights(tn_attend_scores(y->in, mask, at), mask);
    tn_tensor *slope = tn_attend_by_group(y->in[SLOPE], k), *ds = tn_matmul_t(slope, v, 0, 1);
    ds = tn_attend_slope(p, tn_attend_by_head(ds, &q->type.shape), mask, at);
    ds = tn_attend_by_group(tn_mul(ds, tn_number(ds, at->scale)), k);
    tn_tensor *dv = tn_matmul_t(tn_attend_by_group(p, k), slope, 1, 0);
    tn_tensor *dk = tn_matmul_t(ds, tn_attend_by_group(q, k), 1, 0);
    return tn_attend_flat((tn_tensor *[]){tn_matmul(ds, k), dk, dv}, 3);
}

/* One query's part in all three. */
static void add_row(const tn_attend_row *r, const double *y, const double *dy, double logarithm, double *dq, double *dk,
                    double *dv)
{
    const int64_t d = r->z.d, e = r->z.e;
    double mean = 0, score;
    for (int64_t c = 0; c < e; c++) mean += dy[c] * y[c];
    for (int64_t j = 0; j < r->z.m; j++) {
        const int seen = tn_attend_score(r, j, &score);
        const double weight = seen ? exp(score - logarithm) : 0;
        double slope = 0;
        for (int64_t c = 0; c < e; c++) slope += dy[c] * r->v[j * e + c];
        slope = seen ? weight * (slope - mean) * r->at->scale : 0;
        for (int64_t c = 0; c < e; c++) dv[j * e + c] += weight * dy[c];
        for (int64_t i = 0; i < d; i++) dq[i] += slope * r->k[j * d + i], dk[j * d + i] += slope * r->q[i];
    }
}

static void reference(const tn_reference_call *call)
{
    const tn_tensor_desc *in = call->desc->in;
    const int64_t rows = in[0].dim[0] * in[0].dim[1] * in[0].dim[2];
    double *dq = call->out[0], *dk = dq + tn_desc_count(&in[0]), *dv = dk + tn_desc_count(&in[1]);
    for (int64_t i = 0; i < tn_desc_count(&call->desc->out[0]); i++) dq[i] = 0;
    for (int64_t row = 0; row < rows; row++) {
        const tn_attend_row r = tn_attend_row_of(call, MASK, row);
        const double *y = call->in[BOTH] + row * r.z.e, *dy = call->in[SLOPE] + row * r.z.e;
        add_row(&r, y, dy, call->in[BOTH][rows * r.z.e + row], dq + row * r.z.d, dk + (r.k - call->in[1]),
                dv + (r.v - call->in[2]));
    }
}

/* Five products, and softmax with its slope. */
static double flops(const tn_op_desc *desc)
{
    return tn_attend_pairs(desc) * (double)(6 * desc->in[0].dim[3] + 4 * desc->in[2].dim[3] + 6);
}

/* ---- cases ---- */

static tn_tensor *case_with(tn_tensor *const in[], tn_tensor *mask, int64_t first, uint32_t causal)
{
    tn_attend_node at = {0.5, first, causal, 0};
    tn_tensor *both = tn_attend_tiles(in[0], in[1], in[2], mask, &at);
    tn_tensor *y = tn_attend_result(both, in[0], in[2]);
    tn_tensor *all[] = {in[0], in[1], in[2], both, tn_sin(y), mask};
    return tn_node(&tn_op_attend_grad, NULL, all, mask ? 6 : 5, &at);
}

static tn_tensor *case_all(tn_tensor *const in[])
{
    return case_with(in, NULL, 0, 0);
}

static tn_tensor *case_causal(tn_tensor *const in[])
{
    return case_with(in, NULL, 3, 1);
}

static tn_tensor *case_added(tn_tensor *const in[])
{
    return case_with(in, in[3], 0, 0);
}

static tn_tensor *case_hidden(tn_tensor *const in[])
{
    return case_with(in, tn_cast(tn_gt(in[3], tn_number(in[3], 0)), TN_I32), 0, 0);
}

static const tn_op_case cases[] = {
    {"heads in a batch", case_all, {F32(2, 3, 5, 4), F32(2, 3, 6, 4), F32(2, 3, 6, 3)}},
    {"heads that share keys, causal", case_causal, {F32(2, 4, 5, 3), F32(2, 2, 9, 3), F32(2, 2, 9, 4)}},
    {"an added mask", case_added, {F32(1, 2, 5, 3), F32(1, 2, 6, 3), F32(1, 2, 6, 4), F32(1, 1, 5, 6)}},
    {"hidden keys", case_hidden, {F32(2, 2, 5, 3), F32(2, 2, 6, 3), F32(2, 2, 6, 4), F32(2, 1, 1, 6)}},
    {"several tiles", case_causal, {F32(1, 2, 131, 20), F32(1, 1, 301, 20), F32(1, 1, 301, 33)}, .no_gradient = 1},
    {"one number", case_all, {F32(1, 1, 1, 1), F32(1, 1, 1, 1), F32(1, 1, 1, 1)}},
    {0},
};

const tn_op_def tn_op_attend_grad = {.name = "attend_grad",
                                     .crosses = tn_attend_crosses,
                                     .doc = "the gradients of attend for queries, keys and values",
                                     .kind = TN_KERNEL,
                                     .arity = -1,
                                     .traits = TN_MULTIPLIES | TN_HIDES,
                                     TN_ATTRS(tn_attend_node, tn_attend_fields),
                                     .shape = shape,
                                     .lower = lower,
                                     .describe = describe,
                                     .reference = reference,
                                     .flops = flops,
                                     .cases = cases,
                                     .factors = 1u << 2 | 1u << SLOPE,
                                     .budget = TN_BUDGET_SUM};
