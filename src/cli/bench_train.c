/* bench_train.c: `tenon bench train`: whole epochs of training on noise, by the clock. */
#include "bench.h"
#include "json.h"
#include "network.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is trained: on samples of numbers, or of tokens. */
typedef struct trainer {
    bench *b;
    tn_training *training;
    bench_tokens tokens;
} trainer;

static tn_program *program_of(const trainer *t)
{
    return t->training ? tn_training_program(t->training) : t->tokens.program;
}

/* Pictures of noise. */
static int make_data(bench *b, tn_dataset *data)
{
    int64_t n = b->samples, d[3];
    int status = bench_read_shape(b, d);
    if (status != CLI_GO_ON) return status;
    int64_t size = d[0] * d[1] * d[2];
    *data = (tn_dataset){.count = n, .sample = TN_SHAPE(d[0], d[1], d[2]), .x_dtype = TN_U8, .classes = b->classes};
    unsigned char *x = data->x = malloc((size_t)(n * size));
    data->label = malloc((size_t)n * sizeof *data->label);
    data->source = strdup("noise");
    if (!x || !data->label || !data->source) return cli_fail("out of memory");
    uint32_t random = 1;
    for (int64_t i = 0; i < n * size; i++) x[i] = (unsigned char)(bench_random(&random) >> 16);
    for (int64_t i = 0; i < n; i++) data->label[i] = (int32_t)(i % b->classes);
    return CLI_GO_ON;
}

static tn_status run_epoch(trainer *t)
{
    tn_epoch epoch;
    tn_status status = TN_OK;
    if (!t->training) return bench_tokens_epoch(t->b, &t->tokens);
    while (!status && tn_training_where(t->training).step < tn_training_where(t->training).steps)
        status = tn_training_step(t->training);
    return status ? status : tn_training_end_epoch(t->training, &epoch);
}

/* `arg` is the trainer. */
static tn_status run_epochs(void *arg, int64_t epochs)
{
    tn_status status = TN_OK;
    for (int64_t i = 0; !status && i < epochs; i++) status = run_epoch(arg);
    return status;
}

/* `rates` are sorted, and `middle` is their median. */
static void tell_train(const trainer *t, const double rates[], double middle, const cli_profile *profile)
{
    const bench *b = t->b;
    tn_program_report report;
    cli_json json = {0};
    tn_program_get_report(program_of(t), &report);
    if (!b->s.json) {
        printf("%s: %.0f samples/s (%.0f to %.0f in %" PRId64 " epochs of %" PRId64 ")\n", b->crew.name, middle,
               rates[0], rates[b->repeats - 1], b->repeats, b->samples);
        if (b->profile) cli_profile_print(profile);
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
    if (b->profile) cli_profile_json(profile, &json);
    cli_json_end(&json, '}');
}

static int time_training(trainer *t)
{
    const bench *b = t->b;
    if (b->use) return b->use(t->b, program_of(t));
    double rates[BENCH_REPEATS];
    cli_profile profile = {0};
    bench_warn(b, program_of(t));
    for (int64_t i = -1; i < b->repeats; i++) { /* the first warms up */
        double begun = cli_now();
        if (run_epoch(t)) return cli_failed();
        if (i >= 0) rates[i] = (double)b->samples / (cli_now() - begun);
    }
    double middle = cli_median(rates, (size_t)b->repeats); /* sorts */
    int status = bench_profile(b, program_of(t), run_epochs, t, 1, (double)b->s.batch / middle, &profile);
    if (status == CLI_GO_ON) tell_train(t, rates, middle, &profile);
    cli_profile_free(&profile);
    return status == CLI_GO_ON ? CLI_OK : status;
}

static int train(bench *b, const cli_model *net, const tn_dataset *data)
{
    const cli_settings *settings = &b->s;
    const tn_compile_options compile = cli_compile_options(settings);
    const tn_model model = cli_model_of(net, &compile);
    tn_fit_options options = {.epochs = b->repeats + 1 + b->profile,
                              .batch = settings->batch,
                              .shards = (uint32_t)settings->shards,
                              .team = b->team,
                              .optimizer = settings->optimizer,
                              .optim = settings->optim,
                              .schedule = settings->schedule};
    trainer t = {.b = b};
    if (tn_fit_check(&model, data, &options)) return cli_usage("%s", tn_message());
    int status = bench_open(b);
    options.devices = b->crew.device + 1;
    options.n_devices = b->crew.count ? b->crew.count - 1 : 0;
    options.shares = b->crew.shares;
    if (status == CLI_GO_ON && tn_training_new(b->state, &model, data, &options, &t.training)) status = cli_failed();
    if (status == CLI_GO_ON) status = cli_network_put(net, b->state);
    if (status == CLI_GO_ON) status = time_training(&t);
    tn_training_free(t.training);
    return status;
}

static int train_on_tokens(bench *b)
{
    trainer t = {.b = b};
    if (b->s.shards > 1)
        return cli_usage("bench train on tokens takes each batch as a whole, not in %" PRId64 " shards", b->s.shards);
    b->s.shards = 1;
    int status = bench_tokens_make(b, &t.tokens);
    if (status == CLI_GO_ON) status = time_training(&t);
    bench_tokens_free(&t.tokens);
    return status;
}

int bench_train(bench *b)
{
    tn_dataset data = {0};
    char init[32];
    int status = cli_settings_check(&b->s);
    if (status != CLI_GO_ON) return status;
    if (b->s.batch > b->samples)
        return cli_usage("--batch %" PRId64 " is more than --samples %" PRId64, b->s.batch, b->samples);
    if (b->profile && (b->s.shards > 1 || tn_team_size(b->team) * cli_crew_size(b->s.device) > 1))
        return cli_usage("--profile is of one program, and shards or several workers run more");
    if (cli_net_tokens(b->s.net)) return train_on_tokens(b);
    if (!b->s.shards) b->s.shards = tn_usual_shards(b->s.batch, tn_team_size(b->team) * cli_crew_size(b->s.device));
    cli_model model = {.net = b->s.net, .loss = b->s.loss, .init = init};
    cli_settings_init_of(&b->s, init, &model.scale);
    status = make_data(b, &data);
    cli_model_of_data(&model, &data);
    if (status == CLI_GO_ON) status = cli_network_open_to_train(&model, b->s.net);
    if (status == CLI_GO_ON) status = cli_network_settle(&model, 0);
    if (status == CLI_GO_ON) status = train(b, &model, &data);
    cli_network_close(&model);
    tn_dataset_free(&data);
    return status;
}
