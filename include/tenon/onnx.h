/* onnx.h: networks that come as ONNX files (https://onnx.ai), opsets 7 to 23.
 *
 * A file is read once; from it, graphs are built for given shapes of the inputs, as many as one likes. Operators of
 * ONNX become operators of ops.h, and what is then done with the graph, compiling, running, training, is as with any
 * other. Whole numbers of all sizes and truth values are i32 in it, f16 and bf16 are f32; f64 stays.
 *
 * Fine-tuning, here of a network for pictures on 10 classes of one's own:
 *
 *     tn_onnx_options how = {.trainable = 1, .training = 1, .bare = 1, .outputs = 10};
 *     s = tn_onnx_load("resnet18.onnx", &model);
 *     if (!s) s = tn_onnx_freeze(model, "layer1, layer2");
 *     if (!s) s = tn_onnx_apply(model, &x, 1, &y, 1, &how);
 *     tn_minimize(tn_loss("cross_entropy", y, label), "sgd", (tn_optim_options){.lr = 0.01});
 *     if (!s) s = tn_compile(graph, state, NULL, &program);
 *     if (!s) s = tn_onnx_put(model, state, NULL);
 *
 * A library that was built without protobuf-c answers every call with TN_EUNSUPPORTED. A model is used by one thread at
 * a time. */
#ifndef TENON_ONNX_H
#define TENON_ONNX_H

#include "tenon/graph.h"
#include "tenon/state.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_onnx tn_onnx;

/* Reads a model; its file, and those beside it that weights lie in, stay mapped as long as it lives, and are not to be
 * written into then (a new file in their place is fine). The caller frees it, after the graphs that were built from it:
 * these use its weights where they are. TN_EFORMAT if it is damaged. */
TN_API TN_MUST_USE tn_status tn_onnx_load(const char *path, tn_onnx **model);
TN_API void tn_onnx_free(tn_onnx *model); /* NULL is fine */

/* An input or output as the file declares it. Texts live as long as the model. */
typedef struct tn_onnx_port {
    const char *name;
    const char *element;             /* the type's name in ONNX, "int64" */
    int32_t dtype;                   /* what it is in a graph; 0: it is no tensor of numbers */
    int32_t rank;                    /* -1: not said */
    int64_t dim[TN_MAX_RANK];        /* -1: not said, or */
    const char *symbol[TN_MAX_RANK]; /* the name that stands for it; else NULL */
    uint32_t needed;                 /* the last build needed its numbers, not only its shape: see tn_onnx_given */
    int64_t rows;                    /* its numbers choose among so many rows, of a table of weights; 0: they do not */
    uint64_t spare[3];
} tn_onnx_port;
/* Number `index`; returns 0 past the last. Inputs with an initializer, a default, are none of these but the others':
 * tn_onnx_build has constants of them, or weights, unless they are given. */
TN_API int tn_onnx_input_at(const tn_onnx *model, size_t index, tn_onnx_port *port);
TN_API int tn_onnx_default_at(const tn_onnx *model, size_t index, tn_onnx_port *port);
TN_API int tn_onnx_output_at(const tn_onnx *model, size_t index, tn_onnx_port *port);

/* The file's operators, each kind once, in the order of their first use; and how many numbers its weights are. */
typedef struct tn_onnx_operator {
    const char *name;
    const char *domain; /* "" for ONNX's own */
    int64_t opset;      /* of the domain */
    uint32_t count;     /* nodes */
    uint32_t is_known;  /* there is a rule for it */
    uint64_t quantised; /* nodes whose weights are whole numbers, which are no parameters */
    uint64_t spare[3];
} tn_onnx_operator;
TN_API int tn_onnx_operator_at(const tn_onnx *model, size_t index, tn_onnx_operator *op);
TN_API int64_t tn_onnx_weights(const tn_onnx *model);
/* The files beside the model's that weights lie in, which are mapped as long as it lives: number `index`; returns 0
 * past the last. The path lives as long as the model. */
TN_API int tn_onnx_file_at(tn_onnx *model, size_t index, const char **path);

/* What an input is in a graph. With `data`, dense and of the port's dtype, it is a constant: for those whose numbers
 * the shapes depend on (`needed`). */
typedef struct tn_onnx_given {
    const char *name;
    tn_shape shape;
    const void *data;
    uint64_t spare[4];
} tn_onnx_given;

/* How to build; all zero is for inference. */
typedef struct tn_onnx_options {
    uint32_t trainable; /* weights, f32 or f64, are parameters of their names, and running statistics variables; else
                           constants. What QuantizeLinear and then DequantizeLinear make of numbers has their gradient
                           where these are in range, else 0 */
    uint32_t training;  /* dropout drops, and batch normalisation goes by the batch. With `trainable` a network that was
                           quantised, weights of which are whole numbers (tn_onnx_operator.quantised), is
                           TN_EUNSUPPORTED, unless all others are frozen */
    uint32_t bare;      /* output 0 is without the softmax or sigmoid that it ends in (tn_onnx_end_of) */
    uint32_t sync_norm; /* in training, batch normalisation is over all shards of a batch (tn_across) */
    int64_t outputs;    /* the last layer has so many outputs and begins anew; 0: as in the file */
    int64_t most; /* places that NonZero and NonMaxSuppression find in what is fed, and elements or slices that Compress
                     and Unique take of it: there is room for so many, and the rest is -1, of elements and their counts
                     0. 0: they are to be known when the graph is built, and are as many as there are */
    uint64_t spare[4];
} tn_onnx_options;

