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
    ok(tn_feed(p, name, x->whole ? (const void *)whole : value, (uint64_t)count * (x->whole ? 4 : 8)));
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
        if (fabs(value - cases[c].y[i]) <= 1e-13 * (1 + fabs(cases[c].y[i]))) continue;
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(operators_give_what_numpy_gives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
