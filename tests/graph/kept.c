/* kept.c: what is made of a weight is kept from run to run, and made again when the weight has changed, however that
 * came about. All elements of x are 1, and all of a weight alike, so that each result is a number of terms times it. */
#include "harness.h"

#include "program.h"

enum { BATCH = 2, CHANNELS = 16, SIDE = 7, FILTERS = 20, ROWS = 48, DEEP = 64, COLUMNS = 96 };
enum {
    PIXELS = CHANNELS * SIDE * SIDE,
    WINDOW = CHANNELS * 3 * 3,
    RESULTS = BATCH * FILTERS * (SIDE - 2) * (SIDE - 2)
};

#define FILTER_SHAPE TN_SHAPE(FILTERS, CHANNELS, 3, 3)
#define WEIGHT_SHAPE TN_SHAPE(COLUMNS, DEEP)

static const float *filled(float *to, int n, float value)
{
    for (int i = 0; i < n; i++) to[i] = value;
    return to;
}

/* Outputs of a convolution by `filter` and a product by `weight`. */
static tn_program *multiply(fixture *f, tn_graph *g, tn_tensor *filter, tn_tensor *weight)
{
    static float x[BATCH * PIXELS], a[ROWS * DEEP];
    tn_program *p = NULL;
    tn_output(
        tn_convolve2d(tn_input(g, "x", TN_F32, TN_SHAPE(BATCH, CHANNELS, SIDE, SIDE)), filter, (tn_conv_options){0}),
        "y");
    tn_output(tn_matmul_t(tn_input(g, "a", TN_F32, TN_SHAPE(ROWS, DEEP)), weight, 0, 1), "b");
    ok(tn_compile(g, f->state, NULL, &p));
    ok(tn_feed(p, "x", filled(x, BATCH * PIXELS, 1), sizeof x));
    ok(tn_feed(p, "a", filled(a, ROWS * DEEP, 1), sizeof a));
    tn_graph_free(g);
    return p;
}

/* A run, whose weights are `value`. Returns how many launches found something kept. */
static int run(tn_program *p, float value)
{
    static float y[RESULTS], b[ROWS * COLUMNS];
    int found = 0;
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", y, sizeof y));
    ok(tn_fetch(p, "b", b, sizeof b));
    for (int i = 0; i < RESULTS; i++) assert_near(y[i], WINDOW * value, 0);
    for (int i = 0; i < ROWS * COLUMNS; i++) assert_near(b[i], DEEP * value, 0);
    for (uint32_t i = 0; i < p->ir.launches; i++) found += p->ir.launch[i]->kept && p->prepared[i].run.is_kept;
    return found;
}

static tn_tensor *variable(tn_graph *g, const char *name, tn_shape shape)
{
    return tn_param(g, name, shape, (tn_init){.kind = TN_INIT_CONSTANT, .a = 1});
}

static tn_program *of_variables(fixture *f)
{
    tn_graph *g = tn_graph_new();
    return multiply(f, g, variable(g, "filter", FILTER_SHAPE), variable(g, "weight", WEIGHT_SHAPE));
}

/* Both weights, by one of the ways alone, each of which says that they were written. */
static void write(fixture *f, float value, int way)
{
    static const char *const name[] = {"filter", "weight"};
    const uint64_t count[] = {FILTERS * WINDOW, COLUMNS * DEEP};
    const tn_shape shape[] = {FILTER_SHAPE, WEIGHT_SHAPE};
    static float to[FILTERS * WINDOW + COLUMNS * DEEP];
    filled(to, FILTERS * WINDOW + COLUMNS * DEEP, value);
    for (int i = 0; i < 2; i++) {
        if (way == 0) ok(tn_state_write(f->state, name[i], to, count[i] * sizeof *to));
        if (way == 1) ok(tn_state_put(f->state, name[i], TN_F32, shape[i], 0, to));
        if (way == 2) ok(tn_state_write_part(f->state, name[i], 0, to, count[i] * sizeof *to));
    }
}

