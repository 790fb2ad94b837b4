/* loss.c: losses by name, and their reductions. A new loss is a function in loss_each.c and a row. */
#include "loss_each.h"
#include "nearest.h"
#include "tenon/nn.h"

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

/* Logits or logarithms of probabilities (n, classes) and labels i32 (n). */
static int fits_labels(const char *loss, tn_tensor *output, tn_tensor *label)
{
    tn_shape x = tn_shape_of(output), t = tn_shape_of(label);
    char a[160], b[160];
    if (x.rank == 2 && t.rank == 1 && x.dim[0] == t.dim[0] && tn_dtype_of(label) == TN_I32) return 1;
    tn_graph_fail(tn_graph_of(output), TN_ESHAPE,
                  "%s: the output %s should be (batch, classes) and the target %s %s be i32 (batch)", loss,
                  tn_shape_text(&x, a, sizeof a), tn_dtype_name(tn_dtype_of(label)), tn_shape_text(&t, b, sizeof b));
    return 0;
}

/* What the mean of a loss divides by. */
enum { ELEMENTS, BATCH, NOTHING };

typedef struct loss_row {
    tn_loss_entry entry;
    tn_tensor *(*each)(tn_tensor *output, tn_tensor *target); /* NULL: of labels */
    int32_t mean;
    double factor;
} loss_row;

static const loss_row losses[] = {
    {{"cross_entropy", "softmax and negative log-likelihood, for one class out of several", 1, 1}, NULL, ELEMENTS, 1},
    {{"nll", "negative log-likelihood of log_softmax outputs", 1, 1}, NULL, ELEMENTS, 1},
    {{"binary_cross_entropy", "sigmoid and cross-entropy, for yes or no", 0, 1}, tn_each_binary, ELEMENTS, 1},
    {{"mse", "mean of the squared errors", 0, 0, 1}, tn_each_squared, ELEMENTS, 1},
    {{"half_mse", "half the sum of squared errors of a sample", 0, 0, 1}, tn_each_squared, BATCH, 0.5},
    {{"l2", "sum of the squared errors", 0, 0, 1}, tn_each_squared, NOTHING, 1},
    {{"mae", "mean of the absolute errors", 0, 0, 1}, tn_each_absolute, ELEMENTS, 1},
    {{"l1", "sum of the absolute errors", 0, 0, 1}, tn_each_absolute, NOTHING, 1},
    {{"msle", "mean of the squared errors of log(1 + x)", 0, 0}, tn_each_squared_log, ELEMENTS, 1},
    {{"mape", "mean of the errors in percent of the target", 0, 0}, tn_each_percentage, ELEMENTS, 1},
    {{"huber", "half the squared error up to 1, and the absolute one beyond", 0, 0, 1}, tn_each_huber, ELEMENTS, 1},
    {{"log_cosh", "mean of log(cosh(error))", 0, 0, 1}, tn_each_log_cosh, ELEMENTS, 1},
    {{"kl_divergence", "of targets from log_softmax outputs, summed over a sample", 0, 1},
     tn_each_divergence,
     BATCH,
     1},
    {{"cosine_similarity", "1 less the cosine between output and target", 0, 0}, tn_each_cosine, ELEMENTS, 1},
};

/* The sum of the losses divided by that of their weights; 0 where all weights are. */
static tn_tensor *weighted_mean(tn_tensor *sum, tn_tensor *share)
{
    tn_tensor *total = tn_sum(share, TN_ALL, 0), *none = tn_eq(total, tn_number(total, 0));
    return tn_div(sum, tn_where(none, tn_number(total, 1), total));
}

/* The sum, the mean that belongs to the loss, or all; `share` is each sample's weight in a mean, or NULL. */
static tn_tensor *reduce(const loss_row *row, tn_tensor *each, tn_tensor *share, int32_t reduction, int64_t batch)
{
    if (row->factor != 1) each = tn_mul(each, tn_number(each, row->factor));
    if (reduction == TN_LOSS_NONE) return each;
    if (reduction == TN_LOSS_MEAN && !share && row->mean == ELEMENTS) return tn_mean(each, TN_ALL, 0);
    tn_tensor *sum = tn_sum(each, TN_ALL, 0);
    if (reduction == TN_LOSS_SUM || row->mean == NOTHING) return sum;
    return share ? weighted_mean(sum, share) : tn_mul(sum, tn_number(sum, 1 / (double)batch));
}

