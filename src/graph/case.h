/* case.h: the graphs of operators' cases, for whoever tries operators out. */
#ifndef TN_GRAPH_CASE_H
#define TN_GRAPH_CASE_H

#include "op.h"

enum { TN_CASE_OPERANDS = 4 };

/* The case with its f32 operands as `dtype`, which are inputs "x0", "x1", ...; a case of whole numbers alone has i32
 * for its only form. NULL if the operator does not have that form. */
tn_graph *tn_case_graph(const tn_op_case *c, int32_t dtype, tn_tensor *in[TN_CASE_OPERANDS], tn_tensor **y);

/* Whether that is a case of the operator in that type: it is in the graph, or stands for what is. Others are cases of
 * what is built without it. */
int tn_case_is_of(const tn_op_def *op, const tn_graph *graph, int32_t dtype);

/* Adds its outputs: "y"; or backward "g0", "g1", ...: what an input "dy" means for each real operand. Returns 0 if
 * there is no such thing. */
int tn_case_outputs(tn_tensor *const in[TN_CASE_OPERANDS], tn_tensor *y, int backward);

#endif
