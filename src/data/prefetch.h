/* prefetch.h: batches of a data set, brought together by threads ahead of the one that takes them. What is in a batch
 * depends on the order of the samples alone, never on the threads. One thread makes, begins, takes and frees. */
#ifndef TN_DATA_PREFETCH_H
#define TN_DATA_PREFETCH_H

#include "course.h"
#include "tenon/data.h"

typedef struct tn_prefetch tn_prefetch;

/* Samples side by side, and what belongs to them. */
typedef struct tn_batch {
    int64_t start, count;
    void *x, *target;
} tn_batch;

/* How it went so far. */
typedef struct tn_prefetch_report {
    uint32_t threads;
    double waited;  /* seconds that tn_prefetch_next waited */
    uint64_t begun; /* times that it began */
} tn_prefetch_report;

/* Where batches are kept: `take` gives zeroed memory that is its giver's and stays until the prefetch is freed; NULL:
 * there is none. */
typedef struct tn_prefetch_room {
    void *(*take)(void *arg, uint64_t bytes);
    void *arg;
} tn_prefetch_room;

/* Batches of `batch` samples; the last one of the data may be smaller. A batch stays as it is until `held` more were
 * taken. `targets`: with what belongs to the samples, if anything does. `threads`: 0 is one for samples in memory, else
 * one for each processor. `room` NULL: memory of its own. The data has to stay. */
TN_MUST_USE tn_status tn_prefetch_new(const tn_dataset *data, int64_t batch, int targets, uint32_t held,
                                      uint32_t threads, const tn_prefetch_room *room, tn_prefetch **prefetch);
void tn_prefetch_free(tn_prefetch *prefetch); /* NULL is fine */

/* Reads no more, until it begins again. All batches so far are given back. */
void tn_prefetch_stop(tn_prefetch *prefetch);

/* Stops, and goes on with the batch of the course (NULL: all of them) that is taken after `first` others. The order
 * (NULL: as the samples lie) stays as it is until the next stop. */
void tn_prefetch_begin(tn_prefetch *prefetch, const int32_t *order, const tn_course *course, int64_t first);

/* The next batch; fails if one of its samples cannot be read, as the first of them does. There must be one. */
TN_MUST_USE tn_status tn_prefetch_next(tn_prefetch *prefetch, tn_batch *batch);

void tn_prefetch_get_report(const tn_prefetch *prefetch, tn_prefetch_report *report);

#endif
