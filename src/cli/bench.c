/* bench.c: `tenon bench`: how fast training and single operators are. Medians over repeated runs. */
#include "json.h"
#include "../core/nearest.h"
#include "session.h"
#include "work.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] = "train: samples a second on noise, shaped like MNIST or by --shape.\n"
                          "op NAME SIZES: one operator, as 'op matmul 128x512x784' (m x n x k), 'op map 1000000',\n"
                          "'op exp 1000000', 'op reduce 1000x1000', 'op softmax 1000x1000'.";

#define REPEATS   64
#define MOST_SIDE 4096

typedef struct bench {
    cli_settings s;
    int64_t repeats, samples;
    const char *shape;
    double seconds; /* that one measured piece of an operator should take */
    cli_option options[19];
    tn_team *team; /* of processes that train together */
    cli_crew crew;
    tn_device *device; /* its first */
    tn_state *state;
} bench;

static int open_state(bench *b)
{
    int status = cli_crew_open(&b->crew, b->s.device, CLI_MOST_DEVICES);
    b->device = b->crew.device[0];
    if (status == CLI_GO_ON)
        status = cli_crew_read_shares(&b->crew, b->s.shares, tn_team_size(b->team) + b->crew.count - 1);
    if (status != CLI_GO_ON) return status;
    return tn_state_new(b->device, (uint64_t)b->s.seed, &b->state) ? cli_failed() : CLI_GO_ON;
}

static int read_sizes(const char *text, int64_t d[3], int dims)
{
    for (int i = 0; i < dims; i++) {
        char *end;
        d[i] = strtoll(text, &end, 10);
        if (end == text || d[i] < 1 || d[i] > 1 << 28 || *end != (i + 1 < dims ? 'x' : 0)) return 0;
        text = end + 1;
    }
    return 1;
}

/* ---- training ---- */

/* Pictures of noise: what is in them does not change the work. */
static int make_data(bench *b, tn_dataset *data)
{
    int64_t n = b->samples, d[3];
    if (!read_sizes(b->shape, d, 3) || d[0] > MOST_SIDE || d[1] > MOST_SIDE || d[2] > MOST_SIDE)
        return cli_usage("--shape '%s' is not CHANNELSxROWSxCOLUMNS, each up to %d", b->shape, MOST_SIDE);
    int64_t size = d[0] * d[1] * d[2];
    *data = (tn_dataset){.count = n, .sample = TN_SHAPE(d[0], d[1], d[2]), .x_dtype = TN_U8, .classes = 10};
    unsigned char *x = data->x = malloc((size_t)(n * size));
    data->label = malloc((size_t)n * sizeof *data->label);
    data->source = strdup("noise");
    if (!x || !data->label || !data->source) return cli_fail("out of memory");
    uint32_t random = 1;
    for (int64_t i = 0; i < n * size; i++) {
        random = random * 1664525u + 1013904223u;
        x[i] = (unsigned char)(random >> 24);
    }
    for (int64_t i = 0; i < n; i++) data->label[i] = (int32_t)(i % 10);
    return CLI_GO_ON;
}

static tn_status run_epoch(tn_training *t)
{
    tn_epoch epoch;
    tn_status status = TN_OK;
    while (!status && tn_training_where(t).step < tn_training_where(t).steps) status = tn_training_step(t);
    return status ? status : tn_training_end_epoch(t, &epoch);
}

static void tell_train(const bench *b, const tn_training *t, double rates[])
{
    tn_program_report report;
    cli_json json = {0};
    tn_program_get_report(tn_training_program(t), &report);
    double middle = cli_median(rates, (size_t)b->repeats); /* sorts */
    if (!b->s.json) {
        printf("%s: %.0f samples/s (%.0f to %.0f in %" PRId64 " epochs of %" PRId64 ")\n", b->crew.name, middle,
               rates[0], rates[b->repeats - 1], b->repeats, b->samples);
        return;
    }
    cli_json_begin(&json, NULL, '{');
    cli_json_text(&json, "bench", "train");
    cli_json_text(&json, "net", b->s.net);
    cli_json_text(&json, "optimizer", b->s.optimizer);
    cli_json_whole(&json, "batch", b->s.batch);
    cli_json_whole(&json, "shards", b->s.shards);
    cli_json_whole(&json, "workers", tn_team_size(b->team) + b->crew.count - 1);
    cli_json_text(&json, "device", b->crew.name);
    cli_json_number(&json, "samples_per_s", middle);
    cli_json_number(&json, "slowest", rates[0]);
    cli_json_number(&json, "fastest", rates[b->repeats - 1]);
    cli_json_number(&json, "gflops", report.flops * middle / (double)b->s.batch / 1e9);
    cli_json_whole(&json, "repeats", b->repeats);
    cli_json_end(&json, '}');
}

