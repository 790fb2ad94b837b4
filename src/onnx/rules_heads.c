/* rules_heads.c: attention as operators of the domain com.microsoft have it, which ONNX Runtime's optimiser and its
 * builder of language models write: queries, keys and values from one product or apart, with masks in several forms and
 * what is past. Their form is said in ONNX Runtime's ContribOperators.md. */
#include <math.h>

#include "rule.h"

/* Queries, keys and values (batch, heads, steps, size), and what is added to the scores, or NULL. */
typedef struct parts {
    tn_tensor *q, *k, *v, *bias;
} parts;

/* Columns of (b, t, ...) from one on, as heads. */
static tn_tensor *heads_from(tn_tensor *x, int64_t first, int64_t count, int64_t heads)
{
    return onnx_heads_of(tn_slice(x, 2, first, count, 1), heads);
}

/* 0 where it is so, else the number that hides. */
static tn_tensor *hide(const onnx_node *n, tn_tensor *is)
{
    tn_tensor *zero = tn_full(n->graph, TN_F32, TN_SCALAR, 0);
    return tn_where(is, zero, tn_number(zero, onnx_float(n, "mask_filter_value", -10000)));
}

/* The mask of keys, operand i: how many there are of each sample, with or without where they begin, or a truth value
 * for each key, also for each query, also for each head. */
static tn_tensor *key_mask(onnx_node *n, uint32_t i, int64_t batch, int64_t keys)
{
    tn_tensor *mask = onnx_in(n, i);
    if (!mask) return NULL;
    const tn_shape shape = tn_shape_of(mask);
    tn_tensor *place = tn_iota(n->graph, TN_SHAPE(1, 1, 1, keys), 3), *zero = tn_number(mask, 0);
    if (shape.rank == 1 && (shape.dim[0] == batch || shape.dim[0] == 2 * batch)) {
        tn_tensor *is = tn_lt(place, tn_reshape(tn_slice(mask, 0, 0, batch, 1), TN_SHAPE(batch, 1, 1, 1)));
        if (shape.dim[0] == batch) return hide(n, is);
        tn_tensor *begin = tn_reshape(tn_slice(mask, 0, batch, batch, 1), TN_SHAPE(batch, 1, 1, 1));
        return hide(n, tn_logical_and(is, tn_ge(place, begin)));
    }
    if (shape.rank == 2) return hide(n, tn_ne(tn_reshape(mask, TN_SHAPE(shape.dim[0], 1, 1, shape.dim[1])), zero));
    if (shape.rank == 3) return hide(n, tn_ne(tn_unsqueeze(mask, 1), zero));
    onnx_cannot(n, "a mask of %lld numbers for %lld samples", (long long)tn_shape_count(&shape), (long long)batch);
    return NULL;
}

static tn_tensor *plus(tn_tensor *x, tn_tensor *more)
{
    return x && more ? tn_add(x, more) : x ? x : more;
}

/* Queries are the last of the keys; what comes behind one is hidden from it. */
static tn_tensor *hide_later(const onnx_node *n, int64_t queries, int64_t keys)
{
    const tn_shape table = TN_SHAPE(1, 1, queries, keys);
    tn_tensor *place = tn_iota(n->graph, table, 2), *zero = tn_full(n->graph, TN_F32, TN_SCALAR, 0);
    tn_tensor *is = tn_le(tn_iota(n->graph, table, 3), tn_add(place, tn_number(place, (double)(keys - queries))));
    return tn_where(is, zero, tn_number(zero, -(double)INFINITY));
}

/* (b, t, heads size of a value). */
static tn_tensor *attend(onnx_node *n, const parts *p)
{
    const double given = onnx_float(n, "scale", 0), cap = onnx_float(n, "softcap", 0);
    const double scale = given != 0 ? given : 1 / sqrt((double)onnx_dim(p->q, 3));
    tn_tensor *scores = tn_mul(tn_matmul_t(p->q, p->k, 0, 1), tn_number(p->q, scale));
    if (cap > 0) scores = tn_mul(tn_tanh(tn_div(scores, tn_number(scores, cap))), tn_number(scores, cap));
    if (p->bias) scores = tn_add(scores, p->bias);
    return onnx_whole_of(tn_matmul(tn_softmax(scores, 3), p->v));
}

/* What is past stands before what comes now. */
static tn_tensor *behind(tn_tensor *past, tn_tensor *now)
{
    return past ? tn_concat((tn_tensor *[]){past, now}, 2, 2) : now;
}

