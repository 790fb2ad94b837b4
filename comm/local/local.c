/* local.c: a communicator between threads of one process. Copy this file to begin your own; docs/distributed.md walks
 * through it.
 *
 * Threads that open with one number are a group. Each rank keeps a list of its parts that are under way; a receiver
 * looks for the part that it meets in the sender's list, and copies the bytes in its own thread, with no lock held. */
#include "tenon/comm.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Where a part is on its way; kept in its own[STATE]. */
enum { WAITING, MOVING, FINISHED };

/* What `own` of a part is used for. */
enum { NEXT, STATE };

typedef struct group {
    struct group *next;
    uint64_t number;
    uint32_t ranks, open;
    pthread_mutex_t lock; /* guards all below, and the lists and states of all members' parts */
    pthread_cond_t moved; /* a part was posted or finished */
    tn_comm *member[];    /* by rank; NULL: not here */
} group;

struct tn_comm {
    const tn_host *host;
    group *group;
    uint32_t rank;
    void *first; /* tn_comm_part under way, in the order in which they were posted */
};

static struct {
    pthread_mutex_t lock;
    group *first;
} groups = {PTHREAD_MUTEX_INITIALIZER, NULL};

__attribute__((format(printf, 3, 4))) static int32_t refuse(tn_msg *msg, int32_t status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (msg && msg->text && msg->capacity) vsnprintf(msg->text, (size_t)msg->capacity, format, args);
    va_end(args);
    return status;
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

static int make_signals(group *g)
{
    pthread_condattr_t steady;
    if (pthread_condattr_init(&steady)) return 0;
    int made = !pthread_condattr_setclock(&steady, CLOCK_MONOTONIC) && !pthread_cond_init(&g->moved, &steady);
    pthread_condattr_destroy(&steady);
    if (made && pthread_mutex_init(&g->lock, NULL)) {
        pthread_cond_destroy(&g->moved);
        made = 0;
    }
    return made;
}

static group *make_group(const tn_host *host, const tn_comm_place *place)
{
    size_t bytes = sizeof(group) + place->ranks * sizeof(tn_comm *);
    group *g = host->allocate(host->self, bytes, _Alignof(group));
    if (!g) return NULL;
    memset(g, 0, bytes);
    if (!make_signals(g)) {
        host->release(host->self, g);
        return NULL;
    }
    g->number = place->group;
    g->ranks = place->ranks;
    g->next = groups.first;
    groups.first = g;
    return g;
}

static group *find_group(uint64_t number)
{
    group *g = groups.first;
    while (g && g->number != number) g = g->next;
    return g;
}

/* The last one takes the group along. */
static void leave_group(tn_comm *c)
{
    group *g = c->group, **link = &groups.first;
    pthread_mutex_lock(&groups.lock);
    if (!--g->open) {
        while (*link != g) link = &(*link)->next;
        *link = g->next;
        pthread_cond_destroy(&g->moved);
        pthread_mutex_destroy(&g->lock);
        c->host->release(c->host->self, g);
    }
    pthread_mutex_unlock(&groups.lock);
}

static int32_t join(tn_comm *c, const tn_comm_place *place, tn_msg *msg)
{
    group *g = find_group(place->group);
    if (!g && !(g = make_group(c->host, place))) return refuse(msg, TN_ENOMEM, "out of memory");
    int32_t status = TN_OK;
    pthread_mutex_lock(&g->lock);
    if (g->ranks != place->ranks)
        status = refuse(msg, TN_EINVAL, "%u ranks are wanted in a group of %u", place->ranks, g->ranks);
    else if (g->member[place->rank])
        status = refuse(msg, TN_EINVAL, "there is a rank %u in the group already", place->rank);
    if (!status) {
        g->member[place->rank] = c;
        g->open++;
        c->group = g;
    }
    pthread_mutex_unlock(&g->lock);
    return status;
}

static int32_t local_open(const tn_host *host, tn_comm_place *place, tn_comm **comm, tn_msg *msg)
{
    if (!place->ranks || place->rank >= place->ranks)
        return refuse(msg, TN_EINVAL, "rank %u of %u: the program must say which it is", place->rank, place->ranks);
    tn_comm *c = host->allocate(host->self, sizeof *c, _Alignof(tn_comm));
    if (!c) return refuse(msg, TN_ENOMEM, "out of memory");
    *c = (tn_comm){.host = host, .rank = place->rank};
    pthread_mutex_lock(&groups.lock);
    int32_t status = join(c, place, msg);
    pthread_mutex_unlock(&groups.lock);
    if (status)
        host->release(host->self, c);
    else
        *comm = c;
    return status;
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

static uintptr_t state_of(const tn_comm_part *part)
{
    return (uintptr_t)part->own[STATE];
}

static void set_state(tn_comm_part *part, uintptr_t state)
{
    part->own[STATE] = (void *)state;
}

static int32_t local_post(tn_comm *c, tn_comm_part *const *part, uint64_t count, tn_msg *msg)
{
    group *g = c->group;
    void **end = &c->first;
    for (uint64_t i = 0; i < count; i++)
        if (part[i]->peer >= g->ranks || part[i]->peer == c->rank)
            return refuse(msg, TN_EINVAL, "rank %u has no peer %u", c->rank, part[i]->peer);
    pthread_mutex_lock(&g->lock);
    while (*end) end = &((tn_comm_part *)*end)->own[NEXT];
    for (uint64_t i = 0; i < count; i++) {
        *end = part[i];
        end = &part[i]->own[NEXT];
        *end = NULL;
        set_state(part[i], WAITING);
    }
    pthread_cond_broadcast(&g->moved);
    pthread_mutex_unlock(&g->lock);
    return TN_OK;
}

/* The part that a rank wants to send and `mine` is to receive, or NULL. */
static tn_comm_part *counterpart(tn_comm *c, const tn_comm_part *mine)
{
    tn_comm *peer = c->group->member[mine->peer];
    for (tn_comm_part *p = peer ? peer->first : NULL; p; p = p->own[NEXT])
        if (p->direction == TN_COMM_SEND && p->peer == c->rank && p->channel == mine->channel && state_of(p) == WAITING)
            return p;
    return NULL;
}

/* Called with the lock, which it lets go of for the copying: the sender waits until its part is finished. */
static int32_t receive(tn_comm *c, tn_comm_part *mine, tn_comm_part *theirs, tn_msg *msg)
{
    const int fits = theirs->bytes == mine->bytes;
    set_state(theirs, MOVING);
    pthread_mutex_unlock(&c->group->lock);
    if (fits && mine->bytes) memcpy(mine->data, theirs->data, (size_t)mine->bytes);
    pthread_mutex_lock(&c->group->lock);
    set_state(theirs, FINISHED);
    set_state(mine, FINISHED);
    pthread_cond_broadcast(&c->group->moved);
    if (fits) return TN_OK;
    return refuse(msg, TN_EINVAL, "rank %u sends %llu bytes where %llu are due", mine->peer,
                  (unsigned long long)theirs->bytes, (unsigned long long)mine->bytes);
}

/* From the first part on again after each, for others go on meanwhile: the order must hold. */
static int32_t receive_all(tn_comm *c, tn_msg *msg)
{
    int32_t status = TN_OK;
    for (tn_comm_part *p = c->first, *theirs; p && !status; p = theirs ? c->first : p->own[NEXT]) {
        theirs = p->direction == TN_COMM_RECEIVE && state_of(p) == WAITING ? counterpart(c, p) : NULL;
        if (theirs) status = receive(c, p, theirs, msg);
    }
    return status;
}

/* Takes the parts that are finished out of the list; how many they were. */
static uint64_t collect(tn_comm *c)
{
    uint64_t count = 0;
    void **link = &c->first;
    for (tn_comm_part *p; (p = *link);) {
        if (state_of(p) != FINISHED) {
            link = &p->own[NEXT];
            continue;
        }
        *link = p->own[NEXT];
        p->done = 1;
        count++;
    }
    return count;
}

static struct timespec after(uint64_t microseconds)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t nanoseconds = (uint64_t)t.tv_nsec + microseconds % 1000000 * 1000;
    t.tv_sec += (time_t)(microseconds / 1000000 + nanoseconds / 1000000000);
    t.tv_nsec = (long)(nanoseconds % 1000000000);
    return t;
}

static int32_t local_progress(tn_comm *c, uint64_t microseconds, tn_msg *msg)
{
    const struct timespec end = after(microseconds);
    int32_t status;
    int late = 0;
    pthread_mutex_lock(&c->group->lock);
    while (!(status = receive_all(c, msg)) && !collect(c) && !late)
        late = pthread_cond_timedwait(&c->group->moved, &c->group->lock, &end) != 0;
    pthread_mutex_unlock(&c->group->lock);
    return status;
}

static int is_being_copied(const tn_comm *c)
{
    const tn_comm_part *p = c->first;
    while (p && state_of(p) != MOVING) p = p->own[NEXT];
    return p != NULL;
}

/* Nobody waits for the others; only a copy from this rank's memory, which has begun, is waited for. */
static void local_close(tn_comm *c, uint32_t failed)
{
    (void)failed;
    if (!c) return;
    pthread_mutex_lock(&c->group->lock);
    while (is_being_copied(c)) pthread_cond_wait(&c->group->moved, &c->group->lock);
    c->group->member[c->rank] = NULL;
    pthread_mutex_unlock(&c->group->lock);
    leave_group(c);
    c->host->release(c->host->self, c);
}

const tn_communicator *tn_comm_query(uint32_t host_major, uint32_t host_minor)
{
    static const tn_communicator table = {
        .size = sizeof(tn_communicator),
        .abi_major = TN_COMM_MAJOR,
        .abi_minor = TN_COMM_MINOR,
        .id = "local",
        .version = "1",
        .doc = "threads of one process",
        .open = local_open,
        .post = local_post,
        .progress = local_progress,
        .close = local_close,
    };
    (void)host_minor;
    return host_major == TN_COMM_MAJOR ? &table : NULL;
}
