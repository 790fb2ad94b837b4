/* chain.c: what follows a convolution in the same kernel, step by step, on each of the ways that cpu has to convolve:
 * channels by themselves, windows of one pixel, matrix units, tiles. Filters pick one pixel, so that what is expected
 * is the steps alone; of numbers at random, and of infinities and NaN where nothing is added up. */
#include "harness.h"

#include <math.h>

#include "program.h"

enum { BATCH = 2, CHANNELS = 64, LARGEST = 19, OPERANDS = 6 };

/* What stands beside the result: three by channel, one by channel and picture, one by element. */
enum { X, MEAN, SCALE, SHIFT, BOTH, BESIDE };

typedef struct chain {
    tn_tensor *(*build)(tn_tensor *y, tn_tensor *const o[OPERANDS]);
    float (*right)(float y, const float o[OPERANDS]);
} chain;

static tn_tensor *normal(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    return tn_relu6(tn_add(o[SHIFT], tn_mul(tn_sub(y, o[MEAN]), o[SCALE])));
}

static float normal_is(float y, const float o[OPERANDS])
{
    y = o[SHIFT] + (y - o[MEAN]) * o[SCALE];
    return y < 0 ? 0 : y > 6 ? 6 : y;
}

static tn_tensor *residual(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    return tn_relu(tn_add(tn_add(y, o[SHIFT]), o[BESIDE]));
}

static float residual_is(float y, const float o[OPERANDS])
{
    y = y + o[SHIFT] + o[BESIDE];
    return y < 0 ? 0 : y;
}

static tn_tensor *clipped(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    return tn_clamp(tn_mul(o[SCALE], y), -0.5, 0.75);
}

static float clipped_is(float y, const float o[OPERANDS])
{
    y *= o[SCALE];
    return y < -0.5F ? -0.5F : y > 0.75F ? 0.75F : y;
}

static tn_tensor *leaky(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    y = tn_sub(y, o[BESIDE]);
    return tn_leaky_relu(y, tn_number(y, 0.125));
}

static float leaky_is(float y, const float o[OPERANDS])
{
    y -= o[BESIDE];
    return y < 0 ? y * 0.125F : y;
}

static tn_tensor *gated(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    return tn_mul(tn_mul(tn_hard_swish(tn_add(y, o[MEAN])), o[BOTH]), o[BESIDE]);
}

static float gated_is(float y, const float o[OPERANDS])
{
    y += o[MEAN];
    y = y <= -3 ? 0 : y < 3 ? y * (y / 6 + 0.5F) : y;
    return y * o[BOTH] * o[BESIDE];
}

/* What was made before the last step, times the step: of small numbers and of large ones. */
static tn_tensor *swish(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    y = tn_add(tn_mul(y, tn_number(y, 32)), o[MEAN]);
    return tn_add(tn_mul(tn_sigmoid(y), y), o[BESIDE]);
}

static float swish_is(float y, const float o[OPERANDS])
{
    y = y * 32 + o[MEAN];
    return y * (1 / (1 + expf(-y))) + o[BESIDE];
}

static tn_tensor *hard_gate(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    y = tn_sub(y, o[MEAN]);
    return tn_sigmoid(tn_mul(tn_mul(y, tn_hard_sigmoid(y)), o[SCALE]));
}

static float hard_gate_is(float y, const float o[OPERANDS])
{
    y -= o[MEAN];
    y *= y <= -3 ? 0 : y < 3 ? y / 6 + 0.5F : y >= 3 ? 1 : y;
    return 1 / (1 + expf(-y * o[SCALE]));
}

static tn_tensor *hard_steps(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    return tn_silu(tn_add(tn_hard_sigmoid(y), o[SHIFT]));
}

static float hard_steps_is(float y, const float o[OPERANDS])
{
    y = (y <= -3 ? 0 : y < 3 ? y / 6 + 0.5F : y >= 3 ? 1 : y) + o[SHIFT];
    return y / (1 + expf(-y));
}

