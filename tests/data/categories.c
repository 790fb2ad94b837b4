/* categories.c: columns of texts to predict from, as a data set says them and as they are read back. */
#include <string.h>

#include "alloc.h"
#include "near.h"
#include "scratch.h"
#include "tenon/data.h"

static void what_a_table_says_is_read_back(void **state)
{
    const tn_csv_options options = {.index = "size"};
    tn_dataset data = {0};
    tn_category c;
    (void)state;
    const char *path = scratch_text("kinds.csv", "town,age,size,y\nUlm,1,L,1\nEms,2,S,2\nUlm,3,L,3\n\"a\\\nb\",4,S,4\n"
                                                 "Ems,5,M,5\n\"a\\\nb\",6,M,6\n");
    expect_ok(tn_dataset_csv(path, &options, &data));
    assert_int_equal(data.sample.dim[0], 5); /* three towns, an age and a size */
    const char *at = tn_next_category(data.categories, &c);
    assert_non_null(at);
    assert_int_equal(c.column, 0);
    assert_int_equal(c.count, 3);
    assert_int_equal(c.one_hot, 1);
    assert_memory_equal(c.texts, "Ems\nUlm\na\\\\\\nb\n", 15);
    at = tn_next_category(at, &c);
    assert_non_null(at);
    assert_int_equal(c.column, 2);
    assert_int_equal(c.one_hot, 0);
    assert_string_equal(c.texts, "L\nM\nS\n");
    assert_null(tn_next_category(at, &c));
    assert_string_equal(at, "");
    tn_dataset_free(&data);
}

static void what_makes_no_sense_is_none(void **state)
{
    static const char *const wrong[] = {"",
                                        "one",
                                        "0 index 1\na\n",
                                        "1 index -1\n",
                                        "1 index 65537\n",
                                        "1 indexes 1\na\n",
                                        "1 none 1\na\n",
                                        "1 one-hot 2\na\n"};
    tn_category c = {.column = 7};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_null(tn_next_category(wrong[i], &c));
    assert_int_equal(c.column, 7);
    assert_non_null(tn_next_category("1 index 0", &c));
}

static void another_table_s_are_taken_or_refused(void **state)
{
    tn_csv_options options = {.categories = "1 one-hot 2\nEms\nUlm\n", .features = 2, .keep_missing = 1, .header = TN_HEADER_NO};
    tn_dataset data = {0};
    (void)state;
    const char *path = scratch_text("new.csv", "Ulm\nEms\n");
    expect_ok(tn_dataset_csv(path, &options, &data));
    const float want[] = {0, 1, 1, 0};
    for (int i = 0; i < 4; i++) assert_near(((float *)data.x)[i], want[i], 0);
    tn_dataset_free(&data);
    options = (tn_csv_options){.categories = "3 index 1\nUlm\n", .features = 1, .keep_missing = 1, .header = TN_HEADER_NO};
    assert_int_equal(tn_dataset_csv(path, &options, &data), TN_EFORMAT);
    options.categories = "1 index 2\nUlm\n";
    assert_int_equal(tn_dataset_csv(path, &options, &data), TN_EFORMAT);
    assert_non_null(strstr(tn_message(), "makes no sense"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_table_says_is_read_back),
        cmocka_unit_test(what_makes_no_sense_is_none),
        cmocka_unit_test(another_table_s_are_taken_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
