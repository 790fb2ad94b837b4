/* test_second.c: gradients of gradients, on the reference or another device: for each case of each operator, the
 * gradient's gradient against central differences of the gradient.
 *
 *     test_second [DEVICE [OPERATOR]] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "case.h"
#include "tenon/gradients.h"
#include "tenon/tenon.h"

enum { OPERANDS = 4, MOST_ELEMENTS = 1500, TRIED = 12 };

/* Where an operator is defined, if none of its cases keeps to that. */
static const struct {
    const char *op;
    double low, high;
} domains[] = {{"acosh", 1.2, 3}};

/* Numbers from -1 to 1 that are alike for no two elements. */
static tn_tensor *factors(tn_graph *g, tn_shape shape, int number)
{
    tn_tensor *i = tn_cast(tn_iota(g, TN_SHAPE(tn_shape_count(&shape)), 0), TN_F32);
    i = tn_mul(tn_add(i, tn_number(i, number + 1)), tn_number(i, 0.7548776662466927));
    return tn_reshape(tn_sub(tn_mul(tn_sub(i, tn_floor(i)), tn_number(i, 2)), tn_number(i, 1)), shape);
}

static tn_tensor *weighted(tn_tensor *x, int number)
{
    return tn_sum(tn_mul(x, tn_stop_gradient(factors(tn_graph_of(x), tn_shape_of(x), number))), TN_ALL, 0);
}

/* The case on variables, and a sum of its first gradients; NULL if there are none. */
static tn_tensor *slopes_of(tn_graph *g, const tn_op_def *op, const tn_op_case *c)
{
    tn_tensor *in[OPERANDS] = {NULL}, *wrt[OPERANDS], *slope[OPERANDS], *sum = NULL;
    double low = c->low, high = c->high;
    size_t n = 0;
    if (low == 0 && high == 0) low = -2, high = 2;
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
        if (!strcmp(op->name, domains[i].op)) low = domains[i].low, high = domains[i].high;
    for (int i = 0; i < OPERANDS && c->in[i].dtype; i++) {
        const char name[] = {'x', (char)('0' + i), 0};
        int real = c->in[i].dtype == TN_F32;
        double middle = (low + high) / 2;
        in[i] = real ? tn_param(g, name, c->in[i].shape, (tn_init){.kind = TN_INIT_UNIFORM, .a = (high - low) / 2})
                     : tn_input(g, name, c->in[i].dtype, c->in[i].shape);
        if (real) wrt[n++] = in[i] = tn_add(in[i], tn_number(in[i], middle));
    }
    if (!n) return NULL;
    tn_tensor *y = c->build(in);
    if (tn_dtype_of(y) != TN_F32) return NULL;
    tn_grad(weighted(y, 0), wrt, n, slope);
    for (size_t i = 0; i < n; i++) {
        tn_tensor *part = weighted(slope[i], (int)i + 1);
        sum = sum ? tn_add(sum, part) : part;
    }
    return sum;
}

/* Of nothing, means are NaN. */
static int is_tried(const tn_op_case *c)
{
    int64_t size = 0;
    for (int i = 0; i < OPERANDS && c->in[i].dtype; i++) {
        int64_t count = tn_shape_count(&c->in[i].shape);
        if (!count) return 0;
        size += count;
    }
    return !c->no_gradient && size > 0 && size <= MOST_ELEMENTS;
}

static size_t feed(const tn_op_case *c, tn_value_of value[OPERANDS], int32_t whole[OPERANDS][MOST_ELEMENTS],
                   char name[OPERANDS][3])
{
    size_t n = 0;
    int64_t low = (int64_t)c->low, range = (int64_t)c->high - low + 1;
    for (int i = 0; i < OPERANDS && c->in[i].dtype; i++) {
        if (c->in[i].dtype != TN_I32) continue;
        name[i][0] = 'x', name[i][1] = (char)('0' + i);
        for (int64_t e = 0; e < tn_shape_count(&c->in[i].shape); e++) whole[i][e] = (int32_t)(low + e * 7 % range);
        value[n++] = (tn_value_of){name[i], whole[i]};
    }
    return n;
}

static const char *device_name = "reference", *only; /* the operator; NULL: all */
static tn_device *device;

/* How many elements' gradients are wrong; *compared grows. */
static int check_case(const tn_op_def *op, const tn_op_case *c, int64_t *compared)
{
    static int32_t whole[OPERANDS][MOST_ELEMENTS];
    char name[OPERANDS][3] = {{0}};
    tn_value_of value[OPERANDS];
    tn_gradient_error error[OPERANDS];
    size_t count = 0, n_in = feed(c, value, whole, name);
    tn_graph *g = tn_graph_new();
    tn_tensor *slopes = slopes_of(g, op, c);
    int wrong = 0;
    tn_status s = tn_graph_status(g);
    const tn_gradient_options how = {.device = device, .elements = TRIED};
    if (!s && slopes) s = tn_check_gradients(slopes, value, n_in, &how, error, OPERANDS, &count);
    if (s) fprintf(stderr, "%s, %s: %s\n", op->name, c->name, tn_message()), wrong = 1, count = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(error[i].difference) || !error[i].compared) continue; /* beyond where the operator is defined */
        *compared += error[i].compared;
        if (error[i].error < 1e-5) continue;
        fprintf(stderr, "%s, %s: by element %lld of %s %.12g, by differences %.12g\n", op->name, c->name,
                (long long)error[i].element, error[i].name, error[i].gradient, error[i].difference);
        wrong++;
    }
    tn_graph_free(g);
    return wrong;
}

/* Every operator that has a gradient was compared; maxpool2d_grad by the cases of maxpool2d. */
static void gradients_have_right_gradients(void **state)
{
    const tn_op_def *op;
    int wrong = 0;
    (void)state;
    for (size_t i = 0; (op = tn_op_number(i)); i++) {
        int64_t compared = 0;
        if (only && strcmp(op->name, only) != 0) continue;
        for (const tn_op_case *c = op->cases; c && c->build; c++)
            if (is_tried(c)) wrong += check_case(op, c, &compared);
        int is_silent = op->grad && op->cases && !compared && strcmp(op->name, "maxpool2d_grad");
        if (is_silent) fprintf(stderr, "%s: nothing was compared\n", op->name);
        wrong += is_silent;
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) device_name = argv[1];
    if (argc > 2) only = argv[2];
    if (tn_device_open(device_name, &device)) {
        fprintf(stderr, "skipped: %s\n", tn_message());
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_have_right_gradients),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tn_device_close(device);
    return failed;
}
