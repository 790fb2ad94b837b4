/* input.c: a tensor that the user fills before each run. Made by graph/build.c. */
#include "op.h"

const tn_op_def tn_op_input = {.name = "input", .doc = "a tensor that is fed before a run", .kind = TN_LEAF};
