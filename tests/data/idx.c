/* idx.c: IDX files, good and bad, and MNIST itself where it is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "scratch.h"
#include "tenon/data.h"

/* Two pictures of 2 x 3, and their labels. */
static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,   0,   0,
                                 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 250, 251, 255};
static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 3, 7};

static void expect_pictures(const char *image_path, const char *label_path)
{
    tn_dataset data = {0};
    expect_ok(tn_dataset_idx(image_path, label_path, &data));
    assert_int_equal(data.count, 2);
    assert_int_equal(data.x_dtype, TN_U8);
    assert_int_equal(data.classes, 8);
    assert_null(data.target);
    tn_shape expected = TN_SHAPE(1, 2, 3);
    assert_true(tn_shape_equal(&data.sample, &expected));
    assert_memory_equal(data.x, images + 16, 12);
    assert_int_equal(data.label[0], 3);
    assert_int_equal(data.label[1], 7);
    assert_string_equal(data.source, image_path);
    tn_dataset_free(&data);
    assert_null(data.x);
    tn_dataset_free(&data);
}

static void plain_and_gzip_files_are_read_alike(void **state)
{
    (void)state;
    expect_pictures(scratch_write("i", images, sizeof images), scratch_write("l", labels, sizeof labels));
    expect_pictures(scratch_gzip("i.gz", images, sizeof images), scratch_gzip("l.gz", labels, sizeof labels));
}

static void pictures_may_come_without_labels(void **state)
{
    tn_dataset data = {0};
    (void)state;
    expect_ok(tn_dataset_idx(scratch_write("i", images, sizeof images), NULL, &data));
    assert_int_equal(data.count, 2);
    assert_null(data.label);
    assert_int_equal(data.classes, 0);
    tn_dataset_free(&data);
}

/* Fails as a picture file, with nothing written. */
static void expect_bad(const char *path, tn_status status, const char *part)
{
    tn_dataset data = {.count = 77};
    expect_failure(tn_dataset_idx(path, scratch_write("l", labels, sizeof labels), &data), status, part);
    expect_failure(tn_dataset_idx(path, scratch_write("l", labels, sizeof labels), &data), status, strrchr(path, '/'));
    assert_int_equal(data.count, 77);
    assert_null(data.x);
}

