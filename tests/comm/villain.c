/* villain.c: a communicator that misbehaves in one way, HOW: what is wrong is in the table or in one function. */
#include <string.h>

#include "tenon/comm.h"

#define IS(how) (!strcmp(HOW, how))

struct tn_comm {
    int nothing;
};

static tn_comm only;

static int32_t say(tn_msg *msg, int32_t status, const char *text)
{
    if (msg && msg->text && msg->capacity > strlen(text)) strcpy(msg->text, text);
    return status;
}

static int32_t open(const tn_host *host, tn_comm_place *place, tn_comm **comm, tn_msg *msg)
{
    (void)host;
    if (IS("open_fails")) return say(msg, TN_EDEVICE, "no\n\033[31m network");
    if (IS("open_odd_status")) return say(msg, -77, "what?");
    if (IS("open_claims")) place->rank = 5, place->ranks = 2;
    if (IS("open_crowd")) place->rank = 0, place->ranks = 4000000000u;
    if (!IS("open_nothing")) *comm = &only;
    return TN_OK;
}

static int32_t post(tn_comm *comm, tn_comm_part *const *part, uint64_t count, tn_msg *msg)
{
    (void)comm;
    (void)part;
    (void)count;
    return IS("post_fails") ? say(msg, TN_ENOMEM, "no room") : TN_OK;
}

/* Where nothing else is wrong, nothing ever arrives. */
static int32_t progress(tn_comm *comm, uint64_t microseconds, tn_msg *msg)
{
    (void)comm;
    (void)microseconds;
    return IS("progress_fails") ? say(msg, TN_EDEVICE, "the cable was cut") : TN_OK;
}

static void close(tn_comm *comm, uint32_t failed)
{
    (void)comm;
    (void)failed;
}

const tn_communicator *tn_comm_query(uint32_t host_major, uint32_t host_minor)
{
    static tn_communicator table = {sizeof table, TN_COMM_MAJOR, TN_COMM_MINOR, HOW,      "1",
                                    "",           open,          post,          progress, close};
    (void)host_major;
    (void)host_minor;
    if (IS("wrong_major")) table.abi_major = 9;
    if (IS("tiny")) table.size = 8;
    if (IS("short")) table.size = sizeof table - 8;
    if (IS("no_post")) table.post = NULL;
    if (IS("no_id")) table.id = NULL;
    if (IS("other_name")) table.id = "somebody";
    return IS("null") ? NULL : &table;
}
