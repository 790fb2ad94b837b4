/* along.c: what operators along one axis share. */
#include "along.h"

tn_tensor_desc tn_desc_along(const tn_tensor *x, uint32_t axis)
{
    tn_shape s = TN_SHAPE(1, 1, 1);
    for (uint32_t d = 0; d < (uint32_t)x->type.shape.rank; d++)
        s.dim[d < axis ? 0 : d == axis ? 1 : 2] *= x->type.shape.dim[d];
    return tn_desc_dense(x->type.dtype, &s);
}

int tn_find_axis(const char *op, tn_tensor *x, int32_t axis, uint32_t *out)
{
    tn_graph *graph = tn_graph_of(x);
    if (tn_graph_status(graph)) return 0;
    tn_status s = tn_require_axis(op, x, axis, out);
    if (s) tn_node_fail(graph, s, "%s", tn_message());
    return !s;
}

tn_tensor *tn_insert_axis(const char *op, tn_tensor *x, int32_t axis)
{
    tn_graph *graph = tn_graph_of(x);
    char text[160];
    if (tn_graph_status(graph)) return x;
    tn_shape from = x->type.shape, to = {.rank = from.rank + 1};
    int32_t at = axis < 0 ? axis + to.rank : axis;
    if (to.rank > TN_MAX_RANK)
        tn_node_fail(graph, TN_ESHAPE, "%s: shape %s leaves no room for one more dimension", op,
                     tn_shape_text(&from, text, sizeof text));
    else if (at < 0 || at > from.rank)
        tn_node_fail(graph, TN_ESHAPE, "%s: axis %d of %d dimensions", op, axis, to.rank);
    if (tn_graph_status(graph)) return x;
    for (int32_t d = 0; d < to.rank; d++) to.dim[d] = d < at ? from.dim[d] : d == at ? 1 : from.dim[d - 1];
    return tn_reshape(x, to);
}

double tn_no_flops(const tn_op_desc *desc)
{
    (void)desc;
    return 0;
}
