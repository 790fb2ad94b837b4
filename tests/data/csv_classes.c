/* csv_classes.c: tables whose target is classes, by texts or whole numbers, and how these are called. */
#include <string.h>

#include "tables.h"

static void texts_become_classes_in_alphabetical_order(void **state)
{
    static const float x[] = {1, 2, 3, 4};
    static const int32_t label[] = {2, 0, 1, 2};
    tn_dataset data = {0};
    (void)state;
    expect_table("a,y\n1,virginica\n2,\"blue\nor, \"\"green\"\"\"\n3,setosa\n4,virginica\n", &classify, 4, 1, x, &data);
    assert_int_equal(data.classes, 3);
    assert_string_equal(data.class_names, "blue\\nor, \"green\"\nsetosa\nvirginica\n");
    assert_null(data.target);
    assert_memory_equal(data.label, label, sizeof label);
    tn_dataset_free(&data);
}

static void classes_that_differ_only_by_a_line_break_or_a_backslash_have_names_that_differ(void **state)
{
    tn_dataset data = {0};
    (void)state;
    expect_ok(tn_dataset_csv(scratch_text("t", "a,y\n1,a b\n2,\"a\nb\"\n3,\"a\rb\"\n4,\"a\r\nb\"\n5,a\\nb\n6,a\\b\n"),
                             &classify, &data));
    assert_int_equal(data.classes, 6);
    assert_string_equal(data.class_names, "a\\nb\na\\r\\nb\na\\rb\na b\na\\\\b\na\\\\nb\n");
    tn_dataset_free(&data);
}

static void what_becomes_a_name_must_be_utf8(void **state)
{
    static const struct {
        const char *text, *say;
    } bad[] = {{"a,y\n1,gr\xF6n\n2,grau\n", ":2: column 2: 'gr?n' is not UTF-8: if the table is Latin-1, 'iconv -f"},
               {"y,a\n\ngrau,1\n\xFF,2\n", ":4: column 1: '?' is not UTF-8"},
               {"\n\nb,gr\xF6n,y\n1,2,a\n", ":3: column 2: 'gr?n' is not UTF-8"}};
    tn_dataset data = {0};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tn_csv_options options = {.target = "y", .classify = TN_CLASSIFY_AUTO};
        expect_failure(tn_dataset_csv(scratch_text("t", bad[i].text), &options, &data), TN_EFORMAT, bad[i].say);
        options.classify = TN_CLASSIFY_YES;
        expect_failure(tn_dataset_csv(scratch_text("t", bad[i].text), &options, &data), TN_EFORMAT, bad[i].say);
    }
    expect_ok(tn_dataset_csv(scratch_text("t", "gr\xC3\xB6\xC3\x9F"
                                               "e,y,n\n1,gr\xC3\xBCn,\xFF\n"),
                             &(tn_csv_options){.target = "y",
                                               .classify = 1,
                                               .columns = "gr\xC3\xB6\xC3\x9F"
                                                          "e\n"},
                             &data)); /* what is not read may be anything */
    assert_string_equal(data.class_names, "gr\xC3\xBCn\n");
    tn_dataset_free(&data);
}

static void the_names_of_classes_are_kept_through_the_split(void **state)
{
    char text[400] = "a,kind\n";
    tn_dataset train = {0}, test = {0};
    (void)state;
    for (int i = 0; i < 20; i++) strcat(text, i % 2 ? "1,pear\n" : "2,\"an\napple\"\n");
    expect_ok(tn_dataset_open(scratch_text("kinds.csv", text), 1, &classify, &train, &test));
    assert_string_equal(train.class_names, "an\\napple\npear\n");
    assert_string_equal(test.class_names, "an\\napple\npear\n");
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    assert_null(train.class_names);
    expect_ok(tn_dataset_csv(scratch_text("numbers.csv", "a,kind\n1,0\n2,1\n"), &classify, &train));
    assert_null(train.class_names);
    tn_dataset_free(&train);
}

static void whole_numbers_are_classes_as_they_are(void **state)
{
    static const float x[] = {1, 2, 3};
    static const int32_t as_is[] = {4, 0, 2}, as_text[] = {0, 1, 1};
    tn_dataset data = {0};
    (void)state;
    expect_table("a,y\n1,4\n2,0\n3,2\n", &classify, 3, 1, x, &data);
    assert_int_equal(data.classes, 5);
    assert_null(data.class_names);
    assert_memory_equal(data.label, as_is, sizeof as_is);
    tn_dataset_free(&data);
    expect_table("a,y\n1,-1\n2,1\n3,1\n", &classify, 3, 1, x, &data);
    assert_int_equal(data.classes, 2);
    assert_memory_equal(data.label, as_text, sizeof as_text);
    tn_dataset_free(&data);
}

static void equal_numbers_are_one_class_however_they_are_written(void **state)
{
    static const float x[] = {1, 2, 3, 4};
    static const int32_t as_is[] = {0, 1, 0, 1}, as_text[] = {0, 1, 0, 1}, apart[] = {0, 1, 2, 2};
    tn_dataset data = {0};
    (void)state;
    expect_table("a,y\n1,0\n2,1\n3,0.0\n4,1.0\n", &classify, 4, 1, x, &data);
    assert_int_equal(data.classes, 2);
    assert_null(data.class_names);
    assert_memory_equal(data.label, as_is, sizeof as_is);
    tn_dataset_free(&data);
    expect_table("a,y\n1,-0\n2,+01\n3,00\n4,1e0\n", &classify, 4, 1, x, &data);
    assert_int_equal(data.classes, 2);
    assert_memory_equal(data.label, as_is, sizeof as_is);
    tn_dataset_free(&data);
    expect_table("a,y\n1,-1\n2,1e6\n3,-1.0\n4,1000000\n", &classify, 4, 1, x, &data);
    assert_string_equal(data.class_names, "-1\n1000000\n");
    assert_memory_equal(data.label, as_text, sizeof as_text);
    tn_dataset_free(&data);
    expect_table("a,y\n1,1\n2,1.0\n3,one\n4,one\n", &classify, 4, 1, x, &data); /* text stays text */
    assert_string_equal(data.class_names, "1\n1.0\none\n");
    assert_memory_equal(data.label, apart, sizeof apart);
    tn_dataset_free(&data);
    expect_table("a,y\n1,90071992547409931\n2,90071992547409932\n3,90071992547409933\n4,90071992547409933\n", &classify,
                 4, 1, x, &data); /* which double precision does not tell apart */
    assert_int_equal(data.classes, 3);
    assert_memory_equal(data.label, apart, sizeof apart);
    tn_dataset_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_classes_in_alphabetical_order),
        cmocka_unit_test(classes_that_differ_only_by_a_line_break_or_a_backslash_have_names_that_differ),
        cmocka_unit_test(what_becomes_a_name_must_be_utf8),
        cmocka_unit_test(the_names_of_classes_are_kept_through_the_split),
        cmocka_unit_test(whole_numbers_are_classes_as_they_are),
        cmocka_unit_test(equal_numbers_are_one_class_however_they_are_written),
    };
    return cmocka_run_group_tests_name("csv_classes", tests, scratch_begin, scratch_end);
}
