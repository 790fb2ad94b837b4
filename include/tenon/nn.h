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
    const tn_init *init; /* of the weight; NULL: TN_INIT_LECUN */
} tn_linear_options;
/* y = x W' + b over the last dimension: (..., in) -> (..., units). tn_linear(x, "fc1", .units = 100) */
#define tn_linear(x, name, ...) tn_linear_with(x, name, (tn_linear_options){__VA_ARGS__})
TN_API tn_tensor *tn_linear_with(tn_tensor *x, const char *name, tn_linear_options options);

/* ---- networks in words ---- */

/* Builds a network from a named one ("mlp", "perceptron", ...) or from layers in order:
 * "linear 100, sigmoid, linear 40, sigmoid, linear 10". Layers are named by kind and number: "fc1", "fc2".
 * `training` switches dropout on. `init` names the initialisation of the weights ("zero", "normal", "xavier", "he",
 * "lecun"; NULL: "lecun"), `scale` is the standard deviation of "normal" (0: 0.01). Errors name the layer. */
typedef struct tn_net_options {
    uint32_t training;
    const char *init;
    double scale;
} tn_net_options;
TN_API tn_tensor *tn_net(tn_tensor *x, const char *spec, tn_net_options options);

/* The layers and named networks that tn_net knows, for help texts. Returns 0 past the last. */
typedef struct tn_net_word {
    const char *name;
    const char *usage; /* "linear UNITS" */
    const char *doc;
} tn_net_word;
TN_API int tn_net_layer_at(size_t index, tn_net_word *word);
TN_API int tn_net_named_at(size_t index, tn_net_word *word);

/* ---- losses: the mean over the batch, of rank 0 ---- */

/* Mean of (prediction - target)^2 over all elements. */
TN_API tn_tensor *tn_mean_squared_error(tn_tensor *prediction, tn_tensor *target);
/* Sum over the outputs of (prediction - target)^2 / 2, mean over the batch: the classic quadratic cost. */
TN_API tn_tensor *tn_half_squared_error(tn_tensor *prediction, tn_tensor *target);
/* Mean of -(t log s + (1 - t) log(1 - s)) with s = sigmoid(logits); stable for any logits. */
TN_API tn_tensor *tn_binary_cross_entropy(tn_tensor *logits, tn_tensor *target);
/* Mean of -log softmax(logits)[label]: logits (n, classes), label i32 (n); stable for any logits. */
TN_API tn_tensor *tn_cross_entropy(tn_tensor *logits, tn_tensor *label);

/* A loss by its name, with what it takes: `labels` says that the target is i32 class labels (n) rather than a tensor
 * of the prediction's shape. A loss for targets can be given labels: they are made one-hot. */
TN_API tn_tensor *tn_loss(const char *name, tn_tensor *output, tn_tensor *target);
/* Returns 0 past the last. */
TN_API int tn_loss_at(size_t index, tn_net_word *word);

/* ---- metrics ---- */

/* How many of the batch are right, as f32 of rank 0: arg-max against i32 labels (n); for one output or for targets of
 * the outputs' shape, the sign of the logit against a target of 0 or 1. */
TN_API tn_tensor *tn_count_correct(tn_tensor *output, tn_tensor *target);

#ifdef __cplusplus
}
#endif
#endif
