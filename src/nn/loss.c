/* loss.c: losses by name, and their reductions. A new loss is a function in loss_each.c or loss_label.c and a row. */
#include "loss_each.h"
#include "nearest.h"
#include "given.h"
#include "tenon/nn.h"

#include <math.h>
#include <string.h>

/* Prediction and target must have the very same shape: broadcasting one to the other is hardly ever meant. */
static int same_shape(const char *loss, tn_tensor *prediction, tn_tensor *target)
{
    tn_shape p = tn_shape_of(prediction), t = tn_shape_of(target);
    char a[160], b[160];
    if (p.rank > 0 && tn_shape_equal(&p, &t)) return 1;
    tn_graph_fail(tn_graph_of(prediction), TN_ESHAPE, "%s: the output %s does not fit the target %s", loss,
                  tn_shape_text(&p, a, sizeof a), tn_shape_text(&t, b, sizeof b));
    return 0;
}

/* Outputs (..., classes) and labels i32 (...). */
static int fits_labels(const char *loss, tn_tensor *output, tn_tensor *label)
{
    tn_shape x = tn_shape_of(output), t = tn_shape_of(label), rows = x;
    char a[160], b[160];
    if (rows.rank > 1) rows.dim[--rows.rank] = 0;
    if (x.rank > 1 && tn_shape_equal(&rows, &t) && tn_dtype_of(label) == TN_I32) return 1;
    tn_graph_fail(tn_graph_of(output), TN_ESHAPE,
                  "%s: the output %s should be (batch, classes) and the target %s %s be i32 (batch)", loss,
                  tn_shape_text(&x, a, sizeof a), tn_dtype_name(tn_dtype_of(label)), tn_shape_text(&t, b, sizeof b));
    return 0;
}

/* What the mean of a loss divides by. */
enum { ELEMENTS, BATCH, NOTHING };

/* The options that a loss takes, besides the reduction. */
enum { WEIGHT = 1, SMOOTHING = 2, IGNORED = 4, POSITIVE = 8, DELTA = 16, MARGIN = 32, GAMMA = 64 };

typedef struct loss_row {
    tn_loss_entry entry;
    tn_each_loss *each; /* of targets, or */
    tn_label_loss *of_labels;
    int32_t mean;
    double factor;
    int32_t takes;
    tn_tensor *(*read)(tn_tensor *output); /* as probabilities or the like; NULL: they are read as they are */
} loss_row;

static tn_tensor *softmax(tn_tensor *output)
{
    return tn_softmax(output, -1);
}

static const loss_row losses[] = {
    {.entry = {"cross_entropy", "softmax and negative log-likelihood, for one class out of several", 1, 1},
     .of_labels = tn_label_cross_entropy,
     .takes = WEIGHT | SMOOTHING | IGNORED,
     .read = softmax},
    {.entry = {"nll", "negative log-likelihood of log_softmax outputs", 1, 1},
     .of_labels = tn_label_likelihood,
     .takes = WEIGHT | SMOOTHING | IGNORED,
     .read = tn_exp},
    {.entry = {"focal", "cross_entropy that counts the less the surer it is", 1, 1},
     .of_labels = tn_label_focal,
     .takes = WEIGHT | IGNORED | GAMMA,
     .read = softmax},
    {.entry = {"multi_margin", "hinge of each other class against the right one", 1, 1},
     .of_labels = tn_label_margin,
     .takes = WEIGHT | IGNORED | MARGIN},
    {.entry = {"binary_cross_entropy", "sigmoid and cross-entropy, for yes or no", 0, 1},
     .each = tn_each_binary,
     .takes = POSITIVE,
     .read = tn_sigmoid},
    {.entry = {"binary_focal", "the same, counting the less the surer it is", 0, 1},
     .each = tn_each_binary_focal,
     .takes = POSITIVE | GAMMA,
     .read = tn_sigmoid},
    {.entry = {"hinge", "how far yes is from above 1, or no from below -1", 0, 1},
     .each = tn_each_hinge,
     .takes = MARGIN},
    {.entry = {"mse", "mean of the squared errors", 0, 0, 1}, .each = tn_each_squared},
    {.entry = {"half_mse", "half the sum of squared errors of a sample", 0, 0, 1},
     .each = tn_each_squared,
     .mean = BATCH,
     .factor = 0.5},
    {.entry = {"l2", "sum of the squared errors", 0, 0, 1}, .each = tn_each_squared, .mean = NOTHING},
    {.entry = {"mae", "mean of the absolute errors", 0, 0, 1}, .each = tn_each_absolute},
    {.entry = {"l1", "sum of the absolute errors", 0, 0, 1}, .each = tn_each_absolute, .mean = NOTHING},
    {.entry = {"msle", "mean of the squared errors of log(1 + x)", 0, 0}, .each = tn_each_squared_log},
    {.entry = {"mape", "mean of the errors in percent of the target", 0, 0}, .each = tn_each_percentage},
    {.entry = {"huber", "half the squared error up to 1, and the absolute one beyond", 0, 0, 1},
     .each = tn_each_huber,
     .takes = DELTA},
    {.entry = {"smooth_l1", "huber divided by where it turns", 0, 0, 1}, .each = tn_each_smooth_l1, .takes = DELTA},
    {.entry = {"log_cosh", "mean of log(cosh(error))", 0, 0, 1}, .each = tn_each_log_cosh},
    {.entry = {"poisson", "of counts, from the logarithm of their mean", 0, 0},
     .each = tn_each_poisson,
     .read = tn_exp},
    {.entry = {"kl_divergence", "of targets from log_softmax outputs, summed over a sample", 0, 1},
     .each = tn_each_divergence,
     .mean = BATCH,
     .read = tn_exp},
    {.entry = {"cosine_similarity", "1 less the cosine between output and target", 0, 0}, .each = tn_each_cosine},
};

