/* team.c: opening and closing a team, its thread, and what that is asked for. */
#include "team_internal.h"

#include <fenv.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "host.h"
#include "load.h"
#include "plain.h"
#include "system.h"
#include "text.h"
#include "thread.h"

#define MOST_RANKS 65536u
#define FOR_EVER   1e6     /* seconds */
#define IDLE       100000u /* microseconds between two looks at the others while there is nothing to do */

uint64_t tn_team_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint32_t tn_team_rank(const tn_team *team)
{
    return team ? team->rank : 0;
}

const char *tn_team_communicator(const tn_team *team)
{
    return team && team->comm ? team->table->id : NULL;
}

uint32_t tn_team_size(const tn_team *team)
{
    return team ? team->ranks : 1;
}

/* ---- failures --------------------------------------------------------------------------------------------------- */

/* All ranks are threads of one caller, to whom failures come back. */
int tn_team_is_here(const tn_team *team)
{
    return team && team->name[0];
}

/* One rank speaks for all: the first that is not missed. */
static int speaks(const tn_team *team, const tn_beat *failure)
{
    return team->rank == (failure->missed && failure->culprit == 0);
}

void tn_team_stop(tn_team *team, const tn_beat *failure)
{
    pthread_mutex_lock(&team->lock);
    const int first = team->failure.state != TN_BEAT_FAILED;
    if (first) {
        team->failure = *failure;
        team->failure.state = TN_BEAT_FAILED;
        if (tn_comm_status(failure->status) != failure->status || !failure->status) team->failure.status = TN_EDEVICE;
        tn_text_clean(team->failure.text, sizeof team->failure.text);
    }
    pthread_cond_broadcast(&team->changed);
    pthread_mutex_unlock(&team->lock);
    if (first && team->comm && !tn_team_is_here(team) && speaks(team, failure))
        tn_log_line(TN_LOG_ERROR, "%s", team->failure.text);
}

void tn_team_fail(tn_team *team, tn_status status, const char *why)
{
    if (!team) return;
    tn_beat failure = {.status = status, .culprit = team->rank};
    char who[sizeof team->name + 2];
    if (!why) why = "";
    if (tn_team_is_here(team))
        tn_snprintf(who, sizeof who, "%s: ", team->name);
    else
        tn_snprintf(who, sizeof who, "rank %u: ", team->rank);
    tn_snprintf(failure.text, sizeof failure.text, "%s%s",
                tn_team_is_here(team) && !strncmp(why, who, strlen(who)) ? "" : who, why);
    tn_team_stop(team, &failure);
}

tn_status tn_team_check(tn_team *team)
{
    TN_GIVEN(team);
    tn_beat failure;
    pthread_mutex_lock(&team->lock);
    failure = team->failure;
    pthread_mutex_unlock(&team->lock);
    return failure.state == TN_BEAT_FAILED ? tn_fail(failure.status, "%s", failure.text) : TN_OK;
}

