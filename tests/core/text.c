/* text.c: texts of others are made fit to be shown: one line that no terminal obeys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "error.h"
#include "text.h"

static void assert_cleaned(const char *text, const char *want)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", text);
    assert_string_equal(tn_text_clean(copy, sizeof copy), want);
}

static void control_characters_become_blanks(void **state)
{
    (void)state;
    assert_cleaned("one\nline\r\t", "one line  ");
    assert_cleaned("\033]0;title\a\033[2J", " ]0;title  [2J");
    assert_cleaned("del\177", "del ");
    assert_cleaned("C1: \302\200\302\233m\302\237", "C1:     m  ");
    assert_cleaned("line\342\200\250 turned \342\200\256 round \342\201\247", "line    turned     round    ");
}

static void bytes_that_are_no_utf8_become_question_marks(void **state)
{
    (void)state;
    assert_cleaned("\233 \377 \300\257 \355\240\200", "? ? ?? ???");
    assert_cleaned("cut \303", "cut ?");
}

static void other_texts_stay_as_they_are(void **state)
{
    (void)state;
    assert_cleaned("", "");
    assert_cleaned("Gr\303\266\303\237e \302\240 \342\202\254 \342\200\247 \342\201\240 \360\237\230\200",
                   "Gr\303\266\303\237e \302\240 \342\202\254 \342\200\247 \342\201\240 \360\237\230\200");
}

static void a_text_that_is_not_closed_is_closed(void **state)
{
    char open[4] = {'a', 'b', 'c', 'd'}, cut[3] = {'a', '\303', '\266'};
    (void)state;
    assert_string_equal(tn_text_clean(open, sizeof open), "abc");
    assert_string_equal(tn_text_clean(cut, sizeof cut), "a?");
}

static char heard[256];

static void hear(void *arg, int32_t level, const char *line)
{
    (void)arg, (void)level;
    snprintf(heard, sizeof heard, "%s", line);
}

static void messages_and_lines_of_the_log_are_cleaned(void **state)
{
    (void)state;
    assert_int_equal(tn_fail(TN_EIO, "no file '%s'", "a\033[2J\302\233b\377"), TN_EIO);
    assert_string_equal(tn_message(), "no file 'a [2J  b?'");
    tn_log_to(hear, NULL, TN_LOG_DEBUG);
    tn_log_line(TN_LOG_INFO, "file %s", "a\033[2J\302\233b\377");
    tn_log_to(NULL, NULL, 0);
    assert_string_equal(heard, "file a [2J  b?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_become_blanks),
        cmocka_unit_test(bytes_that_are_no_utf8_become_question_marks),
        cmocka_unit_test(other_texts_stay_as_they_are),
        cmocka_unit_test(a_text_that_is_not_closed_is_closed),
        cmocka_unit_test(messages_and_lines_of_the_log_are_cleaned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
