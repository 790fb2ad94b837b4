/* variable.c: a named tensor that lives in the state. Made by graph/build.c. */
#include "leaf.h"

const tn_op_def tn_op_variable = {.name = "variable",
                                  .doc = "a named tensor that keeps its value between runs",
                                  .kind = TN_LEAF,
                                  .attrs_size = sizeof(tn_variable_attrs)};
