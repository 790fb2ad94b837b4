/* text_data.c: texts as data sets: what samples and labels are, which part is for testing, and what is no text. */
#include <stdlib.h>
#include <string.h>

#include "near.h"
#include "scratch.h"
#include "tenon/data.h"

/* Each sample is the text where it stands, and its labels the same one byte further on. */
static void check_samples(const tn_dataset *data, const char *text, int64_t context)
{
    float x[64];
    int32_t label[64];
    assert_int_equal(data->count, ((int64_t)strlen(text) - 1) / context);
    assert_int_equal(data->labels, context);
    assert_int_equal(data->classes, 256);
    for (int64_t i = 0; i < data->count; i++) {
        expect_ok(tn_dataset_sample(data, i, x, label));
        for (int64_t k = 0; k < context; k++) {
            assert_int_equal((int)x[k], (unsigned char)text[i * context + k]);
            assert_int_equal(label[k], (unsigned char)text[i * context + k + 1]);
        }
    }
}

static void samples_are_the_text_and_labels_what_comes_next(void **state)
{
    static const char text[] = "Das ist ein kurzer Text, mit Umläuten: ö, ü, ß, und 日本.\n";
    tn_dataset data = {0};
    (void)state;
    for (int64_t context = 2; context < 20; context += 5) {
        expect_ok(tn_dataset_text(scratch_text("t.txt", text), context, &data));
        check_samples(&data, text, context);
        expect_ok(tn_dataset_load(&data)); /* all of them in memory are the same */
        check_samples(&data, text, context);
        tn_dataset_free(&data);
    }
}

/* Numbered in order of their code points behind U+FFFD, which stands for what the training part lacks. */
static void characters_are_numbered_by_those_of_the_training_part(void **state)
{
    static const char text[] = "b\xc3\xa4\\a\n\xe6\x97\xa5\xf0\x9f\x98\x80"
                               "baba\n\nb\xc3\xa4"
                               "ababababababababababababababababababab"
                               "a\xc3\xb6\xc3\xb6"
                               "a";
    static const char lines[] = "\xef\xbf\xbd\n\\n\n\\\\\na\nb\n\xc3\xa4\n\xe6\x97\xa5\n\xf0\x9f\x98\x80\n";
    static const int32_t begin[] = {4, 5, 2, 3, 1, 6, 7, 4, 3}, end[] = {3, 0, 0, 3};
    tn_dataset train = {0}, test = {0}, other = {0};
    tn_open_options how = {.context = 2, .alphabet = ""};
    float x[2];
    int32_t label[2];
    (void)state;
    expect_ok(tn_dataset_open_with(scratch_text("t.txt", text), &how, &train, &test));
    assert_string_equal(train.class_names, lines);
    assert_int_equal(train.classes, 8);
    for (int64_t i = 0; i < 4; i++) {
        expect_ok(tn_dataset_sample(&train, i, x, label));
        for (int k = 0; k < 2; k++) {
            assert_int_equal((int)x[k], begin[2 * i + k]);
            assert_int_equal(label[k], begin[2 * i + k + 1]);
        }
    }
    how.alphabet = train.class_names;
    expect_ok(tn_dataset_open_with(scratch_text("u.txt", "a\xc3\xb6\xc3\xb6"
                                                         "a"),
                                   &how, NULL, &other));
    assert_int_equal(other.count, 1);
    expect_ok(tn_dataset_sample(&other, 0, x, label));
    assert_true((int)x[0] == end[0] && (int)x[1] == end[1] && label[1] == end[2]);
    tn_dataset_free(&other);
    static const char *const wrong[] = {"a\nb\n", "\xef\xbf\xbd\nb\na\n", "\xef\xbf\xbd\nab\n", "\xef\xbf\xbd\n",
                                        "\xef\xbf\xbd\n\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        how.alphabet = wrong[i];
        assert_int_equal(tn_dataset_open_with(scratch_text("u.txt", "abc"), &how, NULL, &other), TN_EFORMAT);
    }
    tn_dataset_free(&train);
    tn_dataset_free(&test);
}

