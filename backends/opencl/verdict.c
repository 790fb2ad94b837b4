/* verdict.c: what trials on a device found is kept in the host's cache; so is that one was begun, and by which process,
 * for a driver may end the process by it. One that is still at work, as others of a distributed training are that begin
 * at the same time, has not ended; of one on another machine, which has the same cache and such a device too, nothing
 * is known for a while. */
#include "verdict.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DEATHS = 2, WHILE = 3600 }; /* seconds, of which trials take few */

/* What is kept: what is right; or that a trial was begun, by whom, and how many before did not come to an end. */
typedef struct verdict {
    uint32_t right, is_begun, deaths;
    int32_t process; /* 0: none */
    uint64_t machine;
    int64_t begun; /* when, in seconds */
} verdict;

static void keep(const char *key, const verdict *v)
{
    if (ocl_host->cache_put) ocl_host->cache_put(ocl_host->self, key, v, sizeof *v);
}

static verdict recall(const char *key)
{
    verdict v;
    const int64_t bytes = ocl_host->cache_get ? ocl_host->cache_get(ocl_host->self, key, &v, sizeof v) : -1;
    return bytes == (int64_t)sizeof v ? v : (verdict){.is_begun = 1};
}

static uint64_t this_machine(void)
{
    char name[256] = "";
    if (gethostname(name, sizeof name - 1)) *name = 0;
    return ocl_hash(1, name, strlen(name));
}

/* A number that this process has was another's before. */
static int is_at_work(const verdict *v)
{
    const int64_t age = (int64_t)time(NULL) - v->begun;
    if (v->machine != this_machine()) return age >= 0 && age < WHILE;
    return v->process > 0 && v->process != (int32_t)getpid() && !kill((pid_t)v->process, 0);
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
    verdict v = recall(key);
    int lasts = 1;
    *right = v.is_begun ? 0 : v.right;
    if (!v.is_begun) return TN_OK;
    if (v.process && !is_at_work(&v)) {
        v.process = 0, v.deaths++;
        keep(key, &v);
    }
    if (v.deaths >= DEATHS) {
        warn_of_deaths(what);
        return TN_OK;
    }
    v.process = (int32_t)getpid(), v.machine = this_machine(), v.begun = (int64_t)time(NULL);
    keep(key, &v);
    const int32_t s = trial(context, right, &lasts, msg);
    v.process = 0, v.is_begun = s || !lasts, v.right = *right;
    keep(key, &v);
    return s;
}
