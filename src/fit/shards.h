/* shards.h: a training step in parts. A batch is cut into shards; the gradients of each are computed alone, and added
 * up in the order of a fixed tree (comm/tree.h), whoever computes which. One update follows.
 *
 * Besides gradients the sum has what else a shard assigns, such as the running statistics of batch normalisation, of
 * which the mean over the samples is kept, and its loss and right answers. Random numbers are a shard's own. */
#ifndef TN_FIT_SHARDS_H
#define TN_FIT_SHARDS_H

#include "measure.h"
#include "tree.h"

typedef struct tn_sharding {
    tn_state *state;
    tn_batches *batches;              /* of shards */
    tn_program *update;               /* by the sum in buffer 0 */
    tn_program *put[TN_TREE_DEPTH];   /* the shard's vector becomes buffer i, */
    tn_program *merge[TN_TREE_DEPTH]; /* or is added to it; */
    tn_program *add[TN_TREE_DEPTH];   /* and buffer i + 1 is added to buffer i */
} tn_sharding;

/* A tn_batch_task whose argument is a tn_measure with options: the vector of one shard. */
tn_batch_task tn_shard_task;

/* Compiles what follows the programs of `batches`, which were made by that task, for up to so many shards.
 * tn_sharding_close releases it, whether this succeeded or not. */
tn_status tn_sharding_open(tn_sharding *sharding, tn_state *state, const tn_measure *measure, tn_batches *batches,
                           uint32_t shards);
void tn_sharding_close(tn_sharding *sharding);

/* A step on `count` samples from `start` on, which begin a batch. */
tn_status tn_sharding_step(tn_sharding *sharding, int64_t start, int64_t count);

#endif
