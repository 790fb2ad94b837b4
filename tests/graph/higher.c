/* higher.c: derivatives of a higher order where they are not those of a smooth function of finite numbers: products of
 * elements that are 0, and the largest of windows with infinities and NaN. */
#include "harness.h"

#include <math.h>
#include <stdio.h>

/* The derivatives after all elements of the derivative after element `at`. */
static tn_tensor *derive(tn_tensor *y, tn_tensor *x, int64_t at)
{
    const tn_shape shape = tn_shape_of(y);
    tn_tensor *slope = NULL, *flat = tn_reshape(y, TN_SHAPE(tn_shape_count(&shape)));
    tn_grad(tn_sum(tn_slice(flat, 0, at, 1, 1), TN_ALL, 0), &x, 1, &slope);
    return slope;
}

static void expect(tn_graph *g, const float *x, size_t n_x, const float *right, size_t n)
{
    fixture f = use_device("reference", 1);
    float got[16];
    char text[512] = "";
    int wrong = 0;
    run_once(&f, g, "x", x, n_x * sizeof *x, "y", got, n);
    for (size_t i = 0; i < n; i++) {
        wrong += got[i] != right[i];
        snprintf(text + 30 * i, sizeof text - 30 * i, "%29g\n", (double)got[i]);
    }
    if (wrong) fail_msg("%d of %zu are wrong, got:\n%s", wrong, n, text);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_third_derivative_of_a_product_sees_three_zeros(void **state)
{
    (void)state;
    const float x[] = {0, 0, 0, 5}, right[] = {0, 0, 5, 0};
    const tn_shape shapes[] = {TN_SHAPE(4), TN_SHAPE(2, 2), TN_SHAPE(2, 1, 2), TN_SHAPE(1, 4)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        tn_graph *g = tn_graph_new();
        tn_tensor *in = tn_input(g, "x", TN_F32, shapes[i]);
        tn_output(derive(derive(derive(tn_prod(in, TN_ALL, 0), in, 0), in, 0), in, 1), "y");
        expect(g, x, 4, right, 4);
    }
}

static void a_gradient_of_a_product_needs_no_division(void **state)
{
    (void)state;
    const float x[] = {0x1p100F, 0x1p100F, 0x1p-100F, INFINITY}, right[] = {INFINITY, INFINITY, INFINITY, 0x1p100F};
    tn_graph *g = tn_graph_new();
    tn_tensor *in = tn_input(g, "x", TN_F32, TN_SHAPE(4)), *slope = NULL;
    tn_grad(tn_prod(in, TN_ALL, 0), &in, 1, &slope);
    tn_output(slope, "y");
    expect(g, x, 4, right, 4);
}

/* What comes back to dy where ddx is 1, but for one element. */
static tn_graph *pooled_twice(int64_t at, double ddx)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(1, 1, 4, 4)), *dx = NULL, *ddy = NULL;
    tn_tensor *y = tn_maxpool2d(x, .window = {2, 2}), *dy = tn_full(g, TN_F32, tn_shape_of(y), 1);
    tn_tensor *place = tn_iota(g, TN_SHAPE(16), 0);
    tn_tensor *v = tn_where(tn_eq(place, tn_number(place, (double)at)), tn_number(x, ddx), tn_number(x, 1));
    tn_grad(tn_sum(tn_mul(y, dy), TN_ALL, 0), &x, 1, &dx);
    tn_grad(tn_sum(tn_mul(dx, tn_reshape(v, tn_shape_of(x))), TN_ALL, 0), &dy, 1, &ddy);
    tn_output(ddy, "y");
    return g;
}

static void what_is_not_the_largest_of_its_window_leaves_a_second_derivative_alone(void **state)
{
    (void)state;
    float x[16];
    for (int i = 0; i < 16; i++) x[i] = (float)i;
    expect(pooled_twice(0, INFINITY), x, 16, (float[]){1, 1, 1, 1}, 4);
    expect(pooled_twice(0, NAN), x, 16, (float[]){1, 1, 1, 1}, 4);
}

static void a_nan_is_the_largest_of_its_window_in_a_second_derivative(void **state)
{
    (void)state;
    float x[16];
    for (int i = 0; i < 16; i++) x[i] = i == 1 ? NAN : (float)i;
    expect(pooled_twice(1, 7), x, 16, (float[]){7, 1, 1, 1}, 4);
    x[4] = NAN; /* the first of two */
    expect(pooled_twice(1, 7), x, 16, (float[]){7, 1, 1, 1}, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_third_derivative_of_a_product_sees_three_zeros),
        cmocka_unit_test(a_gradient_of_a_product_needs_no_division),
        cmocka_unit_test(what_is_not_the_largest_of_its_window_leaves_a_second_derivative_alone),
        cmocka_unit_test(a_nan_is_the_largest_of_its_window_in_a_second_derivative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
