/* test_torch.c: operators and layers on the reference device or another, in double precision, against PyTorch: results,
 * and the gradients of all operands and parameters.
 *
 *     test_torch [DEVICE] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tenon/tenon.h"

enum { MOST_IN = 6, MOST = 256, MOST_VALUES = 512 };

/* An operand: of whole numbers from low to high, or of eighths. */
typedef struct operand {
    int whole;
    tn_shape shape;
    int64_t low, high;
} operand;

typedef struct parameter {
    const char *name;
    operand is;
} parameter;

/* What the lines of golden_torch.inc give: the result, then the gradients of operands and parameters. */
typedef struct golden {
    const char *name;
    tn_tensor *(*build)(tn_tensor *const in[]);
    operand in[MOST_IN];
    parameter parameters[MOST_IN];
    double value[MOST_VALUES];
} golden;

/* The elements that tn_topk names. */
static tn_tensor *top(tn_tensor *x, int64_t k, int32_t axis, int smallest)
{
    tn_tensor *values = NULL;
    tn_topk(x, k, axis, smallest, &values);
    return values;
}

/* One of so many equal parts. */
static tn_tensor *part(tn_tensor *x, int32_t axis, uint32_t parts, uint32_t i)
{
    tn_tensor *all[8];
    tn_split(x, axis, parts, all);
    return all[i];
}

static tn_tensor *total(tn_tensor *y);

/* The gradients of total(y) by n operands, in one vector: its own gradient is of second order. */
static tn_tensor *slopes(tn_tensor *y, tn_tensor *const in[], uint32_t n)
{
    tn_tensor *d[MOST_IN];
    tn_grad(total(y), in, n, d);
    for (uint32_t i = 0; i < n; i++) d[i] = tn_reshape(d[i], TN_SHAPE(-1));
    return tn_concat(d, n, 0);
}

/* How far the norm of each row's gradient is from 1, squared: Gulrajani and others, 2017. */
static tn_tensor *penalty(tn_tensor *y, tn_tensor *x)
{
    tn_tensor *d = NULL;
    tn_grad(tn_sum(y, TN_ALL, 0), &x, 1, &d);
    tn_tensor *norm = tn_norm(d, 2, TN_AXES(1), 0);
    return tn_mean(tn_square(tn_sub(norm, tn_number(norm, 1))), TN_ALL, 0);
}

/* What dy means for x, where windows of 2 x 3 are pooled. */
static tn_tensor *pool_slope(tn_tensor *x, tn_tensor *dy)
{
    tn_tensor *dx = NULL, *y = tn_maxpool2d(x, .window = {2, 3});
    tn_grad(tn_sum(tn_mul(y, tn_cast(dy, TN_F32)), TN_ALL, 0), &x, 1, &dx);
    return dx;
}

/* The largest elements of windows of 2 x 2, that move by one; and those of others where they were, of pictures whose
 * last column no window sees. */
static tn_tensor *peaks(tn_tensor *x)
{
    tn_tensor *values = NULL;
    tn_maxpool_nd_places(x, (tn_pool_nd_options){.window = {2, 2}, .stride = {1, 1}}, 0, &values);
    return values;
}

static tn_tensor *unpooled(tn_tensor *x)
{
    tn_tensor *values = NULL, *at = tn_maxpool_nd_places(x, (tn_pool_nd_options){.window = {2, 2}}, 0, &values);
    return tn_max_unpool_nd(values, at, tn_shape_of(x));
}

/* The real part of a Fourier transform, or the imaginary one; and what there is to know of unique elements. */
static tn_tensor *dft_part(tn_tensor *re, tn_tensor *im, tn_dft_options options, int imaginary)
{
    tn_tensor *out_im = NULL, *out_re = tn_dft(re, im, options, &out_im);
    return imaginary ? out_im : out_re;
}

static tn_unique_result unique_part(tn_tensor *x)
{
    tn_unique_result more = {0};
    tn_unique(x, &more);
    return more;
}

