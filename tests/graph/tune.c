/* tune.c: kernels that are chosen while a program is compiled, and tables that are taken and refused, on a device that
 * has sixteen ways for each product, the fastest of which is wrong (tests/backends/tuning.c). */
#include "harness.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define BEST "way a=3 b=3"

enum { M = 5, K = 9, N = 7 };

static tn_graph *product(int64_t n)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *w = tn_param(g, n == N ? "w" : "other", TN_SHAPE(K, n), (tn_init){.kind = TN_INIT_UNIFORM, .a = 1});
    tn_output(tn_tanh(tn_matmul(tn_input(g, "x", TN_F32, TN_SHAPE(M, K)), w)), "y");
    return g;
}

static void look_for(void *arg, const char *line)
{
    if (strstr(line, "by " BEST ", tuned")) ++*(int *)arg;
}

/* Whether a program of that product, compiled with so many seconds for it, has the best way that is right. */
static int is_tuned(fixture *f, int64_t n, double seconds)
{
    int found = 0;
    tn_program *p = NULL;
    tn_graph *g = product(n);
    ok(tn_compile(g, f->state, &(tn_compile_options){.tune = seconds}, &p));
    tn_program_explain(p, look_for, &found);
    tn_program_free(p);
    tn_graph_free(g);
    return found;
}

static void is_tuned_while_it_is_compiled(void **state)
{
    (void)state;
    fixture f = use_device("tuning", 1);
    tn_tuned_choice choice;
    ok(tn_tuned_forget(f.device));
    assert_false(is_tuned(&f, N, 0));
    assert_false(tn_tuned_at(f.device, 0, &choice));
    assert_true(is_tuned(&f, N, 20));
    assert_true(tn_tuned_at(f.device, 0, &choice));
    assert_string_equal(choice.choice, BEST);
    assert_true(choice.error > 0 && choice.error <= 1 && !choice.unchecked);
    assert_true(choice.seconds > 1.09e-6 && choice.seconds < 1.11e-6 && choice.usual > 1.99e-6);
    assert_false(tn_tuned_at(f.device, 1, &choice));
    assert_true(is_tuned(&f, N, 0)); /* from then on */
    drop_device(&f);
    f = use_device("tuning", 1); /* and once the device was closed */
    assert_true(is_tuned(&f, N, 0));
    drop_device(&f);
}

/* Takes the table's choice while it is tuned. */
static void ask(void *arg, const tn_tuned_operator *row)
{
    tn_device *device = arg;
    tn_tuned_choice choice;
    uint64_t bytes = 0;
    assert_true(tn_tuned_at(device, 0, &choice));
    assert_string_equal(choice.key, row->key);
    assert_string_equal(choice.choice, row->choice);
    ok(tn_tuned_export(device, NULL, 0, &bytes));
}

static void can_be_asked_while_it_tells(void **state)
{
    (void)state;
    fixture f = use_device("tuning", 1);
    tn_program *p = NULL;
    tn_graph *g = product(N);
    ok(tn_tuned_forget(f.device));
    ok(tn_compile(g, f.state, NULL, &p));
    ok(tn_program_tune(p, &(tn_tune_options){.seconds = 20, .tell = ask, .arg = f.device}));
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* ---- time ---- */

static tn_graph *two_products(void)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(M, K));
    for (int i = 1; i <= 2; i++) {
        const tn_init init = {.kind = TN_INIT_UNIFORM, .a = 1};
        tn_tensor *w = tn_param(g, i == 1 ? "w" : "wide", TN_SHAPE(K, (int64_t)i * N), init);
        tn_output(tn_tanh(tn_matmul(x, w)), i == 1 ? "y" : "z");
    }
    return g;
}

/* What is told of operators, in that order. */
typedef struct told {
    int count;
    uint32_t skipped[2], tried;
    char key[2][100];
} told;

static void take_down(void *arg, const tn_tuned_operator *row)
{
    told *t = arg;
    assert_true(t->count < 2);
    t->skipped[t->count] = row->skipped;
    t->tried += row->tried;
    snprintf(t->key[t->count++], sizeof *t->key, "%s", row->key);
}

static told tune(fixture *f, tn_graph *g, double seconds, uint32_t small_first)
{
    told t = {0};
    tn_program *p = NULL;
    ok(tn_compile(g, f->state, NULL, &p));
    ok(tn_program_tune(
        p, &(tn_tune_options){.seconds = seconds, .tell = take_down, .arg = &t, .small_first = small_first}));
    tn_program_free(p);
    tn_graph_free(g);
    return t;
}

