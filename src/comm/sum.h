/* sum.h: the sum of a vector over S shards that many workers hold, with the same bits for any number of workers.
 *
 * Each worker adds up what it can by itself (tree.h), and has some nodes of the tree left; the vectors of those meet
 * those of the others here. A range is cut into pieces, one for each rank, which receives everybody's nodes of its
 * piece, adds them in the tree's order, and sends the sum to all. Each rank sends and receives about
 * (own nodes + others' nodes / ranks + 1) times the range: where each holds one node, 2 (ranks - 1) / ranks of it each
 * way, the least that there can be. Where all have memory in common (share.h), nothing is sent: each adds its piece of
 * the nodes where they lie. */
#ifndef TN_COMM_SUM_H
#define TN_COMM_SUM_H

#include "share.h"
#include "team.h"
#include "tree.h"

typedef struct tn_shard_sum tn_shard_sum;

typedef struct tn_shard_sum_options {
    int32_t dtype; /* TN_F32 or TN_F64 */
    uint32_t shards;
    uint64_t count;        /* elements of the vector */
    const uint32_t *first; /* size + 1 numbers: rank r holds the shards first[r] .. first[r + 1] - 1, perhaps none */
    void *const *node; /* for each node that is left of this rank's block (tn_tree_nodes), its vector, in host memory,
                          which stays as it is if it is not the total, too */
    void *total;       /* the sum: a vector of its own, or that of one of the nodes */
    uint64_t piece;    /* elements of a rank's piece that go at once; 0: 524288 */
    tn_share *share;   /* where the nodes are, in this rank's parts (see below), and the total is its total; NULL: they
                          are sent */
} tn_shard_sum_options;

/* In a share: which of its rank's parts a node is, the one of that number of those that are left of the rank's block.
 * The block's last shard, if it is one, is part 0, whatever else is left; the others are the parts from 1 on. And how
 * many parts a rank needs for that. */
uint32_t tn_shard_sum_part(const uint32_t *first, uint32_t rank, tn_shards node, uint32_t number);
uint32_t tn_shard_sum_parts(uint32_t shards, const uint32_t *first, uint32_t ranks);

/* All ranks open with the same numbers, or all are refused (what was measured, as speeds, comes from one of them). The
 * vectors belong to the caller, and live as long as the sum. */
TN_MUST_USE tn_status tn_shard_sum_open(tn_team *team, const tn_shard_sum_options *options, tn_shard_sum **sum);

/* Elements begin .. end - 1 of this rank's nodes are final: begins to add them up, and comes back. After the wait for
 * the ticket `total` has their sum there, and that of what was started before; until then nobody touches them, in any
 * of the vectors. All ranks start the same ranges in the same order, each element once; a range that is started again
 * is added up again. One thread at a time; of the sums in one share, one has ranges under way. */
TN_MUST_USE tn_status tn_shard_sum_start(tn_shard_sum *sum, uint64_t begin, uint64_t end, uint64_t *ticket);
TN_MUST_USE tn_status tn_shard_sum_wait(tn_shard_sum *sum, uint64_t ticket);

/* When nothing of it is under way: all was waited for, or the team is closed. NULL is fine. */
void tn_shard_sum_close(tn_shard_sum *sum);

#endif
