/* precision.c: products whose factors may be rounded. The device is the well-behaved one among the faulty backends: it
 * rounds to 11 and to 8 significant bits. */
#include "harness.h"

#include <math.h>
#include <string.h>

#include "tenon/device.h"
#include "tenon/program.h"

/* The nearest number of so many significant bits. */
static float rounded(float x, int bits)
{
    int exponent = 0;
    const double mantissa = frexp((double)x, &exponent);
    return (float)ldexp(rint(ldexp(mantissa, bits)), exponent - bits);
}

enum { M = 3, K = 5, N = 4 };

/* x w + b, then 0.1 more. */
static tn_graph *product(void)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(M, K)), *w = tn_input(g, "w", TN_F32, TN_SHAPE(K, N));
    tn_tensor *b = tn_input(g, "b", TN_F32, TN_SHAPE(N));
    tn_tensor *y = tn_add(tn_matmul(x, w), b);
    tn_output(tn_add(y, tn_number(y, 0.1)), "y");
    return g;
}

static void product_at(tn_state *state, uint32_t precision, float y[M * N], tn_program_report *report)
{
    float x[M * K], w[K * N], b[N];
    tn_program *p = NULL;
    tn_graph *g = product();
    for (int i = 0; i < M * K; i++) x[i] = sinf((float)i + 1);
    for (int i = 0; i < K * N; i++) w[i] = cosf((float)i);
    for (int i = 0; i < N; i++) b[i] = expf((float)i);
    ok(tn_compile(g, state, &(tn_compile_options){.precision = precision}, &p));
    ok(tn_feed(p, "x", x, sizeof x));
    ok(tn_feed(p, "w", w, sizeof w));
    ok(tn_feed(p, "b", b, sizeof b));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", y, M * N * sizeof *y));
    tn_program_get_report(p, report);
    tn_program_free(p);
    tn_graph_free(g);
}

/* The same in double precision, of factors that are rounded to so many bits. */
static double expected(int i, int j, int bits)
{
    double sum = (double)expf((float)j) + 0.1;
    for (int l = 0; l < K; l++)
        sum += (double)rounded(sinf((float)(i * K + l) + 1), bits) * (double)rounded(cosf((float)(l * N + j)), bits);
    return sum;
}

static void factors_are_rounded_and_nothing_else_is(void **unused)
{
    static const int bits[] = {[TN_PRECISION_F32] = 24, [TN_PRECISION_F32_FAST] = 11, [TN_PRECISION_BF16] = 8};
    float y[M * N];
    tn_program_report report;
    (void)unused;
    fixture f = use_device("faulty:0", 1);
    for (uint32_t precision = 0; tn_precision_name(precision); precision++) {
        product_at(f.state, precision, y, &report);
        assert_int_equal(report.coarse_products, precision != TN_PRECISION_F32);
        assert_int_equal(report.coarse_refused, 0);
        for (int e = 0; e < M * N; e++) assert_near(y[e], expected(e / N, e % N, bits[precision]), 1e-5);
    }
    drop_device(&f);
}

static void a_device_that_gains_nothing_is_reported_and_refused_where_strict(void **unused)
{
    float y[M * N], usual[M * N];
    tn_program_report report;
    tn_program *p = NULL;
    tn_graph *g = product();
    (void)unused;
    fixture f = use_device("reference", 1);
    product_at(f.state, TN_PRECISION_F32, usual, &report);
    product_at(f.state, TN_PRECISION_BF16, y, &report);
    assert_memory_equal(y, usual, sizeof y);
    assert_int_equal(report.coarse_products, 0);
    assert_int_equal(report.coarse_refused, 1);
    assert_non_null(strstr(report.coarse_why, "precision"));
    assert_int_equal(tn_compile(g, f.state, &(tn_compile_options){.precision = TN_PRECISION_BF16, .strict = 1}, &p),
                     TN_EUNSUPPORTED);
    assert_non_null(strstr(tn_message(), "reference multiplies nothing in bf16, and nothing else is allowed: "));
    tn_graph_free(g);
    drop_device(&f);
}

/* Without a product there is nothing to refuse. */
static void a_program_without_products_is_as_it_is(void **unused)
{
    tn_program_report report;
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    (void)unused;
    fixture f = use_device("reference", 1);
    tn_output(tn_exp(tn_input(g, "x", TN_F32, TN_SHAPE(4))), "y");
    ok(tn_compile(g, f.state, &(tn_compile_options){.precision = TN_PRECISION_BF16, .strict = 1}, &p));
    tn_program_get_report(p, &report);
    assert_int_equal(report.coarse_products + report.coarse_refused, 0);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void explain_line(void *seen, const char *text)
{
    *(int *)seen += strstr(text, "matmul ") && strstr(text, ", in bf16");
}

static void the_plan_tells_where(void **unused)
{
    tn_program *p = NULL;
    tn_graph *g = product();
    int seen = 0;
    (void)unused;
    fixture f = use_device("faulty:0", 1);
    ok(tn_compile(g, f.state, &(tn_compile_options){.precision = TN_PRECISION_BF16}, &p));
    tn_program_explain(p, explain_line, &seen);
    assert_int_equal(seen, 1);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void another_precision_is_refused(void **unused)
{
    tn_program *p = NULL;
    tn_graph *g = product();
    (void)unused;
    fixture f = use_device("reference", 1);
    assert_null(tn_precision_name(3));
    assert_int_equal(tn_compile(g, f.state, &(tn_compile_options){.precision = 3}, &p), TN_EINVAL);
    assert_string_equal(tn_message(), "compile: there is no precision 3");
    tn_graph_free(g);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_are_rounded_and_nothing_else_is),
        cmocka_unit_test(a_device_that_gains_nothing_is_reported_and_refused_where_strict),
        cmocka_unit_test(a_program_without_products_is_as_it_is),
        cmocka_unit_test(the_plan_tells_where),
        cmocka_unit_test(another_precision_is_refused),
    };
    ok(tn_backend_load(LEVELS));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
