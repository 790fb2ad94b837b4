/* expect.h: what each tensor of a graph should be, and how far a device may be off.
 *
 * The values are the interpreter's. What is allowed is measured: the graph is interpreted again with errors put in at
 * random, as large as each operator's budget permits (budget.h), and the largest distance that these make, four times,
 * is what a device is granted. So a graph that is well conditioned is held to some units in the last place, one that
 * cancels or branches on a rounded number gets what that means for it, and no more. What is computed without any
 * rounding (choices, copies, sums of small whole numbers) gets no errors: it must be right to the last bit, and what
 * jumps, such as floor or a comparison, jumps at the same place for everybody. */
#ifndef TN_ORACLE_EXPECT_H
#define TN_ORACLE_EXPECT_H

#include "interpret.h"

typedef struct tn_expected {
    const tn_graph *graph;
    tn_interpretation with;
    tn_values want;       /* by the operators' own references */
    tn_values base;       /* the same with composites by their steps, from which the trials' distances are measured */
    double **off;         /* by tensor: the largest distance in any trial; infinite: anything is right */
    unsigned char *exact; /* by tensor: computed without rounding */
    uint64_t random;
    uint32_t trials; /* so far */
    tn_region region;
} tn_expected;

/* `with` needs a leaf, a seed and a step. The graph is to live as long; it grows by what its composites are made of.
 * The caller frees the result, after a failure too. */
TN_MUST_USE tn_status tn_expect(tn_graph *graph, const tn_interpretation *with, uint64_t random, tn_expected *expected);
/* Some more trials: what is allowed can only grow. */
TN_MUST_USE tn_status tn_expect_more(tn_expected *expected, uint32_t trials);
void tn_expected_free(tn_expected *expected);

/* How far element e of x may be off, and whether `got` is right. */
double tn_expected_allowed(const tn_expected *expected, const tn_tensor *x, int64_t e);
int tn_expected_holds(const tn_expected *expected, const tn_tensor *x, int64_t e, double got);

#endif
