/* csv.c: tables, good and bad. */
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "tables.h"

static void numbers_are_read_and_the_last_column_is_the_target(void **state)
{
    static const float x[] = {1, 2.5f, -3e-2f, 4};
    static const char *const same[] = {"a,b,y\n1,2.5,10\n-3e-2,4,20\n",
                                       "a,b,y\r\n1,2.5,10\r\n-3e-2,4,20\r\n",
                                       "a,b,y\n1,2.5,10\n-3e-2,4,20",
                                       "\xEF\xBB\xBF"
                                       "a,b,y\n1,2.5,10\n-3e-2,4,20",
                                       "\n\na,b,y\n\n1,2.5,10\n\n\n-3e-2,4,20\n\n",
                                       "\"a\",\"b\",\"y\"\n\"1\",\"2.5\",\"10\"\n\"-3e-2\",\"4\",\"20\"",
                                       "a , b, y\n 1 ,2.5, 10\n\t-3e-2,4,20 \n",
                                       "a,b,y\r1,2.5,10\r-3e-2,4,20\r"};
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        tn_dataset data = {0};
        expect_table(same[i], NULL, 2, 2, x, &data);
        assert_int_equal(data.targets, 1);
        assert_null(data.label);
        assert_near(data.target[0], 10, 0);
        assert_near(data.target[1], 20, 0);
        tn_dataset_free(&data);
    }
}

