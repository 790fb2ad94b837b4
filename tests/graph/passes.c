/* passes.c: what the compiler makes of graphs: how many operators are left, and what they are. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "program.h"
#include "rewrite.h"

/* ---- looking at compiled programs ---- */

static uint32_t count_of(const tn_program *p, const char *op)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->ir.launches; i++) count += !strcmp(p->ir.launch[i]->operation.desc.name, op);
    return count;
}

static tn_program *compiled(fixture *f, tn_graph *g)
{
    tn_program *p = NULL;
    ok(tn_compile(g, f->state, NULL, &p));
    return p;
}

/* ---- simplify ---- */

static void equal_expressions_are_computed_once(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new(), *simple = NULL;
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4));
    tn_output(tn_add(tn_exp(x), tn_exp(x)), "y");
    ok(tn_simplify(g, &simple));
    uint32_t exps = 0;
    for (uint32_t i = 0; i < simple->count; i++) exps += !strcmp(simple->tensor[i]->op->name, "exp");
    tn_tensor *y = simple->sink[0].value;
    assert_ptr_equal(y->in[0], y->in[1]);
    tn_graph_free(simple);
    tn_graph_free(g);
}

static void numbers_are_folded_and_neutral_operands_go(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new(), *simple = NULL;
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4));
    tn_tensor *one = tn_sub(tn_number(x, 3), tn_number(x, 2));
    tn_output(tn_add(tn_mul(x, one), tn_number(x, 0)), "y");
    ok(tn_simplify(g, &simple));
    assert_string_equal(simple->sink[0].value->op->name, "input");
    tn_graph_free(simple);
    tn_graph_free(g);
}

static void a_neutral_operand_that_stretches_the_shape_stays(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new(), *simple = NULL;
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(1, 4));
    tn_output(tn_mul(x, tn_full(g, TN_F32, TN_SHAPE(3, 1), 1)), "y");
    ok(tn_simplify(g, &simple));
    assert_int_equal(simple->sink[0].value->type.shape.dim[0], 3);
    tn_graph_free(simple);
    tn_graph_free(g);
}

static void a_transpose_moves_into_the_product(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *a = tn_input(g, "a", TN_F32, TN_SHAPE(3, 2)), *b = tn_input(g, "b", TN_F32, TN_SHAPE(3, 4));
    tn_output(tn_matmul(tn_transpose(a, NULL), b), "y");
    tn_program *p = compiled(&f, g);
    assert_int_equal(count_of(p, "transpose"), 0);
    assert_int_equal(p->ir.launches, 1);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* ---- fuse ---- */

static void a_chain_of_maps_becomes_one(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(3, 5)), *b = tn_input(g, "b", TN_F32, TN_SHAPE(5));
    tn_output(tn_tanh(tn_mul(tn_relu(tn_add(x, b)), tn_number(x, 2))), "y");
    tn_program *p = compiled(&f, g);
    assert_int_equal(p->ir.launches, 1);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_product_takes_bias_and_activation(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(3, 5));
    tn_output(tn_sigmoid(tn_linear(x, "fc", .units = 4)), "y");
    tn_program *p = compiled(&f, g);
    assert_int_equal(p->ir.launches, 1);
    assert_string_equal(p->ir.launch[0]->operation.desc.name, "matmul");
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_product_that_is_needed_elsewhere_keeps_its_own_result(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 2)), *y = tn_matmul(x, x);
    tn_output(tn_relu(y), "relu");
    tn_output(y, "y");
    float in[4] = {1, -2, 3, -4}, out[4];
    tn_program *p = compiled(&f, g);
    ok(tn_feed(p, "x", in, sizeof in));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", out, sizeof out));
    assert_near(out[0], -5, 1e-6);
    ok(tn_fetch(p, "relu", out, sizeof out));
    assert_near(out[0], 0, 1e-6);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_reduction_takes_the_map_that_feeds_it(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(3, 5));
    tn_output(tn_sum(tn_square(x), TN_AXES(0), 0), "y");
    tn_program *p = compiled(&f, g);
    assert_int_equal(p->ir.launches, 1);
    assert_string_equal(p->ir.launch[0]->operation.desc.name, "reduce");
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* x feeds a map and, through a sum, that map's other operand: one unit of both maps would wait for itself. */
static void merging_makes_no_cycle(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3)), *e = tn_exp(x);
    tn_output(tn_div(e, tn_sum(e, TN_AXES(1), 1)), "y");
    float in[6] = {0, 0, 0, 0, 0, 0}, out[6];
    run_once(&f, g, "x", in, sizeof in, "y", out, 6);
    for (int i = 0; i < 6; i++) assert_near(out[i], 1.0 / 3, 1e-6);
    tn_graph_free(g);
    drop_device(&f);
}

