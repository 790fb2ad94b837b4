/* attend_shared.c: see attend.h. */
#include "attend.h"

#include <math.h>

#include "check.h"

const tn_field tn_attend_fields[] = {TN_FIELD(tn_attend_node, scale, NUMBER),
                                     TN_FIELD(tn_attend_node, first, SIZE),
                                     TN_FIELD(tn_attend_node, causal, FLAG),
                                     TN_FIELD(tn_attend_node, reserved, NOTHING),
                                     {0}};

const tn_field tn_attend_crosses[] = {TN_FIELD(tn_attend_attrs, scale, HIDDEN),
                                      TN_FIELD(tn_attend_attrs, first, SIZE),
                                      TN_FIELD(tn_attend_attrs, causal, FLAG),
                                      TN_FIELD(tn_attend_attrs, reserved, NOTHING),
                                      {0}};

/* ---- shapes ---- */

static int is_mask_of(const tn_shape *mask, const tn_shape *q, const tn_shape *k)
{
    int fits = mask->rank == 4 && mask->dim[3] == k->dim[2];
    for (int32_t d = 0; fits && d < 3; d++) fits = mask->dim[d] == 1 || mask->dim[d] == q->dim[d];
    return fits;
}

tn_status tn_attend_require(const char *op, tn_tensor *const in[], uint32_t n_in, uint32_t fixed,
                            const tn_attend_node *at)
{
    const tn_shape *q = &in[0]->type.shape, *k = &in[1]->type.shape, *v = &in[2]->type.shape;
    TN_REQUIRE(n_in == fixed || n_in == fixed + 1, TN_EINVAL, "%s: %u operands", op, n_in);
    TN_TRY(tn_require_type(op, in[0], 0));
    int fits = q->rank == 4 && k->rank == 4 && v->rank == 4 && at->first >= 0 && isfinite(at->scale);
    for (int32_t d = 0; fits && d < 3; d++) fits = k->dim[d] == v->dim[d];
    fits = fits && q->dim[0] == k->dim[0] && q->dim[3] == k->dim[3] && k->dim[1] > 0 && q->dim[1] % k->dim[1] == 0;
    for (uint32_t i = 0; fits && i < fixed; i++) fits = in[i]->type.dtype == in[0]->type.dtype;
    if (fits && n_in > fixed) {
        const tn_type *mask = &in[fixed]->type;
        fits = is_mask_of(&mask->shape, q, k) && (mask->dtype == TN_I32 || mask->dtype == in[0]->type.dtype);
    }
    char a[160], b[160], c[160];
    TN_REQUIRE(fits, TN_ESHAPE, "%s: queries %s, keys %s, values %s, or what is with them, do not fit", op,
               tn_shape_text(q, a, sizeof a), tn_shape_text(k, b, sizeof b), tn_shape_text(v, c, sizeof c));
    return TN_OK;
}

static tn_tensor_desc stretched(const tn_type *mask, const tn_shape *q)
{
    tn_tensor_desc desc = tn_desc_dense(mask->dtype, &mask->shape);
    for (int32_t d = 0; d < 3; d++)
        if (desc.dim[d] != q->dim[d]) desc.dim[d] = q->dim[d], desc.stride[d] = 0;
    return desc;
}

void tn_attend_describe(const tn_tensor *y, uint32_t mask, tn_operation *o)
{
    const tn_attend_node *at = y->attrs;
    o->attrs.attend = (tn_attend_attrs){sizeof o->attrs.attend, at->scale, at->first, at->causal, 0};
    for (uint32_t i = 0; i < y->n_in; i++) o->in[i] = tn_desc_dense(y->in[i]->type.dtype, &y->in[i]->type.shape);
    if (y->n_in > mask) o->in[mask] = stretched(&y->in[mask]->type, &y->in[0]->type.shape);
    o->out[0] = tn_desc_dense(y->type.dtype, &y->type.shape);
}

int tn_attend_is_empty(const tn_tensor *q, const tn_tensor *k, const tn_tensor *v)
{
    return !tn_shape_count(&q->type.shape) || !tn_shape_count(&k->type.shape) || !tn_shape_count(&v->type.shape);
}

/* ---- pieces of vectors ---- */

tn_tensor *tn_attend_piece(tn_tensor *flat, int64_t start, tn_shape shape)
{
    return tn_reshape(tn_slice(flat, 0, start, tn_shape_count(&shape), 1), shape);
}

tn_tensor *tn_attend_flat(tn_tensor *const x[], uint32_t count)
{
    tn_tensor *flat[4];
    for (uint32_t i = 0; i < count; i++) flat[i] = tn_reshape(x[i], TN_SHAPE(tn_shape_count(&x[i]->type.shape)));
    return tn_concat(flat, count, 0);
}