static void a_changed_byte_is_named(void **state)
{
    static const struct {
        uint8_t place, value;
        const char *part;
    } cases[] = {
        {0, 1, "expected a magic number 00 00 08 .., found 01 00 08 03"},
        {2, 13, "expected bytes (IDX type 08), found type 0d"},
        {3, 0, "expected 1 to 8 dimensions, found 0"},
        {3, 200, "expected 1 to 8 dimensions, found 200"},
        {3, 5, "is cut short"},
        {3, 2, "4 bytes too many after the 12"}, /* absurdly small, as rank 2 */
        {7, 3, "dimensions (3, 2, 3) need 18 bytes, found 12"},
        {7, 1, "6 bytes too many after the 6 of dimensions (1, 2, 3)"},
        {7, 0, "12 bytes too many"},
        {4, 255, "is cut short: dimensions (4278190082, 2, 3)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bad[sizeof images];
        memcpy(bad, images, sizeof bad);
        bad[cases[i].place] = cases[i].value;
        if (cases[i].place == 3 && cases[i].value == 2) bad[7] = 6, bad[11] = 2; /* (6, 2) of 16 bytes */
        expect_bad(scratch_write("bad", bad, sizeof bad), TN_EFORMAT, cases[i].part);
    }
}

static void dimensions_that_overflow_are_refused(void **state)
{
    uint8_t bad[36] = {0, 0, 8, 8};
    (void)state;
    memset(bad + 4, 255, 32);
    expect_bad(scratch_write("bad", bad, sizeof bad), TN_EFORMAT, "absurd dimensions");
    expect_bad(scratch_gzip("bad.gz", bad, sizeof bad), TN_EFORMAT, "absurd dimensions");
    uint8_t large[16] = {0, 0, 8, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 9};
    expect_bad(scratch_gzip("bad.gz", large, sizeof large), TN_EFORMAT, "for a gzip file of");
}

static void every_cut_of_a_file_is_refused(void **state)
{
    size_t size = 0;
    (void)state;
    for (size_t n = 0; n < sizeof images; n++)
        expect_bad(scratch_write("cut", images, n), TN_EFORMAT, n ? "" : "is empty");
    char *packed = scratch_read(scratch_gzip("whole.gz", images, sizeof images), &size);
    for (size_t n = 0; n < size; n++) expect_bad(scratch_write("cut.gz", packed, n), TN_EFORMAT, "");
    expect_bad(scratch_write("cut.gz", packed, size - 4), TN_EFORMAT, "the gzip data is cut short");
    packed[size - 6] ^= 1; /* its checksum */
    expect_bad(scratch_write("bad.gz", packed, size), TN_EFORMAT, "the gzip data is damaged");
    free(packed);
}

static void bytes_after_the_data_are_refused(void **state)
{
    uint8_t longer[sizeof images + 1] = {0};
    (void)state;
    memcpy(longer, images, sizeof images);
    expect_bad(scratch_write("long", longer, sizeof longer), TN_EFORMAT, "1 bytes too many");
    expect_bad(scratch_gzip("long.gz", longer, sizeof longer), TN_EFORMAT, "has bytes too many");
}

static void missing_files_folders_and_devices_are_named(void **state)
{
    tn_dataset data = {0};
    const char *good = scratch_write("i", images, sizeof images);
    (void)state;
    expect_bad(scratch_path("nowhere"), TN_EMISSING, "No such file");
    expect_failure(tn_dataset_idx("/tmp", good, &data), TN_EIO, "/tmp: is a folder");
    expect_failure(tn_dataset_idx("/dev/zero", good, &data), TN_EIO, "/dev/zero: is not a regular file");
    expect_failure(tn_dataset_idx(good, scratch_path("nowhere"), &data), TN_EMISSING, "nowhere");
    expect_failure(tn_dataset_idx(NULL, good, &data), TN_EINVAL, "images is NULL");
}

static void labels_must_fit_the_pictures(void **state)
{
    static const uint8_t three[] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3},
                         none[] = {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3};
    tn_dataset data = {0};
    const char *good = scratch_write("i", images, sizeof images);
    (void)state;
    expect_failure(tn_dataset_idx(good, scratch_write("l", three, sizeof three), &data), TN_EFORMAT,
                   "has 3 labels for the 2 pictures");
    expect_failure(tn_dataset_idx(good, good, &data), TN_EFORMAT, "expected labels (count), found (2, 2, 3)");
    expect_bad(scratch_write("l3", three, sizeof three), TN_EFORMAT,
               "expected pictures (count, height, width), found (3)");
    expect_bad(scratch_write("none", none, sizeof none), TN_EFORMAT, "found (0, 2, 3)");
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    const char *i = scratch_write("i", images, sizeof images), *l = scratch_write("l", labels, sizeof labels);
    tn_status status = TN_ENOMEM;
    int64_t n = 0;
    (void)state;
    for (; status; n++) {
        tn_dataset data = {.count = 77};
        tn_alloc_fail_after(n);
        status = tn_dataset_idx(i, l, &data);
        tn_alloc_fail_after(-1);
        if (status) expect_failure(status, TN_ENOMEM, "out of memory");
        if (status) assert_int_equal(data.count, 77);
        if (!status) tn_dataset_free(&data);
    }
    assert_true(n > 3);
}

/* ---- folders ---- */

static void make_folder(const char *const name[4])
{
    for (int i = 0; i < 4; i++)
        if (name[i][strlen(name[i]) - 1] == 'z')
            scratch_gzip(name[i], i % 2 ? labels : images, i % 2 ? sizeof labels : sizeof images);
        else
            scratch_write(name[i], i % 2 ? labels : images, i % 2 ? sizeof labels : sizeof images);
}

