/* digits.c: the built-in digits and the random order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "alloc.h"
#include "scratch.h"
#include "tenon/data.h"

#define GOLDEN_RGB 0x7cea990du /* CRC-32 of the first 500 coloured pictures of seed 1 */
#define GOLDEN     0x5ee241e5u /* CRC-32 of the first 1000 pictures of seed 1, then of their labels */

static uint32_t checksum(const tn_dataset *data, int64_t count)
{
    uLong crc = crc32(0, data->x, (uInt)(count * 784));
    for (int64_t i = 0; i < count; i++) {
        unsigned char label = (unsigned char)data->label[i];
        crc = crc32(crc, &label, 1);
    }
    return (uint32_t)crc;
}

static void a_seed_always_gives_the_same_digits(void **state)
{
    tn_dataset many = {0}, few = {0}, other = {0};
    (void)state;
    expect_ok(tn_dataset_digits(1000, 1, &many));
    expect_ok(tn_dataset_digits(10, 1, &few));
    expect_ok(tn_dataset_digits(10, 2, &other));
    assert_int_equal(checksum(&many, 1000), GOLDEN);
    assert_int_equal(checksum(&many, 10), checksum(&few, 10));
    assert_int_not_equal(checksum(&other, 10), checksum(&few, 10));
    tn_dataset_free(&many);
    tn_dataset_free(&few);
    tn_dataset_free(&other);
}

static void digits_are_ten_classes_of_inked_paper(void **state)
{
    tn_dataset train = {0}, test = {0};
    int of_class[10] = {0};
    tn_shape expected = TN_SHAPE(1, 28, 28);
    (void)state;
    expect_ok(tn_dataset_open("digits", 5, NULL, &train, &test));
    assert_int_equal(train.count, 10000);
    assert_int_equal(test.count, 2000);
    assert_int_equal(train.classes, 10);
    assert_true(tn_shape_equal(&train.sample, &expected));
    assert_memory_not_equal(train.x, test.x, 784);
    for (int64_t i = 0; i < train.count; i++) {
        int bright = 0;
        for (int p = 0; p < 784; p++) bright += ((uint8_t *)train.x)[i * 784 + p] > 100;
        assert_in_range(bright, 12, 400); /* a thin 1, a thick 8 */
        of_class[train.label[i]]++;
    }
    for (int c = 0; c < 10; c++) assert_in_range(of_class[c], 850, 1150); /* five standard deviations */
    tn_dataset_free(&train);
    tn_dataset_free(&test);
}

static void coloured_digits_are_always_the_same_and_use_all_of_the_colours(void **state)
{
    tn_dataset many = {0}, few = {0}, grey = {0};
    tn_shape expected = TN_SHAPE(3, 32, 32);
    int64_t levels[3][4] = {{0}};
    (void)state;
    expect_ok(tn_dataset_digits_rgb(500, 1, &many));
    expect_ok(tn_dataset_digits_rgb(5, 1, &few));
    expect_ok(tn_dataset_digits(500, 1, &grey));
    assert_true(tn_shape_equal(&many.sample, &expected));
    assert_int_equal((uint32_t)crc32(0, many.x, 500 * 3072), GOLDEN_RGB);
    assert_memory_equal(many.x, few.x, 5 * 3072);
    assert_memory_equal(many.label, grey.label, 500 * sizeof *grey.label); /* the same digits, in colour */
    for (int64_t i = 0; i < 500 * 3072; i++) levels[i / 1024 % 3][((uint8_t *)many.x)[i] / 64]++;
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 4; k++) assert_in_range(levels[c][k], 500 * 1024 / 8, 500 * 1024 / 2);
    tn_dataset_free(&many);
    tn_dataset_free(&few);
    tn_dataset_free(&grey);
    expect_failure(tn_dataset_digits_rgb(0, 1, &many), TN_EINVAL, "digits-rgb: a set of 0 samples");
}

