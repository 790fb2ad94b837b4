/* measure.c: see measure.h; and measuring and using a model on their own. */
#include "measure.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "loader.h"

enum { MEASURING_BATCH = 1000, MEASURING_LEAST = 10, MEASURING_BYTES = 16 << 20 };

/* So many samples at once, or fewer large ones: those that have so many bytes as f32, or whose outputs have. */
static int64_t measuring_batch(const tn_dataset *data)
{
    const int64_t outputs = data->labels > 1 ? data->labels * data->classes : 0,
                  numbers = tn_shape_count(&data->sample);
    const int64_t each = (numbers > outputs ? numbers : outputs) * (int64_t)sizeof(float);
    const int64_t fit = each > 0 ? MEASURING_BYTES / each : MEASURING_BATCH;
    return fit > MEASURING_BATCH ? MEASURING_BATCH : fit < MEASURING_LEAST ? MEASURING_LEAST : fit;
}

/* ---- a batch ---- */

static tn_loss_entry entry_of(const char *loss)
{
    tn_loss_entry entry;
    for (size_t i = 0; tn_loss_at(i, &entry); i++)
        if (!strcmp(entry.name, loss)) return entry;
    return (tn_loss_entry){.name = loss};
}

static int is_about_classes(const tn_measure *m)
{
    return !m->model->cost && (tn_target_dtype(m->data) == TN_I32 || entry_of(m->model->loss).classes);
}

/* An output for each class; a single one is enough for two classes if the loss is made for that. */
static void check_outputs(const char *loss, const tn_dataset *data, tn_tensor *output)
{
    tn_loss_entry entry = entry_of(loss);
    tn_shape shape = tn_shape_of(output);
    const int32_t rank = tn_labels(data) > 1 ? 3 : 2;
    int64_t outputs = shape.rank == rank ? shape.dim[rank - 1] : 0;
    if (tn_target_dtype(data) != TN_I32 || shape.rank != rank || outputs == data->classes) return;
    if (outputs == 1 && data->classes == 2 && entry.classes && !entry.labels) return;
    tn_graph_fail(tn_graph_of(output), TN_ESHAPE, "%s: the model has %lld outputs, but the data has %lld classes", loss,
                  (long long)outputs, (long long)data->classes);
}

static tn_tensor *sum_in(tn_graph *graph, const char *name, int32_t dtype)
{
    return tn_variable(graph, name, dtype, TN_SCALAR, (tn_init){.kind = TN_INIT_ZERO}, TN_TRANSIENT);
}

/* The sums: right answers are counted, or with weights of samples added up like losses. */
enum { LOSSES, RIGHT, HITS, WEIGHT, TOTAL, SUMS };

/* Training has sums of its own, so that a model can be measured in the middle of an epoch. */
static const char *sum_name(const tn_measure *m, int sum)
{
    static const char *const names[2][SUMS] = {
        {"measured.loss", "measured.right", "measured.hits", "measured.weight", "measured.total"},
        {"fit.loss", "fit.right", "fit.hits", "fit.weight", "fit.total"}};
    return names[m->options != NULL][sum];
}

const char *tn_measure_sum(const tn_measure *m)
{
    return sum_name(m, LOSSES);
}

/* By the caller's own function. */
static tn_tensor *own_loss(const tn_measure *m, tn_tensor *output, tn_tensor *target)
{
    tn_tensor *loss = m->model->cost(output, target, m->options != NULL, m->model->arg);
    if (!loss || tn_shape_of(loss).rank)
        tn_graph_fail(tn_graph_of(output), TN_ESHAPE, "the model's cost gives no loss of rank 0");
    return loss ? loss : output;
}

/* The loss that is made small; without options that of measuring. */
static void take_loss(const tn_measure *m, tn_tensor *output, tn_tensor *target, tn_tensor *weight, tn_batch_result *r)
{
    const char *loss = m->model->loss;
    tn_loss_options how = {.smoothing = m->options ? m->options->smoothing : 0, .sample_weight = weight};
    if (m->options && m->options->class_weights)
        how.weight = tn_input(tn_graph_of(output), "class_weights", TN_F32, TN_SHAPE(m->data->classes));
    r->loss = tn_loss_with(loss, output, target, how);
    if (weight) r->total = tn_loss_total(loss, output, target, how);
}

/* A sample of several labels has its weight for each of them. */
static tn_tensor *right_weight(const tn_measure *m, tn_tensor *output, tn_tensor *target, tn_tensor *weight)
{
    const int64_t batch = tn_shape_of(weight).dim[0];
    tn_tensor *right = tn_reshape(tn_is_correct(output, target), TN_SHAPE(batch, tn_labels(m->data)));
    return tn_sum(tn_mul(right, tn_reshape(weight, TN_SHAPE(batch, 1))), TN_ALL, 0);
}

