/* graphs.c: random graphs: fused, unfused and on the reference they give the same; inputs are fed again; each operation
 * is refused in turn and done elsewhere; a device is lost. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "philox.h"
#include "program.h"

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

/* `rounds` runs with the inputs of d[0], d[1], ... `report`, if any, is the program's. */
static tn_status run_rounds(tn_graph *graph, tn_device *device, int unfused, data *d, int rounds,
                            tn_program_report *report)
{
    tn_state *state = NULL;
    tn_program *program = NULL;
    const tn_compile_options options = {.unfused = (uint32_t)unfused};
    tn_status s = tn_state_new(device, 5, &state);
    if (!s) s = tn_compile(graph, state, &options, &program);
    if (!s && report) tn_program_get_report(program, report);
    for (int i = 0; !s && i < rounds; i++) s = run(program, &d[i]);
    tn_program_free(program);
    tn_state_free(state);
    return s;
}

static int run_on(tn_kit *kit, tn_graph *graph, tn_device *device, int unfused, data *d, int rounds)
{
    tn_status s = run_rounds(graph, device, unfused, d, rounds, NULL);
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

/* ---- a device that refuses one operation, or is lost ---- */

/* The backend's table with functions of our own in it. */
static struct {
    tn_backend table;
    const tn_backend *real;
    uint64_t refused; /* the operation's identity; 0: none */
    int64_t lost_at;  /* the number of the op_run from which on the device is lost; negative: never */
    int64_t ran;
} proxy;

static uint64_t identity_of(const tn_op_desc *desc)
{
    char text[300];
    return tn_hash_text(tn_kit_describe(desc, text, sizeof text));
}

static int32_t proxy_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                             tn_msg *msg)
{
    if (!proxy.refused || identity_of(desc) != proxy.refused)
        return proxy.real->op_prepare(context, desc, kernel, info, msg);
    snprintf(msg->text, (size_t)msg->capacity, "refused on purpose");
    return TN_EUNSUPPORTED;
}

static int32_t proxy_run(tn_queue *queue, tn_kernel *kernel, const tn_run *now, tn_msg *msg)
{
    if (proxy.lost_at < 0 || proxy.ran++ < proxy.lost_at) return proxy.real->op_run(queue, kernel, now, msg);
    snprintf(msg->text, (size_t)msg->capacity, "the device is lost on purpose");
    return TN_EDEVICE;
}

/* Puts itself between the library and the open device. */
static void use_proxy(tn_kit *kit)
{
    proxy.real = kit->device->backend, proxy.table = *proxy.real;
    proxy.table.op_prepare = proxy_prepare, proxy.table.op_run = proxy_run;
    proxy.refused = 0, proxy.lost_at = -1;
    kit->device->backend = &proxy.table;
}

enum { MOST_LAUNCHES = 200 };

/* The identities of the operations that the graph becomes, each once. */
static uint32_t list_launches(tn_kit *kit, tn_graph *graph, uint64_t identity[MOST_LAUNCHES])
{
    tn_state *state = NULL;
    tn_program *program = NULL;
    uint32_t count = 0;
    tn_status s = tn_state_new(kit->device, 5, &state);
    if (!s) s = tn_compile(graph, state, NULL, &program);
    tn_kit_expect(kit, !s, "a random graph: %.300s", tn_message());
    for (uint32_t i = 0; !s && i < program->ir.launches; i++) {
        const tn_launch *l = program->ir.launch[i];
        uint64_t now = l->transfer || l->place ? 0 : identity_of(&l->operation.desc);
        uint32_t k = 0;
        while (k < count && identity[k] != now) k++;
        if (now && k == count && count < MOST_LAUNCHES) identity[count++] = now;
    }
    tn_program_free(program);
    tn_state_free(state);
    return count;
}

/* The graph once for each of its operations, which the device refuses. */
static void refuse_each(tn_kit *kit, tn_graph *graph, const data *want)
{
    uint64_t identity[MOST_LAUNCHES];
    uint32_t count = list_launches(kit, graph, identity), elsewhere = 0;
    data *got = malloc(sizeof *got);
    for (uint32_t i = 0; got && i < count && !kit->result->failed; i++) {
        tn_program_report report = {0};
        char what[60];
        *got = *want;
        snprintf(what, sizeof what, "with operation %u of %u elsewhere", i + 1, count);
        proxy.refused = identity[i];
        tn_status s = run_rounds(graph, kit->device, 0, got, 1, &report);
        proxy.refused = 0;
        elsewhere += report.fallback_nodes > 0;
        if (tn_kit_expect(kit, !s, "%s: %.300s", what, tn_message())) same(kit, got, want, 0, what);
    }
    tn_kit_expect(kit, elsewhere || !count, "of %u operations that were refused none was done elsewhere", count);
    free(got);
}

/* The graph with the device lost at one operation and another: an error, and no more than that. */
static void lose_at_each(tn_kit *kit, tn_graph *graph, const data *want)
{
    uint64_t identity[MOST_LAUNCHES];
    int64_t count = list_launches(kit, graph, identity);
    data *got = malloc(sizeof *got);
    for (int64_t at = 0; got && at < count && !kit->result->failed; at += 1 + count / 4) {
        *got = *want;
        proxy.lost_at = at, proxy.ran = 0;
        tn_status s = run_rounds(graph, kit->device, 0, got, 1, NULL);
        proxy.lost_at = -1;
        tn_kit_expect(kit, s == TN_EDEVICE && strstr(tn_message(), "lost on purpose"),
                      "the device is lost at operation %lld: %s, %.300s", (long long)at, tn_status_name(s),
                      tn_message());
        s = run_rounds(graph, kit->device, 0, got, 1, NULL);
        if (tn_kit_expect(kit, !s, "after a device was lost: %.300s", tn_message()))
            same(kit, got, want, 0, "after a device was lost");
    }
    free(got);
}

/* A random graph, and what it comes to on the reference. */
static void with_proxy(tn_kit *kit, void (*body)(tn_kit *kit, tn_graph *graph, const data *want))
{
    tn_device *reference = NULL;
    data *want = calloc(1, sizeof *want);
    if (!want || !tn_kit_device(kit) ||
        !tn_kit_expect(kit, !tn_device_open("reference", &reference), "%s", tn_message()))
        return;
    tn_graph *graph = random_graph(kit);
    randomize(kit, want);
    if (run_on(kit, graph, reference, 1, want, 1)) {
        use_proxy(kit);
        body(kit, graph, want);
        kit->device->backend = proxy.real;
    }
    tn_graph_free(graph);
    tn_device_close(reference);
    tn_device_close(kit->device);
    free(want);
}

static void fallback(tn_kit *kit)
{
    with_proxy(kit, refuse_each);
}

static void lost_device(tn_kit *kit)
{
    with_proxy(kit, lose_at_each);
}

const tn_kit_case tn_kit_graphs[] = {
    {"graphs", "random-1", "random graphs: fused = unfused = reference", random_graphs, NULL, 0, 0},
    {"graphs", "random-2", "random graphs: fused = unfused = reference", random_graphs, NULL, 0, 0},
    {"graphs", "random-3", "random graphs: fused = unfused = reference", random_graphs, NULL, 0, 0},
    {"graphs", "random-4", "random graphs: fused = unfused = reference", random_graphs, NULL, 0, 0},
    {"graphs", "fallback", "each operation in turn is refused and done elsewhere", fallback, NULL, 0, 0},
    {"graphs", "lost-device", "a device that is lost is an error, and others go on", lost_device, NULL, 0, 0},
    {0},
};
