/* attention.c: softmax over what a mask lets through, and scaled dot-product attention: softmax(q k' / sqrt(d)) v.
 * Vaswani and others, "Attention is all you need", 2017. Composites that a backend may take over. */
#include <math.h>

#include "along.h"
#include "attend.h"
#include "cases.h"
#include "composite.h"
#include "given.h"

/* ---- softmax where a mask is not 0 ---- */

#define FAR_BELOW (-1e38) /* stands for minus infinity, of which differences would be NaN */

typedef struct masked_attrs {
    uint32_t axis;
    uint32_t reserved;
} masked_attrs;

static tn_status shape_masked(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    tn_shape both;
    char x[160], m[160];
    (void)n_in, (void)raw;
    TN_TRY(tn_require_type("masked_softmax", in[0], 0));
    tn_status s = tn_shape_broadcast(&in[0]->type.shape, &in[1]->type.shape, &both);
    TN_REQUIRE(!s && tn_shape_equal(&both, &in[0]->type.shape), TN_ESHAPE, "masked_softmax: a mask of shape %s for %s",
               tn_shape_text(&in[1]->type.shape, m, sizeof m), tn_shape_text(&in[0]->type.shape, x, sizeof x));
    *out = in[0]->type;
    return TN_OK;
}

/* Where nothing above minus infinity is let through, all are 0. */
static tn_tensor *lower_masked(tn_tensor *y)
{
    tn_tensor *x = y->in[0], *mask = tn_where(y->in[1], tn_ne(x, tn_number(x, -INFINITY)), tn_number(x, 0));
    tn_tensor *let = tn_where(mask, x, tn_number(x, FAR_BELOW));
    return tn_where(mask, tn_softmax(let, (int32_t)((const masked_attrs *)y->attrs)->axis), tn_number(x, 0));
}

static void reference_masked(const tn_reference_call *call)
{
    const tn_tensor_desc *x = &call->desc->in[0], *mask = &call->desc->in[1];
    uint32_t axes = 1u << ((const masked_attrs *)call->desc->attrs)->axis;
    int64_t count = tn_desc_count(x), size = tn_group_size(x, axes);
    for (int64_t group = 0; count && group < count / size; group++) {
        double top = -INFINITY, sum = 0;
        for (int64_t i = 0; i < size; i++) {
            int64_t e = tn_group_member(x, axes, group, i);
            if (call->in[1][tn_stretched_index(mask, x, e)] != 0) top = fmax(top, call->in[0][e]);
        }
        for (int64_t i = 0; i < size; i++) {
            int64_t e = tn_group_member(x, axes, group, i);
            int let = call->in[1][tn_stretched_index(mask, x, e)] != 0;
            sum += call->out[0][e] = let ? exp(call->in[0][e] - (top > -INFINITY ? top : 0)) : 0;
        }
        for (int64_t i = 0; i < size && sum != 0; i++) call->out[0][tn_group_member(x, axes, group, i)] /= sum;
    }
}

tn_tensor *tn_masked_softmax(tn_tensor *x, tn_tensor *mask, int32_t axis)
{
    TN_OPERANDS(x, mask);
    masked_attrs at = {0};
    if (!tn_find_axis("masked_softmax", x, axis, &at.axis)) return x;
    return tn_node(&tn_op_masked_softmax, NULL, (tn_tensor *[]){x, mask}, 2, &at);
}

/* ---- attention ---- */

typedef struct attrs {
    uint32_t causal;
    uint32_t reserved;
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_shape *q = &in[0]->type.shape, *k = &in[1]->type.shape, *v = &in[2]->type.shape;
    int32_t rank = q->rank;
    char a[160], b[160], c[160];
    int fits = rank >= 2 && k->rank == rank && v->rank == rank;
    (void)n_in, (void)raw;
    TN_TRY(tn_require_type("attention", in[0], 0));
    for (int32_t d = 0; fits && d < rank - 2; d++) fits = q->dim[d] == k->dim[d] && q->dim[d] == v->dim[d];
    fits = fits && q->dim[rank - 1] == k->dim[rank - 1] && k->dim[rank - 2] == v->dim[rank - 2];
    TN_REQUIRE(fits && in[1]->type.dtype == in[0]->type.dtype && in[2]->type.dtype == in[0]->type.dtype, TN_ESHAPE,
               "attention: queries %s, keys %s and values %s do not fit", tn_shape_text(q, a, sizeof a),
               tn_shape_text(k, b, sizeof b), tn_shape_text(v, c, sizeof c));
    *out = in[0]->type;
    out->shape.dim[rank - 1] = v->dim[rank - 1];
    return TN_OK;
}

/* Whatever stands before the last two dimensions is as good as heads. */
static tn_tensor *as_heads(tn_tensor *x)
{
    const tn_shape *s = &x->type.shape;
    int64_t rows = s->dim[s->rank - 2], width = s->dim[s->rank - 1], heads = s->rank > 2 ? s->dim[s->rank - 3] : 1;
    int64_t each = heads * rows * width;
    return tn_reshape(x, TN_SHAPE(each ? tn_shape_count(s) / each : 0, heads, rows, width));
}

/* By the operator that never stores the scores, which devices may refuse; of nothing there is nothing to be said but by
 * products. */
static tn_tensor *lower(tn_tensor *y)
{
    tn_tensor *q = y->in[0], *k = y->in[1], *v = y->in[2];
    double width = (double)q->type.shape.dim[q->type.shape.rank - 1];
    tn_attend_node at = {width > 0 ? 1 / sqrt(width) : 0, 0, ((const attrs *)y->attrs)->causal, 0};
    if (tn_attend_is_empty(q, k, v)) return tn_matmul(tn_softmax(tn_matmul_t(q, k, 0, 1), -1), v);
    tn_tensor *heads[] = {as_heads(q), as_heads(k), as_heads(v)};
    tn_tensor *both = tn_attend_tiles(heads[0], heads[1], heads[2], NULL, &at);
    return tn_reshape(tn_attend_result(both, heads[0], heads[2]), y->type.shape);
}

