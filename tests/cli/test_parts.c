/* The command's pure parts: options, JSON, the progress line, the history and its curve. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "draw.h"
#include "history.h"
#include "progress.h"
#include "../core/utf8.h"
#include "json.h"
#include "options.h"

/* ---- options ---- */

typedef struct values {
    const char *net;
    int64_t batch;
    double lr;
    int json, stats;
    cli_option options[6];
} values;

static int parse(values *v, int argc, const char *const words[], int *operands)
{
    char *argv[8] = {0};
    const cli_option options[] = {
        {.kind = CLI_TEXT, .name = "net", .value = "NET", .target = &v->net},
        {.kind = CLI_WHOLE, .name = "batch", .value = "N", .target = &v->batch, .low = 1, .high = 100},
        {.kind = CLI_NUMBER, .name = "lr", .value = "F", .target = &v->lr, .low = 0, .high = INFINITY},
        {.kind = CLI_LEVEL, .name = "json", .value = "step", .target = &v->json},
        {.kind = CLI_FLAG, .name = "stats", .target = &v->stats},
        {.kind = CLI_END},
    };
    memset(v, 0, sizeof *v);
    memcpy(v->options, options, sizeof options);
    for (int i = 0; i < argc; i++) argv[i] = (char *)(uintptr_t)words[i];
    return cli_parse(&(cli_syntax){"test", "FILE...", "", NULL, v->options}, argc, argv, operands);
}

#define PARSE(v, n, ...)                                                                                               \
    parse(v, (int)(sizeof((const char *[]){"test", __VA_ARGS__}) / sizeof(char *)),                                    \
          (const char *[]){"test", __VA_ARGS__}, n)

static void options_are_read_in_both_spellings_and_operands_are_kept(void **state)
{
    values v;
    int n;
    (void)state;
    assert_int_equal(PARSE(&v, &n, "--batch", "7", "file", "--lr=1e-3", "--json=step", "--", "--net"), CLI_GO_ON);
    assert_int_equal(v.batch, 7);
    assert_true(v.lr == 1e-3);
    assert_int_equal(v.json, 2);
    assert_int_equal(v.stats, 0);
    assert_int_equal(n, 2);
    assert_true(cli_given(v.options, "batch") && !cli_given(v.options, "net"));
    assert_int_equal(PARSE(&v, &n, "--json", "--net", "", "--stats"), CLI_GO_ON);
    assert_int_equal(v.json, 1);
    assert_int_equal(v.stats, 1);
    assert_string_equal(v.net, "");
}

static void values_out_of_range_are_usage_errors_and_change_nothing(void **state)
{
    static const char *const bad[][2] = {{"--batch", "0"},  {"--batch", "101"}, {"--batch", "1.0"}, {"--batch", " "},
                                         {"--batch", "0x"}, {"--lr", "0"},      {"--lr", "nan"},    {"--lr", "inf"},
                                         {"--lr", "1e999"}, {"--lr", "-1"},     {"--stats=1", "x"}, {"--json=x", "x"},
                                         {"--nett", "x"},   {"-n", "x"}};
    values v;
    int n;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (PARSE(&v, &n, bad[i][0], bad[i][1]) != CLI_USAGE) fail_msg("%s %s was taken", bad[i][0], bad[i][1]);
        assert_true(v.batch == 0 && v.lr == 0 && !v.net && !v.stats && !v.json);
    }
    assert_int_equal(PARSE(&v, &n, "--net"), CLI_USAGE);
}

/* ---- texts ---- */

