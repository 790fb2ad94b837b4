/* save.h: networks in words, built for saving and run: what the tests of tn_onnx_save share. */
#ifndef TESTS_ONNX_SAVE_H
#define TESTS_ONNX_SAVE_H

#include "tenon/tenon.h"

#define SAVE_BATCH 3 /* samples that are run */

/* A network and what its samples are. */
typedef struct save_net {
    const char *name, *words;
    tn_shape sample;
    int32_t dtype;   /* of the samples */
    int32_t outputs; /* that the word "outputs" stands for */
    double most;     /* whole numbers from 0 to this are the samples; 0: numbers from -2 to 2 */
} save_net;

extern const save_net save_nets[];
extern const size_t save_nets_count;

/* The network for so many samples: input "x", output "y". */
tn_graph *save_graph_of(const save_net *net, int64_t batch);

/* Random samples: SAVE_BATCH of them, as they are fed; and how many bytes they have. */
void *save_samples(const save_net *net, size_t *bytes);

/* Runs a graph with such an input and output on the device; the caller frees the outputs. */
tn_status save_run(tn_graph *graph, tn_state *state, const void *x, size_t x_bytes, float **y, size_t *count);

/* Gives every parameter of the state other values than it begins with, so that none is 0 or 1. */
void save_shake(tn_state *state);

/* Writes the cases of all operators, as onnx_files does networks; returns how many. */
int save_cases(const char *folder, tn_device *device);

#endif