static void begins_nothing_once_its_time_is_over(void **state)
{
    (void)state;
    fixture f = use_device("tuning", 1);
    tn_tuned_choice choice;
    ok(tn_tuned_forget(f.device));
    for (uint32_t small_first = 0; small_first < 2; small_first++) {
        const told late = tune(&f, two_products(), 1e-9, small_first);
        assert_true(late.count == 2 && !late.tried);
        assert_true(late.skipped[0] == TN_TUNE_NO_TIME && late.skipped[1] == TN_TUNE_NO_TIME);
        assert_non_null(strstr(late.key[small_first], " by 5x14"));
        assert_non_null(strstr(late.key[!small_first], " by 5x7"));
        assert_false(tn_tuned_at(f.device, 0, &choice));
    }
    const told all = tune(&f, two_products(), 20, 0); /* goes on with them */
    assert_true(all.tried == 32 && !all.skipped[0] && !all.skipped[1]);
    assert_true(tn_tuned_at(f.device, 1, &choice));
    assert_int_equal(tune(&f, two_products(), 1e-9, 0).skipped[0], 0); /* what is known takes no time */
    drop_device(&f);
}

static void leaves_what_takes_too_long(void **state)
{
    (void)state;
    fixture f = use_device("tuning", 1);
    tn_tuned_choice choice;
    ok(tn_tuned_forget(f.device));
    setenv("TUNING_SLOW", "1000000", 1); /* 2 seconds */
    const told t = tune(&f, product(N), 5, 0);
    unsetenv("TUNING_SLOW");
    assert_true(t.count == 1 && !t.tried && t.skipped[0] == TN_TUNE_TOO_SLOW);
    assert_false(tn_tuned_at(f.device, 0, &choice));
    drop_device(&f);
}

/* The usual kernel, a candidate and one comparison take 16 runs at the most; five comparisons would take 40. */
static void compares_once_when_its_time_is_over(void **state)
{
    (void)state;
    static const char path[] = "tune_runs";
    fixture f = use_device("tuning", 1);
    ok(tn_tuned_forget(f.device));
    remove(path);
    setenv("TUNING_COUNT", path, 1);
    setenv("TUNING_SLEEPS", "30", 1);
    const told t = tune(&f, product(N), 0.2, 0);
    unsetenv("TUNING_COUNT");
    unsetenv("TUNING_SLEEPS");
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    const long runs = ftell(file);
    fclose(file);
    assert_true(t.count == 1 && runs >= 2 && runs < 40);
    drop_device(&f);
}

