/* asking.c: what a program makes of a backend's answers: only TN_EUNSUPPORTED sends an operator elsewhere, and the
 * backend's line says why; all other answers end the compilation, as does a device that has too little memory. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

static tn_tensor *input(tn_graph *g)
{
    return tn_input(g, "x", TN_F32, TN_SHAPE(4, 4));
}

static tn_tensor *square(tn_graph *g)
{
    return tn_square(input(g));
}

static tn_tensor *sum(tn_graph *g)
{
    return tn_sum(input(g), TN_AXES(0), 0);
}

static tn_tensor *product(tn_graph *g)
{
    return tn_matmul(input(g), input(g));
}

static tn_tensor *softmax(tn_graph *g)
{
    return tn_softmax(input(g), 1);
}

static tn_tensor *cumsum(tn_graph *g)
{
    return tn_cumsum(input(g), 1, 0, 0);
}

static tn_tensor *topk(tn_graph *g)
{
    return tn_topk(input(g), 2, 1, 0, NULL);
}

/* Compiles it for the device `answers`. */
static tn_status compile(fixture *f, tn_tensor *(*build)(tn_graph *g), const tn_compile_options *options,
                         tn_program **program)
{
    tn_graph *g = tn_graph_new();
    tn_output(build(g), "y");
    tn_status s = tn_compile(g, f->state, options, program);
    tn_graph_free(g);
    return s;
}

static void what_is_declined_runs_elsewhere_and_the_report_says_why(void **state)
{
    fixture f = use_device("answers", 1);
    tn_program *p = NULL;
    tn_program_report report;
    (void)state;
    ok(compile(&f, square, NULL, &p));
    tn_program_get_report(p, &report);
    assert_int_equal(report.fallback_nodes, 1);
    assert_string_equal(report.fallback_first, "map");
    assert_string_equal(report.fallback_why, "maps are for others");
    tn_program_free(p);
    ok(compile(&f, sum, NULL, &p));
    tn_program_get_report(p, &report);
    assert_string_equal(report.fallback_first, "reduce");
    assert_string_equal(report.fallback_why, "no reason given");
    tn_program_free(p);
    drop_device(&f);
}

static void strict_mode_says_why_as_well(void **state)
{
    fixture f = use_device("answers", 1);
    tn_program *p = NULL;
    (void)state;
    assert_int_equal(compile(&f, square, &(tn_compile_options){.strict = 1}, &p), TN_EUNSUPPORTED);
    assert_string_equal(
        tn_message(),
        "answers does not support map, and fallback is not allowed: maps are for others [node 1, square]");
    drop_device(&f);
}

static void collect(void *arg, const char *line)
{
    size_t length = strlen(arg);
    snprintf((char *)arg + length, 8192 - length, "%s\n", line);
}

static void the_explanation_says_why_as_well(void **state)
{
    char text[8192] = "";
    fixture f = use_device("answers", 1);
    tn_program *p = NULL;
    (void)state;
    ok(compile(&f, square, NULL, &p));
    tn_program_explain(p, collect, text);
    if (!strstr(text, "not on answers: maps are for others")) fail_msg("%s", text);
    tn_program_free(p);
    drop_device(&f);
}

static void every_other_answer_ends_the_compilation_with_the_backends_line(void **state)
{
    static const struct {
        tn_tensor *(*build)(tn_graph *g);
        tn_status status;
        const char *message;
    } cases[] = {
        {product, TN_ENOMEM, "answers: no room to think (when asked about matmul) [node 1, matmul]"},
        {softmax, TN_EDEVICE, "answers: the device is gone (when asked about softmax) [node 1, softmax]"},
        {cumsum, TN_EINVAL, "answers: a sum of nonsense (when asked about cumsum) [node 1, cumsum]"},
        {topk, TN_EDEVICE, "answers: an answer of its own (when asked about topk) [node 1, topk]"},
    };
    fixture f = use_device("answers", 1);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_program *p = NULL;
        assert_int_equal(compile(&f, cases[i].build, NULL, &p), cases[i].status);
        assert_string_equal(tn_message(), cases[i].message);
        assert_null(p);
    }
    drop_device(&f);
}

/* x + x for so many numbers. */
static tn_status twice(fixture *f, int64_t count)
{
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(count));
    tn_output(tn_add(x, x), "y");
    tn_status s = tn_compile(g, f->state, NULL, &p);
    tn_program_free(p);
    tn_graph_free(g);
    return s;
}

static void what_cannot_fit_is_refused_with_one_line_before_it_is_allocated(void **state)
{
    fixture f = use_device("poor", 1);
    const char *said = "needs 0.8 MiB of memory; of 1.0 MiB 0.5 are free";
    (void)state;
    ok(twice(&f, 1 << 14));
    assert_int_equal(twice(&f, 100000), TN_ENOMEM);
    if (!strstr(tn_message(), said) || !strstr(tn_message(), "poor: the program")) fail_msg("%s", tn_message());
    tn_graph *g = tn_graph_new();
    tn_program *p = NULL;
    tn_output(tn_param(g, "w", TN_SHAPE(200000), (tn_init){.kind = TN_INIT_ZERO}), "y");
    assert_int_equal(tn_compile(g, f.state, NULL, &p), TN_ENOMEM);
    said = "poor: the network, 0.8 MiB for its weights and what is kept with them and 0.8 MiB to work, needs 1.5 MiB";
    if (!strstr(tn_message(), said)) fail_msg("%s", tn_message());
    tn_graph_free(g);
    drop_device(&f);
}

static void a_device_tells_what_memory_it_has_or_nothing(void **state)
{
    tn_device_entry d;
    int told = 0;
    (void)state;
    for (size_t i = 0; tn_device_at(i, &d); i++) {
        uint64_t total = 1, left = 2;
        int known = tn_device_memory(i, &total, &left);
        if (!strcmp(d.name, "answers")) assert_true(!known && total == 1 && left == 2);
        if (strcmp(d.name, "poor")) continue;
        told = known;
        assert_int_equal(total, 1 << 20);
        assert_int_equal(left, 1 << 19);
    }
    assert_true(told);
}

static int load(void **state)
{
    (void)state;
    return tn_backend_load(ANSWERS) || tn_backend_load(POOR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_declined_runs_elsewhere_and_the_report_says_why),
        cmocka_unit_test(strict_mode_says_why_as_well),
        cmocka_unit_test(the_explanation_says_why_as_well),
        cmocka_unit_test(every_other_answer_ends_the_compilation_with_the_backends_line),
        cmocka_unit_test(what_cannot_fit_is_refused_with_one_line_before_it_is_allocated),
        cmocka_unit_test(a_device_tells_what_memory_it_has_or_nothing),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
