/* budget.h: how far a result may be from the double-precision reference, by operator and type, for every backend. */
#ifndef TN_OP_BUDGET_H
#define TN_OP_BUDGET_H

#include "op.h"

/* Of an operator, a row or an instruction of a map. Types without digits after the point have a budget of nothing. */
tn_budget tn_budget_of(const char *name, int32_t dtype);

/* How much more than its operands' errors a long sum may lose, whatever its order: that of n numbers, taken one after
 * the other, is off by a share of a unit of each sum on the way, which are larger by the root of n than the numbers. At
 * least 1. */
double tn_order_of(const tn_op_desc *desc);

/* The unit: the distance from 1 to the next number of that type; 0 for whole numbers. */
double tn_unit_of(int32_t dtype);

#endif
