/* packs.h: what the tests of packs share: a network whose parameters have odd sizes, and its training. */
#ifndef TESTS_GRAPH_PACKS_H
#define TESTS_GRAPH_PACKS_H

#include "harness.h"

#include <string.h>

static const char *const devices[] = {"reference", "cpu"};

/* ---- a network whose tensors have odd sizes ---- */

enum { ROWS = 6, IN = 5, HIDDEN = 7, OUT = 3, STEPS = 4, PARAMS = 4 };
static const char *const param_name[PARAMS] = {"one.weight", "one.bias", "two.weight", "two.bias"};

static const tn_shape param_shape[PARAMS] = {{2, {HIDDEN, IN}}, {1, {HIDDEN}}, {2, {OUT, HIDDEN}}, {1, {OUT}}};

static int64_t size_of(int param)
{
    return tn_shape_count(&param_shape[param]);
}

static inline tn_tensor *network(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(ROWS, IN));
    x = tn_tanh(tn_linear(x, "one", .units = HIDDEN));
    return tn_linear(x, "two", .units = OUT);
}

static inline tn_tensor *loss_of(tn_graph *g)
{
    return tn_mean(tn_square(network(g)), TN_ALL, 0);
}

static inline tn_graph *training(const char *optimizer, tn_optim_options options)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *loss = loss_of(g);
    tn_output(loss, "loss");
    tn_minimize(loss, optimizer, options);
    return g;
}

static inline void feed(tn_program *p)
{
    float x[ROWS * IN];
    for (int i = 0; i < ROWS * IN; i++) x[i] = (float)((i * 7 + 3) % 11 - 5) / 4;
    ok(tn_feed(p, "x", x, sizeof x));
}

static inline void run_steps(tn_program *p, int steps)
{
    feed(p);
    for (int i = 0; i < steps; i++) ok(tn_program_run(p));
}

static inline void train(tn_state *state, tn_graph *g, const tn_compile_options *options, int steps)
{
    tn_program *p = NULL;
    ok(tn_compile(g, state, options, &p));
    run_steps(p, steps);
    tn_program_free(p);
}

/* All parameters one after another. */
typedef struct weights {
    float value[HIDDEN * IN + HIDDEN + OUT * HIDDEN + OUT];
} weights;

static inline weights read_all(tn_state *state)
{
    weights w;
    float *at = w.value;
    for (int i = 0; i < PARAMS; at += size_of(i++))
        ok(tn_state_read(state, param_name[i], at, (uint64_t)size_of(i) * sizeof *at));
    return w;
}

static inline void assert_same(const weights *a, const weights *b)
{
    assert_memory_equal(a, b, sizeof *a);
}

static inline void assert_close(const weights *a, const weights *b)
{
    for (size_t i = 0; i < sizeof a->value / sizeof *a->value; i++) assert_near(a->value[i], b->value[i], 2e-6);
}

/* What a fresh state has after so many steps. */
static inline weights expected(const char *device, const char *optimizer, tn_optim_options options, int unfused)
{
    fixture f = use_device(device, 5);
    tn_graph *g = training(optimizer, options);
    train(f.state, g, &(tn_compile_options){.unfused = (uint32_t)unfused}, STEPS);
    weights w = read_all(f.state);
    tn_graph_free(g);
    drop_device(&f);
    return w;
}

static const tn_optim_options plain;

#endif
