/* shard_graphs.h: the graphs of a training step in parts: the vector that a shard gives, and the update by the sum of
 * all shards' vectors. */
#ifndef TN_FIT_SHARD_GRAPHS_H
#define TN_FIT_SHARD_GRAPHS_H

#include "measure.h"

#define TN_SHARD     "fit.shard" /* the vector of the shard that was computed last, */
#define TN_SHARD_SUM "fit.sum.0" /* and the sum of all, which is one's own first buffer where one is alone */

/* What a vector has at its end, besides variables. A wish is a worker's, to stop. Where samples have weights, gradients
 * are of the sum of weighted losses, and the update divides by the sum of all shards' totals; else these are 0. */
enum { TN_SHARD_LOSSES, TN_SHARD_RIGHT, TN_SHARD_WEIGHT, TN_SHARD_TOTAL, TN_SHARD_WISHES, TN_SHARD_OTHERS };
enum { TN_SHARD_STEP = 32 }; /* elements from one to the next, as tn_pack lays them out */

/* A tn_batch_task whose argument is a tn_measure with options: the vector of one shard. */
tn_batch_task tn_shard_task;

/* A variable that has such a vector. */
tn_tensor *tn_shard_vector(tn_graph *graph, const char *name, tn_shape shape);

/* What the sum does, for shards of so many samples, as a graph that the caller frees. */
tn_status tn_shard_update(const tn_measure *measure, int64_t size, tn_graph **graph);

#endif
