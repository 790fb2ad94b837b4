/* composite.h: what the references of composites share: finding elements by their coordinates. */
#ifndef TN_OP_COMPOSITE_H
#define TN_OP_COMPOSITE_H

#include "op.h"

/* The elements of a dense x fall into groups that differ in the dimensions outside `axes` (a bit each), in row-major
 * order: how many each has, and the linear index of one of them. */
int64_t tn_group_size(const tn_tensor_desc *x, uint32_t axes);
int64_t tn_group_member(const tn_tensor_desc *x, uint32_t axes, int64_t group, int64_t number);

/* The linear index of the element of dense `from` that stands for element e of `to` when it is broadcast to that. */
int64_t tn_stretched_index(const tn_tensor_desc *from, const tn_tensor_desc *to, int64_t e);

#endif
