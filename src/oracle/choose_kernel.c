/* choose_kernel.c: operands and numbers for products, pictures, reductions and indexing. */
#include "choose.h"

#include <string.h>

static tn_shape shape_of(const tn_maker *m, const tn_call *s, int operand)
{
    return tn_made_shape(m, s->in[operand]);
}

/* A number or another, as chance has it. */
static int64_t either(tn_maker *m, int64_t usual, int64_t other, int percent)
{
    return tn_chance(m, percent) ? other : usual;
}

/* ---- products ---- */

/* Batches may be missing on one side, or be broadcast. */
static tn_shape some_batch(tn_maker *m, tn_shape s)
{
    if (s.rank > 2 && tn_chance(m, 40)) return (tn_shape){2, {s.dim[s.rank - 2], s.dim[s.rank - 1]}};
    for (int32_t d = 0; d < s.rank - 2; d++)
        if (s.dim[d] == 1 || tn_chance(m, 20)) s.dim[d] = s.dim[d] == 1 ? tn_some_size(m) : 1;
    return s;
}

/* (..., m, k)(..., k, n) */
int tn_choose_matmul(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 2 + (int32_t)(tn_below(m, 5) / 3) + tn_chance(m, 10));
    if (s->in[0] < 0) return 0;
    tn_shape a = shape_of(m, s, 0), b = a;
    b.dim[b.rank - 2] = a.dim[a.rank - 1], b.dim[b.rank - 1] = tn_some_size(m);
    b = some_batch(m, b);
    if (tn_chance(m, 5)) b.dim[b.rank - 1] = 0;
    s->in[1] = tn_alike(m, TN_F32, b);
    s->f[0] = tn_some_number(m);
    return 1;
}

/* A vector on the left or the right of what it fits, which may be another. */
int tn_choose_matvec(tn_maker *m, tn_call *s)
{
    int left = tn_chance(m, 50);
    s->in[left] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    if (s->in[left] < 0) return 0;
    tn_shape other = shape_of(m, s, left);
    int64_t size = other.dim[other.rank - 1 - (left && other.rank > 1)];
    if (size > 64) return 0; /* the rounding of deep sums of equal numbers is no budget's */
    s->in[!left] = tn_alike(m, TN_F32, TN_SHAPE(size));
    return s->in[0] >= 0 && s->in[1] >= 0;
}

int tn_choose_outer(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1), s->in[1] = tn_any_full(m, 1);
    return s->in[0] >= 0 && s->in[1] >= 0;
}

/* ---- pictures ---- */

int tn_choose_conv(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 4);
    if (s->in[0] < 0) return 0;
    tn_shape x = shape_of(m, s, 0);
    for (int i = 0; i < 2; i++) {
        s->p[i] = either(m, 1, 2, 35);
        s->p[2 + i] = tn_below(m, 3);
        s->p[4 + i] = either(m, 1, 2, 20);
    }
    s->p[6] = x.dim[1] % 2 ? either(m, 1, x.dim[1], 20) : either(m, 1, 2, 30);
    tn_shape w = TN_SHAPE(s->p[6] * (1 + tn_below(m, 4)), x.dim[1] / s->p[6], 1 + tn_below(m, 3), 1 + tn_below(m, 3));
    s->in[1] = tn_alike(m, TN_F32, w);
    return 1;
}

int tn_choose_conv_back(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 4);
    if (s->in[0] < 0) return 0;
    tn_shape x = shape_of(m, s, 0);
    for (int i = 0; i < 2; i++) s->p[i] = either(m, 1, 2, 35), s->p[2 + i] = tn_below(m, 2);
    s->p[6] = x.dim[1] % 2 ? 1 : either(m, 1, 2, 30);
    tn_shape w = TN_SHAPE(x.dim[1], 1 + tn_below(m, 3), 2 + tn_below(m, 2), 2 + tn_below(m, 2));
    s->in[1] = tn_alike(m, TN_F32, w);
    return 1;
}

int tn_choose_pool(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 4);
    for (int i = 0; i < 2; i++) {
        s->p[i] = 1 + tn_below(m, 3);
        s->p[2 + i] = tn_below(m, 3);
        s->p[4 + i] = tn_below(m, s->p[i]);
    }
    s->p[6] = tn_below(m, 2), s->p[7] = tn_below(m, 2);
    return 1;
}

/* One to three dimensions, and a kernel of as many. */
int tn_choose_conv_nd(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 3 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    tn_shape x = shape_of(m, s, 0), w = x;
    for (int i = 0; i < 3; i++) s->p[i] = tn_below(m, 3);
    for (int i = 3; i < 5; i++) s->p[i] = either(m, 1, 2, 30);
    s->p[5] = x.dim[1] % 2 ? either(m, 1, x.dim[1], 20) : either(m, 1, 2, 30);
    int back = strstr(tn_rule_at(s->rule)->text, "transposed") != NULL;
    w.dim[0] = back ? x.dim[1] : s->p[5] * (1 + tn_below(m, 3));
    w.dim[1] = back ? 1 + tn_below(m, 3) : x.dim[1] / s->p[5];
    for (int32_t d = 2; d < w.rank; d++) w.dim[d] = 1 + tn_below(m, 3);
    s->in[1] = tn_alike(m, TN_F32, w);
    return 1;
}

