/* scalar.c: a number that may change at each run without compiling again. Made by graph/build.c; the compiler makes it
 * a run-time scalar of the kernels that use it. */
#include "leaf.h"

static const tn_field fields[] = {TN_FIELD(tn_scalar_attrs, value, NUMBER), {0}};

const tn_op_def tn_op_scalar = {.name = "scalar",
                                .doc = "a number that is set before a run",
                                .kind = TN_LEAF,
                                TN_ATTRS(tn_scalar_attrs, fields),
                                .budget = TN_BUDGET_ROUND};
