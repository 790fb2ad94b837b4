/* check.h: what operators share for checking their types, and the check of operations. */
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

/* Whether the reference can do an operation. The line says what is wrong with it. */
tn_status tn_check_operation(const tn_op_desc *desc);

#endif
