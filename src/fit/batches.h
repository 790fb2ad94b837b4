/* batches.h: a data set on the device, and programs that go through it batch by batch. */
#ifndef TN_FIT_BATCHES_H
#define TN_FIT_BATCHES_H

#include "tenon/fit.h"
#include "tenon/program.h"

/* What is done with each batch. `target` is NULL where the data has none. */
typedef void tn_batch_task(const void *arg, tn_tensor *x, tn_tensor *target);

typedef struct tn_batches {
    const tn_dataset *data;
    int64_t batch;     /* of the whole ones */
    int64_t rest;      /* samples of the smaller last batch, or 0 */
    tn_program *whole; /* its input is all the data, unless `batch` is all of it anyway */
    tn_program *last;  /* its input is the last batch; NULL if there is none */
    int32_t *order;    /* of the samples, NULL if they are not shuffled */
} tn_batches;

/* Compiles the task for batches of `batch` samples (at least 1). tn_batches_free releases it, whether this succeeded or
 * not. A data set without samples has no batches. */
tn_status tn_batches_new(tn_batches *batches, tn_state *state, const tn_dataset *data, int64_t batch, int shuffled,
                         tn_batch_task *task, const void *arg);
void tn_batches_free(tn_batches *batches);

/* Another order. */
tn_status tn_batches_shuffle(tn_batches *batches, uint64_t seed, uint64_t epoch);

/* The program for the batch that begins at `start`, a multiple of `batch`, made ready to run; NULL past the last. */
tn_status tn_batches_at(tn_batches *batches, int64_t start, tn_program **program);

#endif