/* x (..., steps, width) turned by its steps, which are counted from `first`. */
static tn_tensor *turned(tn_tensor *x, int64_t first, int64_t pairs, int interleaved)
{
    tn_shape s = tn_shape_of(x);
    tn_tensor *sine = NULL, *cosine = tn_rotary_table(tn_graph_of(x), first, s.dim[s.rank - 2], pairs, 10000, &sine);
    return tn_rotary(x, cosine, sine, interleaved);
}

static tn_tensor *range_part(tn_tensor *x, int zero)
{
    tn_tensor *at = NULL, *scale = tn_quantize_range(x, 0, 255, &at);
    return zero ? at : scale;
}

#define LIST(...)                                                                                                      \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define OPERANDS   LIST
#define PARAMETERS LIST
#define VALUES     LIST

/* A function for each line, named after it. */
#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define OPERATOR(name, call, operands, ...)                                                                            \
    static tn_tensor *JOIN(build_, __LINE__)(tn_tensor *const in[])                                                    \
    {                                                                                                                  \
        return call;                                                                                                   \
    }
#define LAYER(name, call, operands, parameters, ...)                                                                   \
    static tn_tensor *JOIN(build_, __LINE__)(tn_tensor *const in[])                                                    \
    {                                                                                                                  \
        tn_tensor *x = in[0];                                                                                          \
        return call;                                                                                                   \
    }
#include "golden_torch.inc"
#undef OPERATOR
#undef LAYER

static const golden cases[] = {
#define OPERATOR(name, call, operands, ...)          {name, JOIN(build_, __LINE__), operands, LIST({0}), __VA_ARGS__},
#define LAYER(name, call, operands, parameters, ...) {name, JOIN(build_, __LINE__), operands, parameters, __VA_ARGS__},
#include "golden_torch.inc"
};

static void ok(tn_status s)
{
    if (s) fail_msg("%s: %s", tn_status_name(s), tn_message());
}

/* The rule of golden_torch.py. */
static double element(const operand *x, int64_t number, int64_t i)
{
    int64_t mixed = i * 7919 + number * 104729;
    if (x->whole) return (double)(mixed % (x->high - x->low + 1) + x->low);
    return (double)(mixed % 41 - 20) / 8;
}

static int is_there(const operand *x)
{
    return x->shape.rank || x->whole;
}

static void feed(tn_program *p, const operand *x, int number)
{
    double value[MOST];
    int32_t whole[MOST];
    char name[16];
    int64_t count = tn_shape_count(&x->shape);
    snprintf(name, sizeof name, "%d", number);
    assert_in_range(count, 0, MOST);
    for (int64_t i = 0; i < count; i++) value[i] = element(x, number, i), whole[i] = (int32_t)value[i];
    tn_status s = tn_feed(p, name, x->whole ? (const void *)whole : value, (uint64_t)count * (x->whole ? 4 : 8));
    if (s != TN_EMISSING) ok(s); /* an operand that the result does not depend on is not there */
}

/* The sum of y's elements times the factors of golden_torch.py. */
static tn_tensor *total(tn_tensor *y)
{
    tn_shape shape = tn_shape_of(y);
    tn_shape line = TN_SHAPE(tn_shape_count(&shape));
    tn_tensor *i = tn_iota(tn_graph_of(y), line, 0);
    tn_tensor *mixed = tn_mul(i, tn_number(i, 31)), *f = tn_cast(mixed, TN_F32), *eleven = tn_number(f, 11);
    f = tn_sub(f, tn_mul(eleven, tn_floor(tn_div(f, eleven))));
    f = tn_div(tn_sub(f, tn_number(f, 5)), tn_number(f, 4));
    return tn_sum(tn_mul(tn_reshape(y, line), f), TN_ALL, 0);
}

/* The outputs of a case's graph, in the order of the numbers: "y", "d0", "d1", ... */
typedef struct outputs {
    int n, whole; /* y is of whole numbers */
    int64_t count[1 + 2 * MOST_IN];
} outputs;

static void add_output(outputs *o, tn_tensor *x)
{
    char name[16] = "y";
    tn_shape shape = tn_shape_of(x);
    if (o->n) snprintf(name, sizeof name, "d%d", o->n - 1);
    tn_output(x, name);
    o->count[o->n++] = tn_shape_count(&shape);
}

