/* constants.c: numbers that a graph is given when it is built, on each device; and what a program says of its inputs
 * and outputs. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interpret.h"
#include "program.h"

static const char *const devices[] = {"reference", "cpu", "opencl:0"};
enum { DEVICES = 3 };

static int is_here(const char *name)
{
    tn_device *device = NULL;
    tn_status s = tn_device_open(name, &device);
    tn_device_close(device);
    return !s;
}

/* y = x w + table[index], all three constants of the graph; w has been changed when the program is compiled. */
static tn_graph *build(float *w, const float table[6], const int32_t index[2])
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3));
    tn_tensor *product = tn_matmul(x, tn_constant(g, TN_F32, TN_SHAPE(3, 2), w));
    tn_tensor *rows = tn_constant_at(g, TN_F32, TN_SHAPE(3, 2), table);
    tn_output(tn_add(product, tn_gather(rows, tn_constant(g, TN_I32, TN_SHAPE(2), index))), "y");
    w[0] = 99;
    return g;
}

static void constants_are_what_they_were_when_they_were_given(void **state)
{
    (void)state;
    const float x[6] = {1, 2, 3, 4, 5, 6}, table[6] = {10, 20, 30, 40, 50, 60}, want[4] = {72, 88, 59, 84};
    const int32_t index[2] = {2, 0};
    for (int i = 0; i < DEVICES; i++) {
        if (!is_here(devices[i])) continue;
        float w[6] = {1, 2, 3, 4, 5, 6}, y[4];
        fixture f = use_device(devices[i], 1);
        tn_state_entry entry;
        tn_graph *g = build(w, table, index);
        run_once(&f, g, "x", x, sizeof x, "y", y, 4);
        for (int k = 0; k < 4; k++) assert_near(y[k], want[k], 1e-5f);
        assert_int_equal(tn_state_at(f.state, 0, &entry), 0);
        tn_graph_free(g);
        drop_device(&f);
    }
}

static void constants_of_every_type_arrive(void **state)
{
    (void)state;
    const int32_t type[] = {TN_F32, TN_F64, TN_I32, TN_U8, TN_F16, TN_BF16};
    const float f32[2] = {1.5f, -2};
    const double f64[2] = {1.5, -2};
    const int32_t i32[2] = {1, -2};
    const uint8_t u8[2] = {1, 254};
    const uint16_t f16[2] = {0x3e00, 0xc000}, bf16[2] = {0x3fc0, 0xc000};
    const void *const data[] = {f32, f64, i32, u8, f16, bf16};
    const float want[][2] = {{1.5f, -2}, {1.5f, -2}, {1, -2}, {1, 254}, {1.5f, -2}, {1.5f, -2}};
    for (int k = 0; k < 6; k++) {
        fixture f = use_device("reference", 1);
        tn_graph *g = tn_graph_new();
        float y[2];
        tn_output(tn_add(tn_cast(tn_constant(g, type[k], TN_SHAPE(2), data[k]), TN_F32),
                         tn_input(g, "zero", TN_F32, TN_SHAPE(2))),
                  "y");
        run_once(&f, g, "zero", (const float[2]){0}, sizeof(float[2]), "y", y, 2);
        assert_memory_equal(y, want[k], sizeof y);
        tn_graph_free(g);
        drop_device(&f);
    }
}

