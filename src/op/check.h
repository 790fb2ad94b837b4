/* check.h: what operators share for checking their types, and the descriptors of operations. */
#ifndef TN_OP_CHECK_H
#define TN_OP_CHECK_H

#include "op.h"

/* 1 for f32 and f64. */
int tn_is_floating(int32_t dtype);

/* Operand i is f32 or f64, or, with `integer`, i32 as well. */
tn_status tn_require_type(const char *op, const tn_tensor *x, int integer);

/* An axis as 0..rank-1; negative ones count from the last. */
tn_status tn_require_axis(const char *op, const tn_tensor *x, int32_t axis, uint32_t *out);

/* A shape for attributes: what the rank does not cover is zero, for attributes are compared byte by byte. */
void tn_keep_shape(tn_shape *to, tn_shape from);

/* ---- operations ---- */

/* n_in inputs and one output. */
tn_status tn_check_counts(const tn_op_desc *desc, uint32_t n_in, uint32_t n_out);

/* An attribute struct whose first `known` bytes are there, and nothing but zero beyond. */
tn_status tn_check_attrs(const tn_op_desc *desc, uint64_t known);

/* A dense operand of that rank. */
tn_status tn_check_dense(const tn_op_desc *desc, const tn_tensor_desc *x, int32_t rank);

/* Equal dimensions. */
tn_status tn_check_same(const tn_op_desc *desc, const tn_tensor_desc *a, const tn_tensor_desc *b);

/* An operand that is dense, but for strides of 0. */
tn_status tn_check_strides(const tn_op_desc *desc, const tn_tensor_desc *x);

#endif
