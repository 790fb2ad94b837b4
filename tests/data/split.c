/* split.c: tables divided into parts for training, validation and testing. */
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "near.h"
#include "scratch.h"
#include "tenon/data.h"

static const tn_csv_options classify = {.classify = 1};

static const char *hundred_rows(void)
{
    static char text[4096];
    size_t used = (size_t)snprintf(text, sizeof text, "a,y\n");
    for (int i = 0; i < 100; i++) used += (size_t)snprintf(text + used, sizeof text - used, "%d,%d\n", i, i % 3);
    return scratch_text("hundred.csv", text);
}

static void one_row_in_five_is_for_testing_by_the_seed(void **state)
{
    float first[20];
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        tn_dataset train = {0}, test = {0};
        int seen[100] = {0};
        expect_ok(tn_dataset_open(hundred_rows(), seed / 2, &classify, &train, &test));
        assert_int_equal(train.count, 80);
        assert_int_equal(test.count, 20);
        assert_int_equal(test.classes, 3);
        for (int i = 0; i < 80; i++) seen[(int)((float *)train.x)[i]]++;
        for (int i = 0; i < 20; i++) {
            int row = (int)((float *)test.x)[i];
            char name[200], number[20];
            seen[row]++;
            snprintf(number, sizeof number, "hundred.csv %d", row);
            assert_non_null(strstr(tn_dataset_name(&test, i, name, sizeof name), number));
            assert_int_equal(test.label[i], row % 3);
        }
        for (int i = 0; i < 100; i++) assert_int_equal(seen[i], 1);
        if (!seed) memcpy(first, test.x, sizeof first);
        assert_int_equal(!memcmp(first, test.x, sizeof first), seed < 2); /* seed 0, 0 again, 1 */
        tn_dataset_free(&train);
        tn_dataset_free(&test);
    }
}

/* 75 of one class, 22, 2, and one that is alone: in five folds each row is tested on once, and each fold has its share
 * of each class. */
static void folds_test_each_row_once_and_have_their_share_of_each_class(void **state)
{
    char text[4096] = "a,y\n";
    float first[20];
    (void)state;
    for (int i = 0; i < 100; i++)
        snprintf(text + strlen(text), 40, "%d,%s\n", i, i < 75 ? "most" : i < 97 ? "some" : i < 99 ? "few" : "lone");
    for (uint64_t seed = 0; seed < 2; seed++) {
        int tested[100] = {0};
        for (int64_t fold = 0; fold < 5; fold++) {
            const tn_open_options how = {.seed = seed, .csv = classify, .folds = 5, .fold = fold};
            tn_dataset train = {0}, test = {0};
            int has[4] = {0}; /* by name: few, lone, most, some */
            expect_ok(tn_dataset_open_with(scratch_text("folds.csv", text), &how, &train, &test));
            assert_int_equal(train.count + test.count, 100);
            for (int64_t i = 0; i < test.count; i++) {
                tested[(int)((float *)test.x)[i]]++;
                has[test.label[i]]++;
            }
            assert_int_equal(test.count, 20);
            assert_int_equal(has[2], 15);
            assert_in_range(has[3], 4, 5);
            assert_in_range(has[0] + has[1], 0, 1);
            if (!seed && !fold) memcpy(first, test.x, sizeof first);
            if (seed && !fold) assert_memory_not_equal(first, test.x, sizeof first);
            tn_dataset_free(&train);
            tn_dataset_free(&test);
        }
        for (int i = 0; i < 100; i++) assert_int_equal(tested[i], 1);
    }
}

static void folds_that_cannot_be_are_refused(void **state)
{
    tn_open_options how = {.csv = classify, .folds = 101};
    tn_dataset train = {0}, test = {0};
    (void)state;
    expect_failure(tn_dataset_open_with(hundred_rows(), &how, &train, &test), TN_EINVAL, "there are 100 samples");
    how.folds = how.fold = 5;
    expect_failure(tn_dataset_open_with(hundred_rows(), &how, &train, &test), TN_EINVAL, "fold 6 of 5");
    how.fold = 1;
    expect_failure(tn_dataset_open_with("digits:20", &how, &train, &test), TN_EINVAL, "its samples for testing are set");
    expect_ok(tn_dataset_open_with(hundred_rows(), &how, NULL, &test)); /* all of it is asked for */
    assert_int_equal(test.count, 100);
    tn_dataset_free(&test);
}

