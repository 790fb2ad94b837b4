/* plan.c: plans memory. First which maps write over an operand that dies with them; then, kernels prepared and scratch
 * known, an offset for every value in its place's arena, so that those alive at the same time don't overlap: the
 * largest first, each at the lowest offset that is free throughout its life (Pisarchyk and Lee, 2020, greedy by size)
 * and where it lies in one bank. Values of other places than the first are few and get a place each. */
#include <stdlib.h>

#include "ir.h"

static int in_arena(const tn_value *root)
{
    return root->home == TN_IN_ARENA;
}

/* What is seen in each round is there in all of them. */
static void live_through_rounds(const tn_depth *depth, tn_value *value)
{
    tn_value *root = tn_value_root(value);
    if (root->inside) return;
    if (root->first > depth->first) root->first = depth->first;
    if (root->last < depth->last) root->last = depth->last;
}

static void find_rounds(const tn_ir *ir)
{
    for (uint32_t i = 0; i < ir->launches; i++) {
        const tn_launch *l = ir->launch[i];
        for (uint32_t k = 0; l->depth && k < l->operation.desc.n_in; k++) live_through_rounds(l->depth, l->in[k]);
        for (uint32_t k = 0; l->depth && k < l->operation.desc.n_out; k++) live_through_rounds(l->depth, l->out[k]);
        if (l->depth && l->kept) live_through_rounds(l->depth, l->kept);
    }
}

static void find_lives(tn_ir *ir)
{
    tn_ir_find_lives(ir);
    find_rounds(ir);
    for (uint32_t i = 0; i < ir->values; i++) {
        tn_value *value = ir->value[i];
        if (value->kept || value->lasts) tn_value_root(value)->last = ir->launches;
        if (value->lasts && value->first != UINT32_MAX) value->first = 0;
    }
}

/* 1 if the operand's storage can be given to an output of this launch. */
static int gives_up(const tn_launch *l, uint32_t number, uint32_t operand, const tn_value *out)
{
    const tn_value *root = tn_value_root(l->in[operand]);
    if (l->depth && !root->inside) return 0; /* the last round may see some samples once more */
    if (!in_arena(root) || root->last != number || root->bytes != out->bytes) return 0;
    for (uint32_t i = 0; i < l->operation.desc.n_in; i++)
        if (i != operand && tn_value_root(l->in[i]) == root) return 0;
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++)
        if (tn_value_root(l->out[i]) == root) return 0;
    return 1;
}

static void reuse_operands(tn_launch *l, uint32_t number)
{
    for (uint32_t k = 0; k < l->operation.desc.n_out; k++) {
        tn_value *out = l->out[k];
        if (out->base || !in_arena(out) || out->kept || l->operation.alias[k] >= 0) continue;
        for (uint32_t i = 0; i < l->operation.desc.n_in; i++) {
            if (!tn_same_layout(&l->operation.in[i], &l->operation.out[k]) || !gives_up(l, number, i, out)) continue;
            l->operation.alias[k] = (int32_t)i;
            tn_value *root = tn_value_root(l->in[i]);
            if (root->last < out->last) root->last = out->last;
            out->base = root;
            break;
        }
    }
}

tn_status tn_plan_in_place(tn_ir *ir)
{
    find_lives(ir);
    for (uint32_t i = 0; i < ir->launches; i++)
        if (ir->launch[i]->op == &tn_op_map) reuse_operands(ir->launch[i], i);
    return TN_OK;
}

/* ---- offsets ---- */

static int by_size(const void *a, const void *b)
{
    const tn_value *x = *(tn_value *const *)a, *y = *(tn_value *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return (x->first > y->first) - (x->first < y->first);
}

static uint64_t round_up(uint64_t bytes, uint64_t alignment)
{
    return (bytes + alignment - 1) / alignment * alignment;
}

uint64_t tn_ir_in_bank(const tn_ir *ir, int32_t place, uint64_t offset, uint64_t bytes)
{
    uint64_t bank = ir->bank[place];
    return bytes > bank - offset % bank ? round_up(offset, bank) : offset;
}

/* Bytes of the arena that are taken from one launch to another. */
typedef struct stretch {
    uint64_t begin, end;
    uint32_t first, last;
} stretch;

/* What has been placed, by where it begins. */
typedef struct map {
    stretch *taken;
    uint32_t count;
} map;

/* The lowest offset for a value among those already placed. */
static uint64_t lowest(const tn_ir *ir, const map *m, const tn_value *value)
{
    uint64_t offset = 0;
    for (const stretch *at = m->taken; at < m->taken + m->count && at->begin < offset + value->bytes; at++)
        if (at->first <= value->last && value->first <= at->last && at->end > offset)
            offset = tn_ir_in_bank(ir, 0, at->end, value->bytes);
    return offset;
}

static void place_value(tn_ir *ir, map *m, tn_value *value)
{
    uint32_t at = m->count;
    value->offset = lowest(ir, m, value);
    uint64_t end = round_up(value->offset + value->bytes, ir->alignment);
    for (; at && m->taken[at - 1].begin > value->offset; at--) m->taken[at] = m->taken[at - 1];
    m->taken[at] = (stretch){value->offset, end, value->first, value->last};
    m->count++;
    if (end > ir->arena_bytes) ir->arena_bytes = end;
}

tn_status tn_plan_memory(tn_ir *ir)
{
    tn_value **todo = tn_region_alloc(&ir->region, (ir->values + 1) * sizeof *todo);
    map m = {.taken = tn_region_alloc(&ir->region, (ir->values + 1) * sizeof *m.taken)};
    uint32_t count = 0;
    if (!todo || !m.taken) return TN_ENOMEM;
    find_lives(ir);
    for (uint32_t i = 0; i < ir->values; i++) {
        tn_value *value = ir->value[i];
        if (value->base || !in_arena(value) || value->first == UINT32_MAX) continue;
        if (!value->place)
            todo[count++] = value;
        else {
            uint64_t *end = &ir->place_bytes[value->place];
            value->offset = tn_ir_in_bank(ir, value->place, *end, value->bytes);
            *end = value->offset + round_up(value->bytes, ir->alignment);
        }
    }
    qsort(todo, count, sizeof *todo, by_size);
    for (uint32_t i = 0; i < count; i++) place_value(ir, &m, todo[i]);
    return TN_OK;
}
