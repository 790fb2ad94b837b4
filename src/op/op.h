/* op.h: what an operator is, and what its file sees.
 *
 * An operator is one const tn_op_def in a file of its own and one line in list.def. The graph, the compiler, the
 * reference backend, the conformance tests, `tenon ops` and the tables in the docs know it from there. */
#ifndef TN_OP_OP_H
#define TN_OP_OP_H

#include "node.h"

/* Every operator by number (list.def's, then the rows and their gradients), and by name. NULL where there is none. */
const tn_op_def *tn_op_number(size_t index);
const tn_op_def *tn_op_named(const char *name);

/* x as an element of that type keeps it: what is read back after it was stored. */
double tn_kept_as(int32_t dtype, double x);

/* Flops and bytes of an operation by its definition. */
tn_cost tn_op_cost(const tn_op_desc *desc);

/* The text of the first rows of list.def. */
#define X(name) extern const tn_op_def tn_op_##name;
#include "list.def"
#undef X

/* ---- building ---- */

/* Sums dy over the axes along which an operand of this shape was broadcast. */
tn_tensor *tn_unbroadcast(tn_tensor *dy, const tn_shape *shape);

/* ---- map programs (implemented by op/map.c) ---- */

/* Adds an instruction; returns the number of its value. Fails softly: the builder keeps the error. */
int32_t tn_emit(tn_map_builder *builder, const char *op, const int32_t arg[4], int32_t dtype, double value);
/* The number of the state's "seed" or "step" in this map. */
int32_t tn_emit_scalar(tn_map_builder *builder, const char *name);

#endif