/* Three quarters are one class, a fifth another, and row 99 is alone in its class, where another's would be taken; or
 * each row is alone. */
static void each_class_has_its_share_of_both_parts(void **state)
{
    char text[4096] = "a,y\n", alone[4096] = "a,y\n";
    (void)state;
    for (int i = 0; i < 100; i++) {
        const char *name = i < 75 ? "most" : i < 97 ? "some" : i < 99 ? "few" : "lone";
        snprintf(text + strlen(text), 40, "%d,%s\n", i * 37 % 101, name);
        snprintf(alone + strlen(alone), 40, "%d,k%d\n", i, i);
    }
    for (uint64_t seed = 0; seed < 20; seed++) {
        tn_dataset train = {0}, test = {0}, part = {0};
        int has[4] = {0}; /* by name: few, lone, most, some */
        expect_ok(tn_dataset_open(scratch_text("shares.csv", text), seed, &classify, &train, &test));
        assert_int_equal(test.count, 20);
        for (int i = 0; i < 20; i++) has[test.label[i]]++;
        assert_in_range(has[0], 0, 1);
        assert_int_equal(has[1], 0);
        assert_in_range(has[2], 14, 16);
        assert_in_range(has[3], 3, 5);
        expect_ok(tn_dataset_split(&train, 0.5, seed, &part));
        assert_int_equal(part.count, 40);
        for (int i = 0; i < 40; i++) assert_int_not_equal(part.label[i], 1);
        tn_dataset_free(&train);
        tn_dataset_free(&test);
        tn_dataset_free(&part);
        expect_ok(tn_dataset_open(scratch_text("alone.csv", alone), seed, &classify, &train, &test));
        assert_int_equal(test.count, 20);
        tn_dataset_free(&train);
        tn_dataset_free(&test);
    }
}

/* Column b has a value in one row, which goes to either part by the seed. */
static void a_column_without_a_value_in_the_training_part_is_refused(void **state)
{
    char text[1024] = "a,b,y\n";
    const tn_csv_options keep = {.keep_missing = 1};
    int refused = 0;
    (void)state;
    for (int i = 0; i < 20; i++) strcat(text, i == 7 ? "1,2,3\n" : "1,,3\n");
    const char *path = scratch_text("lonely.csv", text);
    for (uint64_t seed = 0; seed < 20; seed++) {
        tn_dataset train = {0}, test = {0};
        int there = 0;
        expect_ok(tn_dataset_open(path, seed, &keep, &train, &test));
        for (int64_t i = 0; i < train.count; i++) there |= ((float *)train.x)[2 * i + 1] == 2;
        tn_dataset_free(&train);
        tn_dataset_free(&test);
        if (there) {
            expect_ok(tn_dataset_open(path, seed, NULL, &train, &test));
            assert_near(((float *)test.x)[1], 2, 0);
        } else {
            expect_failure(tn_dataset_open(path, seed, NULL, &train, &test), TN_EFORMAT,
                           "lonely.csv: column 'b' has no value in the 16 samples to learn from");
            refused++;
        }
        tn_dataset_free(&train);
        tn_dataset_free(&test);
    }
    assert_in_range(refused, 1, 19);
    tn_dataset bare = {.count = 1, .sample = TN_SHAPE(2), .x_dtype = TN_F32, .x = (float[]){1, NAN}, .source = "bare"};
    expect_failure(tn_dataset_check_columns(&bare), TN_EFORMAT, "bare: feature 2 has no value in the 1 samples");
}

