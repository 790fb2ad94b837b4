/* results.c: see results.h. */
#include "results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- outputs ---- */

static tn_tensor *build(tn_tensor *x, int training, const void *arg)
{
    const cli_model *model = arg;
    return tn_loss_readable(model->loss, cli_model_of(model, NULL).build(x, training, model));
}

/* Above it an output says yes. */
static double threshold(const cli_model *model)
{
    return cli_loss_tells_probabilities(model->loss) ? 0.5 : 0;
}

/* One output that tells two classes apart, as two of which the larger one wins. */
static void widen(const cli_model *model, float *y, int64_t count)
{
    const int probability = cli_loss_tells_probabilities(model->loss);
    for (int64_t i = count; i-- > 0;) {
        y[2 * i + 1] = y[i];
        y[2 * i] = probability ? 1 - y[2 * i + 1] : -y[2 * i + 1];
    }
}

static int predict(cli_results *r, const cli_results_of *of)
{
    const tn_dataset *data = r->data;
    const int64_t width = cli_model_outputs(of->model);
    const tn_model model = {
        .build = build, .loss = of->model->loss, .arg = of->model, .compile = of->compile, .data = of->residence};
    r->outputs = of->model->classes ? of->model->classes : width;
    r->y = malloc((size_t)(data->count * r->outputs) * sizeof *r->y + 1);
    if (!r->y) return cli_fail("out of memory");
    if (tn_predict(of->state, &model, data, r->y, (uint64_t)(data->count * width) * sizeof *r->y)) return cli_failed();
    if (width < r->outputs) widen(of->model, r->y, data->count);
    if (of->scaling && cli_scaling_outputs(of->scaling, r->y, data->count)) return cli_failed();
    return CLI_GO_ON;
}

/* ---- what they should be ---- */

/* It comes with the samples, which are read once more for it. */
static tn_status read_targets(const tn_dataset *data, void *to, size_t each)
{
    void *x = malloc((size_t)tn_shape_count(&data->sample) * tn_dtype_size(data->x_dtype) + 1);
    tn_status status = x ? TN_OK : TN_ENOMEM;
    for (int64_t i = 0; i < data->count && !status; i++)
        status = tn_dataset_sample(data, i, x, (char *)to + (size_t)i * each);
    free(x);
    return status;
}

/* A copy of the labels or targets. */
static void *truth_of(const tn_dataset *data, int labels)
{
    const size_t each = labels ? sizeof(int32_t) : (size_t)data->targets * sizeof(float);
    const void *there = labels ? (const void *)data->label : (const void *)data->target;
    void *truth = malloc((size_t)data->count * each + 1);
    if (truth && there) memcpy(truth, there, (size_t)data->count * each);
    if (truth && !there && read_targets(data, truth, each)) {
        cli_failed();
        free(truth);
        return NULL;
    }
    if (!truth) cli_fail("out of memory");
    return truth;
}

/* Back in their own units, what was 0 would be what rounding left of it. */
static void clear_zeros(cli_results *r, const tn_scaler *scaler)
{
    for (int64_t i = 0; scaler->centre && scaler->spread && i < r->data->count * r->outputs; i++) {
        const int64_t k = i % r->outputs;
        if (fabs((double)r->target[i]) < 2e-7 * (fabs(scaler->centre[k]) + fabs(scaler->spread[k]))) r->target[i] = 0;
    }
}

static int find_truth(cli_results *r, const cli_results_of *of)
{
    if (of->model->classes) return (r->label = truth_of(r->data, 1)) ? CLI_GO_ON : CLI_FAILED;
    r->target = truth_of(r->data, 0);
    if (!r->target) return CLI_FAILED;
    if (of->scaling && cli_scaling_outputs(of->scaling, r->target, r->data->count)) return cli_failed();
    if (of->scaling && of->scaling->y.columns) clear_zeros(r, &of->scaling->y);
    return CLI_GO_ON;
}

static tn_status measure(cli_results *r)
{
    const tn_measured_samples samples = {.kind = r->label                    ? TN_OF_CLASSES
                                                 : cli_loss_counts(r->model) ? TN_OF_MARKS
                                                                             : TN_OF_NUMBERS,
                                         .label = r->label,
                                         .target = r->target,
                                         .output = r->y,
                                         .weight = r->data->weight,
                                         .count = r->data->count,
                                         .parts = r->outputs,
                                         .threshold = threshold(r->model)};
    return tn_measures_of(&samples, &r->measures);
}

/* ---- what is most wrong ---- */

static void offer(cli_results *r, cli_wrong wrong)
{
    int at = r->n_worst < CLI_MOST_WORST ? r->n_worst++ : CLI_MOST_WORST;
    for (; at > 0 && !(r->worst[at - 1].badness >= wrong.badness); at--)
        if (at < CLI_MOST_WORST) r->worst[at] = r->worst[at - 1];
    if (at < CLI_MOST_WORST) r->worst[at] = wrong;
}

/* The surer of a wrong class the worse. */
static void judge_class(cli_results *r, int64_t i)
{
    const float *y = r->y + i * r->outputs;
    const int64_t found = tn_class_of(y, r->outputs);
    if (found != r->label[i]) offer(r, (cli_wrong){i, found, found < 0 ? INFINITY : y[found]});
}