static void an_epoch_is_one_line_without_what_there_is_not(void **state)
{
    char text[240];
    tn_epoch e = {3, {0.25, 0.9}, {0.3, 0.875}, 1, {NAN, NAN}};
    (void)state;
    assert_string_equal(cli_epoch_text(&e, 10, 1234567, 120, text, sizeof text),
                        "epoch  3/10  loss 0.25       accuracy  90.00 %  test accuracy  87.50 %  1.23 M/s");
    e = (tn_epoch){1, {0.5, NAN}, {0.25, NAN}, 2, {NAN, NAN}};
    assert_string_equal(cli_epoch_text(&e, 2, 1998, 80, text, sizeof text),
                        "epoch 1/2  loss 0.5        test loss 0.25       999/s");
    e.seconds = 0.04; /* too short to tell its speed */
    assert_string_equal(cli_epoch_text(&e, 2, 1998, 80, text, sizeof text),
                        "epoch 1/2  loss 0.5        test loss 0.25");
    e = (tn_epoch){1, {0.5, 0.5}, {0.25, 0.75}, 2, {0.125, 0.625}};
    assert_string_equal(
        cli_epoch_text(&e, 2, 1998, 200, text, sizeof text),
        "epoch 1/2  loss 0.5        accuracy  50.00 %  validation accuracy  62.50 %  test accuracy  75.00 %  "
        "999/s");
    assert_string_equal(cli_epoch_text(&e, 2, 1998, 80, text, sizeof text),
                        "epoch 1/2  loss 0.5        acc  50.00 %  val acc  62.50 %  test acc  75.00 %");
    e = (tn_epoch){3, {0.25, 0.9}, {0.3, 0.875}, 1, {NAN, NAN}};
    assert_string_equal(cli_epoch_text(&e, 10, 1234567, 80, text, sizeof text),
                        "epoch  3/10  loss 0.25       accuracy  90.00 %  test accuracy  87.50 %  1.23 M/s");
}

static void a_text_is_cut_in_its_middle_or_at_its_beginning(void **state)
{
    char text[40] = "caf\xc3\xa9 au lait";
    (void)state;
    assert_int_equal(cli_columns(text), 12);
    assert_string_equal(cli_fitted(text, sizeof text, 12), "caf\xc3\xa9 au lait");
    assert_string_equal(cli_fitted(text, sizeof text, 8), "caf\xc3\xa9..it");
    assert_string_equal(cli_fitted_end(strcpy(text, "folder/cat/7.png"), sizeof text, 8), "../7.png");
    assert_string_equal(cli_fitted(strcpy(text, "a\033b"), sizeof text, 8), "a b");
}

/* As terminals show them: two columns for a Chinese character, none for an accent of its own. */
static void wide_characters_and_accents_are_counted_as_they_are_shown(void **state)
{
    static const char swift[] = "\xe5\x8c\x97\xe4\xba\xac\xe9\x9b\xa8\xe7\x87\x95";
    char text[64];
    (void)state;
    assert_int_equal(cli_columns(swift), 8);
    assert_int_equal(cli_columns("\xed\x95\x9c\xea\xb8\x80 \xef\xbc\xa1"), 7);
    assert_int_equal(cli_columns("\xd0\xa1\xd0\xbe\xd0\xb9\xd0\xba\xd0\xb0"), 5);
    assert_int_equal(cli_columns("nai\xcc\x88ve"), 5);
    assert_int_equal(cli_columns("\xf0\x9f\x90\xa6 a"), 4);
    assert_int_equal(cli_columns("\xff\xfe"), 2);
    assert_int_equal(cli_columns_in(swift, 3), 2);
    assert_int_equal(cli_fitting(swift, 3), 3);
    assert_string_equal(cli_fitted(strcpy(text, swift), sizeof text, 7), "\xe5\x8c\x97\xe4\xba\xac..");
    assert_string_equal(cli_fitted_end(strcpy(text, swift), sizeof text, 7), "..\xe9\x9b\xa8\xe7\x87\x95");
}

static void durations_are_short_and_right(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "0.0 s"},       {9.94, "9.9 s"},   {10, "10 s"},        {59.4, "59 s"},
                 {59.6, "1:00 min"}, {125, "2:05 min"}, {3599, "59:59 min"}, {3600, "1:00 h"},
                 {7322, "2:02 h"},   {NAN, "long"},     {INFINITY, "long"},  {-1, "long"}};
    char text[32];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(cli_duration_text(cases[i].seconds, text, sizeof text), cases[i].text);
}

/* ---- files ---- */

/* What `write` prints to standard output. */
static void capture(void (*write)(void), char *text, size_t capacity)
{
    char path[] = "/tmp/tenon-test-XXXXXX";
    int file = mkstemp(path), out = dup(1);
    assert_true(file >= 0 && out >= 0);
    fflush(stdout);
    dup2(file, 1);
    write();
    fflush(stdout);
    dup2(out, 1);
    ssize_t got = pread(file, text, capacity - 1, 0);
    text[got > 0 ? got : 0] = 0;
    close(file);
    close(out);
    unlink(path);
}

