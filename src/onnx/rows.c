/* rows.c: slices of a tensor in lexical order, by sorts of lines. Each column gets the ranks of its elements; then two
 * columns at a time become one, of the ranks of their pairs, until one is left: the ranks of the rows. */
#include "rule.h"

/* Where `sorted` differs from the line before it: i32, 0 in line 0. */
static tn_tensor *steps(tn_tensor *sorted)
{
    const int64_t n = onnx_dim(sorted, 0);
    tn_tensor *differs = tn_ne(tn_slice(sorted, 0, 1, n - 1, 1), tn_slice(sorted, 0, 0, n - 1, 1));
    return tn_pad_value(tn_cast(differs, TN_I32), 0, 1, 0, 0);
}

/* The rank of each place, of places in order and steps between them. */
static tn_tensor *ranks(tn_tensor *order, tn_tensor *steps)
{
    return tn_put(order, tn_cumsum(steps, 0, 0, 0), 0, onnx_dim(order, 0));
}

static tn_tensor *ranks_of_pairs(tn_tensor *high, tn_tensor *low)
{
    tn_tensor *by_low = tn_argsort(low, 0, 0), *by_high = tn_argsort(tn_take(high, by_low, 0), 0, 0);
    tn_tensor *order = tn_take(by_low, by_high, 0);
    return ranks(order, tn_max(steps(tn_take(high, order, 0)), steps(tn_take(low, order, 0))));
}

/* (n, columns) -> (n, half of them, rounded up). */
static tn_tensor *half(tn_tensor *x)
{
    const int64_t columns = onnx_dim(x, 1), pairs = columns / 2;
    tn_tensor *y = ranks_of_pairs(tn_slice(x, 1, 0, pairs, 2), tn_slice(x, 1, 1, pairs, 2));
    if (columns % 2) y = tn_concat((tn_tensor *[]){y, tn_slice(x, 1, columns - 1, 1, 1)}, 2, 1);
    return y;
}

tn_tensor *onnx_row_ranks(tn_tensor *x, int32_t axis)
{
    const tn_shape shape = tn_shape_of(x);
    int32_t order[TN_MAX_RANK] = {axis};
    for (int32_t d = 0, k = 1; d < shape.rank; d++)
        if (d != axis) order[k++] = d;
    x = tn_reshape(tn_transpose(x, order), TN_SHAPE(shape.dim[axis], -1));
    if (tn_graph_status(tn_graph_of(x))) return x;
    tn_tensor *first = tn_argsort(x, 0, 0), *y = ranks(first, steps(tn_take(x, first, 0)));
    while (!tn_graph_status(tn_graph_of(x)) && onnx_dim(y, 1) > 1) y = half(y);
    return tn_reshape(y, TN_SHAPE(shape.dim[axis]));
}
