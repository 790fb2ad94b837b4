/* attend_tiles.c: attention as one operator, which a device computes in tiles without ever storing the scores: for each
 * query the mean of the values by softmax of its scores, and the logarithm of the sum of the scores' exponentials, of
 * which the gradient makes the weights again. Dao and others, "FlashAttention: Fast and memory-efficient exact
 * attention with IO-awareness", 2022. */
#include <math.h>

#include "attend.h"
#include "cases.h"

enum { MASK = 3 };

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    TN_TRY(tn_attend_require("attend", in, n_in, MASK, raw));
    tn_shape both = in[0]->type.shape;
    both.dim[3] = in[2]->type.shape.dim[3] + 1;
    TN_TRY(tn_shape_check(&both));
    *out = (tn_type){in[0]->type.dtype, TN_SHAPE(tn_shape_count(&both))};
    return TN_OK;
}

static void describe(const tn_tensor *y, tn_operation *o)
{
    tn_attend_describe(y, MASK, o);
}

static tn_shape shape_of_result(const tn_tensor *q, const tn_tensor *v)
{
    tn_shape s = q->type.shape;
    s.dim[3] = v->type.shape.dim[3];
    return s;
}

tn_tensor *tn_attend_result(tn_tensor *both, const tn_tensor *q, const tn_tensor *v)
{
    return tn_attend_piece(both, 0, shape_of_result(q, v));
}

/* Nothing flows from the logarithms: they are for the gradient alone. That of a mask that is added has to be as large
 * as the scores anyway. */
static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    tn_tensor *q = y->in[0], *k = y->in[1], *v = y->in[2], *mask = y->n_in > MASK ? y->in[MASK] : NULL;
    tn_tensor *slope = tn_attend_result(dy, q, v), *in[] = {q, k, v, y, slope, mask};
    tn_tensor *all = tn_node(&tn_op_attend_grad, NULL, in, mask ? 6 : 5, y->attrs);
    int64_t nq = tn_shape_count(&q->type.shape), nk = tn_shape_count(&k->type.shape);
    din[0] = tn_attend_piece(all, 0, q->type.shape);
    din[1] = tn_attend_piece(all, nq, k->type.shape);
    din[2] = tn_attend_piece(all, nq + nk, v->type.shape);
    if (!mask || mask->type.dtype == TN_I32) return;
    tn_tensor *scores = tn_attend_scores(y->in, mask, y->attrs), *p = tn_attend_weights(scores, mask);
    tn_tensor *dp = tn_matmul_t(tn_attend_by_group(slope, k), v, 0, 1);
    dp = tn_attend_by_head(dp, &q->type.shape);
    din[MASK] = tn_unbroadcast(tn_attend_slope(p, dp, mask, y->attrs), &mask->type.shape);
}

/* The logarithms by softmax's own steps; where nothing is seen, 0. */
static tn_tensor *logarithms(tn_tensor *scores, tn_tensor *mask)
{
    int hides = mask && mask->type.dtype == TN_I32;
    if (hides) scores = tn_where(mask, scores, tn_number(scores, -1e38));
    tn_tensor *top = tn_amax(scores, TN_AXES(3), 1), *e = tn_exp(tn_sub(scores, top));
    tn_tensor *all = tn_add(top, tn_log(tn_sum(e, TN_AXES(3), 1)));
    return hides ? tn_where(tn_gt(top, tn_number(top, -1e38)), all, tn_number(all, 0)) : all;
}

static tn_tensor *lower(tn_tensor *y)
{
    tn_tensor *mask = y->n_in > MASK ? y->in[MASK] : NULL, *scores = tn_attend_scores(y->in, mask, y->attrs);
    tn_tensor *p = tn_attend_by_group(tn_attend_weights(scores, mask), y->in[1]);
    tn_tensor *result = tn_matmul(p, y->in[2]);
    return tn_attend_flat((tn_tensor *[]){result, logarithms(scores, mask)}, 2);
}

/* A NaN among the scores, or all of them -infinity, gives NaN, as in softmax; where a mask of i32 leaves none above
 * that, 0. */
static void reference(const tn_reference_call *call)
{
    const tn_tensor_desc *q = &call->desc->in[0];
    const int64_t rows = q->dim[0] * q->dim[1] * q->dim[2], e = call->desc->in[2].dim[3];
    for (int64_t row = 0; row < rows; row++) {
        const tn_attend_row r = tn_attend_row_of(call, MASK, row);
        const int hides = r.mask && r.mask->dtype == TN_I32;
        double top = -INFINITY, sum = 0, score, *y = call->out[0] + row * e;
        for (int64_t j = 0; j < r.z.m; j++)
            if (tn_attend_score(&r, j, &score) && (score > top || score != score)) top = score;
        for (int64_t c = 0; c < e; c++) y[c] = 0;
        for (int64_t j = 0; j < r.z.m; j++) {
            const int seen = tn_attend_score(&r, j, &score);
            const double weight = seen ? exp(score - (top == -INFINITY ? 0 : top)) : 0;
            sum += weight;
            for (int64_t c = 0; c < e; c++) y[c] += weight * r.v[j * e + c];
        }
        const int nothing = hides && sum == 0;
        for (int64_t c = 0; c < e; c++) y[c] = nothing ? 0 : y[c] / sum;
        call->out[0][rows * e + row] = nothing ? 0 : top + log(sum);
    }
}

