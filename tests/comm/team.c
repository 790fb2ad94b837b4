/* team.c: teams of threads, over the communicator `local`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "exercise.h"
#include "sum.h"

enum { MOST = 4 };

/* A rank of a test, and what it found. */
typedef struct member member;
typedef const char *member_run(member *me);

struct member {
    member_run *run;
    tn_team_options options;
    tn_team *team;
    pthread_t thread;
    char wrong[512];
};

static atomic_uint_fast64_t groups = 1;

static void *live(void *arg)
{
    member *me = arg;
    const char *bad = me->run(me);
    if (bad) snprintf(me->wrong, sizeof me->wrong, "rank %u: %s", me->options.rank, bad);
    return NULL;
}

/* Runs that on each rank; fails the test if one found something wrong. */
static void run_members(uint32_t ranks, double silence, member_run *run)
{
    member all[MOST] = {{0}};
    const uint64_t group = groups++;
    for (uint32_t r = 0; r < ranks; r++) {
        all[r].run = run;
        all[r].options = (tn_team_options){"local", group, ranks, r, silence, 2 * silence};
        assert_int_equal(pthread_create(&all[r].thread, NULL, live, &all[r]), 0);
    }
    for (uint32_t r = 0; r < ranks; r++) pthread_join(all[r].thread, NULL);
    for (uint32_t r = 0; r < ranks; r++)
        if (all[r].wrong[0]) fail_msg("of %u: %s", ranks, all[r].wrong);
}

static const char *do_exercise(member *me)
{
    if (tn_team_open(&me->options, &me->team)) return tn_message();
    const char *bad = tn_exercise(me->team, 1 + me->options.ranks, 12);
    tn_team_close(me->team);
    return bad;
}

static void all_that_a_team_does_is_right_for_any_number_of_ranks(void **state)
{
    (void)state;
    for (uint32_t ranks = 1; ranks <= MOST; ranks++) run_members(ranks, 10, do_exercise);
}

static void a_rank_alone_needs_no_communicator(void **state)
{
    tn_team *team = NULL;
    (void)state;
    unsetenv("OMPI_COMM_WORLD_SIZE");
    unsetenv("PMI_SIZE");
    assert_int_equal(tn_team_open(NULL, &team), TN_OK);
    assert_int_equal(tn_team_size(team), 1);
    const char *bad = tn_exercise(team, 3, 12);
    if (bad) fail_msg("%s", bad);
    tn_team_close(team);
}

/* ---- failures --------------------------------------------------------------------------------------------------- */

static const char *expect(tn_status got, tn_status want, const char *text)
{
    static _Thread_local char line[512];
    if (got == want && strstr(tn_message(), text)) return NULL;
    snprintf(line, sizeof line, "status %d (%s), not %d with '%s'", got, tn_message(), want, text);
    return line;
}

static const char *fail_on_the_last_rank(member *me)
{
    if (tn_team_open(&me->options, &me->team)) return tn_message();
    if (me->options.rank == me->options.ranks - 1) tn_team_fail(me->team, TN_EIO, "data.csv: no such file");
    char want[64];
    snprintf(want, sizeof want, "rank %u: data.csv: no such file", me->options.ranks - 1);
    tn_status status = TN_OK;
    for (int i = 0; i < 1000 && !status; i++) status = tn_team_barrier(me->team);
    const char *bad = expect(status, TN_EIO, want);
    if (!bad) bad = expect(tn_team_check(me->team), TN_EIO, want);
    tn_team_close(me->team);
    return bad;
}

static void a_failure_of_one_rank_reaches_all_with_its_words(void **state)
{
    (void)state;
    for (uint32_t ranks = 2; ranks <= MOST; ranks++) run_members(ranks, 10, fail_on_the_last_rank);
}

static void nap(long milliseconds)
{
    const struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void *give_up(void *arg)
{
    member *me = arg;
    nap((long)(me->options.group * 7919 % 200));
    tn_team_fail(me->team, TN_EDEVICE, "the device was lost");
    return NULL;
}

/* A rank fails from another thread while all are busy. */
static const char *fail_at_any_moment(member *me)
{
    pthread_t thread;
    const uint32_t culprit = (uint32_t)(me->options.group % me->options.ranks);
    char want[64];
    if (tn_team_open(&me->options, &me->team)) return tn_message();
    if (me->options.rank == culprit && pthread_create(&thread, NULL, give_up, me)) return "no thread";
    for (uint64_t seed = 1; !tn_exercise(me->team, seed, 1);) seed++;
    snprintf(want, sizeof want, "rank %u: the device was lost", culprit);
    const char *bad = expect(tn_team_check(me->team), TN_EDEVICE, want);
    if (me->options.rank == culprit) pthread_join(thread, NULL);
    tn_team_close(me->team);
    tn_exercise_end();
    return bad;
}

static void a_rank_may_fail_at_any_moment(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 6; i++) run_members(2 + i % 3, 10, fail_at_any_moment);
}

