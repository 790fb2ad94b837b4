/* wrong_major: made for another major version of the ABI. */
#include "template.h"

PLUGIN("wrong_major", table.abi_major = 2; table.abi_minor = 7)
