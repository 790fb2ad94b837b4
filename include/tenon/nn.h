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

/* y = x W' + b over the last dimension: (..., in) -> (..., units). tn_linear(x, "fc1", .units = 100) */
typedef struct tn_linear_options {
    int64_t units; /* required, at least 1 */
    uint32_t no_bias;
    const tn_init *init; /* of the weight; NULL: TN_INIT_LECUN. The bias begins at zero */
    uint64_t spare[4];
} tn_linear_options;
#define tn_linear(x, name, ...) tn_linear_layer(x, name, (tn_linear_options){__VA_ARGS__})
TN_API tn_tensor *tn_linear_layer(tn_tensor *x, const char *name, tn_linear_options options);

/* Convolution of (batch, channels, height, width), with parameters "conv1.weight" (filters, channels / groups, kernel)
 * and "conv1.bias" (filters). tn_conv2d(x, "conv1", .filters = 32, .kernel = {5, 5}) */
typedef struct tn_conv2d_options {
    int64_t filters;      /* required, at least 1 */
    uint32_t kernel[2];   /* required; a width of 0 is the height */
    uint32_t stride[2];   /* 0: 1; a width of 0 is the height */
    uint32_t pad[2];      /* of zeros on all sides; a width of 0 is none, for a kernel of one column wants that */
    uint32_t dilation[2]; /* as the stride */
    uint32_t groups;      /* 0: 1 */
    uint32_t same;        /* instead of `pad`: y is as large as x, divided by the stride and rounded up */
    uint32_t no_bias;
    const tn_init *init; /* of the weight; NULL: TN_INIT_LECUN. The bias begins at zero */
    uint64_t spare[4];
} tn_conv2d_options;
#define tn_conv2d(x, name, ...) tn_conv2d_layer(x, name, (tn_conv2d_options){__VA_ARGS__})
TN_API tn_tensor *tn_conv2d_layer(tn_tensor *x, const char *name, tn_conv2d_options options);

/* What tn_conv2d_transpose takes. */
typedef struct tn_conv2d_transpose_options {
    int64_t filters;    /* channels of y; required, at least 1 */
    uint32_t kernel[2]; /* required; a width of 0 is the height, as of stride and dilation */
    uint32_t stride[2]; /* 0: 1 */
    uint32_t pad[2];    /* rows and columns that are left out on both sides of y; a width of 0 is none */
    uint32_t more[2];   /* rows and columns added at the end of y: PyTorch's output_padding */
    uint32_t dilation[2];
    uint32_t groups; /* 0: 1 */
    uint32_t no_bias;
    const tn_init *init; /* as in tn_conv2d */
    uint64_t spare[4];
} tn_conv2d_transpose_options;
/* Transposed convolution (Zeiler and others, 2010), which leads back from the size of a convolution's result to that of
 * its operand, with parameters "NAME.weight" (channels of x, filters / groups, kernel) and "NAME.bias" (filters).
 * tn_conv2d_transpose(x, "up1", .filters = 32, .kernel = {2}, .stride = {2}) doubles height and width. */
#define tn_conv2d_transpose(x, name, ...) tn_conv2d_transpose_layer(x, name, (tn_conv2d_transpose_options){__VA_ARGS__})
TN_API tn_tensor *tn_conv2d_transpose_layer(tn_tensor *x, const char *name, tn_conv2d_transpose_options options);

/* Along one dimension: (batch, channels, length), with parameters "NAME.weight" (filters, channels / groups, kernel),
 * transposed (channels, filters / groups, kernel), and "NAME.bias" (filters). Options are as in two dimensions.
 * tn_conv1d(x, "conv1", .filters = 32, .kernel = 5) */
