/* arrange.c: elements in another order or place, and ranges of numbers, by other operators. */
#include "along.h"
#include "given.h"

tn_tensor *tn_unsqueeze(tn_tensor *x, int32_t axis)
{
    return tn_insert_axis("unsqueeze", x, axis);
}

tn_tensor *tn_squeeze(tn_tensor *x, int32_t axis)
{
    uint32_t at = 0;
    if (!tn_find_axis("squeeze", x, axis, &at)) return x;
    tn_shape to = x->type.shape;
    if (to.dim[at] != 1)
        tn_node_fail(x->graph, TN_ESHAPE, "squeeze: axis %d is of size %lld", axis, (long long)to.dim[at]);
    for (int32_t d = (int32_t)at; d + 1 < to.rank; d++) to.dim[d] = to.dim[d + 1];
    to.dim[--to.rank] = 0;
    return tn_reshape(x, to);
}

tn_tensor *tn_swap_axes(tn_tensor *x, int32_t first, int32_t second)
{
    uint32_t a = 0, b = 0;
    int32_t perm[TN_MAX_RANK];
    if (!tn_find_axis("swap_axes", x, first, &a) || !tn_find_axis("swap_axes", x, second, &b)) return x;
    for (int32_t d = 0; d < TN_MAX_RANK; d++) perm[d] = d;
    perm[a] = (int32_t)b, perm[b] = (int32_t)a;
    return tn_transpose(x, perm);
}

/* ---- along an axis ---- */

tn_tensor *tn_roll(tn_tensor *x, int32_t axis, int64_t shift)
{
    uint32_t at = 0;
    if (!tn_find_axis("roll", x, axis, &at) || !x->type.shape.dim[at]) return x;
    int64_t n = x->type.shape.dim[at], first = shift % n;
    if (first < 0) first += n;
    tn_tensor *parts[] = {tn_slice(x, axis, n - first, first, 1), tn_slice(x, axis, 0, n - first, 1)};
    return first ? tn_concat(parts, 2, axis) : x;
}

void tn_split(tn_tensor *x, int32_t axis, uint32_t parts, tn_tensor *out[])
{
    uint32_t at = 0;
    int found = tn_find_axis("split", x, axis, &at);
    int64_t n = found ? x->type.shape.dim[at] : 0;
    if (found && (!parts || n % parts))
        tn_node_fail(x->graph, TN_ESHAPE, "split: %lld elements in %u parts", (long long)n, parts);
    if (found && !out) tn_node_fail(x->graph, TN_EINVAL, "split: out is NULL");
    for (uint32_t i = 0; out && i < parts; i++) out[i] = tn_slice(x, axis, n / parts * i, n / parts, 1);
}

static int64_t numbers_of(const tn_shape *shape)
{
    tn_shape row = *shape;
    if (row.rank) row.dim[0] = 1;
    return tn_shape_count(&row);
}

/* (n, ...) with another shape behind n. */
static tn_shape with_rows(int64_t n, const tn_shape *shape)
{
    tn_shape all = {shape->rank + 1, {n}};
    for (int32_t d = 0; d < shape->rank; d++) all.dim[d + 1] = shape->dim[d];
    return all;
}

/* That each row has as many numbers as the parts. */
static void check_parts(tn_tensor *x, const tn_shape shapes[], uint32_t parts)
{
    int64_t numbers = 0;
    const int64_t there = numbers_of(&x->type.shape);
    for (uint32_t i = 0; i < parts; i++) {
        if (shapes[i].rank < 0 || shapes[i].rank >= TN_MAX_RANK)
            tn_node_fail(x->graph, TN_ESHAPE, "apart: part %u has rank %d", i, shapes[i].rank);
        else
            numbers += tn_shape_count(&shapes[i]);
    }
    if (!x->type.shape.rank || numbers != there)
        tn_node_fail(x->graph, TN_ESHAPE, "apart: the parts have %lld numbers, and each row of x has %lld",
                     (long long)numbers, (long long)there);
}

void tn_apart(tn_tensor *x, const tn_shape shapes[], uint32_t parts, tn_tensor *out[])
{
    if (!x) return;
    if (!shapes || !out)
        tn_node_fail(x->graph, TN_EINVAL, "apart: %s is NULL", shapes ? "out" : "shapes");
    else
        check_parts(x, shapes, parts);
    const int fine = !tn_graph_status(x->graph);
    tn_tensor *rows = fine ? tn_reshape(x, TN_SHAPE(x->type.shape.dim[0], numbers_of(&x->type.shape))) : x;
    for (uint32_t i = 0; out && i < parts; i++) out[i] = x;
    for (int64_t i = 0, start = 0; fine && i < parts; start += tn_shape_count(&shapes[i++])) {
        tn_tensor *part = tn_slice(rows, 1, start, tn_shape_count(&shapes[i]), 1);
        out[i] = tn_reshape(part, with_rows(x->type.shape.dim[0], &shapes[i]));
    }
}

