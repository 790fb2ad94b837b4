/* full.c: one number in every element. Made by graph/build.c; the compiler makes it a constant of the maps that use
 * it. */
#include "leaf.h"

const tn_op_def tn_op_full = {.name = "full",
                              .doc = "one number in every element",
                              .kind = TN_LEAF,
                              .attrs_size = sizeof(tn_full_attrs),
                              .budget = TN_BUDGET_ROUND};