static void any_number_of_digits_can_be_had(void **state)
{
    tn_dataset train = {0}, test = {0};
    (void)state;
    static const char *const names[] = {"digits:35", "digits-rgb:35"};
    static const char *const bad[] = {"digits:",      "digits:0",       "digits:-3",
                                      "digits-rgb:x", "digits-rgb:1 2", "digits:3000000000"};
    for (int i = 0; i < 2; i++) {
        expect_ok(tn_dataset_open(names[i], 5, NULL, &train, &test));
        assert_int_equal(train.count, 35);
        assert_int_equal(test.count, 7);
        tn_dataset_free(&train);
        tn_dataset_free(&test);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_failure(tn_dataset_open(bad[i], 5, NULL, &train, &test), TN_EINVAL, "with a number N of training");
    expect_failure(tn_dataset_digits(0, 1, &train), TN_EINVAL, "digits: a set of 0 samples");
    expect_failure(tn_dataset_digits(-4, 1, &train), TN_EINVAL, "digits: a set of -4 samples");
    assert_null(train.x);
}

/* The sum over pixels of the squared distance. */
static double distance(const uint8_t *a, const double *b)
{
    double sum = 0;
    for (int p = 0; p < 784; p++) sum += (a[p] - b[p]) * (a[p] - b[p]);
    return sum;
}

/* The simplest of classifiers, the nearest class mean, does far better than chance and far from well. */
static void digits_are_neither_noise_nor_easy(void **state)
{
    tn_dataset train = {0}, test = {0};
    double *mean = calloc(10 * 784, sizeof *mean);
    int count[10] = {0}, right = 0;
    (void)state;
    expect_ok(tn_dataset_open("digits:5000", 1, NULL, &train, &test));
    for (int64_t i = 0; i < train.count; i++) {
        count[train.label[i]]++;
        for (int p = 0; p < 784; p++) mean[train.label[i] * 784 + p] += ((uint8_t *)train.x)[i * 784 + p];
    }
    for (int c = 0; c < 10; c++)
        for (int p = 0; p < 784; p++) mean[c * 784 + p] /= count[c];
    for (int64_t i = 0; i < test.count; i++) {
        int best = 0;
        for (int c = 1; c < 10; c++)
            if (distance((uint8_t *)test.x + i * 784, mean + c * 784) <
                distance((uint8_t *)test.x + i * 784, mean + best * 784))
                best = c;
        right += best == test.label[i];
    }
    assert_in_range(right, 500, 900); /* of 1000 */
    free(mean);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    tn_status status = TN_ENOMEM;
    int64_t n = 0;
    (void)state;
    for (; status; n++) {
        tn_dataset train = {.count = 77}, test = {0};
        tn_alloc_fail_after(n);
        status = tn_dataset_open("digits:10", 1, NULL, &train, &test);
        tn_alloc_fail_after(-1);
        if (status) expect_failure(status, TN_ENOMEM, "out of memory");
        if (status) assert_int_equal(train.count, 77);
        if (status) continue;
        tn_dataset_free(&train);
        tn_dataset_free(&test);
    }
    assert_int_equal(n, 7);
}

/* ---- order ---- */

static void an_order_holds_each_number_once(void **state)
{
    static const int64_t counts[] = {0, 1, 2, 3, 10, 1000, 60000};
    int32_t *order = malloc(60000 * sizeof *order);
    uint8_t *seen = malloc(60000);
    (void)state;
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        tn_shuffle(order, counts[k], 7, k);
        memset(seen, 0, 60000);
        for (int64_t i = 0; i < counts[k]; i++) {
            assert_in_range(order[i], 0, counts[k] - 1);
            assert_int_equal(seen[order[i]]++, 0);
        }
    }
    free(order);
    free(seen);
}

static void an_order_belongs_to_its_seed_and_epoch(void **state)
{
    static const int32_t golden[10] = {5, 7, 8, 2, 4, 6, 1, 3, 9, 0};
    int32_t a[10], b[10];
    (void)state;
    tn_shuffle(a, 10, 1, 0);
    assert_memory_equal(a, golden, sizeof golden);
    for (uint64_t epoch = 1; epoch < 20; epoch++) {
        tn_shuffle(b, 10, 1, epoch);
        assert_memory_not_equal(a, b, sizeof a);
        tn_shuffle(b, 10, 1 + (epoch << 32), 0);
        assert_memory_not_equal(a, b, sizeof a);
        tn_shuffle(b, 10, 1, epoch << 32);
        assert_memory_not_equal(a, b, sizeof a);
    }
}

/* All 24 orders of four things come as often, by chi squared: 23 degrees of freedom, 60 is one in 40,000. */
static void no_order_is_favoured(void **state)
{
    int count[256] = {0}, kinds = 0;
    double chi = 0;
    (void)state;
    for (uint64_t epoch = 0; epoch < 24000; epoch++) {
        int32_t o[4];
        tn_shuffle(o, 4, 3, epoch);
        count[o[0] << 6 | o[1] << 4 | o[2] << 2 | o[3]]++;
    }
    for (int i = 0; i < 256; i++) {
        kinds += count[i] > 0;
        if (count[i]) chi += (count[i] - 1000.0) * (count[i] - 1000.0) / 1000;
    }
    assert_int_equal(kinds, 24);
    assert_true(chi < 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_always_gives_the_same_digits),
        cmocka_unit_test(digits_are_ten_classes_of_inked_paper),
        cmocka_unit_test(coloured_digits_are_always_the_same_and_use_all_of_the_colours),
        cmocka_unit_test(any_number_of_digits_can_be_had),
        cmocka_unit_test(digits_are_neither_noise_nor_easy),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
        cmocka_unit_test(an_order_holds_each_number_once),
        cmocka_unit_test(an_order_belongs_to_its_seed_and_epoch),
        cmocka_unit_test(no_order_is_favoured),
    };
    return cmocka_run_group_tests_name("digits", tests, NULL, NULL);
}
