/* composite.c: see composite.h. */
#include "composite.h"

int64_t tn_group_size(const tn_tensor_desc *x, uint32_t axes)
{
    int64_t size = 1;
    for (int32_t d = 0; d < x->rank; d++)
        if (axes >> d & 1) size *= x->dim[d];
    return size;
}

int64_t tn_group_member(const tn_tensor_desc *x, uint32_t axes, int64_t group, int64_t number)
{
    int64_t index = 0, stride = 1;
    for (int32_t d = x->rank - 1; d >= 0; d--) {
        int64_t *from = axes >> d & 1 ? &number : &group;
        index += *from % x->dim[d] * stride;
        *from /= x->dim[d];
        stride *= x->dim[d];
    }
    return index;
}

int64_t tn_stretched_index(const tn_tensor_desc *from, const tn_tensor_desc *to, int64_t e)
{
    int64_t index = 0, stride = 1;
    int32_t missing = to->rank - from->rank;
    for (int32_t d = to->rank - 1; d >= missing; d--) {
        int64_t size = from->dim[d - missing];
        if (size != 1) index += e % to->dim[d] * stride;
        e /= to->dim[d];
        stride *= size;
    }
    return index;
}
