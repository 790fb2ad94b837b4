/* interpret.h: the values of a graph as its builder made it: each tensor in turn by its operator's own `reference`, in
 * double precision, and nothing else. No pass of the compiler has seen the graph, no device runs anything: what a
 * compiled program gives is judged by this.
 *
 * Whole numbers are wrapped and f16 and bf16 are rounded where they are stored; f32 is not rounded. */
#ifndef TN_ORACLE_INTERPRET_H
#define TN_ORACLE_INTERPRET_H

#include "build.h"

/* What a run is given. */
typedef struct tn_interpretation {
    /* Fills the value of an input, a variable or a scalar input, dense and row-major. */
    tn_status (*leaf)(void *arg, const tn_tensor *x, double *value);
    /* Unless NULL: may change operand i of y before y is computed, and y's value afterwards. */
    void (*operand)(void *arg, const tn_tensor *y, uint32_t i, double *value);
    void (*result)(void *arg, const tn_tensor *y, double *value);
    void *arg;
    uint64_t seed, step; /* of random numbers */
    uint32_t by_steps;   /* composites that were lowered (tn_tensor's `lowered`) by what they are made of */
} tn_interpretation;

/* The value of each tensor, by its number. */
typedef struct tn_values {
    double **value;
    tn_region region;
} tn_values;

/* The caller frees the values, of a failed call too. */
TN_MUST_USE tn_status tn_interpret(const tn_graph *graph, const tn_interpretation *with, tn_values *values);
void tn_values_free(tn_values *values);

/* One tensor of a graph from its operands' values, to `value`. */
TN_MUST_USE tn_status tn_interpret_one(const tn_tensor *y, const tn_interpretation *with, const double *const in[],
                                       double *value);

/* y as an operation (all zeros before) on dense operands, as it meets a backend where it is a kernel. */
void tn_describe(const tn_tensor *y, tn_operation *operation);

#endif
