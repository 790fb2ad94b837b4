/* attend.c: attention with all that is asked of it beside tn_attention: masks, sums with the scores, bounded scores,
 * keys that several heads of queries share, and queries that go on from others; and positions by rotation. */
#include <math.h>

#include "attend.h"
#include "check.h"
#include "given.h"

/* ---- attention ---- */

static int fits(tn_tensor *q, tn_tensor *k, tn_tensor *v)
{
    tn_shape a = tn_shape_of(q), b = tn_shape_of(k), c = tn_shape_of(v);
    char ta[160], tb[160], tc[160];
    int fine = a.rank >= 3 && b.rank == a.rank && c.rank == a.rank && a.rank < TN_MAX_RANK &&
               a.dim[a.rank - 1] == b.dim[a.rank - 1] && b.dim[a.rank - 2] == c.dim[a.rank - 2] &&
               b.dim[a.rank - 3] > 0 && a.dim[a.rank - 3] % b.dim[a.rank - 3] == 0 &&
               b.dim[a.rank - 3] == c.dim[a.rank - 3];
    for (int32_t d = 0; fine && d < a.rank - 3; d++) fine = a.dim[d] == b.dim[d] && a.dim[d] == c.dim[d];
    if (tn_graph_status(tn_graph_of(q))) return 0;
    if (!fine)
        tn_node_fail(tn_graph_of(q), TN_ESHAPE,
                     "attend: %s, %s, %s should be (..., heads, queries, d), (..., groups, keys, d) and (..., groups, "
                     "keys, e), and the groups divide the heads",
                     tn_shape_text(&a, ta, sizeof ta), tn_shape_text(&b, tb, sizeof tb),
                     tn_shape_text(&c, tc, sizeof tc));
    return fine;
}

/* The queries of all heads that share keys, one after another: their number is no business of a product. */
static tn_tensor *by_group(tn_tensor *x, int64_t groups)
{
    tn_shape s = tn_shape_of(x);
    s.dim[s.rank - 2] *= s.dim[s.rank - 3] / groups;
    s.dim[s.rank - 3] = groups;
    return tn_reshape(x, s);
}

static tn_tensor *by_head(tn_tensor *x, const tn_shape *q)
{
    tn_shape s = tn_shape_of(x);
    s.dim[s.rank - 3] = q->dim[q->rank - 3], s.dim[s.rank - 2] = q->dim[q->rank - 2];
    return tn_reshape(x, s);
}

/* i32 (queries, keys): 1 where query i, whose number is first + i, sees key j: none after it, none too far before. */
static tn_tensor *seen(tn_tensor *scores, const tn_attend_options *o)
{
    tn_shape s = tn_shape_of(scores), both = TN_SHAPE(s.dim[s.rank - 2], s.dim[s.rank - 1]);
    tn_graph *graph = tn_graph_of(scores);
    tn_tensor *i = tn_iota(graph, both, 0), *j = tn_iota(graph, both, 1);
    i = tn_add(i, tn_number(i, (double)o->first));
    tn_tensor *sees = o->causal ? tn_le(j, i) : NULL;
    if (!o->reach) return sees;
    tn_tensor *near = tn_lt(tn_sub(i, j), tn_number(i, (double)o->reach));
    return sees ? tn_logical_and(sees, near) : near;
}

static tn_tensor *weights(tn_tensor *scores, const tn_attend_options *o)
{
    if (o->cap > 0) {
        tn_tensor *cap = tn_number(scores, o->cap);
        scores = tn_mul(tn_tanh(tn_div(scores, cap)), cap);
    }
    if (o->bias) scores = tn_add(scores, o->bias);
    tn_tensor *mask = seen(scores, o), *given = o->mask;
    if (given) given = tn_cast(tn_ne(given, tn_number(given, 0)), TN_I32);
    if (given) mask = mask ? tn_logical_and(mask, given) : given;
    return mask ? tn_masked_softmax(scores, mask, -1) : tn_softmax(scores, -1);
}

/* ---- in tiles ---- */

/* All dimensions but the last three as one. */
static tn_tensor *folded(tn_tensor *x)
{
    tn_shape s = tn_shape_of(x), to = TN_SHAPE(1, s.dim[s.rank - 3], s.dim[s.rank - 2], s.dim[s.rank - 1]);
    for (int32_t d = 0; d < s.rank - 3; d++) to.dim[0] *= s.dim[d];
    return tn_reshape(x, to);
}

/* The same of a mask for scores (o, h, n, m) of `rank` dimensions; NULL if it is one for some of the samples alone, or
 * has one column for all keys. */
static tn_tensor *folded_mask(tn_tensor *mask, const tn_shape *lead, int64_t keys)
{
    tn_shape s = tn_shape_of(mask), full = *lead;
    if (s.rank < 1 || s.rank > lead->rank || s.dim[s.rank - 1] != keys) return NULL;
    for (int32_t d = lead->rank; d-- > 0;) full.dim[d] = d >= lead->rank - s.rank ? s.dim[d - lead->rank + s.rank] : 1;
    int all = 1, none = 1;
    for (int32_t d = 0; d < lead->rank - 3; d++) all &= full.dim[d] == lead->dim[d], none &= full.dim[d] == 1;
    return all || none ? folded(tn_reshape(mask, full)) : NULL;
}

