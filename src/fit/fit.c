/* fit.c: training, measuring and using a model. Losses and right answers are added up on the device. */
#include "tenon/fit.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "batches.h"
#include "error.h"

enum { MEASURING_BATCH = 1000 };

/* ---- scores ---- */

static tn_loss_entry entry_of(const char *loss)
{
    tn_loss_entry entry;
    for (size_t i = 0; tn_loss_at(i, &entry); i++)
        if (!strcmp(entry.name, loss)) return entry;
    return (tn_loss_entry){.name = loss};
}

static int is_about_classes(const char *loss, const tn_dataset *data)
{
    return data->label || entry_of(loss).classes;
}

/* An output for each class; a single one is enough for two classes if the loss is made for that. */
static void check_outputs(const char *loss, const tn_dataset *data, tn_tensor *output)
{
    tn_loss_entry entry = entry_of(loss);
    tn_shape shape = tn_shape_of(output);
    int64_t outputs = shape.rank == 2 ? shape.dim[1] : 0;
    if (!data->label || shape.rank != 2 || outputs == data->classes) return;
    if (outputs == 1 && data->classes == 2 && entry.classes && !entry.labels) return;
    tn_graph_fail(tn_graph_of(output), TN_ESHAPE, "%s: the model has %lld outputs, but the data has %lld classes", loss,
                  (long long)outputs, (long long)data->classes);
}

static tn_tensor *sum_in(tn_graph *graph, const char *name, int32_t dtype)
{
    return tn_variable(graph, name, dtype, TN_SCALAR, (tn_init){.kind = TN_INIT_ZERO}, TN_TRANSIENT);
}

/* What a batch is measured by. */
typedef struct measure {
    const tn_model *model;
    const tn_dataset *data;
    const tn_fit_options *options; /* NULL: only measuring */
} measure;

static void measure_batch(const void *arg, tn_tensor *x, tn_tensor *target)
{
    const measure *m = arg;
    tn_graph *graph = tn_graph_of(x);
    tn_tensor *output = m->model->build(x, m->options != NULL, m->model->arg);
    check_outputs(m->model->loss, m->data, output);
    tn_tensor *loss = tn_loss(m->model->loss, output, target);
    double samples = (double)tn_shape_of(x).dim[0];
    tn_tensor *sum = sum_in(graph, "fit.loss", TN_F32);
    tn_assign(sum, tn_add(sum, tn_mul(loss, tn_number(loss, samples))));
    if (is_about_classes(m->model->loss, m->data)) {
        tn_tensor *right = sum_in(graph, "fit.right", TN_I32);
        tn_assign(right, tn_add(right, tn_cast(tn_count_correct(output, target), TN_I32)));
    }
    if (m->options) tn_minimize(loss, m->options->optimizer ? m->options->optimizer : "sgd", m->options->optim);
}

static tn_status clear_sums(tn_state *state)
{
    TN_TRY(tn_state_put(state, "fit.loss", TN_F32, TN_SCALAR, TN_TRANSIENT, NULL));
    return tn_state_put(state, "fit.right", TN_I32, TN_SCALAR, TN_TRANSIENT, NULL);
}

static tn_status read_score(tn_state *state, const measure *m, tn_score *score)
{
    float loss;
    int32_t right;
    TN_TRY(tn_state_read(state, "fit.loss", &loss, sizeof loss));
    TN_TRY(tn_state_read(state, "fit.right", &right, sizeof right));
    score->loss = loss / (double)m->data->count;
    score->accuracy = is_about_classes(m->model->loss, m->data) ? right / (double)m->data->count : NAN;
    return TN_OK;
}

static tn_status check(const measure *m)
{
    const tn_dataset *data = m->data;
    TN_REQUIRE(data->count > 0, TN_EINVAL, "the data set has no samples");
    TN_REQUIRE(data->label || data->target, TN_EINVAL, "the data set has neither labels nor targets");
    if (data->label) return tn_loss_check_targets(m->model->loss, TN_I32, data->label, data->count, data->classes);
    return tn_loss_check_targets(m->model->loss, TN_F32, data->target, data->count * data->targets, 0);
}

/* ---- measuring ---- */

static tn_status open_measuring(tn_batches *batches, tn_state *state, const measure *m)
{
    TN_TRY(check(m));
    return tn_batches_new(batches, state, m->data, MEASURING_BATCH, 0, measure_batch, m);
}

static tn_status run_measuring(tn_batches *batches, tn_state *state, const measure *m, tn_score *score)
{
    tn_program *program;
    TN_TRY(clear_sums(state));
    for (int64_t start = 0; start < m->data->count; start += batches->batch) {
        TN_TRY(tn_batches_at(batches, start, &program));
        TN_TRY(tn_program_run(program));
    }
    return read_score(state, m, score);
}

tn_status tn_evaluate(tn_state *state, const tn_model *model, const tn_dataset *data, tn_score *score)
{
    tn_batches batches = {0};
    tn_score found;
    measure m = {model, data, NULL};
    tn_status s = open_measuring(&batches, state, &m);
    if (!s) s = run_measuring(&batches, state, &m, &found);
    tn_batches_free(&batches);
    if (!s) *score = found;
    return s;
}

/* ---- training ---- */

