/* no_function: leaves out a function that every host needs. */
#include "template.h"

PLUGIN("no_function", table.op_run = NULL)
