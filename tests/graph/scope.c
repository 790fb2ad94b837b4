/* scope.c: what names begin with, and which node errors name: once, at the end of the line, alike while a graph is
 * built, compiled and run. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static void expect_failure(tn_graph *g, const char *message)
{
    assert_int_not_equal(tn_graph_status(g), TN_OK);
    assert_string_equal(tn_message(), message);
    tn_graph_free(g);
}

/* The names of all variables, sorted by when they were made, with blanks between. */
static void expect_variables(tn_graph *g, const char *want)
{
    tn_tensor *x[32];
    char text[1024] = "";
    const size_t count = tn_variables(g, 0, x, 32);
    if (tn_graph_status(g)) fail_msg("%s", tn_message());
    for (size_t i = 0; i < count; i++) {
        strcat(text, i ? " " : "");
        strcat(text, tn_name_of(x[i]));
    }
    assert_string_equal(text, want);
}

static const tn_init zero = {TN_INIT_ZERO};

/* ---- names ---- */

static void names_begin_with_those_of_the_scopes_around_them(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3));
    assert_string_equal(tn_scope_of(g), "");
    tn_scope_push(g, "encoder");
    tn_scope_push(g, "0.");
    assert_string_equal(tn_scope_of(g), "encoder.0.");
    x = tn_linear(x, "fc", .units = 4);
    tn_scope_pop(g);
    tn_tensor *inner = tn_input(g, "x", TN_F32, TN_SHAPE(1));
    tn_tensor *scalar = tn_scalar_input(g, "rate", TN_F32, 0);
    tn_output(x, "y");
    tn_scope_push(g, NULL);
    assert_string_equal(tn_scope_of(g), "");
    (void)tn_param(g, "whole", TN_SHAPE(1), zero);
    tn_scope_pop(g);
    tn_scope_pop(g);
    tn_output(x, "y");
    assert_string_equal(tn_name_of(inner), "encoder.x");
    assert_string_equal(tn_name_of(scalar), "rate");
    expect_variables(g, "encoder.0.fc.weight encoder.0.fc.bias whole");
    tn_graph_free(g);
}

static void the_same_name_in_the_same_scope_is_the_same_variable(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new();
    tn_tensor *first = tn_param(g, "a.w", TN_SHAPE(1), zero);
    char name[] = "a";
    tn_scope_push(g, name);
    name[0] = 'b'; /* it was copied */
    assert_ptr_equal(tn_param(g, "w", TN_SHAPE(1), zero), first);
    assert_ptr_not_equal(tn_param(g, "a.w", TN_SHAPE(1), zero), first);
    tn_scope_pop(g);
    tn_graph_free(g);
}

/* Layers have the names that they had when these were put together by hand. */
static void layers_are_named_as_ever(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 4, 8));
    tn_scope_push(g, "net");
    x = tn_transformer(x, "block0", .heads = 2);
    x = tn_recurrent(x, "rnn", NULL, .units = 3);
    tn_scope_pop(g);
    expect_variables(g, "net.block0.norm1.weight net.block0.norm1.bias net.block0.self_attn.in_proj_weight "
                        "net.block0.self_attn.in_proj_bias net.block0.self_attn.out_proj.weight "
                        "net.block0.self_attn.out_proj.bias net.block0.norm2.weight net.block0.norm2.bias "
                        "net.block0.linear1.weight net.block0.linear1.bias net.block0.linear2.weight "
                        "net.block0.linear2.bias net.rnn.weight_ih_l0 net.rnn.weight_hh_l0 net.rnn.bias_ih_l0 "
                        "net.rnn.bias_hh_l0");
    tn_graph_free(g);
}

static void an_optimizer_within_a_scope_names_its_moments_after_the_parameters(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new();
    tn_scope_push(g, "a");
    tn_tensor *w = tn_param(g, "w", TN_SHAPE(1), zero);
    tn_minimize(tn_sum(tn_square(w), TN_ALL, 0), "momentum", (tn_optim_options){.lr = 0.1});
    assert_string_equal(tn_scope_of(g), "a.");
    tn_scope_pop(g);
    expect_variables(g, "a.w a.w.momentum");
    tn_graph_free(g);
}