static void in_double_precision_constants_are_doubles(void **state)
{
    (void)state;
    float w[6] = {1, 2, 3, 4, 5, 6};
    const float table[6] = {10, 20, 30, 40, 50, 60};
    const double x[6] = {1e9, 0, 1, 0, 0, 0}, want[4] = {1e9 + 5 + 50, 2e9 + 6 + 60, 10, 20};
    fixture f = use_device("cpu", 1);
    tn_graph *g = build(w, table, (const int32_t[2]){2, 0});
    tn_program *p = NULL;
    double y[4];
    ok(tn_compile(g, f.state, &(tn_compile_options){.f64 = 1}, &p));
    ok(tn_feed(p, "x", x, sizeof x));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", y, sizeof y));
    assert_memory_equal(y, want, sizeof y);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static tn_status leaf(void *arg, const tn_tensor *x, double *value)
{
    (void)arg, (void)x;
    for (int e = 0; e < 6; e++) value[e] = e + 1;
    return TN_OK;
}

static void the_interpreter_knows_constants(void **state)
{
    (void)state;
    float w[6] = {1, 2, 3, 4, 5, 6};
    const float table[6] = {10, 20, 30, 40, 50, 60};
    const double want[4] = {72, 88, 59, 84};
    tn_graph *g = build(w, table, (const int32_t[2]){2, 0});
    tn_values values;
    ok(tn_interpret(g, &(tn_interpretation){.leaf = leaf}, &values));
    for (int k = 0; k < 4; k++) assert_true(values.value[g->sink[0].value->id][k] == want[k]);
    tn_values_free(&values);
    tn_graph_free(g);
}

static void a_graph_that_is_read_back_has_its_constants(void **state)
{
    (void)state;
    float w[6] = {1, 2, 3, 4, 5, 6}, y[4];
    const float x[6] = {1, 2, 3, 4, 5, 6}, table[6] = {10, 20, 30, 40, 50, 60}, want[4] = {72, 88, 59, 84};
    char path[] = "/tmp/tenon-constants-XXXXXX";
    fixture f = use_device("reference", 1);
    tn_graph *g = build(w, table, (const int32_t[2]){2, 0}), *again = NULL;
    close(mkstemp(path));
    ok(tn_graph_save(g, path));
    tn_graph_free(g);
    ok(tn_graph_load(path, &again));
    unlink(path);
    run_once(&f, again, "x", x, sizeof x, "y", y, 4);
    for (int k = 0; k < 4; k++) assert_near(y[k], want[k], 1e-5f);
    tn_graph_free(again);
    drop_device(&f);
}

static void one_number_throughout_is_folded(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    const float twos[4] = {2, 2, 2, 2}, zeros[2] = {0, -0.0f};
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4));
    tn_output(tn_mul(x, tn_constant(g, TN_F32, TN_SHAPE(4), twos)), "y");
    tn_output(tn_constant(g, TN_F32, TN_SHAPE(2), zeros), "signs");
    tn_program *p = NULL;
    ok(tn_compile(g, f.state, NULL, &p));
    uint32_t constants = 0;
    for (uint32_t i = 0; i < p->ir.values; i++) constants += p->ir.value[i]->is_constant;
    assert_int_equal(constants, 1); /* zeros of both signs are not one number */
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_program_lists_its_inputs_and_outputs(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_input(g, "unused", TN_I32, TN_SHAPE(3));
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 5));
    tn_output(tn_argmax(x, 1), "best");
    tn_program *p = NULL;
    tn_port port;
    ok(tn_compile(g, f.state, NULL, &p));
    assert_int_equal(tn_program_input_at(p, 0, &port), 1);
    assert_string_equal(port.name, "unused");
    assert_int_equal(port.dtype, TN_I32);
    assert_int_equal(port.unused, 1);
    assert_int_equal(tn_program_input_at(p, 1, &port), 1);
    assert_string_equal(port.name, "x");
    assert_true(port.shape.rank == 2 && port.shape.dim[1] == 5 && !port.unused);
    assert_int_equal(tn_program_input_at(p, 2, &port), 0);
    assert_int_equal(tn_program_output_at(p, 0, &port), 1);
    assert_string_equal(port.name, "best");
    assert_true(port.dtype == TN_I32 && port.shape.rank == 1 && port.shape.dim[0] == 2);
    assert_int_equal(tn_program_output_at(p, 1, &port), 0);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void an_input_that_nothing_needs_may_be_filled(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_input(g, "unused", TN_F32, TN_SHAPE(3));
    tn_output(tn_relu(tn_input(g, "x", TN_F32, TN_SHAPE(2))), "y");
    tn_program *p = NULL;
    ok(tn_compile(g, f.state, NULL, &p));
    assert_int_equal(tn_feed(p, "unused", (const float[3]){1, 2, 3}, 12), TN_OK);
    assert_int_equal(tn_feed(p, "unused", (const float[3]){1, 2, 3}, 8), TN_ESHAPE);
    assert_int_equal(tn_feed(p, "other", (const float[3]){1, 2, 3}, 12), TN_EMISSING);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_what_they_were_when_they_were_given),
        cmocka_unit_test(constants_of_every_type_arrive),
        cmocka_unit_test(in_double_precision_constants_are_doubles),
        cmocka_unit_test(the_interpreter_knows_constants),
        cmocka_unit_test(a_graph_that_is_read_back_has_its_constants),
        cmocka_unit_test(one_number_throughout_is_folded),
        cmocka_unit_test(a_program_lists_its_inputs_and_outputs),
        cmocka_unit_test(an_input_that_nothing_needs_may_be_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