static void a_folder_of_four_files_is_found_by_its_usual_names(void **state)
{
    static const char *const names[3][4] = {
        {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
        {"train-images.idx3-ubyte", "train-labels-idx1-ubyte.gz", "t10k-images.idx3-ubyte.gz",
         "t10k-labels-idx1-ubyte"},
        {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
         "t10k-labels.idx1-ubyte.gz"}};
    (void)state;
    for (int v = 0; v < 3; v++) {
        tn_dataset train = {0}, test = {0};
        make_folder(names[v]);
        expect_ok(tn_dataset_open(scratch_path(""), 1, NULL, &train, &test));
        assert_int_equal(train.count, 2);
        assert_int_equal(test.classes, 8);
        tn_dataset_free(&train);
        tn_dataset_free(&test);
        unlink(scratch_path(names[v][3]));
        expect_failure(tn_dataset_open(scratch_path(""), 1, NULL, &train, &test), TN_EMISSING,
                       "has no file t10k-labels-idx1-ubyte");
        assert_null(train.x);
        for (int i = 0; i < 3; i++) unlink(scratch_path(names[v][i]));
    }
}

static void what_is_no_data_set_is_named(void **state)
{
    tn_dataset train = {0}, test = {0};
    (void)state;
    expect_failure(tn_dataset_open("digitz", 1, NULL, &train, &test), TN_EMISSING, "data set 'digitz' is not there");
    expect_failure(tn_dataset_open("digits:no", 1, NULL, &train, &test), TN_EINVAL, "data set 'digits:no'");
    expect_failure(tn_dataset_open("digits:0", 1, NULL, &train, &test), TN_EINVAL, "data set 'digits:0'");
    expect_failure(tn_dataset_open(scratch_write("pictures", images, sizeof images), 1, NULL, &train, &test),
                   TN_EFORMAT, "is no text file");
}

static void mnist_is_read(void **state)
{
    tn_dataset train = {0}, test = {0};
    struct stat info;
    int64_t ink = 0, of_class[10] = {0};
    const char *folder = getenv("TENON_MNIST") ? getenv("TENON_MNIST") : TENON_SOURCE "/../shared/data/mnist";
    (void)state;
    if (stat(folder, &info)) {
        if (getenv("TENON_REQUIRE_MNIST")) fail_msg("MNIST is not at %s, and TENON_REQUIRE_MNIST is set", folder);
        print_message("MNIST is not at %s (set TENON_MNIST): skipped\n", folder);
        skip();
    }
    expect_ok(tn_dataset_open(folder, 1, NULL, &train, &test));
    assert_int_equal(train.count, 60000);
    assert_int_equal(test.count, 10000);
    assert_int_equal(train.classes, 10);
    tn_shape expected = TN_SHAPE(1, 28, 28);
    assert_true(tn_shape_equal(&train.sample, &expected));
    for (int64_t i = 0; i < train.count * 784; i++) ink += ((uint8_t *)train.x)[i];
    for (int64_t i = 0; i < train.count; i++) of_class[train.label[i]]++;
    assert_int_equal(train.label[0], 5); /* the well-known first digit */
    assert_int_equal(of_class[0], 5923);
    assert_int_equal(of_class[9], 5949);
    assert_in_range(ink * 10000 / (train.count * 784), 333184, 333185); /* mean level 33.318... = 0.13066 of 255 */
    tn_dataset_free(&train);
    tn_dataset_free(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_gzip_files_are_read_alike),
        cmocka_unit_test(pictures_may_come_without_labels),
        cmocka_unit_test(a_changed_byte_is_named),
        cmocka_unit_test(dimensions_that_overflow_are_refused),
        cmocka_unit_test(every_cut_of_a_file_is_refused),
        cmocka_unit_test(bytes_after_the_data_are_refused),
        cmocka_unit_test(missing_files_folders_and_devices_are_named),
        cmocka_unit_test(labels_must_fit_the_pictures),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
        cmocka_unit_test(a_folder_of_four_files_is_found_by_its_usual_names),
        cmocka_unit_test(what_is_no_data_set_is_named),
        cmocka_unit_test(mnist_is_read),
    };
    return cmocka_run_group_tests_name("idx", tests, scratch_begin, scratch_end);
}
