/* unbroadcast.c: the gradient of an operand that was stretched is the sum over the dimensions along which it was. */
#include "op.h"

tn_tensor *tn_unbroadcast(tn_tensor *dy, const tn_shape *shape)
{
    tn_axes axes = {0};
    const tn_shape *from = &dy->type.shape;
    int32_t extra = from->rank - shape->rank;
    if (tn_graph_status(dy->graph) || tn_shape_equal(from, shape)) return dy;
    for (int32_t d = 0; d < from->rank; d++)
        if (d < extra || shape->dim[d - extra] != from->dim[d]) axes.axis[axes.count++] = d;
    return tn_reshape(tn_sum(dy, axes, 1), *shape);
}