static tn_tensor *of_labels(const loss_row *row, tn_tensor *output, tn_tensor *label, const tn_loss_options *options,
                            tn_tensor **share)
{
    tn_shape w = tn_shape_of(options->weight), x = tn_shape_of(output);
    if (!fits_labels(row->entry.name, output, label)) return output;
    if (options->weight && (w.rank != 1 || w.dim[0] != x.dim[1]))
        tn_graph_fail(tn_graph_of(output), TN_ESHAPE, "%s: class weights for %lld classes", row->entry.name,
                      (long long)x.dim[1]);
    if (!(options->smoothing >= 0 && options->smoothing <= 1))
        tn_graph_fail(tn_graph_of(output), TN_EINVAL, "%s: label smoothing %g is not within 0..1", row->entry.name,
                      options->smoothing);
    if (!strcmp(row->entry.name, "cross_entropy")) output = tn_log_softmax(output, -1);
    return tn_each_likelihood(output, label, options->weight, options->smoothing, share);
}

static tn_tensor *build(const loss_row *row, tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    tn_tensor *share = NULL, *each;
    tn_shape shape = tn_shape_of(output);
    if (row->each && !same_shape(row->entry.name, output, target)) return output;
    if (row->each && (options->weight || options->smoothing != 0))
        tn_graph_fail(tn_graph_of(output), TN_EINVAL, "%s: class weights and label smoothing are for labels",
                      row->entry.name);
    each = row->each ? row->each(output, target) : of_labels(row, output, target, options, &share);
    return tn_graph_status(tn_graph_of(output))
               ? output
               : reduce(row, each, share, options->reduction, shape.rank ? shape.dim[0] : 1);
}

int tn_loss_at(size_t index, tn_loss_entry *entry)
{
    if (index >= sizeof losses / sizeof losses[0]) return 0;
    *entry = losses[index].entry;
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

tn_tensor *tn_loss_with(const char *name, tn_tensor *output, tn_tensor *target, tn_loss_options options)
{
    tn_nearest nearest = {.word = name};
    char hint[80];
    if (tn_graph_status(tn_graph_of(output))) return output;
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        const loss_row *row = &losses[i];
        tn_nearest_offer(&nearest, row->entry.name);
        if (strcmp(name, row->entry.name)) continue;
        if (!row->entry.labels && tn_dtype_of(target) == TN_I32) target = spread(output, target);
        return build(row, output, target, &options);
    }
    tn_graph_fail(tn_graph_of(output), TN_EMISSING, "there is no loss '%s'%s", name,
                  tn_nearest_text(&nearest, hint, sizeof hint));
    return output;
}

tn_tensor *tn_loss(const char *name, tn_tensor *output, tn_tensor *target)
{
    return tn_loss_with(name, output, target, (tn_loss_options){0});
}

tn_tensor *tn_mean_squared_error(tn_tensor *prediction, tn_tensor *target)
{
    return same_shape("mse", prediction, target) ? tn_loss("mse", prediction, target) : prediction;
}

tn_tensor *tn_half_squared_error(tn_tensor *prediction, tn_tensor *target)
{
    return same_shape("half_mse", prediction, target) ? tn_loss("half_mse", prediction, target) : prediction;
}

tn_tensor *tn_binary_cross_entropy(tn_tensor *logits, tn_tensor *target)
{
    return same_shape("binary_cross_entropy", logits, target) ? tn_loss("binary_cross_entropy", logits, target)
                                                              : logits;
}

tn_tensor *tn_cross_entropy(tn_tensor *logits, tn_tensor *label)
{
    return tn_loss("cross_entropy", logits, label);
}
