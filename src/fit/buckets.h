/* buckets.h: the exchange of a step's sums while its last shard is computed. The shards' vector is cut into buckets. As
 * the backward pass makes one after another final, a thread brings it to host memory, adds it to what is left of this
 * worker's other shards, has the team add it up over all workers, and writes the sum back to the device. The calling
 * thread enqueues meanwhile, and waits at the end of the step for what is not there yet. Where the device computes in
 * the calling thread (tenon.here/1), that does it all.
 *
 * All workers have the same buckets in the same order, that in which rank 0's backward pass finishes them. */
#ifndef TN_FIT_BUCKETS_H
#define TN_FIT_BUCKETS_H

#include "sum.h"
#include "tenon/fit.h"
#include "trace.h"
#include "tree.h"

typedef struct tn_buckets tn_buckets;

/* What stays as it is for all steps, and longer than the buckets. */
typedef struct tn_buckets_options {
    tn_state *state;
    tn_team *team;
    const char *vector;       /* the tensor that a shard's program assigns, and nothing else, */
    const char *sum;          /* and the one that gets the sum over all shards */
    tn_program *whole, *last; /* the programs of shards, which are whole ones, or an epoch's last; or NULL */
    int32_t dtype;            /* of the vector: TN_F32 or TN_F64 */
    uint64_t count;           /* its elements */
    uint64_t bytes;           /* of a bucket; 0: 512 KiB. No vector is cut into more than 4096 */
    tn_trace *trace;          /* or NULL */
    void *const *node;        /* host memory for vectors: those of a step's nodes, */
    void *made, *total;       /* the last shard's, and the sum */
    int adopts;               /* the latter two, at multiples of 4096 bytes and all zeros, become the tensors' own
                                 memory, and no node's: the device can compute there, and nothing is copied */
} tn_buckets_options;

/* A step, as this worker sees it. Its parts are the nodes of the tree that are left of its shards but the last one, and
 * the last one itself. */
typedef struct tn_bucket_step {
    tn_shard_sum *sum;
    const char *const *node; /* the tensors that the nodes are in */
    uint32_t nodes;          /* how many these are */
    uint32_t adds;           /* additions, each to the part before, that the last shard completes */
    uint32_t part;           /* of the last shard's program that is left to run, up to its end; 0: all of it */
} tn_bucket_step;

/* All workers of the team, after they have met. tn_buckets_close, NULL is fine, ends the thread: either nothing is
 * under way, or the team has failed. */
TN_MUST_USE tn_status tn_buckets_open(const tn_buckets_options *options, tn_buckets **buckets);
void tn_buckets_close(tn_buckets *buckets);

/* Runs the program of this worker's last shard (NULL: it has none in this step), and returns when the sum over all
 * shards is in its tensor, and in `total`. */
TN_MUST_USE tn_status tn_buckets_run(tn_buckets *buckets, const tn_bucket_step *step, tn_program *program);

/* What was exchanged so far. */
tn_exchange tn_buckets_exchange(const tn_buckets *buckets);

#endif
