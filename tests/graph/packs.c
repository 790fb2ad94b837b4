/* packs.c: parameters of one treatment are one variable to the compiler, wherever the state has them, and nothing can
 * be told from the numbers. */
#include "packs.h"

#include "ir.h"
#include "program.h"

static uint32_t updates_of(const tn_program *p)
{
    uint32_t updates = 0;
    for (uint32_t i = 0; i < p->ir.launches; i++) {
        const tn_launch *l = p->ir.launch[i];
        int writes = 0;
        for (uint32_t k = 0; k < l->operation.desc.n_out; k++) writes |= tn_value_root(l->out[k])->home == TN_IN_STATE;
        updates += (uint32_t)writes;
    }
    return updates;
}

/* ---- one kernel ---- */

static void one_kernel_updates_all_parameters(void **unused)
{
    (void)unused;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        fixture f = use_device(devices[d], 5);
        tn_program *p = NULL;
        tn_graph *g = training("adam", plain);
        ok(tn_compile(g, f.state, NULL, &p));
        assert_int_equal(updates_of(p), 1);
        tn_program_free(p);
        tn_graph_free(g);
        drop_device(&f);
    }
}

/* Rates 1 and 0.5, decays 0.01 and 0: as many as there are pairs. */
static void parameters_of_unlike_treatment_are_updated_apart(void **unused)
{
    (void)unused;
    fixture f = use_device("cpu", 5);
    tn_program *p = NULL;
    tn_graph *g = training("adamw", (tn_optim_options){.rates = "two* 0.5", .no_decay = "vectors"});
    ok(tn_compile(g, f.state, NULL, &p));
    assert_int_equal(updates_of(p), 4);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void taken_apart_they_come_to_the_same(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        tn_optim_options options;
    } rule[] = {{"sgd", {.lr = 0.1}},
                {"adam", {.clip_norm = 0.05, .clip_value = 0.01}},
                {"adamw", {.rates = "two* 0.5", .no_decay = "vectors", .amsgrad = 1}},
                {"rmsprop", {.momentum = 0.5, .centered = 1, .weight_decay = 0.1}},
                {"radam", {.lr = 0.01}},
                {"lion", {.lr = 0.01, .decays = "*bias 0, one* 0.2"}}};
    for (size_t i = 0; i < 2 * sizeof rule / sizeof *rule; i++) {
        weights fused = expected(devices[i % 2], rule[i / 2].name, rule[i / 2].options, 0);
        weights apart = expected(devices[i % 2], rule[i / 2].name, rule[i / 2].options, 1);
        assert_close(&fused, &apart);
    }
}

/* ---- what is assigned ---- */

/* As of critics whose weights are limited after each step: Arjovsky, Chintala and Bottou, 2017. */
static void weights_may_be_limited_after_the_update(void **unused)
{
    (void)unused;
    weights got[2];
    for (int unfused = 0; unfused < 2; unfused++) {
        fixture f = use_device("cpu", 5);
        tn_graph *g = training("sgd", (tn_optim_options){.lr = 1});
        tn_tensor *limited = tn_param(g, "one.weight", param_shape[0], (tn_init){0});
        tn_assign_again(limited, tn_clamp(tn_assigned(limited), -0.05, 0.05));
        train(f.state, g, &(tn_compile_options){.unfused = (uint32_t)unfused}, STEPS);
        got[unfused] = read_all(f.state);
        for (int i = 0; i < HIDDEN * IN; i++)
            assert_true(got[unfused].value[i] <= 0.05F && got[unfused].value[i] >= -0.05F);
        tn_graph_free(g);
        drop_device(&f);
    }
    assert_close(&got[0], &got[1]);
}

