/* shards.h: a training step in parts. A batch is cut into shards; the gradients of each are computed alone, and added
 * up in the order of a fixed tree (comm/tree.h), whoever computes which. One update follows.
 *
 * Besides gradients the sum has what else a shard assigns, such as the running statistics of batch normalisation, of
 * which the mean over the samples is kept, and its loss and right answers. Random numbers are a shard's own. Shards are
 * computed one after another, unless they have to know of one another (crossings.h). */
#ifndef TN_FIT_SHARDS_H
#define TN_FIT_SHARDS_H

#include "buckets.h"
#include "crossings.h"
#include "deal.h"
#include "measure.h"
#include "sum.h"
#include "trace.h"
#include "tree.h"

/* How the shards of a batch are dealt out, and the sum of what all workers have. */
typedef struct tn_deal {
    uint32_t shards;            /* 0: there is no such batch */
    uint32_t *first;            /* rank r has first[r] .. first[r + 1] - 1, */
    tn_shards own;              /* and this worker these */
    tn_shard_sum *sum, *across; /* of vectors, and of what crosses; NULL: there is one worker, or nothing crosses */
    uint32_t nodes, adds; /* of several: what is left of its own shards but the last, and the additions which that one
                             completes */
} tn_deal;

typedef struct tn_sharding {
    tn_state *state;
    const tn_model *model;
    tn_batches *batches; /* of shards */
    tn_team *team;
    tn_trace *trace;   /* or NULL */
    tn_worker *worker; /* all of them, once they have joined */
    tn_crossings crossings;
    tn_deal whole, last;              /* batches, and the last of an epoch if it is smaller */
    tn_buckets *buckets;              /* NULL: there is one worker */
    void *node[TN_TREE_DEPTH];        /* in the host's memory: what is left of this worker's shards but the last, */
    void *made, *total;               /* the last one, and all of it; */
    tn_share *share;                  /* in memory that all workers have in common; NULL: there is none */
    char name[TN_TREE_DEPTH][16];     /* of buffers, */
    const char *names[TN_TREE_DEPTH]; /* and where they are */
    uint64_t count, bytes;            /* elements of a vector, and their size */
    int32_t dtype;
    uint64_t bucket;                  /* bytes that are exchanged at once; 0: the usual */
    int adopts;                       /* the device computes where the workers add up: with the last two */
    int wishes;                       /* of this worker: */
    int asked;                        /* and of all in the last step; */
    int diverged;                     /* whose loss is not finite, where all workers see it: in what they share */
    tn_program *update;               /* by the sum in buffer 0 */
    tn_program *put[TN_TREE_DEPTH];   /* the shard's vector becomes buffer i, */
    tn_program *merge[TN_TREE_DEPTH]; /* or is added to it; */
    tn_program *add[TN_TREE_DEPTH];   /* and buffer i + 1 is added to buffer i */
} tn_sharding;

/* Compiles the update that follows the programs of `batches`, which were made by tn_shard_task, for batches of so many
 * shards. tn_sharding_close releases it, whether this succeeded or not. */
tn_status tn_sharding_open(tn_sharding *sharding, tn_state *state, const tn_measure *measure, tn_batches *batches,
                           uint32_t shards);
/* All workers of the team, before the first step, when the batches have an order: deals the shards out, as deal.h
 * says, and compiles what adds this worker's up. */
tn_status tn_sharding_join(tn_sharding *sharding, const uint32_t *weights);
void tn_sharding_close(tn_sharding *sharding);

/* Lets go of the team, which has failed or is idle, and which is closed before the sharding then. */
void tn_sharding_leave(tn_sharding *sharding);

/* A step on `count` samples from `start` on, which begin a batch. */
tn_status tn_sharding_step(tn_sharding *sharding, int64_t start, int64_t count);

#endif
