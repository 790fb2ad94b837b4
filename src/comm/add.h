/* add.h: the addition of gradients. */
#ifndef TN_COMM_ADD_H
#define TN_COMM_ADD_H

#include <stdint.h>

/* a[i] += b[i] for `count` elements of TN_F32 or TN_F64 that do not overlap: one IEEE addition each. */
void tn_vector_add(int32_t dtype, void *a, const void *b, uint64_t count);
/* The same with the sums in `to`, which overlaps neither. */
void tn_vector_sum(int32_t dtype, void *to, const void *a, const void *b, uint64_t count);

#endif
