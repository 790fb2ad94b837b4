/* nn.h: layers, losses and metrics. They only build graphs.
 *
 * Parameters are named and shaped as PyTorch does it: layer "fc1" has "fc1.weight" (out, in) and "fc1.bias" (out). */
#ifndef TENON_NN_H
#define TENON_NN_H

#include "tenon/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- layers ---- */

typedef struct tn_linear_options {
    int64_t units;       /* required, at least 1 */
    uint32_t no_bias;
    const tn_init *init; /* of the weight; NULL: TN_INIT_LECUN. The bias begins at zero */
} tn_linear_options;
/* y = x W' + b over the last dimension: (..., in) -> (..., units). tn_linear(x, "fc1", .units = 100) */
#define tn_linear(x, name, ...) tn_linear_with(x, name, (tn_linear_options){__VA_ARGS__})
TN_API tn_tensor *tn_linear_with(tn_tensor *x, const char *name, tn_linear_options options);

/* ---- networks in words ---- */

/* Builds a network from a named one ("mlp", "perceptron", ...) or from layers in order:
 * "linear 100, sigmoid, linear 40, sigmoid, linear 10". Layers are named by kind and number: "fc1", "fc2". The first
 * dimension is the batch; `linear` flattens what has more than two. `outputs` is how many numbers the network gives
 * for a sample: a spec writes "linear outputs" for it, and so do the named networks.
 * `training` switches dropout on. `init` names the initialisation of the weights: "auto" (he before relu and its like,
 * xavier before all else), "zero", "normal", "xavier", "he", "lecun";
 * NULL: "auto". `scale` is the standard deviation of "normal" (0: 0.01). Errors name the layer. */
typedef struct tn_net_options {
    uint32_t training;
    int64_t outputs;
    const char *init;
    double scale;
} tn_net_options;
TN_API tn_tensor *tn_net(tn_tensor *x, const char *spec, tn_net_options options);

/* The layers and named networks that tn_net knows, for help texts. Returns 0 past the last. */
typedef struct tn_net_word {
    const char *name;
    const char *usage; /* "linear UNITS"; of a named network its layers */
    const char *doc;
} tn_net_word;
TN_API int tn_net_layer_at(size_t index, tn_net_word *word);
TN_API int tn_net_named_at(size_t index, tn_net_word *word);
TN_API int tn_net_init_at(size_t index, tn_net_word *word);

/* ---- losses: the mean over the batch, of rank 0 ---- */

/* Mean of (prediction - target)^2 over all elements. */
TN_API tn_tensor *tn_mean_squared_error(tn_tensor *prediction, tn_tensor *target);
/* Sum over the outputs of (prediction - target)^2 / 2, mean over the batch: the classic quadratic cost. */
TN_API tn_tensor *tn_half_squared_error(tn_tensor *prediction, tn_tensor *target);
/* Mean of -(t log s + (1 - t) log(1 - s)) with s = sigmoid(logits); stable for any logits. */
TN_API tn_tensor *tn_binary_cross_entropy(tn_tensor *logits, tn_tensor *target);
/* Mean of -log softmax(logits)[label]: logits (n, classes), label i32 (n); stable for any logits. */
TN_API tn_tensor *tn_cross_entropy(tn_tensor *logits, tn_tensor *label);

/* A loss by its name. A loss for targets of the output's shape can be given i32 labels (n): they are made one-hot, or
 * 0 and 1 for a network of one output. */
TN_API tn_tensor *tn_loss(const char *name, tn_tensor *output, tn_tensor *target);

/* What a loss takes. Returns 0 past the last. */
typedef struct tn_loss_entry {
    const char *name;
    const char *doc;
    uint32_t labels;  /* it needs class labels */
    uint32_t classes; /* its outputs stand for classes, so that counting the right ones makes sense for targets too */
} tn_loss_entry;
TN_API int tn_loss_at(size_t index, tn_loss_entry *entry);

/* ---- metrics ---- */

/* How many of the batch are right, as f32 of rank 0: arg-max against i32 labels (n); for one output or for targets of
 * the outputs' shape, the sign of the logit against a target of 0 or 1. */
TN_API tn_tensor *tn_count_correct(tn_tensor *output, tn_tensor *target);

#ifdef __cplusplus
}
#endif
#endif