/* Rank 0 waits for another barrier than the others, who close. */
static const char *stay_too_long(member *me)
{
    if (tn_team_open(&me->options, &me->team)) return tn_message();
    tn_status status = TN_OK;
    for (int i = 0; i < 2 && !status && !me->options.rank; i++) status = tn_team_barrier(me->team);
    const char *bad = me->options.rank ? NULL : expect(status, TN_ESTATE, "rank 1 has left, and others go on");
    tn_team_close(me->team);
    return bad;
}

static void who_closes_too_early_is_named(void **state)
{
    (void)state;
    for (uint32_t ranks = 2; ranks <= 3; ranks++) run_members(ranks, 10, stay_too_long);
}

/* The communicator of one rank fails, once or for good: all end, and are told why or miss the rank. */
static const char *do_flaky(member *me)
{
    me->options.communicator = TEST_FLAKY;
    tn_status status = tn_team_open(&me->options, &me->team);
    if (!status) {
        for (uint64_t seed = 1; !tn_exercise(me->team, seed, 1);) seed++;
        status = tn_team_check(me->team);
        tn_team_close(me->team);
        tn_exercise_end();
    }
    return strstr(tn_message(), "has not answered")
               ? NULL
               : expect(status, TN_EDEVICE, "rank 1: communicator flaky: the cable");
}

static void a_communicator_may_fail_at_any_call(void **state)
{
    static const char *const function[] = {"post", "progress"};
    char plan[64];
    (void)state;
    for (int i = 0; i < 16; i++) {
        snprintf(plan, sizeof plan, "%s 1 %d %d", function[i % 2], 1 + i * i * i / 8, i / 2 % 2);
        assert_int_equal(setenv("FLAKY", plan, 1), 0);
        print_message("%s\n", plan);
        run_members(3, 0.3, do_flaky);
    }
}

/* The others wait in a barrier, for a rank that never comes. */
static const char *stay_away(member *me)
{
    if (me->options.rank == 2) return NULL;
    const char *bad = expect(tn_team_open(&me->options, &me->team), TN_EDEVICE, "rank 2 has not answered for");
    return bad;
}

static void a_rank_that_never_comes_is_named(void **state)
{
    member all[MOST] = {{0}};
    const uint64_t group = groups++;
    (void)state;
    for (uint32_t r = 0; r < 3; r++) {
        all[r].run = stay_away;
        all[r].options = (tn_team_options){"local", group, 3, r, 0.2, 0.5};
        assert_int_equal(pthread_create(&all[r].thread, NULL, live, &all[r]), 0);
    }
    for (uint32_t r = 0; r < 3; r++) pthread_join(all[r].thread, NULL);
    for (uint32_t r = 0; r < 3; r++)
        if (all[r].wrong[0]) fail_msg("%s", all[r].wrong);
}

/* Longer than the silence that is allowed: its team's thread answers. */
static const char *compute_long(member *me)
{
    if (tn_team_open(&me->options, &me->team)) return tn_message();
    if (me->options.rank == 1) nap(1500);
    const char *bad = tn_team_barrier(me->team) ? tn_message() : NULL;
    tn_team_close(me->team);
    return bad;
}

static void a_rank_that_computes_for_long_is_not_dead(void **state)
{
    (void)state;
    run_members(3, 0.3, compute_long);
}

static const char *other_lengths(member *me)
{
    double vector[100] = {0}, other[100] = {0};
    void *node[] = {vector, other};
    const uint32_t first[] = {0, 1, 2};
    tn_shard_sum *sum = NULL;
    if (tn_team_open(&me->options, &me->team)) return tn_message();
    const tn_shard_sum_options options = {TN_F64, 2, 50 + me->options.rank, first, node, vector, 0, NULL};
    const char *bad = expect(tn_shard_sum_open(me->team, &options, &sum), TN_EINVAL,
                             "the sum's elements: '50' on rank 0, '51' on rank 1");
    tn_team_close(me->team);
    return bad;
}

static void sums_that_do_not_fit_together_are_refused(void **state)
{
    (void)state;
    run_members(2, 10, other_lengths);
}

/* Ranges in another order: what is sent is not what is due. */
static const char *other_order(member *me)
{
    double vector[100] = {0};
    void *node[] = {vector};
    const uint32_t first[] = {0, 1, 2};
    const uint32_t r = me->options.rank;
    uint64_t a = 0, b = 0;
    tn_shard_sum *sum = NULL;
    if (tn_team_open(&me->options, &me->team)) return tn_message();
    const tn_shard_sum_options options = {TN_F64, 2, 100, first, node, vector, 0, NULL};
    tn_status status = tn_shard_sum_open(me->team, &options, &sum);
    if (!status) status = tn_shard_sum_start(sum, r ? 0 : 80, r ? 80 : 100, &a);
    if (!status) status = tn_shard_sum_start(sum, r ? 80 : 0, r ? 100 : 80, &b);
    if (!status) status = tn_team_wait(me->team, b);
    const char *bad = expect(status, TN_EINVAL, "are due");
    tn_team_close(me->team);
    tn_shard_sum_close(sum);
    return bad;
}