/* What is done when results are stored: a number by channel, then a lower and an upper bound. */
static tn_tensor *bounded(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    return tn_clamp(tn_add(y, o[SHIFT]), -0.5, 0.75);
}

static float bounded_is(float y, const float o[OPERANDS])
{
    y += o[SHIFT];
    return y < -0.5F ? -0.5F : y > 0.75F ? 0.75F : y;
}

static tn_tensor *scaled_twice(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    return tn_relu(tn_add(tn_mul(tn_mul(tn_sub(y, o[MEAN]), o[SCALE]), o[SHIFT]), o[MEAN]));
}

static float scaled_twice_is(float y, const float o[OPERANDS])
{
    y = (y - o[MEAN]) * o[SCALE] * o[SHIFT] + o[MEAN];
    return y < 0 ? 0 : y;
}

/* Bounds in the other order, and several, which are not all done so. */
static tn_tensor *low_last(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    y = tn_add(y, o[MEAN]);
    return tn_max(tn_min(y, tn_number(y, 0.75)), tn_number(y, 1));
}

static float low_last_is(float y, const float o[OPERANDS])
{
    y += o[MEAN];
    y = y > 0.75F ? 0.75F : y;
    return y < 1 ? 1 : y;
}

static tn_tensor *many_bounds(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    y = tn_max(tn_relu(tn_add(y, o[SHIFT])), tn_number(y, -1));
    return tn_sub(tn_min(tn_relu6(y), tn_number(y, 2)), o[MEAN]);
}

static float many_bounds_is(float y, const float o[OPERANDS])
{
    y += o[SHIFT];
    return (y < 0 ? 0 : y > 2 ? 2 : y) - o[MEAN];
}

/* No chain: what was made so far stands on the wrong side, or is used twice. */
static tn_tensor *other(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    y = tn_sub(o[SHIFT], tn_max(tn_number(y, 0.25), y));
    return tn_mul(y, y);
}

static float other_is(float y, const float o[OPERANDS])
{
    y = o[SHIFT] - (isnan(y) || y > 0.25F ? y : 0.25F);
    return y * y;
}

/* The same, and nothing else. */
static tn_tensor *other_side(tn_tensor *y, tn_tensor *const o[OPERANDS])
{
    return tn_sub(o[SHIFT], tn_relu(y));
}

static float other_side_is(float y, const float o[OPERANDS])
{
    return o[SHIFT] - (y < 0 ? 0 : y);
}

static const chain chains[] = {{normal, normal_is},
                               {residual, residual_is},
                               {clipped, clipped_is},
                               {leaky, leaky_is},
                               {gated, gated_is},
                               {swish, swish_is},
                               {other, other_is},
                               {other_side, other_side_is},
                               {hard_gate, hard_gate_is},
                               {hard_steps, hard_steps_is},
                               {bounded, bounded_is},
                               {low_last, low_last_is},
                               {many_bounds, many_bounds_is},
                               {scaled_twice, scaled_twice_is}};

/* ---- convolutions that only move pixels ---- */

typedef struct way {
    int64_t groups, window, channels, side;
    int specials;
} way;

static const way ways[] = {{CHANNELS, 1, CHANNELS, LARGEST, 1},
                           {1, 1, CHANNELS, LARGEST, 0},
                           {CHANNELS, 1, CHANNELS, 16, 1},
                           {5, 3, 5, 7, 0},
                           {1, 1, 24, LARGEST, 0},
                           {1, 1, 11, 8, 0},
                           {1, 3, CHANNELS, 12, 0},
                           {2, 3, CHANNELS, LARGEST, 0},
                           {1, 3, 6, 16, 0},
                           {1, 3, 7, 9, 0}};

/* Weight (channels, channels / groups, window, window) that picks the last pixel that its window sees of the filter's
 * channel. */