/* The score of one query and one key. */
static double score(const double *q, const double *k, int64_t width)
{
    double sum = 0;
    for (int64_t i = 0; i < width; i++) sum += q[i] * k[i];
    return width ? sum / sqrt((double)width) : 0;
}

/* One query, `width` numbers, against so many keys: the mean of their values, `out` numbers each. */
static void attend(const double *q, const double *k, const double *v, int64_t keys, int64_t width, int64_t out,
                   double *y)
{
    double top = -INFINITY, sum = 0;
    for (int64_t j = 0; j < keys; j++) top = fmax(top, score(q, k + j * width, width));
    for (int64_t c = 0; c < out; c++) y[c] = 0;
    for (int64_t j = 0; j < keys; j++) {
        double weight = exp(score(q, k + j * width, width) - top);
        sum += weight;
        for (int64_t c = 0; c < out; c++) y[c] += weight * v[j * out + c];
    }
    for (int64_t c = 0; c < out && sum != 0; c++) y[c] /= sum;
}

static void reference(const tn_reference_call *call)
{
    const tn_tensor_desc *q = &call->desc->in[0], *k = &call->desc->in[1], *y = &call->desc->out[0];
    int32_t rank = q->rank, causal = (int32_t)((const attrs *)call->desc->attrs)->causal;
    int64_t rows = q->dim[rank - 2], keys = k->dim[rank - 2], width = q->dim[rank - 1], out = y->dim[rank - 1];
    for (int64_t row = 0; row < tn_group_size(y, (1u << (rank - 1)) - 1); row++) {
        int64_t batch = row / rows, seen = causal && row % rows + 1 < keys ? row % rows + 1 : keys;
        attend(call->in[0] + row * width, call->in[1] + batch * keys * width, call->in[2] + batch * keys * out, seen,
               width, out, call->out[0] + row * out);
    }
}

tn_tensor *tn_attention(tn_tensor *q, tn_tensor *k, tn_tensor *v, int causal)
{
    attrs at = {!!causal, 0};
    return tn_node(&tn_op_attention, NULL, (tn_tensor *[]){q, k, v}, 3, &at);
}

/* ---- cases ---- */

static tn_tensor *case_all(tn_tensor *const in[])
{
    return tn_attention(in[0], in[1], in[2], 0);
}

static tn_tensor *case_causal(tn_tensor *const in[])
{
    return tn_attention(in[0], in[1], in[2], 1);
}

static tn_tensor *case_masked(tn_tensor *const in[])
{
    return tn_masked_softmax(in[0], in[1], -1);
}

static tn_tensor *case_masked_wholly(tn_tensor *const in[])
{
    return tn_masked_softmax(in[0], tn_gt(in[0], tn_number(in[0], 100)), -1);
}

static tn_tensor *case_masked_first(tn_tensor *const in[])
{
    return tn_masked_softmax(in[0], in[1], 0);
}

static const tn_op_case cases[] = {
    {"one head", case_all, {F32(5, 8), F32(7, 8), F32(7, 3)}},
    {"heads in a batch", case_all, {F32(2, 3, 9, 4), F32(2, 3, 9, 4), F32(2, 3, 9, 4)}},
    {"causal", case_causal, {F32(3, 17, 8), F32(3, 17, 8), F32(3, 17, 8)}},
    {"causal, one place", case_causal, {F32(2, 1, 4), F32(2, 1, 4), F32(2, 1, 4)}},
    {"no queries", case_causal, {F32(2, 0, 4), F32(2, 3, 4), F32(2, 3, 4)}},
    {0},
};

static const tn_op_case cases_masked[] = {
    {"a mask of each row", case_masked, {F32(33, 7), I32(33, 7)}, 0, 1},
    {"one mask for all", case_masked, {F32(3, 5, 9), I32(9)}, -1, 1},
    {"the first axis", case_masked_first, {F32(13, 5), I32(13, 1)}, 0, 1},
    {"nothing is let through", case_masked_wholly, {F32(4, 5)}},
    {"no rows", case_masked, {F32(0, 5), I32(5)}, 0, 1},
    {0},
};

static const tn_field fields[] = {TN_FIELD(attrs, causal, FLAG), TN_FIELD(attrs, reserved, NOTHING), {0}};

static const tn_field masked_fields[] = {
    TN_FIELD(masked_attrs, axis, AXIS), TN_FIELD(masked_attrs, reserved, NOTHING), {0}};

const tn_op_def tn_op_attention = {.name = "attention",
                                   .doc = "softmax(q k' / sqrt(d)) v",
                                   .kind = TN_COMPOSITE,
                                   .arity = 3,
                                   .traits = TN_HIDES,
                                   TN_ATTRS(attrs, fields),
                                   .shape = shape,
                                   .lower = lower,
                                   .reference = reference,
                                   .cases = cases};

const tn_op_def tn_op_masked_softmax = {.name = "masked_softmax",
                                        .doc = "softmax over the elements whose mask is not 0; the others are 0",
                                        .kind = TN_COMPOSITE,
                                        .arity = 2,
                                        TN_ATTRS(masked_attrs, masked_fields),
                                        .shape = shape_masked,
                                        .lower = lower_masked,
                                        .reference = reference_masked,
                                        .cases = cases_masked};
