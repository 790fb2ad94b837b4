/* sums.c: the part of simplify that knows sums: signs move behind them, a sum of sums is one, and a sum of what is 0
 * but at one place needs no summing. */
#include "leaf.h"
#include "reduce.h"
#include "rewrite.h"
#include "rows.h"

/* ---- sums of simple things ---- */

/* The axes that are summed if `inner`, itself a sum, is summed over `axes`. */
static uint32_t axes_of_both(const tn_tensor *inner, uint32_t axes)
{
    uint32_t both = tn_sum_axes(inner);
    int32_t at = 0, rank = inner->in[0]->type.shape.rank, is_kept = inner->type.shape.rank == rank;
    for (int32_t d = 0; d < rank; d++) {
        if (!is_kept && tn_sum_axes(inner) >> d & 1) continue;
        both |= (axes >> at++ & 1) << d;
    }
    return both;
}

/* sum(-x) = -sum(x), sum(sum(x)) = sum(x). Factors stay where they are: they may keep a sum from overflowing. */
static tn_tensor *sum(tn_tensor *x, uint32_t axes, const tn_shape *to)
{
    if (x->op == tn_row_neg) return tn_neg(sum(x->in[0], axes, to));
    if (tn_sum_axes(x)) return sum(x->in[0], axes_of_both(x, axes), to);
    tn_axes list = {0};
    for (int32_t d = 0; d < x->type.shape.rank; d++)
        if (axes >> d & 1) list.axis[list.count++] = d;
    return tn_reshape(tn_sum(x, list, 0), *to);
}

tn_tensor *tn_simplify_sum(tn_tensor *y)
{
    tn_tensor *x = y->in[0];
    if (!tn_sum_axes(y) || !(x->op == tn_row_neg || tn_sum_axes(x))) return y;
    return sum(x, tn_sum_axes(y), &y->type.shape);
}

/* ---- sums of one-hot vectors ---- */

/* 1 if x, broadcast to that rank, is the same all along the axis. */
static int is_constant_along(const tn_tensor *x, int32_t axis, int32_t rank)
{
    int32_t d = axis - (rank - x->type.shape.rank);
    return d < 0 || x->type.shape.dim[d] == 1 || x->op == &tn_op_full;
}

/* With x = where(place along the axis == index, value, 0): the index. Else NULL. */
static tn_tensor *index_of(const tn_tensor *x, int32_t axis)
{
    int32_t rank = x->type.shape.rank;
    if (x->op != &tn_op_where || x->in[0]->op != tn_row_eq || x->in[2]->op != &tn_op_full) return NULL;
    const tn_tensor *equal = x->in[0];
    if (((const tn_full_attrs *)x->in[2]->attrs)->value != 0 || !is_constant_along(x->in[1], axis, rank)) return NULL;
    for (int i = 0; i < 2; i++)
        if (tn_shape_equal(&equal->in[i]->type.shape, &x->type.shape) && tn_is_iota(equal->in[i], axis) &&
            is_constant_along(equal->in[1 - i], axis, rank))
            return equal->in[1 - i];
    return NULL;
}

/* x, which a map stretches to that shape. A sum along one axis, stretched over it again, is the value wherever the
 * index is one of the axis. */
tn_tensor *tn_simplify_stretched_sum(tn_tensor *x, const tn_shape *to)
{
    const tn_tensor *total = x;
    while (total->op == &tn_op_reshape) total = total->in[0];
    uint32_t axes = tn_sum_axes(total);
    if (!axes || axes & (axes - 1)) return x;
    const tn_tensor *one_hot = total->in[0];
    int32_t axis = 0;
    while (!(axes >> axis & 1)) axis++;
    tn_shape kept = one_hot->type.shape;
    kept.dim[axis] = 1;
    tn_tensor *index = index_of(one_hot, axis);
    if (!index || !tn_shape_equal(to, &one_hot->type.shape) || !tn_shape_equal(&x->type.shape, &kept)) return x;
    tn_tensor *zero = one_hot->in[2], *places = tn_broadcast(index, *to);
    tn_tensor *below = tn_lt(places, tn_number(places, (double)to->dim[axis]));
    return tn_where(tn_ge(places, tn_number(places, 0)), tn_where(below, one_hot->in[1], zero), zero);
}
