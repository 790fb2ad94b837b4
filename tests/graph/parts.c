/* parts.c: programs of shards, which are cut where they add up something over all shards: what is told them is what is
 * computed with, several runs are under way at once, and what cannot be is refused. */
#include "harness.h"

#include <string.h>

#include "alloc.h"

static const char *const devices[] = {"reference", "cpu", "opencl:0"};

enum { ROWS = 3, WIDTH = 40 };

/* y = 2 s + t, where s is the sum of x over all shards, and t that of s times the scalar "k". */
static tn_graph *two_sums(int is_shard)
{
    tn_graph *g = tn_graph_new();
    if (is_shard) tn_graph_shard(g);
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(ROWS, WIDTH)), *k = tn_scalar_input(g, "k", TN_F32, 1);
    tn_tensor *s = tn_across(x), *t = tn_across(tn_mul(s, k));
    tn_output(tn_add(tn_add(s, s), t), "y");
    return g;
}

static void fill(float x[], float first)
{
    for (int i = 0; i < ROWS * WIDTH; i++) x[i] = first + (float)i;
}

static tn_program *compile(const fixture *f, tn_graph *g)
{
    tn_program *p = NULL;
    float x[ROWS * WIDTH];
    ok(tn_compile(g, f->state, NULL, &p));
    tn_graph_free(g);
    fill(x, 1);
    ok(tn_feed(p, "x", x, sizeof x));
    return p;
}

static void assert_y(tn_program *p, float factor)
{
    float x[ROWS * WIDTH], y[ROWS * WIDTH];
    fill(x, 1);
    ok(tn_fetch(p, "y", y, sizeof y));
    for (int i = 0; i < ROWS * WIDTH; i++) assert_near(y[i], factor * x[i], 1e-6);
}

/* ---- one run ---- */

static void a_whole_batch_has_nothing_to_add(void **unused)
{
    fixture f = use_device("reference", 1);
    tn_program *p = compile(&f, two_sums(0));
    (void)unused;
    assert_int_equal(tn_program_parts(p), 1);
    assert_int_equal(tn_program_crossing(p, 0, NULL), 0);
    ok(tn_program_run_part(p, 0));
    assert_y(p, 3);
    tn_program_free(p);
    drop_device(&f);
}

/* What is written is ten times what was read: s = 10 x, t = 100 x. */
static void what_is_told_is_computed_with(void **unused)
{
    (void)unused;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        tn_device *there = NULL;
        if (tn_device_open(devices[d], &there)) continue;
        tn_device_close(there);
        fixture f = use_device(devices[d], 1);
        tn_program *p = compile(&f, two_sums(1));
        float sum[ROWS * WIDTH];
        int32_t dtype = 0;
        assert_int_equal(tn_program_parts(p), 3);
        for (uint32_t part = 0; part < 2; part++) {
            assert_int_equal(tn_program_crossing(p, part, &dtype), sizeof sum);
            assert_int_equal(dtype, TN_F32);
            ok(tn_program_run_part(p, part));
            ok(tn_program_crossed(p, part, sum, sizeof sum));
            for (int i = 0; i < ROWS * WIDTH; i++) assert_near(sum[i], (part ? 10 : 1) * (i + 1), 1e-4);
            for (int i = 0; i < ROWS * WIDTH; i++) sum[i] *= 10;
            ok(tn_program_cross(p, part, sum, sizeof sum));
        }
        ok(tn_program_run_part(p, 2));
        assert_y(p, 120);
        ok(tn_program_run(p));
        assert_y(p, 3); /* by itself it is all there is */
        tn_program_free(p);
        drop_device(&f);
    }
}

/* ---- several ---- */

enum { LANES = 4 };

/* Each lane has its own scalar, and its own sums. */
static void lanes_do_not_disturb_one_another(void **unused)
{
    (void)unused;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        tn_device *there = NULL;
        if (tn_device_open(devices[d], &there)) continue;
        tn_device_close(there);
        fixture f = use_device(devices[d], 1);
        tn_program *p = compile(&f, two_sums(1));
        static float sum[2][LANES][ROWS * WIDTH];
        ok(tn_program_lanes(p, LANES));
        for (uint32_t part = 0; part < 3; part++)
            for (uint32_t lane = LANES; lane-- > 0;) {
                ok(tn_program_lane(p, lane));
                if (!part) ok(tn_set(p, "k", lane));
                for (int i = 0; part && i < ROWS * WIDTH; i++) sum[part - 1][lane][i] += (float)lane;
                if (part) ok(tn_program_cross(p, part - 1, sum[part - 1][lane], sizeof sum[0][0]));
                ok(tn_program_run_part(p, part));
                if (part < 2) ok(tn_program_crossed(p, part, sum[part][lane], sizeof sum[0][0]));
            }
        for (uint32_t lane = 0; lane < LANES; lane++) { /* s = x + l, t = l s + l */
            float y[ROWS * WIDTH];
            ok(tn_program_lane(p, lane));
            ok(tn_fetch(p, "y", y, sizeof y));
            for (int i = 0; i < ROWS * WIDTH; i++) {
                const double s = i + 1.0 + lane;
                assert_near(y[i], 2 * s + lane * s + lane, 1e-4);
            }
        }
        tn_program_free(p);
        drop_device(&f);
    }
}

