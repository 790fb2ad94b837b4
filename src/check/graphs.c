/* graphs.c: random graphs: fused, unfused and on the reference they give the same; inputs are fed again; damaged cache
 * entries are as good as none. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"

enum { ROWS = 12, COLUMNS = 20, CELLS = ROWS * COLUMNS, STEPS = 14, GRAPHS = 6 };

/* ---- random graphs of (ROWS, COLUMNS) tensors whose numbers stay of moderate size ---- */

static tn_tensor *stretch_sum(tn_tensor *x, int axis)
{
    return tn_broadcast(tn_mul(tn_sum(x, TN_AXES(axis), 1), tn_number(x, 0.05)), TN_SHAPE(ROWS, COLUMNS));
}

static tn_tensor *there_and_back(tn_tensor *x)
{
    static const int32_t swap[] = {1, 0};
    return tn_transpose(tn_softmax(tn_transpose(x, swap), 0), swap);
}

static tn_tensor *product(tn_tensor *a, tn_tensor *b)
{
    return tn_tanh(tn_matmul(tn_mul(tn_matmul_t(a, b, 0, 1), tn_number(a, 0.1)), b));
}

static tn_tensor *reshaped(tn_tensor *x)
{
    tn_tensor *flat = tn_reshape(x, TN_SHAPE(COLUMNS, ROWS));
    return tn_reshape(tn_sub(flat, tn_amax(flat, TN_AXES(1), 1)), TN_SHAPE(ROWS, COLUMNS));
}

static tn_tensor *add_random(tn_kit *kit, tn_tensor *a, tn_tensor *b, tn_tensor *bias)
{
    switch (tn_kit_bits(kit) % 15) {
    case 0:
        return tn_tanh(tn_add(a, b));
    case 1:
        return tn_sigmoid(tn_mul(a, b));
    case 2:
        return tn_relu(tn_sub(a, b));
    case 3:
        return tn_max(a, tn_neg(b));
    case 4:
        return tn_add(a, bias);
    case 5:
        return tn_tanh(tn_square(b));
    case 6:
        return tn_sin(a);
    case 7:
        return stretch_sum(a, 0);
    case 8:
        return stretch_sum(b, 1);
    case 9:
        return there_and_back(a);
    case 10:
        return product(a, b);
    case 11:
        return reshaped(a);
    case 12:
        return tn_where(tn_gt(a, b), a, tn_mul(b, tn_number(b, 0.5)));
    case 13:
        return tn_log_softmax(a, 1);
    default:
        return tn_leaky_relu(tn_tanh(a), tn_number(a, 0.1));
    }
}

/* Inputs "a", "b" and "bias", the output "y", and "g": what sum(tanh(y)) means for a. */
static tn_graph *random_graph(tn_kit *kit)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *pool[STEPS + 2], *grad = NULL;
    tn_tensor *a = pool[0] = tn_input(graph, "a", TN_F32, TN_SHAPE(ROWS, COLUMNS));
    pool[1] = tn_input(graph, "b", TN_F32, TN_SHAPE(ROWS, COLUMNS));
    tn_tensor *bias = tn_input(graph, "bias", TN_F32, TN_SHAPE(COLUMNS));
    for (int i = 0; i < STEPS; i++) {
        uint32_t near = tn_kit_bits(kit) % 3, any = tn_kit_bits(kit) % (uint32_t)(i + 2);
        pool[i + 2] = add_random(kit, pool[near > (uint32_t)i + 1 ? 0 : i + 1 - (int)near], pool[any], bias);
    }
    tn_tensor *y = tn_add(tn_tanh(pool[STEPS + 1]), tn_mul(tn_add(tn_tanh(a), bias), tn_tanh(pool[1])));
    tn_output(y, "y");
    tn_grad(tn_sum(tn_tanh(y), TN_ALL, 0), &a, 1, &grad);
    tn_output(grad, "g");
    return graph;
}

/* ---- running them ---- */

typedef struct data {
    float a[CELLS], b[CELLS], bias[COLUMNS], y[CELLS], g[CELLS];
} data;