/* Two parameters of one gradient, one that the loss does not see, and a mean of weights beside. */
static void gradients_may_be_shared_or_missing(void **unused)
{
    (void)unused;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        fixture f = use_device(devices[d], 5);
        tn_graph *g = tn_graph_new();
        tn_init two = {.kind = TN_INIT_CONSTANT, .a = 2};
        tn_tensor *a = tn_param(g, "a", TN_SHAPE(35), two), *b = tn_param(g, "b", TN_SHAPE(35), two);
        tn_tensor *c = tn_param(g, "c", TN_SHAPE(3), two);
        tn_tensor *mean = tn_variable(g, "mean", TN_F32, TN_SHAPE(35), (tn_init){0}, 0);
        tn_tensor *loss = tn_sum(tn_square(tn_add(a, b)), TN_ALL, 0);
        tn_minimize(loss, "sgd", (tn_optim_options){.lr = 0.125});
        tn_assign(mean, tn_mul(tn_add(mean, tn_assigned(b)), tn_number(mean, 0.5)));
        tn_output(c, "c before");
        tn_program *p = NULL;
        ok(tn_compile(g, f.state, NULL, &p));
        ok(tn_program_run(p));
        tn_program_free(p);
        float value[35];
        const struct {
            const char *name;
            float want;
            uint64_t count;
        } is[] = {{"a", 1, 35}, {"b", 1, 35}, {"c", 2, 3}, {"mean", 0.5F, 35}};
        for (int i = 0; i < 4; i++) {
            ok(tn_state_read(f.state, is[i].name, value, is[i].count * sizeof *value));
            for (uint64_t k = 0; k < is[i].count; k++) assert_true(value[k] == is[i].want);
        }
        tn_graph_free(g);
        drop_device(&f);
    }
}

/* ---- packs by hand ---- */

/* What rows make of the zeros in between, run by run, is nobody's. */
static void sums_of_what_is_assigned_see_zeros_between(void **unused)
{
    (void)unused;
    for (size_t d = 0; d < 2 * sizeof devices / sizeof *devices; d++) {
        fixture f = use_device(devices[d / 2], 5);
        tn_graph *g = tn_graph_new();
        tn_program *p = NULL;
        tn_init zero = {0};
        tn_tensor *part[] = {tn_variable(g, "a", TN_F32, TN_SHAPE(3), zero, 0),
                             tn_variable(g, "b", TN_F32, TN_SHAPE(2), zero, 0)};
        tn_tensor *pack = tn_pack(part, 2);
        float sum;
        tn_assign(pack, tn_add(pack, tn_number(pack, 1)));
        tn_output(tn_sum(pack, TN_ALL, 0), "sum");
        ok(tn_compile(g, f.state, &(tn_compile_options){.unfused = d % 2}, &p));
        for (int run = 0; run < 3; run++) {
            ok(tn_program_run(p));
            ok(tn_fetch(p, "sum", &sum, sizeof sum));
            assert_true(sum == 5 * run);
        }
        tn_program_free(p);
        tn_graph_free(g);
        drop_device(&f);
    }
}

static void between_the_parts_are_zeros(void **unused)
{
    (void)unused;
    enum { SECOND = 64, ALL = 2 * 64 + 5 };
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        fixture f = use_device(devices[d], 5);
        tn_graph *g = tn_graph_new();
        float y[ALL], x[33];
        tn_tensor *in = tn_input(g, "x", TN_F32, TN_SHAPE(33)), *square = tn_square(in);
        tn_tensor *part[] = {in, square, tn_slice(square, 0, 0, 5, 1)}, *pack = tn_pack(part, 3);
        for (int i = 0; i < 33; i++) x[i] = (float)(i + 1);
        tn_output(pack, "y");
        tn_output(tn_sum(tn_unpack(pack, pack, 1), TN_ALL, 0), "sum");
        run_once(&f, g, "x", x, sizeof x, "y", y, ALL);
        for (int i = 0; i < ALL; i++) {
            int in_part = i % SECOND;
            float want = in_part > 32 ? 0 : i < SECOND ? x[in_part] : x[in_part] * x[in_part];
            assert_true(y[i] == want);
        }
        tn_graph_free(g);
        drop_device(&f);
    }
}

