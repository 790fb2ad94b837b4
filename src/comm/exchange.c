/* exchange.c: batches of messages on the team's thread. */
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "error.h"
#include "team_internal.h"
#include "text.h"

enum { DATA }; /* the channel; the pulse has the other */

tn_status tn_comm_status(int32_t status)
{
    return status >= TN_OK && status <= TN_ESTATE ? status : TN_EDEVICE;
}

/* Called while no message is under way, so that nobody writes into the old memory. */
void *tn_team_scratch(tn_team *team, uint64_t bytes)
{
    if (bytes <= team->scratch_bytes) return team->scratch;
    void *memory = tn_alloc(bytes);
    if (!memory) return NULL;
    tn_free(team->scratch);
    team->scratch = memory;
    team->scratch_bytes = bytes;
    return memory;
}

static tn_status add(tn_team *team, const tn_comm_part *part)
{
    TN_TRY(tn_grow(&team->part, &team->part_room, team->parts + 1, sizeof *part));
    team->part[team->parts++] = *part;
    return TN_OK;
}

tn_status tn_team_send(tn_team *team, uint32_t peer, const void *data, uint64_t bytes)
{
    const tn_comm_part part = {(void *)(uintptr_t)data, bytes, peer, TN_COMM_SEND, DATA, 0, {NULL}};
    return add(team, &part);
}

tn_status tn_team_receive(tn_team *team, uint32_t peer, void *data, uint64_t bytes)
{
    const tn_comm_part part = {data, bytes, peer, TN_COMM_RECEIVE, DATA, 0, {NULL}};
    return add(team, &part);
}

tn_status tn_team_post(tn_team *team, tn_comm_part *const *part, uint64_t count)
{
    char text[256] = "";
    tn_msg msg = {text, sizeof text};
    tn_status status = tn_comm_status(team->table->post(team->comm, part, count, &msg));
    TN_REQUIRE(!status, status, "communicator %s: %s", team->table->id, tn_text_clean(text, sizeof text));
    return TN_OK;
}

/* A communicator that fails may do so at once and again: the next try comes a moment later. */
static tn_status progress(tn_team *team, uint64_t microseconds)
{
    static const struct timespec moment = {.tv_nsec = 5000000};
    char text[256] = "";
    tn_msg msg = {text, sizeof text};
    tn_status status = tn_comm_status(team->table->progress(team->comm, microseconds, &msg));
    if (status) nanosleep(&moment, NULL);
    TN_REQUIRE(!status, status, "communicator %s: %s", team->table->id, tn_text_clean(text, sizeof text));
    return TN_OK;
}

void tn_team_live(tn_team *team, uint64_t microseconds)
{
    const uint64_t now = tn_team_now(), next = team->pulse.next;
    const uint64_t room = next > now ? next - now : 0;
    tn_status status = progress(team, microseconds < room ? microseconds : room);
    if (status) tn_team_fail(team, status, tn_message());
    tn_pulse_keep(team);
}

static tn_status post_all(tn_team *team)
{
    TN_TRY(tn_grow(&team->posted, &team->posted_room, team->parts, sizeof *team->posted));
    for (uint32_t i = 0; i < team->parts; i++) team->posted[i] = &team->part[i];
    return tn_team_post(team, team->posted, team->parts);
}

/* After a failure the batch stays where it is: it may be under way until the end. */
tn_status tn_team_exchange(tn_team *team)
{
    uint64_t sent = 0;
    if (!team->parts) return TN_OK;
    TN_TRY(post_all(team));
    for (uint32_t i = 0; i < team->parts; i++) {
        while (!team->part[i].done) {
            tn_team_live(team, team->pulse.interval);
            TN_TRY(tn_team_check(team));
        }
        if (team->part[i].direction == TN_COMM_SEND) sent += team->part[i].bytes;
    }
    team->parts = 0;
    pthread_mutex_lock(&team->lock);
    team->stats.sent += sent;
    pthread_mutex_unlock(&team->lock);
    return TN_OK;
}
