/* table.c: what a table's columns are: their names, classes and numbers; and what two data sets have in common. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "near.h"
#include "scratch.h"
#include "tenon/data.h"

/* ---- names ---- */

static void a_name_twice_matters_only_where_names_decide(void **state)
{
    static const struct {
        const char *text, *say; /* NULL: nothing */
        tn_csv_options options;
    } cases[] = {
        {"a,b,id,id,y\n1,2,3,4,5\n", NULL, {.columns = "a\nb\n", .target = "y\n", .target_numbers = "3"}},
        {"a,b,id,id\n1,2,3,4\n", NULL, {.columns = "a\nb\n", .features = 2}},
        {"p,p\n1,2\n", NULL, {.columns = "a\nb\n", .features = 2, .by_position = 1}},
        {"p,p,p\n1,2,3\n", NULL, {.columns = "a\nb\n", .by_position = 1, .target = "y\n", .target_numbers = "3"}},
        {"p,p,y\n1,2,3\n", NULL, {.target_numbers = "3"}},
        {"a,b,a,y\n1,2,3,4\n", "1 and 3 are both named 'a': rename one", {.columns = "a\nb\n", .target = "y\n"}},
        {"a,b,y,y\n1,2,3,4\n", "3 and 4 are both named 'y'", {.columns = "a\nb\n", .target = "y\n"}},
        {"p,q,y,y\n1,2,3,4\n", "3 and 4 are both named 'y'", {.columns = "a\nb\nc\n", .target = "y", .by_position = 1}},
        {"a,a,y\n1,2,3\n", "1 and 2 are both named 'a'", {0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_dataset data = {0};
        tn_status status = tn_dataset_csv(scratch_text("t.csv", cases[i].text), &cases[i].options, &data);
        if (cases[i].say)
            expect_failure(status, TN_EFORMAT, cases[i].say);
        else
            expect_ok(status);
        tn_dataset_free(&data);
    }
}

static tn_dataset ignoring(const char *text, const tn_csv_options *options, int64_t rows, int64_t columns, float first)
{
    tn_dataset data = {0};
    expect_ok(tn_dataset_csv(scratch_text("t.csv", text), options, &data));
    assert_int_equal(data.count, rows);
    assert_int_equal(data.sample.dim[0], columns);
    assert_true(((float *)data.x)[0] == first);
    return data;
}

static void columns_can_be_ignored(void **state)
{
    static const char *const named[] = {"date", "note, date", " NOTE,date ", "1,note"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        const tn_csv_options options = {.ignore = named[i], .target = "y"};
        const char *text = i ? "date,a,note,y,b\n1.1.,2,x,3,4\n2.1.,5,y,6,7\n" : "date,a,y,b\n1.1.,2,3,4\n2.1.,5,6,7\n";
        tn_dataset data = ignoring(text, &options, 2, 2, 2);
        assert_string_equal(data.column_names, "a\nb\n");
        assert_string_equal(data.target_names, "y\n");
        tn_dataset_free(&data);
    }
    tn_dataset none = {0};
    const tn_csv_options no_such = {.ignore = named[3]}, target = {.ignore = "b", .target = "b"}, last = {.ignore = ""};
    none = ignoring("a,b,\n1,2,\n", &last, 1, 1, 1);
    assert_string_equal(none.target_names, "b\n");
    tn_dataset_free(&none);
    expect_failure(tn_dataset_csv(scratch_text("t.csv", "a,b\n1,2\n"), &no_such, &none), TN_EMISSING,
                   "has no column '1'");
    expect_failure(tn_dataset_csv(scratch_text("t.csv", "a,b\n1,2\n"), &target, &none), TN_EINVAL,
                   "column 'b' is to be predicted, and can't be ignored");
    const tn_csv_options all = {.ignore = "a"};
    expect_failure(tn_dataset_csv(scratch_text("t.csv", "a,b\n1,2\n"), &all, &none), TN_EFORMAT,
                   "at least two columns");
}

/* The table to predict from may have them, and the target, or neither. */
static void ignored_columns_without_a_header_go_by_number(void **state)
{
    (void)state;
    tn_csv_options options = {.ignore = "1,4", .header = TN_HEADER_NO};
    tn_dataset data = ignoring("x,2,3,y,5\nx,7,8,y,10\n", &options, 2, 2, 2);
    assert_string_equal(data.target_numbers, "5");
    tn_dataset_free(&data);
    options = (tn_csv_options){.ignore = "1,4", .header = TN_HEADER_NO, .features = 2, .target_numbers = "5"};
    static const char *const rows[] = {"x,2,3,y,5\n", "x,2,3,y\n", "2,3\n"};
    for (int i = 0; i < 3; i++) {
        data = ignoring(rows[i], &options, 1, 2, 2);
        tn_dataset_free(&data);
    }
    expect_failure(tn_dataset_csv(scratch_text("t.csv", "2,3,4,5,6,7\n"), &options, &data), TN_ESHAPE, "expected 2");
}

static void names_are_alike_without_case_and_spaces_and_the_same_letters_come_first(void **state)
{
    tn_csv_options options = {.columns = "Sepal length\nx\nX\n", .features = 3};
    tn_dataset data = {0};
    (void)state;
    expect_ok(tn_dataset_csv(scratch_text("t.csv", "X,id,x,\" sepalLength \"\n3,no,2,1\n"), &options, &data));
    for (int k = 0; k < 3; k++) assert_near(((float *)data.x)[k], k + 1, 0);
    tn_dataset_free(&data);
    expect_failure(tn_dataset_csv(scratch_text("t.csv", "X,SEPAL LENGTH\n3,1\n"), &options, &data), TN_EMISSING,
                   "has no column 'x' to predict from: wanted are 'Sepal length', 'x', 'X', and it has 'X', 'SEPAL");
    options = (tn_csv_options){.target = "RENT"};
    expect_ok(tn_dataset_csv(scratch_text("t.csv", "rent,a\n3,1\n"), &options, &data));
    assert_string_equal(data.target_names, "rent\n");
    assert_near(data.target[0], 3, 0);
    tn_dataset_free(&data);
}

static void names_that_are_missing_values_are_perhaps_none(void **state)
{
    tn_dataset data = {0};
    (void)state;
    expect_failure(tn_dataset_csv(scratch_text("t.csv", "?,?,y\n1,2,3\n"), NULL, &data), TN_EFORMAT,
                   "columns 1 and 2 are both named '?': rename one of them, unless the first line is data");
    expect_failure(tn_dataset_csv(scratch_text("t.csv", ",,y\n1,2,3\n"), NULL, &data), TN_EFORMAT,
                   "columns 1 and 2 are both named '': rename one of them, unless the first line is data");
    expect_ok(
        tn_dataset_csv(scratch_text("t.csv", "?,?,3\n1,2,3\n"), &(tn_csv_options){.header = TN_HEADER_NO}, &data));
    assert_int_equal(data.count, 2);
    tn_dataset_free(&data);
}

static void of_columns_that_are_alike_none_is_picked(void **state)
{
    static const struct {
        const char *text, *columns, *target, *say;
    } bad[] = {
        {"Area,AREA,rooms,y\n1,2,3,4\n", "area\nrooms\n", "y",
         "columns 1 and 2, 'Area' and 'AREA', are both named like 'area'"},
        {"A B,rooms,a  b,ab,y\n1,2,3,4,5\n", "rooms\na b\n", "y", "columns 1 and 3, 'A B' and 'a  b', are both"},
        {"A,a,y\n1,2,3\n", " A\na \n", "y", "columns 1 and 2"},
        {"a,RENT,Rent\n1,2,3\n", "a\n", "rent", "columns 2 and 3, 'RENT' and 'Rent', are both named like 'rent'"},
        {"a,RENT,Rent\n1,2,3\n", NULL, "rEnt", "columns 2 and 3, 'RENT' and 'Rent', are both named like 'rEnt'"},
        {"a,RENT,Rent,b\n1,2,3,4\n", NULL, "a, rEnt", "columns 2 and 3, 'RENT' and 'Rent', are both named like 'rEnt'"},
    };
    static const struct {
        const char *text, *columns, *target;
        float first;
    } good[] = {
        {"AREA,area,y\n1,2,3\n", "area\n", "y", 2},
        {"AREA,x,area,y\n1,5,2,3\n", "Area\narea\n", "y", 1}, /* the other is taken */
        {"Area,AREA,rooms,y\n1,2,3,4\n", "rooms\n", "y", 3},  /* neither is read */
        {"RENT,a,Rent\n1,2,3\n", NULL, "Rent", 1},
    };
    tn_dataset data = {0};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const tn_csv_options options = {.columns = bad[i].columns, .target = bad[i].target};
        expect_failure(tn_dataset_csv(scratch_text("t.csv", bad[i].text), &options, &data), TN_EFORMAT, bad[i].say);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const tn_csv_options options = {.columns = good[i].columns, .target = good[i].target};
        expect_ok(tn_dataset_csv(scratch_text("t.csv", good[i].text), &options, &data));
        assert_near(((float *)data.x)[0], good[i].first, 0);
        tn_dataset_free(&data);
    }
}

static void a_long_list_of_names_is_cut_in_the_message(void **state)
{
    char text[4000], columns[2000] = "";
    tn_dataset data = {0};
    (void)state;
    for (int i = 0; i < 100; i++) sprintf(columns + strlen(columns), "wanted%d\n", i);
    for (int i = 0, n = 0; i < 100; i++) n += sprintf(text + n, i < 99 ? "there%d," : "there%d\n", i);
    expect_failure(
        tn_dataset_csv(scratch_text("t.csv", text), &(tn_csv_options){.columns = columns, .features = 100}, &data),
        TN_EMISSING, " more, and it has 'there0', 'there1'");
}

/* ---- classes or numbers ---- */

/* A table whose target is what `next` says of each row. */
static char *table_of(int rows, const char *format, double (*next)(int row))
{
    static char text[1 << 18];
    int n = sprintf(text, "a,y\n");
    for (int i = 0; i < rows; i++) {
        n += sprintf(text + n, "%d,", i);
        n += sprintf(text + n, format, next(i));
        n += sprintf(text + n, "\n");
    }
    return text;
}

static double three(int i)
{
    return i % 3;
}
static double two(int i)
{
    return i % 2 * 2 - 1;
}
static double all(int i)
{
    return i;
}
static double ages(int i)
{
    return 18 + i % 60;
}
static double prices(int i)
{
    return 100 + 100 * (i % 4);
}
static double halves(int i)
{
    return i % 3 / 2.0;
}
static double same(int i)
{
    return 7 + 0 * i;
}

static double typo(int i)
{
    return i * 1.5;
}

static void a_quantity_is_told_from_classes(void **state)
{
    static const struct {
        int rows;
        const char *format;
        double (*next)(int row);
        int classes;
        const char *why;
    } cases[] = {
        {30, "%g", three, 3, "'y' has 3 different whole numbers from 0 to 2 in 30 rows, 10 each: classes"},
        {30, "%.1f", three, 3, "classes"},
        {4, "%g", two, 2, "classes"},
        {2, "%g", prices, 0, "1 each: a quantity"},
        {50, "%g", same, 0, "a quantity"},
        {12, "%g", three, 0, "4 each: a quantity"},
        {400, "%g", all, 0, "400 different whole numbers from 0 to 399 in 400 rows, 1 each: a quantity"},
        {6000, "%g", ages, 0, "a quantity"},
        {400, "%g", prices, 0, "from 100 to 400 in 400 rows, 100 each: a quantity"},
        {400, "%g", halves, 0, "fractions"},
        {400, "c%g", all, 400, "'y' has texts: classes"},
        {30, "%g.0.0", three, 3, "texts"},
    };
    const tn_csv_options options = {.classify = TN_CLASSIFY_AUTO};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_dataset data = {0};
        const char *text = table_of(cases[i].rows, cases[i].format, cases[i].next);
        expect_ok(tn_dataset_csv(scratch_text("t.csv", text), &options, &data));
        if (data.classes != cases[i].classes || !data.label != !cases[i].classes || !strstr(data.why, cases[i].why))
            fail_msg("case %zu: %lld classes, why: %s", i, (long long)data.classes, data.why);
        if (data.target) assert_near(data.target[1], cases[i].next(1), 1e-6);
        tn_dataset_free(&data);
    }
}

