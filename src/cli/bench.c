/* bench.c: `tenon bench`: how fast training, using a network, and single operators are. Medians over repeated runs. */
#include "bench.h"
#include "work.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] =
    "train: samples a second on noise, shaped like MNIST or by --shape; or on tokens, of a network that begins with an "
    "embedding, which learns what comes next. infer: the same of a network that is only used: batches from the host's "
    "memory, outputs back. op NAME SIZES: one operator, as 'op matmul 128x512x784' (m x n x k), 'op map 1000000', 'op "
    "exp 1000000', 'op reduce 1000x1000', 'op softmax 1000x1000'.";

#define MOST_SIDE 4096

int bench_open(bench *b)
{
    int status = cli_crew_open(&b->crew, b->s.device, CLI_MOST_DEVICES);
    b->device = b->crew.device[0];
    if (status == CLI_GO_ON)
        status = cli_crew_read_shares(&b->crew, b->s.shares, tn_team_size(b->team) + b->crew.count - 1);
    if (status != CLI_GO_ON) return status;
    return tn_state_new(b->device, (uint64_t)b->s.seed, &b->state) ? cli_failed() : CLI_GO_ON;
}

int bench_read_sizes(const char *text, int64_t d[3], int dims)
{
    for (int i = 0; i < dims; i++) {
        char *end;
        d[i] = strtoll(text, &end, 10);
        if (end == text || d[i] < 1 || d[i] > 1 << 28 || *end != (i + 1 < dims ? 'x' : 0)) return 0;
        text = end + 1;
    }
    return 1;
}

int bench_read_shape(const bench *b, int64_t d[3])
{
    if (bench_read_sizes(b->shape, d, 3) && d[0] <= MOST_SIDE && d[1] <= MOST_SIDE && d[2] <= MOST_SIDE)
        return CLI_GO_ON;
    return cli_usage("--shape '%s' is not CHANNELSxROWSxCOLUMNS, each up to %d", b->shape, MOST_SIDE);
}

/* The upper bits of a congruential generator (Knuth's, and Lewis'). */
uint32_t bench_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static tn_status time_runs(tn_status (*work)(void *arg, int64_t runs), void *arg, int64_t runs, double *seconds)
{
    double begun = cli_now();
    tn_status status = work(arg, runs);
    *seconds = cli_now() - begun;
    return status;
}

tn_status bench_measure(const bench *b, tn_status (*work)(void *arg, int64_t runs), void *arg,
                        double times[BENCH_REPEATS], double *one)
{
    double spent;
    int64_t n = 1;
    tn_status status = work(arg, 1); /* warms up */
    for (; !status; n = n * 2) {
        status = time_runs(work, arg, n, &spent);
        if (spent > b->seconds || n > 1 << 24) break;
    }
    for (int64_t i = 0; !status && i < b->repeats; i++) {
        status = time_runs(work, arg, n, &spent);
        times[i] = spent / (double)n;
    }
    if (!status) *one = cli_median(times, (size_t)b->repeats); /* sorts */
    return status;
}

int bench_profile(const bench *b, tn_program *program, tn_status (*work)(void *arg, int64_t runs), void *arg,
                  int64_t runs, double step, cli_profile *profile)
{
    const uint32_t precision = cli_compile_options(&b->s).precision;
    if (!b->profile) return CLI_GO_ON;
    tn_status status = tn_program_profile(program, 1);
    if (!status) status = work(arg, runs);
    return status ? cli_failed() : cli_profile_make(profile, program, b->device, precision, step);
}

void bench_warn(const bench *b, const tn_program *program)
{
    tn_program_report report;
    tn_program_get_report(program, &report);
    cli_warn_of_no_change(&b->s, b->device, &report);
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
        {CLI_NUMBER, "clip-norm", "F", "largest norm of all gradients together (none)", &s->optim.clip_norm, 0,
         INFINITY, 0, 0, 0, 0},
        {CLI_WHOLE, "batch", "N", "samples in a step (128)", &s->batch, 1, 1 << 24, 0, 0, 0, 0},
        {CLI_WHOLE, "shards", "N", "equal parts of a batch (1; 8 of several processes)", &s->shards, 1, 1 << 24, 0, 0,
         0, 0},
        {CLI_WHOLE, "samples", "N", "samples in an epoch (12800)", &b->samples, 1, 1 << 24, 0, 0, 0, 0},
        {CLI_TEXT, "shape", "CxHxW", "channels, rows and columns of a sample (1x28x28)", &b->shape, 0, 0, 0, 0, 0, 0},
        {CLI_WHOLE, "classes", "N", "that samples may be of (10)", &b->classes, 2, 1 << 20, 0, 0, 0, 0},
        {CLI_WHOLE, "repeats", "N", "measurements, of which the median counts (7)", &b->repeats, 1, BENCH_REPEATS, 0, 0,
         0, 0},
        {CLI_NUMBER, "seconds", "S", "that one measurement of infer and op takes (0.1)", &b->seconds, 0, 1000, 0, 0, 0,
         0},
        {CLI_TEXT, "device", "NAME", "cpu, opencl:0, reference, or auto; to train on several, cpu+opencl:0 (auto)",
         &s->device, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "shares", "N:N", "what each of several devices takes of a batch (by their speeds)", &s->shares, 0, 0,
         0, 0, 0, 0},
        {CLI_FLAG, "json", 0, "a JSON object on standard output", &s->json, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "profile", 0, "of train and infer: what each kernel takes, and at the least could", &b->profile, 0,
         0, 0, 0, 0, 0},
        {CLI_FLAG, "strict", 0, "fail rather than run a part on another device", &s->strict, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "storage", "f32|f16|bf16", "what passes between kernels is stored as (f32)", &s->storage, 0, 0, 0, 0,
         0, 0},
        {CLI_TEXT, "precision", "f32|f32-fast|bf16", "factors of products may be rounded (f32)", &s->precision, 0, 0, 0,
         0, 0, 0},
        {CLI_TEXT, "layout", "tuned|usual|channels-last|try",
         "how images lie between convolutions: as was found faster, or with channels first or last; try finds out "
         "(tuned)",
         &s->layout, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "unfused", 0, "one kernel an operator, for comparison", &s->unfused, 0, 0, 0, 0, 0, 0},
        {CLI_END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    };
    memcpy(b->options, options, sizeof options);
}

static int run(tn_team *team, int argc, char **argv, int *known)
{
    (void)known;
    bench b = {.team = team, .repeats = 7, .samples = 12800, .classes = 10, .shape = "1x28x28", .seconds = 0.1};
    int n;
    cli_settings_init(&b.s);
    b.s.net = "linear 100, sigmoid, linear 40, sigmoid, linear 10";
    b.s.optimizer = "sgd";
    b.s.loss = "cross_entropy";
    b.s.batch = 128;
    make_options(&b);
    int status = cli_parse(&(cli_syntax){"bench", "train|infer|op NAME SIZES", doc, NULL, b.options}, argc, argv, &n);
    if (status != CLI_GO_ON) return status;
    if (n == 1 && !strcmp(argv[1], "train"))
        status = bench_train(&b);
    else if (n == 1 && !strcmp(argv[1], "infer"))
        status = bench_infer(&b);
    else if (n == 3 && !strcmp(argv[1], "op"))
        status = bench_op(&b, argv[2], argv[3]);
    else
        status = cli_usage(
            "bench is written 'tenon bench train', 'bench infer' or 'bench op NAME SIZES'; --help tells more");
    tn_state_free(b.state);
    cli_crew_close(&b.crew);
    return status;
}

int cli_bench(int argc, char **argv)
{
    return cli_work(run, argc, argv);
}
