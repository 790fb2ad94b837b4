/* bench_infer.c: `tenon bench infer`: a network that is used and not trained, by the clock: each batch comes from the
 * host's memory, and its outputs go back there before the next one. */
#include "bench.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCHES = 8, PROFILED = 20 }; /* batches that take turns; runs that are profiled */

typedef struct user {
    tn_program *program;
    char *x; /* BATCHES of them */
    float *y;
    uint64_t x_bytes, y_bytes; /* of a batch */
} user;

/* Fills the batches: with tokens of so many, or, of 0, with numbers from 0 to 1. */
static int make_data(const bench *b, const int64_t d[3], int64_t vocabulary, user *u)
{
    const int64_t count = BATCHES * b->s.batch * d[0] * d[1] * d[2];
    uint32_t random = 1;
    u->x_bytes = (uint64_t)count / BATCHES * sizeof(float);
    u->x = malloc((size_t)count * sizeof(float));
    if (!u->x) return cli_fail("out of memory");
    for (int64_t i = 0; i < count; i++) {
        const uint32_t number = bench_random(&random);
        if (vocabulary)
            ((int32_t *)(void *)u->x)[i] = (int32_t)(number % vocabulary);
        else
            ((float *)(void *)u->x)[i] = (float)number / (1 << 24);
    }
    return CLI_GO_ON;
}

static int compile(const bench *b, const int64_t d[3], int64_t vocabulary, user *u)
{
    const tn_compile_options options = cli_compile_options(&b->s);
    const tn_shape tokens = TN_SHAPE(b->s.batch, d[0] * d[1] * d[2]), numbers = TN_SHAPE(b->s.batch, d[0], d[1], d[2]);
    tn_graph *graph = tn_graph_new();
    if (!graph) return cli_failed();
    tn_tensor *x = tn_input(graph, "x", vocabulary ? TN_I32 : TN_F32, vocabulary ? tokens : numbers);
    tn_tensor *y = tn_net(x, b->s.net, (tn_net_options){.outputs = vocabulary ? vocabulary : b->classes});
    tn_output(y, "y");
    tn_status s = tn_compile(graph, b->state, &options, &u->program);
    const tn_shape shape = s ? TN_SHAPE(0) : tn_shape_of(y);
    tn_graph_free(graph);
    if (s) return cli_failed();
    u->y_bytes = (uint64_t)tn_shape_count(&shape) * sizeof(float);
    u->y = malloc((size_t)u->y_bytes);
    bench_warn(b, u->program);
    return u->y ? CLI_GO_ON : cli_fail("out of memory");
}

static tn_status use(void *arg, int64_t runs)
{
    const user *u = arg;
    tn_status s = TN_OK;
    for (int64_t i = 0; !s && i < runs; i++) {
        s = tn_feed(u->program, "x", u->x + (uint64_t)(i % BATCHES) * u->x_bytes, u->x_bytes);
        if (!s) s = tn_program_run(u->program);
        if (!s) s = tn_fetch(u->program, "y", u->y, u->y_bytes);
    }
    return s;
}

/* `times` are sorted. */
static void tell(const bench *b, const user *u, const double times[], double one, const cli_profile *profile)
{
    const double batch = (double)b->s.batch;
    tn_program_report report;
    cli_json json = {0};
    tn_program_get_report(u->program, &report);
    if (!b->s.json) {
        printf("%s: %.0f samples/s (%.0f to %.0f in %" PRId64 " measurements), %.4g us a batch of %" PRId64 "\n",
               b->crew.name, batch / one, batch / times[b->repeats - 1], batch / times[0], b->repeats, one * 1e6,
               b->s.batch);
        if (b->profile) cli_profile_print(profile);
        return;
    }
    cli_json_begin(&json, NULL, '{');
    cli_json_text(&json, "bench", "infer");
    cli_json_text(&json, "net", b->s.net);
    cli_json_whole(&json, "batch", b->s.batch);
    cli_json_text(&json, "device", b->crew.name);
    cli_json_number(&json, "samples_per_s", batch / one);
    cli_json_number(&json, "slowest", batch / times[b->repeats - 1]);
    cli_json_number(&json, "fastest", batch / times[0]);
    cli_json_number(&json, "gflops", report.flops / one / 1e9);
    cli_json_whole(&json, "repeats", b->repeats);
    if (b->profile) cli_profile_json(profile, &json);
    cli_json_end(&json, '}');
}

int bench_infer(bench *b)
{
    const int64_t vocabulary = cli_net_tokens(b->s.net);
    int64_t d[3];
    double times[BENCH_REPEATS], one = 0;
    user u = {0};
    cli_profile profile = {0};
    int status = cli_settings_check(&b->s);
    if (status == CLI_GO_ON) status = bench_read_shape(b, d);
    if (status == CLI_GO_ON) status = cli_crew_one(b->s.device, "bench infer");
    if (status == CLI_GO_ON) status = make_data(b, d, vocabulary, &u);
    if (status == CLI_GO_ON) status = bench_open(b);
    if (status == CLI_GO_ON) status = compile(b, d, vocabulary, &u);
    if (status == CLI_GO_ON) status = bench_measure(b, use, &u, times, &one) ? cli_failed() : CLI_GO_ON;
    if (status == CLI_GO_ON) status = bench_profile(b, u.program, use, &u, PROFILED, one, &profile);
    if (status == CLI_GO_ON) tell(b, &u, times, one, &profile);
    cli_profile_free(&profile);
    tn_program_free(u.program);
    free(u.x);
    free(u.y);
    return status == CLI_GO_ON ? CLI_OK : status;
}
