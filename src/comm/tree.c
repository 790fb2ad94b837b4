/* tree.c: see tree.h. */
#include "tree.h"

/* Whether two neighbouring nodes are the two halves of one: it begins at a multiple of its width, a power of two, and
 * is as wide, or cut off where the shards end. */
static int are_siblings(uint32_t shards, tn_shards a, tn_shards b)
{
    uint64_t width = 1, both = b.end - a.begin;
    while (width < both) width *= 2;
    return a.begin % width == 0 && (both == width || b.end == shards);
}

uint32_t tn_tree_push(tn_tree *tree, tn_shards node)
{
    uint32_t before = tree->count++;
    tree->node[before] = node;
    while (tree->count > 1) {
        tn_shards *a = &tree->node[tree->count - 2];
        if (!are_siblings(tree->shards, a[0], a[1])) break;
        a->end = a[1].end;
        tree->count--;
    }
    return before + 1 - tree->count;
}

uint32_t tn_tree_nodes(uint32_t shards, tn_shards block, tn_shards node[TN_TREE_DEPTH])
{
    tn_tree tree = {.shards = shards};
    for (uint32_t s = block.begin; s < block.end; s++) tn_tree_push(&tree, (tn_shards){s, s + 1});
    for (uint32_t i = 0; i < tree.count; i++) node[i] = tree.node[i];
    return tree.count;
}

/* Each bound is where it would be exactly, rounded. */
void tn_tree_deal(uint32_t shards, uint32_t workers, const double weight[], uint32_t first[])
{
    double all = 0, before = 0;
    for (uint32_t i = 0; i < workers; i++) all += weight[i];
    for (uint32_t i = 0; i < workers; i++) {
        first[i] = (uint32_t)(all > 0 ? before / all * shards + 0.5 : (double)shards * i / workers + 0.5);
        before += weight[i];
    }
    first[workers] = shards;
}