static void what_stands_between_cells_is_seen(void **state)
{
    static const float x[] = {1, 2.5f, -3e-2f, 4};
    static const struct {
        char separator;
        const char *text;
    } same[] = {
        {';', "a;b;y\n1;2,5;10\n-3e-2;4;20\n"},
        {';', "Preis (\xE2\x82\xAC, netto);b;y\r\n1;2.5;10\r\n-0,03;+4;20\r\n"},
        {';', "1;2,5;10\n-3,0e-2;4,0;2,0e1"},
        {';', "\n\n\"a\";\"b;b\";\"y\"\n\n\"1\";\"2,5\";\"10\"\n-3e-2;4;20\n"},
        {'\t', "a\tb\ty\n1\t 2.5\t10\n-3e-2\t4\t20\n"},
        {'|', "a|b|y\n1|2.5|10\n-3e-2|4|20\n"},
        {',', "a;b,c;d,y\n1,2.5,10\n-3e-2,4,20\n"},
        {',', "\"a;b;c;d\",\"|\",y\n1,2.5,10\n-3e-2,4,20\n"},
        {',', "1,2.5,10\n-3e-2,4,20\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        tn_dataset data = {0};
        const tn_csv_options options = {.header = i == 2 || i == 8 ? TN_HEADER_NO : TN_HEADER_YES};
        expect_table(same[i].text, &options, 2, 2, x, &data);
        assert_int_equal(data.separator, same[i].separator);
        assert_near(data.target[1], 20, 0);
        tn_dataset_free(&data);
    }
}

/* One row has no second to compare with; nor do rows that differ in length, of which the error is to be told. */
static void a_row_alone_shows_its_separator(void **state)
{
    const tn_csv_options two = {.features = 2, .header = TN_HEADER_NO};
    const float x[] = {1.5f, 2.5f};
    tn_dataset data = {0};
    (void)state;
    expect_table("1,5;2,5\n", &two, 1, 2, x, &data);
    tn_dataset_free(&data);
    expect_table("1.5,2.5\n", &two, 1, 2, x, &data);
    tn_dataset_free(&data);
    expect_failure(tn_dataset_csv(scratch_text("t", "a;b;y\n1;2\n"), NULL, &data), TN_EFORMAT, "found 2");
    expect_failure(tn_dataset_csv(scratch_text("t", "a\tb\n1,5\t2\n"), NULL, &data), TN_EFORMAT,
                   "expected a number, found '1,5'");
}

/* ---- rounding ---- */

static char warned[400];

static void keep_line(void *arg, int32_t level, const char *line)
{
    (void)arg;
    if (level == TN_LOG_WARNING) snprintf(warned, sizeof warned, "%s", line);
}

/* A table of 100 rows: numbers from `first` on in steps, and what is warned of. */
static const char *warning_of(double first, double step, int how)
{
    char text[100 * 60], *at = text + sprintf(text, "time,y\n");
    const tn_csv_options options = {.classify = how};
    tn_dataset data = {0};
    for (int i = 0; i < 100; i++) at += sprintf(at, "%.17g,%.17g\n", first + i * step, i + 0.5);
    *warned = 0;
    tn_log_to(keep_line, NULL, TN_LOG_WARNING);
    expect_ok(tn_dataset_csv(scratch_text("table.csv", text), &options, &data));
    tn_log_to(NULL, NULL, TN_LOG_WARNING);
    tn_dataset_free(&data);
    return warned;
}

static void numbers_that_f32_takes_for_one_another_are_warned_of(void **state)
{
    (void)state;
    assert_non_null(strstr(warning_of(1763760000, 1, 0), "column 'time': f32 rounds its numbers by up to 64"));
    assert_non_null(strstr(warning_of(1763760000, 1, TN_CLASSIFY_AUTO), "column 'time'"));
    assert_string_equal(warning_of(0.1, 0.1, 0), "");
    assert_string_equal(warning_of(1763760000, 1e6, 0), "");
    assert_string_equal(warning_of(1763760000, 0, 0), "");
}

static void the_target_may_be_any_column(void **state)
{
    static const float x[] = {1, 3, 4, 6};
    tn_csv_options options = {.target = "the, \"y\""};
    tn_dataset data = {0};
    (void)state;
    expect_table("a,\"the, \"\"y\"\"\",b\n1,2,3\n4,5,6\n", &options, 2, 2, x, &data);
    assert_near(data.target[0], 2, 0);
    assert_near(data.target[1], 5, 0);
    tn_dataset_free(&data);
}

static void a_table_to_predict_from_may_have_the_target_or_not(void **state)
{
    static const float x[] = {1, 3, 4, 6};
    static const char *const same[] = {"a,b\n1,3\n4,6\n", "a,y,b\n1,,3\n4,text,6\n"};
    const tn_csv_options options = {.target = "y", .classify = 1, .features = 2}, last = {.features = 2},
                         one = {.features = 1};
    tn_dataset data = {0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        expect_table(same[i], &options, 2, 2, x, &data);
        assert_true(!data.label && !data.target && !data.classes && !data.targets);
        tn_dataset_free(&data);
    }
    expect_table("a,b,y\n1,3,\n4,6,text\n", &last, 2, 2, x, &data);
    tn_dataset_free(&data);
    expect_table("a\n1\n3\n4\n6\n", &one, 4, 1, x, &data);
    tn_dataset_free(&data);
    expect_failure(tn_dataset_csv(scratch_text("t", "a,b,c,d\n1,2,3,4\n"), &options, &data), TN_ESHAPE,
                   "4 columns; expected 2");
    expect_failure(tn_dataset_csv(scratch_text("t", "a\n1\n"), &options, &data), TN_ESHAPE, "1 columns; expected 2");
    expect_failure(tn_dataset_csv(scratch_text("t", "a,b,z\n1,2,3\n"), &options, &data), TN_EMISSING, "'y'");
}

static void a_table_to_predict_from_may_lack_the_target(void **state)
{
    static const float x[] = {1, 2, 3, 4}, one[] = {5, 6};
    tn_csv_options options = {.classify = 1, .features = 2};
    tn_dataset data = {0};
    (void)state;
    expect_table("a,b\n1,2\n3,4\n", &options, 2, 2, x, &data);
    assert_null(data.label);
    tn_dataset_free(&data);
    expect_table("a,b,y\n1,2,\n3,4,what\n", &options, 2, 2, x, &data);
    assert_null(data.label);
    assert_int_equal(data.classes, 0);
    tn_dataset_free(&data);
    options.target = "a";
    expect_table("a,b,c\n?,1,2\n,3,4\n", &options, 2, 2, x, &data);
    assert_null(data.target);
    tn_dataset_free(&data);
    options = (tn_csv_options){.features = 1};
    expect_table("a\n5\n6\n", &options, 2, 1, one, &data);
    tn_dataset_free(&data);
    expect_failure(tn_dataset_csv(scratch_text("wide.csv", "a,b,c\n1,2,3\n"), &options, &data), TN_ESHAPE,
                   "wide.csv: has 3 columns; expected 1 to predict from");
}

static void a_missing_value_becomes_the_mean_of_its_column(void **state)
{
    static const float x[] = {1, 7, 3, 7, 2, 7, 2, 7, 2, 7};
    tn_dataset data = {0};
    (void)state;
    expect_table("a,b,y\n1,,0\n3,7,0\nNA,?,0\nnan,NaN,0\n ?,na,0\n", NULL, 5, 2, x, &data);
    tn_dataset_free(&data);
}

static void what_is_wrong_is_named_with_its_line_and_column(void **state)
{
    static const struct {
        const char *text, *target, *part;
        tn_status status;
    } cases[] = {
        {"", NULL, "table.csv: is empty", TN_EFORMAT},
        {"\n\r\n\n", NULL, "table.csv: is empty", TN_EFORMAT},
        {"\xEF\xBB\xBF", NULL, "table.csv: is empty", TN_EFORMAT},
        {"a,y", NULL, "has a header and no rows", TN_EFORMAT},
        {"a,y\n\n", NULL, "has a header and no rows", TN_EFORMAT},
        {"a\n1\n", NULL, "needs at least two columns", TN_EFORMAT},
        {"# by hand\na,y\n1,2\n", NULL, "bars; its first line is '# by hand'", TN_EFORMAT},
        {"\xFF\xFE"
         "a,y\n",
         NULL, "table.csv: is UTF-16: 'iconv -f utf-16 -t utf-8' converts it", TN_EFORMAT},
        {"kind,a\nsmall,2\n", NULL,
         "column 'kind': expected a number, found 'small', which is a text that hardly comes again in other rows; "
         "--ignore 'kind' leaves out",
         TN_EFORMAT},
        {"a,y\n1,2\n", "z", "has no column 'z'; its columns are 'a', 'y'", TN_EMISSING},
        {"a,b,y\n1,2,3\n1,2\n", NULL, "table.csv:3: expected 3 values as in the header, found 2", TN_EFORMAT},
        {"a,b,y\n1,2,3\n1,2,3,4\n", NULL, "table.csv:3: expected 3 values as in the header, found 4", TN_EFORMAT},
        {"2,3,k,l\n1,2,3,4,5\n1,2,3,4,5\n", NULL,
         "table.csv:2: expected 4 values as in the header, found 5: does the first line belong to the table?",
         TN_EFORMAT},
        {"a,y,\n1,2,\n", NULL, "the last column is empty in the first line, too: is there a comma at the end of lines?",
         TN_EFORMAT},
        {"a,b,y\n1,\"2\n\n\",3\n1\n", NULL, "table.csv:2: column 'b': expected a number, found '2", TN_EFORMAT},
        {"a,b,y\n1,2,3\n\n1\n", NULL, "table.csv:4: expected 3 values as in the header, found 1", TN_EFORMAT},
        {"a,b,y\n1,two,3\n", NULL, "table.csv:2: column 'b': expected a number, found 'two'", TN_EFORMAT},
        {"a,b,y\n1,2x,3\n", NULL, "column 'b': expected a number, found '2x'", TN_EFORMAT},
        {"a,b,y\n1,0x10,3\n", NULL, "column 'b': expected a number, found '0x10'", TN_EFORMAT},
        {"a,b,y\n1,inf,3\n", NULL, "column 'b': inf is beyond the range of f32", TN_EFORMAT},
        {"a,b,y\n1,1e39,3\n", NULL, "column 'b': 1e39 is beyond the range of f32", TN_EFORMAT},
        {"a,b,y\n1,2,three\n", NULL, "table.csv:2: column 'y': expected a number, found 'three'", TN_EFORMAT},
        {"a,b,y\n1,2,\n", NULL, "table.csv:2: column 'y': the value to predict is missing", TN_EFORMAT},
        {"a,b,y\n1,?,3\n2,,3", NULL, "column 'b' has no value at all", TN_EFORMAT},
        {"a,b,y\n1,\"2,3\n4,5,6\n", NULL, "table.csv:2: a quote is opened and never closed", TN_EFORMAT},
        {"a,b,y\n1,2,\"", NULL, "table.csv:2: a quote is opened and never closed", TN_EFORMAT},
        {"a,b,y\n1,2,\"3\"\"", NULL, "table.csv:2: a quote is opened and never closed", TN_EFORMAT},
        {"a,b,y\n1,\"2\"x,3\n", NULL, "table.csv:2: text after a closing quote", TN_EFORMAT},
        {"\"a\nb\",y\n1,2\n", NULL, NULL, TN_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_dataset data = {.count = 77};
        tn_csv_options options = {.target = cases[i].target};
        tn_status status = tn_dataset_csv(scratch_text("table.csv", cases[i].text), &options, &data);
        if (cases[i].status) {
            expect_failure(status, cases[i].status, cases[i].part);
            assert_int_equal(data.count, 77);
            continue;
        }
        expect_ok(status);
        tn_dataset_free(&data);
    }
}

static void zero_bytes_missing_files_and_folders_are_refused(void **state)
{
    tn_dataset data = {0};
    (void)state;
    expect_failure(tn_dataset_csv(scratch_write("zero.csv", "a,b\n1,\0\n", 8), NULL, &data), TN_EFORMAT,
                   "zero.csv: is no text file");
    expect_failure(tn_dataset_csv(scratch_path("nowhere.csv"), NULL, &data), TN_EMISSING, "nowhere.csv");
    expect_failure(tn_dataset_csv("/tmp", NULL, &data), TN_EIO, "/tmp: is a folder");
    expect_failure(tn_dataset_csv(NULL, NULL, &data), TN_EINVAL, "path is NULL");
}

static void a_comma_for_the_point_in_the_users_locale_changes_nothing(void **state)
{
    static const float x[] = {1.5f};
    tn_dataset data = {0};
    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8")) {
        print_message("no such locale is installed: skipped\n");
        skip();
    }
    expect_table("a,y\n1.5,2\n", NULL, 1, 1, x, &data);
    setlocale(LC_NUMERIC, "C");
    tn_dataset_free(&data);
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    const char *path = scratch_text("table.csv", "a,y\n1,b\n2,c\n");
    tn_status status = TN_ENOMEM;
    int64_t n = 0;
    (void)state;
    for (; status; n++) {
        tn_dataset train = {.count = 77}, test = {0};
        tn_alloc_fail_after(n);
        status = tn_dataset_open(path, 1, &classify, &train, &test);
        tn_alloc_fail_after(-1);
        if (status) {
            expect_failure(status, TN_ENOMEM, "out of memory");
            assert_int_equal(train.count, 77);
            continue;
        }
        tn_dataset_free(&train);
        tn_dataset_free(&test);
    }
    assert_true(n > 12);
}

static void several_targets_may_be_any_columns(void **state)
{
    static const float x[] = {2, 4, 6, 8}, y[] = {30, 1, 70, 5};
    static const char *const same[] = {"c,a", " c , a ", "c, a"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        tn_csv_options options = {.target = same[i], .classify = 1}; /* several are numbers in any case */
        tn_dataset data = {0};
        expect_table("a,b,c,d\n1,2,30,4\n5,6,70,8\n", &options, 2, 2, x, &data);
        assert_int_equal(data.targets, 2);
        assert_int_equal(data.classes, 0);
        assert_memory_equal(data.target, y, sizeof y);
        tn_dataset_free(&data);
        options.features = 2;
        expect_table("a,b,c,d\n1,2,30,4\n5,6,70,8\n", &options, 2, 2, x, &data);
        assert_null(data.target);
        tn_dataset_free(&data);
        expect_table("b,d\n2,4\n6,8\n", &options, 2, 2, x, &data);
        tn_dataset_free(&data);
    }
}

static void mistakes_in_targets_are_named(void **state)
{
    static const struct {
        const char *text, *target;
        uint32_t classify;
        int64_t features;
        tn_status status;
        const char *say;
    } cases[] = {
        {"a,b,c\n1,2,3\n", "b,x", 0, 0, TN_EMISSING, "has no column 'x'"},
        {"a,b,c\n1,2,3\n", "b,", 0, 0, TN_EMISSING, "has no column ''"},
        {"a,b,c\n1,2,3\n", "b,b", 0, 0, TN_EINVAL, "column 'b' is named twice"},
        {"a,b,a\n1,2,3\n", NULL, 0, 0, TN_EFORMAT, "columns 1 and 3 are both named 'a'"},
        {"a,\" a \",b\n1,2,3\n", "b", 0, 0, TN_EFORMAT, "columns 1 and 2 are both named 'a'"},
        {"b,a,b\n1,2,3\n", NULL, 0, 3, TN_EFORMAT, "columns 1 and 3 are both named 'b'"},
        {"a,b\n1,2\n", "a,b", 0, 0, TN_EFORMAT, "at least two columns"},
        {"a,b,c\n1,2,3\n", "b,c", 0, 2, TN_ESHAPE, "has 3 columns; expected 2"},
        {"a,b,c\n1,2,\n", "b,c", 0, 0, TN_EFORMAT, "column 'c': the value to predict is missing"},
        {"a,b,c\n1,2,x\n", "b,c", 0, 0, TN_EFORMAT, "column 'c': expected a number"},
        {"a,y\n1,2\n1,2.5\n", NULL, 1, 0, TN_EFORMAT, "column 'y' has numbers such as 2.5, not classes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_csv_options options = {
            .target = cases[i].target, .classify = cases[i].classify, .features = cases[i].features};
        tn_dataset data = {0};
        expect_failure(tn_dataset_csv(scratch_text("t", cases[i].text), &options, &data), cases[i].status,
                       cases[i].say);
        assert_null(data.x);
    }
    tn_dataset data = {0};
    expect_ok(tn_dataset_csv(scratch_text("t", "a,y\n1,-1\n2,1\n3,1.5x\n"), &classify, &data)); /* names */
    assert_int_equal(data.classes, 3);
    tn_dataset_free(&data);
}

static void columns_are_found_by_the_names_of_another_table(void **state)
{
    static const float x[] = {2, 1, 6, 5};
    tn_csv_options options = {.columns = "b\na\n", .target = "y", .classify = 1};
    tn_dataset data = {0};
    (void)state;
    expect_table("a,y,b\n1,0,2\n5,1,6\n", &options, 2, 2, x, &data);
    assert_int_equal(data.classes, 2);
    assert_string_equal(data.column_names, "b\na\n");
    tn_dataset_free(&data);
    expect_table("more,a,y,b\ntext,1,0,2\n,5,1,6\n", &options, 2, 2, x, &data); /* the rest is not read */
    tn_dataset_free(&data);
    options.features = 2;
    expect_table("more,a,b\ntext,1,2\n,5,6\n", &options, 2, 2, x, &data);
    tn_dataset_free(&data);
    expect_failure(tn_dataset_csv(scratch_text("t", "p,q\n2,1\n6,5\n"), &options, &data), TN_EMISSING,
                   "has no column 'b' to predict from: wanted are 'b', 'a', and it has 'p', 'q'");
    options.by_position = 1;
    expect_table("p,q\n2,1\n6,5\n", &options, 2, 2, x, &data);
    tn_dataset_free(&data);
    options.by_position = 0;
    expect_failure(tn_dataset_csv(scratch_text("t", "a,c,d\n1,2,3\n"), &options, &data), TN_EMISSING,
                   "has no column 'b' to predict from");
    options.columns = "a\na\n";
    expect_failure(tn_dataset_csv(scratch_text("t", "a,c,d\n1,2,3\n"), &options, &data), TN_EMISSING,
                   "has no column 'a' to predict from"); /* a second one */
    expect_ok(tn_dataset_csv(scratch_text("t", "\"a\nb\",y\n1,2\n"), NULL, &data));
    assert_string_equal(data.column_names, "a b\n");
    tn_dataset_free(&data);
    options = (tn_csv_options){.columns = "a b\n", .features = 1};
    expect_ok(tn_dataset_csv(scratch_text("t", "y,\"a\nb\"\n1,2\n"), &options, &data));
    assert_near(((float *)data.x)[0], 2, 0);
    tn_dataset_free(&data);
}

static void a_number_that_is_none_is_a_missing_value_however_it_is_printed(void **state)
{
    static const char *const none[] = {"nan", "-nan", "+NaN", "NAN(123)", "-nan(0x7f)", "NA",   "na",
                                       "?",   "",     "N/A",  "#N/A",     "<NA>",       "null", "NULL"};
    static const char *const text[] = {"nan(", "nano", "--nan", "-NA", "-?"};
    tn_dataset data = {0};
    char table[80];
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        snprintf(table, sizeof table, "a,y\n1,2\n%s,3\n4,4\n", none[i]);
        expect_ok(tn_dataset_csv(scratch_text("t", table), NULL, &data));
        assert_near(((float *)data.x)[1], 2.5, 0);
        tn_dataset_free(&data);
        snprintf(table, sizeof table, "a,y\n1,2\n2,%s\n", none[i]);
        expect_failure(tn_dataset_csv(scratch_text("t", table), NULL, &data), TN_EFORMAT,
                       "3: column 'y': the value to predict is missing");
    }
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        snprintf(table, sizeof table, "a,y\n1,2\n%s,3\n", text[i]);
        expect_failure(tn_dataset_csv(scratch_text("t", table), NULL, &data), TN_EFORMAT, "expected a number");
    }
}

