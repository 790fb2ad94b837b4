/* onnx_save.h: networks of ours as ONNX files (https://onnx.ai), which ONNX Runtime and others run.
 *
 * What a graph computes becomes nodes of ONNX's own operators, opset 18 unless told otherwise; its variables become
 * initializers of their names. docs/onnx.md has the table of operators. A library that was built without protobuf-c
 * answers with TN_EUNSUPPORTED. */
#ifndef TENON_ONNX_SAVE_H
#define TENON_ONNX_SAVE_H

#include "tenon/graph.h"
#include "tenon/state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All zero is usual. */
typedef struct tn_onnx_save_options {
    int64_t opset;        /* 18 to 23; 0: 18 */
    tn_graph *other;      /* the same network for another batch: see there; NULL: all sizes are fixed */
    const char *name;     /* of the network; NULL: "tenon" */
    const tn_note *notes; /* the file's metadata */
    uint64_t n_notes;
    uint64_t external; /* weights of so many bytes or more go to a file beside it, PATH with ".data" behind; 0: where
                          all of it would have 2 GiB or more, those of a KiB */
    uint64_t spare[3];
} tn_onnx_save_options;

/* Writes the graph's inputs and outputs (tn_input, tn_output), by their names, and all between them, with the values
 * that its variables have in the state. `options` may be NULL.
 *
 * With `other`, built as the graph was but for the number of samples, the file has a network for any number: sizes in
 * which the two differ are the dimension "batch", or a multiple of it. Numbers in which they differ (tn_full,
 * tn_constant) are multiples of it, or shares, or the same for each sample; others are refused. Both graphs may be
 * added to, and mean the same afterwards; what fails may leave them failed.
 *
 * TN_EUNSUPPORTED names the operator that ONNX doesn't have, and the node; a graph that assigns, as one that trains
 * does, is refused too. The file is written as a whole or not at all, and so, before it, is the one beside it. The
 * format allows 2 GiB for what is not in that. */
TN_API TN_MUST_USE tn_status tn_onnx_save(tn_graph *graph, tn_state *state, const char *path,
                                          const tn_onnx_save_options *options);

#ifdef __cplusplus
}
#endif
#endif