static tn_status run(tn_program *program, data *d)
{
    tn_status s = tn_feed(program, "a", d->a, sizeof d->a);
    if (!s) s = tn_feed(program, "b", d->b, sizeof d->b);
    if (!s) s = tn_feed(program, "bias", d->bias, sizeof d->bias);
    if (!s) s = tn_program_run(program);
    if (!s) s = tn_fetch(program, "y", d->y, sizeof d->y);
    return s ? s : tn_fetch(program, "g", d->g, sizeof d->g);
}

/* `rounds` runs with the inputs of d[0], d[1], ... */
static int run_on(tn_kit *kit, tn_graph *graph, tn_device *device, int unfused, data *d, int rounds)
{
    tn_state *state = NULL;
    tn_program *program = NULL;
    const tn_compile_options options = {.unfused = (uint32_t)unfused};
    tn_status s = tn_state_new(device, 5, &state);
    if (!s) s = tn_compile(graph, state, &options, &program);
    for (int i = 0; !s && i < rounds; i++) s = run(program, &d[i]);
    tn_program_free(program);
    tn_state_free(state);
    return tn_kit_expect(kit, !s, "a random graph on %s: %.300s", tn_device_name(device), tn_message());
}

static double distance(const float *a, const float *b, double *size)
{
    double off = 0;
    *size = 0;
    for (int i = 0; i < CELLS; i++) {
        off += pow((double)a[i] - (double)b[i], 2);
        *size += (double)b[i] * (double)b[i];
    }
    *size = sqrt(*size);
    return sqrt(off);
}

static int same(tn_kit *kit, const data *got, const data *want, int number, const char *what)
{
    double size, off = distance(got->y, want->y, &size);
    if (!tn_kit_expect(kit, off <= 2e-4 * size + 1e-6, "graph %d, %s: the output is off by %.3g of %.3g", number, what,
                       off, size))
        return 0;
    off = distance(got->g, want->g, &size);
    return tn_kit_expect(kit, off <= 1e-3 * size + 1e-5, "graph %d, %s: the gradient is off by %.3g of %.3g", number,
                         what, off, size);
}

static void randomize(tn_kit *kit, data *d)
{
    for (int i = 0; i < CELLS; i++) d->a[i] = (float)tn_kit_uniform(kit, -1, 1);
    for (int i = 0; i < CELLS; i++) d->b[i] = (float)tn_kit_uniform(kit, -1, 1);
    for (int i = 0; i < COLUMNS; i++) d->bias[i] = (float)tn_kit_uniform(kit, -1, 1);
}

static int check_graph(tn_kit *kit, tn_device *reference, int number)
{
    enum { ROUNDS = 3 };
    data *want = calloc(ROUNDS, sizeof *want), *got = calloc(ROUNDS, sizeof *got);
    tn_graph *graph = random_graph(kit);
    for (int i = 0; i < ROUNDS; i++) randomize(kit, &want[i]);
    int fine = run_on(kit, graph, reference, 1, want, ROUNDS);
    for (int unfused = 0; fine && unfused < 2; unfused++) {
        memcpy(got, want, ROUNDS * sizeof *got);
        for (int i = 0; i < ROUNDS; i++) memset(got[i].y, 0, sizeof got[i].y), memset(got[i].g, 0, sizeof got[i].g);
        fine = run_on(kit, graph, kit->device, unfused, got, ROUNDS);
        for (int i = 0; fine && i < ROUNDS; i++)
            fine = same(kit, &got[i], &want[i], number, unfused ? "unfused" : i ? "fused, fed again" : "fused");
    }
    tn_graph_free(graph);
    free(want), free(got);
    return fine;
}

static void random_graphs(tn_kit *kit)
{
    tn_device *reference = NULL;
    if (!tn_kit_device(kit) || !tn_kit_expect(kit, !tn_device_open("reference", &reference), "%s", tn_message()))
        return;
    for (int i = 0; i < GRAPHS && check_graph(kit, reference, i); i++) {}
    tn_device_close(reference);
    tn_device_close(kit->device);
}

const tn_kit_case tn_kit_graphs[] = {
    {"graphs", "random-1", "random graphs: fused = unfused = reference", random_graphs, NULL, 0, 0},
    {"graphs", "random-2", "random graphs: fused = unfused = reference", random_graphs, NULL, 0, 0},
    {"graphs", "random-3", "random graphs: fused = unfused = reference", random_graphs, NULL, 0, 0},
    {"graphs", "random-4", "random graphs: fused = unfused = reference", random_graphs, NULL, 0, 0},
    {0},
};
