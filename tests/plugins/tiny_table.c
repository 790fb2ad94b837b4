/* tiny_table: its table ends before the functions. */
#include "template.h"

PLUGIN("tiny_table", table.size = offsetof(tn_backend, op_run))