typedef struct tn_conv1d_options {
    int64_t filters; /* required, at least 1 */
    uint32_t kernel; /* required */
    uint32_t stride; /* 0: 1 */
    uint32_t pad;
    uint32_t more;     /* transposed alone */
    uint32_t dilation; /* 0: 1 */
    uint32_t groups;   /* 0: 1 */
    uint32_t same;     /* not transposed */
    uint32_t no_bias;
    const tn_init *init;
    uint64_t spare[4];
} tn_conv1d_options;
#define tn_conv1d(x, name, ...)           tn_conv1d_layer(x, name, (tn_conv1d_options){__VA_ARGS__})
#define tn_conv1d_transpose(x, name, ...) tn_conv1d_transpose_layer(x, name, (tn_conv1d_options){__VA_ARGS__})
TN_API tn_tensor *tn_conv1d_layer(tn_tensor *x, const char *name, tn_conv1d_options options);
TN_API tn_tensor *tn_conv1d_transpose_layer(tn_tensor *x, const char *name, tn_conv1d_options options);

/* Pooling of (batch, channels, length); the window is required. tn_maxpool1d(x, .window = 2) */
typedef struct tn_pool1d_options {
    uint32_t window;
    uint32_t stride; /* 0: as the window */
    uint32_t pad;
    uint32_t ceil_mode; /* these two as in tn_pool_options */
    uint32_t count_pad;
    uint64_t spare[4];
} tn_pool1d_options;
#define tn_maxpool1d(x, ...) tn_maxpool1d_with(x, (tn_pool1d_options){__VA_ARGS__})
#define tn_avgpool1d(x, ...) tn_avgpool1d_with(x, (tn_pool1d_options){__VA_ARGS__})
TN_API tn_tensor *tn_maxpool1d_with(tn_tensor *x, tn_pool1d_options options);
TN_API tn_tensor *tn_avgpool1d_with(tn_tensor *x, tn_pool1d_options options);
TN_API tn_tensor *tn_adaptive_avgpool1d(tn_tensor *x, int64_t length);

/* Normalisation, with PyTorch's names, shapes and semantics; x is (batch, channels, ...) where channels count. Zero
 * options mean the usual value, and TN_ZERO as an epsilon 0. Batch normalisation (Ioffe and Szegedy, 2015) takes the
 * batch's own mean and variance in training, and moves "running_mean" and "running_var" (unbiased) towards them, each
 * use of the layer in turn where a graph has several; otherwise it takes these. Where a training cuts its batches into
 * shards (fit.h), each shard is a batch of its own, unless `sync` asks for the whole batch's mean and variance. */
typedef struct tn_batch_norm_options {
    uint32_t training;
    double momentum; /* share of the new batch in the running statistics: 0.1 */
    double epsilon;  /* 1e-5 */
    uint32_t sync;   /* over all shards of the batch, as PyTorch's SyncBatchNorm; no difference where there are none */
    uint64_t spare[4];
} tn_batch_norm_options;
#define tn_batch_norm(x, name, ...) tn_batch_norm_layer(x, name, (tn_batch_norm_options){__VA_ARGS__})
TN_API tn_tensor *tn_batch_norm_layer(tn_tensor *x, const char *name, tn_batch_norm_options options);
/* Over the last dimension (Ba, Kiros and Hinton, 2016); without mean and bias (Zhang and Sennrich, 2019).
 * tn_layer_norm(x, "ln1") or tn_layer_norm(x, "ln1", .epsilon = 1e-6) */
typedef struct tn_norm_options {
    const char *name;
    double epsilon; /* added to the variance, or the mean square: 1e-5; rms_norm: 2^-23, the distance of 1 from the next
                       f32 */
    uint64_t spare[4];
} tn_norm_options;
#define tn_layer_norm(x, ...) tn_layer_norm_layer(x, (tn_norm_options){.name = __VA_ARGS__})
#define tn_rms_norm(x, ...)   tn_rms_norm_layer(x, (tn_norm_options){.name = __VA_ARGS__})
TN_API tn_tensor *tn_layer_norm_layer(tn_tensor *x, tn_norm_options options);
TN_API tn_tensor *tn_rms_norm_layer(tn_tensor *x, tn_norm_options options);
/* Each channel of each sample by itself (Ulyanov, Vedaldi and Lempitsky, 2016); a NULL name means without scale and
 * shift, as PyTorch does it unless told otherwise. */
