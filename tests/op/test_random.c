/* test_random.c: Philox against the known answers that its authors publish with Random123, and the numbers made of it
 * against a second implementation. */

#include "near.h"
#include "philox.h"

static void philox_gives_the_published_words(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], word[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t word[4];
        tn_philox(known[i].counter, known[i].key, word);
        assert_memory_equal(word, known[i].word, sizeof word);
    }
}

static void numbers_are_those_of_the_second_implementation(void **state)
{
    (void)state;
#define RANDOM(kind, seed, step, stream, index, value)                                                                 \
    assert_true(fabs(tn_philox_##kind(seed, step, stream, index) - (value)) <= 1e-14);
#include "golden.inc"
#undef RANDOM
}

static void uniform_numbers_fill_the_interval_evenly(void **state)
{
    (void)state;
    enum { N = 100000, BINS = 20 };
    int bin[BINS] = {0};
    for (uint64_t i = 0; i < N; i++) {
        double u = tn_philox_uniform(7, 3, 1, i);
        assert_true(u >= 0 && u < 1);
        bin[(int)(u * BINS)]++;
    }
    double chi2 = 0, expected = (double)N / BINS;
    for (int b = 0; b < BINS; b++) chi2 += (bin[b] - expected) * (bin[b] - expected) / expected;
    assert_true(chi2 < 43.8); /* 19 degrees of freedom: one in a thousand */
}

static void normal_numbers_have_mean_0_and_variance_1(void **state)
{
    (void)state;
    enum { N = 100000 };
    double sum = 0, squares = 0, fourth = 0;
    for (uint64_t i = 0; i < N; i++) {
        double z = tn_philox_normal(7, 3, 1, i);
        sum += z, squares += z * z, fourth += z * z * z * z;
    }
    assert_near(sum / N, 0, 4 / sqrt(N));
    assert_near(squares / N, 1, 4 * sqrt(2.0 / N));
    assert_near(fourth / N, 3, 4 * sqrt(96.0 / N));
}

static void streams_steps_and_seeds_differ(void **state)
{
    (void)state;
    int same = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        double u = tn_philox_uniform(1, 1, 1, i);
        same += u == tn_philox_uniform(2, 1, 1, i);
        same += u == tn_philox_uniform(1, 2, 1, i);
        same += u == tn_philox_uniform(1, 1, 2, i);
        same += u == tn_philox_uniform(1, 1, 1, i + 1);
    }
    assert_in_range(same, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_words),
        cmocka_unit_test(numbers_are_those_of_the_second_implementation),
        cmocka_unit_test(uniform_numbers_fill_the_interval_evenly),
        cmocka_unit_test(normal_numbers_have_mean_0_and_variance_1),
        cmocka_unit_test(streams_steps_and_seeds_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
