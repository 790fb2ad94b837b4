/* settle.c: what is copied to its place among others, in a pack or side by side, is made there, where it can be: then
 * the copy goes. */
#include "ir.h"

/* 1 if a temporary of the first place may be anywhere: stored by itself, for nobody outside. Two parameters may have
 * one gradient: the second gets a copy. */
static int is_free(const tn_value *root, uint64_t bytes)
{
    return root->home == TN_IN_ARENA && !root->place && !root->kept && !root->lasts && root->bytes == bytes;
}

static int settles_pack(const tn_launch *l)
{
    if (!l->packs || l->place) return 0;
    tn_value *root = tn_value_root(l->in[0]);
    if (!is_free(root, l->out[0]->bytes)) return 0;
    root->base = l->out[0];
    return 1;
}

/* Operands one behind the other, all of which are made there; each but once. */
static int settles_concat(tn_launch *l)
{
    const uint32_t n = l->operation.desc.n_in;
    uint64_t at = 0;
    uint32_t settled = 0;
    if (l->op != &tn_op_concat || l->place || l->operation.in[0].dim[0] != 1) return 0;
    tn_value *y = tn_value_root(l->out[0]);
    if (y->home != TN_IN_ARENA) return 0;
    for (; settled < n; settled++) {
        tn_value *x = l->in[settled], *root = tn_value_root(x);
        if (root == y || !is_free(root, x->bytes)) break;
        root->base = l->out[0], root->at = at;
        at += x->bytes;
    }
    const int all = settled == n;
    while (!all && settled--) {
        tn_value *x = l->in[settled];
        while (x->base != l->out[0]) x = x->base;
        x->base = NULL, x->at = 0;
    }
    return all;
}

void tn_settle(tn_ir *ir)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ir->launches; i++)
        if (!settles_pack(ir->launch[i]) && !settles_concat(ir->launch[i])) ir->launch[kept++] = ir->launch[i];
    ir->launches = kept;
}
