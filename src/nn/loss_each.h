/* loss_each.h: losses before their reduction: one number for each element or sample. */
#ifndef TN_NN_LOSS_EACH_H
#define TN_NN_LOSS_EACH_H

#include "tenon/nn.h"

/* Of outputs and targets of one shape; shapes, types and options have been checked. */
typedef tn_tensor *tn_each_loss(tn_tensor *output, tn_tensor *target, const tn_loss_options *options);
tn_each_loss tn_each_squared, tn_each_absolute, tn_each_squared_log, tn_each_percentage, tn_each_huber;
tn_each_loss tn_each_smooth_l1, tn_each_log_cosh, tn_each_poisson, tn_each_divergence, tn_each_binary, tn_each_hinge;
tn_each_loss tn_each_binary_focal;
tn_each_loss tn_each_cosine; /* of a sample */

/* Of a sample: outputs (n, classes) and labels (n). *share is the weight of each sample in a mean, or stays NULL. */
typedef tn_tensor *tn_label_loss(tn_tensor *output, tn_tensor *label, const tn_loss_options *options,
                                 tn_tensor **share);
tn_label_loss tn_label_cross_entropy, tn_label_likelihood, tn_label_focal, tn_label_margin;

/* 1 - the cosine between rows. */
tn_tensor *tn_cosine_distance(tn_tensor *a, tn_tensor *b);

#endif
