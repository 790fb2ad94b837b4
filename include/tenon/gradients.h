/* gradients.h: checking the gradients of any graph against numbers that are computed without them.
 *
 * Each trainable variable is moved a little, element by element, and the loss is computed again, all in double
 * precision. What comes out is compared with tn_grad. */
#ifndef TENON_GRADIENTS_H
#define TENON_GRADIENTS_H

#include "tenon/graph.h"
#include "tenon/state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The value of an input: dense, row-major, of the input's type and size. */
typedef struct tn_value_of {
    const char *input;
    const void *data;
} tn_value_of;

/* Zeros mean: on the reference, with the variables' first values by seed 0, all elements. */
typedef struct tn_gradient_options {
    tn_device *device; /* which computes the gradients, and must do f64; the losses are always the reference's */
    tn_state *state;   /* values of variables, for those that it has */
    uint64_t seed;     /* of the other variables, and of random operators */
    int64_t elements;  /* tried in each variable, evenly spread; 0: all */
    uint64_t spare[4];
} tn_gradient_options;

/* How right the gradient of one variable is. */
typedef struct tn_gradient_error {
    const char *name;  /* the variable's; lives as long as the graph */
    int64_t compared;  /* elements; one where the loss has a kink, as relu has at 0, is left out */
    int64_t element;   /* the worst of them */
    double gradient;   /* there, by tn_grad */
    double difference; /* there, by central differences, extrapolated from steps of 1e-4 and 5e-5 times max(1, |x|) */
    double error; /* |gradient - difference| / max(|gradient|, |difference|, 0.001) there; a right one has < 1e-6 */
    uint64_t spare[4];
} tn_gradient_error;

/* Checks d(loss)/d(variable) for each trainable variable of the loss's graph, in the order of tn_variables: up to
 * `capacity` results are written, *count, unless NULL, is how many there are. `loss` has one element. Assignments in the graph, an
 * optimizer's too, don't count: every loss is computed with the variables' given values. Adds outputs to the graph,
 * so that a graph can be checked once. What tn_stop_gradient holds back moves with the variables: such a gradient is no
 * difference of the loss. Fails as tn_compile and tn_feed do; a wrong gradient is a result, no failure. */
TN_API TN_MUST_USE tn_status tn_check_gradients(tn_tensor *loss, const tn_value_of in[], size_t n_in,
                                                const tn_gradient_options *options, tn_gradient_error result[],
                                                size_t capacity, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
