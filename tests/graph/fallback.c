/* fallback.c: a device that multiplies and does nothing else: the rest runs on another one, and values are carried
 * between the two. What comes of it is right, and what is counted is so. */
#include "harness.h"

#include <string.h>

enum { ROWS = 6, COLUMNS = 5, UNITS = 3 };

static void feed_numbers(tn_program *p, const char *name, int count)
{
    float x[ROWS * COLUMNS];
    for (int i = 0; i < count; i++) x[i] = (float)(i * 7 % 11) - 5;
    ok(tn_feed(p, name, x, (uint64_t)count * sizeof *x));
}

/* A net, an output that is made by a product, one that is not, and a variable that no product touches. */
static tn_graph *training(void)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(ROWS, COLUMNS));
    tn_tensor *sum = tn_variable(g, "sum", TN_F32, TN_SHAPE(ROWS, UNITS), (tn_init){.kind = TN_INIT_ZERO}, 0);
    tn_tensor *y = tn_linear(tn_tanh(tn_linear(x, "a", .units = 4)), "b", .units = UNITS);
    tn_tensor *product = tn_matmul_t(x, x, 0, 1);
    tn_assign(sum, tn_add(sum, tn_sigmoid(y)));
    tn_output(product, "product");
    tn_output(tn_softmax(y, -1), "softmax");
    tn_minimize(tn_mean(tn_square(y), TN_AXES(0, 1), 0), "momentum", (tn_optim_options){.lr = 0.1, .momentum = 0.5});
    return g;
}

typedef struct results {
    float product[ROWS * ROWS], softmax[ROWS * UNITS], sum[ROWS * UNITS], weight[UNITS * 4];
} results;

static void train(const char *device, results *r, tn_program_report *report)
{
    fixture f = use_device(device, 3);
    tn_program *p = NULL;
    tn_graph *g = training();
    ok(tn_compile(g, f.state, NULL, &p));
    feed_numbers(p, "x", ROWS * COLUMNS);
    for (int i = 0; i < 4; i++) ok(tn_program_run(p));
    ok(tn_fetch(p, "product", r->product, sizeof r->product));
    ok(tn_fetch(p, "softmax", r->softmax, sizeof r->softmax));
    ok(tn_state_read(f.state, "sum", r->sum, sizeof r->sum));
    ok(tn_state_read(f.state, "b.weight", r->weight, sizeof r->weight));
    tn_program_get_report(p, report);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_model_trains_on_two_devices_as_on_one(void **state)
{
    results want, got;
    tn_program_report one, two;
    (void)state;
    train("reference", &want, &one);
    train("matmul_only:0", &got, &two);
    assert_int_equal(one.fallback_nodes, 0);
    assert_true(two.fallback_nodes > 3);
    assert_true(two.fallback_nodes < two.nodes);
    const float *x = (const float *)&got, *y = (const float *)&want;
    for (size_t i = 0; i < sizeof want / sizeof *x; i++)
        if (!(x[i] - y[i] < 1e-5f && y[i] - x[i] < 1e-5f)) fail_msg("element %zu: %g, expected %g", i, x[i], y[i]);
}

/* The largest of each row of x w: the product is carried to the other device and the result back, with one wait each.
 */
static void what_crosses_between_devices_is_counted(void **state)
{
    enum { RUNS = 3, THERE = ROWS * UNITS * sizeof(float), BACK = ROWS * sizeof(float) };
    fixture f = use_device("matmul_only:0", 3);
    tn_program *p = NULL;
    tn_program_report before, after;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(ROWS, COLUMNS));
    tn_tensor *w = tn_input(g, "w", TN_F32, TN_SHAPE(COLUMNS, UNITS));
    (void)state;
    tn_output(tn_amax(tn_matmul(x, w), TN_AXES(1), 0), "y");
    ok(tn_compile(g, f.state, NULL, &p));
    feed_numbers(p, "x", ROWS * COLUMNS);
    feed_numbers(p, "w", COLUMNS * UNITS);
    tn_program_get_report(p, &before);
    for (int i = 0; i < RUNS; i++) ok(tn_program_run(p));
    tn_program_get_report(p, &after);
    assert_int_equal(after.fallback_bytes, THERE + BACK);
    assert_int_equal(after.run_host_waits - before.run_host_waits, RUNS * 2);
    assert_int_equal(after.bytes_from_device - before.bytes_from_device, RUNS * THERE);
    assert_int_equal(after.bytes_to_device - before.bytes_to_device, RUNS * BACK);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* x x' x x' - x x'. */
static void expect_powers(const float x[ROWS * COLUMNS], float out[ROWS * ROWS])
{
    float a[ROWS][ROWS] = {{0}};
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < ROWS; j++)
            for (int k = 0; k < COLUMNS; k++) a[i][j] += x[i * COLUMNS + k] * x[j * COLUMNS + k];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < ROWS; j++) {
            out[i * ROWS + j] = -a[i][j];
            for (int k = 0; k < ROWS; k++) out[i * ROWS + j] += a[i][k] * a[k][j];
        }
}

