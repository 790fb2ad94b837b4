/* loss.c: losses, each the mean over the batch. A new loss is a function and a row. */
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

tn_tensor *tn_mean_squared_error(tn_tensor *prediction, tn_tensor *target)
{
    if (!same_shape("mse", prediction, target)) return prediction;
    return tn_mean(tn_square(tn_sub(prediction, target)), TN_ALL, 0);
}

tn_tensor *tn_half_squared_error(tn_tensor *prediction, tn_tensor *target)
{
    if (!same_shape("half_mse", prediction, target)) return prediction;
    double batch = (double)tn_shape_of(prediction).dim[0];
    tn_tensor *sum = tn_sum(tn_square(tn_sub(prediction, target)), TN_ALL, 0);
    return tn_mul(sum, tn_number(sum, 0.5 / batch));
}

/* -(t log s + (1 - t) log(1 - s)) is softplus(x) - t x. */
tn_tensor *tn_binary_cross_entropy(tn_tensor *logits, tn_tensor *target)
{
    if (!same_shape("binary_cross_entropy", logits, target)) return logits;
    return tn_mean(tn_sub(tn_softplus(logits), tn_mul(target, logits)), TN_ALL, 0);
}

tn_tensor *tn_cross_entropy(tn_tensor *logits, tn_tensor *label)
{
    tn_shape x = tn_shape_of(logits), t = tn_shape_of(label);
    char a[160], b[160];
    if (x.rank != 2 || t.rank != 1 || x.dim[0] != t.dim[0] || tn_dtype_of(label) != TN_I32) {
        tn_graph_fail(tn_graph_of(logits), TN_ESHAPE,
                      "cross_entropy: the output %s should be (batch, classes) and the target %s %s be i32 (batch)",
                      tn_shape_text(&x, a, sizeof a), tn_dtype_name(tn_dtype_of(label)),
                      tn_shape_text(&t, b, sizeof b));
        return logits;
    }
    return tn_neg(tn_mean(tn_pick(tn_log_softmax(logits, -1), label), TN_ALL, 0));
}

typedef struct loss_row {
    tn_loss_entry entry;
    tn_tensor *(*build)(tn_tensor *output, tn_tensor *target);
} loss_row;

static const loss_row losses[] = {
    {{"cross_entropy", "softmax and negative log-likelihood, for one class out of several", 1, 1}, tn_cross_entropy},
    {{"binary_cross_entropy", "sigmoid and cross-entropy, for yes or no", 0, 1}, tn_binary_cross_entropy},
    {{"mse", "mean of the squared errors", 0, 0}, tn_mean_squared_error},
    {{"half_mse", "half the sum of squared errors of a sample", 0, 0}, tn_half_squared_error},
};

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

tn_tensor *tn_loss(const char *name, tn_tensor *output, tn_tensor *target)
{
    tn_nearest nearest = {.word = name};
    char hint[80];
    if (tn_graph_status(tn_graph_of(output))) return output;
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        const loss_row *row = &losses[i];
        tn_nearest_offer(&nearest, row->entry.name);
        if (strcmp(name, row->entry.name)) continue;
        if (!row->entry.labels && tn_dtype_of(target) == TN_I32) target = spread(output, target);
        return row->build(output, target);
    }
    tn_graph_fail(tn_graph_of(output), TN_EMISSING, "there is no loss '%s'%s", name,
                  tn_nearest_text(&nearest, hint, sizeof hint));
    return output;
}