int tn_choose_pool_nd(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 3 + (int32_t)tn_below(m, 3));
    for (int i = 0; i < 3; i++) s->p[i] = 1 + tn_below(m, 3);
    s->p[3] = either(m, 1, 2, 30);
    s->p[4] = tn_below(m, s->p[0]), s->p[5] = tn_below(m, s->p[1]);
    s->p[6] = tn_below(m, 2), s->p[7] = tn_below(m, 2);
    return 1;
}

int tn_choose_picture(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 4);
    s->p[0] = 1 + tn_below(m, 5), s->p[1] = 1 + tn_below(m, 5), s->p[2] = tn_below(m, 2);
    return 1;
}

int tn_choose_grid(tn_maker *m, tn_call *s)
{
    int32_t n = 1 + (int32_t)tn_below(m, 2);
    s->in[0] = tn_any_full(m, 2 + n);
    if (s->in[0] < 0) return 0;
    tn_shape grid = tn_some_shape(m, 2 + n);
    grid.dim[0] = shape_of(m, s, 0).dim[0], grid.dim[1 + n] = n;
    s->in[1] = tn_alike(m, TN_F32, grid);
    s->p[0] = tn_below(m, 3), s->p[1] = tn_below(m, 3), s->p[2] = tn_below(m, 2);
    return 1;
}

int tn_choose_boxes(tn_maker *m, tn_call *s)
{
    int64_t batch = 1 + tn_below(m, 2), n = 1 + tn_below(m, 6);
    s->in[0] = tn_alike(m, TN_F32, TN_SHAPE(batch, n, 4));
    s->in[1] = tn_alike(m, TN_F32, TN_SHAPE(batch, 1 + tn_below(m, 2), n));
    s->p[0] = 1 + tn_below(m, 3), s->p[1] = tn_below(m, 2), s->f[0] = tn_some_number(m);
    return 1;
}

int tn_choose_affine(tn_maker *m, tn_call *s)
{
    int32_t n = 1 + (int32_t)tn_below(m, 3);
    s->in[0] = tn_alike(m, TN_F32, TN_SHAPE(1 + tn_below(m, 2), n, n + 1));
    s->shape = tn_some_shape(m, n);
    s->p[0] = tn_below(m, 2);
    return 1;
}

int tn_choose_shuffle(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_alike(m, TN_F32, TN_SHAPE(1 + tn_below(m, 2), 4 * (1 + tn_below(m, 2)), 1 + tn_below(m, 3), 2));
    return 1;
}

int tn_choose_unshuffle(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_alike(m, TN_F32, TN_SHAPE(1 + tn_below(m, 2), 1 + tn_below(m, 3), 2 + 2 * tn_below(m, 2), 4));
    return 1;
}

/* ---- reductions ---- */

/* p0: whether axes stay; p1: a correction; p2: which norm. */
int tn_choose_reduce(tn_maker *m, tn_call *s)
{
    static const int64_t norms[] = {0, 1, 2, 3};
    if (!tn_choose_any(m, s) || s->in[0] < 0) return 0;
    int32_t rank = shape_of(m, s, 0).rank;
    s->axes = TN_ALL;
    if (tn_chance(m, 75)) s->axes.count = 0;
    for (int32_t d = 0; d < rank && s->axes.count >= 0; d++)
        if (tn_chance(m, 45)) s->axes.axis[s->axes.count++] = tn_chance(m, 20) ? d - rank : d;
    s->p[0] = tn_below(m, 2), s->p[1] = tn_below(m, 2), s->p[2] = norms[tn_below(m, 4)];
    return 1;
}

int tn_choose_two_reductions(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 2 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    int32_t rank = shape_of(m, s, 0).rank;
    for (int i = 0; i < 3; i++) s->p[i] = tn_below(m, i < 2 ? rank : 2);
    return 1;
}

int tn_choose_masked_axis(tn_maker *m, tn_call *s)
{
    if (!tn_choose_axis(m, s)) return 0;
    tn_shape mask = shape_of(m, s, 0);
    for (int32_t d = 0; d < mask.rank; d++) mask.dim[d] = tn_chance(m, 25) ? 1 : mask.dim[d];
    s->in[1] = tn_chance(m, 70) ? tn_alike(m, TN_I32, mask) : tn_alike(m, TN_F32, mask);
    return 1;
}

int tn_choose_batch_normalize(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 2 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    tn_shape each = shape_of(m, s, 0);
    s->p[0] = tn_below(m, each.rank);
    each.dim[s->p[0]] = 1;
    s->in[1] = tn_alike(m, TN_F32, each), s->in[2] = tn_alike(m, TN_F32, each);
    return 1;
}