static double two_to_four(int i)
{
    return 2 + i % 3;
}

static void large_whole_numbers_are_not_said_to_be_fewer_than_they_are(void **state)
{
    const tn_csv_options options = {.classify = TN_CLASSIFY_AUTO};
    tn_dataset data = {0};
    (void)state;
    expect_ok(tn_dataset_csv(scratch_text("t.csv", table_of(300, "900719925474098%g", three)), &options, &data));
    assert_non_null(strstr(data.why, "has 3 different whole numbers"));
    tn_dataset_free(&data);
    expect_ok(tn_dataset_csv(scratch_text("t.csv", table_of(300, "900719925474099%g", two_to_four)), &options, &data));
    assert_non_null(strstr(data.why, "has at least 2 different whole numbers"));
    assert_non_null(strstr(data.why, "in 300 rows, at most 150 each"));
    tn_dataset_free(&data);
}

static void a_text_among_numbers_is_a_mistake(void **state)
{
    const tn_csv_options options = {.classify = TN_CLASSIFY_AUTO};
    tn_dataset data = {0};
    (void)state;
    expect_failure(tn_dataset_csv(scratch_text("t.csv", strcat(table_of(40, "%g", typo), "41,12O\n")), &options, &data),
                   TN_EFORMAT, "column 'y': most of its values are numbers, but '12O' is none");
}

