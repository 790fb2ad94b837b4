/* tuner.h: what tunes operators: trials of one (trial.c), and the search among its candidates (search.c). */
#ifndef TN_TUNE_TUNER_H
#define TN_TUNE_TUNER_H

#include "op.h"
#include "tenon/tune.h"
#include "tuned.h"

/* An operator with random operands on a device, and what the reference makes of them. Of a large one the reference
 * computes a part: some batches, rows, pictures or filters, the first and the last among them. */
typedef struct tn_trial tn_trial;

enum { TN_TRIAL_RIGHT, TN_TRIAL_WRONG, TN_TRIAL_FAILED };

/* What a candidate came to. */
typedef struct tn_outcome {
    int32_t verdict;
    double error;              /* the largest, in parts of what is allowed */
    double seconds;            /* of a run, the least that was seen */
    double spent;              /* seconds of the trial without what it takes to prepare the operator */
    char text[TN_TUNE_CHOICE]; /* what the kernel says that it is */
    char why[200];             /* of one that failed */
    tn_status status;          /* and by which the backend said so */
} tn_outcome;

/* Fails where the device has no memory for it, or the reference can't do it. Free it before the device is closed. */
TN_MUST_USE tn_status tn_trial_new(const tn_device *device, const tn_op_desc *desc, tn_trial **trial);
void tn_trial_free(tn_trial *trial);
/* From then on, by the host's clock, what takes long is measured by one run. */
void tn_trial_hurry(tn_trial *trial, double from);

/* Prepares the operator by a candidate (NULL: as the backend would), runs it, compares, and, if it is right, measures
 * it; the longest measurement ends when it can't become less than `enough` seconds. What fails in the device is the
 * candidate's outcome; a failure of this function is the library's own: memory. */
TN_MUST_USE tn_status tn_trial_run(tn_trial *trial, const char *choice, double enough, int measures,
                                   tn_outcome *outcome);

/* Somebody else's choice for an operator, if the table has one: if it is right here, it is chosen (elsewhere.c). */
TN_MUST_USE tn_status tn_tune_given(tn_device *device, const tn_op_desc *desc, const char *key);

/* Tunes the operators described, `count` of them, of which each does so many operations. For tn_program_tune, and for
 * programs while they are compiled: `seconds` < 0: only what was taken from elsewhere is compared. */
TN_MUST_USE tn_status tn_tune_operators(tn_device *device, const tn_op_desc *const desc[], const double flops[],
                                        uint32_t count, const tn_tune_options *options);

#endif
