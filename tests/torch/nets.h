/* nets.h: the networks that are built beside PyTorch's: a row of nets.def, a function here and a class in vision.py, sequence.py or other.py. */
#ifndef TESTS_TORCH_NETS_H
#define TESTS_TORCH_NETS_H

#include "tenon/tenon.h"

/* A network while it is built. What is trained in turn, as a generator after its discriminator, is several phases. */
typedef struct net {
    tn_graph *graph;
    const tn_checkpoint *file; /* has the inputs, named "in:x" and so on, with their shapes */
    int phase;
    tn_tensor *y; /* what is compared besides the loss */
} net;

/* The input of that name, with the type and the shape that it has in the file. */
tn_tensor *in(const net *n, const char *name);
/* A name, printed; good until eight more were. */
const char *named(const char *format, ...) TN_PRINTF(1, 2);
/* A trainable tensor; the file has its first value. */
tn_tensor *param(const net *n, const char *name, tn_shape shape);
tn_tensor *linear(tn_tensor *x, const char *name, int64_t units);
tn_tensor *linear_plain(tn_tensor *x, const char *name, int64_t units); /* without a bias */
tn_tensor *mean(tn_tensor *x);                                          /* of all elements */
tn_tensor *scaled(tn_tensor *x, double factor);

/* Builds the phase: its loss. */
typedef tn_tensor *net_build(net *n);
#define X(name, phases, only0, only1) net_build name;
#include "nets.def"
#undef X

#endif
