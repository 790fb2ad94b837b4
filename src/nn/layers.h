/* layers.h: the layers of a network's spec, a row each. */
#ifndef TN_NN_LAYERS_H
#define TN_NN_LAYERS_H

#include "tenon/nn.h"

/* What a network's building keeps from layer to layer. */
typedef struct tn_net_build {
    tn_net_options options;
    tn_init init;
    int linears; /* linear layers so far, which names the next */
} tn_net_build;

/* What may stand for a layer's argument. */
#define TN_ARG_COUNT 1 /* a whole number of at least 1, or "outputs" */
#define TN_ARG_RATE  2 /* 0 <= number < 1 */
#define TN_ARG_REAL  3 /* any number */

typedef struct tn_layer {
    const char *name;
    const char *usage;
    const char *doc;
    tn_tensor *(*apply)(tn_net_build *build, tn_tensor *x, const double arg[]);
    tn_tensor *(*unary)(tn_tensor *x); /* instead of `apply`: a row of unary.def */
    int32_t args[3];                   /* TN_ARG_, 0 after the last */
    uint32_t optional;                 /* of the arguments, those at the end that may be missing: then 0 */
} tn_layer;

extern const tn_layer tn_layers[];
extern const size_t tn_layers_count;

#endif
