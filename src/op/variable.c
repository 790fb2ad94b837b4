/* variable.c: a named tensor that lives in the state. Made by graph/build.c. */
#include "leaf.h"

static const tn_field fields[] = {
    TN_FIELD(tn_variable_attrs, init.kind, NUMBER),     TN_FIELD(tn_variable_attrs, init.a, NUMBER),
    TN_FIELD(tn_variable_attrs, init.fan_in, NUMBER),   TN_FIELD(tn_variable_attrs, init.fan_out, NUMBER),
    TN_FIELD(tn_variable_attrs, init.zero_row, NUMBER), TN_FIELD(tn_variable_attrs, flags, NUMBER),
    TN_FIELD(tn_variable_attrs, optimizer, NUMBER),     {0}};

const tn_op_def tn_op_variable = {.name = "variable",
                                  .doc = "a named tensor that keeps its value between runs",
                                  .kind = TN_LEAF,
                                  TN_ATTRS(tn_variable_attrs, fields)};