static outputs build(const golden *c, tn_graph *g)
{
    tn_tensor *in[MOST_IN] = {0}, *wrt[2 * MOST_IN], *grads[2 * MOST_IN] = {0};
    outputs o = {0};
    char name[16];
    uint32_t n = 0;
    for (int i = 0; i < MOST_IN && is_there(&c->in[i]); i++) {
        snprintf(name, sizeof name, "%d", i);
        in[i] = tn_input(g, name, c->in[i].whole ? TN_I32 : TN_F32, c->in[i].shape);
        if (!c->in[i].whole) wrt[n++] = in[i];
    }
    tn_tensor *y = c->build(in);
    o.whole = tn_dtype_of(y) == TN_I32;
    add_output(&o, y);
    if (o.whole) return o;
    for (int i = 0; i < MOST_IN && c->parameters[i].name; i++)
        wrt[n++] = tn_param(g, c->parameters[i].name, c->parameters[i].is.shape, (tn_init){0});
    if (n) tn_grad(total(y), wrt, n, grads);
    for (uint32_t i = 0; i < n; i++) add_output(&o, grads[i]);
    return o;
}

static void write_parameters(const golden *c, tn_state *state)
{
    for (int k = 0; k < MOST_IN && c->parameters[k].name; k++) {
        const operand *x = &c->parameters[k].is;
        double value[MOST];
        int64_t count = tn_shape_count(&x->shape);
        assert_in_range(count, 0, MOST);
        for (int64_t i = 0; i < count; i++) value[i] = element(x, k + 1, i) / 2;
        ok(tn_state_put(state, c->parameters[k].name, TN_F64, x->shape, TN_TRAINABLE, value));
    }
}

static double value_at(const void *got, int whole, int64_t i)
{
    return whole ? ((const int32_t *)got)[i] : ((const double *)got)[i];
}

/* Compares output number k with its numbers; returns how many are wrong. */
static int compare(const golden *c, tn_program *p, const outputs *o, int k, const double *wanted)
{
    double got[MOST];
    char name[16] = "y";
    int wrong = 0;
    if (k) snprintf(name, sizeof name, "d%d", k - 1);
    assert_in_range(o->count[k], 0, MOST);
    assert_true(wanted + o->count[k] <= c->value + MOST_VALUES);
    ok(tn_fetch(p, name, got, (uint64_t)o->count[k] * (o->whole ? 4 : 8)));
    for (int64_t i = 0; i < o->count[k]; i++) {
        const double value = value_at(got, o->whole, i);
        if (fabs(value - wanted[i]) <= 1e-12 * (1 + fabs(wanted[i]))) continue;
        fprintf(stderr, "%s, %s: element %lld is %.17g instead of %.17g\n", c->name, name, (long long)i, value,
                wanted[i]);
        wrong++;
    }
    return wrong;
}

static int check(tn_device *device, const golden *c)
{
    tn_state *state = NULL;
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    const double *wanted = c->value;
    int wrong = 0;
    outputs o = build(c, g);
    ok(tn_graph_status(g));
    ok(tn_state_new(device, 1, &state));
    write_parameters(c, state);
    ok(tn_compile(g, state, &(tn_compile_options){.f64 = 1}, &p));
    for (int i = 0; i < MOST_IN && is_there(&c->in[i]); i++) feed(p, &c->in[i], i);
    ok(tn_program_run(p));
    for (int k = 0; k < o.n; k++) {
        wrong += compare(c, p, &o, k, wanted);
        wanted += o.count[k];
    }
    tn_program_free(p);
    tn_state_free(state);
    tn_graph_free(g);
    return wrong;
}

static const char *device_name = "reference";

static void results_and_gradients_are_those_of_pytorch(void **state)
{
    (void)state;
    tn_device *device = NULL;
    int wrong = 0;
    ok(tn_device_open(device_name, &device));
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) wrong += check(device, &cases[c]);
    tn_device_close(device);
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) device_name = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(results_and_gradients_are_those_of_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