/* Of halves the last of an odd number has two bytes behind the last whole word. */
static void what_a_former_run_left_is_no_result(void **state)
{
    (void)state;
    enum { ODD = 33 }; /* 1089 values: enough to be stored as halves */
    fixture f = use_device("tuning", 1);
    tn_tuned_choice choice;
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    const tn_init init = {.kind = TN_INIT_UNIFORM, .a = 1};
    tn_tensor *h =
        tn_tanh(tn_matmul(tn_input(g, "x", TN_F32, TN_SHAPE(ODD, K)), tn_param(g, "first", TN_SHAPE(K, ODD), init)));
    tn_output(tn_matmul(h, tn_param(g, "second", TN_SHAPE(ODD, N), init)), "y");
    ok(tn_tuned_forget(f.device));
    ok(tn_compile(g, f.state, &(tn_compile_options){.storage = TN_F16}, &p));
    setenv("TUNING_FORGETS", "way a=3 b=2", 1);
    ok(tn_program_tune(p, &(tn_tune_options){.seconds = 20}));
    unsetenv("TUNING_FORGETS");
    for (size_t i = 0; i < 2; i++) {
        assert_true(tn_tuned_at(f.device, i, &choice));
        assert_string_equal(choice.choice, BEST);
    }
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* What there was no memory for is tried when the operator is tuned once more. */
static void tries_again_what_there_was_no_memory_for(void **state)
{
    (void)state;
    fixture f = use_device("tuning", 1);
    tn_tuned_choice choice;
    tn_program *p = NULL;
    tn_graph *g = product(N);
    ok(tn_tuned_forget(f.device));
    ok(tn_compile(g, f.state, NULL, &p));
    setenv("TUNING_STARVES", BEST, 1);
    for (int i = 0; i < 3; i++) { /* which is no process that ended by it, however often */
        ok(tn_program_tune(p, &(tn_tune_options){.seconds = 20, .again = 1}));
        assert_true(tn_tuned_at(f.device, 0, &choice));
        assert_string_not_equal(choice.choice, BEST);
    }
    unsetenv("TUNING_STARVES");
    ok(tn_program_tune(p, &(tn_tune_options){.seconds = 20, .again = 1}));
    assert_true(tn_tuned_at(f.device, 0, &choice));
    assert_string_equal(choice.choice, BEST);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* ---- tables ---- */

/* As a full disk does. */
static void let_files_grow(int may)
{
    static struct rlimit before;
    if (!may) assert_false(getrlimit(RLIMIT_FSIZE, &before));
    signal(SIGXFSZ, may ? SIG_DFL : SIG_IGN);
    const struct rlimit now = {.rlim_cur = may ? before.rlim_cur : 0, .rlim_max = before.rlim_max};
    assert_false(setrlimit(RLIMIT_FSIZE, &now));
}

static void keeps_its_choices_where_the_cache_cannot_be_written(void **state)
{
    (void)state;
    fixture f = use_device("tuning", 1);
    tn_tuned_choice choice;
    ok(tn_tuned_forget(f.device));
    assert_true(is_tuned(&f, N, 20));
    let_files_grow(0);
    const int was_kept = tn_tuned_at(f.device, 0, &choice) && !choice.unkept;
    const int is_other = is_tuned(&f, 2 * N, 20), is_unkept = tn_tuned_at(f.device, 0, &choice) && choice.unkept;
    const tn_status forgotten = tn_tuned_forget(f.device);
    const int is_none = !tn_tuned_at(f.device, 0, &choice), is_again = is_tuned(&f, 2 * N, 20);
    const int is_one = tn_tuned_at(f.device, 0, &choice) && !tn_tuned_at(f.device, 1, &choice);
    let_files_grow(1);
    assert_true(was_kept && is_other && is_unkept && forgotten == TN_EIO && is_none && is_again && is_one);
    assert_true(is_tuned(&f, N, 20)); /* and all is written */
    assert_true(tn_tuned_at(f.device, 0, &choice) && !choice.unkept);
    drop_device(&f);
    f = use_device("tuning", 1);
    assert_true(is_tuned(&f, 2 * N, 0) && is_tuned(&f, N, 0));
    drop_device(&f);
}

static char *table_of(const tn_device *device, uint64_t *bytes)
{
    ok(tn_tuned_export(device, NULL, 0, bytes));
    char *text = malloc(*bytes + 1);
    assert_non_null(text);
    ok(tn_tuned_export(device, text, *bytes, bytes));
    return text;
}

static void is_compared_before_it_is_used(void **state)
{
    (void)state;
    fixture f = use_device("tuning", 1);
    tn_tuned_choice choice;
    uint64_t bytes = 0;
    uint32_t count = 9;
    ok(tn_tuned_forget(f.device));
    assert_true(is_tuned(&f, N, 20));
    char *text = table_of(f.device, &bytes);
    ok(tn_tuned_import(f.device, text, bytes, &count));
    assert_int_equal(count, 0); /* what was measured here is kept */
    ok(tn_tuned_forget(f.device));
    ok(tn_tuned_import(f.device, text, bytes, &count));
    assert_int_equal(count, 1);
    assert_true(tn_tuned_at(f.device, 0, &choice) && choice.unchecked);
    assert_true(is_tuned(&f, N, 0));
    assert_true(tn_tuned_at(f.device, 0, &choice) && !choice.unchecked);
    free(text);
    drop_device(&f);
}

static void refuse(tn_device *device, const char *text, uint64_t bytes)
{
    tn_tuned_choice choice;
    assert_int_equal(tn_tuned_import(device, text, bytes, NULL), TN_EINVAL);
    assert_null(strchr(tn_message(), '\n'));
    assert_false(tn_tuned_at(device, 0, &choice));
}

/* Each byte changed, and each length, is another table, whose checksum is wrong. */
static void takes_no_table_that_was_changed(void **state)
{
    (void)state;
    fixture f = use_device("tuning", 1);
    uint64_t bytes = 0;
    ok(tn_tuned_forget(f.device));
    assert_true(is_tuned(&f, N, 20) && is_tuned(&f, N + 1, 20));
    char *text = table_of(f.device, &bytes);
    ok(tn_tuned_forget(f.device));
    for (uint64_t i = 0; i < bytes; i++) {
        refuse(f.device, text, i);
        text[i] ^= 1 << i % 8;
        refuse(f.device, text, bytes);
        text[i] ^= 1 << i % 8;
    }
    ok(tn_tuned_import(f.device, text, bytes, NULL));
    free(text);
    drop_device(&f);
}

/* The hash of a table's sum: Fowler, Noll and Vo's, 1a. */
static unsigned long long sum_of(const char *text, size_t bytes)
{
    unsigned long long sum = 0xCBF29CE484222325;
    for (size_t i = 0; i < bytes; i++) sum = (sum ^ (unsigned char)text[i]) * 0x100000001B3;
    return sum;
}

/* Takes time in proportion to its rows. */
static void takes_a_table_of_many_rows(void **state)
{
    (void)state;
    enum { ROWS = 200000, LINE = 80 };
    fixture f = use_device("tuning", 1);
    uint64_t bytes = 0;
    uint32_t count = 0;
    char *text = malloc((ROWS + 4) * LINE);
    assert_non_null(text);
    size_t used = (size_t)sprintf(text, "tenon tuned 1\ndevice a device of the tests\ndriver its first driver\n");
    for (int i = 0; i < ROWS; i++)
        used += (size_t)sprintf(text + used, "chosen 1100 2000 300 matmul 1 1x%d by 1x1 00 | %s\n", i, BEST);
    used += (size_t)sprintf(text + used, "sum %016llx\n", sum_of(text, used));
    ok(tn_tuned_forget(f.device));
    ok(tn_tuned_import(f.device, text, used, &count));
    assert_int_equal(count, ROWS);
    ok(tn_tuned_import(f.device, text, used, &count)); /* they are there */
    assert_int_equal(count, 0);
    ok(tn_tuned_export(f.device, NULL, 0, &bytes));
    assert_in_range(bytes, used - ROWS, used);
    ok(tn_tuned_forget(f.device));
    free(text);
    drop_device(&f);
}

/* Names that would end a table's line. */
static void leaves_out_what_cannot_be_written_down(void **state)
{
    (void)state;
    fixture f = use_device("tuning", 1);
    ok(tn_tuned_forget(f.device));
    setenv("TUNING_BREAKS", "1", 1);
    assert_true(is_tuned(&f, N, 20));
    unsetenv("TUNING_BREAKS");
    drop_device(&f);
    f = use_device("tuning", 1);
    assert_true(is_tuned(&f, N, 0)); /* the table can be read */
    drop_device(&f);
}

static void refuses_times_that_are_none(void **state)
{
    (void)state;
    static const double none[] = {-1, NAN, -INFINITY};
    fixture f = use_device("tuning", 1);
    tn_program *p = NULL;
    tn_graph *g = product(N);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(tn_compile(g, f.state, &(tn_compile_options){.tune = none[i]}, &p), TN_EINVAL);
        assert_non_null(strstr(tn_message(), "tn_compile_options.tune"));
    }
    ok(tn_compile(g, f.state, NULL, &p));
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(tn_program_tune(p, &(tn_tune_options){.seconds = none[i]}), TN_EINVAL);
        assert_non_null(strstr(tn_message(), "tn_tune_options.seconds"));
    }
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* Asked before each trial; says so at the fourth. */
static int at_the_fourth(void *arg)
{
    return ++*(int *)arg > 4;
}

static void stops_between_trials(void **state)
{
    (void)state;
    fixture f = use_device("tuning", 1);
    int asked = 0;
    tn_tuned_choice choice;
    tn_program *p = NULL;
    tn_graph *g = product(N);
    ok(tn_tuned_forget(f.device));
    ok(tn_compile(g, f.state, NULL, &p));
    ok(tn_program_tune(p, &(tn_tune_options){.seconds = 1000, .stops = at_the_fourth, .arg = &asked}));
    assert_in_range(asked, 5, 10);
    assert_false(tn_tuned_at(f.device, 0, &choice));
    ok(tn_program_tune(p, &(tn_tune_options){.seconds = 20}));
    assert_true(tn_tuned_at(f.device, 0, &choice));
    assert_string_equal(choice.choice, BEST);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void says_what_it_cannot_do(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_program *p = NULL;
    tn_graph *g = product(N);
    uint64_t bytes = 0;
    ok(tn_compile(g, f.state, &(tn_compile_options){.tune = 1}, &p)); /* there is nothing to choose */
    assert_int_equal(tn_program_tune(p, NULL), TN_EUNSUPPORTED);
    assert_int_equal(tn_tuned_export(f.device, NULL, 0, &bytes), TN_EUNSUPPORTED);
    assert_int_equal(tn_tuned_forget(f.device), TN_EUNSUPPORTED);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

int main(void)
{
    if (tn_backend_load(TUNING)) return puts(tn_message()), 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_tuned_while_it_is_compiled),
        cmocka_unit_test(can_be_asked_while_it_tells),
        cmocka_unit_test(begins_nothing_once_its_time_is_over),
        cmocka_unit_test(leaves_what_takes_too_long),
        cmocka_unit_test(compares_once_when_its_time_is_over),
        cmocka_unit_test(what_a_former_run_left_is_no_result),
        cmocka_unit_test(tries_again_what_there_was_no_memory_for),
        cmocka_unit_test(keeps_its_choices_where_the_cache_cannot_be_written),
        cmocka_unit_test(is_compared_before_it_is_used),
        cmocka_unit_test(takes_no_table_that_was_changed),
        cmocka_unit_test(takes_a_table_of_many_rows),
        cmocka_unit_test(leaves_out_what_cannot_be_written_down),
        cmocka_unit_test(refuses_times_that_are_none),
        cmocka_unit_test(stops_between_trials),
        cmocka_unit_test(says_what_it_cannot_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
