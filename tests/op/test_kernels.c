/* test_kernels.c: operators on the reference device, in double precision, against NumPy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op.h"
#include "tenon/program.h"

/* An operand: of whole numbers from low to high, or of eighths. */
typedef struct operand {
    int whole;
    tn_shape shape;
    int64_t low, high;
} operand;

#define OPERANDS(...)                                                                                                  \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define RESULT(...)                                                                                                    \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

/* d(sum of y)/dx; without x by y's first operand. */
static tn_tensor *slope(tn_tensor *y, tn_tensor *x)
{
    tn_tensor *wrt = x ? x : y->in[0], *grad = NULL;
    tn_grad(tn_sum(y, TN_ALL, 0), &wrt, 1, &grad);
    return grad;
}

#define LEAST tn_full(in[0]->graph, TN_I32, TN_SHAPE(1), -2147483648.0)

/* A function for each case, named after its line. */
#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define KERNEL(name, call, operands, ...)                                                                              \
    static tn_tensor *JOIN(build_, __LINE__)(tn_tensor *const in[])                                                    \
    {                                                                                                                  \
        return call;                                                                                                   \
    }
#include "golden.inc"
#undef KERNEL

static const struct {
    const char *name;
    tn_tensor *(*build)(tn_tensor *const in[]);
    operand in[4];
    double y[64];
} cases[] = {
#define KERNEL(name, call, ...) {name, JOIN(build_, __LINE__), __VA_ARGS__},
#include "golden.inc"
#undef KERNEL
};

/* The rule of golden.py. */
static double element(const operand *x, int64_t number, int64_t i)
{
    int64_t mixed = i * 7919 + number * 104729;
    if (x->whole) return (double)(mixed % (x->high - x->low + 1) + x->low);
    return (double)(mixed % 41 - 20) / 8;
}

static void ok(tn_status s)
{
    if (s) fail_msg("%s: %s", tn_status_name(s), tn_message());
}

static void feed(tn_program *p, const operand *x, int number)
{
    int64_t count = tn_shape_count(&x->shape);
    double value[64];
    int32_t whole[64];
    char name[8];
    snprintf(name, sizeof name, "%d", number);
    for (int64_t i = 0; i < count; i++) value[i] = element(x, number, i), whole[i] = (int32_t)value[i];
    tn_status s = tn_feed(p, name, x->whole ? (const void *)whole : value, (uint64_t)count * (x->whole ? 4 : 8));
    if (s != TN_EMISSING) ok(s); /* an operand that the result does not depend on is not there */
}

/* Number of wrong elements. */
static int check(tn_device *device, size_t c)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *in[4] = {0};
    tn_state *state = NULL;
    tn_program *p = NULL;
    tn_compile_options options = {.f64 = 1};
    double got[64] = {0};
    int32_t whole[64] = {0};
    int n_in = 0, wrong = 0;
    for (; n_in < 4 && (cases[c].in[n_in].shape.rank || cases[c].in[n_in].whole); n_in++) {
        char name[8];
        snprintf(name, sizeof name, "%d", n_in);
        in[n_in] = tn_input(g, name, cases[c].in[n_in].whole ? TN_I32 : TN_F32, cases[c].in[n_in].shape);
    }
    tn_tensor *y = cases[c].build(in);
    int is_whole = tn_dtype_of(y) == TN_I32;
    tn_shape shape = tn_shape_of(y);
    int64_t count = tn_shape_count(&shape);
    tn_output(y, "y");
    ok(tn_state_new(device, 1, &state));
    ok(tn_compile(g, state, &options, &p));
    for (int i = 0; i < n_in; i++) feed(p, &cases[c].in[i], i);
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", is_whole ? (void *)whole : got, (uint64_t)count * (is_whole ? 4 : 8)));
    for (int64_t i = 0; i < count; i++) {
        double value = is_whole ? whole[i] : got[i];
        if (value == cases[c].y[i] || fabs(value - cases[c].y[i]) <= 1e-13 * (1 + fabs(cases[c].y[i]))) continue;
        fprintf(stderr, "%s: element %lld is %.17g instead of %.17g\n", cases[c].name, (long long)i, value,
                cases[c].y[i]);
        wrong++;
    }
    tn_program_free(p);
    tn_state_free(state);
    tn_graph_free(g);
    return wrong;
}

static void operators_give_what_numpy_gives(void **state)
{
    (void)state;
    tn_device *device = NULL;
    int wrong = 0;
    ok(tn_device_open("reference", &device));
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) wrong += check(device, c);
    tn_device_close(device);
    assert_int_equal(wrong, 0);
}

static void dropout_keeps_the_mean_and_its_gradient_the_mask(void **state)
{
    (void)state;
    enum { N = 10000 };
    static double x[N], y[N], dx[N];
    tn_device *device = NULL;
    tn_state *s = NULL;
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    tn_tensor *in = tn_input(g, "x", TN_F32, TN_SHAPE(N)), *out = tn_dropout(in, 0.25), *gradient = slope(out, in);
    int kept = 0;
    tn_output(out, "y");
    tn_output(gradient, "dx");
    ok(tn_device_open("reference", &device));
    ok(tn_state_new(device, 1, &s));
    ok(tn_compile(g, s, &(tn_compile_options){.f64 = 1}, &p));
    for (int i = 0; i < N; i++) x[i] = 3;
    ok(tn_feed(p, "x", x, sizeof x));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", y, sizeof y));
    ok(tn_fetch(p, "dx", dx, sizeof dx));
    for (int i = 0; i < N; i++) {
        assert_true(y[i] == 0 || fabs(y[i] - 4) < 1e-14);
        assert_true(fabs(3 * dx[i] - y[i]) < 1e-14);
        kept += y[i] != 0;
    }
    assert_in_range(kept, 7500 - 174, 7500 + 174); /* four standard deviations */
    tn_program_free(p);
    tn_state_free(s);
    tn_graph_free(g);
    tn_device_close(device);
}

