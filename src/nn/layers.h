/* layers.h: the layers of a network's spec, a row each. */
#ifndef TN_NN_LAYERS_H
#define TN_NN_LAYERS_H

#include "tenon/nn.h"

/* What a network's building keeps from layer to layer. */
typedef struct tn_net_build {
    tn_net_options options;
    tn_init init;
    int linears; /* linear layers so far, which names the next */
    int convs;
} tn_net_build;

/* What may stand for a layer's argument. */
#define TN_ARG_COUNT 1 /* a whole number of at least 1, or "outputs" */
#define TN_ARG_RATE  2 /* 0 <= number < 1 */
#define TN_ARG_REAL  3 /* any number */
#define TN_ARG_SIZE  4 /* "5x3", or "5" for "5x5": 65536 height + width, both at least 1 */

#define TN_POSITIONS 3 /* most arguments by position */
#define TN_PAIRS     3 /* most pairs */

/* A pair of words behind the arguments by position, in any order: "stride 2", "pad same". Its value is a whole number
 * of at least `least`, or stands for a word. */
typedef struct tn_pair {
    const char *name; /* NULL after the last */
    double least;
    const char *word; /* NULL: none */
    double value;     /* what the word stands for */
} tn_pair;

typedef struct tn_layer {
    const char *name;
    const char *usage;
    const char *doc;
    tn_tensor *(*apply)(tn_net_build *build, tn_tensor *x, const double arg[]);
    tn_tensor *(*unary)(tn_tensor *x); /* instead of `apply`: a row of unary.def */
    int32_t args[TN_POSITIONS];        /* TN_ARG_, 0 after the last */
    uint32_t optional;                 /* of the arguments, those at the end that may be missing: then 0 */
    tn_pair pair[TN_PAIRS];            /* pair i is argument TN_POSITIONS + i, 0 if it is not there */
} tn_layer;

extern const tn_layer tn_layers[];
extern const size_t tn_layers_count;

#endif