/* Two products, and softmax. */
static double flops(const tn_op_desc *desc)
{
    return tn_attend_pairs(desc) * (double)(2 * (desc->in[0].dim[3] + desc->in[2].dim[3]) + 5);
}

tn_tensor *tn_attend_tiles(tn_tensor *q, tn_tensor *k, tn_tensor *v, tn_tensor *mask, const tn_attend_node *at)
{
    return tn_node(&tn_op_attend, NULL, (tn_tensor *[]){q, k, v, mask}, mask ? 4 : 3, at);
}

/* ---- cases ---- */

static tn_tensor *case_with(tn_tensor *const in[], tn_tensor *mask, double scale, int64_t first, uint32_t causal)
{
    tn_attend_node at = {scale, first, causal, 0};
    return tn_attend_result(tn_attend_tiles(in[0], in[1], in[2], mask, &at), in[0], in[2]);
}

static tn_tensor *case_all(tn_tensor *const in[])
{
    return case_with(in, NULL, 0.5, 0, 0);
}

static tn_tensor *case_causal(tn_tensor *const in[])
{
    return case_with(in, NULL, 0.5, 0, 1);
}

static tn_tensor *case_later(tn_tensor *const in[])
{
    return case_with(in, NULL, 0.25, 9, 1);
}

static tn_tensor *case_added(tn_tensor *const in[])
{
    return case_with(in, in[3], 0.5, 0, 0);
}

static tn_tensor *case_hidden(tn_tensor *const in[])
{
    return case_with(in, tn_cast(tn_gt(in[3], tn_number(in[3], 0)), TN_I32), 0.5, 0, 0);
}

static tn_tensor *case_both(tn_tensor *const in[])
{
    return case_with(in, tn_cast(tn_gt(in[3], tn_number(in[3], 0.5)), TN_I32), 0.5, 2, 1);
}

/* Row 1 of each head sees nothing. */
static tn_tensor *case_wholly_hidden(tn_tensor *const in[])
{
    tn_tensor *row = tn_iota(tn_graph_of(in[0]), TN_SHAPE(1, 1, 5, 7), 2);
    return case_with(in, tn_ne(row, tn_number(row, 1)), 0.5, 0, 0);
}

static tn_tensor *case_logarithms(tn_tensor *const in[])
{
    tn_attend_node at = {0.5, 0, 1, 0};
    return tn_attend_tiles(in[0], in[1], in[2], NULL, &at);
}

static const tn_op_case cases[] = {
    {"one head", case_all, {F32(1, 1, 5, 8), F32(1, 1, 7, 8), F32(1, 1, 7, 3)}},
    {"heads in a batch", case_all, {F32(2, 3, 9, 4), F32(2, 3, 10, 4), F32(2, 3, 10, 5)}},
    {"causal", case_causal, {F32(1, 3, 17, 8), F32(1, 3, 17, 8), F32(1, 3, 17, 8)}},
    {"more keys than queries, causal", case_later, {F32(1, 2, 6, 5), F32(1, 2, 21, 5), F32(1, 2, 21, 6)}},
    {"heads that share keys", case_causal, {F32(2, 6, 7, 4), F32(2, 2, 9, 4), F32(2, 2, 9, 3)}},
    {"an added mask of each head", case_added, {F32(2, 2, 5, 3), F32(2, 2, 6, 3), F32(2, 2, 6, 4), F32(1, 2, 5, 6)}},
    {"an added mask of each sample", case_added, {F32(2, 2, 5, 3), F32(2, 1, 6, 3), F32(2, 1, 6, 4), F32(2, 1, 1, 6)}},
    {"hidden keys", case_hidden, {F32(2, 2, 5, 3), F32(2, 2, 6, 3), F32(2, 2, 6, 4), F32(2, 1, 5, 6)}},
    {"hidden keys, causal", case_both, {F32(1, 2, 9, 3), F32(1, 2, 11, 3), F32(1, 2, 11, 4), F32(1, 1, 9, 11)}},
    {"a query that sees nothing", case_wholly_hidden, {F32(1, 2, 5, 3), F32(1, 2, 7, 3), F32(1, 2, 7, 4)}},
    {"the logarithms, too", case_logarithms, {F32(1, 2, 7, 3), F32(1, 2, 7, 3), F32(1, 2, 7, 5)}, .no_gradient = 1},
    {"several tiles", case_later, {F32(1, 2, 131, 20), F32(1, 1, 301, 20), F32(1, 1, 301, 33)}, .no_gradient = 1},
    {"one number", case_all, {F32(1, 1, 1, 1), F32(1, 1, 1, 1), F32(1, 1, 1, 1)}},
    {0},
};

const tn_op_def tn_op_attend = {.name = "attend",
                                .crosses = tn_attend_crosses,
                                .doc =
                                    "attention in tiles: the values' mean by softmax(scale q k'), and its logarithms",
                                .kind = TN_KERNEL,
                                .arity = -1,
                                .traits = TN_MULTIPLIES | TN_HIDES,
                                TN_ATTRS(tn_attend_node, tn_attend_fields),
                                .shape = shape,
                                .grad = grad,
                                .lower = lower,
                                .describe = describe,
                                .reference = reference,
                                .flops = flops,
                                .cases = cases,
                                .factors = 1u << 2,
                                .budget = TN_BUDGET_SUM};
