/* harness.h: what the tests of graphs and programs share: a state on a device, and running a graph once. */
#ifndef TESTS_GRAPH_HARNESS_H
#define TESTS_GRAPH_HARNESS_H

#include "near.h"
#include "tenon/tenon.h"

/* A device and a state on it, opened by use_device and closed by drop_device. */
typedef struct fixture {
    tn_device *device;
    tn_state *state;
} fixture;

static inline void ok(tn_status s)
{
    if (s) fail_msg("%s: %s", tn_status_name(s), tn_message());
}

static inline fixture use_device(const char *name, uint64_t seed)
{
    fixture f = {0};
    ok(tn_device_open(name, &f.device));
    ok(tn_state_new(f.device, seed, &f.state));
    return f;
}

static inline void drop_device(fixture *f)
{
    tn_state_free(f->state);
    tn_device_close(f->device);
}

/* Compiles, feeds one input if it is named, runs, and reads one f32 output of n numbers. */
static inline void run_once(fixture *f, tn_graph *g, const char *input, const float *x, size_t x_bytes,
                            const char *output, float *y, size_t n)
{
    tn_program *p = NULL;
    ok(tn_compile(g, f->state, NULL, &p));
    if (input) ok(tn_feed(p, input, x, x_bytes));
    ok(tn_program_run(p));
    ok(tn_fetch(p, output, y, n * sizeof *y));
    tn_program_free(p);
}

#endif