tn_batch_result tn_measure_loss(const tn_measure *m, tn_tensor *x, tn_tensor *target, tn_tensor *weight)
{
    tn_tensor *output = m->model->build(x, m->options != NULL, m->model->arg);
    if (m->model->cost) return (tn_batch_result){.loss = own_loss(m, output, target)};
    tn_batch_result r = {.weight = weight ? tn_sum(weight, TN_ALL, 0) : NULL};
    check_outputs(m->model->loss, m->data, output);
    if (is_about_classes(m) && !tn_graph_status(tn_graph_of(x)))
        r.right = weight ? right_weight(m, output, target, weight) : tn_count_correct(output, target);
    take_loss(m, output, target, weight, &r);
    return r;
}

/* More into the sum of that name; NULL: nothing. */
static void add_to(const tn_measure *m, tn_graph *graph, int sum, tn_tensor *more)
{
    if (!more) return;
    tn_tensor *all = sum_in(graph, sum_name(m, sum), sum == RIGHT ? TN_I32 : TN_F32);
    tn_assign(all, tn_add(all, sum == RIGHT ? tn_cast(more, TN_I32) : more));
}

void tn_measure_add(const tn_measure *m, tn_graph *graph, const tn_batch_result *sum, tn_tensor *mean)
{
    add_to(m, graph, LOSSES, sum->loss);
    if (is_about_classes(m)) add_to(m, graph, sum->weight ? HITS : RIGHT, sum->right);
    add_to(m, graph, WEIGHT, sum->weight);
    add_to(m, graph, TOTAL, sum->total);
    if (m->options && m->options->step_loss) tn_assign(sum_in(graph, "fit.step_loss", TN_F32), mean);
}

void tn_measure_batch(const void *arg, tn_tensor *x, tn_tensor *target, tn_tensor *weight)
{
    const tn_measure *m = arg;
    const tn_fit_options *options = m->options;
    const tn_batch_result r = tn_measure_loss(m, x, target, weight);
    const double samples = (double)tn_shape_of(x).dim[0];
    tn_batch_result sum = r;
    sum.loss = tn_mul(r.loss, r.total ? r.total : tn_number(r.loss, samples));
    tn_measure_add(m, tn_graph_of(x), &sum, r.loss);
    if (options) tn_minimize(r.loss, options->optimizer ? options->optimizer : "sgd", options->optim);
}

static int in_f64(const tn_measure *m)
{
    return m->model->compile.f64 != 0;
}

double tn_measure_number(const tn_measure *m, const void *at)
{
    double wide;
    float narrow;
    if (in_f64(m)) return *(double *)memcpy(&wide, at, sizeof wide);
    return *(float *)memcpy(&narrow, at, sizeof narrow);
}

tn_status tn_measure_get(tn_state *state, const tn_measure *m, const char *name, double *number)
{
    char at[sizeof(double)];
    TN_TRY(tn_state_read(state, name, at, in_f64(m) ? sizeof(double) : sizeof(float)));
    *number = tn_measure_number(m, at);
    return TN_OK;
}

static tn_status put(tn_state *state, const tn_measure *m, const char *name, double number)
{
    const float narrow = (float)number;
    if (in_f64(m)) return tn_state_put(state, name, TN_F64, TN_SCALAR, TN_TRANSIENT, &number);
    return tn_state_put(state, name, TN_F32, TN_SCALAR, TN_TRANSIENT, &narrow);
}

/* What has no share in a mean has none in a sum. */
static double part_of(double mean, double of)
{
    return of > 0 && mean > 0 ? mean * of : 0;
}

static tn_status begin_weighted(tn_state *state, const tn_measure *m, const tn_measured *so_far)
{
    const double hits = part_of(so_far->score.accuracy, so_far->weight * (double)tn_labels(m->data));
    TN_TRY(put(state, m, sum_name(m, LOSSES), so_far->total > 0 ? so_far->score.loss * so_far->total : 0));
    TN_TRY(put(state, m, sum_name(m, HITS), hits));
    TN_TRY(put(state, m, sum_name(m, WEIGHT), so_far->weight));
    return put(state, m, sum_name(m, TOTAL), so_far->total);
}

tn_status tn_measure_begin(tn_state *state, const tn_measure *m, const tn_measured *so_far, int64_t samples)
{
    const double labels = (double)(samples * tn_labels(m->data));
    const int32_t right = (int32_t)llround(part_of(so_far->score.accuracy, labels));
    if (m->data->weight) return begin_weighted(state, m, so_far);
    TN_TRY(put(state, m, sum_name(m, LOSSES), samples ? so_far->score.loss * (double)samples : 0));
    return tn_state_put(state, sum_name(m, RIGHT), TN_I32, TN_SCALAR, TN_TRANSIENT, &right);
}

