/* compile.c: what compiling a training step costs, over the number of the graph's tensors.
 *
 *   compile FAMILY SIZE [DEVICE]
 *
 * Prints a line of comma-separated values, for which `compile --head` prints the names: the family and its size, the
 * graph's tensors, the operators and kernels that are left of them, and seconds of processor time: for building the
 * graph, for the gradients and the updates, for simplify and lower, for fuse, for tn_compile as a whole (which does
 * both of these again), and for freeing all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device_internal.h"
#include "rewrite.h"
#include "tenon/tenon.h"

static double now(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void ok(tn_status s)
{
    if (!s) return;
    fprintf(stderr, "compile: %s: %s\n", tn_status_name(s), tn_message());
    exit(1);
}

/* ---- families ---- */

/* A net of one layer `count` times, between other words. */
static tn_tensor *repeated(tn_tensor *x, const char *first, const char *layer, int64_t count, const char *last)
{
    char *spec = malloc(strlen(first) + (size_t)count * strlen(layer) + strlen(last) + 1), *end;
    if (!spec) exit(1);
    end = stpcpy(spec, first);
    for (int64_t i = 0; i < count; i++) end = stpcpy(end, layer);
    strcpy(end, last);
    x = tn_net(x, spec, (tn_net_options){.training = 1, .outputs = 10});
    free(spec);
    return x;
}

static tn_tensor *class_loss(tn_graph *g, tn_tensor *y)
{
    return tn_cross_entropy(y, tn_input(g, "target", TN_I32, TN_SHAPE(tn_shape_of(y).dim[0])));
}

static tn_tensor *lstm(tn_graph *g, int64_t steps)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4, steps, 3));
    return class_loss(g, tn_net(x, "lstm 8, last, linear 10", (tn_net_options){.training = 1}));
}

static tn_tensor *linear(tn_graph *g, int64_t layers)
{
    return class_loss(g, repeated(tn_input(g, "x", TN_F32, TN_SHAPE(4, 2)), "", "linear 2, ", layers, "linear 10"));
}

static tn_tensor *mlp(tn_graph *g, int64_t layers)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4, 8));
    return class_loss(g, repeated(x, "", "linear 8, relu, dropout 0.1, ", layers, "linear 10"));
}

static tn_tensor *resnet(tn_graph *g, int64_t blocks)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3, 8, 8));
    return class_loss(
        g, repeated(x, "conv 4 3 pad same, batch_norm, relu, ", "block 4, ", blocks, "global_avgpool, linear 10"));
}

static tn_tensor *transformer(tn_graph *g, int64_t blocks)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 6, 8));
    return class_loss(g, repeated(x, "position, ", "transformer 2, ", blocks, "flatten, linear 10"));
}

/* Element-wise operators alone. */
static tn_tensor *chain(tn_graph *g, int64_t length)
{
    tn_tensor *x = tn_mul(tn_input(g, "x", TN_F32, TN_SHAPE(64)),
                          tn_param(g, "w", TN_SHAPE(64), (tn_init){.kind = TN_INIT_CONSTANT, .a = 1}));
    for (int64_t i = 0; i < length; i++) x = tn_add(tn_sin(x), x);
    return tn_sum(x, TN_ALL, 0);
}

static const struct family {
    const char *name;
    tn_tensor *(*loss)(tn_graph *g, int64_t size);
} families[] = {{"lstm", lstm},     {"linear", linear},           {"mlp", mlp},
                {"resnet", resnet}, {"transformer", transformer}, {"chain", chain}};

/* ---- measuring ---- */

static int supports(void *self, int32_t place, const tn_op_desc *desc, const tn_origin *origin)
{
    (void)origin;
    TN_MESSAGE(msg);
    const tn_device *device = self;
    return !place && !device->backend->op_prepare(device->context, desc, NULL, NULL, &msg);
}

/* Simplify and lower, then fuse, as tn_compile does them. */
static void time_passes(const tn_graph *g, tn_device *device, double *rewrite, double *fuse)
{
    const tn_target target = {.self = device, .supports = supports, .places = 1};
    tn_graph *simple = NULL, *lowered = NULL, *last = NULL;
    tn_ir ir = {.alignment = 64};
    double begin = now();
    ok(tn_simplify(g, &simple));
    ok(tn_lower(simple, &target, &lowered));
    ok(tn_simplify(lowered, &last));
    *rewrite = now() - begin;
    begin = now();
    ok(tn_fuse(last, &target, &ir));
    *fuse = now() - begin;
    tn_ir_free(&ir);
    tn_graph_free(simple);
    tn_graph_free(lowered);
    tn_graph_free(last);
}

static void measure(const struct family *family, int64_t size, const char *device_name)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    tn_program_report report;
    double seconds[6], begin;
    ok(tn_device_open(device_name, &device));
    ok(tn_state_new(device, 1, &state));
    tn_graph *g = tn_graph_new();
    begin = now();
    tn_tensor *loss = family->loss(g, size);
    seconds[0] = now() - begin;
    begin = now();
    tn_minimize(loss, "adam", (tn_optim_options){0});
    tn_output(loss, "loss");
    ok(tn_graph_status(g));
    seconds[1] = now() - begin;
    time_passes(g, device, &seconds[2], &seconds[3]);
    begin = now();
    ok(tn_compile(g, state, NULL, &program));
    seconds[4] = now() - begin;
    tn_program_get_report(program, &report);
    uint32_t tensors = g->count;
    begin = now();
    tn_program_free(program);
    tn_graph_free(g);
    seconds[5] = now() - begin;
    printf("%s,%lld,%u,%u,%u,%llu", family->name, (long long)size, tensors, report.nodes, report.launches,
           (unsigned long long)report.arena_planned);
    for (int i = 0; i < 6; i++) printf(",%.4f", seconds[i]);
    printf("\n");
    tn_state_free(state);
    tn_device_close(device);
}

int main(int argc, char **argv)
{
    int64_t size = argc > 2 ? atoll(argv[2]) : 0;
    if (argc == 2 && !strcmp(argv[1], "--head")) {
        printf("family,size,tensors,operators,kernels,arena,build,gradients,rewrite,fuse,compile,free\n");
        return 0;
    }
    for (size_t i = 0; size > 0 && i < sizeof families / sizeof *families; i++)
        if (!strcmp(argv[1], families[i].name)) {
            measure(&families[i], size, argc > 3 ? argv[3] : "cpu");
            return 0;
        }
    fprintf(stderr, "usage: compile --head | compile FAMILY SIZE [DEVICE]; a family is one of");
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) fprintf(stderr, " %s", families[i].name);
    fprintf(stderr, "\n");
    return 2;
}
