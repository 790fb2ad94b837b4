/* csv_stream.c: tables whose rows stay in the file are those that are read into memory, however they are written, and
 * wherever reading in pieces cuts them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "csv.h"
#include "scratch.h"

/* Samples backwards, and all that goes with them. */
static void check_same(const char *path, const tn_csv_options *options)
{
    tn_dataset memory = {0}, stream = {0};
    tn_csv_options keep = *options;
    keep.keep_missing = 1;
    expect_ok(tn_csv_open(path, &keep, 0, &memory));
    expect_ok(tn_csv_open(path, &keep, 1, &stream));
    assert_true(stream.loader && !stream.x && memory.x && !memory.loader);
    assert_int_equal(stream.count, memory.count);
    assert_int_equal(stream.classes, memory.classes);
    assert_int_equal(stream.targets, memory.targets);
    assert_int_equal(stream.no_header, memory.no_header);
    if (memory.class_names) assert_string_equal(stream.class_names, memory.class_names);
    if (memory.column_names) assert_string_equal(stream.column_names, memory.column_names);
    if (memory.why) assert_string_equal(stream.why, memory.why);
    const size_t features = (size_t)tn_shape_count(&memory.sample);
    float *x = malloc(features * sizeof *x);
    for (int64_t i = memory.count; i-- > 0;) {
        expect_ok(tn_dataset_sample(&stream, i, x, NULL));
        if (memcmp(x, (float *)memory.x + (size_t)i * features, features * sizeof *x))
            fail_msg("%s: row %d differs: %g for %g", path, (int)i, x[0], ((float *)memory.x)[(size_t)i * features]);
        if (memory.label) assert_int_equal(stream.label[i], memory.label[i]);
        if (memory.target) assert_true(stream.target[i] == memory.target[i]);
    }
    free(x);
    tn_dataset_free(&stream);
    tn_dataset_free(&memory);
}

static void rows_are_the_same_however_they_are_written(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a,b,c\n1,2,x\n3,4,y\n",
        "\n\n a , \"b\" ,c\r\n1,2,x\r\n\r\n3,,y",
        "\xEF\xBB\xBF"
        "1,2,3\n4,5,6\n7,8,9\n",
        "a,b\r1,2\r\r3,4\r",
        "\"a\nb\",\"c,\"\"d\"\"\"\n\"1\",2\n3,\"4\"",
        "\"text\n\"\"of two lines\",1,2\nx,3,4\n\"text\n\"\"of two lines\",5,6\nx,7,8\nx,9,10\n",
        "a;b;c\n1,5;\"2\";x\n3;;y\n",
        "  a b   c\n1 \"2 \"   x \r\n  3  4 y",
        "a\tb\tc\n1\t\"2\t\"\tx\n3\t\ty\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const tn_csv_options all[] = {{.classify = TN_CLASSIFY_AUTO}, {.classify = TN_CLASSIFY_NO}};
        for (size_t k = 0; k < 2; k++) {
            if (strchr(texts[i], 'x') && k) continue;
            tn_csv_options options = all[k];
            if (i == 5) options.target = "1", options.header = TN_HEADER_NO;
            check_same(scratch_text("t.csv", texts[i]), &options);
        }
    }
}

/* Rows of all lengths and line breaks, so that what is read at once ends everywhere in them. */
static void pieces_of_a_large_table_fit_together(void **state)
{
    (void)state;
    static const char *const breaks[] = {"\n", "\r\n", "\r", "\n\n", "\r\n\r\n"};
    size_t room = 3 << 20, used = 0;
    char *text = malloc(room);
    for (int i = 0; used + 2000 < room; i++) {
        used += (size_t)sprintf(text + used, "%d,\"%d\",%d.%0*d,%s%s%s", i, i * 7, i % 10, 1 + i % 400, i,
                                i % 5 ? "" : "\"", i % 3 ? "yes" : "no", i % 5 ? "" : "\"");
        used += (size_t)sprintf(text + used, "%s", breaks[i % 5]);
    }
    check_same(scratch_write("large.csv", text, used), &(tn_csv_options){.classify = TN_CLASSIFY_YES});
    free(text);
}

static void a_row_may_be_longer_than_what_is_read_at_once(void **state)
{
    (void)state;
    size_t used = 0;
    char *text = malloc(4 << 20);
    for (int row = 0; row < 3; row++) {
        for (int c = 0; c < 2000; c++) used += (size_t)sprintf(text + used, "%0200d,", (row * 31 + c) % 100);
        used += (size_t)sprintf(text + used, "\"%d\"\n", row);
    }
    check_same(scratch_write("wide.csv", text, used), &(tn_csv_options){.header = TN_HEADER_NO});
    free(text);
}

static void a_table_that_changes_is_an_error(void **state)
{
    (void)state;
    char *text = malloc(200000);
    size_t used = 0;
    float x[2];
    tn_dataset data = {0};
    for (int i = 0; i < 10000; i++) used += (size_t)sprintf(text + used, "%d,%d,1\n", i, i % 7);
    const char *path = scratch_write("t.csv", text, used);
    expect_ok(tn_csv_open(path, &(tn_csv_options){.keep_missing = 1}, 1, &data));
    assert_int_equal(truncate(path, 5000), 0);
    expect_ok(tn_dataset_sample(&data, 3, x, NULL));
    expect_failure(tn_dataset_sample(&data, 9000, x, NULL), TN_EIO, "t.csv: became shorter while it was read");
    memset(text, '\n', used);
    scratch_write("t.csv", text, used);
    expect_failure(tn_dataset_sample(&data, 3, x, NULL), TN_EIO, "t.csv: row 3 is not where it was");
    memset(text, 'a', used);
    scratch_write("t.csv", text, used);
    expect_failure(tn_dataset_sample(&data, 0, x, NULL), TN_EFORMAT, "t.csv:1: column 'column 1': expected a number");
    tn_dataset_free(&data);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_same_however_they_are_written),
        cmocka_unit_test(pieces_of_a_large_table_fit_together),
        cmocka_unit_test(a_row_may_be_longer_than_what_is_read_at_once),
        cmocka_unit_test(a_table_that_changes_is_an_error),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