static void write_json(void)
{
    cli_json json = {0};
    cli_json_begin(&json, NULL, '{');
    cli_json_text(&json, "t", "a\"\\\n\t\xc3\xa9\xff\xed\xa0\x80");
    cli_json_number(&json, "nan", NAN);
    cli_json_number(&json, "inf", -INFINITY);
    cli_json_number(&json, "pi", 0.1);
    cli_json_begin(&json, "list", '[');
    cli_json_whole(&json, NULL, INT64_MIN);
    cli_json_bool(&json, NULL, 0);
    cli_json_text(&json, NULL, NULL);
    cli_json_end(&json, ']');
    cli_json_end(&json, '}');
}

static void json_escapes_and_never_writes_nan(void **state)
{
    char text[512];
    (void)state;
    capture(write_json, text, sizeof text);
    assert_string_equal(text, "{\"t\": \"a\\\"\\\\\\u000a\\u0009\xc3\xa9\\ufffd\\ufffd\\ufffd\\ufffd\", \"nan\": null, "
                              "\"inf\": null, \"pi\": 0.1, "
                              "\"list\": [-9223372036854775808, false, null]}\n");
}

static void a_history_survives_its_note(void **state)
{
    cli_history a = {0}, b = {0};
    (void)state;
    for (int i = 1; i < 200; i++)
        assert_true(
            cli_history_add(&a, &(tn_epoch){i, {1.0 / i, i % 2 ? NAN : 0.5}, {INFINITY, 0.25}, 1e9, {0.1 * i, NAN}}));
    char *text = cli_history_text(&a, 1);
    assert_true(cli_history_read(&b, text));
    assert_int_equal(b.count, a.count);
    for (size_t i = 0; i < a.count; i++) {
        assert_int_equal(b.epoch[i].number, a.epoch[i].number);
        assert_true(b.epoch[i].train.loss ==
                    a.epoch[i].train.loss); /* to the bit: what is judged by it goes on the same */
        assert_true(b.epoch[i].validation.loss == a.epoch[i].validation.loss);
        assert_int_equal(isnan(b.epoch[i].train.accuracy), isnan(a.epoch[i].train.accuracy));
    }
    free(text);
    cli_history_free(&a);
    cli_history_free(&b);
}

static void a_history_without_validation_is_read_too(void **state)
{
    cli_history h = {0};
    (void)state;
    assert_true(cli_history_read(&h, "0.5 0.25 nan nan 100;0.25 0.5 1 2 200;"));
    assert_int_equal(h.count, 2);
    assert_true(h.epoch[1].train.loss == 0.25 && h.epoch[1].test.accuracy == 2 && isnan(h.epoch[1].validation.loss));
    cli_history_free(&h);
}

static void the_curve_is_whole_whatever_the_numbers(void **state)
{
    static const double odd[][3] = {{1, 0.5, 0.25},   {NAN, NAN, NAN},  {0, 0, 0}, {INFINITY, 1, -INFINITY},
                                    {3e38, -3e38, 1}, {1e29, 1e-30, 1}, {5, 5, 5}};
    char path[] = "/tmp/tenon-curve-XXXXXX", text[1 << 16];
    (void)state;
    assert_non_null(mkdtemp(path));
    char file[64];
    snprintf(file, sizeof file, "%s/c.svg", path);
    for (size_t k = 0; k < sizeof odd / sizeof odd[0]; k++)
        for (int count = 1; count <= 3; count++) {
            cli_history h = {0};
            for (int i = 0; i < count; i++)
                assert_true(
                    cli_history_add(&h, &(tn_epoch){i + 1, {odd[k][i], NAN}, {odd[k][i], odd[k][i]}, 1, {NAN, NAN}}));
            assert_int_equal(cli_curve_write(file, &h, "a <b> & \"c\"", "huber"), CLI_OK);
            FILE *f = fopen(file, "r");
            size_t got = fread(text, 1, sizeof text - 1, f);
            text[got] = 0;
            fclose(f);
            assert_true(got > 500 && !strcmp(text + got - 7, "</svg>\n"));
            assert_non_null(strstr(text, "a &lt;b&gt; &amp; \"c\""));
            if (strstr(text, "nan") || strstr(text, "inf")) fail_msg("case %zu, %d epochs: %s", k, count, text);
            cli_history_free(&h);
        }
    unlink(file);
    assert_int_equal(rmdir(path), 0); /* nothing else was left there */
}

