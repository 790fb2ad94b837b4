/* rules_attention.c: attention with masks, caches and shared heads, and rotary embeddings. */
#include <math.h>

#include "rule.h"

/* (b, t, heads d) -> (b, heads, t, d); four dimensions stay. */
tn_tensor *onnx_heads_of(tn_tensor *x, int64_t heads)
{
    if (tn_shape_of(x).rank == 4) return x;
    x = tn_reshape(x, TN_SHAPE(onnx_dim(x, 0), onnx_dim(x, 1), heads, onnx_dim(x, 2) / heads));
    return tn_transpose(x, (const int32_t[]){0, 2, 1, 3});
}

tn_tensor *onnx_whole_of(tn_tensor *x)
{
    x = tn_transpose(x, (const int32_t[]){0, 2, 1, 3});
    return tn_reshape(x, TN_SHAPE(onnx_dim(x, 0), onnx_dim(x, 1), onnx_dim(x, 2) * onnx_dim(x, 3)));
}

static tn_tensor *behind(tn_tensor *past, tn_tensor *now)
{
    return past ? tn_concat((tn_tensor *[]){past, now}, 2, 2) : now;
}

/* Something more is added, if there is something yet. */
static tn_tensor *plus(tn_tensor *bias, tn_tensor *more)
{
    return bias ? tn_add(bias, more) : more;
}

/* 0 where it is so, else minus infinity. */
static tn_tensor *only_where(tn_tensor *is, tn_tensor *scores)
{
    return tn_where(is, tn_number(scores, 0), tn_number(scores, -(double)INFINITY));
}

/* The mask as it is added, over all keys. */
static tn_tensor *mask_of(onnx_node *n, tn_tensor *scores)
{
    tn_tensor *mask = onnx_in(n, 3);
    if (!mask) return NULL;
    if (!tn_shape_of(mask).rank) mask = tn_reshape(mask, TN_SHAPE(1));
    mask = onnx_type(n, 3) == ONNX_BOOL ? only_where(mask, scores) : tn_cast(mask, tn_dtype_of(scores));
    int64_t missing = onnx_dim(scores, 3) - onnx_dim(mask, -1);
    return missing > 0 ? onnx_pad_number(mask, tn_shape_of(mask).rank - 1, 0, missing, -(double)INFINITY) : mask;
}

/* What is added to the scores (b, h, m, n): the mask, and minus infinity where something is hidden: what comes later,
 * lies beyond a window around the query, or beyond the sample's length. Queries come behind what is past. */
static tn_tensor *bias_of(onnx_node *n, tn_tensor *scores, int64_t past)
{
    tn_tensor *length = onnx_in(n, 6), *bias = mask_of(n, scores);
    int64_t left = onnx_int(n, "left_window_size", -1), right = onnx_int(n, "right_window_size", -1);
    tn_shape table = TN_SHAPE(1, 1, onnx_dim(scores, 2), onnx_dim(scores, 3));
    tn_tensor *key = tn_iota(n->graph, table, 3), *place = tn_iota(n->graph, table, 2);
    if (length) length = tn_reshape(length, TN_SHAPE(-1, 1, 1, 1));
    if (length)
        place = tn_add(place, tn_sub(length, tn_number(length, (double)table.dim[2])));
    else
        place = tn_add(place, tn_number(place, (double)past));
    if (onnx_int(n, "is_causal", 0)) bias = plus(bias, only_where(tn_le(key, place), scores));
    if (left >= 0) bias = plus(bias, only_where(tn_ge(key, tn_sub(place, tn_number(key, (double)left))), scores));
    if (right >= 0) bias = plus(bias, only_where(tn_le(key, tn_add(place, tn_number(key, (double)right))), scores));
    return length ? plus(bias, only_where(tn_lt(key, length), scores)) : bias;
}

/* What the fourth output shows of the scores. */
enum { SCORES, CAPPED, BIASED, SOFTMAX };

/* Rows in which all is hidden are 0. */
static tn_tensor *softmax_of(tn_tensor *scores)
{
    tn_tensor *most = tn_amax(scores, TN_AXES(3), 1);
    tn_tensor *none = tn_eq(most, tn_number(most, -(double)INFINITY));
    return tn_where(none, tn_number(scores, 0), tn_softmax(tn_where(none, tn_number(scores, 0), scores), 3));
}

