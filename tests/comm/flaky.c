/* flaky.c: the communicator `local`, of which one function of one rank fails: FLAKY, "FUNCTION RANK CALLS ONCE", says
 * which, at the how-manieth call, and whether only then or from then on. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tenon/comm.h"

static _Atomic(const tn_communicator *) local;

static struct {
    char function[16];
    uint32_t rank;
    long at, once;
    atomic_long calls;
    _Atomic(tn_comm *) comm; /* of that rank */
} plan;

/* Once there were so many calls of that function by that rank. */
static int fails(const tn_comm *comm, const char *function, tn_msg *msg)
{
    if (comm != plan.comm || strcmp(function, plan.function)) return 0;
    const long call = atomic_fetch_add(&plan.calls, 1);
    if (call < plan.at || (plan.once && call > plan.at)) return 0;
    snprintf(msg->text, (size_t)msg->capacity, "the cable was cut");
    return 1;
}

static int32_t open(const tn_host *host, tn_comm_place *place, tn_comm **comm, tn_msg *msg)
{
    const int32_t status = local->open(host, place, comm, msg);
    if (!status && place->rank == plan.rank) plan.comm = *comm;
    return status;
}

static int32_t post(tn_comm *comm, tn_comm_part *const *part, uint64_t count, tn_msg *msg)
{
    return fails(comm, "post", msg) ? TN_EDEVICE : local->post(comm, part, count, msg);
}

static int32_t progress(tn_comm *comm, uint64_t microseconds, tn_msg *msg)
{
    return fails(comm, "progress", msg) ? TN_EDEVICE : local->progress(comm, microseconds, msg);
}

static void close(tn_comm *comm, uint32_t failed)
{
    local->close(comm, failed);
}

/* All threads of a team have one plan, and begin to count together. */
static void read_plan(const char *text)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char last[64];
    pthread_mutex_lock(&lock);
    if (strcmp(last, text)) {
        snprintf(last, sizeof last, "%s", text);
        sscanf(text, "%15s %u %ld %ld", plan.function, &plan.rank, &plan.at, &plan.once);
        plan.calls = 0;
        plan.comm = NULL;
    }
    pthread_mutex_unlock(&lock);
}

const tn_communicator *tn_comm_query(uint32_t host_major, uint32_t host_minor)
{
    static const tn_communicator table = {sizeof table, TN_COMM_MAJOR, TN_COMM_MINOR, "flaky",  "1",
                                          "",           open,          post,          progress, close};
    const char *text = getenv("FLAKY");
    void *library = dlopen(TEST_LOCAL, RTLD_NOW | RTLD_LOCAL);
    tn_comm_query_fn *query = library ? (tn_comm_query_fn *)dlsym(library, "tn_comm_query") : NULL;
    if (!query || !text) return NULL;
    read_plan(text);
    local = query(host_major, host_minor);
    return &table;
}
