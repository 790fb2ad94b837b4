/* judge.h: a graph on a device, fused and unfused, against what it should give: every output and every variable, in
 * several runs, of which each but the last is fed anew.
 *
 * What an input is fed depends on its name, the seed and the run alone, so that a graph and a seed are all that it
 * takes to see a failure again. By the name's first letter: "k..." multiples of 1/2 from -2 to 2, among which many are
 * equal; "p..." numbers from 0.1 to 1; others numbers from -2 to 2. Whole numbers are from -2 to 5, of u8 from 0 to 7.
 * Scalar inputs keep their value in the first run; then those of type i32 are from -2 to 5, the others a part of that
 * value. */
#ifndef TN_ORACLE_JUDGE_H
#define TN_ORACLE_JUDGE_H

#include "build.h"
#include "tenon/program.h"

typedef struct tn_verdict {
    int wrong;
    char text[500];    /* of what is wrong: expected and got; or the library's message */
    uint64_t compared; /* elements; and how many of them could be anything */
    uint64_t free;
    double worst; /* the largest distance, in parts of what is allowed */
} tn_verdict;

/* Fails if the oracle cannot work (no memory); what the device does wrong, errors included, goes to the verdict. */
TN_MUST_USE tn_status tn_judge(tn_graph *graph, tn_device *device, uint64_t seed, tn_verdict *verdict);

/* The value of an input in a run. */
void tn_judge_feed(const tn_tensor *input, uint64_t seed, uint32_t run, double *value);

#endif
