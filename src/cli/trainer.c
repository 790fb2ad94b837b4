/* trainer.c: see trainer.h. */
#include "trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        tn_status try_status = (call);                                                                                 \
        if (try_status) return try_status;                                                                             \
    } while (0)

#define EVAL_BATCH    1000
#define CLASS_WEIGHTS "data.class_weight"

/* ---- graphs ---- */

static tn_tensor *sum_of(tn_graph *graph, const char *name, int32_t dtype)
{
    return tn_variable(graph, name, dtype, TN_SCALAR, (tn_init){.kind = TN_INIT_ZERO}, TN_TRANSIENT);
}

/* "NAME.loss" and "NAME.correct": where sums stay on the device. */
static const char *sum_name(const char *name, const char *what, char text[64])
{
    snprintf(text, 64, "%s.%s", name, what);
    return text;
}

/* Adds the batch's loss and right answers to these sums. */
static void accumulate(tn_tensor *loss, tn_tensor *output, tn_tensor *target, const char *name, int counts)
{
    char text[64];
    tn_graph *graph = tn_graph_of(output);
    tn_tensor *sum = sum_of(graph, sum_name(name, "loss", text), TN_F32);
    tn_tensor *right = sum_of(graph, sum_name(name, "correct", text), TN_I32);
    double batch = (double)tn_shape_of(output).dim[0];
    tn_assign(sum, tn_add(sum, tn_mul(loss, tn_number(loss, batch))));
    if (counts) tn_assign(right, tn_add(right, tn_cast(tn_count_correct(output, target), TN_I32)));
}

static tn_loss_options loss_options(tn_graph *graph, const tn_dataset *data, const cli_trainer_options *options)
{
    tn_loss_options loss = {.smoothing = options->smoothing};
    if (options->class_weights)
        loss.weight = tn_variable(graph, CLASS_WEIGHTS, TN_F32, TN_SHAPE(data->classes),
                                  (tn_init){.kind = TN_INIT_ZERO}, TN_TRANSIENT);
    return loss;
}

static tn_graph *training_graph(const cli_model *model, const tn_dataset *data, const cli_trainer_options *options,
                                int64_t batch)
{
    tn_graph *graph = tn_graph_new();
    if (!graph) return NULL;
    cli_batch rows = cli_batch_of(graph, "data", data, "data.order", batch);
    tn_tensor *output = cli_model_build(model, rows.raw, 1);
    tn_tensor *loss = tn_loss_with(model->loss, output, rows.target, loss_options(graph, data, options));
    tn_minimize(loss, options->optimizer, options->optim);
    accumulate(loss, output, rows.target, "metric", cli_loss_counts(model));
    if (options->step_loss) tn_assign(sum_of(graph, "metric.loss_step", TN_F32), loss);
    return graph;
}

static tn_graph *evaluation_graph(const char *name, const cli_model *model, const tn_dataset *data, int64_t batch)
{
    tn_graph *graph = tn_graph_new();
    if (!graph) return NULL;
    cli_batch rows = cli_batch_of(graph, name, data, NULL, batch);
    tn_tensor *output = cli_model_build(model, rows.raw, 0);
    tn_tensor *loss = tn_loss(model->loss, output, rows.target);
    accumulate(loss, output, rows.target, name, cli_loss_counts(model));
    return graph;
}

/* Compiles and frees the graph. */
static tn_status compile(tn_graph *graph, tn_state *state, const tn_compile_options *options, tn_program **program)
{
    tn_status status = graph ? tn_compile(graph, state, options, program) : TN_ENOMEM;
    tn_graph_free(graph);
    return status;
}

static tn_status write_sums(tn_state *state, const char *name, cli_sums sums, int counts)
{
    char text[64];
    float loss = (float)sums.loss;
    int32_t correct = (int32_t)sums.correct;
    TRY(tn_state_write(state, sum_name(name, "loss", text), &loss, sizeof loss));
    return counts ? tn_state_write(state, sum_name(name, "correct", text), &correct, sizeof correct) : TN_OK;
}

static tn_status read_sums(tn_state *state, const char *name, cli_sums *sums, int counts)
{
    char text[64];
    float loss;
    int32_t correct = 0;
    TRY(tn_state_read(state, sum_name(name, "loss", text), &loss, sizeof loss));
    if (counts) TRY(tn_state_read(state, sum_name(name, "correct", text), &correct, sizeof correct));
    *sums = (cli_sums){loss, correct};
    return TN_OK;
}

/* ---- training ---- */

