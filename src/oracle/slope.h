/* slope.h: the gradients in a random program against differences of the interpreted loss, so that differentiation is
 * judged by something that knows no gradient. */
#ifndef TN_ORACLE_SLOPE_H
#define TN_ORACLE_SLOPE_H

#include "judge.h"
#include "recipe.h"

/* Tries each gradient that the recipe asks for in a random direction. Where the loss has a kink, or an operator's
 * gradient is not its slope by definition, nothing is said; what is wrong goes to the verdict. */
TN_MUST_USE tn_status tn_judge_slopes(const tn_recipe *recipe, uint64_t seed, tn_verdict *verdict);

#endif