static void a_share_can_be_taken_out_by_the_seed(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2; seed++) {
        tn_dataset data = {0}, part = {0};
        int seen[100] = {0};
        expect_ok(tn_dataset_csv(hundred_rows(), &classify, &data));
        expect_ok(tn_dataset_split(&data, 0.234, seed, &part));
        assert_int_equal(part.count, 23);
        assert_int_equal(data.count, 77);
        for (int i = 0; i < 77; i++) seen[(int)((float *)data.x)[i]]++;
        for (int i = 0; i < 23; i++) {
            seen[(int)((float *)part.x)[i]]++;
            assert_int_equal(part.label[i], (int)((float *)part.x)[i] % 3);
        }
        for (int i = 0; i < 100; i++) assert_int_equal(seen[i], 1);
        tn_dataset_free(&part);
        tn_dataset_limit(&data, 3);
        expect_ok(tn_dataset_split(&data, 0.001, seed, &part)); /* at least one goes */
        assert_int_equal(part.count, 1);
        tn_dataset_free(&part);
        expect_ok(tn_dataset_split(&data, 0.999, seed, &part)); /* and one stays */
        assert_int_equal(data.count, 1);
        tn_dataset_free(&part);
        expect_failure(tn_dataset_split(&data, 0.5, seed, &part), TN_EINVAL, "out of 1 samples");
        expect_failure(tn_dataset_split(&data, 1, seed, &part), TN_EINVAL, "a share of 1");
        expect_failure(tn_dataset_split(&data, NAN, seed, &part), TN_EINVAL, "a share of nan");
        tn_dataset_free(&data);
    }
}

static void a_failed_split_leaves_the_data_alone(void **state)
{
    tn_dataset data = {0}, part = {0};
    tn_status status = TN_ENOMEM;
    (void)state;
    expect_ok(tn_dataset_csv(hundred_rows(), &classify, &data));
    for (int64_t n = 0; status; n++) {
        tn_alloc_fail_after(n);
        status = tn_dataset_split(&data, 0.5, 1, &part);
        tn_alloc_fail_after(-1);
        if (!status) break;
        assert_int_equal(status, TN_ENOMEM);
        assert_int_equal(data.count, 100);
        assert_null(part.x);
    }
    assert_int_equal(part.count, 50);
    tn_dataset_free(&data);
    tn_dataset_free(&part);
}

static void a_tiny_table_is_used_whole_for_both(void **state)
{
    tn_dataset train = {0}, test = {0};
    (void)state;
    expect_ok(tn_dataset_open(scratch_text("xor.csv", "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n"), 1, NULL, &train, &test));
    assert_int_equal(train.count, 4);
    assert_int_equal(test.count, 4);
    assert_memory_equal(train.target, test.target, 4 * sizeof(float));
    tn_dataset_limit(&train, 3);
    assert_int_equal(train.count, 3);
    tn_dataset_limit(&train, 9);
    assert_int_equal(train.count, 3);
    tn_dataset_limit(&train, -9);
    assert_int_equal(train.count, 0);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
}

static void what_is_missing_becomes_the_mean_of_the_training_part(void **state)
{
    char text[4096];
    size_t used = (size_t)snprintf(text, sizeof text, "a,b,y\n");
    tn_dataset train = {0}, test = {0};
    double sum = 0;
    int known = 0, filled = 0;
    (void)state;
    for (int i = 0; i < 100; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, i % 2 ? "%d,%d,0\n" : "%d,,1\n", i, i * i);
    expect_ok(tn_dataset_open(scratch_text("holes.csv", text), 1, &classify, &train, &test));
    for (int i = 0; i < 80; i++) {
        const float *row = (float *)train.x + 2 * i;
        if ((int)row[0] % 2) sum += row[1], known++;
    }
    for (int i = 0; i < 20; i++) {
        const float *row = (float *)test.x + 2 * i;
        if ((int)row[0] % 2) continue;
        assert_near(row[1], sum / known, 1e-3);
        filled++;
    }
    assert_true(filled > 3 && known > 20 && known < 80);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_becomes_the_mean_of_the_training_part),
        cmocka_unit_test(one_row_in_five_is_for_testing_by_the_seed),
        cmocka_unit_test(each_class_has_its_share_of_both_parts),
        cmocka_unit_test(folds_test_each_row_once_and_have_their_share_of_each_class),
        cmocka_unit_test(folds_that_cannot_be_are_refused),
        cmocka_unit_test(a_column_without_a_value_in_the_training_part_is_refused),
        cmocka_unit_test(a_share_can_be_taken_out_by_the_seed),
        cmocka_unit_test(a_failed_split_leaves_the_data_alone),
        cmocka_unit_test(a_tiny_table_is_used_whole_for_both),
    };
    return cmocka_run_group_tests_name("split", tests, scratch_begin, scratch_end);
}
