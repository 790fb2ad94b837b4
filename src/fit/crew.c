/* crew.c: see crew.h. */
#include "crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "plain.h"
#include "thread.h"

enum { AHEAD = 4 }; /* works that the leader may be ahead of a follower; they meet in each */

/* Groups of teams that are opened here; those of users are numbered from below. */
#define FIRST_GROUP (UINT64_C(1) << 63)

typedef struct follower {
    tn_crew *crew;
    tn_state *state;
    tn_training *training;
    tn_team *team;
    pthread_t thread;
    int started;
    uint64_t done; /* works */
} follower;

struct tn_crew {
    tn_state *state; /* the leader's, and its end of the team */
    tn_team *team;
    pthread_mutex_t lock; /* guards all below, and `done` of the followers */
    pthread_cond_t changed;
    tn_crew_work *work[AHEAD]; /* number n at n % AHEAD */
    uint64_t told;
    int ending;
    uint32_t count;
    follower follower[];
};

/* ---- a follower's thread ---- */

/* The next work, or NULL at the end. */
static tn_crew_work *next(follower *f)
{
    tn_crew *crew = f->crew;
    pthread_mutex_lock(&crew->lock);
    while (f->done == crew->told && !crew->ending) pthread_cond_wait(&crew->changed, &crew->lock);
    tn_crew_work *work = crew->ending ? NULL : crew->work[f->done % AHEAD];
    pthread_mutex_unlock(&crew->lock);
    return work;
}

static void finish(follower *f)
{
    pthread_mutex_lock(&f->crew->lock);
    f->done++;
    pthread_cond_broadcast(&f->crew->changed);
    pthread_mutex_unlock(&f->crew->lock);
}

/* After a failure, which the leader hears of by the team, there is nothing more to do. */
static void *follow(void *arg)
{
    follower *f = arg;
    tn_status status = TN_OK;
    for (tn_crew_work *work; (work = next(f)); finish(f))
        if (!status) status = work(f->training);
    return NULL;
}

/* Until no follower has more than so many works before it. With the lock. */
static void wait_for_all(tn_crew *crew, uint64_t most)
{
    for (uint32_t i = 0; i < crew->count; i++)
        while (crew->told - crew->follower[i].done > most) pthread_cond_wait(&crew->changed, &crew->lock);
}

