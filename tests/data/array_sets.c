/* array_sets.c: data sets that are made of arrays in NumPy's files and safetensors. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "golden_arrays.inc"
#include "near.h"
#include "scratch.h"
#include "tenon/data.h"

#define COUNT(array)         (sizeof(array) / sizeof *(array))
#define FILE_OF(name, bytes) scratch_write(name, bytes, sizeof(bytes))

static const char samples_header[] = "{\"x\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]},"
                                     "\"y\":{\"dtype\":\"I32\",\"shape\":[3],\"data_offsets\":[24,36]}}";
static const struct {
    float x[6];
    int32_t y[3];
} samples = {{1, 2, 3, 4, 5, 6}, {2, 0, 1}};

static void tensors_make_a_data_set(void **state)
{
    const tn_csv_options classify = {.classify = 1};
    tn_dataset train = {0}, test = {0};
    (void)state;
    expect_ok(tn_dataset_open(scratch_tensors(samples_header, &samples, sizeof samples), 1, &classify, &train, &test));
    assert_int_equal(train.count, 3); /* so few serve as both */
    assert_int_equal(train.classes, 3);
    assert_memory_equal(train.x, samples.x, sizeof samples.x);
    assert_memory_equal(train.label, samples.y, sizeof samples.y);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
}

static void pictures_and_labels_make_a_data_set(void **state)
{
    tn_dataset train = {0}, test = {0};
    tn_csv_options classify = {.classify = 1};
    tn_shape sample = TN_SHAPE(1, 5, 4);
    (void)state;
    expect_ok(tn_dataset_open(FILE_OF("p.npz", npz_pictures), 1, &classify, &train, &test));
    assert_int_equal(train.count, 10);
    assert_int_equal(test.count, 2);
    assert_int_equal(train.classes, 3);
    assert_int_equal(train.x_dtype, TN_U8);
    assert_true(tn_shape_equal(&train.sample, &sample));
    for (int64_t i = 0; i < train.count; i++) {
        int64_t row = 0; /* the first pixel tells which one it is */
        while (((uint8_t *)train.x)[i * 20] != row * 20 * 7 % 23) row++;
        assert_int_equal(train.label[i], row % 3);
    }
    tn_dataset_free(&train);
    tn_dataset_free(&test);
}

static void training_and_test_parts_are_taken_as_they_are(void **state)
{
    tn_dataset train = {0}, test = {0};
    (void)state;
    expect_ok(tn_dataset_open(FILE_OF("q.npz", npz_parts), 1, NULL, &train, &test));
    assert_int_equal(train.count, 6);
    assert_int_equal(test.count, 2);
    assert_int_equal(train.targets, 2);
    assert_null(train.label);
    assert_int_equal(train.sample.dim[0], 3);
    for (int64_t i = 0; i < 18; i++) assert_near(((float *)train.x)[i], (double)(i * 7 % 23 - 5), 0);
    for (int64_t i = 0; i < 4; i++) assert_near(test.target[i], (double)(i * 7 % 23 - 5), 0);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
}

static void channels_may_come_last(void **state)
{
    tn_dataset data = {0};
    tn_shape sample = TN_SHAPE(3, 4, 5);
    (void)state;
    expect_ok(tn_dataset_arrays(FILE_OF("c.npz", npz_colour), "x", "y", 0, &data));
    assert_true(tn_shape_equal(&data.sample, &sample));
    assert_int_equal(data.targets, 1);
    for (int n = 0; n < 2; n++)
        for (int c = 0; c < 3; c++)
            for (int p = 0; p < 20; p++)
                assert_int_equal(((uint8_t *)data.x)[(n * 3 + c) * 20 + p], ((n * 20 + p) * 3 + c) * 7 % 23);
    tn_dataset_free(&data);
}

