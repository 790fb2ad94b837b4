/* name.c: which fault this is: the file is called so. What a library takes from the environment shows among its
 * symbols, so only the faults that are about that take something. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

char fault_name[64];

__attribute__((constructor)) static void find_name(void)
{
    Dl_info here;
    if (!dladdr(fault_name, &here)) return;
    const char *slash = strrchr(here.dli_fname, '/'), *file = slash ? slash + 1 : here.dli_fname;
    snprintf(fault_name, sizeof fault_name, "%.*s", (int)strcspn(file, "."), file);
}

const char *fault_environment(const char *name)
{
#if defined(FAULT_READS)
    return getenv(name);
#else
    (void)name;
    return NULL;
#endif
}

#if defined(FAULT_EXPORTS)
__attribute__((visibility("default"))) int somebody_elses_business(void);
int somebody_elses_business(void)
{
    return 1;
}
#endif
