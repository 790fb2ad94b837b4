/* wrong.c: the communicator `local` with a fault, which the variable WRONG names. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tenon/comm.h"

static const tn_communicator *local;
static const char *how = "";

static int32_t start(const tn_host *host, tn_comm_place *place, tn_comm **comm, tn_msg *msg)
{
    return local->open(host, place, comm, msg);
}

/* What is sent together goes in the order that it came in, or `turned`. */
static int32_t post(tn_comm *comm, tn_comm_part *const *part, uint64_t count, tn_msg *msg)
{
    tn_comm_part *other[64];
    if (!strcmp(how, "crashes")) abort();
    if (strcmp(how, "turned") || count > 64) return local->post(comm, part, count, msg);
    for (uint64_t i = 0, k = count; i < count; i++) {
        other[i] = part[i];
        if (part[i]->direction != TN_COMM_SEND) continue;
        while (part[--k]->direction != TN_COMM_SEND) continue;
        other[i] = part[k];
    }
    return local->post(comm, other, count, msg);
}

static int32_t progress(tn_comm *comm, uint64_t microseconds, tn_msg *msg)
{
    char text[256];
    tn_msg aside = {text, sizeof text};
    const clock_t until = clock() + CLOCKS_PER_SEC / 1000;
    while (!strcmp(how, "spins") && clock() < until) continue;
    return strcmp(how, "swallows") ? local->progress(comm, strcmp(how, "spins") ? microseconds : 0, msg)
                                   : (local->progress(comm, microseconds, &aside), TN_OK);
}

static void end(tn_comm *comm, uint32_t failed)
{
    local->close(comm, failed);
}

const tn_communicator *tn_comm_query(uint32_t host_major, uint32_t host_minor)
{
    static const tn_communicator table = {sizeof table, TN_COMM_MAJOR, TN_COMM_MINOR, "wrong",  "1",
                                          "",           start,         post,          progress, end};
    void *library = dlopen(TEST_LOCAL, RTLD_NOW | RTLD_LOCAL);
    tn_comm_query_fn *query = library ? (tn_comm_query_fn *)dlsym(library, "tn_comm_query") : NULL;
    if (!query) return NULL;
    if (getenv("WRONG")) how = getenv("WRONG");
    local = query(host_major, host_minor);
    return &table;
}