typedef struct fitting {
    tn_state *state;
    const tn_fit_options *options;
    measure train, test;
    tn_batches train_batches, test_batches;
    tn_schedule schedule;
    tn_plateau plateau;
    double lr;
    uint64_t first_step;
} fitting;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The optimizer's usual learning rate where the options have none. */
static double learning_rate(const tn_fit_options *options)
{
    const char *name = options->optimizer ? options->optimizer : "sgd";
    tn_optimizer_entry entry;
    if (options->optim.lr != 0) return options->optim.lr;
    for (size_t i = 0; tn_optimizer_at(i, &entry); i++)
        if (!strcmp(entry.name, name)) return entry.lr;
    return 0;
}

static tn_status open_fitting(fitting *f)
{
    const tn_fit_options *options = f->options;
    int64_t all = f->train.data->count, batch = options->batch;
    TN_REQUIRE(options->epochs > 0, TN_EINVAL, "fit: %lld epochs", (long long)options->epochs);
    TN_REQUIRE(batch >= 0, TN_EINVAL, "fit: batches of %lld samples", (long long)batch);
    TN_REQUIRE(options->patience >= 0, TN_EINVAL, "fit: a patience of %lld epochs", (long long)options->patience);
    if (options->schedule) TN_TRY(tn_schedule_parse(options->schedule, &f->schedule));
    TN_TRY(check(&f->train));
    f->lr = learning_rate(options);
    f->first_step = tn_state_step(f->state);
    TN_TRY(
        tn_batches_new(&f->train_batches, f->state, f->train.data, batch ? batch : all, 1, measure_batch, &f->train));
    return options->test ? open_measuring(&f->test_batches, f->state, &f->test) : TN_OK;
}

static tn_status step(fitting *f, int64_t start)
{
    tn_program *program;
    TN_TRY(tn_batches_at(&f->train_batches, start, &program));
    if (f->options->schedule) {
        uint64_t done = tn_state_step(f->state) - f->first_step;
        TN_TRY(tn_set(program, "lr", f->lr * tn_plateau_factor(&f->plateau) * tn_schedule_at(&f->schedule, done)));
    }
    return tn_program_run(program);
}

/* Calls that follow one another get different orders: an epoch has at least one step. */
static tn_status shuffle(fitting *f, const tn_epoch *epoch)
{
    return tn_batches_shuffle(&f->train_batches, tn_state_seed(f->state), f->first_step + (uint64_t)epoch->number);
}

static tn_status run_epoch(fitting *f, tn_epoch *epoch)
{
    double began = now();
    TN_TRY(shuffle(f, epoch));
    TN_TRY(clear_sums(f->state));
    for (int64_t at = 0; at < f->train.data->count; at += f->train_batches.batch) TN_TRY(step(f, at));
    TN_TRY(read_score(f->state, &f->train, &epoch->train));
    epoch->seconds = now() - began;
    epoch->test = (tn_score){NAN, NAN};
    return f->options->test ? run_measuring(&f->test_batches, f->state, &f->test, &epoch->test) : TN_OK;
}

static tn_status run_fitting(fitting *f, tn_epoch *epoch)
{
    const tn_fit_options *options = f->options;
    double lowest = HUGE_VAL;
    int64_t since = 0;
    for (int64_t number = 1; number <= options->epochs; number++) {
        epoch->number = number;
        TN_TRY(run_epoch(f, epoch));
        double loss = options->test ? epoch->test.loss : epoch->train.loss;
        int fell = number == 1 || loss < lowest - fabs(lowest) * options->least_fall;
        since = fell ? 0 : since + 1;
        if (fell) lowest = loss;
        tn_schedule_see(&f->schedule, &f->plateau, loss);
        if (options->each && options->each(options->arg, epoch)) break;
        if (options->patience && since >= options->patience) break;
    }
    return TN_OK;
}

tn_status tn_fit(tn_state *state, const tn_model *model, const tn_dataset *data, const tn_fit_options *options,
                 tn_epoch *last)
{
    tn_epoch epoch = {0};
    fitting f = {
        .state = state, .options = options, .train = {model, data, options}, .test = {model, options->test, NULL}};
    tn_status s = open_fitting(&f);
    if (!s) s = run_fitting(&f, &epoch);
    tn_batches_free(&f.train_batches);
    tn_batches_free(&f.test_batches);
    if (!s && last) *last = epoch;
    return s;
}

/* ---- using ---- */

static void predict_batch(const void *arg, tn_tensor *x, tn_tensor *target)
{
    const tn_model *model = arg;
    (void)target;
    tn_output(model->build(x, 0, model->arg), "output");
}

tn_status tn_predict(tn_state *state, const tn_model *model, const tn_dataset *data, float *out, uint64_t bytes)
{
    tn_batches batches = {0};
    tn_dataset samples = *data;
    tn_program *program;
    samples.label = NULL;
    samples.target = NULL;
    if (!data->count) return TN_OK;
    uint64_t each = bytes / (uint64_t)data->count;
    TN_REQUIRE(each * (uint64_t)data->count == bytes, TN_ESHAPE, "predict: %llu bytes for the outputs of %lld samples",
               (unsigned long long)bytes, (long long)data->count);
    tn_status s = tn_batches_new(&batches, state, &samples, MEASURING_BATCH, 0, predict_batch, model);
    for (int64_t start = 0; !s && start < data->count; start += batches.batch) {
        int64_t size = data->count - start < batches.batch ? data->count - start : batches.batch;
        s = tn_batches_at(&batches, start, &program);
        if (!s) s = tn_program_run(program);
        if (!s) s = tn_fetch(program, "output", (char *)out + (uint64_t)start * each, (uint64_t)size * each);
    }
    tn_batches_free(&batches);
    return s;
}