/* ---- options ---- */

/* The usual value in place of 0; above 0, and at least `least`. */
static void settle(tn_graph *graph, const char *loss, const char *what, double *value, double usual, double least)
{
    if (*value == 0) *value = usual;
    if (!(*value >= least && *value < HUGE_VAL))
        tn_graph_fail(graph, TN_EINVAL, "%s: the %s %g is not a number %s %g", loss, what, *value,
                      least > 0 ? "of at least" : "above", least);
}

static void refuse(tn_graph *graph, const loss_row *row, const tn_loss_options *o)
{
    const struct {
        int32_t flag;
        int given;
        const char *say;
    } options[] = {
        {WEIGHT, o->weight != NULL, "class weights and label smoothing are for labels, as cross_entropy takes them"},
        {SMOOTHING, o->smoothing != 0, "class weights and label smoothing are for labels, as cross_entropy takes them"},
        {IGNORED, o->ignores != 0, "labels alone can be ignored"},
        {POSITIVE, o->positive != NULL, "it has no weight of positives"},
        {DELTA, o->delta != 0, "it has no delta"},
        {MARGIN, o->margin != 0, "it has no margin"},
        {GAMMA, o->gamma != 0, "it has no gamma"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].given && !(row->takes & options[i].flag))
            tn_graph_fail(graph, TN_EINVAL, "%s: %s", row->entry.name, options[i].say);
}

static void settle_all(tn_graph *graph, const loss_row *row, tn_loss_options *o)
{
    refuse(graph, row, o);
    settle(graph, row->entry.name, "delta", &o->delta, 1, 0);
    settle(graph, row->entry.name, "margin", &o->margin, 1, 0);
    settle(graph, row->entry.name, "gamma", &o->gamma, 2, 1);
    if (!(o->smoothing >= 0 && o->smoothing <= 1))
        tn_graph_fail(graph, TN_EINVAL, "%s: label smoothing %g is not within 0..1", row->entry.name, o->smoothing);
}

/* ---- reductions ---- */

/* Losses before they become one: of elements or samples; and the weight of each in a mean, or NULL. */
typedef struct losses_of {
    const loss_row *row;
    tn_tensor *each, *share;
    int64_t batch;
} losses_of;

/* What the mean is divided by where there are weights. */
static tn_tensor *total_weight(const losses_of *l)
{
    return tn_sum(l->share, TN_ALL, 0);
}

/* The sum of the losses divided by that of their weights; 0 where all weights are. */
static tn_tensor *weighted_mean(tn_tensor *sum, tn_tensor *total)
{
    tn_tensor *none = tn_eq(total, tn_number(total, 0));
    return tn_div(sum, tn_where(none, tn_number(total, 1), total));
}