static int time_training(bench *b, tn_training *t)
{
    double rates[REPEATS];
    for (int64_t i = -1; i < b->repeats; i++) { /* the first warms up */
        double begun = cli_now();
        if (run_epoch(t)) return cli_failed();
        if (i >= 0) rates[i] = (double)b->samples / (cli_now() - begun);
    }
    tell_train(b, t, rates);
    return CLI_OK;
}

static int train(bench *b, const cli_model *net, const tn_dataset *data)
{
    const cli_settings *settings = &b->s;
    const tn_compile_options compile = cli_compile_options(settings);
    const tn_model model = cli_model_of(net, &compile);
    tn_fit_options options = {.epochs = b->repeats + 1,
                              .batch = settings->batch,
                              .shards = (uint32_t)settings->shards,
                              .team = b->team,
                              .optimizer = settings->optimizer,
                              .optim = settings->optim,
                              .schedule = settings->schedule};
    tn_training *training = NULL;
    if (tn_fit_check(&model, data, &options)) return cli_usage("%s", tn_message());
    int status = open_state(b);
    options.devices = b->crew.device + 1;
    options.n_devices = b->crew.count ? b->crew.count - 1 : 0;
    options.shares = b->crew.shares;
    if (status == CLI_GO_ON && tn_training_new(b->state, &model, data, &options, &training)) status = cli_failed();
    if (status == CLI_GO_ON) status = time_training(b, training);
    tn_training_free(training);
    return status;
}

static int bench_train(bench *b)
{
    tn_dataset data = {0};
    char init[32];
    int status = cli_settings_check(&b->s);
    if (status != CLI_GO_ON) return status;
    if (b->s.batch > b->samples)
        return cli_usage("--batch %" PRId64 " is more than --samples %" PRId64, b->s.batch, b->samples);
    if (!b->s.shards) b->s.shards = tn_usual_shards(b->s.batch, tn_team_size(b->team) * cli_crew_size(b->s.device));
    cli_model model = {.net = b->s.net, .loss = b->s.loss, .init = init};
    cli_settings_init_of(&b->s, init, &model.scale);
    status = make_data(b, &data);
    cli_model_of_data(&model, &data);
    if (status == CLI_GO_ON) status = train(b, &model, &data);
    tn_dataset_free(&data);
    return status;
}

/* ---- operators ---- */

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

static tn_status run_times(tn_program *program, int64_t times, double *seconds)
{
    double begun = cli_now();
    tn_status status = TN_OK;
    for (int64_t i = 0; !status && i < times; i++) status = tn_program_run(program);
    if (!status) status = tn_wait(program);
    *seconds = cli_now() - begun;
    return status;
}

/* Runs for about b->seconds, repeatedly; the median time of one run. */
static tn_status time_op(const bench *b, tn_program *program, double *one)
{
    double spent, times[REPEATS];
    int64_t n = 1;
    tn_status status = run_times(program, 1, &spent); /* warms up */
    for (; !status; n = n * 2) {
        status = run_times(program, n, &spent);
        if (spent > b->seconds || n > 1 << 24) break;
    }
    for (int64_t i = 0; !status && i < b->repeats; i++) {
        status = run_times(program, n, &spent);
        times[i] = spent / (double)n;
    }
    if (!status) *one = cli_median(times, (size_t)b->repeats);
    return status;
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
    double one = 0;
    const tn_compile_options options = cli_compile_options(&b->s);
    tn_graph *graph = tn_graph_new();
    if (!graph) return cli_failed();
    tn_output(op->build(graph, d), "y");
    tn_status status = tn_compile(graph, b->state, &options, &program);
    if (!status) status = time_op(b, program, &one);
    if (!status) tell_op(b, op, sizes, d, one);
    tn_program_free(program);
    tn_graph_free(graph);
    return status ? cli_failed() : CLI_OK;
}

