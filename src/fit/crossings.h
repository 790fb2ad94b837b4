/* crossings.h: what the shards of a batch have to know of one another in the middle of a step: sums over all of them
 * (tn_across), as batch normalisation over the whole batch needs. All shards of a worker are under way at once then,
 * each in a lane of its program; at every crossing what they have is added up in the order of the tree, with that of
 * the other workers' shards, and the sum goes to all. */
#ifndef TN_FIT_CROSSINGS_H
#define TN_FIT_CROSSINGS_H

#include "batches.h"
#include "sum.h"
#include "tree.h"

/* A shard that is under way. */
typedef struct tn_flight {
    tn_program *program;
    uint32_t lane;
} tn_flight;

typedef struct tn_crossings {
    tn_program *whole; /* of all shards but a smaller last one: it has the lanes */
    uint32_t points;   /* 0: nothing crosses */
    uint64_t *begin;   /* elements: those of point i are begin[i] .. begin[i + 1] - 1 of a step's vector */
    tn_flight *flight; /* this worker's shards, in their order */
    uint32_t room;     /* for so many of them */
    void *node[TN_TREE_DEPTH], *total; /* in the host's memory: sums of this worker's shards, and of all */
    int32_t dtype;
    uint64_t bytes; /* of an element */
} tn_crossings;

/* For programs of shards of that element type. tn_crossings_close releases it, whether this succeeded or not: the
 * vectors as tn_team_release does. */
tn_status tn_crossings_open(tn_crossings *crossings, const tn_batches *batches, int32_t dtype);
void tn_crossings_close(tn_crossings *crossings, tn_team *team);

/* That all workers' shards meet at the same points; refused with what differs, if not. */
tn_status tn_crossings_agree(const tn_crossings *crossings, tn_team *team);

/* Room for so many shards of this worker at once. */
tn_status tn_crossings_make_room(tn_crossings *crossings, uint32_t shards);

/* The sum over all workers, rank r having the shards first[r] .. first[r + 1] - 1 of so many; all workers together. */
tn_status tn_crossings_join(tn_crossings *crossings, tn_team *team, uint32_t shards, const uint32_t first[],
                            tn_shard_sum **sum);

/* What is said to a program next is about the i-th of the worker's shards. Then its run, up to where it meets the
 * others, for all of them in their order. */
tn_status tn_crossings_choose(tn_crossings *crossings, uint32_t i);
tn_status tn_crossings_begin(tn_crossings *crossings, uint32_t i, tn_program *program);
/* Brings all that were begun to their last part, number `points`; `sum` is NULL for a worker alone. */
tn_status tn_crossings_meet(tn_crossings *crossings, uint32_t shards, tn_shards own, tn_shard_sum *sum);
/* What is said next is about the i-th again; its program. */
tn_status tn_crossings_return(tn_crossings *crossings, uint32_t i, tn_program **program);

#endif
