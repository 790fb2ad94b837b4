/* fuse.c: units of operators on devices that take only some of them: what is refused is split where it must be. */
#include "harness.h"

#include <string.h>

#include "program.h"
#include "rewrite.h"

/* ---- devices that exist only here ---- */

enum { FEW = 8 };

static uint32_t asked;

/* Takes maps of up to 8 outputs. */
static int takes_few_outputs(void *self, int32_t place, const tn_op_desc *desc, const tn_origin *origin)
{
    (void)origin;
    (void)self;
    asked++;
    return !place && desc->n_out <= FEW;
}

/* Takes a sine only if it is alone. */
static int takes_a_lone_sine(void *self, int32_t place, const tn_op_desc *desc, const tn_origin *origin)
{
    (void)origin;
    (void)self, (void)place;
    const tn_map_attrs *map = desc->attrs;
    for (uint32_t i = 0; i < map->n_instr; i++)
        if (!strcmp(map->instr[i].op, "sin")) return map->n_instr == 1;
    return 1;
}

static int takes_single_operators(void *self, int32_t place, const tn_op_desc *desc, const tn_origin *origin)
{
    (void)origin;
    (void)self, (void)place;
    return ((const tn_map_attrs *)desc->attrs)->n_instr == 1;
}

/* How many operators a target makes of the graph, which is freed. */
static uint32_t launches_of(tn_graph *g, const tn_target *target)
{
    tn_ir ir = {.alignment = 64};
    ok(tn_graph_status(g));
    ok(tn_fuse(g, target, &ir));
    uint32_t launches = ir.launches;
    tn_ir_free(&ir);
    tn_graph_free(g);
    return launches;
}

/* A chain with so many of its values as outputs. */
static tn_graph *with_outputs(int count)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(64));
    for (int i = 0; i < count; i++) {
        const char name[] = {'y', (char)('a' + i), 0};
        x = tn_exp(x);
        tn_output(x, name);
    }
    return g;
}

static tn_graph *sine_in_the_middle(void)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(64));
    for (int i = 0; i < 21; i++) x = i == 8 ? tn_sin(x) : tn_exp(x);
    tn_output(x, "y");
    return g;
}

/* ---- splitting ---- */

static void nine_outputs_become_two_kernels_where_eight_fit(void **state)
{
    (void)state;
    const tn_target target = {.supports = takes_few_outputs, .places = 1};
    assert_int_equal(launches_of(with_outputs(8), &target), 1);
    assert_int_equal(launches_of(with_outputs(9), &target), 2);
    assert_int_equal(launches_of(with_outputs(16), &target), 2);
}

static void a_device_that_states_its_limit_need_not_refuse(void **state)
{
    (void)state;
    const tn_target silent = {.supports = takes_few_outputs, .places = 1};
    const tn_target clear = {.supports = takes_few_outputs, .places = 1, .most = {.out = FEW}};
    asked = 0;
    assert_int_equal(launches_of(with_outputs(20), &silent), 4); /* halves of halves */
    uint32_t before = asked;
    asked = 0;
    assert_int_equal(launches_of(with_outputs(20), &clear), 3);
    assert_true(asked < before);
}

static void limits_of_inputs_and_instructions_are_kept(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new();
    tn_tensor *sum = tn_input(g, "x", TN_F32, TN_SHAPE(8));
    for (int i = 0; i < 9; i++) {
        const char name[] = {(char)('a' + i), 0};
        sum = tn_add(sum, tn_input(g, name, TN_F32, TN_SHAPE(8)));
    }
    tn_output(sum, "y");
    const tn_target inputs = {.supports = takes_few_outputs, .places = 1, .most = {.in = 4}};
    assert_int_equal(launches_of(g, &inputs), 3);
    const tn_target instructions = {.supports = takes_few_outputs, .places = 1, .most = {.instr = 5}};
    assert_int_equal(launches_of(sine_in_the_middle(), &instructions), 5);
}

static void only_what_is_refused_stands_alone(void **state)
{
    (void)state;
    const tn_target target = {.supports = takes_a_lone_sine, .places = 1};
    assert_int_equal(launches_of(sine_in_the_middle(), &target), 3);
}

static void a_device_that_fuses_nothing_gets_single_operators(void **state)
{
    (void)state;
    const tn_target target = {.supports = takes_single_operators, .places = 1};
    assert_int_equal(launches_of(sine_in_the_middle(), &target), 21);
}

/* ---- the processor ---- */

static uint32_t launches_on(const char *device)
{
    fixture f = use_device(device, 1);
    tn_graph *g = tn_graph_new();
    tn_program *p = NULL;
    tn_tensor *w = tn_param(g, "w", TN_SHAPE(64), (tn_init){.kind = TN_INIT_CONSTANT, .a = 1}), *x = w, *grad = NULL;
    for (int i = 0; i < 100; i++) x = tn_add(tn_sin(x), x);
    tn_grad(tn_sum(x, TN_ALL, 0), &w, 1, &grad);
    tn_output(grad, "grad");
    ok(tn_compile(g, f.state, NULL, &p));
    uint32_t launches = p->ir.launches;
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
    return launches;
}

static void a_long_chain_is_as_few_kernels_on_the_processor_as_on_the_reference(void **state)
{
    (void)state;
    tn_device *cpu = NULL;
    if (tn_device_open("cpu", &cpu)) skip();
    tn_device_close(cpu);
    uint32_t here = launches_on("cpu"), there = launches_on("reference");
    print_message("%u kernels on cpu, %u on the reference\n", here, there);
    assert_true(here <= there + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nine_outputs_become_two_kernels_where_eight_fit),
        cmocka_unit_test(a_device_that_states_its_limit_need_not_refuse),
        cmocka_unit_test(limits_of_inputs_and_instructions_are_kept),
        cmocka_unit_test(only_what_is_refused_stands_alone),
        cmocka_unit_test(a_device_that_fuses_nothing_gets_single_operators),
        cmocka_unit_test(a_long_chain_is_as_few_kernels_on_the_processor_as_on_the_reference),
    };
    return cmocka_run_group_tests_name("fuse", tests, NULL, NULL);
}