/* The variable is what it was until a lane's last part, though what it becomes is there before. */
static void no_part_but_the_last_writes_variables(void **unused)
{
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    float x[ROWS * WIDTH], v[ROWS * WIDTH];
    tn_graph_shard(g);
    tn_tensor *in = tn_input(g, "x", TN_F32, TN_SHAPE(ROWS, WIDTH)), *twice = tn_add(in, tn_sqrt(in));
    tn_tensor *variable = tn_variable(g, "v", TN_F32, TN_SHAPE(ROWS, WIDTH), (tn_init){0}, 0);
    (void)unused;
    tn_assign(variable, twice);
    tn_output(tn_across(tn_mean(twice, TN_ALL, 0)), "y");
    tn_program *p = compile(&f, g);
    fill(x, 1);
    ok(tn_program_run_part(p, 0));
    ok(tn_state_read(f.state, "v", v, sizeof v));
    for (int i = 0; i < ROWS * WIDTH; i++) assert_near(v[i], 0, 0);
    ok(tn_program_run_part(p, 1));
    ok(tn_state_read(f.state, "v", v, sizeof v));
    for (int i = 0; i < ROWS * WIDTH; i++) assert_near(v[i], x[i] + sqrt(x[i]), 1e-4);
    tn_program_free(p);
    drop_device(&f);
}

/* ---- the order ---- */

/* Sums that do not depend on each other come in the order in which they were asked for, and nothing is merged across:
 * what follows the second is used by what comes before the first. */
static void sums_come_in_the_order_of_the_graph(void **unused)
{
    static const tn_compile_options ways[] = {{0}, {.unfused = 1}};
    (void)unused;
    for (int i = 0; i < 2; i++) {
        fixture f = use_device("reference", 1);
        tn_graph *g = tn_graph_new();
        tn_program *p = NULL;
        tn_graph_shard(g);
        tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(ROWS, WIDTH));
        tn_tensor *first = tn_across(tn_sum(tn_exp(x), TN_AXES(0), 0));
        tn_tensor *second = tn_across(tn_sum(tn_sin(x), TN_AXES(1), 0));
        tn_output(tn_mul(tn_exp(x), tn_reshape(second, TN_SHAPE(ROWS, 1))), "y");
        tn_output(first, "z");
        ok(tn_compile(g, f.state, &ways[i], &p));
        tn_graph_free(g);
        assert_int_equal(tn_program_parts(p), 3);
        assert_int_equal(tn_program_crossing(p, 0, NULL), WIDTH * sizeof(float));
        assert_int_equal(tn_program_crossing(p, 1, NULL), ROWS * sizeof(float));
        tn_program_free(p);
        drop_device(&f);
    }
}

/* One that is asked for twice is one. */
static void equal_sums_are_one(void **unused)
{
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    (void)unused;
    tn_graph_shard(g);
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(ROWS, WIDTH));
    tn_tensor *a = tn_across(tn_mul(tn_sum(x, TN_AXES(0), 1), tn_number(x, 1))),
              *b = tn_across(tn_sum(x, TN_AXES(0), 1));
    tn_output(tn_add(a, b), "y");
    tn_program *p = compile(&f, g);
    assert_int_equal(tn_program_parts(p), 2);
    tn_program_free(p);
    drop_device(&f);
}

/* ---- what is refused ---- */

static void what_cannot_be_is_refused(void **unused)
{
    fixture f = use_device("reference", 1);
    tn_program *p = compile(&f, two_sums(1));
    float sum[ROWS * WIDTH];
    (void)unused;
    assert_int_equal(tn_program_run_part(p, 3), TN_EINVAL);
    assert_non_null(strstr(tn_message(), "part 3"));
    assert_int_equal(tn_program_crossed(p, 2, sum, sizeof sum), TN_EINVAL);
    assert_int_equal(tn_program_crossed(p, 0, sum, sizeof sum - 4), TN_ESHAPE);
    assert_int_equal(tn_program_cross(p, 0, sum, sizeof sum + 4), TN_ESHAPE);
    assert_int_equal(tn_program_lane(p, 1), TN_EINVAL);
    ok(tn_program_lanes(p, 2));
    ok(tn_program_lane(p, 1));
    assert_int_equal(tn_program_lane(p, 2), TN_EINVAL);
    tn_program_free(p);
    drop_device(&f);
}

/* Wherever there is no memory: it is said, and the program is as it was. */
static void lanes_that_have_no_memory_leave_the_others(void **unused)
{
    fixture f = use_device("reference", 1);
    tn_program *p = compile(&f, two_sums(1));
    tn_status s = TN_ENOMEM;
    int64_t calls = 0;
    (void)unused;
    for (; s; calls++) {
        tn_alloc_fail_after(calls);
        s = tn_program_lanes(p, LANES);
        tn_alloc_fail_after(-1);
        if (s && s != TN_ENOMEM) fail_msg("allocation %d: %s", (int)calls, tn_message());
        ok(tn_program_run(p));
        assert_y(p, 3);
    }
    assert_true(calls > LANES);
    ok(tn_program_lane(p, LANES - 1));
    ok(tn_program_run(p));
    assert_y(p, 3);
    tn_program_free(p);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_batch_has_nothing_to_add),
        cmocka_unit_test(what_is_told_is_computed_with),
        cmocka_unit_test(lanes_do_not_disturb_one_another),
        cmocka_unit_test(no_part_but_the_last_writes_variables),
        cmocka_unit_test(sums_come_in_the_order_of_the_graph),
        cmocka_unit_test(equal_sums_are_one),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(lanes_that_have_no_memory_leave_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