#define tn_instance_norm(x, ...) tn_instance_norm_layer(x, (tn_norm_options){.name = __VA_ARGS__})
TN_API tn_tensor *tn_instance_norm_layer(tn_tensor *x, tn_norm_options options);
/* Over each of some groups of channels (Wu and He, 2018). tn_group_norm(x, "gn1", 8) */
typedef struct tn_group_norm_options {
    int64_t groups; /* required; they divide the channels */
    double epsilon; /* 1e-5 */
    uint64_t spare[4];
} tn_group_norm_options;
#define tn_group_norm(x, name, ...) tn_group_norm_layer(x, name, (tn_group_norm_options){.groups = __VA_ARGS__})
TN_API tn_tensor *tn_group_norm_layer(tn_tensor *x, const char *name, tn_group_norm_options options);

/* x, or x times a trainable slope, "NAME.weight" (1), when negative; with `each_channel` (channels). It begins at 0.25.
 * He, Zhang, Ren and Sun, 2015. */
TN_API tn_tensor *tn_prelu(tn_tensor *x, const char *name, int each_channel);

/* ---- layers for training alone: leave them out of the graph that evaluates ---- */

/* Dropout of whole channels of each sample, (batch, channels, ...): Tompson and others, 2015. 0 <= rate < 1. */
TN_API tn_tensor *tn_dropout_channels(tn_tensor *x, double rate);
/* Images (batch, channels, height, width), half of them mirrored left to right; and shifted by -pad..pad rows and
 * columns, zeros coming in, which is to pad them on all sides and crop them to their size again. pad <= 2^20. */
TN_API tn_tensor *tn_random_flip(tn_tensor *x);
TN_API tn_tensor *tn_random_crop(tn_tensor *x, int64_t pad);

/* ---- layers on sequences ---- */

/* Rows of a trainable table, "NAME.weight" (count, units), from N(0, 1): i32 (...) -> (..., units). A number outside
 * gives zeros. */
TN_API tn_tensor *tn_embedding(tn_tensor *index, const char *name, int64_t count, int64_t units);

/* The same, but row `padding`, one of them, begins with zeros and gets no gradient: PyTorch's padding_idx. What a file
 * has in that row is kept and given as it is, as PyTorch does it. */
TN_API tn_tensor *tn_embedding_padded(tn_tensor *index, const char *name, int64_t count, int64_t units,
                                      int32_t padding);

#define TN_RNN        0 /* h = tanh(W x + U h + b) */
#define TN_LSTM       1
#define TN_GRU        2 /* as PyTorch has it: the reset is multiplied to U h */
#define TN_GRU_BEFORE 3 /* to h, as Cho and others, 2014, have it */
/* Recurrent layers: x (batch, steps, features) -> (batch, steps, units), unrolled over the steps. Parameters are named
 * as PyTorch does it: "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"; the gates of an LSTM are in the order
 * in, forget, content, out, those of a GRU reset, update, content. Of several layers each takes the results of the one
 * before ("weight_ih_l1", ...). With `bidirectional` each also goes through the steps from the last
 * ("weight_ih_l0_reverse", ...), and the results of both stand side by side: (batch, steps, 2 units). All layers' steps
 * together are at most 2^20.
 * `lengths`, i32 (batch), says where each sample ends: what comes after is 0 and leaves its state alone. */
typedef struct tn_recurrent_options {
    int32_t kind;
    int64_t units; /* required, at least 1 */
    tn_tensor *lengths;
    int64_t layers; /* 0: 1 */
    uint32_t bidirectional;
    double dropout; /* rate for the results of each layer but the last; leave it 0 in a graph that evaluates */
    uint64_t spare[4];
} tn_recurrent_options;
/* (batch, units) each; c for LSTM alone. NULL stands for zeros. To carry a state from one piece of a long sequence to
 * the next, keep it in variables. */
typedef struct tn_recurrent_state {
    tn_tensor *h, *c;
} tn_recurrent_state;
/* `state`, unless NULL, is where to begin, and gets the last state: one for each layer, or, with `bidirectional`, two,
 * forward and backward, for each. */
