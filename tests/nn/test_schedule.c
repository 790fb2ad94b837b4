/* Learning-rate schedules: golden values, and the line that each mistake gives. */
#include "check.h"

static void factors_are_what_the_formulas_say(void **state)
{
    static const struct {
        const char *text;
        uint64_t step;
        double factor;
    } cases[] = {
        {"constant", 0, 1},
        {"constant", 1000000, 1},
        {"step 10 0.5", 9, 1},
        {"step 10 0.5", 10, 0.5},
        {"step 10 0.5", 25, 0.25},
        {"exponential 0.9", 0, 1},
        {"exponential 0.9", 3, 0.729},
        {"cosine 100", 0, 1},
        {"cosine 100", 25, 0.85355339059327378},
        {"cosine 100", 50, 0.5},
        {"cosine 100", 100, 0},
        {"cosine 100", 500, 0},
        {"warmup 4", 0, 0.25},
        {"warmup 4", 3, 1},
        {"warmup 4", 4, 1},
        {"warmup 4, step 10 0.1", 13, 1},
        {"warmup 4, step 10 0.1", 14, 0.1},
        {" warmup  4 ,cosine 100 ", 54, 0.5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tn_schedule schedule;
        CHECK(tn_schedule_parse(cases[i].text, &schedule));
        double got = tn_schedule_at(&schedule, cases[i].step);
        if (fabs(got - cases[i].factor) > 1e-12)
            fail_msg("'%s' at %d: expected %.15g, got %.15g", cases[i].text, (int)cases[i].step, cases[i].factor, got);
    }
}

static void a_plateau_lowers_the_rate_after_losses_that_do_not_fall(void **state)
{
    static const double loss[] = {3, 2, 2, 2.5, 2, 1, NAN, 1, 5};
    static const double factor[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25};
    tn_schedule schedule, other;
    tn_plateau plateau = {0}, none = {0};
    (void)state;
    CHECK(tn_schedule_parse("warmup 2, plateau 2 0.5", &schedule));
    CHECK(tn_schedule_parse("cosine 5", &other));
    for (size_t i = 0; i < sizeof loss / sizeof *loss; i++) {
        assert_true(tn_plateau_factor(&plateau) == (i ? factor[i - 1] : 1));
        tn_schedule_see(&schedule, &plateau, loss[i]);
        tn_schedule_see(&other, &none, loss[i]);
        if (tn_plateau_factor(&plateau) != factor[i])
            fail_msg("loss %zu: expected %g, got %g", i, factor[i], tn_plateau_factor(&plateau));
        assert_true(tn_plateau_factor(&none) == 1);
    }
    assert_true(tn_schedule_at(&schedule, 0) == 0.5 && tn_schedule_at(&schedule, 1000) == 1);
}

static void mistakes_name_the_culprit_and_change_nothing(void **state)
{
    static const struct {
        const char *text, *say;
    } cases[] = {
        {"", "constant, step"},
        {"cosin 5", "'cosine'"},
        {"cosine", "cosine STEPS"},
        {"cosine 0", "at least 1"},
        {"cosine 1.5", "whole number"},
        {"step 10", "step STEPS FACTOR"},
        {"step 10 0", "above 0"},
        {"step 10 nan", "'nan'"},
        {"exponential -1", "above 0"},
        {"plateau 3", "plateau LOSSES FACTOR"},
        {"plateau 0 0.5", "at least 1"},
        {"plateau 2 -1", "above 0"},
        {"warmup", "warmup STEPS"},
        {"warmup 0", "at least 1"},
        {"constant, constant", "nothing can follow"},
        {"warmup 3, cosine 5, constant", "nothing can follow"},
        {"constant 3", "'constant'"},
        {"warmup 3,", "constant, step"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tn_schedule schedule = {.kind = 77};
        if (tn_schedule_parse(cases[i].text, &schedule) != TN_EINVAL) fail_msg("'%s' was taken", cases[i].text);
        check_message(cases[i].text, cases[i].say);
        assert_int_equal(schedule.kind, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_are_what_the_formulas_say),
        cmocka_unit_test(a_plateau_lowers_the_rate_after_losses_that_do_not_fall),
        cmocka_unit_test(mistakes_name_the_culprit_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
