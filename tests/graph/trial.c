/* trial.c: operators that are too large to be compared as a whole when they are tuned: the part that is compared is the
 * same of operands, of what the reference makes of them, and of results; and the last element is in it. On a device
 * that has a right way for each, and one that is wrong in the last element (tests/backends/tuning.c). */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "program.h"
#include "tuner.h"

#define RIGHT "way a=1 b=1"
#define WRONG "way a=3 b=2"
#define WHOLE 1e8 /* operations of what is compared as a whole, at most (src/tune/trial.c) */

static tn_tensor *input(tn_graph *g, const char *name, tn_shape shape)
{
    return tn_input(g, name, TN_F32, shape);
}

/* Many batches. */
static void batches(tn_graph *g)
{
    tn_output(tn_matmul(input(g, "a", TN_SHAPE(71, 90, 101)), input(g, "b", TN_SHAPE(71, 101, 100))), "y");
}

/* Of one batch many rows, with what follows the product. */
static void rows(tn_graph *g)
{
    tn_tensor *y = tn_matmul(input(g, "a", TN_SHAPE(301, 1700)), input(g, "b", TN_SHAPE(1700, 103)));
    tn_output(tn_tanh(tn_add(y, input(g, "c", TN_SHAPE(301, 103)))), "y");
}

/* Many columns, which are rows transposed. */
static void columns(tn_graph *g)
{
    tn_tensor *a = input(g, "a", TN_SHAPE(1700, 301)), *b = input(g, "b", TN_SHAPE(1700, 103));
    tn_output(tn_matmul_t(a, b, 1, 0), "y");
}

static tn_tensor *convolve(tn_graph *g, tn_tensor *wrt[2])
{
    wrt[0] = input(g, "x", TN_SHAPE(31, 15, 24, 24)), wrt[1] = input(g, "w", TN_SHAPE(23, 15, 3, 3));
    return tn_convolve2d(wrt[0], wrt[1], (tn_conv_options){.pad = {1, 1}});
}

static void pictures(tn_graph *g)
{
    tn_tensor *wrt[2];
    tn_output(convolve(g, wrt), "y");
}

static void gradients(tn_graph *g, int which)
{
    tn_tensor *wrt[2], *grad[2], *y = convolve(g, wrt);
    tn_grad(tn_sum(tn_square(y), TN_ALL, 0), wrt, 2, grad);
    tn_output(grad[which], "y");
}

static void data(tn_graph *g)
{
    gradients(g, 0);
}

static void filters(tn_graph *g)
{
    gradients(g, 1);
}

static const struct {
    const char *op;
    void (*build)(tn_graph *g);
    int wrong_too;
} cases[] = {{"matmul", batches, 1},  {"matmul", rows, 1},      {"matmul", columns, 0},
             {"conv2d", pictures, 0}, {"conv2d_data", data, 0}, {"conv2d_weight", filters, 1}};

static const tn_launch *launch_of(const tn_program *p, const char *op)
{
    for (uint32_t i = 0; i < p->ir.launches; i++)
        if (!strcmp(p->ir.launch[i]->operation.desc.name, op)) return p->ir.launch[i];
    fail_msg("no %s", op);
    return NULL;
}

static void compare(fixture *f, size_t i)
{
    tn_program *p = NULL;
    tn_trial *trial = NULL;
    tn_outcome outcome;
    tn_graph *g = tn_graph_new();
    cases[i].build(g);
    ok(tn_compile(g, f->state, NULL, &p));
    const tn_launch *l = launch_of(p, cases[i].op);
    assert_true(l->cost.flops > WHOLE);
    ok(tn_trial_new(f->device, &l->operation.desc, &trial));
    ok(tn_trial_run(trial, RIGHT, INFINITY, 0, &outcome));
    if (outcome.verdict != TN_TRIAL_RIGHT)
        fail_msg("case %zu, %s: verdict %d, %g of what is allowed", i, cases[i].op, (int)outcome.verdict,
                 outcome.error);
    assert_true(outcome.error > 0);
    if (cases[i].wrong_too) {
        ok(tn_trial_run(trial, WRONG, INFINITY, 0, &outcome));
        assert_int_equal(outcome.verdict, TN_TRIAL_WRONG);
    }
    tn_trial_free(trial);
    tn_program_free(p);
    tn_graph_free(g);
}

static void a_part_of_what_is_large_is_compared(void **state)
{
    (void)state;
    fixture f = use_device("tuning", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) compare(&f, i);
    drop_device(&f);
}

int main(void)
{
    if (tn_backend_load(TUNING)) return puts(tn_message()), 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_part_of_what_is_large_is_compared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