/* What lay there before, of a step's beginning, is not there any more. */
static void a_norm_sees_no_remains_between_gradients(void **unused)
{
    (void)unused;
    weights got[2];
    const tn_optim_options options = {.lr = 1, .clip_norm = 0.05};
    for (int busy = 0; busy < 2; busy++) {
        fixture f = use_device("cpu", 5);
        tn_graph *g = training("sgd", options);
        tn_tensor *x = tn_full(g, TN_F32, TN_SHAPE(40, 40), 7),
                  *w = tn_variable(g, "w", TN_F32, TN_SHAPE(40, 40), (tn_init){.kind = TN_INIT_CONSTANT, .a = 3}, 0);
        if (busy) tn_output(tn_amax(tn_matmul(tn_matmul(x, w), w), TN_ALL, 0), "large");
        train(f.state, g, NULL, STEPS);
        got[busy] = read_all(f.state);
        tn_graph_free(g);
        drop_device(&f);
    }
    assert_same(&got[0], &got[1]);
}

/* The same gradients, made by the caller, do the same. */
static void an_optimizer_takes_gradients_from_anywhere(void **unused)
{
    (void)unused;
    weights want = expected("cpu", "adam", (tn_optim_options){.clip_norm = 0.1}, 0);
    fixture f = use_device("cpu", 5);
    tn_graph *g = tn_graph_new();
    tn_tensor *loss = loss_of(g), *param[PARAMS], *grad[PARAMS];
    assert_int_equal(tn_variables(g, TN_TRAINABLE, param, PARAMS), PARAMS);
    tn_grad(loss, param, PARAMS, grad);
    tn_apply_gradients(param, grad, PARAMS, "adam", (tn_optim_options){.clip_norm = 0.1});
    train(f.state, g, NULL, STEPS);
    weights got = read_all(f.state);
    assert_same(&want, &got);
    uint64_t step = 0;
    assert_true(tn_state_param_step(f.state, "two.bias", &step) && step == STEPS);
    tn_graph_free(g);
    drop_device(&f);
}

static void gradients_of_another_shape_are_refused(void **unused)
{
    (void)unused;
    tn_graph *g = tn_graph_new();
    tn_tensor *p = tn_param(g, "p", TN_SHAPE(3), (tn_init){0}), *grad = tn_full(g, TN_F32, TN_SHAPE(4), 1);
    tn_apply_gradients(&p, &grad, 1, "sgd", plain);
    assert_int_equal(tn_graph_status(g), TN_ESHAPE);
    assert_non_null(strstr(tn_message(), "'p'"));
    tn_graph_free(g);
}

static void parts_that_are_not_there_are_refused(void **unused)
{
    (void)unused;
    for (int i = 0; i < 4; i++) {
        tn_graph *g = tn_graph_new();
        tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(3)), *n = tn_input(g, "n", TN_I32, TN_SHAPE(3));
        tn_tensor *both[] = {x, n}, *pack = tn_pack(both, i ? 1 : 2);
        if (i == 1) tn_unpack(pack, pack, 1);
        if (i == 2) tn_unpack(x, x, 0);
        if (i == 3) tn_unpack(tn_slice(x, 0, 0, 2, 1), pack, 0);
        assert_int_equal(tn_graph_status(g), i == 0 ? TN_EDTYPE : i == 3 ? TN_ESHAPE : TN_EINVAL);
        tn_graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_kernel_updates_all_parameters),
        cmocka_unit_test(parameters_of_unlike_treatment_are_updated_apart),
        cmocka_unit_test(taken_apart_they_come_to_the_same),
        cmocka_unit_test(weights_may_be_limited_after_the_update),
        cmocka_unit_test(gradients_may_be_shared_or_missing),
        cmocka_unit_test(sums_of_what_is_assigned_see_zeros_between),
        cmocka_unit_test(between_the_parts_are_zeros),
        cmocka_unit_test(a_norm_sees_no_remains_between_gradients),
        cmocka_unit_test(an_optimizer_takes_gradients_from_anywhere),
        cmocka_unit_test(gradients_of_another_shape_are_refused),
        cmocka_unit_test(parts_that_are_not_there_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
