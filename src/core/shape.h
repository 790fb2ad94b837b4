/* shape.h: shape arithmetic, and what is known of element types, shared by the layers. */
#ifndef TN_CORE_SHAPE_H
#define TN_CORE_SHAPE_H

#include "tenon/tensor.h"

/* A row of dtype.def, where the columns are explained. */
typedef struct tn_dtype_facts {
    const char *name;
    double unit, smallest, largest;
    uint64_t infinity;
} tn_dtype_facts;

/* Of no type: the name "?", and zeros. */
const tn_dtype_facts *tn_dtype_facts_of(int32_t dtype);

/* The element type of that name, or 0. */
int32_t tn_dtype_named(const char *name);

/* Whole numbers; and numbers with a point in 16 bits. */
int tn_is_whole(int32_t dtype);
int tn_is_narrow(int32_t dtype);

/* Rank, dimensions and element count within limits. */
tn_status tn_shape_check(const tn_shape *shape);

/* The shape of a and b together, as NumPy broadcasts. */
tn_status tn_shape_broadcast(const tn_shape *a, const tn_shape *b, tn_shape *out);

/* Bit d is set for each axis d in the set. */
tn_status tn_axes_mask(tn_axes axes, int32_t rank, uint32_t *mask);

/* Height and width as they are given, {3} for 3 x 3: a missing width is the height, a missing height is `missing`. */
void tn_both_sizes(const uint32_t given[2], uint32_t missing, uint32_t size[2]);

/* A dense, row-major operand. */
tn_tensor_desc tn_desc_dense(int32_t dtype, const tn_shape *shape);

#endif