static int bench_op(bench *b, const char *name, const char *sizes)
{
    tn_nearest nearest = {.word = name};
    char hint[80];
    int64_t d[3] = {1, 1, 1};
    for (size_t i = 0; i < sizeof bench_ops / sizeof bench_ops[0]; i++) {
        const struct bench_op *op = &bench_ops[i];
        tn_nearest_offer(&nearest, op->name);
        if (strcmp(op->name, name)) continue;
        if (!read_sizes(sizes, d, op->dims)) return cli_usage("bench op %s: '%s' is not %s", name, sizes, op->sizes);
        int status = cli_crew_one(b->s.device, "bench op");
        if (status == CLI_GO_ON) status = open_state(b);
        return status == CLI_GO_ON ? measure_op(b, op, sizes, d) : status;
    }
    return cli_usage("bench op knows no '%s'%s", name, tn_nearest_text(&nearest, hint, sizeof hint));
}

/* ---- the command ---- */

static void make_options(bench *b)
{
    cli_settings *s = &b->s;
    const cli_option options[] = {
        {CLI_TEXT, "net", "NET", "network to train", &s->net, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "loss", "NAME", "(cross_entropy)", &s->loss, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "optimizer", "NAME", "(sgd)", &s->optimizer, 0, 0, 0, 0, 0, 0},
        {CLI_NUMBER, "lr", "RATE", "learning rate", &s->optim.lr, 0, INFINITY, 0, 0, 0, 0},
        {CLI_WHOLE, "batch", "N", "samples in a step (128)", &s->batch, 1, 1 << 24, 0, 0, 0, 0},
        {CLI_WHOLE, "shards", "N", "equal parts of a batch (1; 8 of several processes)", &s->shards, 1, 1 << 24, 0, 0,
         0, 0},
        {CLI_WHOLE, "samples", "N", "samples in an epoch (12800)", &b->samples, 1, 1 << 24, 0, 0, 0, 0},
        {CLI_TEXT, "shape", "CxHxW", "channels, rows and columns of a sample (1x28x28)", &b->shape, 0, 0, 0, 0, 0, 0},
        {CLI_WHOLE, "repeats", "N", "measurements, of which the median counts (7)", &b->repeats, 1, REPEATS, 0, 0, 0,
         0},
        {CLI_NUMBER, "seconds", "S", "that one measurement of an operator takes (0.1)", &b->seconds, 0, 1000, 0, 0, 0,
         0},
        {CLI_TEXT, "device", "NAME", "cpu, opencl:0, reference, or auto; to train on several, cpu+opencl:0 (auto)",
         &s->device, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "shares", "N:N", "what each of several devices takes of a batch (by their speeds)", &s->shares, 0, 0,
         0, 0, 0, 0},
        {CLI_FLAG, "json", 0, "a JSON object on standard output", &s->json, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "strict", 0, "fail rather than run a part on another device", &s->strict, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "storage", "TYPE", "what passes between kernels is stored as: f32, f16, bf16 (f32)", &s->storage, 0,
         0, 0, 0, 0, 0},
        {CLI_TEXT, "precision", "LEVEL", "factors of products may be rounded: f32, f32-fast, bf16 (f32)", &s->precision,
         0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "unfused", 0, "one kernel an operator, for comparison", &s->unfused, 0, 0, 0, 0, 0, 0},
        {CLI_END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    };
    memcpy(b->options, options, sizeof options);
}

static int run(tn_team *team, int argc, char **argv, int *known)
{
    (void)known;
    bench b = {.team = team, .repeats = 7, .samples = 12800, .shape = "1x28x28", .seconds = 0.1};
    int n;
    cli_settings_init(&b.s);
    b.s.net = "linear 100, sigmoid, linear 40, sigmoid, linear 10";
    b.s.optimizer = "sgd";
    b.s.loss = "cross_entropy";
    b.s.batch = 128;
    make_options(&b);
    int status = cli_parse(&(cli_syntax){"bench", "train|op NAME SIZES", doc, NULL, b.options}, argc, argv, &n);
    if (status != CLI_GO_ON) return status;
    if (n == 1 && !strcmp(argv[1], "train"))
        status = bench_train(&b);
    else if (n == 3 && !strcmp(argv[1], "op"))
        status = bench_op(&b, argv[2], argv[3]);
    else
        status = cli_usage("bench is written 'tenon bench train' or 'tenon bench op NAME SIZES'; --help tells more");
    tn_state_free(b.state);
    cli_crew_close(&b.crew);
    return status;
}

int cli_bench(int argc, char **argv)
{
    return cli_work(run, argc, argv);
}