/* ---- by other operators ---- */

tn_tensor *tn_attend_by_group(tn_tensor *x, const tn_tensor *k)
{
    tn_shape s = x->type.shape;
    s.dim[2] *= s.dim[1] / k->type.shape.dim[1];
    s.dim[1] = k->type.shape.dim[1];
    return tn_reshape(x, s);
}

tn_tensor *tn_attend_by_head(tn_tensor *x, const tn_shape *like)
{
    tn_shape s = x->type.shape;
    s.dim[1] = like->dim[1], s.dim[2] = like->dim[2];
    return tn_reshape(x, s);
}

/* (n, m): 1 where a query sees a key. */
static tn_tensor *is_seen(tn_tensor *scores, const tn_attend_node *at)
{
    const tn_shape *s = &scores->type.shape;
    tn_tensor *query = tn_iota(scores->graph, TN_SHAPE(s->dim[2], 1), 0),
              *key = tn_iota(scores->graph, TN_SHAPE(1, s->dim[3]), 1);
    return tn_le(key, at->first ? tn_add(query, tn_number(query, (double)at->first)) : query);
}

static tn_tensor *hide(tn_tensor *x, const tn_attend_node *at, double hidden)
{
    return at->causal ? tn_where(is_seen(x, at), x, tn_number(x, hidden)) : x;
}

/* What an i32 mask hides is left to the weights. */
tn_tensor *tn_attend_scores(tn_tensor *const in[], tn_tensor *mask, const tn_attend_node *at)
{
    tn_tensor *s = tn_matmul_t(tn_attend_by_group(in[0], in[1]), in[1], 0, 1);
    s = tn_attend_by_head(tn_mul(s, tn_number(s, at->scale)), &in[0]->type.shape);
    if (mask && mask->type.dtype != TN_I32) s = tn_add(s, mask);
    return hide(s, at, -INFINITY);
}

tn_tensor *tn_attend_weights(tn_tensor *scores, tn_tensor *mask)
{
    return mask && mask->type.dtype == TN_I32 ? tn_masked_softmax(scores, mask, -1) : tn_softmax(scores, -1);
}

tn_tensor *tn_attend_slope(tn_tensor *weights, tn_tensor *slope, tn_tensor *mask, const tn_attend_node *at)
{
    tn_tensor *mean = tn_sum(tn_mul(slope, weights), TN_AXES(3), 1), *s = tn_mul(weights, tn_sub(slope, mean));
    if (mask && mask->type.dtype == TN_I32) s = tn_where(mask, s, tn_number(s, 0));
    return hide(s, at, 0);
}

/* ---- references ---- */

tn_attend_row tn_attend_row_of(const tn_reference_call *call, uint32_t mask, int64_t row)
{
    const tn_tensor_desc *in = call->desc->in;
    const int64_t *q = in[0].dim, *k = in[1].dim, *v = in[2].dim;
    tn_attend_row r = {.at = call->desc->attrs};
    r.z.o = q[0], r.z.h = q[1], r.z.n = q[2], r.z.d = q[3], r.z.g = k[1], r.z.m = k[2], r.z.e = v[3];
    r.head = row / r.z.n, r.query = row % r.z.n;
    const int64_t group = r.head / r.z.h * r.z.g + r.head % r.z.h / (r.z.h / r.z.g);
    r.q = call->in[0] + row * r.z.d;
    r.k = call->in[1] + group * r.z.m * r.z.d;
    r.v = call->in[2] + group * r.z.m * r.z.e;
    if (call->desc->n_in > mask) r.mask = &in[mask], r.mask_at = call->in[mask] + row * r.z.m;
    return r;
}

int tn_attend_score(const tn_attend_row *r, int64_t j, double *score)
{
    int seen = !r->at->causal || j <= r->query + r->at->first;
    double sum = 0;
    for (int64_t i = 0; i < r->z.d; i++) sum += r->q[i] * r->k[j * r->z.d + i];
    *score = sum * r->at->scale;
    if (!r->mask) return seen;
    if (r->mask->dtype == TN_I32) return seen && r->mask_at[j] != 0;
    *score += r->mask_at[j];
    return seen;
}

double tn_attend_pairs(const tn_op_desc *desc)
{
    const tn_attend_attrs *at = desc->attrs;
    const int64_t n = desc->in[0].dim[2], m = desc->in[1].dim[2];
    double pairs = 0;
    for (int64_t i = 0; i < n && at->causal; i++) pairs += (double)(i + at->first + 1 < m ? i + at->first + 1 : m);
    return (double)(desc->in[0].dim[0] * desc->in[0].dim[1]) * (at->causal ? pairs : (double)n * (double)m);
}