static void the_number_of_channels_is_the_one_that_pictures_have(void **state)
{
    static const unsigned char bytes[2 * 9 * 8 * 5];
    static const struct {
        int32_t dtype;
        tn_shape shape, sample;
    } each[] = {
        {TN_U8, {4, {2, 8, 9, 2}}, {3, {2, 8, 9}}}, {TN_U8, {4, {2, 9, 8, 4}}, {3, {4, 9, 8}}},
        {TN_U8, {4, {2, 4, 5, 2}}, {3, {4, 5, 2}}}, {TN_U8, {4, {2, 9, 8, 5}}, {3, {9, 8, 5}}},
        {TN_U8, {4, {2, 4, 5, 3}}, {3, {3, 4, 5}}}, {TN_F32, {4, {1, 8, 9, 2}}, {3, {8, 9, 2}}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(each); i++) {
        tn_dataset data = {0};
        expect_ok(tn_array_write(scratch_path("w.npy"), each[i].dtype, each[i].shape, bytes));
        expect_ok(tn_dataset_arrays(scratch_path("w.npy"), NULL, NULL, 0, &data));
        if (!tn_shape_equal(&data.sample, &each[i].sample)) fail_msg("row %zu: another shape", i);
        tn_dataset_free(&data);
    }
}

static void data_sets_that_make_no_sense_are_refused(void **state)
{
    static const tn_csv_options classify = {.classify = 1};
    tn_dataset a = {0}, b = {0};
    (void)state;
    expect_failure(tn_dataset_open(FILE_OF("a.npy", npy_f4), 1, &classify, &a, &b), TN_EFORMAT,
                   "takes an .npz or .safetensors file with x and y");
    expect_failure(tn_dataset_open(FILE_OF("o.npz", npz_alone), 1, &classify, &a, &b), TN_EMISSING, "no array 'x'");
    expect_failure(tn_dataset_arrays(FILE_OF("q.npz", npz_parts), "x_train", "y_test", 0, &a), TN_EFORMAT,
                   "'y_test' is not for 6 samples");
    expect_failure(tn_dataset_arrays(FILE_OF("c.npz", npz_colour), "x", "y", 1, &a), TN_EFORMAT, "the class -5");
    expect_failure(tn_dataset_arrays(FILE_OF("s.npy", npy_scalar), NULL, NULL, 0, &a), TN_EFORMAT,
                   "found an array of ()");
    expect_failure(tn_dataset_arrays(FILE_OF("e.npy", npy_empty), NULL, NULL, 0, &a), TN_EFORMAT, "(0, 4)");
    assert_null(a.x);
}

static void what_is_to_be_learnt_must_be_finite(void **state)
{
    static const char *const headers[] = {"{\"x\":{\"dtype\":\"F32\",\"shape\":[4,1],\"data_offsets\":[0,16]},"
                                          "\"y\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,32]}}",
                                          "{\"x\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
                                          "\"y\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[16,32]}}"};
    static const char *const say[] = {"'y': sample 2 has ", "'y': sample 1 has "};
    static const float bad[] = {INFINITY, -INFINITY, NAN};
    (void)state;
    for (size_t b = 0; b < COUNT(bad); b++)
        for (size_t h = 0; h < COUNT(headers); h++)
            for (int classify = TN_CLASSIFY_NO; classify <= TN_CLASSIFY_AUTO; classify++) {
                const float content[] = {1, 2, 3, 4, 0, 1, bad[b], 1};
                tn_dataset data = {0};
                expect_failure(
                    tn_dataset_arrays(scratch_tensors(headers[h], content, sizeof content), "x", "y", classify, &data),
                    TN_EFORMAT, say[h]);
                assert_null(data.x);
            }
}

/* What a loader or an array in memory has of (3, 2) bytes. */
static void check_tokens(tn_dataset *data, float largest)
{
    float sample[2] = {0};
    expect_ok(tn_dataset_sample(data, 2, sample, NULL));
    assert_true(sample[0] == 4 && sample[1] == largest);
    assert_int_equal(data->x_dtype, TN_F32);
    tn_dataset_free(data);
}

static void bytes_may_be_tokens(void **state)
{
    static const char bytes[] = "{\"x\":{\"dtype\":\"U8\",\"shape\":[3,2],\"data_offsets\":[0,6]}}";
    const char *path = scratch_tensors(bytes, "\0\1\2\3\4\377", 6);
    tn_dataset data = {0};
    (void)state;
    for (uint32_t stream = TN_STREAM_NO; stream <= TN_STREAM_YES; stream++) {
        expect_ok(tn_dataset_samples(path, stream, &data));
        expect_ok(tn_dataset_tokens(&data, 256));
        check_tokens(&data, 255);
    }
    expect_ok(tn_dataset_samples(path, TN_STREAM_NO, &data));
    expect_failure(tn_dataset_tokens(&data, 255), TN_EFORMAT,
                   "sample 2 has 255; tokens are whole numbers from 0 to 254");
    expect_failure(tn_dataset_tokens(&data, 0), TN_EINVAL, "tokens");
    tn_dataset_free(&data);
    expect_ok(tn_dataset_samples(path, TN_STREAM_YES, &data));
    expect_ok(tn_dataset_tokens(&data, 255));
    float sample[2];
    expect_ok(tn_dataset_sample(&data, 1, sample, NULL));
    expect_failure(tn_dataset_sample(&data, 2, sample, NULL), TN_EFORMAT, "sample 2: has 255; tokens are");
    tn_dataset_free(&data);
}

static void numbers_that_are_no_tokens_are_named(void **state)
{
    static const struct {
        float number;
        const char *text;
    } wrong[] = {{0.5f, "has 0.5"}, {-1, "has -1"}, {7, "has 7"}, {NAN, "nan"}, {INFINITY, "has inf"}};
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        tn_dataset data = {0};
        expect_ok(tn_dataset_samples(scratch_tensors(samples_header, &samples, sizeof samples), TN_STREAM_NO, &data));
        expect_ok(tn_dataset_tokens(&data, 7));
        ((float *)data.x)[3] = wrong[i].number;
        expect_failure(tn_dataset_tokens(&data, 7), TN_EFORMAT, wrong[i].text);
        tn_dataset_free(&data);
    }
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    const char *files[] = {FILE_OF("1.npz", npz_pictures), FILE_OF("2.npz", npz_parts), FILE_OF("3.npz", npz_colour),
                           scratch_tensors(samples_header, &samples, sizeof samples)};
    (void)state;
    for (size_t f = 0; f < COUNT(files); f++) {
        tn_status status = TN_ENOMEM;
        for (int64_t n = 0; status; n++) {
            tn_dataset train = {0}, test = {0};
            tn_alloc_fail_after(n);
            status = tn_dataset_open(files[f], 1, NULL, &train, &test);
            tn_alloc_fail_after(-1);
            if (status) assert_int_equal(status, TN_ENOMEM);
            tn_dataset_free(&train);
            tn_dataset_free(&test);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_make_a_data_set),
        cmocka_unit_test(pictures_and_labels_make_a_data_set),
        cmocka_unit_test(training_and_test_parts_are_taken_as_they_are),
        cmocka_unit_test(channels_may_come_last),
        cmocka_unit_test(the_number_of_channels_is_the_one_that_pictures_have),
        cmocka_unit_test(data_sets_that_make_no_sense_are_refused),
        cmocka_unit_test(what_is_to_be_learnt_must_be_finite),
        cmocka_unit_test(bytes_may_be_tokens),
        cmocka_unit_test(numbers_that_are_no_tokens_are_named),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
