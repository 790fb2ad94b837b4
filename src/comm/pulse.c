/* pulse.c: who is still there. Each rank sends a sign of life to the rank before it, and listens to the one after it:
 * two small messages a second for any number of ranks. They also carry a wish round. The last of a rank says that it
 * leaves, or why the team failed; that is passed on, and so goes round.
 *
 * Silence is counted in beats of one's own: a process that was stopped does not blame its neighbour for the time that
 * it missed itself. */
#include <string.h>

#include "error.h"
#include "plain.h"
#include "team_internal.h"

enum {
    CHANNEL = 1,
    PER_SILENCE = 20 /* beats until somebody is missed */
};

#define SLOWEST  1000000u /* microseconds between two beats, at most */
#define FAREWELL 1000000u /* microseconds that news of a failure gets to travel, at most */

static tn_comm_part message(void *data, uint32_t direction, uint32_t peer)
{
    return (tn_comm_part){data, sizeof(tn_beat), peer, direction, CHANNEL, 0, {NULL}};
}

static void post(tn_team *team, tn_comm_part *part)
{
    part->done = 0;
    tn_status status = tn_team_post(team, &part, 1);
    if (status) tn_team_fail(team, status, tn_message());
}

tn_status tn_pulse_begin(tn_team *team, double silence, double patience)
{
    tn_pulse *p = &team->pulse;
    const uint32_t after = (team->rank + 1) % team->ranks, before = (team->rank + team->ranks - 1) % team->ranks;
    const double interval = 1e6 * silence / PER_SILENCE;
    p->interval = interval < 1000 ? 1000 : interval > SLOWEST ? SLOWEST : (uint64_t)interval;
    p->silence = (uint32_t)(1e6 * silence / (double)p->interval) + 1;
    p->limit = (uint32_t)(1e6 * patience / (double)p->interval) + 1;
    p->next = tn_team_now();
    p->in_part = message(&p->in, TN_COMM_RECEIVE, after);
    p->out_part = message(&p->out, TN_COMM_SEND, before);
    p->last_part = message(&p->last, TN_COMM_SEND, before);
    p->out_part.done = 1;
    p->left = team->ranks == 1;
    if (team->ranks > 1) post(team, &p->in_part);
    return tn_team_check(team);
}

/* The last beat; there is nobody to tell for a rank alone. */
static void tell(tn_team *team, const tn_beat *beat)
{
    tn_pulse *p = &team->pulse;
    p->told = 1;
    p->last = *beat;
    p->last_part.done = team->ranks == 1;
    if (team->ranks > 1) post(team, &p->last_part);
}

/* The rank after leaves. All have been asked to, for it waited for them; or it closed its team too early. */
static void part_from(tn_team *team)
{
    tn_pulse *p = &team->pulse;
    tn_beat failure = {.status = TN_ESTATE, .culprit = p->in_part.peer};
    p->left = 1;
    pthread_mutex_lock(&team->lock);
    const int early = !team->leaving;
    pthread_mutex_unlock(&team->lock);
    tn_snprintf(failure.text, sizeof failure.text, "rank %u has left, and others go on", p->in_part.peer);
    if (early) tn_team_stop(team, &failure);
}

static void hear(tn_team *team)
{
    tn_pulse *p = &team->pulse;
    p->quiet = 0;
    p->limit = p->silence;
    p->in_part.done = 0;
    if (p->in.wished) tn_team_wish(team);
    if (p->in.state == TN_BEAT_FAILED)
        tn_team_stop(team, &p->in);
    else if (p->in.state == TN_BEAT_LEAVING)
        part_from(team);
    else
        post(team, &p->in_part);
}

static void miss(tn_team *team)
{
    tn_pulse *p = &team->pulse;
    tn_beat failure = {.status = TN_EDEVICE, .culprit = p->in_part.peer, .missed = 1};
    tn_snprintf(failure.text, sizeof failure.text, "rank %u has not answered for %.0f s: it hangs, or is gone",
                p->in_part.peer, 1e-6 * (double)(p->interval * p->quiet));
    tn_team_stop(team, &failure);
}

static void beat(tn_team *team)
{
    tn_pulse *p = &team->pulse;
    if (!p->left && ++p->quiet > p->limit) miss(team);
    if (p->told || !p->out_part.done || team->ranks == 1) return;
    p->out = (tn_beat){.state = TN_BEAT_FINE, .wished = (uint32_t)tn_team_wished(team)};
    post(team, &p->out_part);
}

static int has_failed(tn_team *team, tn_beat *failure)
{
    pthread_mutex_lock(&team->lock);
    *failure = team->failure;
    pthread_mutex_unlock(&team->lock);
    return failure->state == TN_BEAT_FAILED;
}

void tn_pulse_keep(tn_team *team)
{
    tn_pulse *p = &team->pulse;
    tn_beat failure;
    const uint64_t now = tn_team_now();
    const int due = now >= p->next;
    if (due) p->next = now + p->interval;
    if (p->in_part.done) hear(team);
    if (!has_failed(team, &failure)) {
        if (due) beat(team);
    } else if (!p->told) {
        tell(team, &failure);
    }
}

/* After a failure each stays for a while: the news is to reach all, and the line that says it its reader, before the
 * first process that ends takes the others along. */
void tn_pulse_end(tn_team *team)
{
    tn_pulse *p = &team->pulse;
    const tn_beat leaving = {.state = TN_BEAT_LEAVING};
    const uint64_t silence = p->silence * p->interval;
    const uint64_t end = tn_team_now() + (silence < FAREWELL ? silence : FAREWELL);
    tn_beat failure;
    if (!has_failed(team, &failure)) tell(team, &leaving);
    while (!has_failed(team, &failure) && !(p->left && p->last_part.done)) tn_team_live(team, p->interval);
    while (has_failed(team, &failure) && tn_team_now() < end) tn_team_live(team, p->interval);
}
