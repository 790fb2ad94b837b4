/* budget.h: how far a result may be from the double-precision reference, by operator and type, for every backend.
 *
 * An element may be off by `ulp` units of its own last place, plus what it means when each operand (or, in a map, each
 * argument of the instruction) was off by `input` units: the error of a sum that nearly cancels, for instance. All
 * elements together may be off by `norm` units of the result's Euclidean norm. `absolute` is for rows whose text ends in
 * a difference that cancels, as in 1 + erf(x): units of 1 that are lost whatever is left. 0 and 0: equal bit by bit, but for the
 * sign of zero and the bits of a NaN. */
#ifndef TN_OP_BUDGET_H
#define TN_OP_BUDGET_H

#include "op.h"

typedef struct tn_budget {
    double ulp, input, norm, absolute;
} tn_budget;

/* Of an operator, a row or an instruction of a map. Types without digits after the point have a budget of nothing. */
tn_budget tn_budget_of(const char *name, int32_t dtype);

/* The unit: the distance from 1 to the next number of that type; 0 for whole numbers. */
double tn_unit_of(int32_t dtype);

#endif