/* What the operator that never stores the scores can say; NULL if it can't. */
static tn_tensor *by_tiles(tn_tensor *q, tn_tensor *k, tn_tensor *v, double scale, const tn_attend_options *o)
{
    tn_shape s = tn_shape_of(q), y = s;
    tn_attend_node at = {scale, o->causal ? o->first : 0, o->causal != 0, 0};
    tn_tensor *mask = o->mask ? o->mask : o->bias;
    if (tn_attend_is_empty(q, k, v) || o->cap > 0 || o->reach || (o->mask && o->bias) || at.first < 0 ||
        at.first > INT32_MAX || !isfinite(scale) || !tn_is_floating(q->type.dtype))
        return NULL;
    if (o->mask) mask = tn_cast(tn_ne(mask, tn_number(mask, 0)), TN_I32);
    if (mask && !(mask = folded_mask(mask, &s, tn_shape_of(k).dim[s.rank - 2]))) return NULL;
    if (o->bias && mask->type.dtype != q->type.dtype) return NULL;
    q = folded(q), k = folded(k), v = folded(v);
    y.dim[y.rank - 1] = tn_shape_of(v).dim[3];
    return tn_reshape(tn_attend_result(tn_attend_tiles(q, k, v, mask, &at), q, v), y);
}

tn_tensor *tn_attend(tn_tensor *q, tn_tensor *k, tn_tensor *v, tn_attend_options options)
{
    TN_OPERANDS(q, k, v);
    if (!fits(q, k, v)) return q;
    tn_shape s = tn_shape_of(q);
    int64_t groups = tn_shape_of(k).dim[s.rank - 3], d = s.dim[s.rank - 1];
    double scale = options.scale != 0 ? options.scale : 1 / sqrt((double)d);
    tn_tensor *y = by_tiles(q, k, v, scale, &options);
    if (y || tn_graph_status(tn_graph_of(q))) return y ? y : q;
    tn_tensor *scores = tn_matmul_t(by_group(tn_mul(q, tn_number(q, scale)), groups), k, 0, 1);
    return by_head(tn_matmul(by_group(weights(by_head(scores, &s), &options), groups), v), &s);
}

/* ---- positions by rotation ---- */

tn_tensor *tn_rotary_table(tn_graph *graph, int64_t first, int64_t steps, int64_t pairs, double base, tn_tensor **sine)
{
    if (pairs < 1 || !(base > 0) || !sine)
        tn_node_fail(graph, TN_EINVAL, "rotary_table: %lld pairs, base %g, sine %s NULL", (long long)pairs, base,
                     sine ? "not" : "is");
    tn_tensor *i = tn_arange(graph, 0, 1, pairs > 0 ? pairs : 1);
    tn_tensor *speed = tn_exp(tn_mul(i, tn_number(i, -log(base > 0 ? base : 1) / (double)(pairs > 0 ? pairs : 1))));
    tn_tensor *angle = tn_outer(tn_arange(graph, (double)first, 1, steps), speed);
    if (sine) *sine = tn_sin(angle);
    return tn_cos(angle);
}

/* Both elements of each pair turned, as a new last dimension or side by side. */
static tn_tensor *turned(tn_tensor *a, tn_tensor *b, tn_tensor *c, tn_tensor *s, int interleaved)
{
    tn_tensor *both[] = {tn_sub(tn_mul(a, c), tn_mul(b, s)), tn_add(tn_mul(a, s), tn_mul(b, c))};
    if (!interleaved) return tn_concat(both, 2, -1);
    tn_shape to = tn_shape_of(both[0]);
    to.dim[to.rank - 1] *= 2;
    return tn_reshape(tn_stack(both, 2, -1), to);
}

tn_tensor *tn_rotary(tn_tensor *x, tn_tensor *cosine, tn_tensor *sine, int interleaved)
{
    TN_OPERANDS(x, cosine, sine);
    tn_shape s = tn_shape_of(x), c = tn_shape_of(cosine);
    int64_t all = s.rank ? s.dim[s.rank - 1] : 0, pairs = c.rank ? c.dim[c.rank - 1] : 0;
    if (pairs < 1 || 2 * pairs > all || s.rank >= TN_MAX_RANK)
        tn_node_fail(tn_graph_of(x), TN_ESHAPE, "rotary: %lld pairs of %lld elements", (long long)pairs,
                     (long long)all);
    if (tn_graph_status(tn_graph_of(x))) return x;
    int64_t step = interleaved ? 2 : 1;
    tn_tensor *a = tn_slice(x, -1, 0, pairs, step), *b = tn_slice(x, -1, interleaved ? 1 : pairs, pairs, step);
    tn_tensor *y = turned(a, b, cosine, sine, interleaved != 0);
    if (2 * pairs == all) return y;
    return tn_concat((tn_tensor *[]){y, tn_slice(x, -1, 2 * pairs, all - 2 * pairs, 1)}, 2, -1);
}
