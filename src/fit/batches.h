/* batches.h: programs that go through a data set batch by batch. The samples are all on the device; or they are fed to
 * it: threads bring the next batches together, and they are uploaded, while the device computes. */
#ifndef TN_FIT_BATCHES_H
#define TN_FIT_BATCHES_H

#include "prefetch.h"
#include "staging.h"
#include "tenon/fit.h"
#include "tenon/program.h"

/* What is done with each batch. `target` and `weight`, (batch), are NULL where the data has none. */
typedef void tn_batch_task(const void *arg, tn_tensor *x, tn_tensor *target, tn_tensor *weight);

/* What a batch is uploaded in: samples, targets, weights. An upload may still read the two batches before the last. */
enum { TN_BATCH_PARTS = 3, TN_BATCH_HELD = 3 };

typedef struct tn_batches {
    const tn_dataset *data;
    tn_state *state;
    const tn_model *model;
    int64_t batch;         /* of the whole ones */
    int64_t rest;          /* samples of the smaller last batch, or 0 */
    tn_program *whole;     /* its input is all the data, unless `batch` is all of it anyway; or `turns`, if fed */
    tn_program *last;      /* its input is the last batch; NULL if there is none */
    int32_t *order;        /* of the samples, NULL if they are not shuffled */
    float *weight;         /* of the samples in that order; NULL: as the data has them, or none */
    tn_prefetch *prefetch; /* NULL: nothing is fed */
    tn_upload *upload;     /* NULL: neither that, nor the last batch alone */
    tn_staging *staging;   /* what it reads is there: */
    void *own[TN_BATCH_HELD][TN_BATCH_PARTS];                 /* parts that are not as they were read, by turns; */
    void *rest_x[TN_BATCH_HELD], *rest_target[TN_BATCH_HELD]; /* and the last batch, where it alone is fed */
    uint64_t uploads;                                         /* turns so far */
    tn_course course;                                         /* of those that are asked for, if they are fed */
    int64_t next;        /* how many of it come before the one that was read ahead for; -1: none was */
    int64_t turns, turn; /* batches in the input, if they are fed; and which of them is the next */
} tn_batches;

/* What the task makes of a batch of `batch` samples, as a graph that the caller frees; NULL: no memory. */
tn_graph *tn_batches_graph(const tn_dataset *data, int64_t batch, int shuffled, tn_batch_task *task, const void *arg);

typedef struct tn_batch_options {
    int64_t batch; /* samples, at least 1 */
    int shuffled;
    int fed;           /* or else brought to the device */
    uint32_t together; /* runs that are under way at once, where the task's programs are in parts (tn_across) */
} tn_batch_options;

/* Compiles the task for such batches. tn_batches_free releases it, whether this succeeded or not. A data set without
 * samples has no batches. */
tn_status tn_batches_new(tn_batches *batches, tn_state *state, const tn_model *model, const tn_dataset *data,
                         const tn_batch_options *options, tn_batch_task *task, const void *arg);
void tn_batches_free(tn_batches *batches);

/* The bytes of a data set on a device; 0 for NULL. */
uint64_t tn_batches_bytes(const tn_dataset *data);

/* Whether data sets of so many bytes are to be fed, by what the model says. And whether they may be, after they could
 * not be brought to the device. */
int tn_batches_are_fed(const tn_model *model, uint64_t bytes);
int tn_batches_may_be_fed(const tn_model *model, tn_status status, int fed);

/* An input of the task's own, of that type; no error where the task does not need it. */
tn_status tn_batches_feed(tn_batches *batches, const char *input, int32_t dtype, const void *data, uint64_t bytes);

/* Another order. */
tn_status tn_batches_shuffle(tn_batches *batches, uint64_t seed, uint64_t epoch);

/* Which batches are going to be asked for, in which order: these are read ahead. All of them, unless it is said. */
void tn_batches_follow(tn_batches *batches, const tn_course *course);

/* The program for the batch that begins at `start`, a multiple of `batch`, made ready to run once; NULL past the last.
 */
tn_status tn_batches_at(tn_batches *batches, int64_t start, tn_program **program);

/* Waits for what was fed: whether it came to the device. */
tn_status tn_batches_wait(tn_batches *batches);

#endif
