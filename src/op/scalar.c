/* scalar.c: a number that may change at each run without compiling again. Made by graph/build.c; the compiler makes it
 * a run-time scalar of the kernels that use it. */
#include "leaf.h"

const tn_op_def tn_op_scalar = {.name = "scalar",
                                .doc = "a number that is set before a run",
                                .kind = TN_LEAF,
                                .attrs_size = sizeof(tn_scalar_attrs),
                                .budget = TN_BUDGET_ROUND};
