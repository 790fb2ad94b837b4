/* header.c: tables with a header and without: how one is seen, and columns by name and by order. */
#include <stdlib.h>
#include <string.h>

#include "near.h"
#include "scratch.h"
#include "tenon/data.h"

static void a_first_line_of_data_is_told_from_a_header(void **state)
{
    static const struct {
        const char *text;
        uint32_t header;
        int64_t rows;
        const char *notice; /* a part of it, or NULL: there is none */
    } cases[] = {
        {"a,b,y\n1,2,3\n4,5,6\n", TN_HEADER_AUTO, 2, NULL},
        {"1,2,3\n4,5,6\n", TN_HEADER_AUTO, 2, "numbers alone"},
        {"1,2,3\n", TN_HEADER_AUTO, 1, "numbers alone"},
        {"1,,3\n4,5,6\n", TN_HEADER_AUTO, 2, "numbers alone"},
        {"2001,2002,2003\n4,5,6\n", TN_HEADER_YES, 1, NULL},
        {"2001,2002,y\n4,5,6\n", TN_HEADER_AUTO, 1, "taken for a header"},
        {"5.1,3.5,setosa\n6,3,virginica\n5,3,setosa\n", TN_HEADER_AUTO, 3, "come again"},
        {"?,?,cat\n6,3,dog\n5,3,cat\n", TN_HEADER_AUTO, 3, "come again"},
        {"nan,nan,dog\n6,3,dog\n", TN_HEADER_AUTO, 2, "come again"},
        {"?,NA,1\n6,3,2\n", TN_HEADER_AUTO, 2, "numbers alone"},
        {"?,NA,kind\n6,3,a\n5,3,b\n", TN_HEADER_AUTO, 2, NULL}, /* odd, but they are names */
        {"RI,Na,Mg\n6,3,1\n5,3,0\n", TN_HEADER_AUTO, 2, NULL},
        {"5.1,3.5,\"se\"\"\ntosa\"\n6,3,virginica\n5,3,\"se\"\"\ntosa\"\n", TN_HEADER_AUTO, 3, "come again"},
        {"5.1,3.5,setosa\n6,3,virginica\n5,3,versicolor\n", TN_HEADER_AUTO, 2, "taken for a header"},
        {"5.1,3.5,setosa\n6,3,virginica\n5,3,versicolor\n", TN_HEADER_NO, 3, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tn_csv_options options = {.header = cases[i].header, .classify = 1};
        const int data_first = cases[i].text[0] < 'A' && cases[i].text[0] != '?' && cases[i].header != TN_HEADER_YES;
        tn_dataset data = {0};
        expect_ok(tn_dataset_csv(scratch_text("t.csv", cases[i].text), &options, &data));
        if (data.count != cases[i].rows || !data.notice != !cases[i].notice ||
            (data.notice && !strstr(data.notice, cases[i].notice)))
            fail_msg("case %zu: %lld rows, notice '%s'", i, (long long)data.count, data.notice);
        assert_true(!data.column_names == (data.no_header != 0));
        if (data_first && data.no_header) assert_near(((float *)data.x)[0], atof(cases[i].text), 1e-6);
        tn_dataset_free(&data);
    }
}

static void a_first_line_with_a_number_is_data_for_a_model_whose_table_had_no_header(void **state)
{
    static const char *const rows[] = {"0,0.1,a\n5,0,b\n0,5,c\n", "0,0.1,a\n", "0,0.1\n5,0\n"};
    static const int64_t counts[] = {3, 1, 2};
    tn_csv_options options = {.target_numbers = "3", .features = 2, .classify = 1};
    tn_dataset data = {0};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        expect_ok(tn_dataset_csv(scratch_text("t.csv", rows[i]), &options, &data));
        assert_int_equal(data.count, counts[i]);
        assert_near(((float *)data.x)[1], 0.1, 1e-6);
        assert_non_null(strstr(data.notice, "no header"));
        tn_dataset_free(&data);
    }
    expect_ok(tn_dataset_csv(scratch_text("t.csv", "x,y,class\n1,2,a\n"), &options, &data));
    assert_int_equal(data.count, 1);
    tn_dataset_free(&data);
    options.header = TN_HEADER_YES;
    expect_ok(tn_dataset_csv(scratch_text("t.csv", rows[0]), &options, &data));
    assert_int_equal(data.count, 2);
    tn_dataset_free(&data);
    options = (tn_csv_options){.target_numbers = "3", .classify = 1}; /* to measure */
    expect_ok(tn_dataset_csv(scratch_text("t.csv", rows[0]), &options, &data));
    assert_string_equal(data.class_names, "a\nb\nc\n");
    tn_dataset_free(&data);
}

