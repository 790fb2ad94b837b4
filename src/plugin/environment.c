/* environment.c: see environment.h. */
#include "environment.h"

#include <stdlib.h>

#include "system.h"

const char *tn_environment(const char *name)
{
    return tn_system_is_privileged() ? NULL : getenv(name);
}
