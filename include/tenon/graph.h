/* graph.h: saying what to compute.
 *
 * A graph is built by calling operators (ops.h) and layers (nn.h) on tensors; nothing is computed until the graph has
 * been compiled for a device (program.h). Tensors belong to their graph and are freed with it.
 *
 * Errors stick: the first mistake is kept by the graph, later calls on it do nothing and return an empty tensor that is
 * safe to pass on, and tn_graph_status or tn_compile returns the error. So model code reads as mathematics. What fails,
 * while a graph is built, compiled or run, names its node at the end of the line: "[node 12, matmul, in encoder.0.]",
 * by its number in the graph, its operator if the line does not begin with that, and its scope or its own name.
 *
 * A graph is used by one thread at a time. */
#ifndef TENON_GRAPH_H
#define TENON_GRAPH_H

#include "tenon/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 0 itself, in options of layers and optimizers where 0, as what is left out, stands for the usual value. */
#define TN_ZERO (-1e-300)

typedef struct tn_graph tn_graph;
typedef struct tn_tensor tn_tensor;

/* An empty graph, or NULL when there is no memory. The caller frees it; compiled programs do not need it any more. */
TN_API tn_graph *tn_graph_new(void);
TN_API void tn_graph_free(tn_graph *graph);

/* The graph's first error, TN_OK if none; tn_message then has its text. */
TN_API TN_MUST_USE tn_status tn_graph_status(const tn_graph *graph);

/* Marks the graph as failed, if it has not failed yet. For layers and losses that check their own arguments. */
TN_API void tn_graph_fail(tn_graph *graph, tn_status status, const char *format, ...) TN_PRINTF(3, 4);

/* What a tensor is. The shape of a tensor of a failed graph is (0). */
TN_API tn_graph *tn_graph_of(const tn_tensor *x);
TN_API tn_shape tn_shape_of(const tn_tensor *x);
TN_API int32_t tn_dtype_of(const tn_tensor *x);

/* ---- names ---- */

/* Between tn_scope_push and the tn_scope_pop that belongs to it, names of variables, inputs and outputs begin with that
 * of the scope and a '.', unless it ends in one: in "encoder" and then "0" tn_linear(x, "fc") has
 * "encoder.0.fc.weight". Errors say in which scope the node is. Scopes lie within each other, belong to the graph, as
 * the copy of `name` does, and last until they are popped: compiling a graph with an open one is an error, and so is
 * popping when none is open. Scalar inputs are left as they are, for they belong to a run as a whole. NULL leads out of
 * all scopes, until the pop: for names that are whole already. */
TN_API void tn_scope_push(tn_graph *graph, const char *name);
TN_API void tn_scope_pop(tn_graph *graph);

/* What names begin with now, as "encoder.0."; "" outside of all scopes. Valid until the graph is freed. */
TN_API const char *tn_scope_of(const tn_graph *graph);

/* ---- leaves ---- */

/* A tensor that the user fills before a run (tn_feed). Asking again for a name gives the same input; another shape or
 * type is an error. */
TN_API tn_tensor *tn_input(tn_graph *graph, const char *name, int32_t dtype, tn_shape shape);

/* The number `value` in every element, as the element type keeps it. */
TN_API tn_tensor *tn_full(tn_graph *graph, int32_t dtype, tn_shape shape, double value);

/* Numbers that are known now, dense and row-major: `data` is copied. They are brought to the device when the graph is
 * compiled, and are no part of the state. */
TN_API tn_tensor *tn_constant(tn_graph *graph, int32_t dtype, tn_shape shape, const void *data);
/* The same without a copy: `data`, aligned for its type, stays as it is until the graph is freed. For what is large and
 * lies in memory, or a mapped file, anyway. */
TN_API tn_tensor *tn_constant_at(tn_graph *graph, int32_t dtype, tn_shape shape, const void *data);

/* A number that may change at each run without compiling again (tn_set): learning rate, slope. Of rank 0. The names
 * "seed" and "step" are the state's own seed and step count, and "step:1", "step:2"... the steps of the graph's
 * optimizers; `start` values of windows are i32. Asking again for a name with another value is an error. */
TN_API tn_tensor *tn_scalar_input(tn_graph *graph, const char *name, int32_t dtype, double value);

/* How a variable's first value is made. Random kinds depend on the state's seed and the variable's name alone, so
 * they are the same on every device. `fan_in` and `fan_out` default to those of a (out, in, window...) weight. */
#define TN_INIT_ZERO          0
#define TN_INIT_CONSTANT      1 /* a */
#define TN_INIT_NORMAL        2 /* mean 0, standard deviation a */
#define TN_INIT_UNIFORM       3 /* from -a to a */
#define TN_INIT_XAVIER        4 /* uniform, a = sqrt(6 / (fan_in + fan_out)): Glorot and Bengio, 2010 */
#define TN_INIT_HE            5 /* normal, sqrt(2 / fan_in): He, Zhang, Ren and Sun, 2015 */
#define TN_INIT_LECUN         6 /* uniform, a = 1 / sqrt(fan_in): LeCun, Bottou, Orr and Müller, 1998; PyTorch's default */
#define TN_INIT_XAVIER_NORMAL 7  /* normal, sqrt(2 / (fan_in + fan_out)) */
#define TN_INIT_HE_UNIFORM    8  /* uniform, a = sqrt(6 / fan_in) */
#define TN_INIT_LECUN_NORMAL  9  /* normal, sqrt(1 / fan_in) */
#define TN_INIT_TRUNCATED     10 /* normal, standard deviation a, drawn anew where it is beyond two of these */
#define TN_INIT_ORTHOGONAL    11 /* rows, or columns if fewer, of length 1 and orthogonal: Saxe and others, 2014 */
/* First values of a variable. */
typedef struct tn_init {
    int32_t kind;
    double a; /* see there; of those by fans, and orthogonal ones, a factor; 0: 1 */
    int64_t fan_in;
    int64_t fan_out;
    int64_t zero_row; /* of the first dimension, counted from 1: its values are 0 whatever the kind; 0: none is */
} tn_init;

