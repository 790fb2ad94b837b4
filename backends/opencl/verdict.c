/* verdict.c: what trials on a device found is kept in the host's cache; so is that one was begun, for a driver may end
 * the process by it. */
#include "verdict.h"

#include <stdio.h>

/* What is kept: what is right; or BEGUN and how many trials were begun that did not come to an end. */
enum { BEGUN = 0x80, DEATHS = 2 };

static void keep(const char *key, uint32_t what)
{
    const unsigned char byte = (unsigned char)what;
    if (ocl_host->cache_put) ocl_host->cache_put(ocl_host->self, key, &byte, 1);
}

static void warn_of_deaths(const char *what)
{
    char line[120];
    snprintf(line, sizeof line, "%.60s are off: the process ended twice while they were tried", what);
    if (ocl_host->log) ocl_host->log(ocl_host->self, TN_LOG_WARNING, line);
}

int32_t ocl_verdict(tn_context *context, const char *key, const char *what, ocl_trial *trial, uint32_t *right,
                    tn_msg *msg)
{
    unsigned char known = BEGUN;
    int lasts = 1;
    *right = 0;
    if (ocl_host->cache_get && ocl_host->cache_get(ocl_host->self, key, &known, 1) != 1) known = BEGUN;
    const uint32_t deaths = known & ~(uint32_t)BEGUN;
    if (known & BEGUN && deaths >= DEATHS) warn_of_deaths(what);
    if (!(known & BEGUN)) *right = known;
    if (!(known & BEGUN) || deaths >= DEATHS) return TN_OK;
    keep(key, BEGUN | (deaths + 1));
    const int32_t s = trial(context, right, &lasts, msg);
    keep(key, !s && lasts ? *right : BEGUN | deaths);
    return s;
}