/* By how far a target lies off, of numbers in units of its usual error; 0: it is right. */
static double badness_of(const cli_results *r, int64_t i, int64_t k)
{
    const double y = r->y[i * r->outputs + k], truth = r->target[i * r->outputs + k];
    const double off = isnan(y) ? INFINITY : fabs(y - truth), usual = tn_measures_get(r->measures, "rmse", k);
    if (tn_measures_kind(r->measures) == TN_OF_MARKS) return (y > threshold(r->model)) != (truth > 0.5) ? off : 0;
    return off / (usual > 0 && isfinite(usual) ? usual : 1);
}

/* A sample by its worst target. */
static void judge_targets(cli_results *r, int64_t i)
{
    cli_wrong worst = {i, 0, 0};
    for (int64_t k = 0; k < r->outputs; k++) {
        const double badness = badness_of(r, i, k);
        if (badness > worst.badness) worst = (cli_wrong){i, k, badness};
    }
    if (worst.badness > 0) offer(r, worst);
}

static void find_worst(cli_results *r)
{
    for (int64_t i = 0; i < r->data->count; i++)
        if (r->label)
            judge_class(r, i);
        else
            judge_targets(r, i);
}

/* Lower is worse. */
typedef struct rank {
    double value;
    int64_t part;
} rank;

static int by_value(const void *a, const void *b)
{
    const rank *x = a, *y = b;
    if (x->value != y->value) return (x->value > y->value) - (x->value < y->value);
    return (x->part > y->part) - (x->part < y->part);
}

/* The parts in order, or of many the worst first. Those that aren't there stand at the end. */
static int put_in_order(cli_results *r)
{
    const int numbers = tn_measures_kind(r->measures) == TN_OF_NUMBERS, folded = r->outputs > CLI_IN_FULL;
    rank *ranks = malloc((size_t)r->outputs * sizeof *ranks + 1);
    r->order = malloc((size_t)r->outputs * sizeof *r->order + 1);
    for (int64_t k = 0; ranks && r->order && k < r->outputs; k++) {
        double value = tn_measures_get(r->measures, numbers ? "r2" : "f1", k);
        if (!numbers && tn_measures_get(r->measures, "support", k) == 0) value = INFINITY;
        ranks[k] = (rank){folded ? value : 0, k};
    }
    const int made = ranks && r->order;
    if (made && folded) qsort(ranks, (size_t)r->outputs, sizeof *ranks, by_value);
    for (int64_t k = 0; made && k < r->outputs; k++) r->order[k] = ranks[k].part;
    free(ranks);
    return made ? CLI_GO_ON : cli_fail("out of memory");
}

double cli_byte_loss(const cli_results *r)
{
    return r->writes && !strcmp(r->model->loss, "cross_entropy") ? r->score.loss : NAN;
}

const char *cli_text_unit(const cli_model *model)
{
    return model->class_names ? "character" : "byte";
}

double cli_share_outside(const cli_results *r)
{
    return (double)r->outside / (double)(r->data->count * r->data->labels);
}

double cli_perplexity(double loss)
{
    return exp(loss);
}

double cli_bits(double loss)
{
    return loss / log(2);
}

/* How many of the text's characters the alphabet lacks: the first class stands for them. */
static tn_status count_outside(cli_results *r)
{
    const tn_dataset *data = r->data;
    float *x = malloc((size_t)tn_shape_count(&data->sample) * sizeof *x + 1);
    int32_t *label = malloc((size_t)data->labels * sizeof *label + 1);
    tn_status status = x && label ? TN_OK : TN_ENOMEM;
    for (int64_t i = 0; i < data->count && !status; i++) {
        status = tn_dataset_sample(data, i, x, label);
        for (int64_t k = 0; k < data->labels && !status; k++) r->outside += !label[k];
    }
    free(x);
    free(label);
    return status;
}

/* Outputs for each byte are too many to be kept. */
static int measure_text(cli_results *r, const cli_results_of *of)
{
    tn_model model = cli_model_of(of->model, &of->compile);
    model.data = of->residence;
    r->writes = 1;
    if (of->model->class_names && count_outside(r)) return cli_failed();
    if (of->score) r->score = *of->score;
    return of->score || !tn_evaluate(of->state, &model, r->data, &r->score) ? CLI_GO_ON : cli_failed();
}

int cli_results_open(cli_results *r, const cli_results_of *of, const tn_dataset *data)
{
    *r = (cli_results){.model = of->model, .data = data, .set = of->set};
    if (cli_model_writes(of->model)) return measure_text(r, of);
    int status = predict(r, of);
    if (status == CLI_GO_ON) status = find_truth(r, of);
    if (status == CLI_GO_ON && measure(r)) status = cli_failed();
    if (status == CLI_GO_ON) status = put_in_order(r);
    if (status == CLI_GO_ON) find_worst(r);
    return status;
}

void cli_results_free(cli_results *r)
{
    tn_measures_free(r->measures);
    free(r->y);
    free(r->target);
    free(r->label);
    free(r->order);
    *r = (cli_results){0};
}