static void types_that_round_do_so_inside_a_chain_too(void **state)
{
    (void)state;
    tn_device *device = NULL;
    tn_state *s = NULL;
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    float x[2] = {300.3f, 0.1f}, half[2], byte[2];
    tn_tensor *in = tn_input(g, "x", TN_F32, TN_SHAPE(2));
    tn_output(tn_neg(tn_cast(tn_cast(in, TN_F16), TN_F32)), "half");
    tn_output(tn_neg(tn_cast(tn_cast(in, TN_U8), TN_F32)), "byte");
    ok(tn_device_open("reference", &device));
    ok(tn_state_new(device, 1, &s));
    ok(tn_compile(g, s, NULL, &p));
    ok(tn_feed(p, "x", x, sizeof x));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "half", half, sizeof half));
    ok(tn_fetch(p, "byte", byte, sizeof byte));
    assert_true(half[0] == -300.25f && half[1] == -0.0999755859375f);
    assert_true(byte[0] == -44 && byte[1] == 0);
    tn_program_free(p);
    tn_state_free(s);
    tn_graph_free(g);
    tn_device_close(device);
}

/* Of x, f32 (2, 3), and i, i32 (4). */
#define MISTAKES(X)                                                                                                    \
    X(stretch, tn_add(x, tn_reshape(tn_cast(i, TN_F32), TN_SHAPE(4))), "add: shapes (2, 3) and (4) do not broadcast")  \
    X(mixed, tn_add(x, i), "add: element types f32 and i32 differ")                                                    \
    X(whole, tn_exp(i), "exp: element type i32")                                                                       \
    X(inner, tn_matmul(x, x), "matmul: inner sizes 3 and 2 of (2, 3) and (2, 3) differ")                               \
    X(axis, tn_sum(x, TN_AXES(2), 0), "sum of shape (2, 3): axis 2 of a tensor of rank 2")                             \
    X(softmax, tn_softmax(x, -3), "softmax: axis -3 of shape (2, 3)")                                                  \
    X(empty, tn_amax(tn_reshape(x, TN_SHAPE(0, 3)), TN_AXES(0), 0), "reshape: shape (2, 3) does not fit (0, 3)")       \
    X(perm, tn_transpose(x, (int32_t[]){0, 0}), "transpose: 0 as dimension 1 is no permutation of 2 dimensions")       \
    X(label, tn_pick(x, i), "pick: labels of shape (4) for (2, 3)")                                                    \
    X(index, tn_gather(x, x), "gather: an index of element type f32")                                                  \
    X(start, tn_dynamic_slice(x, i, 1),                                                                                \
      "window: the start is not a scalar input of type i32, but 'input' of type i32")                                  \
    X(rate, tn_dropout(x, 1), "dropout: rate 1 is not within 0..1")                                                    \
    X(row,                                                                                                             \
      tn_layer_normalize(x, tn_full(tn_graph_of(x), TN_F64, TN_SHAPE(3), 1), 1e-5, (tn_layer_normalize_options){0}),   \
      "layer_norm: operand 1 is of f64, and x of f32")                                                                 \
    X(bias, tn_layer_normalize(x, x, 1e-5, (tn_layer_normalize_options){.bias = tn_cast(x, TN_F64)}),                  \
      "layer_norm: operand 2 is of f64, and x of f32")                                                                 \
    X(larger, tn_broadcast(x, TN_SHAPE(2, 4)), "broadcast: shape (2, 3) does not stretch to (2, 4)")
#define X(name, call, text)                                                                                            \
    static tn_tensor *mistake_##name(tn_tensor *x, tn_tensor *i)                                                       \
    {                                                                                                                  \
        (void)x, (void)i;                                                                                              \
        return call;                                                                                                   \
    }
MISTAKES(X)
#undef X

static void bad_operands_are_refused_with_a_message_that_names_them(void **state)
{
    (void)state;
    static const struct {
        tn_tensor *(*build)(tn_tensor *x, tn_tensor *i);
        const char *message;
    } mistakes[] = {
#define X(name, call, text) {mistake_##name, text},
        MISTAKES(X)
#undef X
    };
    for (size_t m = 0; m < sizeof mistakes / sizeof *mistakes; m++) {
        tn_graph *g = tn_graph_new();
        tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3)), *i = tn_input(g, "i", TN_I32, TN_SHAPE(4));
        (void)mistakes[m].build(x, i);
        assert_int_not_equal(tn_graph_status(g), TN_OK);
        char said[1024]; /* without the node at its end */
        snprintf(said, sizeof said, "%.*s", (int)(strrchr(tn_message(), '[') - tn_message()) - 1, tn_message());
        assert_string_equal(said, mistakes[m].message);
        tn_graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_give_what_numpy_gives),
        cmocka_unit_test(dropout_keeps_the_mean_and_its_gradient_the_mask),
        cmocka_unit_test(types_that_round_do_so_inside_a_chain_too),
        cmocka_unit_test(bad_operands_are_refused_with_a_message_that_names_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