static void fill_weight(const way *w, float *to)
{
    const int64_t c = w->channels / w->groups, n = w->window * w->window;
    for (int64_t i = 0; i < w->channels * c * n; i++) to[i] = i / n % c == i / n / c % c && i % n == n - 1;
}

static void fill(float *to, int64_t n, uint32_t *random)
{
    for (int64_t i = 0; i < n; i++) {
        *random = *random * 1664525 + 1013904223;
        to[i] = (float)((int32_t)(*random >> 16) - 32768) / 8192;
    }
}

static tn_shape shape_of(const way *w, int operand)
{
    const int64_t b = operand == X || operand >= BOTH ? BATCH : 1,
                  side = operand == X || operand == BESIDE ? w->side : 1;
    return TN_SHAPE(b, w->channels, side, side);
}

static int64_t place(const way *w, int operand, int64_t i)
{
    const int64_t pixels = w->side * w->side;
    if (operand == X || operand == BESIDE) return i;
    return operand == BOTH ? i / pixels : i / pixels % w->channels;
}

/* That pixel, for element i of the result; 0 where it is padding. */
static float picked(const way *w, const float *x, int64_t i)
{
    const int64_t on = w->window / 2, row = i / w->side % w->side + on, column = i % w->side + on;
    return row < w->side && column < w->side ? x[i + on * w->side + on] : 0;
}

static void try_chain(const way *w, const chain *c)
{
    static const char *const name[OPERANDS] = {"x", "mean", "scale", "shift", "both", "beside"};
    static float in[OPERANDS][BATCH * CHANNELS * LARGEST * LARGEST], y[BATCH * CHANNELS * LARGEST * LARGEST];
    static float weight[CHANNELS * CHANNELS * 9];
    const int64_t all = BATCH * w->channels * w->side * w->side;
    uint32_t random = 7;
    fixture f = use_device("cpu", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *o[OPERANDS];
    tn_program *p = NULL;
    for (int k = 0; k < OPERANDS; k++) o[k] = tn_input(g, name[k], TN_F32, shape_of(w, k));
    fill_weight(w, weight);
    tn_tensor *by =
        tn_constant(g, TN_F32, TN_SHAPE(w->channels, w->channels / w->groups, w->window, w->window), weight);
    const tn_conv_options options = {.pad = {(uint32_t)w->window / 2, (uint32_t)w->window / 2},
                                     .groups = (uint32_t)w->groups};
    tn_output(c->build(tn_convolve2d(o[X], by, options), o), "y");
    ok(tn_compile(g, f.state, NULL, &p));
    for (int k = 0; k < OPERANDS; k++) {
        const tn_shape shape = shape_of(w, k);
        fill(in[k], tn_shape_count(&shape), &random);
        for (int64_t i = 0; i < all && k == X && w->specials; i += 13)
            in[X][i] = i % 3 ? NAN : i % 2 ? INFINITY : -INFINITY;
        if (tn_program_declared(p, name[k])) ok(tn_feed(p, name[k], in[k], (uint64_t)tn_shape_count(&shape) * 4));
    }
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", y, (uint64_t)all * sizeof *y));
    for (int64_t i = 0; i < all; i++) {
        float at[OPERANDS];
        for (int k = 0; k < OPERANDS; k++) at[k] = in[k][place(w, k, i)];
        const float right = c->right(picked(w, in[X], i), at);
        if (!(isnan(right) ? isnan(y[i]) : y[i] == right || fabsf(y[i] - right) <= 2e-6F * (1 + fabsf(right))))
            fail_msg("chain %d of way %d: element %d is %g instead of %g", (int)(c - chains), (int)(w - ways), (int)i,
                     (double)y[i], (double)right);
    }
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void each_step_is_done_on_each_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (size_t k = 0; k < sizeof chains / sizeof *chains; k++) try_chain(&ways[i], &chains[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_step_is_done_on_each_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
