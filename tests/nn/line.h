/* line.h: what the tests of training share: a device with a state, and a line through seven points. */
#ifndef TESTS_NN_LINE_H
#define TESTS_NN_LINE_H

#include "check.h"

typedef struct bench {
    tn_device *device;
    tn_state *state;
} bench;

/* Returns 0 if there is no such device. */
static inline int open_bench(bench *b, const char *device)
{
    *b = (bench){0};
    if (tn_device_open(device, &b->device)) return 0;
    CHECK(tn_state_new(b->device, 5, &b->state));
    return 1;
}

static inline void close_bench(bench *b)
{
    tn_state_free(b->state);
    tn_device_close(b->device);
}

/* ---- a line through points ---- */

enum { N = 7 };
static float points[N] = {-1, -0.5f, 0, 0.25f, 0.5f, 0.75f, 1},
             heights[N] = {1, 0.3f, 0.1f, -0.4f, -0.6f, -0.7f, -1.3f};
static const tn_dataset line_data = {
    .count = N, .sample = {1, {1}}, .x_dtype = TN_F32, .x = points, .target = heights, .targets = 1};

static inline tn_tensor *line(tn_tensor *x, int training, const void *arg)
{
    (void)training, (void)arg;
    return tn_linear(x, "line", .units = 1, .init = &(tn_init){TN_INIT_ZERO});
}

static const tn_model line_model = {.build = line, .loss = "half_mse"};

#endif