/* Weights of these names in the file, or patterns as tn_freeze takes them, stay as they are in graphs that are built
 * from now on: they are no parameters, and batch normalisation whose running mean is one of them goes by its running
 * statistics in training too. NULL: none. TN_EMISSING, and no change, if a pattern names no weight. */
TN_API TN_MUST_USE tn_status tn_onnx_freeze(tn_onnx *model, const char *patterns);

/* How output 0 comes about at its end, for those who train the network on something else, or by a loss that has the
 * softmax itself. Texts live as long as the model; NULL: there is none such. */
typedef struct tn_onnx_end {
    const char *activation; /* "Softmax", "LogSoftmax" or "Sigmoid", of which nothing else is made */
    const char *weight;     /* of the last layer: a product or convolution with weights that nothing else uses */
    const char *bias;
    int64_t outputs; /* of that layer; 0: there is none such */
    uint64_t spare[4];
} tn_onnx_end;
TN_API void tn_onnx_end_of(const tn_onnx *model, tn_onnx_end *end);

/* Adds the model to the graph: inputs, outputs and variables have the file's names, as all names of a graph behind
 * those of the scopes that are open: "enc.x" (tn_scope_push). Inputs that are not given have the declared shape, and it
 * is TN_ESHAPE if that is not wholly said. Where something in the file has no rule here, all of it is found first
 * (tn_onnx_problem_at), and it is TN_EUNSUPPORTED. `options` may be NULL. */
TN_API TN_MUST_USE tn_status tn_onnx_build(tn_onnx *model, tn_graph *graph, const tn_onnx_given given[], size_t count,
                                           const tn_onnx_options *options);

/* The same as a part of a network: x[i] in place of input i, y[i] becomes output i; neither gets a name. Behind those
 * of the inputs may be some for those that have a default, in the order of tn_onnx_default_at; NULL leaves one to it.
 */
TN_API TN_MUST_USE tn_status tn_onnx_apply(tn_onnx *model, tn_tensor *const x[], size_t n_x, tn_tensor *y[], size_t n_y,
                                           const tn_onnx_options *options);

/* The weights that are variables of graphs that were built with `trainable`: number `index` by its name, dense; returns
 * 0 past the last. Numbers that do not lie in the file so, f64 as f32 among them, are made once, and live as long as
 * the model; `data` may be NULL, then none are. Those that do are seen in the file: where others may cut it meanwhile,
 * which ends a process that looks, tn_onnx_put_weight reads them. They are the first values that a state wants
 * (tn_state_put), but for those of a last layer that begins anew: these have another shape there.
 *
 * Weights are initializers of floating point, but for scalars, that layers use as such: as factors, filters, biases,
 * scales, tables of embeddings, or through what only moves numbers. Others, such as a mask or an exponent, are
 * constants, as are all in nodes `Constant`. An initializer that several things use, some by a node `Identity`, is a
 * weight of its own for each such node, under the name of its output. */
TN_API int tn_onnx_weight_at(tn_onnx *model, size_t index, const char **name, tn_shape *shape, const float **data);

/* Puts all of them into a state, where it has no variable of that name and shape yet or has one, whose value they then
 * are; one of another shape, of a last layer that begins anew, stays. Names in the file are what tn_onnx_weight_at
 * says; `scope`, or NULL, is that in which the model was built: with "enc" the file's "fc.weight" is "enc.fc.weight".
 */
TN_API TN_MUST_USE tn_status tn_onnx_put(tn_onnx *model, tn_state *state, const char *scope);

/* Puts one of them under that name, or NULL: that in the file. TN_EMISSING past the last. */
TN_API TN_MUST_USE tn_status tn_onnx_put_weight(tn_onnx *model, size_t index, tn_state *state, const char *name);

/* The network without the numbers of its weights, as letters and digits: with `trainable` it is built from that (and a
 * state) as from the file. `options` has the `outputs` that are then those of the file, and the `most` that is then
 * what options without one mean, or is NULL. What the graphs
 * that were built so far needed to know is part of it: build those that are wanted first. The text lives as long as the
 * model, or until the next call. */
TN_API TN_MUST_USE tn_status tn_onnx_text(tn_onnx *model, const tn_onnx_options *options, const char **text);
TN_API TN_MUST_USE tn_status tn_onnx_of_text(const char *text, tn_onnx **model);

/* What the last build could not do, each kind of thing once. Texts live until the next build. */
typedef struct tn_onnx_problem {
    const char *op; /* its name */
    const char *domain;
    int64_t opset;
    const char *why;   /* what of it, an attribute for instance */
    const char *node;  /* the first such node's name, or its first output's */
    const char *input; /* the input whose numbers would be needed, or NULL */
    uint32_t count;
    uint64_t spare[4];
} tn_onnx_problem;
TN_API int tn_onnx_problem_at(const tn_onnx *model, size_t index, tn_onnx_problem *problem);

#ifdef __cplusplus
}
#endif
#endif
