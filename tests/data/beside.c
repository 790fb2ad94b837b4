/* beside.c: data sets side by side: samples, labels, targets and weights of each kind, compared with loops here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tenon/data.h"

enum { COUNT = 7 };

static uint8_t pixels[COUNT][2][3];
static float numbers[COUNT], heads[COUNT][2], weights[COUNT];
static int32_t tokens[COUNT][4], kinds[COUNT];

static void ok(tn_status s)
{
    if (s) fail_msg("%s: %s", tn_status_name(s), tn_message());
}

static int draw(void **state)
{
    srand(16);
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < 6; k++) pixels[i][k / 3][k % 3] = (uint8_t)rand();
        for (int k = 0; k < 4; k++) tokens[i][k] = rand() % 1000 - 500;
        for (int k = 0; k < 2; k++) heads[i][k] = (float)rand() / 1e6f;
        numbers[i] = (float)rand() / 1e6f;
        weights[i] = (float)(rand() % 3);
        kinds[i] = rand() % 3;
    }
    (void)state;
    return 0;
}

static tn_status fill(void *arg, int64_t index, void *x, void *target, tn_msg *msg)
{
    (void)arg, (void)msg;
    memcpy(x, tokens[index], sizeof tokens[index]);
    if (target) memcpy(target, heads[index], sizeof heads[index]);
    return TN_OK;
}

static const tn_dataset pictures = {.count = COUNT,
                                    .sample = {3, {1, 2, 3}},
                                    .x_dtype = TN_U8,
                                    .x = pixels,
                                    .label = kinds,
                                    .classes = 3,
                                    .class_names = "a\nb\nc\n",
                                    .source = "here"},
                        plain = {.count = COUNT,
                                 .sample = {1, {1}},
                                 .x_dtype = TN_F32,
                                 .x = numbers,
                                 .weight = weights},
                        alone = {.count = COUNT, .target = heads[0], .targets = 2};

static void compare_samples(const tn_dataset *data, int with_tokens)
{
    const float *x = data->x;
    assert_int_equal(data->x_dtype, TN_F32);
    assert_int_equal(data->sample.rank, 1);
    assert_int_equal(data->sample.dim[0], with_tokens ? 11 : 7);
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < 6; k++) assert_true(*x++ == (float)pixels[i][k / 3][k % 3] * (1 / 255.0f));
        assert_true(*x++ == numbers[i]);
        for (int k = 0; with_tokens && k < 4; k++) assert_true(*x++ == (float)tokens[i][k]);
    }
}

static void the_labels_of_one_set_stay_labels(void **state)
{
    tn_dataset data = {0};
    ok(tn_dataset_beside((const tn_dataset *[]){&pictures, &plain}, 2, &data));
    compare_samples(&data, 0);
    assert_int_equal(data.classes, 3);
    assert_null(data.target);
    assert_memory_equal(data.label, kinds, sizeof kinds);
    assert_memory_equal(data.weight, weights, sizeof weights);
    assert_string_equal(data.class_names, "a\nb\nc\n");
    assert_string_equal(data.source, "here");
    tn_dataset_free(&data);
    (void)state;
}

static void what_several_have_becomes_targets_in_their_order(void **state)
{
    tn_dataset data = {0}, read = {.count = COUNT, .sample = {1, {4}}, .x_dtype = TN_I32, .targets = 2};
    ok(tn_loader_new(&(tn_source){.fill = fill}, &read.loader));
    ok(tn_dataset_beside((const tn_dataset *[]){&pictures, &plain, &read, &alone}, 4, &data));
    compare_samples(&data, 1);
    assert_null(data.label);
    assert_int_equal(data.classes, 0);
    assert_int_equal(data.targets, 5);
    for (int i = 0; i < COUNT; i++) {
        assert_true(data.target[5 * i] == (float)kinds[i]);
        for (int k = 0; k < 4; k++) assert_true(data.target[5 * i + 1 + k] == heads[i][k % 2]);
    }
    tn_dataset_free(&data);
    tn_dataset_free(&read);
    (void)state;
}

/* What there is to predict is said by what points to it, as tn_fit sees it, whatever else the struct has. */
static void what_belongs_to_samples_is_what_they_have(void **state)
{
    tn_dataset data = {0}, unused = plain, both = plain;
    unused.classes = 10, unused.targets = 3;
    both.classes = 3, both.target = heads[0], both.targets = 2;
    ok(tn_dataset_beside((const tn_dataset *[]){&unused, &pictures}, 2, &data));
    assert_true(data.classes == 3 && !data.target);
    assert_memory_equal(data.label, kinds, sizeof kinds);
    tn_dataset_free(&data);
    ok(tn_dataset_beside((const tn_dataset *[]){&both, &unused}, 2, &data));
    assert_true(data.targets == 2 && !data.classes && !data.label);
    assert_memory_equal(data.target, heads, sizeof heads);
    tn_dataset_free(&data);
    (void)state;
}

static void refused(const tn_dataset *a, const tn_dataset *b, tn_status status, const char *text)
{
    tn_dataset data = {.count = -3};
    assert_int_equal(tn_dataset_beside((const tn_dataset *[]){a, b}, 2, &data), status);
    if (!strstr(tn_message(), text)) fail_msg("'%s' lacks '%s'", tn_message(), text);
    assert_int_equal(data.count, -3);
}

static void sets_that_do_not_fit_are_refused_by_their_number(void **state)
{
    tn_dataset shorter = plain, nothing = {.count = COUNT}, large = plain, less = plain, no_width = alone;
    int32_t too_large[COUNT] = {0, 0, -(1 << 24) - 1};
    shorter.count--;
    large.x_dtype = TN_I32;
    large.x = too_large;
    less.count = -1;
    no_width.targets = 0;
    refused(&less, &less, TN_EINVAL, "part 0 has -1 samples");
    refused(&plain, &no_width, TN_EINVAL, "part 1 has 0 targets a sample");
    refused(&pictures, &shorter, TN_ESHAPE, "part 1 has 6 samples, and part 0 has 7");
    refused(&pictures, &nothing, TN_EINVAL, "part 1 has neither samples nor targets");
    refused(&pictures, NULL, TN_EINVAL, "part 1 is NULL");
    refused(&alone, &alone, TN_EINVAL, "no part has samples");
    refused(&plain, &large, TN_EINVAL, "-16777217 is a whole number that f32 does not have");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_labels_of_one_set_stay_labels),
        cmocka_unit_test(what_several_have_becomes_targets_in_their_order),
        cmocka_unit_test(what_belongs_to_samples_is_what_they_have),
        cmocka_unit_test(sets_that_do_not_fit_are_refused_by_their_number),
    };
    return cmocka_run_group_tests(tests, draw, NULL);
}
