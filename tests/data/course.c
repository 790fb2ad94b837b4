/* course.c: a course is the list of those batches that it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "course.h"

static void try_course(const tn_course *c, int64_t batches)
{
    int64_t number = 0;
    for (int64_t batch = 0; batch < batches; batch++) {
        const int is_whole = batch / c->round < c->rounds;
        const int64_t at = batch % c->round;
        const int is_taken = is_whole ? at >= c->begin && at < c->end : at >= c->last_begin && at < c->last_end;
        const int64_t found = tn_course_find(c, batch), back = is_taken ? tn_course_batch(c, number) : batch;
        if (found != (is_taken ? number : -1) || back != batch)
            fail_msg("%d to %d of %d, then %d to %d: batch %d: found as %d, %d is %d", (int)c->begin, (int)c->end,
                     (int)c->round, (int)c->last_begin, (int)c->last_end, (int)batch, (int)found, (int)number,
                     (int)back);
        number += is_taken;
    }
    assert_int_equal(tn_course_length(c), number);
    assert_int_equal(tn_course_find(c, batches + c->round), -1);
}

static void every_deal_of_a_round_and_of_its_rest(void **state)
{
    enum { MOST = 5 };
    (void)state;
    for (int64_t round = 1; round <= MOST; round++)
        for (int64_t rest = 0; rest < round; rest++)
            for (int64_t rounds = 0; rounds < 3; rounds++)
                for (int64_t i = 0; i < (round + 1) * (round + 1) * (rest + 1) * (rest + 1); i++) {
                    const int64_t begin = i % (round + 1), end = i / (round + 1) % (round + 1);
                    const int64_t left = i / (round + 1) / (round + 1), last = left % (rest + 1);
                    const tn_course c = {round, rounds, begin, end, last, left / (rest + 1)};
                    if (begin <= end && c.last_begin <= c.last_end) try_course(&c, rounds * round + rest);
                }
}

static void all_batches_are_a_course(void **state)
{
    (void)state;
    for (int64_t batches = 0; batches < 5; batches++) {
        const tn_course all = tn_course_of_all(batches);
        try_course(&all, batches);
        assert_int_equal(tn_course_length(&all), batches);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_deal_of_a_round_and_of_its_rest),
        cmocka_unit_test(all_batches_are_a_course),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
