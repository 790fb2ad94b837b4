/* formulas.h: what operators that are made of others share. */
#ifndef TN_OP_FORMULAS_H
#define TN_OP_FORMULAS_H

#include "op.h"

/* x to the power, the gradient 0 where x is 0; a NaN stays. */
tn_tensor *tn_root(tn_tensor *x, double power);

#endif