tn_tensor *tn_index_select(tn_tensor *x, int32_t axis, tn_tensor *index)
{
    TN_OPERANDS(x, index);
    uint32_t at = 0;
    if (!tn_find_axis("index_select", x, axis, &at)) return x;
    tn_shape line = {0}, to = x->type.shape;
    if (index->type.shape.rank != 1)
        tn_node_fail(x->graph, TN_ESHAPE, "index_select: an index of rank %d", index->type.shape.rank);
    if (tn_graph_status(x->graph) || !at) return tn_gather(x, index);
    line.rank = to.rank - (int32_t)at;
    for (int32_t d = 0; d < line.rank; d++) line.dim[d] = d ? 1 : index->type.shape.dim[0];
    to.dim[at] = index->type.shape.dim[0];
    return tn_take(x, tn_broadcast(tn_reshape(index, line), to), axis);
}

tn_tensor *tn_argsort(tn_tensor *x, int32_t axis, int descending)
{
    uint32_t at = 0;
    if (!tn_find_axis("argsort", x, axis, &at)) return x;
    return tn_topk(x, x->type.shape.dim[at], axis, !descending, NULL);
}

tn_tensor *tn_sort(tn_tensor *x, int32_t axis, int descending)
{
    return tn_take(x, tn_argsort(x, axis, descending), axis);
}

/* ---- padding by elements of x ---- */

/* x between two others, which are left out where they are empty. */
static tn_tensor *between(tn_tensor *before, tn_tensor *x, tn_tensor *after, int32_t axis)
{
    tn_tensor *parts[3];
    uint32_t n = 0;
    if (before) parts[n++] = before;
    parts[n++] = x;
    if (after) parts[n++] = after;
    return tn_concat(parts, n, axis);
}

tn_tensor *tn_pad_edge(tn_tensor *x, int32_t axis, int64_t before, int64_t after)
{
    return between(before ? tn_repeat(tn_slice(x, axis, 0, 1, 1), axis, before) : NULL, x,
                   after ? tn_repeat(tn_slice(x, axis, -1, 1, 1), axis, after) : NULL, axis);
}

tn_tensor *tn_pad_reflect(tn_tensor *x, int32_t axis, int64_t before, int64_t after)
{
    return between(before ? tn_slice(x, axis, before, before, -1) : NULL, x,
                   after ? tn_slice(x, axis, -2, after, -1) : NULL, axis);
}

tn_tensor *tn_pad_wrap(tn_tensor *x, int32_t axis, int64_t before, int64_t after)
{
    return between(before ? tn_slice(x, axis, -before, before, 1) : NULL, x,
                   after ? tn_slice(x, axis, 0, after, 1) : NULL, axis);
}

/* ---- matrices and ranges ---- */

tn_tensor *tn_diag(tn_tensor *x)
{
    const tn_shape s = tn_shape_of(x);
    if (s.rank != 1 && s.rank != 2) tn_node_fail(tn_graph_of(x), TN_ESHAPE, "diag: a tensor of rank %d", s.rank);
    if (tn_graph_status(tn_graph_of(x))) return x;
    if (s.rank == 2) {
        int64_t least = s.dim[0] < s.dim[1] ? s.dim[0] : s.dim[1];
        return tn_slice(tn_reshape(x, TN_SHAPE(s.dim[0] * s.dim[1])), 0, 0, least, s.dim[1] + 1);
    }
    return tn_where(tn_eye(x->graph, s.dim[0]), x, tn_number(x, 0));
}

tn_tensor *tn_eye(tn_graph *graph, int64_t n)
{
    return tn_cast(tn_eq(tn_iota(graph, TN_SHAPE(n, n), 0), tn_iota(graph, TN_SHAPE(n, n), 1)), TN_F32);
}

tn_tensor *tn_arange(tn_graph *graph, double start, double step, int64_t count)
{
    tn_tensor *i = tn_cast(tn_iota(graph, TN_SHAPE(count), 0), TN_F32);
    return tn_add(tn_mul(i, tn_number(i, step)), tn_number(i, start));
}

/* Each half counts from its own end, so that both ends are exact. */
tn_tensor *tn_linspace(tn_graph *graph, double first, double last, int64_t count)
{
    double step = count > 1 ? (last - first) / (double)(count - 1) : 0;
    tn_tensor *up = tn_arange(graph, first, step, count), *down = tn_flip(tn_arange(graph, last, -step, count), 0);
    tn_tensor *i = tn_iota(graph, TN_SHAPE(count), 0);
    return count > 1 ? tn_where(tn_lt(i, tn_number(i, (double)(count / 2))), up, down) : up;
}
