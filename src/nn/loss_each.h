/* loss_each.h: losses before their reduction: one number for each element or sample. */
#ifndef TN_NN_LOSS_EACH_H
#define TN_NN_LOSS_EACH_H

#include "tenon/nn.h"

/* Shapes and types have been checked. */
tn_tensor *tn_each_squared(tn_tensor *output, tn_tensor *target);
tn_tensor *tn_each_absolute(tn_tensor *output, tn_tensor *target);
tn_tensor *tn_each_squared_log(tn_tensor *output, tn_tensor *target);
tn_tensor *tn_each_percentage(tn_tensor *output, tn_tensor *target);
tn_tensor *tn_each_huber(tn_tensor *output, tn_tensor *target);
tn_tensor *tn_each_log_cosh(tn_tensor *output, tn_tensor *target);
tn_tensor *tn_each_divergence(tn_tensor *output, tn_tensor *target);
tn_tensor *tn_each_binary(tn_tensor *output, tn_tensor *target);
tn_tensor *tn_each_cosine(tn_tensor *output, tn_tensor *target); /* of a sample */

/* Of a sample: minus the logarithm of its class's probability, from logarithms of probabilities (n, classes). `weight`
 * (classes) may be NULL; with `smoothing` that share of the target is spread over all classes. *share is the weight of
 * each sample, or NULL. */
tn_tensor *tn_each_likelihood(tn_tensor *logs, tn_tensor *label, tn_tensor *weight, double smoothing,
                              tn_tensor **share);

#endif