/* ---- whole, and in common ---- */

static void a_table_is_given_whole_to_the_one_set_that_is_asked_for(void **state)
{
    const char *path = scratch_text("t.csv", table_of(50, "%g", all));
    tn_dataset data = {0};
    (void)state;
    expect_ok(tn_dataset_open(path, 1, NULL, NULL, &data));
    assert_int_equal(data.count, 50);
    tn_dataset_free(&data);
    expect_ok(tn_dataset_open(path, 1, NULL, &data, NULL));
    assert_int_equal(data.count, 50);
    tn_dataset_free(&data);
    expect_ok(tn_dataset_open("digits:20", 1, NULL, NULL, &data));
    assert_int_equal(data.count, 4);
    tn_dataset_free(&data);
}

static void samples_in_common_are_counted(void **state)
{
    static const struct {
        const char *text;
        int64_t common;
    } cases[] = {{"a,b,y\n1,2,3\n4,5,6\n7,8,9\n", 3},
                 {"a,b,y\n4,5,6\n1,2,3\n1,2,3\n", 3},
                 {"a,b,y\n1,2,4\n4,5,6\n", 1},
                 {"a,b,y\n2,1,3\n", 0},
                 {"a,y\n1,2\n", 0}};
    tn_dataset base = {0}, other = {0};
    int64_t count;
    (void)state;
    expect_ok(tn_dataset_csv(scratch_text("base.csv", cases[0].text), NULL, &base));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_ok(tn_dataset_csv(scratch_text("t.csv", cases[i].text), NULL, &other));
        expect_ok(tn_dataset_common(&other, &base, &count));
        assert_int_equal(count, cases[i].common);
        tn_dataset_free(&other);
    }
    tn_dataset_free(&base);
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    const char *path = scratch_text("t.csv", "1,2,b\n3,4,c\n5,6,b\n");
    const tn_csv_options options = {.classify = TN_CLASSIFY_AUTO};
    tn_status status = TN_ENOMEM;
    int64_t n = 0;
    (void)state;
    for (; status; n++) {
        tn_dataset train = {0}, test = {0};
        tn_alloc_fail_after(n);
        status = tn_dataset_open(path, 1, &options, &train, &test);
        tn_alloc_fail_after(-1);
        if (status) expect_failure(status, TN_ENOMEM, "out of memory");
        tn_dataset_free(&train);
        tn_dataset_free(&test);
    }
    assert_true(n > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_twice_matters_only_where_names_decide),
        cmocka_unit_test(columns_can_be_ignored),
        cmocka_unit_test(ignored_columns_without_a_header_go_by_number),
        cmocka_unit_test(names_are_alike_without_case_and_spaces_and_the_same_letters_come_first),
        cmocka_unit_test(names_that_are_missing_values_are_perhaps_none),
        cmocka_unit_test(of_columns_that_are_alike_none_is_picked),
        cmocka_unit_test(a_long_list_of_names_is_cut_in_the_message),
        cmocka_unit_test(a_quantity_is_told_from_classes),
        cmocka_unit_test(large_whole_numbers_are_not_said_to_be_fewer_than_they_are),
        cmocka_unit_test(a_text_among_numbers_is_a_mistake),
        cmocka_unit_test(a_table_is_given_whole_to_the_one_set_that_is_asked_for),
        cmocka_unit_test(samples_in_common_are_counted),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests_name("table", tests, scratch_begin, scratch_end);
}
