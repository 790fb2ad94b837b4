/* reduce.h: what the compiler needs to feed a reduction with a map. */
#ifndef TN_OP_REDUCE_H
#define TN_OP_REDUCE_H

#include "op.h"

/* The iteration space, kind and output of a reduction as they are, before merging; the map and the inputs are left
 * alone. */
void tn_reduce_space(const tn_tensor *y, tn_operation *operation);

/* Merges neighbouring dimensions of the iteration space that are both kept or both reduced, where the inputs' strides
 * allow it; dimensions of size 1 go. Map, inputs (desc.n_in) and output are there. Not for maps with iota. */
void tn_reduce_merge(tn_operation *operation);

/* The axes that y sums, bit d for axis d; 0 if it is no sum. */
uint32_t tn_sum_axes(const tn_tensor *y);
/* The same sum of x, whose dimension d is dimension perm[d] of what y adds up; the axes stay, as 1. */
tn_tensor *tn_sum_turned(const tn_tensor *y, tn_tensor *x, const int32_t perm[]);

#endif