/* Where all weights were 0 so far, there is no loss, and no accuracy is known. */
static tn_status read_weighted(tn_state *state, const tn_measure *m, tn_measured *found)
{
    double loss, hits;
    TN_TRY(tn_measure_get(state, m, sum_name(m, LOSSES), &loss));
    TN_TRY(tn_measure_get(state, m, sum_name(m, HITS), &hits));
    TN_TRY(tn_measure_get(state, m, sum_name(m, WEIGHT), &found->weight));
    TN_TRY(tn_measure_get(state, m, sum_name(m, TOTAL), &found->total));
    found->score.loss = found->total > 0 ? loss / found->total : loss;
    const int is_known = is_about_classes(m) && !isnan(found->score.loss) && found->weight > 0;
    found->score.accuracy = is_known ? fmin(1, hits / (found->weight * (double)tn_labels(m->data))) : NAN;
    return TN_OK;
}

tn_status tn_measure_read(tn_state *state, const tn_measure *m, int64_t samples, tn_measured *found)
{
    double loss;
    int32_t right;
    *found = (tn_measured){{NAN, NAN}, 0, 0};
    if (m->data->weight) return read_weighted(state, m, found);
    TN_TRY(tn_measure_get(state, m, sum_name(m, LOSSES), &loss));
    TN_TRY(tn_state_read(state, sum_name(m, RIGHT), &right, sizeof right));
    found->score.loss = loss / (double)samples;
    const int is_known = is_about_classes(m) && !isnan(found->score.loss);
    found->score.accuracy = is_known ? right / (double)(samples * tn_labels(m->data)) : NAN;
    return TN_OK;
}

/* What the structs have to point to. */
static tn_status check_parts(const tn_model *model, const tn_dataset *data)
{
    TN_REQUIRE(model->build, TN_EINVAL, "the model's build is NULL");
    TN_REQUIRE(data->x || data->loader || data->count < 1, TN_EINVAL, "the data set's x is NULL");
    return TN_OK;
}

/* What belongs to losses with names. */
static tn_status check_own(const tn_measure *m)
{
    const tn_fit_options *options = m->options;
    TN_REQUIRE(!m->model->cost || !options || (!options->smoothing && !options->class_weights), TN_EINVAL,
               "fit: the model has a cost of its own, which takes no smoothing and no class weights");
    TN_REQUIRE(!m->model->cost || !m->data->weight, TN_EINVAL,
               "the model has a cost of its own, which takes no weights of samples: they can be targets to it");
    return TN_OK;
}

static tn_status check_weights(const tn_dataset *data, const char *part)
{
    TN_TRY(tn_dataset_check_weights(data));
    int64_t first = 0;
    while (data->weight && first < data->count && !data->weight[first]) first++;
    TN_REQUIRE(first < data->count, TN_EINVAL, "%s: all %lld %s%ssamples have the weight 0",
               data->source ? data->source : "the data set", (long long)data->count, part ? part : "", part ? " " : "");
    return TN_OK;
}

tn_status tn_measure_targets(const tn_model *model, int32_t dtype, const void *data, int64_t count, int64_t classes)
{
    const char *any = dtype == TN_I32 ? "cross_entropy" : "mse";
    return tn_loss_check_targets(model->cost ? any : model->loss, dtype, data, count, classes);
}

tn_status tn_measure_check(const tn_measure *m)
{
    const tn_dataset *data = m->data;
    TN_TRY(check_parts(m->model, data));
    TN_TRY(check_own(m));
    TN_REQUIRE(data->count > 0, TN_EINVAL, "the data set has no samples");
    TN_REQUIRE(tn_target_dtype(data), TN_EINVAL, "the data set has neither labels nor targets");
    TN_TRY(check_weights(data, m->part));
    if (!data->label && !data->target) return TN_OK; /* they come with the samples */
    if (data->label)
        return tn_measure_targets(m->model, TN_I32, data->label, data->count * tn_labels(data), data->classes);
    return tn_measure_targets(m->model, TN_F32, data->target, data->count * data->targets, 0);
}

/* ---- measuring ---- */

/* Programs for as many samples at once as there is room for, where none are kept on the device. */
static tn_status open_batches(tn_batches *b, tn_state *state, const tn_model *model, const tn_dataset *data, int fed,
                              tn_batch_task *task, const void *arg)
{
    for (int64_t batch = measuring_batch(data);; batch /= 4) {
        const tn_batch_options options = {.batch = batch, .fed = fed};
        tn_status s = tn_batches_new(b, state, model, data, &options, task, arg);
        if (s != TN_ENOMEM || !fed || batch < 4 * MEASURING_LEAST) return s;
        tn_batches_free(b);
    }
}

