/* products.c: batches that a stride of 0 stretches are multiplied without a copy, others with one; what can't be
 * multiplied is refused with both shapes. */
#include "harness.h"

#include <string.h>

#include "program.h"

static uint32_t launches_of(tn_graph *g)
{
    fixture f = use_device("reference", 1);
    tn_program *p = NULL;
    ok(tn_compile(g, f.state, NULL, &p));
    uint32_t launches = p->ir.launches;
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
    return launches;
}

static tn_tensor *product(tn_shape a, tn_shape b, int trans_a, int trans_b)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "a", TN_F32, a), *y = tn_input(g, "b", TN_F32, b);
    return tn_matmul_t(x, y, trans_a, trans_b);
}

static void a_product_copies_only_what_no_stride_stretches(void **state)
{
    (void)state;
    static const struct {
        tn_shape a, b;
        int trans_a, trans_b;
        uint32_t launches;
    } cases[] = {
        {{4, {2, 3, 4, 5}}, {2, {5, 6}}, 0, 0, 1},
        {{4, {2, 3, 4, 5}}, {4, {2, 1, 5, 6}}, 0, 0, 1},
        {{4, {2, 1, 4, 5}}, {4, {1, 3, 5, 6}}, 0, 0, 3},
        {{4, {1, 3, 4, 5}}, {4, {2, 1, 6, 5}}, 0, 1, 1},
        {{4, {1, 1, 5, 4}}, {4, {2, 3, 5, 6}}, 1, 0, 1},
        {{3, {3, 4, 5}}, {1, {5}}, 0, 0, 1},
        {{1, {5}}, {3, {3, 5, 4}}, 0, 0, 1},
        {{1, {5}}, {1, {5}}, 0, 0, 1},
        {{4, {2, 1, 4, 5}}, {4, {2, 3, 5, 6}}, 0, 0, 2},
        {{4, {2, 3, 5, 4}}, {4, {2, 1, 5, 6}}, 1, 0, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_tensor *y = product(cases[i].a, cases[i].b, cases[i].trans_a, cases[i].trans_b);
        tn_output(y, "y");
        uint32_t launches = launches_of(tn_graph_of(y));
        if (launches != cases[i].launches)
            fail_msg("case %zu: %u launches instead of %u", i, launches, cases[i].launches);
    }
}

static void what_cannot_be_multiplied_is_refused_with_both_shapes(void **state)
{
    (void)state;
    static const struct {
        tn_shape a, b;
        int trans_a;
        const char *says;
    } cases[] = {
        {{3, {2, 4, 5}}, {3, {3, 5, 6}}, 0, "matmul: batches of (2, 4, 5) and (3, 5, 6) do not broadcast"},
        {{4, {2, 1, 4, 5}}, {3, {3, 6, 5}}, 0, "matmul: inner sizes 5 and 6"},
        {{1, {5}}, {2, {6, 5}}, 0, "matmul: inner sizes 5 and 6"},
        {{1, {5}}, {2, {5, 6}}, 1, "matmul: a vector has no dimensions to swap"},
        {{0, {0}}, {2, {5, 6}}, 0, "need two dimensions"},
        {{0, {0}}, {1, {5}}, 0, "need two dimensions"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_graph *g = tn_graph_of(product(cases[i].a, cases[i].b, cases[i].trans_a, 0));
        assert_int_equal(tn_graph_status(g), TN_ESHAPE);
        if (!strstr(tn_message(), cases[i].says)) fail_msg("case %zu says: %s", i, tn_message());
        tn_graph_free(g);
    }
}

/* 0, 1, 2, ... */
static tn_tensor *numbers(tn_graph *g, tn_shape shape)
{
    return tn_reshape(tn_cast(tn_iota(g, TN_SHAPE(tn_shape_count(&shape)), 0), TN_F32), shape);
}

static void whole_numbers_are_multiplied_in_batches_of_the_rank_of_others(void **state)
{
    (void)state;
    static const struct {
        tn_shape a, b;
        int trans_b;
    } cases[] = {
        {{8, {2, 1, 1, 1, 1, 1, 2, 3}}, {2, {3, 2}}, 0},
        {{8, {2, 1, 1, 1, 1, 1, 2, 3}}, {8, {1, 1, 1, 2, 1, 2, 2, 3}}, 1},
        {{8, {1, 2, 1, 2, 1, 1, 2, 3}}, {8, {1, 2, 1, 2, 1, 1, 3, 2}}, 0},
        {{8, {1, 1, 1, 1, 1, 1, 2, 3}}, {8, {1, 1, 1, 1, 1, 1, 3, 2}}, 0},
        {{7, {2, 1, 1, 1, 2, 2, 3}}, {7, {1, 1, 2, 1, 2, 3, 2}}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f = use_device("reference", 1);
        tn_graph *g = tn_graph_new();
        float difference = -1;
        tn_tensor *a = numbers(g, cases[i].a), *b = numbers(g, cases[i].b);
        tn_tensor *whole = tn_matmul_t(tn_cast(a, TN_I32), tn_cast(b, TN_I32), 0, cases[i].trans_b);
        tn_tensor *real = tn_matmul_t(a, b, 0, cases[i].trans_b);
        tn_output(tn_sum(tn_abs(tn_sub(tn_cast(whole, TN_F32), real)), TN_ALL, 0), "y");
        const tn_shape of_whole = tn_shape_of(whole), of_real = tn_shape_of(real);
        ok(tn_graph_status(g));
        assert_true(tn_shape_equal(&of_whole, &of_real));
        run_once(&f, g, NULL, NULL, 0, "y", &difference, 1);
        if (difference != 0) fail_msg("case %zu: the sum of differences is %g", i, (double)difference);
        tn_graph_free(g);
        drop_device(&f);
    }
}

/* A product of (6, 4) and (4, 6), plus a column, in another shape, by an operand. */
static void run_behind_reshape(tn_shape shape, tn_shape operand, uint32_t unfused, uint32_t *launches, float y[36])
{
    const tn_compile_options options = {.unfused = unfused};
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_program *p = NULL;
    const tn_init init = {.kind = TN_INIT_NORMAL, .a = 1};
    tn_tensor *x = tn_matmul(tn_param(g, "a", TN_SHAPE(6, 4), init), tn_param(g, "b", TN_SHAPE(4, 6), init));
    x = tn_add(x, tn_param(g, "c", TN_SHAPE(6, 1), init));
    tn_output(tn_mul(tn_reshape(x, shape), tn_param(g, "d", operand, init)), "y");
    ok(tn_compile(g, f.state, &options, &p));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", y, 36 * sizeof *y));
    *launches = p->ir.launches;
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_product_takes_what_follows_a_reshape_that_keeps_its_columns(void **state)
{
    (void)state;
    static const struct {
        tn_shape shape, operand;
        uint32_t launches;
    } cases[] = {
        {{3, {2, 3, 6}}, {3, {2, 3, 6}}, 1}, {{3, {2, 3, 6}}, {1, {6}}, 1},       {{3, {1, 6, 6}}, {2, {6, 1}}, 1},
        {{4, {2, 1, 3, 6}}, {1, {1}}, 1},    {{3, {2, 3, 6}}, {3, {2, 1, 6}}, 2}, {{3, {6, 2, 3}}, {1, {3}}, 2},
        {{3, {3, 6, 2}}, {2, {6, 1}}, 2},    {{1, {36}}, {1, {36}}, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t fused, unfused;
        float y[36], expected[36];
        run_behind_reshape(cases[i].shape, cases[i].operand, 0, &fused, y);
        run_behind_reshape(cases[i].shape, cases[i].operand, 1, &unfused, expected);
        for (int e = 0; e < 36; e++) assert_near(y[e], expected[e], 1e-5);
        if (fused != cases[i].launches) fail_msg("case %zu: %u launches, %u unfused", i, fused, unfused);
    }
}

static void a_product_with_nothing_is_refused(void **state)
{
    (void)state;
    for (int32_t rank = 0; rank < 4; rank++) {
        tn_graph *g = tn_graph_new();
        (void)tn_matmul(tn_input(g, "x", TN_F32, (tn_shape){rank, {2, 2, 2}}), NULL);
        assert_int_equal(tn_graph_status(g), TN_EINVAL);
        tn_graph_free(g);
    }
}

static void stopping_a_gradient_costs_nothing(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(3, 4)), *dx = NULL;
    tn_tensor *y = tn_mul(tn_stop_gradient(tn_exp(x)), tn_stop_gradient(tn_stop_gradient(x)));
    tn_output(y, "y");
    tn_grad(tn_sum(tn_add(y, x), TN_ALL, 0), &x, 1, &dx);
    tn_output(dx, "dx");
    assert_int_equal(launches_of(g), 2); /* y; dx, which is all ones */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_copies_only_what_no_stride_stretches),
        cmocka_unit_test(what_cannot_be_multiplied_is_refused_with_both_shapes),
        cmocka_unit_test(whole_numbers_are_multiplied_in_batches_of_the_rank_of_others),
        cmocka_unit_test(a_product_takes_what_follows_a_reshape_that_keeps_its_columns),
        cmocka_unit_test(a_product_with_nothing_is_refused),
        cmocka_unit_test(stopping_a_gradient_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