static void ranges_in_another_order_end_the_team(void **state)
{
    (void)state;
    run_members(2, 10, other_order);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static const char *try_without_memory(member *me)
{
    tn_status status = tn_team_open(&me->options, &me->team);
    if (status) return NULL;
    tn_exercise(me->team, 5, 1);
    tn_team_close(me->team);
    tn_exercise_end();
    return NULL;
}

/* From some allocation on all fail: nothing hangs or crashes. */
static void a_team_without_memory_ends(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 40; n += 1 + n / 3) {
        tn_alloc_fail_after(n);
        run_members(2, 0.1, try_without_memory);
        tn_alloc_fail_after(-1);
    }
}

enum { LENGTH = 3000 };
static atomic_int given_up;

static void *give_up_waiting(void *arg)
{
    nap(20);
    tn_team_fail(((member *)arg)->team, TN_EDEVICE, "the device was lost");
    return NULL;
}

/* Rank 1 fails while it waits for what rank 0 sends just after that, and before it hears of it. */
static const char *send_to_one_that_failed(member *me)
{
    pthread_t thread;
    unsigned char data[LENGTH];
    const int waits = me->options.rank == 1;
    const char *bad = NULL;
    memset(data, waits ? 0 : 1, sizeof data);
    if (tn_team_open(&me->options, &me->team)) return tn_message();
    if (waits && pthread_create(&thread, NULL, give_up_waiting, me)) return "no thread";
    while (!waits && !given_up) nap(1);
    tn_status status = tn_team_broadcast(me->team, 0, data, sizeof data);
    given_up = 1;
    if (waits) bad = expect(status, TN_EDEVICE, "rank 1: the device was lost");
    if (waits) pthread_join(thread, NULL);
    tn_team_close(me->team);
    for (int i = 0; i < LENGTH && waits && !bad; i++)
        if (data[i]) bad = "its memory was written to after the call had failed";
    return bad;
}

static void memory_of_a_call_that_failed_is_left_alone(void **state)
{
    (void)state;
    run_members(2, 10, send_to_one_that_failed);
}

static void wrong_arguments_are_refused(void **state)
{
    tn_team *team = NULL;
    tn_shard_sum *sum = NULL;
    uint64_t ticket;
    float vector[4] = {0};
    void *node[] = {vector};
    uint32_t first[] = {0, 1};
    tn_shard_sum_options o = {TN_F32, 1, 4, first, node, vector, 0, NULL};
    (void)state;
    assert_int_equal(tn_team_open(&(tn_team_options){.communicator = "local"}, &team), TN_EINVAL);
    assert_int_equal(tn_team_open(&(tn_team_options){"local", 7, 2, 2, 0, 0}, &team), TN_EINVAL);
    assert_null(team);
    assert_int_equal(tn_team_open(NULL, &team), TN_OK);
    assert_int_equal(tn_team_wait(team, 5), TN_EINVAL);
    assert_int_equal(tn_team_broadcast(team, 1, vector, 4), TN_EINVAL);
    assert_int_equal(tn_shard_sum_open(team, &o, &sum), TN_OK);
    assert_int_equal(tn_shard_sum_start(sum, 2, 5, &ticket), TN_EINVAL);
    assert_int_equal(tn_shard_sum_start(sum, 3, 2, &ticket), TN_EINVAL);
    tn_shard_sum_close(sum);
    o.dtype = TN_I32;
    assert_int_equal(tn_shard_sum_open(team, &o, &sum), TN_EDTYPE);
    tn_team_close(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_a_team_does_is_right_for_any_number_of_ranks),
        cmocka_unit_test(a_rank_alone_needs_no_communicator),
        cmocka_unit_test(a_failure_of_one_rank_reaches_all_with_its_words),
        cmocka_unit_test(a_rank_may_fail_at_any_moment),
        cmocka_unit_test(who_closes_too_early_is_named),
        cmocka_unit_test(a_communicator_may_fail_at_any_call),
        cmocka_unit_test(a_rank_that_never_comes_is_named),
        cmocka_unit_test(a_rank_that_computes_for_long_is_not_dead),
        cmocka_unit_test(sums_that_do_not_fit_together_are_refused),
        cmocka_unit_test(ranges_in_another_order_end_the_team),
        cmocka_unit_test(a_team_without_memory_ends),
        cmocka_unit_test(memory_of_a_call_that_failed_is_left_alone),
        cmocka_unit_test(wrong_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