tn_status tn_measure_open(tn_batches *batches, tn_state *state, const tn_measure *m, int fed)
{
    TN_TRY(tn_measure_check(m));
    return open_batches(batches, state, m->model, m->data, fed, tn_measure_batch, m);
}

tn_status tn_measure_run(tn_batches *batches, tn_state *state, const tn_measure *m, int all, tn_score *score)
{
    tn_program *program;
    tn_measured found = {0};
    const int64_t count = all || m->data->count < batches->batch ? m->data->count : batches->batch;
    TN_TRY(tn_measure_begin(state, m, &found, 0));
    for (int64_t start = 0; start < count; start += batches->batch) {
        TN_TRY(tn_batches_at(batches, start, &program));
        TN_TRY(tn_program_run(program));
    }
    TN_TRY(tn_batches_wait(batches));
    TN_TRY(tn_measure_read(state, m, count, &found));
    *score = found.score;
    return TN_OK;
}

tn_status tn_evaluate(tn_state *state, const tn_model *model, const tn_dataset *data, tn_score *score)
{
    TN_GIVEN(state, model, data, score);
    tn_batches batches = {0};
    tn_score found;
    tn_measure m = {model, data, NULL, NULL};
    int fed = tn_batches_are_fed(model, tn_batches_bytes(data));
    tn_status s = tn_measure_open(&batches, state, &m, fed);
    if (tn_batches_may_be_fed(model, s, fed)) {
        tn_batches_free(&batches);
        s = tn_measure_open(&batches, state, &m, 1);
    }
    if (!s) s = tn_measure_run(&batches, state, &m, 1, &found);
    tn_batches_free(&batches);
    if (!s) *score = found;
    return s;
}

/* ---- using ---- */

static void predict_batch(const void *arg, tn_tensor *x, tn_tensor *target, tn_tensor *weight)
{
    const tn_model *model = arg;
    (void)target, (void)weight;
    tn_output(model->build(x, 0, model->arg), "output");
}

/* The samples without what belongs to them. */
static tn_dataset samples_of(const tn_dataset *data)
{
    tn_dataset samples = *data;
    samples.label = NULL;
    samples.target = samples.weight = NULL;
    samples.classes = samples.targets = 0;
    return samples;
}

static tn_status open_predicting(tn_batches *batches, tn_state *state, const tn_model *model, const tn_dataset *data)
{
    int fed = tn_batches_are_fed(model, tn_batches_bytes(data));
    tn_status s = open_batches(batches, state, model, data, fed, predict_batch, model);
    if (!tn_batches_may_be_fed(model, s, fed)) return s;
    tn_batches_free(batches);
    return open_batches(batches, state, model, data, 1, predict_batch, model);
}

/* What a program that computes in f64 gives. */
static tn_status fetch_wide(tn_program *program, float *out, uint64_t count)
{
    double *wide = tn_alloc(count * sizeof *wide + 1);
    tn_status s = wide ? tn_fetch(program, "output", wide, count * sizeof *wide) : TN_ENOMEM;
    for (uint64_t i = 0; !s && i < count; i++) out[i] = (float)wide[i];
    tn_free(wide);
    return s;
}

static tn_status fetch_outputs(const tn_model *model, tn_program *program, void *out, uint64_t bytes)
{
    if (model->compile.f64) return fetch_wide(program, out, bytes / sizeof(float));
    return tn_fetch(program, "output", out, bytes);
}

tn_status tn_predict(tn_state *state, const tn_model *model, const tn_dataset *data, float *out, uint64_t bytes)
{
    TN_GIVEN(state, model, data, out);
    TN_TRY(check_parts(model, data));
    tn_batches batches = {0};
    const tn_dataset samples = samples_of(data);
    tn_program *program;
    if (!data->count) return TN_OK;
    uint64_t each = bytes / (uint64_t)data->count;
    TN_REQUIRE(each * (uint64_t)data->count == bytes, TN_ESHAPE, "predict: %llu bytes for the outputs of %lld samples",
               (unsigned long long)bytes, (long long)data->count);
    tn_status s = open_predicting(&batches, state, model, &samples);
    for (int64_t start = 0; !s && start < data->count; start += batches.batch) {
        int64_t size = data->count - start < batches.batch ? data->count - start : batches.batch;
        s = tn_batches_at(&batches, start, &program);
        if (!s) s = tn_program_run(program);
        if (!s) s = fetch_outputs(model, program, (char *)out + (uint64_t)start * each, (uint64_t)size * each);
    }
    if (!s) s = tn_batches_wait(&batches);
    tn_batches_free(&batches);
    return s;
}