int tn_choose_layer_normalize(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 4));
    if (s->in[0] < 0) return 0;
    const tn_shape x = shape_of(m, s, 0);
    tn_shape row = {.rank = 1 + (int32_t)tn_below(m, x.rank)};
    for (int32_t d = 0; d < row.rank; d++) row.dim[d] = x.dim[x.rank - row.rank + d];
    s->in[1] = tn_alike(m, TN_F32, row), s->in[2] = tn_alike(m, TN_F32, row);
    s->p[0] = tn_below(m, 2), s->p[1] = tn_below(m, 2);
    return 1;
}

int tn_choose_attention(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 2 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    tn_shape q = shape_of(m, s, 0), k = q, v = q;
    k.dim[q.rank - 2] = v.dim[q.rank - 2] = either(m, q.dim[q.rank - 2], tn_some_size(m), 50);
    v.dim[q.rank - 1] = either(m, q.dim[q.rank - 1], tn_some_size(m), 30);
    s->in[1] = tn_alike(m, TN_F32, k), s->in[2] = tn_alike(m, TN_F32, v);
    s->p[0] = tn_below(m, 2);
    return 1;
}

int tn_choose_topk(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    s->p[0] = tn_below(m, shape_of(m, s, 0).rank);
    s->p[1] = 1 + tn_below(m, shape_of(m, s, 0).dim[s->p[0]]), s->p[2] = tn_below(m, 2);
    return 1;
}

int tn_choose_search(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 2));
    if (s->in[0] < 0) return 0;
    tn_shape values = shape_of(m, s, 0);
    values.dim[values.rank - 1] = tn_some_size(m);
    s->in[1] = tn_alike(m, TN_F32, values);
    s->p[0] = tn_below(m, 2);
    return 1;
}

/* ---- indexing ---- */

/* An index of its own, or places that something else has found. */
static int32_t index_of(tn_maker *m, tn_shape shape)
{
    return tn_chance(m, 30) ? tn_alike(m, TN_I32, shape) : tn_add_index(m, shape);
}

int tn_choose_gather(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    s->in[1] = index_of(m, tn_some_shape(m, (int32_t)tn_below(m, 3)));
    return s->in[0] >= 0;
}

int tn_choose_scatter(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    s->in[1] = index_of(m, TN_SHAPE(shape_of(m, s, 0).dim[0]));
    s->p[0] = 1 + tn_below(m, 6);
    return 1;
}

int tn_choose_select(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    s->p[0] = tn_below(m, shape_of(m, s, 0).rank);
    s->in[1] = index_of(m, TN_SHAPE(1 + tn_below(m, 5)));
    return 1;
}

int tn_choose_take(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    tn_shape index = shape_of(m, s, 0);
    s->p[0] = tn_below(m, index.rank);
    index.dim[s->p[0]] = 1 + tn_below(m, 5);
    s->in[1] = index_of(m, index);
    return 1;
}

int tn_choose_put(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    s->in[1] = index_of(m, shape_of(m, s, 0));
    s->p[0] = tn_below(m, shape_of(m, s, 0).rank), s->p[1] = 1 + tn_below(m, 6);
    return 1;
}

int tn_choose_scatter_into(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    tn_shape updates = shape_of(m, s, 0);
    s->p[0] = tn_below(m, updates.rank), s->p[1] = tn_below(m, 5);
    updates.dim[s->p[0]] = 1 + tn_below(m, 6);
    s->in[1] = index_of(m, updates), s->in[2] = tn_alike(m, TN_F32, updates);
    return 1;
}

int tn_choose_scatter_nd(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 2 + (int32_t)tn_below(m, 2));
    if (s->in[0] < 0) return 0;
    tn_shape x = shape_of(m, s, 0), index = TN_SHAPE(1 + tn_below(m, 6), 1 + tn_below(m, 2)), updates = {1, {0}};
    updates.dim[0] = index.dim[0];
    for (int32_t d = (int32_t)index.dim[1]; d < x.rank; d++) updates.dim[updates.rank++] = x.dim[d];
    s->in[1] = index_of(m, index), s->in[2] = tn_alike(m, TN_F32, updates);
    s->p[1] = tn_below(m, 5);
    return 1;
}

int tn_choose_pick(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 2);
    if (s->in[0] < 0) return 0;
    s->in[1] = index_of(m, TN_SHAPE(shape_of(m, s, 0).dim[0]));
    return 1;
}

int tn_choose_one_hot(tn_maker *m, tn_call *s)
{
    s->in[0] = index_of(m, tn_some_shape(m, (int32_t)tn_below(m, 3)));
    s->p[0] = 1 + tn_below(m, 6);
    return 1;
}

int tn_choose_window(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    s->p[0] = s->in[0] < 0 ? 0 : tn_below(m, shape_of(m, s, 0).dim[0] + 1);
    return 1;
}