static void what_is_written_to_a_state_is_seen(void **state)
{
    (void)state;
    fixture f = use_device("cpu", 1);
    tn_program *p = of_variables(&f);
    for (int value = 1; value < 5; value++) {
        assert_int_equal(run(p, (float)value), 0);
        assert_true(run(p, (float)value) > 0);
        write(&f, (float)value + 1, value - 1);
    }
    tn_program_free(p);
    drop_device(&f);
}

static void what_another_program_assigns_is_seen(void **state)
{
    (void)state;
    fixture f = use_device("cpu", 1);
    tn_program *p = of_variables(&f), *update = NULL;
    tn_graph *g = tn_graph_new();
    tn_tensor *filter = variable(g, "filter", FILTER_SHAPE), *weight = variable(g, "weight", WEIGHT_SHAPE);
    tn_assign(filter, tn_add(filter, tn_full(g, TN_F32, FILTER_SHAPE, 1)));
    tn_assign(weight, tn_add(weight, tn_full(g, TN_F32, WEIGHT_SHAPE, 1)));
    ok(tn_compile(g, f.state, NULL, &update));
    for (int value = 1; value < 4; value++) {
        assert_int_equal(run(p, (float)value), 0);
        assert_true(run(p, (float)value) > 0);
        ok(tn_program_run(update));
    }
    tn_program_free(update);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void what_the_program_itself_assigns_is_seen(void **state)
{
    (void)state;
    fixture f = use_device("cpu", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *filter = variable(g, "filter", FILTER_SHAPE), *weight = variable(g, "weight", WEIGHT_SHAPE);
    tn_assign(filter, tn_add(filter, tn_full(g, TN_F32, FILTER_SHAPE, 1)));
    tn_assign(weight, tn_add(weight, tn_full(g, TN_F32, WEIGHT_SHAPE, 1)));
    tn_program *p = multiply(&f, g, filter, weight);
    for (int value = 1; value < 4; value++) assert_int_equal(run(p, (float)value), 0);
    tn_program_free(p);
    drop_device(&f);
}

/* Who knows where it is may write at any time. */
static void nothing_is_kept_of_what_others_can_reach(void **state)
{
    (void)state;
    tn_state_place filter, weight;
    fixture f = use_device("cpu", 1);
    tn_program *p = of_variables(&f);
    assert_int_equal(run(p, 1), 0);
    assert_true(run(p, 1) > 0);
    ok(tn_state_where(f.state, "filter", &filter));
    ok(tn_state_where(f.state, "weight", &weight));
    for (int value = 1; value < 4; value++) {
        filled(filter.handle, FILTERS * WINDOW, (float)value);
        filled(weight.handle, COLUMNS * DEEP, (float)value);
        assert_int_equal(run(p, (float)value), 0);
    }
    tn_program_free(p);
    drop_device(&f);
}

/* 2 and 4 by turns: a constant of one number is none to multiply by. */
static const float *around_3(float *to, int n)
{
    for (int i = 0; i < n; i++) to[i] = i % 2 ? 2 : 4;
    return to;
}

static void constants_are_kept_in_each_lane(void **state)
{
    (void)state;
    static float filter[FILTERS * WINDOW], weight[COLUMNS * DEEP];
    fixture f = use_device("cpu", 1);
    tn_graph *g = tn_graph_new();
    tn_program *p = multiply(&f, g, tn_constant(g, TN_F32, FILTER_SHAPE, around_3(filter, FILTERS * WINDOW)),
                             tn_constant(g, TN_F32, WEIGHT_SHAPE, around_3(weight, COLUMNS * DEEP)));
    ok(tn_program_lanes(p, 2));
    for (uint32_t lane = 0; lane < 2; lane++) {
        ok(tn_program_lane(p, lane));
        assert_int_equal(run(p, 3), 0);
        assert_true(run(p, 3) > 0);
        ok(tn_state_put(f.state, "other", TN_F32, TN_SHAPE(4), 0, NULL));
        assert_true(run(p, 3) > 0);
    }
    tn_program_free(p);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_to_a_state_is_seen),
        cmocka_unit_test(what_another_program_assigns_is_seen),
        cmocka_unit_test(what_the_program_itself_assigns_is_seen),
        cmocka_unit_test(nothing_is_kept_of_what_others_can_reach),
        cmocka_unit_test(constants_are_kept_in_each_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
