/* tree.h: the order in which the gradients of S shards are added, whoever holds them.
 *
 * Of the shards begin .. end - 1 there is nothing to add if it is one; else the sum is that of the first p and that of
 * the rest, where p is the largest power of two smaller than their number. So the sum of all S is a fixed binary tree,
 * and its bits do not depend on how the shards are dealt out. A worker holds a block of neighbours, and adds up what
 * lies wholly within it: at most 2 log2 S nodes of the tree are left, which meet those of others.
 *
 * The order is data: tn_tree_push says how many additions follow when the next shard (or a node that somebody else
 * added up) is there. Sums are kept in numbered buffers as on a stack, so that host and device can follow the same
 * order. Pure; no memory of its own. */
#ifndef TN_COMM_TREE_H
#define TN_COMM_TREE_H

#include <stdint.h>

#define TN_TREE_DEPTH 64 /* buffers that are ever needed at once, of fewer than 2^31 shards */

/* Shards begin .. end - 1. */
typedef struct tn_shards {
    uint32_t begin, end;
} tn_shards;

/* What is added up so far: buffer i has the sum of node[i]. Begin with the number of shards and no node. */
typedef struct tn_tree {
    uint32_t shards;
    uint32_t count;
    tn_shards node[TN_TREE_DEPTH];
} tn_tree;

/* The next shard or node, whose sum the caller put into buffer tree->count. Returns how many additions are to follow:
 * add buffer count - 1 to buffer count - 2, count one less, and again; tree->count is then what is left. */
uint32_t tn_tree_push(tn_tree *tree, tn_shards node);

/* The nodes that are left of a block of shards. Returns their number. */
uint32_t tn_tree_nodes(uint32_t shards, tn_shards block, tn_shards node[TN_TREE_DEPTH]);

/* Deals shards out to workers in proportion to their weights (speeds), none of which is negative: worker i gets
 * first[i] .. first[i + 1] - 1. `first` has workers + 1 places. The same on every machine for the same weights. */
void tn_tree_deal(uint32_t shards, uint32_t workers, const double weight[], uint32_t first[]);

#endif