#define tn_recurrent(x, name, state, ...) tn_recurrent_layer(x, name, (tn_recurrent_options){__VA_ARGS__}, state)
TN_API tn_tensor *tn_recurrent_layer(tn_tensor *x, const char *name, tn_recurrent_options options,
                                     tn_recurrent_state *state);

/* Attention with several heads of x (batch, steps, width) to itself or to a memory, with PyTorch's names:
 * "NAME.in_proj_weight" (3 width, width) and "in_proj_bias" for queries, keys and values, "NAME.out_proj.weight" and
 * ".bias". tn_multihead_attention(x, "attention", .heads = 4, .causal = 1) */
typedef struct tn_attention_options {
    int64_t heads;     /* required; they divide the width */
    tn_tensor *memory; /* (batch, keys, width): what to look at; NULL: x */
    tn_tensor *mask;   /* (batch, keys): not 0 where there is a key, 0 for padding; NULL: all. A query that sees no key
                          gets zeros */
    uint32_t causal;   /* step i sees the keys 0..i alone */
    double dropout;    /* rate for the weights of keys; leave it 0 in a graph that evaluates */
    uint64_t spare[4];
} tn_attention_options;
#define tn_multihead_attention(x, name, ...) tn_multihead_attention_layer(x, name, (tn_attention_options){__VA_ARGS__})
TN_API tn_tensor *tn_multihead_attention_layer(tn_tensor *x, const char *name, tn_attention_options options);
TN_API tn_tensor *tn_self_attention(tn_tensor *x, const char *name, int64_t heads, int causal);

/* A transformer's layer over x (batch, steps, width): attention to itself; to a memory, if there is one; and two linear
 * layers. Names are those of PyTorch's TransformerEncoderLayer and, with a memory, TransformerDecoderLayer:
 * "self_attn", "multihead_attn", "linear1", "linear2", "norm1" and so on. Normalisation stands before each part (Xiong
 * and others, 2020) and the activation is gelu, unless told otherwise. */
typedef struct tn_transformer_options {
    int64_t heads;                 /* required */
    int64_t hidden;                /* units between the linear layers; 0: 4 width */
    tn_tensor *memory;             /* (batch, keys, width), of an encoder; NULL: none */
    tn_tensor *mask, *memory_mask; /* as of tn_attention_options: of x, and of the memory */
    uint32_t causal;               /* for x */
    uint32_t norm_last;            /* after each part, as in Vaswani and others, 2017, and PyTorch's norm_first=False */
    uint32_t relu;                 /* instead of gelu */
    double dropout;                /* rate, where PyTorch has it; leave it 0 in a graph that evaluates */
    double epsilon;                /* of the normalisations, as in tn_norm_options */
    uint64_t spare[4];
} tn_transformer_options;
#define tn_transformer(x, name, ...) tn_transformer_layer(x, name, (tn_transformer_options){__VA_ARGS__})
TN_API tn_tensor *tn_transformer_layer(tn_tensor *x, const char *name, tn_transformer_options options);

/* The positions of that paper, f32 (steps, width), to be added to each sample: sin(p / 10000^(i / width)) in each even
 * column i, and the cosine in the next. */
TN_API tn_tensor *tn_sinusoids(tn_graph *graph, int64_t steps, int64_t width);

/* ---- networks in words ---- */

/* Builds a network from a named one ("mlp", "perceptron", ...) or from layers in order:
 * "linear 100, sigmoid, linear 40, sigmoid, linear 10". Layers are named by kind and number: "conv1", "fc2". The first
 * dimension is the batch; `linear` flattens what has more than two. `outputs` is how many numbers the network gives
 * for a sample: a spec writes "linear outputs" for it, and so do the named networks.
 * `training` switches dropout on. `init` names the initialisation of the weights: "auto" (he before relu and its like,
 * xavier before all else) or another that tn_net_init_at lists; NULL: "auto". `scale` is the deviation of "normal" and
 * "truncated", the end of "uniform", the value of "constant", and a factor for others; 0: the usual. `freeze`, unless
 * NULL, is as for tn_freeze; frozen batch normalisation takes the running statistics in training too. `sync_norm` makes
 * every batch normalisation one over all shards of the batch (tn_batch_norm_options.sync). `each`, unless NULL, is
 * called with `arg` after each layer, as it is written, and what came out of it. Errors name the layer. */