tn_status cli_trainer_check(const cli_model *model, const tn_dataset *data, const cli_trainer_options *options)
{
    tn_graph *graph = training_graph(model, data, options, options->batch);
    tn_status status = graph ? tn_graph_status(graph) : TN_ENOMEM;
    tn_graph_free(graph);
    if (!status && data->label)
        status = tn_loss_check_targets(model->loss, TN_I32, data->label, data->count, data->classes);
    else if (!status && data->target)
        status = tn_loss_check_targets(model->loss, TN_F32, data->target, data->count * data->targets, 0);
    return status;
}

tn_status cli_trainer_new(cli_trainer *t, tn_state *state, const cli_model *model, const tn_dataset *data,
                          const cli_trainer_options *options)
{
    int64_t rest = data->count % options->batch;
    *t = (cli_trainer){.state = state, .data = data, .options = *options, .rate = 1, .counts = cli_loss_counts(model)};
    t->steps = data->count / options->batch + (rest > 0);
    t->order = calloc((size_t)data->count, sizeof *t->order);
    if (!t->order) return TN_ENOMEM;
    TRY(cli_data_put(state, "data", data));
    TRY(tn_state_put(state, "data.order", TN_I32, TN_SHAPE(data->count), TN_TRANSIENT, NULL));
    if (options->class_weights)
        TRY(tn_state_put(state, CLASS_WEIGHTS, TN_F32, TN_SHAPE(data->classes), TN_TRANSIENT, options->class_weights));
    if (data->count >= options->batch)
        TRY(compile(training_graph(model, data, options, options->batch), state, &options->compile, &t->whole));
    if (rest) TRY(compile(training_graph(model, data, options, rest), state, &options->compile, &t->rest));
    return TN_OK;
}

void cli_trainer_free(cli_trainer *t)
{
    tn_program_free(t->whole);
    tn_program_free(t->rest);
    free(t->order);
    *t = (cli_trainer){0};
}

tn_status cli_trainer_epoch(cli_trainer *t, uint64_t epoch, cli_sums sums)
{
    tn_shuffle(t->order, t->data->count, tn_state_seed(t->state), epoch);
    TRY(tn_state_write(t->state, "data.order", t->order, (uint64_t)t->data->count * sizeof *t->order));
    return write_sums(t->state, "metric", sums, t->counts);
}

tn_status cli_trainer_step(cli_trainer *t, int64_t position)
{
    int64_t start = position * t->options.batch;
    tn_program *program = t->data->count - start >= t->options.batch ? t->whole : t->rest;
    double lr = t->options.optim.lr * t->rate * tn_schedule_at(&t->schedule, tn_state_step(t->state));
    TRY(tn_set(program, "lr", lr));
    TRY(tn_set(program, "start", (double)start));
    return tn_program_run(program);
}

tn_status cli_trainer_sums(cli_trainer *t, cli_sums *sums)
{
    return read_sums(t->state, "metric", sums, t->counts);
}

tn_status cli_trainer_step_loss(cli_trainer *t, double *loss)
{
    float value;
    TRY(tn_state_read(t->state, "metric.loss_step", &value, sizeof value));
    *loss = value;
    return TN_OK;
}

int64_t cli_trainer_samples(const cli_trainer *t, int64_t steps)
{
    int64_t samples = steps * t->options.batch;
    return samples < t->data->count ? samples : t->data->count;
}

/* ---- evaluation ---- */

tn_status cli_evaluator_new(cli_evaluator *e, const char *name, tn_state *state, const cli_model *model,
                            const tn_dataset *data, const tn_compile_options *options)
{
    *e = (cli_evaluator){
        .state = state, .name = name, .count = data->count, .batch = EVAL_BATCH, .counts = cli_loss_counts(model)};
    if (!data->count) return TN_OK;
    TRY(cli_data_put(state, name, data));
    if (e->count >= e->batch) TRY(compile(evaluation_graph(name, model, data, e->batch), state, options, &e->whole));
    int64_t rest = e->count % e->batch;
    if (rest) TRY(compile(evaluation_graph(name, model, data, rest), state, options, &e->rest));
    return TN_OK;
}

void cli_evaluator_free(cli_evaluator *e)
{
    tn_program_free(e->whole);
    tn_program_free(e->rest);
    *e = (cli_evaluator){0};
}

tn_status cli_evaluate(cli_evaluator *e, double *loss, double *accuracy)
{
    cli_sums sums = {0};
    *loss = *accuracy = NAN;
    if (!e->count) return TN_OK;
    TRY(write_sums(e->state, e->name, sums, e->counts));
    for (int64_t start = 0; start < e->count; start += e->batch) {
        tn_program *program = e->count - start >= e->batch ? e->whole : e->rest;
        TRY(tn_set(program, "start", (double)start));
        TRY(tn_program_run(program));
    }
    TRY(read_sums(e->state, e->name, &sums, e->counts));
    *loss = sums.loss / (double)e->count;
    if (e->counts) *accuracy = sums.correct / (double)e->count;
    return TN_OK;
}