/* What tn_attend can say: nothing is added to the scores or shown of them; heads share keys there. */
static int is_plain(onnx_node *n, tn_tensor *k)
{
    tn_tensor *mask = onnx_in(n, 3);
    int hides =
        !mask || (onnx_type(n, 3) == ONNX_BOOL && tn_shape_of(mask).rank && onnx_dim(mask, -1) == onnx_dim(k, 2));
    return hides && !onnx_in(n, 6) && onnx_float(n, "softcap", 0) == 0 && !onnx_wants(n, 3) &&
           onnx_int(n, "left_window_size", -1) < 0 && onnx_int(n, "right_window_size", -1) < 0;
}

static tn_tensor *attend(onnx_node *n, tn_tensor *q, tn_tensor *k, tn_tensor *v, int64_t past)
{
    double scale = sqrt(onnx_float(n, "scale", 1 / sqrt((double)onnx_dim(q, 3)))), cap = onnx_float(n, "softcap", 0);
    tn_tensor *scores = tn_matmul_t(tn_mul(q, tn_number(q, scale)), tn_mul(k, tn_number(k, scale)), 0, 1);
    tn_tensor *bias = bias_of(n, scores, past), *shown[4];
    shown[SCORES] = scores;
    if (cap > 0) scores = tn_mul(tn_tanh(tn_div(scores, tn_number(scores, cap))), tn_number(scores, cap));
    shown[CAPPED] = scores;
    if (bias) scores = tn_add(scores, bias);
    shown[BIASED] = scores;
    int64_t mode = onnx_int(n, "qk_matmul_output_mode", 0);
    onnx_heeded(n, "softmax_precision"); /* f32 at the least */
    tn_tensor *p = shown[SOFTMAX] = softmax_of(scores);
    if (mode >= 0 && mode < 4) onnx_out(n, 3, shown[mode]);
    return tn_matmul(p, v);
}

static tn_tensor *attend_plainly(onnx_node *n, tn_tensor *q, tn_tensor *k, tn_tensor *v, int64_t past)
{
    tn_attend_options o = {.mask = onnx_in(n, 3), .first = past};
    o.scale = onnx_float(n, "scale", 1 / sqrt((double)onnx_dim(q, 3)));
    o.causal = onnx_int(n, "is_causal", 0) != 0;
    (void)onnx_int(n, "qk_matmul_output_mode", 0);
    onnx_heeded(n, "softmax_precision"); /* f32 at the least */
    return tn_attend(q, k, v, o);
}

/* Heads of keys and values that several heads of queries share stand side by side with these. */
static tn_tensor *shared(tn_tensor *x, int64_t times)
{
    return times > 1 ? tn_repeat(x, 1, times) : x;
}

void onnx_rule_attention(onnx_node *n)
{
    tn_tensor *q = onnx_in(n, 0), *k = onnx_in(n, 1), *v = onnx_in(n, 2), *past_k = onnx_in(n, 4),
              *past_v = onnx_in(n, 5);
    int64_t q_heads = onnx_int(n, "q_num_heads", 0), kv_heads = onnx_int(n, "kv_num_heads", q_heads);
    if (!q || !k || !v) return;
    int is_flat = tn_shape_of(q).rank == 3, rank = tn_shape_of(q).rank;
    if (is_flat && (q_heads < 1 || kv_heads < 1)) onnx_cannot(n, "q_num_heads is not there");
    if (rank < 3 || rank > 4 || tn_shape_of(k).rank != rank || tn_shape_of(v).rank != rank)
        onnx_cannot(n, "queries, keys and values of ranks %d, %d and %d", rank, tn_shape_of(k).rank,
                    tn_shape_of(v).rank);
    if (n->failed) return;
    q = onnx_heads_of(q, q_heads), k = onnx_heads_of(k, kv_heads), v = onnx_heads_of(v, kv_heads);
    k = behind(past_k, k), v = behind(past_v, v);
    onnx_out(n, 1, k);
    onnx_out(n, 2, v);
    int64_t times = onnx_dim(k, 1) ? onnx_dim(q, 1) / onnx_dim(k, 1) : 1, past = past_k ? onnx_dim(past_k, 2) : 0;
    tn_tensor *y =
        is_plain(n, k) ? attend_plainly(n, q, k, v, past) : attend(n, q, shared(k, times), shared(v, times), past);
    onnx_out(n, 0, is_flat ? onnx_whole_of(y) : y);
}

