/* sums.c: what the compiler knows of sums: which reductions are left, and that the numbers stay right. */
#include "harness.h"

#include <string.h>

#include "program.h"

static uint32_t reductions(const tn_program *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->ir.launches; i++) count += !strcmp(p->ir.launch[i]->operation.desc.name, "reduce");
    return count;
}

/* Compiles, feeds x, runs, and fetches n numbers of "y"; returns how many reductions the program has. */
static uint32_t run(fixture *f, tn_graph *g, const float *x, size_t x_bytes, float *y, size_t n)
{
    tn_program *p = NULL;
    ok(tn_compile(g, f->state, NULL, &p));
    uint32_t count = reductions(p);
    ok(tn_feed(p, "x", x, x_bytes));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", y, n * sizeof *y));
    tn_program_free(p);
    return count;
}

static void a_sum_of_sums_is_one_reduction(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    const float x[24] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, -1, 1, -1, 1, 0, 0, 0, 0, 5, 5, 5, 5};
    for (int keep = 0; keep < 2; keep++) { /* 2 x 3 x 4 over the axes 1, then 0 of what is left */
        tn_graph *g = tn_graph_new();
        tn_tensor *in = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3, 4)), *inner = tn_sum(in, TN_AXES(1), keep);
        tn_tensor *outer = tn_sum(tn_neg(inner), TN_AXES(0), 0);
        tn_output(tn_reshape(outer, TN_SHAPE(4)), "y");
        float y[4];
        assert_int_equal(run(&f, g, x, sizeof x, y, 4), 1);
        const float expected[4] = {-19, -24, -25, -30};
        for (int i = 0; i < 4; i++) assert_near(y[i], expected[i], 0);
        tn_graph_free(g);
    }
    drop_device(&f);
}

/* Each of 2e38 is fine, their sum is not: a tenth of each comes first. */
static void a_factor_keeps_a_sum_from_overflowing(void **state)
{
    (void)state;
    const char *const devices[] = {"cpu", "reference"};
    const float x[4] = {2e38f, 2e38f, 2e38f, 2e38f};
    for (int i = 0; i < 2; i++) {
        fixture f = use_device(devices[i], 1);
        tn_graph *g = tn_graph_new();
        tn_tensor *in = tn_input(g, "x", TN_F32, TN_SHAPE(4));
        tn_output(tn_sum(tn_mul(in, tn_number(in, 0.1)), TN_ALL, 0), "y");
        float y;
        run(&f, g, x, sizeof x, &y, 1);
        assert_near(y, 8e37f, 1e-6f);
        tn_graph_free(g);
        drop_device(&f);
    }
}

/* x times the sum of a one-hot vector of 2s: 2 x where the label is a class, else 0. */
static void a_sum_of_a_one_hot_vector_needs_no_reduction(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4, 3)), *column = tn_input(g, "label", TN_I32, TN_SHAPE(4, 1));
    tn_tensor *class = tn_iota(g, TN_SHAPE(4, 3), 1);
    tn_tensor *hot = tn_where(tn_eq(class, column), tn_number(x, 2), tn_number(x, 0));
    tn_output(tn_mul(x, tn_sum(hot, TN_AXES(1), 1)), "y");
    const int32_t label[4] = {-1, 0, 2, 3};
    float in[12], y[12];
    for (int i = 0; i < 12; i++) in[i] = (float)(i + 1);
    tn_program *p = NULL;
    ok(tn_compile(g, f.state, NULL, &p));
    assert_int_equal(reductions(p), 0);
    ok(tn_feed(p, "x", in, sizeof in));
    ok(tn_feed(p, "label", label, sizeof label));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", y, sizeof y));
    for (int i = 0; i < 12; i++) assert_near(y[i], label[i / 3] >= 0 && label[i / 3] < 3 ? 2 * in[i] : 0, 0);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* Along another axis than the coordinate's the sum is none of a one-hot vector. */
static void other_sums_of_comparisons_stay(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3)), *row = tn_iota(g, TN_SHAPE(2, 3), 0);
    tn_tensor *hot = tn_where(tn_eq(row, tn_full(g, TN_I32, TN_SHAPE(2, 1), 1)), tn_number(x, 1), tn_number(x, 0));
    tn_output(tn_mul(x, tn_sum(hot, TN_AXES(1), 1)), "y");
    const float in[6] = {1, 2, 3, 4, 5, 6}, expected[6] = {0, 0, 0, 12, 15, 18};
    float y[6];
    assert_int_equal(run(&f, g, in, sizeof in, y, 6), 1);
    for (int i = 0; i < 6; i++) assert_near(y[i], expected[i], 0);
    tn_graph_free(g);
    drop_device(&f);
}

/* dW = dy' x and db = sum of dy, which the product reads anyway. */
static void a_bias_has_its_gradient_from_the_weights_product(void **state)
{
    fixture f = {0};
    const char *device = *state;
    enum { N = 33, IN = 70, OUT = 41 };
    static float in[N * IN], weight[OUT * IN], bias[OUT];
    if (tn_device_open(device, &f.device)) skip();
    ok(tn_state_new(f.device, 1, &f.state));
    for (int i = 0; i < N * IN; i++) in[i] = (float)(i % 17 - 8) / 8;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(N, IN)), *dy = tn_input(g, "dy", TN_F32, TN_SHAPE(N, OUT));
    tn_output(tn_matmul_t(dy, x, 1, 0), "weight");
    tn_output(tn_sum(dy, TN_AXES(0), 0), "bias");
    tn_program *p = NULL;
    ok(tn_compile(g, f.state, NULL, &p));
    assert_int_equal(p->ir.launches, 1);
    ok(tn_feed(p, "x", in, sizeof in));
    ok(tn_feed(p, "dy", in, N * OUT * sizeof *in));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "weight", weight, sizeof weight));
    ok(tn_fetch(p, "bias", bias, sizeof bias));
    for (int o = 0; o < OUT; o++) {
        double sum = 0, corner = 0;
        for (int n = 0; n < N; n++) {
            sum += in[n * OUT + o];
            corner += (double)in[n * OUT + o] * in[n * IN + IN - 1];
        }
        assert_near(bias[o], sum, 1e-4);
        assert_near(weight[o * IN + IN - 1], corner, 1e-4);
    }
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sum_of_sums_is_one_reduction),
        cmocka_unit_test(a_factor_keeps_a_sum_from_overflowing),
        cmocka_unit_test(a_sum_of_a_one_hot_vector_needs_no_reduction),
        cmocka_unit_test(other_sums_of_comparisons_stay),
        cmocka_unit_test_prestate(a_bias_has_its_gradient_from_the_weights_product, (void *)(uintptr_t) "reference"),
        cmocka_unit_test_prestate(a_bias_has_its_gradient_from_the_weights_product, (void *)(uintptr_t) "cpu"),
        cmocka_unit_test_prestate(a_bias_has_its_gradient_from_the_weights_product, (void *)(uintptr_t) "opencl:0"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