/* ---- drawing ---- */

/* All texts that are allowed, of characters of 1 to 3 bytes and some of 4, are UTF-8 and no control characters; and
 * there are as many as Unicode has. */
static int64_t count_characters(const cli_utf8 *utf8, char *text, size_t length)
{
    int64_t count = 0;
    for (int byte = 0; byte < 256; byte++) {
        cli_utf8 then = *utf8;
        if (!cli_utf8_allows(utf8, (unsigned char)byte)) continue;
        if (length == 0 && byte > 0xf0) continue; /* of four bytes those of one first byte are enough */
        text[length] = (char)byte;
        text[length + 1] = 0;
        cli_utf8_take(&then, (unsigned char)byte);
        count += then.left ? count_characters(&then, text, length + 1) : 1;
        if (!then.left && tn_utf8_length(text) != length + 1)
            fail_msg("%d bytes, the last %02x", (int)length + 1, byte);
    }
    return count;
}

static void what_is_drawn_is_text(void **state)
{
    char text[8];
    (void)state;
    /* 95 of ASCII and two; 0xa0..0x7ff; 0x800..0xffff without 2048 surrogates; 0x10000..0x3ffff */
    assert_int_equal(count_characters(&(cli_utf8){0}, text, 0),
                     97 + (0x800 - 0xa0) + (0x10000 - 0x800 - 2048) + (0x40000 - 0x10000));
}

static void a_byte_is_drawn_by_its_probability(void **state)
{
    enum { DRAWS = 20000 };
    static int drawn[256];
    float logit[256];
    (void)state;
    for (int i = 0; i < 256; i++) logit[i] = -50;
    logit[0] = 9; /* not allowed */
    logit['a'] = 2, logit['b'] = 1, logit['c'] = 0.5f;
    const cli_utf8 utf8 = {0};
    for (uint64_t n = 0; n < DRAWS; n++) drawn[cli_draw(logit, &utf8, 0.5, 256, cli_chance(7, n))]++;
    const double all = exp(4) + exp(2) + exp(1);
    assert_int_equal(drawn['a'] + drawn['b'] + drawn['c'], DRAWS);
    assert_true(fabs(drawn['a'] - DRAWS * exp(4) / all) < 0.01 * DRAWS); /* three deviations: 0.0075 */
    assert_true(fabs(drawn['b'] - DRAWS * exp(2) / all) < 0.01 * DRAWS);
    for (uint64_t n = 0; n < 1000; n++) {
        assert_int_not_equal(cli_draw(logit, &utf8, 5, 2, cli_chance(8, n)), 'c');
        assert_int_equal(cli_draw(logit, &utf8, 0, 256, cli_chance(9, n)), 'a');
    }
    assert_true(cli_chance(1, 0) != cli_chance(2, 0) && cli_chance(1, 0) != cli_chance(1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read_in_both_spellings_and_operands_are_kept),
        cmocka_unit_test(values_out_of_range_are_usage_errors_and_change_nothing),
        cmocka_unit_test(an_epoch_is_one_line_without_what_there_is_not),
        cmocka_unit_test(a_text_is_cut_in_its_middle_or_at_its_beginning),
        cmocka_unit_test(wide_characters_and_accents_are_counted_as_they_are_shown),
        cmocka_unit_test(durations_are_short_and_right),
        cmocka_unit_test(json_escapes_and_never_writes_nan),
        cmocka_unit_test(a_history_survives_its_note),
        cmocka_unit_test(a_history_without_validation_is_read_too),
        cmocka_unit_test(what_is_drawn_is_text),
        cmocka_unit_test(a_byte_is_drawn_by_its_probability),
        cmocka_unit_test(the_curve_is_whole_whatever_the_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
