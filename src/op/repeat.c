/* repeat.c: x several times along an axis: as a whole, or each element by itself. By stretching a new dimension. */
#include "along.h"

/* As (outer, n, inner), with a new dimension of `count` before n (whole) or after it, merged into the axis. */
static tn_tensor *copies(const char *op, tn_tensor *x, int32_t axis, int64_t count, int whole)
{
    uint32_t at = 0;
    tn_graph *graph = tn_graph_of(x);
    if (count < 0) tn_node_fail(graph, TN_EINVAL, "%s: %lld times", op, (long long)count);
    if (!tn_find_axis(op, x, axis, &at) || count == 1) return x;
    tn_shape to = x->type.shape;
    tn_tensor_desc s = tn_desc_along(x, at);
    int64_t outer = s.dim[0], n = s.dim[1], inner = s.dim[2];
    if (__builtin_mul_overflow(n, count, &to.dim[at])) tn_node_fail(graph, TN_ESHAPE, "%s: too many elements", op);
    tn_shape from = whole ? TN_SHAPE(outer, 1, n, inner) : TN_SHAPE(outer, n, 1, inner), full = from;
    full.dim[whole ? 1 : 2] = count;
    return tn_reshape(tn_broadcast(tn_reshape(x, from), full), to);
}

tn_tensor *tn_tile(tn_tensor *x, int32_t axis, int64_t count)
{
    return copies("tile", x, axis, count, 1);
}

tn_tensor *tn_repeat(tn_tensor *x, int32_t axis, int64_t count)
{
    return copies("repeat", x, axis, count, 0);
}