static void missing_values_may_be_kept(void **state)
{
    const tn_csv_options options = {.keep_missing = 1}, predict = {.keep_missing = 1, .features = 2};
    tn_dataset data = {0};
    (void)state;
    expect_ok(tn_dataset_csv(scratch_text("t", "a,b,y\n1,,3\n,5,6\n"), &options, &data));
    const float *x = data.x;
    assert_true(x[0] == 1 && isnan(x[1]) && isnan(x[2]) && x[3] == 5);
    tn_dataset_free(&data);
    expect_failure(tn_dataset_csv(scratch_text("t", "a,b,y\n1,,3\n,,6\n"), &options, &data), TN_EFORMAT,
                   "column 'b' has no value at all");
    expect_ok(tn_dataset_csv(scratch_text("t", "a,b\n1,\n"), &predict, &data));
    assert_true(isnan(((float *)data.x)[1]));
    tn_dataset_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_and_the_last_column_is_the_target),
        cmocka_unit_test(what_stands_between_cells_is_seen),
        cmocka_unit_test(a_row_alone_shows_its_separator),
        cmocka_unit_test(the_target_may_be_any_column),
        cmocka_unit_test(numbers_that_f32_takes_for_one_another_are_warned_of),
        cmocka_unit_test(a_table_to_predict_from_may_have_the_target_or_not),
        cmocka_unit_test(a_table_to_predict_from_may_lack_the_target),
        cmocka_unit_test(a_missing_value_becomes_the_mean_of_its_column),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line_and_column),
        cmocka_unit_test(zero_bytes_missing_files_and_folders_are_refused),
        cmocka_unit_test(a_comma_for_the_point_in_the_users_locale_changes_nothing),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
        cmocka_unit_test(several_targets_may_be_any_columns),
        cmocka_unit_test(mistakes_in_targets_are_named),
        cmocka_unit_test(columns_are_found_by_the_names_of_another_table),
        cmocka_unit_test(a_number_that_is_none_is_a_missing_value_however_it_is_printed),
        cmocka_unit_test(missing_values_may_be_kept),
    };
    return cmocka_run_group_tests_name("csv", tests, scratch_begin, scratch_end);
}
