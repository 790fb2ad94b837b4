/* Learning-rate schedules: golden values, and the line that each mistake gives. */
#include "check.h"

#include "golden_torch.inc"

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

#define FACTORS(text, name)                                                                                            \
    {                                                                                                                  \
        text, golden_##name, sizeof golden_##name / sizeof *golden_##name                                              \
    }

static void factors_are_those_of_pytorch(void **state)
{
    static const struct {
        const char *text;
        const double *factor;
        size_t steps;
    } cases[] = {
        FACTORS("milestones 0.1 3 4 20", milestones),
        FACTORS("linear 16", linear),
        FACTORS("linear 16 0.25", linear_end),
        FACTORS("polynomial 16 2.5", polynomial),
        FACTORS("onecycle 24", onecycle),
        FACTORS("restarts 4 2", restarts),
        FACTORS("restarts 5 1", restarts_alike),
        FACTORS("cosine 24 0.1", cosine_end),
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tn_schedule schedule;
        CHECK(tn_schedule_parse(cases[i].text, &schedule));
        for (size_t step = 0; step < cases[i].steps; step++) {
            double got = tn_schedule_at(&schedule, step);
            if (!(fabs(got - cases[i].factor[step]) <= 1e-12))
                fail_msg("'%s' at %zu: expected %.15g, got %.15g", cases[i].text, step, cases[i].factor[step], got);
        }
    }
}

static void each_kind_is_listed_and_ends_well(void **state)
{
    tn_schedule_kind kind;
    size_t n = 0;
    (void)state;
    for (; tn_schedule_kind_at(n, &kind); n++)
        if (strncmp(kind.usage, kind.name, strlen(kind.name))) fail_msg("%s is written '%s'", kind.name, kind.usage);
    assert_int_equal(n, 10);
    static const char *const texts[] = {"linear 3 0.5", "onecycle 4", "restarts 1 1", "polynomial 2 3",
                                        "restarts 3 1000"};
    static const double at_the_end[] = {0.5, 4e-6, 1, 0, -1};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tn_schedule schedule;
        CHECK(tn_schedule_parse(texts[i], &schedule));
        double got = tn_schedule_at(&schedule, 1000000000000);
        if (at_the_end[i] >= 0) check_near(texts[i], got, at_the_end[i], 1e-12);
        assert_true(got >= 0 && got <= 1);
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
        {"milestones 0.1", "milestones FACTOR STEP..."},
        {"milestones 0 3", "above 0"},
        {"milestones 0.1 5 3", "STEP '3'"},
        {"milestones 0.1 5 x", "STEP 'x'"},
        {"milestones 0.1 1 2 3 4 5 6 7 8 9 10 11", "more than 10"},
        {"linear 10 -1", "END '-1'"},
        {"linear 10 0 0", "linear STEPS [END]"},
        {"restarts 10", "restarts STEPS TIMES"},
        {"restarts 10 1.5", "TIMES '1.5'"},
        {"restarts 10 0", "TIMES '0'"},
        {"onecycle 3", "at least 4"},
        {"polynomial 5 0", "above 0"},
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
        cmocka_unit_test(factors_are_those_of_pytorch),
        cmocka_unit_test(each_kind_is_listed_and_ends_well),
        cmocka_unit_test(a_plateau_lowers_the_rate_after_losses_that_do_not_fall),
        cmocka_unit_test(mistakes_name_the_culprit_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
