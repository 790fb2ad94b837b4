/* unresolved: needs a function that nobody has. */
#include "template.h"

int function_that_nobody_has(void);

PLUGIN("unresolved", table.abi_minor = (uint32_t)function_that_nobody_has())