/* ---- updates ---- */

static tn_graph *three_layers(const char *optimizer, double clip_norm, const char *no_decay)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(8, 7)), *t = tn_input(g, "t", TN_F32, TN_SHAPE(8, 3));
    tn_tensor *h = tn_tanh(tn_linear(x, "fc1", .units = 5));
    h = tn_tanh(tn_linear(h, "fc2", .units = 6));
    tn_tensor *loss = tn_mean_squared_error(tn_linear(h, "fc3", .units = 3), t);
    tn_output(loss, "loss");
    tn_minimize(loss, optimizer, (tn_optim_options){.lr = 0.01, .clip_norm = clip_norm, .no_decay = no_decay});
    return g;
}

static void the_update_of_parameters_treated_alike_is_one_map(void **state)
{
    (void)state;
    static const struct {
        const char *optimizer;
        double clip_norm;
        const char *no_decay;
        uint32_t maps; /* one a group of parameters */
    } cases[] = {{"sgd", 0, NULL, 1},    {"momentum", 0, NULL, 1}, {"adam", 0, NULL, 1},
                 {"adam", 0.5, NULL, 1}, {"nadam", 0, NULL, 1},    {"adamw", 0.5, "vectors", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f = use_device("reference", 1);
        tn_graph *g = three_layers(cases[i].optimizer, cases[i].clip_norm, cases[i].no_decay);
        tn_program *p = compiled(&f, g);
        uint32_t writers = 0;
        for (uint32_t l = 0; l < p->ir.launches; l++)
            writers += tn_value_root(p->ir.launch[l]->out[0])->home == TN_IN_STATE;
        assert_int_equal(writers, cases[i].maps);
        tn_program_free(p);
        tn_graph_free(g);
        drop_device(&f);
    }
}

/* Ten steps with everything fused, and with nothing. */
static void fused_and_unfused_training_agree(void **state)
{
    static const char *const optimizer[] = {"sgd", "momentum", "adam", "nadam"};
    const char *device = *state;
    for (int i = 0; i < 4; i++) {
        float loss[2][10];
        for (uint32_t unfused = 0; unfused < 2; unfused++) {
            float x[56], t[24];
            fixture f = use_device(device, 1);
            tn_graph *g = three_layers(optimizer[i], i == 2 ? 0.5 : 0, i == 3 ? "vectors" : NULL);
            tn_program *p = NULL;
            ok(tn_compile(g, f.state, &(tn_compile_options){.unfused = unfused}, &p));
            for (int k = 0; k < 56; k++) x[k] = sinf((float)k);
            for (int k = 0; k < 24; k++) t[k] = cosf((float)k);
            ok(tn_feed(p, "x", x, sizeof x));
            ok(tn_feed(p, "t", t, sizeof t));
            for (int step = 0; step < 10; step++) {
                ok(tn_program_run(p));
                ok(tn_fetch(p, "loss", &loss[unfused][step], sizeof(float)));
            }
            tn_program_free(p);
            tn_graph_free(g);
            drop_device(&f);
        }
        assert_true(loss[0][9] < loss[0][0]);
        for (int k = 0; k < 10; k++) assert_near(loss[0][k], loss[1][k], 1e-5 * loss[0][k]);
    }
}

/* ---- assignments ---- */

static void variables_swap_their_values(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_init one = {TN_INIT_CONSTANT, 1, 0, 0}, two = {TN_INIT_CONSTANT, 2, 0, 0};
    tn_tensor *a = tn_variable(g, "a", TN_F32, TN_SHAPE(3), one, 0);
    tn_tensor *b = tn_variable(g, "b", TN_F32, TN_SHAPE(3), two, 0);
    tn_assign(a, b);
    tn_assign(b, a);
    tn_program *p = compiled(&f, g);
    float x[3];
    ok(tn_program_run(p));
    ok(tn_state_read(f.state, "a", x, sizeof x));
    assert_near(x[0], 2, 0);
    ok(tn_state_read(f.state, "b", x, sizeof x));
    assert_near(x[2], 1, 0);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_run_sees_old_values_until_its_end(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *a = tn_variable(g, "a", TN_F32, TN_SHAPE(2), (tn_init){TN_INIT_CONSTANT, 3, 0, 0}, 0);
    tn_assign(a, tn_add(a, tn_number(a, 1)));
    tn_output(tn_sum(tn_square(a), TN_ALL, 0), "y");
    tn_output(a, "before");
    tn_program *p = compiled(&f, g);
    float y, before[2];
    for (int i = 0; i < 3; i++) {
        ok(tn_program_run(p));
        ok(tn_fetch(p, "y", &y, sizeof y));
        ok(tn_fetch(p, "before", before, sizeof before));
        assert_near(y, 2.0 * (3 + i) * (3 + i), 1e-4);
        assert_near(before[1], 3 + i, 0);
    }
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* ---- errors ---- */

static void the_first_error_sticks_and_names_the_culprit(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3));
    tn_tensor *y = tn_relu(tn_matmul(x, x));
    tn_output(tn_add(y, tn_transpose(y, NULL)), "y");
    tn_program *p = NULL;
    assert_int_equal(tn_compile(g, f.state, NULL, &p), TN_ESHAPE);
    assert_null(p);
    assert_non_null(strstr(tn_message(), "matmul"));
    assert_non_null(strstr(tn_message(), "(2, 3)"));
    tn_graph_free(g);
    drop_device(&f);
}

static void calls_without_a_graph_are_safe(void **state)
{
    (void)state;
    tn_tensor *x = tn_relu(tn_input(NULL, "x", TN_F32, TN_SHAPE(2)));
    tn_output(tn_add(x, x), "y");
    assert_int_equal(tn_graph_status(tn_graph_of(x)), TN_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_expressions_are_computed_once),
        cmocka_unit_test(numbers_are_folded_and_neutral_operands_go),
        cmocka_unit_test(a_neutral_operand_that_stretches_the_shape_stays),
        cmocka_unit_test(a_transpose_moves_into_the_product),
        cmocka_unit_test(a_chain_of_maps_becomes_one),
        cmocka_unit_test(a_product_takes_bias_and_activation),
        cmocka_unit_test(a_product_that_is_needed_elsewhere_keeps_its_own_result),
        cmocka_unit_test(a_reduction_takes_the_map_that_feeds_it),
        cmocka_unit_test(merging_makes_no_cycle),
        cmocka_unit_test(the_update_of_parameters_treated_alike_is_one_map),
        cmocka_unit_test_prestate(fused_and_unfused_training_agree, (void *)(uintptr_t) "reference"),
        cmocka_unit_test_prestate(fused_and_unfused_training_agree, (void *)(uintptr_t) "cpu"),
        cmocka_unit_test(variables_swap_their_values),
        cmocka_unit_test(a_run_sees_old_values_until_its_end),
        cmocka_unit_test(the_first_error_sticks_and_names_the_culprit),
        cmocka_unit_test(calls_without_a_graph_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