/* Two operands go the same way, one after the other: they are read by one wait. Each run has numbers of its own, and
 * all are enqueued before one is looked at. */
static void values_that_go_the_same_way_are_waited_for_once(void **state)
{
    enum { RUNS = 5, COUNT = ROWS * ROWS };
    fixture f = use_device("matmul_only:0", 3);
    tn_program *p = NULL;
    tn_program_report before, after;
    tn_graph *g = tn_graph_new();
    float sum[COUNT], want[COUNT] = {0}, x[ROWS * COLUMNS];
    tn_tensor *in = tn_input(g, "x", TN_F32, TN_SHAPE(ROWS, COLUMNS)), *by = tn_scalar_input(g, "by", TN_F32, 1);
    tn_tensor *v = tn_variable(g, "v", TN_F32, TN_SHAPE(ROWS, ROWS), (tn_init){.kind = TN_INIT_ZERO}, 0);
    tn_tensor *a = tn_matmul_t(in, in, 0, 1), *b = tn_matmul_t(a, a, 0, 0);
    (void)state;
    tn_assign(v, tn_add(v, tn_mul(tn_sub(b, a), by)));
    ok(tn_compile(g, f.state, NULL, &p));
    feed_numbers(p, "x", ROWS * COLUMNS);
    tn_program_get_report(p, &before);
    for (int i = 0; i < RUNS; i++) {
        ok(tn_set(p, "by", i + 1));
        ok(tn_program_run(p));
    }
    tn_program_get_report(p, &after);
    assert_int_equal(after.fallback_bytes, 4 * COUNT * sizeof(float)); /* a and b; v; and v back */
    assert_int_equal(after.run_host_waits - before.run_host_waits, RUNS * 3);
    for (int i = 0; i < ROWS * COLUMNS; i++) x[i] = (float)(i * 7 % 11) - 5;
    expect_powers(x, want);
    ok(tn_state_read(f.state, "v", sum, sizeof sum));
    for (int i = 0; i < COUNT; i++) assert_near(sum[i], 15 * want[i], 1e-3);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_value_is_carried_once_however_many_read_it(void **state)
{
    enum { BYTES = ROWS * UNITS * sizeof(float) };
    fixture f = use_device("matmul_only:0", 3);
    tn_program *p = NULL;
    tn_program_report report;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(ROWS, COLUMNS));
    tn_tensor *y = tn_matmul(x, tn_input(g, "w", TN_F32, TN_SHAPE(COLUMNS, UNITS)));
    (void)state;
    tn_output(tn_amax(y, TN_AXES(0, 1), 0), "largest");
    tn_output(tn_prod(y, TN_AXES(0, 1), 0), "product");
    ok(tn_compile(g, f.state, NULL, &p));
    tn_program_get_report(p, &report);
    assert_int_equal(report.fallback_bytes, BYTES + 2 * sizeof(float));
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* The old value is an output, so that the new one is copied to the variable at the end, elsewhere. */
static void what_is_copied_to_a_variable_comes_home(void **state)
{
    fixture f = use_device("matmul_only:0", 3);
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    tn_tensor *v = tn_variable(g, "v", TN_F32, TN_SHAPE(2), (tn_init){TN_INIT_CONSTANT, 1, 0, 0}, 0);
    float x[2];
    (void)state;
    tn_output(v, "before");
    tn_assign(v, tn_add(v, tn_number(v, 1)));
    ok(tn_compile(g, f.state, NULL, &p));
    for (int i = 0; i < 3; i++) {
        ok(tn_program_run(p));
        ok(tn_fetch(p, "before", x, sizeof x));
        assert_near(x[1], 1 + i, 0);
    }
    ok(tn_state_read(f.state, "v", x, sizeof x));
    assert_near(x[1], 4, 0);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static int load(void **state)
{
    (void)state;
    return tn_backend_load(MATMUL_ONLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_trains_on_two_devices_as_on_one),
        cmocka_unit_test(what_crosses_between_devices_is_counted),
        cmocka_unit_test(values_that_go_the_same_way_are_waited_for_once),
        cmocka_unit_test(a_value_is_carried_once_however_many_read_it),
        cmocka_unit_test(what_is_copied_to_a_variable_comes_home),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