/* Everything that hides: mask, what comes later, and what the file adds. */
static tn_tensor *bias_of(onnx_node *n, const parts *p, uint32_t mask, uint32_t added)
{
    const int64_t queries = onnx_dim(p->q, 2), keys = onnx_dim(p->k, 2);
    tn_tensor *bias = plus(onnx_in(n, added), key_mask(n, mask, onnx_dim(p->q, 0), keys));
    return onnx_int(n, "unidirectional", 0) ? plus(bias, hide_later(n, queries, keys)) : bias;
}

/* ---- from one product ---- */

/* The widths of queries, keys and values: thirds, or as the attribute has it. */
static int widths_of(onnx_node *n, int64_t all, int64_t heads, int64_t width[3])
{
    for (int i = 0; i < 3; i++) width[i] = all / 3;
    if (onnx_attr(n, "qkv_hidden_sizes") && onnx_ints(n, "qkv_hidden_sizes", width, 3) != 3) return 0;
    for (int i = 0; i < 3; i++)
        if (heads < 1 || width[i] < 1 || width[i] > all || width[i] % heads) return 0;
    return width[0] + width[1] + width[2] == all;
}

/* Keys and values of before are operand 4, (2, b, heads, past, size), and those of now and before result 1. */
static void remember(onnx_node *n, parts *p)
{
    tn_tensor *past = onnx_in(n, 4);
    if (past) {
        p->k = behind(tn_squeeze(tn_slice(past, 0, 0, 1, 1), 0), p->k);
        p->v = behind(tn_squeeze(tn_slice(past, 0, 1, 1, 1), 0), p->v);
    }
    if (onnx_wants(n, 1)) onnx_out(n, 1, tn_stack((tn_tensor *[]){p->k, p->v}, 2, 0));
}

void onnx_rule_fused_attention(onnx_node *n)
{
    int64_t width[3];
    tn_tensor *x = onnx_in(n, 0), *w = onnx_in(n, 1);
    const int64_t heads = onnx_int(n, "num_heads", 0);
    if (!x || !w || tn_shape_of(x).rank != 3) return;
    if (!widths_of(n, onnx_dim(w, 1), heads, width)) onnx_cannot(n, "its heads and widths");
    if (onnx_in(n, 6) || onnx_int(n, "past_present_share_buffer", 0)) onnx_cannot(n, "a cache that is shared");
    if (onnx_int(n, "do_rotary", 0)) onnx_cannot(n, "attribute do_rotary");
    onnx_heeded(n, "rotary_embedding_dim");
    if (n->failed) return;
    x = plus(tn_matmul(x, w), onnx_in(n, 2));
    parts p = {.q = heads_from(x, 0, width[0], heads), .k = heads_from(x, width[0], width[1], heads)};
    p.v = heads_from(x, width[0] + width[1], width[2], heads);
    remember(n, &p);
    p.bias = bias_of(n, &p, 3, 5);
    onnx_out(n, 0, attend(n, &p));
}

/* ---- apart ---- */

/* (b, t, width) with its part of a bias, as heads; four dimensions are heads already. */
static tn_tensor *with_bias(tn_tensor *x, tn_tensor *bias, int64_t first, int64_t heads)
{
    if (tn_shape_of(x).rank == 3 && bias) x = tn_add(x, tn_slice(bias, 0, first, onnx_dim(x, 2), 1));
    return onnx_heads_of(x, heads);
}

static int read_parts(onnx_node *n, int64_t heads, parts *p)
{
    tn_tensor *q = onnx_in(n, 0), *k = onnx_in(n, 1), *v = onnx_in(n, 2), *bias = onnx_in(n, 3);
    if (!q || heads < 1) return 0;
    if (!k || !v) onnx_cannot(n, "queries, keys and values in one operand");
    if (n->failed || tn_shape_of(q).rank != 3) return 0;
    const int64_t width = onnx_dim(q, 2);
    p->q = with_bias(q, bias, 0, heads);
    p->k = with_bias(k, bias, width, heads);
    p->v = with_bias(v, bias, 2 * width, heads);
    return 1;
}

void onnx_rule_multi_head_attention(onnx_node *n)
{
    parts p = {0};
    if (onnx_in(n, 8) || onnx_in(n, 9)) onnx_cannot(n, "a cache that is shared");
    if (n->failed || !read_parts(n, onnx_int(n, "num_heads", 0), &p)) return;
    p.k = behind(onnx_in(n, 6), p.k), p.v = behind(onnx_in(n, 7), p.v);
    onnx_out(n, 1, p.k);
    onnx_out(n, 2, p.v);
    p.bias = bias_of(n, &p, 4, 5);
    onnx_out(n, 0, attend(n, &p));
}