void tn_team_was_busy(tn_team *team, uint64_t begun)
{
    pthread_mutex_lock(&team->lock);
    team->stats.busy += 1e-6 * (double)(tn_team_now() - begun);
    pthread_mutex_unlock(&team->lock);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------- */

/* Doubles the ring if it is full. With the lock. */
static tn_status make_room(tn_team *team)
{
    if (team->asked - team->finished < team->room) return TN_OK;
    const uint64_t room = team->room ? 2 * team->room : 16;
    tn_job *job = tn_alloc(room * sizeof *job);
    if (!job) return TN_ENOMEM;
    for (uint64_t t = team->finished + 1; t <= team->asked; t++) job[t % room] = team->job[t % team->room];
    tn_free(team->job);
    team->job = job;
    team->room = room;
    return TN_OK;
}

static void run(tn_team *team, const tn_job *job)
{
    const uint64_t begin = tn_team_now();
    tn_status status = tn_team_check(team);
    if (!status && (status = job->run(team, job->args))) tn_team_fail(team, status, tn_message());
    pthread_mutex_lock(&team->lock);
    team->finished++;
    team->stats.busy += 1e-6 * (double)(tn_team_now() - begin);
    pthread_cond_broadcast(&team->changed);
    pthread_mutex_unlock(&team->lock);
}

/* A rank alone does it at once, in the caller's thread. */
tn_status tn_team_ask(tn_team *team, tn_job_run *work, const void *args, size_t bytes, uint64_t *ticket)
{
    tn_job job = {.run = work};
    memcpy(job.args, args, bytes);
    pthread_mutex_lock(&team->lock);
    tn_status status = make_room(team);
    if (!status) *ticket = ++team->asked;
    if (!status) team->job[*ticket % team->room] = job;
    pthread_cond_broadcast(&team->changed);
    pthread_mutex_unlock(&team->lock);
    if (status) tn_team_fail(team, status, tn_message());
    if (!status && !team->comm) run(team, &job);
    return status ? status : tn_team_check(team);
}

/* What was begun is over even if the team failed: its thread stops soon. */
tn_status tn_team_wait(tn_team *team, uint64_t ticket)
{
    TN_GIVEN(team);
    const uint64_t begin = tn_team_now();
    pthread_mutex_lock(&team->lock);
    const int asked = ticket <= team->asked;
    while (asked && team->finished < ticket) pthread_cond_wait(&team->changed, &team->lock);
    team->stats.waited += 1e-6 * (double)(tn_team_now() - begin);
    pthread_mutex_unlock(&team->lock);
    TN_REQUIRE(asked, TN_EINVAL, "there is no ticket %llu", (unsigned long long)ticket);
    return tn_team_check(team);
}

tn_status tn_team_do(tn_team *team, tn_job_run *work, const void *args, size_t bytes)
{
    uint64_t ticket = 0;
    TN_TRY(tn_team_ask(team, work, args, bytes, &ticket));
    return tn_team_wait(team, ticket);
}

tn_team_stats tn_team_get_stats(tn_team *team)
{
    pthread_mutex_lock(&team->lock);
    const tn_team_stats stats = team->stats;
    pthread_mutex_unlock(&team->lock);
    return stats;
}

/* ---- the thread ------------------------------------------------------------------------------------------------- */

static struct timespec after(uint64_t microseconds)
{
    const uint64_t t = tn_team_now() + microseconds;
    return (struct timespec){.tv_sec = (time_t)(t / 1000000), .tv_nsec = (long)(t % 1000000 * 1000)};
}

/* A failure that the others are yet to be told of. With the lock. */
static int has_news(const tn_team *team)
{
    return team->failure.state == TN_BEAT_FAILED && !team->pulse.told;
}

/* The next job; or none, after a while. Returns 0 at the end. */
static int next_job(tn_team *team, tn_job *job)
{
    const uint64_t idle = team->pulse.interval < IDLE ? team->pulse.interval : IDLE;
    const struct timespec end = after(idle);
    int late = 0;
    job->run = NULL;
    pthread_mutex_lock(&team->lock);
    while (team->asked == team->finished && !team->closing && !has_news(team) && !late)
        late = pthread_cond_timedwait(&team->changed, &team->lock, &end) != 0;
    if (team->asked > team->finished) *job = team->job[(team->finished + 1) % team->room];
    const int more = job->run || !team->closing;
    pthread_mutex_unlock(&team->lock);
    return more;
}

/* Sums are plain IEEE additions, whatever the caller's thread does with denormals. Communicators sleep for microseconds
 * at a time: the system must not make more of them. */
static void *work(void *arg)
{
    tn_team *team = arg;
    tn_job job;
    fesetenv(FE_DFL_ENV);
    tn_system_sleep_exactly();
    while (next_job(team, &job))
        if (job.run)
            run(team, &job);
        else
            tn_team_live(team, 0);
    if (!tn_team_is_here(team)) tn_pulse_end(team);
    return NULL;
}

static tn_status start_thread(tn_team *team)
{
    const int wrong = tn_thread_start(&team->thread, work, team);
    TN_REQUIRE(!wrong, TN_ENOMEM, "no thread can be made for the team");
    return TN_OK;
}

/* ---- opening and closing ---------------------------------------------------------------------------------------- */

static tn_status make_locks(tn_team *team)
{
    pthread_condattr_t steady;
    int wrong = pthread_condattr_init(&steady);
    if (!wrong) {
        wrong = pthread_condattr_setclock(&steady, CLOCK_MONOTONIC) || pthread_cond_init(&team->changed, &steady);
        pthread_condattr_destroy(&steady);
    }
    if (!wrong && pthread_mutex_init(&team->lock, NULL)) {
        pthread_cond_destroy(&team->changed);
        wrong = 1;
    }
    return wrong ? TN_NO_MEMORY(sizeof *team) : TN_OK;
}

/* Where there is no memory to note it by, it stays for ever. */
void tn_team_release(tn_team *team, void *thing, void (*release)(void *thing))
{
    if (!thing) return;
    if (!team || !team->comm) {
        release(thing);
        return;
    }
    pthread_mutex_lock(&team->lock);
    const int has_failed = team->failure.state == TN_BEAT_FAILED;
    if (has_failed && !tn_grow(&team->legacy, &team->legacy_room, team->legacies + 1, sizeof *team->legacy))
        team->legacy[team->legacies++] = (tn_legacy){thing, release};
    pthread_mutex_unlock(&team->lock);
    if (!has_failed) release(thing);
}

static void free_team(tn_team *team)
{
    while (team->legacies--) team->legacy[team->legacies].release(team->legacy[team->legacies].thing);
    tn_free(team->legacy);
    pthread_mutex_destroy(&team->lock);
    pthread_cond_destroy(&team->changed);
    tn_free(team->job);
    tn_free(team->part);
    tn_free(team->posted);
    tn_free(team->scratch);
    tn_free(team);
}

/* Takes the place that the communicator gives. */
static tn_status connect(tn_team *team, const tn_team_options *o, const char *name)
{
    tn_comm_place place = {sizeof place, o->group, o->ranks, o->rank};
    char text[256] = "";
    tn_msg msg = {text, sizeof text};
    tn_comm *comm = NULL;
    TN_TRY(tn_comm_load(name, &team->table));
    team->host = tn_host_for(team->table->id);
    tn_status status = tn_comm_status(team->table->open(&team->host, &place, &comm, &msg));
    TN_REQUIRE(!status, status, "communicator %s: %s", name, tn_text_clean(text, sizeof text));
    TN_REQUIRE(comm, TN_EDEVICE, "communicator %s: it opened, and gave nothing back", name);
    team->comm = comm;
    team->rank = place.rank;
    team->ranks = place.ranks;
    TN_REQUIRE(place.ranks && place.ranks <= MOST_RANKS && place.rank < place.ranks, TN_EDEVICE,
               "communicator %s: it claims to be rank %u of %u", name, place.rank, place.ranks);
    return TN_OK;
}

/* Those of another version may add up in another way. */
static tn_status greet(tn_team *team)
{
    const tn_fact facts[] = {{"the version of Tenon", tn_version()}};
    return tn_team_agree(team, facts, sizeof facts / sizeof *facts);
}

/* A communicator of one rank is no company. */
static tn_status begin(tn_team *team, const tn_team_options *o)
{
    const char *name = o->communicator ? o->communicator : o->ranks ? "local" : tn_comm_launched();
    if (!name) return TN_OK;
    TN_TRY(connect(team, o, name));
    TN_TRY(tn_pulse_begin(team, o->silence > 0 ? o->silence : 10, o->patience > 0 ? o->patience : 60));
    TN_TRY(start_thread(team));
    team->started = 1;
    return tn_team_is_here(team) ? TN_OK : greet(team);
}

static tn_status open_team(const tn_team_options *options, const char *name, tn_team **team)
{
    tn_team *made = tn_alloc(sizeof *made);
    if (!made) return TN_ENOMEM;
    made->ranks = 1;
    tn_snprintf(made->name, sizeof made->name, "%s", name);
    tn_status status = make_locks(made);
    if (status) {
        tn_free(made);
        return status;
    }
    status = begin(made, options);
    if (status) {
        char why[1024];
        snprintf(why, sizeof why, "%s", tn_message());
        if (!made->started) tn_team_fail(made, status, why);
        tn_team_close(made);
        return tn_fail(status, "%s", why);
    }
    *team = made;
    return TN_OK;
}

tn_status tn_team_open(const tn_team_options *options, tn_team **team)
{
    static const tn_team_options standard = {0};
    TN_GIVEN(team);
    return open_team(options ? options : &standard, "", team);
}

/* Threads of one process end together: their silence means nothing. */
tn_status tn_team_open_here(uint64_t group, uint32_t ranks, uint32_t rank, const char *name, tn_team **team)
{
    TN_GIVEN(name, team);
    const tn_team_options options = {"local", group, ranks, rank, FOR_EVER, FOR_EVER};
    return open_team(&options, name, team);
}

void tn_team_wish(tn_team *team)
{
    pthread_mutex_lock(&team->lock);
    team->wished = 1;
    pthread_mutex_unlock(&team->lock);
}

int tn_team_wished(tn_team *team)
{
    pthread_mutex_lock(&team->lock);
    const int wished = team->wished != 0;
    pthread_mutex_unlock(&team->lock);
    return wished;
}

static void set(tn_team *team, uint32_t *flag)
{
    pthread_mutex_lock(&team->lock);
    *flag = 1;
    pthread_cond_broadcast(&team->changed);
    pthread_mutex_unlock(&team->lock);
}

void tn_team_close(tn_team *team)
{
    if (!team) return;
    if (team->started) {
        set(team, &team->leaving);
        tn_status status = tn_team_is_here(team) ? TN_OK : tn_team_barrier(team);
        (void)status; /* the thread and the communicator see for themselves that the team failed */
        set(team, &team->closing);
        pthread_join(team->thread, NULL);
    }
    if (team->comm) team->table->close(team->comm, team->failure.state == TN_BEAT_FAILED);
    free_team(team);
}