typedef struct tn_net_options {
    uint32_t training;
    int64_t outputs;
    const char *init;
    double scale;
    const char *freeze;
    uint32_t sync_norm;
    void (*each)(void *arg, const char *layer, tn_tensor *y);
    void *arg;
    uint64_t spare[2];
} tn_net_options;
TN_API tn_tensor *tn_net(tn_tensor *x, const char *spec, tn_net_options options);

/* The layers and named networks that tn_net knows, for help texts. Returns 0 past the last. */
typedef struct tn_net_word {
    const char *name;
    const char *usage; /* "linear UNITS"; of a named network its layers */
    const char *doc;
    uint64_t spare[4];
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
/* Mean of -log softmax(logits)[label]: logits (..., classes), two or more, label i32 (...); stable for any logits. */
TN_API tn_tensor *tn_cross_entropy(tn_tensor *logits, tn_tensor *label);

/* A loss by its name. A loss for targets of the output's shape can be given i32 labels (n): they are made one-hot, or
 * 0 and 1 for a network of one output. */
TN_API tn_tensor *tn_loss(const char *name, tn_tensor *output, tn_tensor *target);

#define TN_LOSS_MEAN 0
#define TN_LOSS_SUM  1
#define TN_LOSS_NONE 2
/* How the losses of elements or samples become one: the mean that belongs to the loss, their sum, or not at all. */
typedef struct tn_loss_options {
    int32_t reduction;
    tn_tensor *weight; /* of each class, f32 (classes), for losses of labels; a mean is then a weighted one, and 0 where
                          all weights are */
    double smoothing;  /* share of the target that is spread over all classes: Szegedy and others, 2016 */
    uint32_t ignores; /* samples of the label `ignored`, such as padding, which may be outside the classes, have no loss
                         and no part in the mean; which is 0 where all are ignored */
    int32_t ignored;
    tn_tensor
        *positive; /* binary_cross_entropy, binary_focal: weight of a target of 1, f32, broadcast to the outputs */
    double delta;  /* huber, smooth_l1: where the square ends: 1 */
    double margin; /* hinge, multi_margin: 1 */
    double gamma;  /* focal, binary_focal (Lin and others, 2017): 2, at least 1 */
    tn_tensor *sample_weight; /* of each sample, f32 (batch), 0 or more: its losses count that many times, so that a
                                 whole number does what as many equal samples do. A mean is then a weighted one, and 0
                                 where all weights are, as with `weight`, by which these are multiplied */
    uint64_t spare[3];
} tn_loss_options;
TN_API tn_tensor *tn_loss_with(const char *name, tn_tensor *output, tn_tensor *target, tn_loss_options options);

/* What the mean of such a loss is divided by, of rank 0: the number of its elements or samples, or the sum of their
 * weights; of a loss that is a sum anyway, the samples or their weights. For means over several batches. */
TN_API tn_tensor *tn_loss_total(const char *name, tn_tensor *output, tn_tensor *target, tn_loss_options options);

/* The outputs as people read them: probabilities where the loss takes logits or logarithms of those, the mean for
 * "poisson", else as they are. */
TN_API tn_tensor *tn_loss_readable(const char *name, tn_tensor *output);

/* Finds targets that the loss cannot take, before training begins: i32 labels outside 0..classes-1, or any for "mape",
 * which they would give zeros; f32 targets that are no number, 0 for "mape", no probability for "binary_cross_entropy",
 * "binary_focal", "hinge" and "kl_divergence", negative for "poisson", -1 or less for "msle". */
TN_API TN_MUST_USE tn_status tn_loss_check_targets(const char *loss, int32_t dtype, const void *data, int64_t count,
                                                   int64_t classes);

/* What a loss takes. Returns 0 past the last. */
typedef struct tn_loss_entry {
    const char *name;
    const char *doc;
    uint32_t labels;  /* it needs class labels */
    uint32_t classes; /* its outputs stand for classes, so that counting the right ones makes sense for targets too */
    uint32_t errors;  /* it depends on output less target alone, so that both may be shifted and scaled */
    uint32_t probabilities; /* tn_loss_readable makes probabilities of its outputs, of classes or of yes */
    uint64_t spare[4];
} tn_loss_entry;
TN_API int tn_loss_at(size_t index, tn_loss_entry *entry);

/* ---- losses that compare tensors: means, of rank 0. Vectors lie along the last dimension ---- */

/* max(0, |anchor - positive| - |anchor - negative| + margin): Schroff, Kalenichenko and Philbin, "FaceNet", 2015. */
TN_API tn_tensor *tn_triplet_margin(tn_tensor *anchor, tn_tensor *positive, tn_tensor *negative, double margin);
/* d^2 / 2 of pairs that are the same (above 0), max(0, margin - d)^2 / 2 of others, d = |a - b|: a and b (..., width),
 * same (...). Hadsell, Chopra and LeCun, 2006. */
TN_API tn_tensor *tn_contrastive(tn_tensor *a, tn_tensor *b, tn_tensor *same, double margin);
/* max(0, margin - order (a - b)): a should be above b where the order is 1, below where it is -1. */
TN_API tn_tensor *tn_margin_ranking(tn_tensor *a, tn_tensor *b, tn_tensor *order, double margin);
/* 1 - cos of pairs that are the same (above 0), max(0, cos - margin) of others: a and b (..., width), same (...). */
TN_API tn_tensor *tn_cosine_embedding(tn_tensor *a, tn_tensor *b, tn_tensor *same, double margin);
/* (log(variance) + (mean - target)^2 / variance) / 2 with a variance of 1e-6 or more: Nix and Weigend, 1994. */
TN_API tn_tensor *tn_gaussian_likelihood(tn_tensor *mean, tn_tensor *variance, tn_tensor *target);

/* ---- metrics ---- */

/* Root of the mean of the squared errors, of rank 0. */
TN_API tn_tensor *tn_root_mean_squared_error(tn_tensor *prediction, tn_tensor *target);

/* How many of the batch are right, as f32 of rank 0: arg-max against i32 labels (...) of outputs (..., classes); for
 * one output or for targets of the outputs' shape, the sign of the logit against a target of 0 or 1. */
TN_API tn_tensor *tn_count_correct(tn_tensor *output, tn_tensor *target);
/* 1 for each of the batch that is right by that rule, and 0 for others: f32 (batch), of several labels each (batch x
 * labels). */
TN_API tn_tensor *tn_is_correct(tn_tensor *output, tn_tensor *target);

/* ---- names of earlier versions ---- */

/* What the macros of layers stand for ends in _layer. */
TN_OLD("tn_linear") tn_tensor *tn_linear_with(tn_tensor *x, const char *name, tn_linear_options options);
TN_OLD("tn_batch_norm") tn_tensor *tn_batch_norm_with(tn_tensor *x, const char *name, tn_batch_norm_options options);
TN_OLD("tn_layer_norm") tn_tensor *tn_layer_norm_with(tn_tensor *x, tn_norm_options options);
TN_OLD("tn_rms_norm") tn_tensor *tn_rms_norm_with(tn_tensor *x, tn_norm_options options);
TN_OLD("tn_instance_norm") tn_tensor *tn_instance_norm_with(tn_tensor *x, tn_norm_options options);
TN_OLD("tn_group_norm") tn_tensor *tn_group_norm_with(tn_tensor *x, const char *name, tn_group_norm_options options);
TN_OLD("tn_recurrent")
tn_tensor *tn_recurrent_with(tn_tensor *x, const char *name, tn_recurrent_options options, tn_recurrent_state *state);
TN_OLD("tn_multihead_attention")
tn_tensor *tn_multihead_attention_with(tn_tensor *x, const char *name, tn_attention_options options);
TN_OLD("tn_transformer") tn_tensor *tn_transformer_with(tn_tensor *x, const char *name, tn_transformer_options options);

#ifdef __cplusplus
}
#endif
#endif
