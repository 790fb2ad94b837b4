/* layers.h: the layers of a network's spec, a row each. */
#ifndef TN_NN_LAYERS_H
#define TN_NN_LAYERS_H

#include "tenon/nn.h"

#define TN_NET_KINDS 24 /* most kinds of layers with names of their own */
#define TN_NET_DEPTH 8  /* most residual branches within each other */

/* What a network's building keeps from layer to layer. */
typedef struct tn_net_build {
    tn_net_options options;
    tn_init init;      /* of the layer that is being built */
    int init_by_layer; /* it depends on what follows */
    const char *next;  /* the following layer's name; "" at the end */
    struct {
        const char *kind;
        int count;
    } named[TN_NET_KINDS];           /* how many layers of a kind there are, which names the next */
    tn_tensor *branch[TN_NET_DEPTH]; /* where residual branches began */
    int depth;
} tn_net_build;

/* The next layer of a kind: "fc1", "fc2"... in `name`, which it returns. */
const char *tn_net_name(tn_net_build *build, const char *kind, char name[32]);

/* What may stand for a layer's argument. */
#define TN_ARG_COUNT 1 /* a whole number of at least 1, or "outputs" */
#define TN_ARG_RATE  2 /* 0 <= number < 1 */
#define TN_ARG_REAL  3 /* any number */
#define TN_ARG_SIZE  4 /* "5x3", or "5" for "5x5": 65536 height + width, both at least 1 */
#define TN_ARG_MEANT 5 /* a number of 0 or more; 0 is TN_ZERO, for one that is left out is 0 */

#define TN_SAME 65536 /* the padding that stands for "same" */

#define TN_POSITIONS 3 /* most arguments by position */
#define TN_PAIRS     3 /* most pairs */

/* A pair of words behind the arguments by position, in any order: "stride 2", "pad same". Its value is a whole number
 * of at least `least`, or stands for a word. */
typedef struct tn_pair {
    const char *name; /* NULL after the last */
    double least;
    const char *word; /* NULL: none */
    double value;     /* what the word stands for */
    double most;      /* 0: any */
} tn_pair;

typedef tn_tensor *tn_apply_layer(tn_net_build *build, tn_tensor *x, const double arg[]);

typedef struct tn_layer {
    const char *name; /* underscores in it may be left out */
    const char *usage;
    const char *doc;
    tn_apply_layer *apply;
    tn_tensor *(*unary)(tn_tensor *x); /* instead of `apply`: a row of unary.def */
    int32_t args[TN_POSITIONS];        /* TN_ARG_, 0 after the last */
    uint32_t optional;                 /* of the arguments, those at the end that may be missing: then 0, or ... */
    tn_pair pair[TN_PAIRS];            /* pair i is argument TN_POSITIONS + i, 0 if it is not there */
    double usual;                      /* ... of the last argument this */
} tn_layer;

extern const tn_layer tn_layers[];
extern const size_t tn_layers_count;

/* Those that are more than a few lines: normalised, residual, and on sequences. */
tn_apply_layer tn_layer_batch_norm, tn_layer_layer_norm, tn_layer_rms_norm, tn_layer_group_norm, tn_layer_instance_norm;
tn_apply_layer tn_layer_residual, tn_layer_end, tn_layer_block;
tn_apply_layer tn_layer_rnn, tn_layer_lstm, tn_layer_gru, tn_layer_last;
tn_apply_layer tn_layer_conv1d, tn_layer_maxpool1d, tn_layer_avgpool1d, tn_layer_max_steps, tn_layer_mean_steps;
tn_apply_layer tn_layer_sinusoids, tn_layer_embedding, tn_layer_position, tn_layer_project, tn_layer_attention,
    tn_layer_transformer;

/* (batch, 1, h, w) and the like as a sequence (batch, steps, features): rows of a picture, numbers of a row. */
tn_tensor *tn_net_sequence(tn_tensor *x);

#endif
