/* settle.c: what is copied to its place in a pack is made there, where it can be: then the copy goes. */
#include "ir.h"

/* 1 if a temporary of the first place may be anywhere: stored by itself, for nobody outside. Two parameters may have
 * one gradient: the second gets a copy. */
static int is_free(const tn_value *root, const tn_value *place)
{
    return root->home == TN_IN_ARENA && !root->place && !root->kept && !root->lasts && root->bytes == place->bytes;
}

static int settles(const tn_launch *l)
{
    if (!l->packs || l->place) return 0;
    tn_value *root = tn_value_root(l->in[0]);
    if (!is_free(root, l->out[0])) return 0;
    root->base = l->out[0];
    return 1;
}

void tn_settle(tn_ir *ir)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ir->launches; i++)
        if (!settles(ir->launch[i])) ir->launch[kept++] = ir->launch[i];
    ir->launches = kept;
}