/* The sum, the mean that belongs to the loss, or all. */
static tn_tensor *reduce(const losses_of *l, int32_t reduction)
{
    if (reduction == TN_LOSS_NONE) return l->each;
    if (reduction == TN_LOSS_MEAN && !l->share && l->row->mean == ELEMENTS) return tn_mean(l->each, TN_ALL, 0);
    tn_tensor *sum = tn_sum(l->each, TN_ALL, 0);
    if (reduction == TN_LOSS_SUM || l->row->mean == NOTHING) return sum;
    return l->share ? weighted_mean(sum, total_weight(l)) : tn_mul(sum, tn_number(sum, 1 / (double)l->batch));
}

static tn_tensor *total_of(const losses_of *l)
{
    const tn_shape shape = tn_shape_of(l->each);
    if (l->share) return total_weight(l);
    return tn_number(tn_sum(l->each, TN_ALL, 0),
                     (double)(l->row->mean == ELEMENTS ? tn_shape_count(&shape) : l->batch));
}

/* Each loss of a sample times the sample's weight, which is its share of the mean. */
static void weigh(losses_of *l, tn_tensor *weight)
{
    tn_shape shape = tn_shape_of(l->each), wide = {.rank = shape.rank, .dim = {l->batch}}, w = tn_shape_of(weight);
    for (int32_t d = 1; d < wide.rank; d++) wide.dim[d] = 1;
    if (w.rank != 1 || w.dim[0] != l->batch || tn_dtype_of(weight) == TN_I32) {
        tn_graph_fail(tn_graph_of(l->each), TN_ESHAPE, "%s: the weights of %lld samples are f32 (%lld)",
                      l->row->entry.name, (long long)l->batch, (long long)l->batch);
        return;
    }
    tn_tensor *all = tn_broadcast(tn_reshape(weight, wide), shape);
    l->each = tn_mul(l->each, all);
    if (l->share)
        l->share = tn_mul(tn_reshape(l->share, shape), all);
    else
        l->share = l->row->mean == ELEMENTS ? all : weight;
}

/* Labels that are ignored have no loss, and no part in the mean. */
static tn_tensor *leave_out(tn_tensor *each, tn_tensor *label, int32_t ignored, tn_tensor **share)
{
    tn_tensor *counts = tn_ne(label, tn_number(label, ignored)), *zero = tn_number(each, 0);
    *share = *share ? tn_where(counts, *share, zero) : tn_cast(counts, tn_dtype_of(each));
    return tn_where(counts, each, zero);
}

static tn_tensor *of_labels(const loss_row *row, tn_tensor *output, tn_tensor *label, const tn_loss_options *options,
                            tn_tensor **share)
{
    if (!fits_labels(row->entry.name, output, label)) return output;
    tn_shape x = tn_shape_of(output), shape = tn_shape_of(label);
    int64_t classes = x.dim[x.rank - 1];
    if (classes < 2)
        tn_graph_fail(tn_graph_of(output), TN_ESHAPE,
                      "%s: %lld output(s) for each label, which would leave no choice: it takes one for each class; "
                      "binary_cross_entropy takes one for yes or no",
                      row->entry.name, (long long)classes);
    if (options->weight) {
        tn_shape w = tn_shape_of(options->weight);
        if (w.rank != 1 || w.dim[0] != classes)
            tn_graph_fail(tn_graph_of(output), TN_ESHAPE, "%s: class weights for %lld classes", row->entry.name,
                          (long long)classes);
    }
    if (tn_graph_status(tn_graph_of(output))) return output;
    if (shape.rank > 1) {
        label = tn_reshape(label, TN_SHAPE(tn_shape_count(&shape)));
        output = tn_reshape(output, TN_SHAPE(tn_shape_count(&shape), classes));
    }
    tn_tensor *each = row->of_labels(output, label, options, share);
    if (options->ignores) each = leave_out(each, label, options->ignored, share);
    return shape.rank > 1 ? tn_reshape(each, shape) : each;
}

