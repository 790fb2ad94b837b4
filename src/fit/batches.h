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

/* What the task makes of a batch of `batch` samples, as a graph that the caller frees; NULL: no memory. */
tn_graph *tn_batches_graph(const tn_dataset *data, int64_t batch, int shuffled, tn_batch_task *task, const void *arg);

/* Compiles the task for batches of `batch` samples (at least 1). tn_batches_free releases it, whether this succeeded or
 * not. A data set without samples has no batches. */
tn_status tn_batches_new(tn_batches *batches, tn_state *state, const tn_dataset *data, int64_t batch, int shuffled,
                         const tn_compile_options *options, tn_batch_task *task, const void *arg);
void tn_batches_free(tn_batches *batches);

/* An input of the task's own; no error where the task does not need it. */
tn_status tn_batches_feed(tn_batches *batches, const char *input, const void *data, uint64_t bytes);

/* Another order. */
tn_status tn_batches_shuffle(tn_batches *batches, uint64_t seed, uint64_t epoch);

/* The program for the batch that begins at `start`, a multiple of `batch`, made ready to run; NULL past the last. */
tn_status tn_batches_at(tn_batches *batches, int64_t start, tn_program **program);

#endif