static void a_scope_has_a_name_an_end_and_a_beginning(void **state)
{
    fixture f = use_device("reference", 1);
    tn_program *p = NULL;
    (void)state;
    tn_graph *g = tn_graph_new();
    tn_scope_pop(g);
    expect_failure(g, "tn_scope_pop: no scope is open");
    g = tn_graph_new();
    tn_scope_push(g, "");
    expect_failure(g, "tn_scope_push: name is empty");
    g = tn_graph_new();
    tn_scope_push(g, "a");
    tn_output(tn_param(g, "w", TN_SHAPE(1), zero), "y");
    assert_int_equal(tn_compile(g, f.state, NULL, &p), TN_EINVAL);
    assert_string_equal(tn_message(), "compile: scope 'a.' is open: a tn_scope_pop is missing");
    tn_scope_pop(g);
    ok(tn_compile(g, f.state, NULL, &p));
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* ---- errors ---- */

static void what_cannot_be_built_is_named(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3));
    (void)tn_add(tn_matmul(x, x), x); /* an error sticks: it is named once, and stays the first */
    expect_failure(g, "matmul: inner sizes 3 and 2 of (2, 3) and (2, 3) differ [node 1]");
    g = tn_graph_new();
    tn_scope_push(g, "encoder.0");
    (void)tn_transpose(tn_input(g, "x", TN_F32, TN_SHAPE(2, 3)), (int32_t[]){0, 5});
    assert_int_equal(tn_graph_status(g), TN_ESHAPE);
    assert_non_null(strstr(tn_message(), "[node 1, in encoder.0.]"));
    tn_graph_free(g);
    g = tn_graph_new();
    (void)tn_tile(tn_square(tn_input(g, "x", TN_F32, TN_SHAPE(2))), 0, -1);
    expect_failure(g, "tile: -1 times [node 2]");
    g = tn_graph_new();
    tn_scope_push(g, "encoder.0");
    (void)tn_linear(tn_input(g, "x", TN_F32, TN_SHAPE(2, 3)), "fc", .units = 0);
    expect_failure(g, "linear 'fc': 0 units; it needs at least 1 [in encoder.0.]");
}

/* What differentiation adds is in the scope of what it belongs to. */
static void what_a_gradient_cannot_be_is_named(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(1, 1, 64, 64)), *dx = NULL, *ddx = NULL;
    tn_scope_push(g, "pool");
    tn_tensor *y = tn_maxpool2d(x, .window = {40, 40});
    tn_scope_pop(g);
    tn_grad(tn_sum(tn_square(y), TN_ALL, 0), &x, 1, &dx);
    tn_grad(tn_sum(tn_square(dx), TN_ALL, 0), &x, 1, &ddx);
    assert_int_equal(tn_graph_status(g), TN_EUNSUPPORTED);
    if (!strstr(tn_message(), ", in pool.]")) fail_msg("%s", tn_message());
    assert_string_equal(tn_scope_of(g), "");
    tn_graph_free(g);
}

/* With a product that one device declines with an error, and another cannot run. */
static tn_graph *scoped(void)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 2));
    tn_scope_push(g, "encoder");
    tn_tensor *y = tn_square(tn_linear(x, "fc", .units = 2));
    tn_scope_pop(g);
    tn_output(y, "y");
    return g;
}

static void what_cannot_be_compiled_is_named(void **state)
{
    fixture f = use_device("answers", 1);
    tn_program *p = NULL;
    (void)state;
    tn_graph *g = scoped();
    assert_int_equal(tn_compile(g, f.state, NULL, &p), TN_ENOMEM);
    assert_string_equal(tn_message(),
                        "answers: no room to think (when asked about matmul) [node 2, matmul, in encoder.fc.]");
    tn_graph_free(g);
    drop_device(&f);
}

static void what_cannot_be_run_is_named_after_its_graph_is_gone(void **state)
{
    fixture f = use_device("stumbles", 1);
    tn_program *p = NULL;
    const float x[4] = {0};
    (void)state;
    tn_graph *g = scoped();
    ok(tn_compile(g, f.state, NULL, &p));
    tn_graph_free(g);
    ok(tn_feed(p, "x", x, sizeof x));
    assert_int_equal(tn_program_run(p), TN_EDEVICE);
    assert_string_equal(tn_message(), "stumbles: it stumbled [node 2, matmul, in encoder.fc.]");
    tn_program_free(p);
    drop_device(&f);
}

static int load(void **state)
{
    (void)state;
    ok(tn_backend_load(ANSWERS));
    ok(tn_backend_load(STUMBLES));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_begin_with_those_of_the_scopes_around_them),
        cmocka_unit_test(the_same_name_in_the_same_scope_is_the_same_variable),
        cmocka_unit_test(layers_are_named_as_ever),
        cmocka_unit_test(an_optimizer_within_a_scope_names_its_moments_after_the_parameters),
        cmocka_unit_test(a_scope_has_a_name_an_end_and_a_beginning),
        cmocka_unit_test(what_cannot_be_built_is_named),
        cmocka_unit_test(what_a_gradient_cannot_be_is_named),
        cmocka_unit_test(what_cannot_be_compiled_is_named),
        cmocka_unit_test(what_cannot_be_run_is_named_after_its_graph_is_gone),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
