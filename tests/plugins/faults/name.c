/* name.c: which fault this is. What a library takes from the environment shows among its symbols, so only the faults
 * that are about that take something. */
#include <stdlib.h>

const char *fault_environment(const char *name);
extern const char fault_name[];
const char fault_name[] = FAULT;

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