static void line_ends_and_marks_are_as_everywhere(void **state)
{
    tn_dataset data = {0};
    (void)state;
    expect_ok(tn_dataset_text(scratch_text("t.txt", "\xef\xbb\xbfone\r\ntwo\r\nth\rree\r\n"), 3, &data));
    check_samples(&data, "one\ntwo\nth\rree\n", 3);
    tn_dataset_free(&data);
}

static void the_last_tenth_is_for_testing_and_begins_with_a_character(void **state)
{
    enum { BEFORE = 358, AFTER = 39 }; /* of 400 bytes the cut would lie inside the character */
    char text[BEFORE + 3 + AFTER + 1] = "", first[BEFORE + 4] = "";
    tn_dataset train = {0}, test = {0};
    const tn_open_options how = {.context = 4};
    (void)state;
    for (int i = 0; i < BEFORE; i++) text[i] = (char)('a' + i % 26);
    strcat(text, "\xe6\x97\xa5");
    for (int i = 0; i < AFTER; i++) text[BEFORE + 3 + i] = (char)('A' + i % 26);
    memcpy(first, text, BEFORE + 3);
    expect_ok(tn_dataset_open_with(scratch_text("t.txt", text), &how, &train, &test));
    check_samples(&train, first, 4);
    check_samples(&test, text + BEFORE + 3, 4);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    expect_ok(tn_dataset_open_with(scratch_text("t.txt", text), &how, NULL, &test)); /* all of it */
    check_samples(&test, text, 4);
    tn_dataset_free(&test);
}

static void a_part_keeps_the_labels_of_its_samples(void **state)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
    tn_dataset data = {0}, part = {0};
    float x[5];
    int32_t label[5];
    (void)state;
    expect_ok(tn_dataset_text(scratch_text("t.txt", text), 5, &data));
    expect_ok(tn_dataset_load(&data));
    expect_ok(tn_dataset_split(&data, 0.4, 3, &part));
    assert_int_equal(part.count + data.count, 9);
    for (int64_t i = 0; i < part.count; i++) {
        expect_ok(tn_dataset_sample(&part, i, x, label));
        const char *at = strchr(text, (int)x[0]);
        for (int k = 0; k < 5; k++) assert_int_equal(label[k], at[k + 1]);
    }
    int64_t common = -1;
    expect_ok(tn_dataset_common(&part, &part, &common));
    assert_int_equal(common, part.count);
    expect_ok(tn_dataset_common(&part, &data, &common));
    assert_int_equal(common, 0);
    tn_dataset_free(&data);
    tn_dataset_free(&part);
}

static void what_is_no_text_is_refused_by_its_line(void **state)
{
    static const struct {
        const char *text, *say;
        int64_t context;
    } cases[] = {{"one\ntwo \xff\n", "line 2", 2}, {"one\ntw\xc3", "line 2", 2}, {"caf\xe9 au lait\n", "no UTF-8", 2},
                 {"short", "has 5 bytes", 5},      {"", "has 0 bytes", 5},       {"text", "a context of 1 bytes", 1}};
    tn_dataset data = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(tn_dataset_text(scratch_text("t.txt", cases[i].text), cases[i].context, &data) != TN_OK);
        if (!strstr(tn_message(), cases[i].say)) fail_msg("case %zu: %s", i, tn_message());
        assert_null(data.loader);
    }
    assert_int_equal(tn_dataset_text("/nonexistent.txt", 4, &data), TN_EMISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_the_text_and_labels_what_comes_next),
        cmocka_unit_test(characters_are_numbered_by_those_of_the_training_part),
        cmocka_unit_test(line_ends_and_marks_are_as_everywhere),
        cmocka_unit_test(the_last_tenth_is_for_testing_and_begins_with_a_character),
        cmocka_unit_test(a_part_keeps_the_labels_of_its_samples),
        cmocka_unit_test(what_is_no_text_is_refused_by_its_line),
    };
    return cmocka_run_group_tests_name("text_data", tests, scratch_begin, scratch_end);
}
