/* loss_label.c: losses of samples that have one class each, before their reduction. */
#include "loss_each.h"

/* Minus the logarithm of the class's probability. With `smoothing` that share of the target is spread over all classes.
 * The weights of classes are also those of samples in a mean. */
tn_tensor *tn_label_likelihood(tn_tensor *logs, tn_tensor *label, const tn_loss_options *options, tn_tensor **share)
{
    tn_tensor *weight = options->weight, *each = tn_neg(tn_pick(logs, label));
    double classes = (double)tn_shape_of(logs).dim[1];
    if (weight) each = tn_mul(each, *share = tn_gather(weight, label));
    if (options->smoothing == 0) return each;
    tn_tensor *all = tn_neg(tn_sum(weight ? tn_mul(logs, weight) : logs, TN_AXES(1), 0));
    return tn_add(tn_mul(each, tn_number(each, 1 - options->smoothing)),
                  tn_mul(all, tn_number(all, options->smoothing / classes)));
}

tn_tensor *tn_label_cross_entropy(tn_tensor *output, tn_tensor *label, const tn_loss_options *options,
                                  tn_tensor **share)
{
    return tn_label_likelihood(tn_log_softmax(output, -1), label, options, share);
}

/* The same times the probability of being wrong to the power gamma: Lin and others, "Focal loss for dense object
 * detection", 2017, whose alpha are the weights of classes. Rounding may bring a logarithm above 0. */
tn_tensor *tn_label_focal(tn_tensor *output, tn_tensor *label, const tn_loss_options *options, tn_tensor **share)
{
    (void)share;
    tn_tensor *log = tn_pick(tn_log_softmax(output, -1), label), *zero = tn_number(output, 0);
    tn_tensor *wrong = tn_pow(tn_max(tn_neg(tn_expm1(log)), zero), tn_number(log, options->gamma));
    if (options->weight) wrong = tn_mul(wrong, tn_gather(options->weight, label));
    return tn_neg(tn_mul(wrong, log));
}

/* Sum of max(0, margin - x[label] + x[j]) over the other classes j, divided by the number of classes: Weston and
 * Watkins, 1999, as PyTorch writes it. */
tn_tensor *tn_label_margin(tn_tensor *output, tn_tensor *label, const tn_loss_options *options, tn_tensor **share)
{
    int64_t classes = tn_shape_of(output).dim[1];
    (void)share;
    tn_tensor *own = tn_reshape(tn_pick(output, label), TN_SHAPE(-1, 1)), *class = tn_reshape(label, TN_SHAPE(-1, 1));
    tn_tensor *lack = tn_relu(tn_add(tn_sub(output, own), tn_number(output, options->margin)));
    tn_tensor *is_own = tn_eq(tn_iota(tn_graph_of(output), tn_shape_of(output), 1), class);
    tn_tensor *each = tn_sum(tn_where(is_own, tn_number(lack, 0), lack), TN_AXES(1), 0);
    if (options->weight) each = tn_mul(each, tn_gather(options->weight, label));
    return tn_mul(each, tn_number(each, 1 / (double)classes));
}