static void names_that_are_numbers_are_a_header_for_a_model_that_knows_them(void **state)
{
    const tn_csv_options options = {.columns = "2001\n2002\n", .features = 2};
    tn_dataset data = {0};
    (void)state;
    expect_ok(tn_dataset_csv(scratch_text("t.csv", "2002,2001\n4,5\n"), &options, &data));
    assert_int_equal(data.count, 1);
    assert_near(((float *)data.x)[0], 5, 0);
    tn_dataset_free(&data);
    expect_ok(tn_dataset_csv(scratch_text("t.csv", "2002,2003\n4,5\n"), &options, &data));
    assert_int_equal(data.count, 2);
    tn_dataset_free(&data);
}

static void without_a_header_columns_have_numbers(void **state)
{
    tn_csv_options options = {.target = "1, 3"};
    tn_dataset data = {0};
    (void)state;
    expect_ok(tn_dataset_csv(scratch_text("t.csv", "1,2,3\n4,5,6\n"), &options, &data));
    assert_near(((float *)data.x)[1], 5, 0);
    assert_near(data.target[2], 4, 0);
    assert_near(data.target[3], 6, 0);
    assert_string_equal(data.target_numbers, "1,3");
    assert_string_equal(data.target_names, "column 1\ncolumn 3\n");
    assert_null(data.column_names);
    tn_dataset_free(&data);
    options.target = "4";
    expect_failure(tn_dataset_csv(scratch_text("t.csv", "1,2,3\n"), &options, &data), TN_EMISSING, "has no column 4");
    options.target = "y";
    expect_failure(tn_dataset_csv(scratch_text("t.csv", "1,2,3\n"), &options, &data), TN_EMISSING, "has no header");
    expect_failure(tn_dataset_csv(scratch_text("t.csv", "1,2,3\n1,2\n"), NULL, &data), TN_EFORMAT,
                   "t.csv:2: expected 3 values as in the first line");
    expect_failure(tn_dataset_csv(scratch_text("t.csv", "1,x,3\n"), &(tn_csv_options){.header = TN_HEADER_NO}, &data),
                   TN_EFORMAT, "t.csv:1: column 'column 2': expected a number, found 'x'");
}

/* A model's table had the target first; tables without a header have all of its columns, or the features alone. */
static void a_table_without_a_header_goes_by_order_for_a_model(void **state)
{
    static const char *const same[] = {"9,1,2\n9,3,4\n", "1,2\n3,4\n"};
    tn_csv_options options = {.target = "y\n", .target_numbers = "1", .columns = "a\nb\n", .features = 2};
    tn_dataset data = {0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        expect_ok(tn_dataset_csv(scratch_text("t.csv", same[i]), &options, &data));
        for (int k = 0; k < 4; k++) assert_near(((float *)data.x)[k], k + 1, 0);
        assert_true(data.no_header);
        tn_dataset_free(&data);
    }
    expect_failure(tn_dataset_csv(scratch_text("t.csv", "1,2,3,4\n"), &options, &data), TN_ESHAPE,
                   "4 columns; expected 2");
    options.features = 0;
    expect_ok(tn_dataset_csv(scratch_text("t.csv", same[0]), &options, &data));
    assert_near(data.target[1], 9, 0);
    tn_dataset_free(&data);
    expect_failure(tn_dataset_csv(scratch_text("t.csv", same[1]), &options, &data), TN_ESHAPE, "2 columns; expected 2");
}

/* The model's targets were the columns 4 and 3; one of their names stands elsewhere. */
static void by_position_takes_targets_by_their_numbers_alone(void **state)
{
    tn_csv_options options = {
        .target = "rent\ncosts\n", .target_numbers = "4,3", .columns = "a\nb\n", .by_position = 1};
    tn_dataset data = {0};
    (void)state;
    expect_ok(tn_dataset_csv(scratch_text("t.csv", "rent,p,q,r\n1,2,3,4\n"), &options, &data));
    assert_near(((float *)data.x)[0], 1, 0);
    assert_near(((float *)data.x)[1], 2, 0);
    assert_near(data.target[0], 4, 0);
    assert_near(data.target[1], 3, 0);
    tn_dataset_free(&data);
    expect_ok(tn_dataset_csv(scratch_text("t.csv", "rent,costs,q,r\n1,2,3,4\n"), &options, &data));
    assert_near(data.target[0], 4, 0);
    tn_dataset_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_line_of_data_is_told_from_a_header),
        cmocka_unit_test(a_first_line_with_a_number_is_data_for_a_model_whose_table_had_no_header),
        cmocka_unit_test(names_that_are_numbers_are_a_header_for_a_model_that_knows_them),
        cmocka_unit_test(without_a_header_columns_have_numbers),
        cmocka_unit_test(a_table_without_a_header_goes_by_order_for_a_model),
        cmocka_unit_test(by_position_takes_targets_by_their_numbers_alone),
    };
    return cmocka_run_group_tests_name("header", tests, scratch_begin, scratch_end);
}