#define TN_TRAINABLE 1u /* optimizers update it */
#define TN_TRANSIENT 2u /* not saved in checkpoints */

/* A named tensor that lives in the state and keeps its value between runs. Asking again for a name gives the same
 * variable; another shape or type is an error. */
TN_API tn_tensor *tn_variable(tn_graph *graph, const char *name, int32_t dtype, tn_shape shape, tn_init init,
                              uint32_t flags);

/* A trainable f32 variable. */
TN_API tn_tensor *tn_param(tn_graph *graph, const char *name, tn_shape shape, tn_init init);

/* ---- sinks ---- */

/* Keeps x readable after each run under that name (tn_fetch). */
TN_API void tn_output(tn_tensor *x, const char *name);

/* At the end of a run the variable takes the value; everything else in the run sees the old one. Of a pack of variables
 * each takes its part. */
TN_API void tn_assign(tn_tensor *variable, tn_tensor *value);

/* What the variable will be at the end of a run, as far as the graph has been built: what was assigned to it, or the
 * variable. And the assignment of what was made of that, in place of the one before: for what several layers change in
 * turn, as running statistics. */
TN_API tn_tensor *tn_assigned(tn_tensor *variable);
TN_API void tn_assign_again(tn_tensor *variable, tn_tensor *value);

/* Takes an assignment back: returns the value, and the variable stays as it is; or the variable if there was none. */
TN_API tn_tensor *tn_unassign(tn_tensor *variable);

/* Makes variables stay as they are: optimizers leave them alone, their gradients are not computed, and assignments to
 * them, as of running statistics, are dropped. `patterns` are names separated by commas, in which '*' is any text and
 * '?' any character; a name up to a dot is enough: "conv*, fc1.bias". Call it after the model has been built and before
 * tn_minimize. A pattern that names no variable is an error. */
TN_API void tn_freeze(tn_graph *graph, const char *patterns);

/* ---- packs ---- */

/* Tensors of one element type side by side in a vector: the elements of each in order, from the next multiple of 32 on,
 * with zeros in between. Of variables it is a view: a state keeps them in one piece, and what is done to the pack is
 * done to all of them by one kernel; a value that is assigned to it is assigned to each by its part. So optimizers
 * treat parameters that have their rate and decay in common, their gradients and their moments. */
TN_API tn_tensor *tn_pack(tn_tensor *const part[], size_t count);

/* What part `number` of the pack is in x, a vector that is laid out as the pack, in that part's shape. */
TN_API tn_tensor *tn_unpack(tn_tensor *x, const tn_tensor *pack, size_t number);

/* The steps that the optimizer of these parameters has done before a run, an f32 scalar: one more after each, like the
 * state's step count, which then grows, too. The state keeps it with each of them (tn_state_param_step); where they
 * differ, the most counts. A parameter has one optimizer in a graph. Called by optimizers. */
TN_API tn_tensor *tn_count_steps(tn_graph *graph, tn_tensor *const param[], size_t count);

/* Says that the graph has one of several shards of a batch, before it is built: its program is in parts wherever it
 * adds up something over all of them (tn_across, tn_program_run_part). */
TN_API void tn_graph_shard(tn_graph *graph);
TN_API int tn_graph_is_shard(const tn_graph *graph);

/* ---- differentiation ---- */

/* d(loss)/d(wrt[i]) into grad[i], for a loss of one element; reverse mode, by adding operators to the graph. A tensor
 * that the loss does not depend on gets zeros. Gradients have gradients, to any order: a gradient penalty, or the
 * product of the Hessian and a vector, is the gradient of a loss that is made of gradients. That of tn_maxpool2d has
 * one for windows of up to 1024 elements; others fail with TN_EUNSUPPORTED. */
TN_API void tn_grad(tn_tensor *loss, tn_tensor *const wrt[], size_t count, tn_tensor *grad[]);

/* The graph's variables that have all of `flags`, in the order in which they were made: up to `capacity` are written;
 * returns how many there are. */
TN_API size_t tn_variables(tn_graph *graph, uint32_t flags, tn_tensor *out[], size_t capacity);
TN_API const char *tn_name_of(const tn_tensor *x);

/* ---- files ---- */

/* Writes the graph as JSON that people can read: all that it is made of, and no values of variables. The file is
 * replaced as a whole or not at all. */
TN_API TN_MUST_USE tn_status tn_graph_save(const tn_graph *graph, const char *path);

/* The graph of such a file, which the caller frees; it compiles to what the saved one does, and gives the same bits.
 * What this library does not know (an operator, an attribute, a later version) is TN_EUNSUPPORTED and named; a file
 * that contradicts itself is TN_EFORMAT, or what the operator says of such operands. *graph is untouched on failure. */
TN_API TN_MUST_USE tn_status tn_graph_load(const char *path, tn_graph **graph);

/* ---- names of earlier versions ---- */

/* What optimizers do by tn_count_steps: after a run the state's step count grows by one. */
TN_OLD("tn_count_steps") void tn_advance_step(tn_graph *graph);

#ifdef __cplusplus
}
#endif
#endif