void tn_crew_tell(tn_crew *crew, tn_crew_work *work)
{
    pthread_mutex_lock(&crew->lock);
    wait_for_all(crew, AHEAD - 1);
    crew->work[crew->told++ % AHEAD] = work;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

/* ---- what followers take over ---- */

static tn_status copy_tensor(tn_state *from, tn_state *to, const tn_state_entry *entry)
{
    uint64_t bytes = (uint64_t)tn_shape_count(&entry->shape) * tn_dtype_size(entry->dtype);
    void *data = tn_alloc(bytes + 1);
    tn_status s = data ? tn_state_read(from, entry->name, data, bytes) : TN_ENOMEM;
    if (!s) s = tn_state_write(to, entry->name, data, bytes);
    tn_free(data);
    return s;
}

static void copy_numbers(const tn_state *from, tn_state *to)
{
    tn_state_set_seed(to, tn_state_seed(from));
    tn_state_set_step(to, tn_state_step(from));
}

/* What the follower has of it: the leader's may have more. */
static tn_status copy_state(tn_state *from, tn_state *to)
{
    tn_state_entry entry;
    uint64_t step;
    copy_numbers(from, to);
    for (size_t i = 0; tn_state_at(to, i, &entry); i++) {
        if (entry.flags & TN_TRANSIENT) continue;
        TN_TRY(copy_tensor(from, to, &entry));
        if (tn_state_param_step(from, entry.name, &step)) TN_TRY(tn_state_set_param_step(to, entry.name, step));
    }
    return TN_OK;
}

tn_status tn_crew_take_over(tn_crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    wait_for_all(crew, 0);
    pthread_mutex_unlock(&crew->lock);
    for (uint32_t i = 0; i < crew->count; i++) TN_TRY(copy_state(crew->state, crew->follower[i].state));
    return TN_OK;
}

tn_status tn_crew_go_on(tn_crew *crew, const tn_epoch past[], int64_t count, int64_t step, const tn_epoch *begun)
{
    for (uint32_t i = 0; i < crew->count; i++) {
        copy_numbers(crew->state, crew->follower[i].state);
        TN_TRY(tn_training_go_on(crew->follower[i].training, past, count, step, begun));
    }
    return TN_OK;
}

tn_program *tn_crew_program(const tn_crew *crew, uint32_t rank)
{
    return crew && rank && rank <= crew->count ? tn_training_program(crew->follower[rank - 1].training) : NULL;
}

tn_team *tn_crew_team(const tn_crew *crew)
{
    return crew->team;
}

/* ---- opening ---- */

static tn_status make_locks(tn_crew *crew)
{
    int wrong = pthread_mutex_init(&crew->lock, NULL);
    if (!wrong && pthread_cond_init(&crew->changed, NULL)) {
        pthread_mutex_destroy(&crew->lock);
        wrong = 1;
    }
    return wrong ? TN_NO_MEMORY(sizeof *crew) : TN_OK;
}

static tn_status open_teams(tn_crew *crew)
{
    static atomic_uint_fast64_t groups;
    const uint64_t group = FIRST_GROUP + groups++;
    const uint32_t ranks = crew->count + 1;
    TN_TRY(tn_team_open_here(group, ranks, 0, tn_device_name(tn_state_device(crew->state)), &crew->team));
    for (uint32_t i = 0; i < crew->count; i++) {
        follower *f = &crew->follower[i];
        TN_TRY(tn_team_open_here(group, ranks, i + 1, tn_device_name(tn_state_device(f->state)), &f->team));
    }
    return TN_OK;
}

/* Adds the device's name to what failed there. */
static tn_status name(const tn_device *device, tn_status status)
{
    char why[1024];
    const char *called = tn_device_name(device);
    tn_snprintf(why, sizeof why, "%s", tn_message());
    if (!status || !strncmp(why, called, strlen(called))) return status;
    return tn_fail(status, "%s: %s", called, why);
}

static tn_status make_states(tn_crew *crew, tn_device *const devices[])
{
    for (uint32_t i = 0; i < crew->count; i++) {
        follower *f = &crew->follower[i];
        f->crew = crew;
        TN_TRY(name(devices[i], tn_state_new(devices[i], tn_state_seed(crew->state), &f->state)));
    }
    return TN_OK;
}

tn_status tn_crew_new(tn_state *state, const tn_fit_options *options, tn_crew **out)
{
    tn_crew *crew = tn_alloc(sizeof *crew + options->n_devices * sizeof *crew->follower);
    if (!crew) return TN_ENOMEM;
    crew->state = state;
    crew->count = options->n_devices;
    tn_status s = make_locks(crew);
    if (s) {
        tn_free(crew);
        return s;
    }
    s = make_states(crew, options->devices);
    if (!s) s = open_teams(crew);
    if (s)
        tn_crew_free(crew, NULL);
    else
        *out = crew;
    return s;
}

static tn_status start(follower *f)
{
    TN_REQUIRE(!tn_thread_start(&f->thread, follow, f), TN_ENOMEM, "no thread can be made for %s",
               tn_device_name(tn_state_device(f->state)));
    f->started = 1;
    return TN_OK;
}

tn_status tn_crew_hire(tn_crew *crew, const tn_model *model, const tn_dataset *data, const tn_fit_options *options)
{
    tn_fit_options own = *options;
    own.devices = NULL;
    own.n_devices = 0;
    own.trace = NULL;
    for (uint32_t i = 0; i < crew->count; i++) {
        follower *f = &crew->follower[i];
        own.team = f->team;
        TN_TRY(name(tn_state_device(f->state), tn_training_new(f->state, model, data, &own, &f->training)));
        TN_TRY(start(f));
    }
    return TN_OK;
}

/* ---- closing ---- */

/* Who waits for others is told that they don't come. */
static void end_threads(tn_crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->ending = 1;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
    tn_team_fail(crew->team, TN_ESTATE, "the training ends");
    for (uint32_t i = 0; i < crew->count; i++) tn_team_fail(crew->follower[i].team, TN_ESTATE, "the training ends");
    for (uint32_t i = 0; i < crew->count; i++)
        if (crew->follower[i].started) pthread_join(crew->follower[i].thread, NULL);
}

/* Once the teams are closed no message is under way, and the memory of messages may go. */
static void close_teams(tn_crew *crew, tn_training *leader)
{
    tn_training_leave(leader);
    for (uint32_t i = 0; i < crew->count; i++) tn_training_leave(crew->follower[i].training);
    tn_team_close(crew->team);
    for (uint32_t i = 0; i < crew->count; i++) tn_team_close(crew->follower[i].team);
}

void tn_crew_free(tn_crew *crew, tn_training *leader)
{
    if (!crew) return;
    end_threads(crew);
    close_teams(crew, leader);
    for (uint32_t i = 0; i < crew->count; i++) {
        tn_training_free(crew->follower[i].training);
        tn_state_free(crew->follower[i].state);
    }
    pthread_cond_destroy(&crew->changed);
    pthread_mutex_destroy(&crew->lock);
    tn_free(crew);
}