/* Returns 0 if the graph has failed. */
static int build(losses_of *l, tn_tensor *output, tn_tensor *target, tn_loss_options *options)
{
    const loss_row *row = l->row;
    tn_graph *graph = tn_graph_of(output);
    tn_shape shape = tn_shape_of(output);
    if (row->each && !same_shape(row->entry.name, output, target)) return 0;
    settle_all(graph, row, options);
    if (tn_graph_status(graph)) return 0;
    l->batch = shape.rank ? shape.dim[0] : 1;
    l->each = row->each ? row->each(output, target, options) : of_labels(row, output, target, options, &l->share);
    if (!tn_graph_status(graph) && options->sample_weight) weigh(l, options->sample_weight);
    if (!tn_graph_status(graph) && row->factor != 0) l->each = tn_mul(l->each, tn_number(l->each, row->factor));
    return !tn_graph_status(graph);
}

int tn_loss_at(size_t index, tn_loss_entry *entry)
{
    if (!entry) return 0;
    if (index >= sizeof losses / sizeof losses[0]) return 0;
    *entry = losses[index].entry;
    entry->probabilities = entry->classes && losses[index].read;
    return 1;
}

/* Labels as a target of the output's shape: one-hot, or 0 and 1 for a single output. */
static tn_tensor *spread(tn_tensor *output, tn_tensor *label)
{
    tn_shape shape = tn_shape_of(output);
    if (shape.rank != 2) return label;
    if (shape.dim[1] == 1) return tn_reshape(tn_cast(label, TN_F32), shape);
    return tn_one_hot(label, shape.dim[1]);
}

/* The losses of that name; returns 0 if the graph has failed. */
static int find(const char *name, tn_tensor *output, tn_tensor *target, tn_loss_options *options, losses_of *l)
{
    tn_nearest nearest = {.word = name};
    char hint[80];
    if (tn_graph_status(tn_graph_of(output))) return 0;
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        const loss_row *row = &losses[i];
        tn_nearest_offer(&nearest, row->entry.name);
        if (strcmp(name, row->entry.name)) continue;
        if (!row->entry.labels && tn_dtype_of(target) == TN_I32) target = spread(output, target);
        *l = (losses_of){.row = row};
        return build(l, output, target, options);
    }
    tn_graph_fail(tn_graph_of(output), TN_EMISSING, "there is no loss '%s'%s", name,
                  tn_nearest_text(&nearest, hint, sizeof hint));
    return 0;
}

tn_tensor *tn_loss_with(const char *name, tn_tensor *output, tn_tensor *target, tn_loss_options options)
{
    TN_OPERANDS(output, target);
    TN_NAMED(output, name);
    losses_of l;
    return find(name, output, target, &options, &l) ? reduce(&l, options.reduction) : output;
}

tn_tensor *tn_loss_total(const char *name, tn_tensor *output, tn_tensor *target, tn_loss_options options)
{
    TN_OPERANDS(output, target);
    TN_NAMED(output, name);
    losses_of l;
    return find(name, output, target, &options, &l) ? total_of(&l) : output;
}

tn_tensor *tn_loss_readable(const char *name, tn_tensor *output)
{
    TN_NAMED(output, name);
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
        if (!strcmp(name, losses[i].entry.name)) return losses[i].read ? losses[i].read(output) : output;
    return output;
}

tn_tensor *tn_loss(const char *name, tn_tensor *output, tn_tensor *target)
{
    return tn_loss_with(name, output, target, (tn_loss_options){0});
}

tn_tensor *tn_mean_squared_error(tn_tensor *prediction, tn_tensor *target)
{
    TN_OPERANDS(prediction, target);
    return same_shape("mse", prediction, target) ? tn_loss("mse", prediction, target) : prediction;
}

tn_tensor *tn_half_squared_error(tn_tensor *prediction, tn_tensor *target)
{
    TN_OPERANDS(prediction, target);
    return same_shape("half_mse", prediction, target) ? tn_loss("half_mse", prediction, target) : prediction;
}

tn_tensor *tn_binary_cross_entropy(tn_tensor *logits, tn_tensor *target)
{
    TN_OPERANDS(logits, target);
    return same_shape("binary_cross_entropy", logits, target) ? tn_loss("binary_cross_entropy", logits, target)
                                                              : logits;
}

tn_tensor *tn_cross_entropy(tn_tensor *logits, tn_tensor *label)
{
    TN_OPERANDS(logits, label);
    return tn_loss("cross_entropy", logits, label);
}
