/* along.h: what operators along one axis share: the axis as attribute, and operands as (outer, n, inner). */
#ifndef TN_OP_ALONG_H
#define TN_OP_ALONG_H

#include "check.h"

/* The dimensions before the axis, the axis, those after it. */
tn_tensor_desc tn_desc_along(const tn_tensor *x, uint32_t axis);

/* The axis as 0..rank-1; 0 with the graph failed if there is no such axis, or if it has failed before. */
int tn_find_axis(const char *op, tn_tensor *x, int32_t axis, uint32_t *out);

/* x with a new dimension of 1, by its place in the result; for operators that are called `op`. */
tn_tensor *tn_insert_axis(const char *op, tn_tensor *x, int32_t axis);

/* Moving elements costs no floating-point operations. */
double tn_no_flops(const tn_op_desc *desc);

#endif
