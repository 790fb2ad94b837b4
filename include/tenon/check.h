/* check.h: the conformance kit: puts a device, or a backend's file, through everything that backend.h asks for.
 *
 * Each case runs in a process of its own with a time limit, so that a crash or a hang is a result and not the end. The
 * measure is the double-precision reference; how far a result may be off stands with the operator and is the same for
 * every backend. Call it before any device was opened: a driver's threads do not survive a fork. */
#ifndef TENON_CHECK_H
#define TENON_CHECK_H

#include "tenon/program.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TN_CHECK_PASSED      0
#define TN_CHECK_FAILED      1 /* wrong, crashed, out of time, or it checked nothing */
#define TN_CHECK_UNSUPPORTED 2 /* declared by the backend: no failure */
#define TN_CHECK_LISTED      3 /* not run: only its name was asked for */

/* What is tried, and how. */
typedef struct tn_check_options {
    const char *only;  /* cases whose name "group/case" has one of these in it, or fits it: "abi/,q*"; NULL: all */
    const char *chat;  /* lines with this text that a case's process prints are not held against it; NULL: none */
    uint64_t seed;     /* of the random numbers in each case */
    double time_limit; /* seconds of processor time for each case; 0: 120 */
    uint32_t list;     /* names alone */
    uint32_t perf;     /* measures speed instead of correctness */
    uint64_t first;    /* the number of the first random program of the group graphs, */
    uint64_t cases;    /* and how many there are (0: 200); at most as many of each operator's cases (0: all), spread over
                          their list, and others with another seed */
    uint64_t spare[4];
} tn_check_options;

/* What became of one case. Texts live until the callback returns. */
typedef struct tn_check_row {
    const char *name;   /* "group/case" */
    const char *doc;    /* what the case asks for, or NULL */
    const char *op;     /* of a case of one operator, else NULL */
    const char *detail; /* of a failure: what was expected and found; else a remark or "" */
    int32_t outcome;    /* TN_CHECK_ */
    int32_t dtype;      /* with op */
    uint32_t backward;  /* with op: its gradient */
    uint32_t checks;    /* things that were compared */
    uint32_t refused;   /* operations that the backend declared unsupported */
    double worst;       /* the largest error, in parts of what is allowed */
    double seconds;
    const char *source; /* of a random program that failed: the smallest one found that fails, as C; else NULL */
    uint64_t spare[4];
} tn_check_row;

/* What was checked: the backend and the device. */
typedef struct tn_check_target {
    char device[96], name[128], driver[128], backend[32], version[64];
    uint64_t spare[4];
} tn_check_target;

/* Checks a device by its name, or a backend's file if `target` contains a '/' (its first device). Calls `row` with each
 * case's result. Fails if there is no such device or file, not because a case failed. `about` may be NULL. */
TN_API TN_MUST_USE tn_status tn_check(const char *target, const tn_check_options *options, tn_check_target *about,
                                      void (*row)(void *arg, const tn_check_row *row), void *arg);

/* ---- a network of one's own ---- */

/* One operator of a graph, or all of them together. Texts live until the callback returns. */
typedef struct tn_check_operator {
    const char *name;   /* of the operator */
    const char *repeat; /* what it takes to see it again: types and shapes of operands and result, and the seed */
    const char *detail; /* of a failure: what was expected and found; else "" */
    int32_t outcome;    /* TN_CHECK_PASSED or TN_CHECK_FAILED */
    double worst;       /* the largest error, in parts of what is allowed */
    uint64_t spare[4];
} tn_check_operator;

/* Tries each operator of a graph, backward ones too if there are gradients, on the state's device: each alone on the
 * values that an interpreter in double precision has for it, in the order of the graph and equal ones once, then the
 * whole graph as it is compiled for use. Variables must be in the state, whose seed is also that of the inputs: numbers
 * from 0.1 to 1 if their name begins with "p", else from -2 to 2; whole numbers from -2 to 5. Calls `row` with each
 * result, the first wrong operator first. A result that should be NaN throughout is a failure: nothing was compared.
 * Fails if the graph is broken, a variable has a NaN, or there is no memory. */
TN_API TN_MUST_USE tn_status tn_check_graph(tn_graph *graph, tn_state *state,
                                            void (*row)(void *arg, const tn_check_operator *row), void *arg);

/* ---- a communicator ---- */

/* What became of one case. Texts live until the callback returns. */
typedef struct tn_check_exchange {
    const char *name, *doc; /* what the case is about, and what it asks for */
    uint32_t ranks;         /* that took part */
    int32_t outcome;        /* TN_CHECK_; UNSUPPORTED: it is not between threads, and is to be tried by its launcher */
    const char *detail;     /* of a failure; else "" */
    uint64_t spare[4];
} tn_check_exchange;

/* Puts a communicator, by its name or its file's path, through what teams ask of it: between 1 to 4 threads, each case
 * in a process of its own; or, in a process that a launcher started (mpirun), between all of its ranks, each of which
 * calls it: rank 0 gets what passed, each what it found wrong. Fails if it can't be loaded, not because a case failed.
 */
TN_API TN_MUST_USE tn_status tn_check_communicator(const char *name,
                                                   void (*row)(void *arg, const tn_check_exchange *row), void *arg);

#ifdef __cplusplus
}
#endif
#endif
