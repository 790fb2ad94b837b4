/* share.c: memory that ranks have in common. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "share.h"

enum { RANKS = 3, PARTS = 2, BYTES = 1000 };

/* A rank of a test, and what it found. */
typedef struct member member;
typedef const char *member_run(member *me);

struct member {
    member_run *run;
    tn_team *team;
    pthread_t thread;
    uint32_t rank;
    const char *wrong;
};

static void *live(void *arg)
{
    member *me = arg;
    me->wrong = me->run(me);
    return NULL;
}

static void run_members(member_run *run)
{
    static uint64_t group = 1000;
    member all[RANKS];
    group++;
    for (uint32_t r = 0; r < RANKS; r++) {
        all[r] = (member){.run = run, .rank = r};
        assert_int_equal(tn_team_open_here(group, RANKS, r, "a device", &all[r].team), TN_OK);
    }
    for (uint32_t r = 0; r < RANKS; r++) assert_int_equal(pthread_create(&all[r].thread, NULL, live, &all[r]), 0);
    for (uint32_t r = 0; r < RANKS; r++) pthread_join(all[r].thread, NULL);
    for (uint32_t r = 0; r < RANKS; r++) tn_team_close(all[r].team);
    for (uint32_t r = 0; r < RANKS; r++)
        if (all[r].wrong) fail_msg("rank %u: %s", r, all[r].wrong);
}

/* ---- what is written -------------------------------------------------------------------------------------------- */

static int all_are(const unsigned char *bytes, int value)
{
    for (int i = 0; i < BYTES; i++)
        if (bytes[i] != value) return 0;
    return 1;
}

static const char *write_and_read(member *me, tn_share *share)
{
    for (uint32_t p = 0; p < PARTS; p++)
        if (!all_are(tn_share_part(share, me->rank, p), 0)) return "new memory is not zero";
    for (uint32_t p = 0; p < PARTS; p++) memset(tn_share_part(share, me->rank, p), (int)(10 * me->rank + p + 1), BYTES);
    if (!me->rank) memset(tn_share_total(share), 99, BYTES);
    if (tn_share_post(share, TN_SHARE_READY) != 1 || tn_share_count(share, TN_SHARE_READY) != 1) return "the count";
    if (tn_share_await(share, TN_SHARE_READY, 1)) return tn_message();
    for (uint32_t i = 0; i < RANKS * PARTS; i++)
        if (!all_are(tn_share_part(share, i / PARTS, i % PARTS), (int)(10 * (i / PARTS) + i % PARTS + 1)))
            return "what another rank wrote is not seen";
    return all_are(tn_share_total(share), 99) ? NULL : "the total is not that of rank 0";
}

static const char *write_for_others(member *me)
{
    tn_share *share = NULL;
    if (tn_share_open(me->team, PARTS, BYTES, &share)) return tn_message();
    if (!share) return "ranks of one process have no memory in common";
    const char *bad = write_and_read(me, share);
    tn_share_close(share);
    return bad;
}

static void ranks_of_one_host_see_what_the_others_write(void **state)
{
    (void)state;
    run_members(write_for_others);
}

static const char *ask_for_other_sizes(member *me)
{
    tn_share *share = NULL;
    if (tn_share_open(me->team, PARTS, BYTES + 10000 * (me->rank == 1), &share)) return tn_message();
    const char *bad = share ? "memory of two sizes" : NULL;
    tn_share_close(share);
    return bad;
}

static void where_one_rank_cannot_have_it_none_has(void **state)
{
    (void)state;
    run_members(ask_for_other_sizes);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

static double processor_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Rank 0 is late; the last count that the others ask for, it never comes to. */
static const char *come_late(member *me, tn_share *share, int fails)
{
    const struct timespec late = {.tv_nsec = 300000000};
    const double begun = processor_time();
    if (!me->rank) nanosleep(&late, NULL);
    if (!me->rank && fails) tn_team_fail(me->team, TN_EIO, "no such file");
    tn_share_post(share, TN_SHARE_ADDED);
    tn_status status = tn_share_await(share, TN_SHARE_ADDED, 1 + (uint32_t)fails);
    if (processor_time() - begun > 0.1) return "it spins while it waits";
    if (!fails) return status ? tn_message() : NULL;
    return status == TN_EIO && strstr(tn_message(), "no such file") ? NULL : "the failure is not heard of";
}

static const char *wait_for_the_first(member *me)
{
    tn_share *share = NULL;
    const char *bad = tn_share_open(me->team, PARTS, BYTES, &share) || !share ? "no memory in common" : NULL;
    if (!bad) bad = come_late(me, share, 0);
    tn_share_close(share);
    return bad;
}

static const char *wait_for_one_that_fails(member *me)
{
    tn_share *share = NULL;
    const char *bad = tn_share_open(me->team, PARTS, BYTES, &share) || !share ? "no memory in common" : NULL;
    if (!bad) bad = come_late(me, share, 1);
    tn_share_close(share);
    return bad;
}

static void who_waits_sleeps(void **state)
{
    (void)state;
    run_members(wait_for_the_first);
}

static void who_waits_hears_of_a_failure(void **state)
{
    (void)state;
    run_members(wait_for_one_that_fails);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_of_one_host_see_what_the_others_write),
        cmocka_unit_test(where_one_rank_cannot_have_it_none_has),
        cmocka_unit_test(who_waits_sleeps),
        cmocka_unit_test(who_waits_hears_of_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