/* ---- rotary ---- */

/* The halves of what is turned: neighbours if they are interleaved. */
static void halves(tn_tensor *x, int interleaved, tn_tensor *half[2])
{
    int64_t count = onnx_dim(x, -1) / 2;
    for (int i = 0; i < 2; i++) half[i] = tn_slice(x, -1, interleaved ? i : i * count, count, interleaved ? 2 : 1);
}

tn_tensor *onnx_rotated(onnx_node *n, tn_tensor *x, tn_tensor *cosine, tn_tensor *sine)
{
    const int interleaved = onnx_int(n, "interleaved", 0) != 0;
    int64_t size = onnx_dim(x, 3), turned = onnx_int(n, "rotary_embedding_dim", 0);
    tn_tensor *half[2];
    if (!turned) turned = size;
    tn_tensor *rest = turned < size ? tn_slice(x, 3, turned, size - turned, 1) : NULL;
    halves(rest ? tn_slice(x, 3, 0, turned, 1) : x, interleaved, half);
    cosine = tn_unsqueeze(tn_slice(cosine, -1, 0, turned / 2, 1), 1);
    sine = tn_unsqueeze(tn_slice(sine, -1, 0, turned / 2, 1), 1);
    tn_tensor *a = tn_sub(tn_mul(cosine, half[0]), tn_mul(sine, half[1]));
    tn_tensor *b = tn_add(tn_mul(sine, half[0]), tn_mul(cosine, half[1])), *y;
    if (interleaved)
        y = tn_reshape(tn_stack((tn_tensor *[]){a, b}, 2, 4),
                       TN_SHAPE(onnx_dim(a, 0), onnx_dim(a, 1), onnx_dim(a, 2), turned));
    else
        y = tn_concat((tn_tensor *[]){a, b}, 2, 3);
    return rest ? tn_concat((tn_tensor *[]){y, rest}, 2, 3) : y;
}

void onnx_rule_rotary_embedding(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *cosine = onnx_in(n, 1), *sine = onnx_in(n, 2), *place = onnx_in(n, 3);
    if (!x || !cosine || !sine) return;
    const int is_flat = tn_shape_of(x).rank == 3;
    const int64_t heads = onnx_int(n, "num_heads", 0);
    if (is_flat ? heads < 1 : tn_shape_of(x).rank != 4) onnx_cannot(n, "num_heads is not there, or its rank");
    if (n->failed) return;
    if (place) cosine = tn_gather(cosine, place), sine = tn_gather(sine, place);
    x = onnx_rotated(n, onnx_heads_of(x, heads), cosine, sine);
    onnx_out(n, 0, is_flat ? onnx_whole_of(x) : x);
}

/* Of com.microsoft: places come before the tables, one for each step or that of the first one. */
void onnx_rule_fused_rotary_embedding(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *place = onnx_in(n, 1), *cosine = onnx_in(n, 2), *sine = onnx_in(n, 3);
    if (!x || !place || !cosine || !sine) return;
    const int is_flat = tn_shape_of(x).rank == 3;
    int64_t heads = onnx_int(n, "num_heads", 0);
    if (is_flat && !heads && onnx_dim(cosine, 1)) heads = onnx_dim(x, 2) / (2 * onnx_dim(cosine, 1));
    if (is_flat ? heads < 1 : tn_shape_of(x).rank != 4) onnx_cannot(n, "num_heads is not there, or its rank");
    if (onnx_int(n, "is_packed_batching", 0)) onnx_cannot(n, "attribute is_packed_batching");
    if (onnx_float(n, "scale", 1) != 1) onnx_cannot(n, "attribute scale");
    if (n->failed) return;
    x = onnx_heads_of(x, heads);
    if (tn_shape_of(place).rank < 2)
        place = tn_unsqueeze(tn_add(tn_iota(n->graph, TN_SHAPE(onnx_dim(x, 2)), 0), tn_reshape(place, TN_SCALAR)), 0);
    x = onnx_rotated(n, x, tn_gather(cosine, place), tn_gather(sine, place));
    onnx_out(n, 0, is_flat ? onnx_whole_of(x) : x);
}
