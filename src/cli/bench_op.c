/* bench_op.c: `tenon bench op`: single operators, by the clock. */
#include "bench.h"
#include "json.h"
#include "../core/nearest.h"

#include <stdio.h>
#include <string.h>

/* A tensor of random numbers in the state. */
static tn_tensor *random_values(tn_graph *graph, const char *name, tn_shape shape)
{
    return tn_variable(graph, name, TN_F32, shape, (tn_init){.kind = TN_INIT_UNIFORM, .a = 1}, TN_TRANSIENT);
}

static tn_tensor *matmul(tn_graph *g, const int64_t d[])
{
    return tn_matmul(random_values(g, "a", TN_SHAPE(d[0], d[2])), random_values(g, "b", TN_SHAPE(d[2], d[1])));
}

static tn_tensor *map(tn_graph *g, const int64_t d[])
{
    tn_tensor *a = random_values(g, "a", TN_SHAPE(d[0])), *b = random_values(g, "b", TN_SHAPE(d[0]));
    return tn_relu(tn_add(tn_mul(a, b), a));
}

static tn_tensor *exponential(tn_graph *g, const int64_t d[])
{
    return tn_exp(random_values(g, "a", TN_SHAPE(d[0])));
}

static tn_tensor *reduce(tn_graph *g, const int64_t d[])
{
    return tn_sum(random_values(g, "a", TN_SHAPE(d[0], d[1])), TN_AXES(1), 0);
}

static tn_tensor *softmax(tn_graph *g, const int64_t d[])
{
    return tn_softmax(random_values(g, "a", TN_SHAPE(d[0], d[1])), -1);
}

/* `touched`: how many tensors of the first `dims` sizes' product are read and written; 0: count operations instead. */
static const struct bench_op {
    const char *name, *sizes;
    int dims, touched;
    tn_tensor *(*build)(tn_graph *graph, const int64_t d[]);
} bench_ops[] = {
    {"matmul", "MxNxK", 3, 0, matmul},
    {"map", "N", 1, 3, map},
    {"exp", "N", 1, 2, exponential},
    {"reduce", "ROWSxCOLUMNS", 2, 1, reduce},
    {"softmax", "ROWSxCOLUMNS", 2, 2, softmax},
};

/* `arg` is the program. */
static tn_status run_program(void *arg, int64_t runs)
{
    tn_status status = TN_OK;
    for (int64_t i = 0; !status && i < runs; i++) status = tn_program_run(arg);
    return status ? status : tn_wait(arg);
}

static void tell_op(const bench *b, const struct bench_op *op, const char *sizes, const int64_t d[], double one)
{
    double elements = 1;
    cli_json json = {0};
    for (int i = 0; i < op->dims; i++) elements *= (double)d[i];
    double rate = (op->touched ? 4.0 * op->touched : 2.0) * elements / one / 1e9;
    const char *unit = op->touched ? "GB/s" : "GFLOP/s";
    if (!b->s.json) {
        printf("%s %s on %s: %.4g us, %.4g %s\n", op->name, sizes, tn_device_name(b->device), one * 1e6, rate, unit);
        return;
    }
    cli_json_begin(&json, NULL, '{');
    cli_json_text(&json, "bench", op->name);
    cli_json_text(&json, "sizes", sizes);
    cli_json_text(&json, "device", tn_device_name(b->device));
    cli_json_number(&json, "seconds", one);
    cli_json_number(&json, op->touched ? "gb_per_s" : "gflops", rate);
    cli_json_end(&json, '}');
}

static int measure_op(bench *b, const struct bench_op *op, const char *sizes, const int64_t d[])
{
    tn_program *program = NULL;
    double one = 0, times[BENCH_REPEATS];
    const tn_compile_options options = cli_compile_options(&b->s);
    tn_graph *graph = tn_graph_new();
    if (!graph) return cli_failed();
    tn_output(op->build(graph, d), "y");
    tn_status status = tn_compile(graph, b->state, &options, &program);
    if (!status) status = bench_measure(b, run_program, program, times, &one);
    if (!status) tell_op(b, op, sizes, d, one);
    tn_program_free(program);
    tn_graph_free(graph);
    return status ? cli_failed() : CLI_OK;
}

int bench_op(bench *b, const char *name, const char *sizes)
{
    tn_nearest nearest = {.word = name};
    char hint[80];
    int64_t d[3] = {1, 1, 1};
    if (b->profile)
        return cli_usage("--profile is of bench train and bench infer: bench op measures one operator alone");
    for (size_t i = 0; i < sizeof bench_ops / sizeof bench_ops[0]; i++) {
        const struct bench_op *op = &bench_ops[i];
        tn_nearest_offer(&nearest, op->name);
        if (strcmp(op->name, name)) continue;
        if (!bench_read_sizes(sizes, d, op->dims))
            return cli_usage("bench op %s: '%s' is not %s", name, sizes, op->sizes);
        int status = cli_crew_one(b->s.device, "bench op");
        if (status == CLI_GO_ON) status = bench_open(b);
        return status == CLI_GO_ON ? measure_op(b, op, sizes, d) : status;
    }
    return cli_usage("bench op knows no '%s'%s", name, tn_nearest_text(&nearest, hint, sizeof hint));
}
