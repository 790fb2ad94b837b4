/* share.c: see share.h. Rank 0 makes a file in memory, which has a name that was never there before, and the others
 * map it: who finds that name in that process is on the same host, and allowed to. */
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"
#include "system.h"
#include "team_internal.h"

enum {
    LINE = 64,
    PAGE = 4096,
    BRIEF = 50,     /* microseconds for which others may use the processor before this rank sleeps */
    LOOK = 50000000 /* nanoseconds until one who sleeps looks whether the team has failed */
};

/* How far a rank has come, in a cache line of its own; and how many sleep until it comes further. */
typedef struct line {
    _Alignas(LINE) _Atomic uint32_t count[TN_SHARE_COUNTS];
    _Atomic uint32_t asleep;
} line;

struct tn_share {
    tn_team *team;
    line *rank;    /* one for each; then come the vectors */
    uint64_t size; /* of all */
    uint64_t step; /* from one vector to the next */
    uint32_t parts;
};

/* What rank 0 tells the others; process 0: there is nothing to be had. */
typedef struct offer {
    char name[48];
    uint64_t size;
    int64_t process;
    int32_t file, reserved;
} offer;

static uint64_t up(uint64_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

/* ---- making it -------------------------------------------------------------------------------------------------- */

static int map(tn_share *s, int file)
{
    void *memory = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) return 0;
    s->rank = memory;
    return 1;
}

/* Room is made at once, where a lack of it is an answer and not the end. Returns the file, or -1. */
static int make(tn_share *s, offer *o)
{
    uint64_t random[2];
    if (!tn_system_random(random, sizeof random)) return -1;
    *o = (offer){.size = s->size, .process = getpid()};
    snprintf(o->name, sizeof o->name, "tn-%016llx%016llx", (unsigned long long)random[0],
             (unsigned long long)random[1]);
    o->file = tn_system_memory_file(o->name);
    if (o->file >= 0 && !posix_fallocate(o->file, 0, (off_t)s->size) && map(s, o->file)) return o->file;
    if (o->file >= 0) close(o->file);
    *o = (offer){.process = 0};
    return -1;
}

static void take(tn_share *s, const offer *o)
{
    if (!o->process || o->size != s->size) return;
    const int file = tn_system_open_other(o->process, o->file, o->name);
    if (file < 0) return;
    (void)map(s, file);
    close(file);
}

/* All have it, or none. */
static tn_status agree(tn_share *s, int *all)
{
    const uint32_t ranks = s->team->ranks;
    unsigned char *has = tn_alloc(ranks);
    if (!has) {
        tn_team_fail(s->team, TN_ENOMEM, tn_message());
        return TN_ENOMEM;
    }
    has[s->team->rank] = s->rank != NULL;
    tn_status status = tn_team_gather(s->team, has, 1);
    *all = !memchr(has, 0, ranks);
    tn_free(has);
    return status;
}

static tn_status meet(tn_share *s, int *all)
{
    offer o = {.process = 0};
    const int file = s->team->rank ? -1 : make(s, &o);
    tn_status status = tn_team_broadcast(s->team, 0, &o, sizeof o);
    o.name[sizeof o.name - 1] = 0;
    if (!status && s->team->rank) take(s, &o);
    if (!status) status = agree(s, all);
    if (file >= 0) close(file);
    return status;
}

tn_status tn_share_open(tn_team *team, uint32_t parts, uint64_t bytes, tn_share **share)
{
    int all = 0;
    *share = NULL;
    if (team->ranks < 2) return TN_OK;
    tn_share *s = tn_alloc(sizeof *s);
    if (!s) {
        tn_team_fail(team, TN_ENOMEM, tn_message());
        return TN_ENOMEM;
    }
    *s = (tn_share){.team = team, .parts = parts, .step = up(bytes)};
    s->size = up(team->ranks * sizeof(line)) + ((uint64_t)team->ranks * parts + 1) * s->step;
    const tn_status status = meet(s, &all);
    if (!status && all)
        *share = s;
    else
        tn_share_close(s);
    return status;
}

void tn_share_close(tn_share *s)
{
    if (!s) return;
    if (s->rank) munmap(s->rank, s->size);
    tn_free(s);
}

/* ---- what is in it ---------------------------------------------------------------------------------------------- */

uint32_t tn_share_parts(const tn_share *s)
{
    return s ? s->parts : 0;
}

static void *vector(const tn_share *s, uint64_t number)
{
    return (unsigned char *)s->rank + up(s->team->ranks * sizeof(line)) + number * s->step;
}

void *tn_share_part(const tn_share *s, uint32_t rank, uint32_t part)
{
    return vector(s, (uint64_t)rank * s->parts + part);
}

void *tn_share_total(const tn_share *s)
{
    return vector(s, (uint64_t)s->team->ranks * s->parts);
}

/* ---- how far all are -------------------------------------------------------------------------------------------- */

static int is_behind(const line *l, int what, uint32_t count)
{
    return (int32_t)(atomic_load(&l->count[what]) - count) < 0;
}

uint32_t tn_share_count(const tn_share *s, int what)
{
    return atomic_load(&s->rank[s->team->rank].count[what]);
}

/* Who goes to sleep says so before it looks once more: so it sees the count, or it is seen. */
uint32_t tn_share_post(tn_share *s, int what)
{
    line *l = &s->rank[s->team->rank];
    const uint32_t count = atomic_fetch_add(&l->count[what], 1) + 1;
    if (atomic_load(&l->asleep)) tn_system_wake(&l->count[what]);
    return count;
}

static void sleep_while_behind(line *l, int what, uint32_t count)
{
    atomic_fetch_add(&l->asleep, 1);
    const uint32_t now = atomic_load(&l->count[what]);
    if ((int32_t)(now - count) < 0) tn_system_sleep_while(&l->count[what], now, LOOK);
    atomic_fetch_sub(&l->asleep, 1);
}

int tn_share_have_all(const tn_share *s, int what, uint32_t count)
{
    for (uint32_t r = 0; r < s->team->ranks; r++)
        if (is_behind(&s->rank[r], what, count)) return 0;
    return 1;
}

tn_status tn_share_await(tn_share *s, int what, uint32_t count)
{
    const uint64_t brief = tn_team_now() + BRIEF;
    for (uint32_t r = 0; r < s->team->ranks; r++)
        while (is_behind(&s->rank[r], what, count)) {
            TN_TRY(tn_team_check(s->team));
            if (tn_team_now() < brief)
                sched_yield();
            else
                sleep_while_behind(&s->rank[r], what, count);
        }
    return TN_OK;
}
