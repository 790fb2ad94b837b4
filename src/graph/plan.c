/* plan.c: plans memory. First which maps write over an operand that dies with them; then, kernels prepared and scratch
 * known, an offset for every value in its place's arena, so that those alive at the same time don't overlap: the
 * largest first, each at the lowest offset that is free throughout its life (Pisarchyk and Lee, 2020, greedy by size)
 * and where it lies in one bank. Values of other places than the first are few and get a place each. */
#include <stdlib.h>
#include <string.h>

#include "ir.h"

static int in_arena(const tn_value *root)
{
    return root->home == TN_IN_ARENA;
}

static void live_through(tn_value *value, uint32_t number)
{
    tn_value *root = tn_value_root(value);
    if (root->first > number) root->first = number;
    if (root->last < number) root->last = number;
}

static void find_lives(tn_ir *ir)
{
    for (uint32_t i = 0; i < ir->values; i++) {
        ir->value[i]->first = UINT32_MAX;
        ir->value[i]->last = 0;
    }
    for (uint32_t i = 0; i < ir->launches; i++) {
        const tn_launch *l = ir->launch[i];
        for (uint32_t k = 0; k < l->operation.desc.n_in; k++) live_through(l->in[k], i);
        for (uint32_t k = 0; k < l->operation.desc.n_out; k++) live_through(l->out[k], i);
        if (l->scratch) live_through(l->scratch, i);
    }
    for (uint32_t i = 0; i < ir->values; i++)
        if (ir->value[i]->kept) tn_value_root(ir->value[i])->last = ir->launches;
}

/* 1 if the operand's storage can be given to an output of this launch. */
static int gives_up(const tn_launch *l, uint32_t number, uint32_t operand, const tn_value *out)
{
    const tn_value *root = tn_value_root(l->in[operand]);
    if (!in_arena(root) || root->group >= 0 || root->last != number || root->bytes != out->bytes) return 0;
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
        if (out->base || !in_arena(out) || out->group >= 0 || out->kept || l->operation.alias[k] >= 0) continue;
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
        if (!strcmp(ir->launch[i]->operation.desc.name, "map")) reuse_operands(ir->launch[i], i);
    return TN_OK;
}

/* ---- offsets ---- */

static int by_size(const void *a, const void *b)
{
    const tn_value *x = *(tn_value *const *)a, *y = *(tn_value *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return (x->first > y->first) - (x->first < y->first);
}

static int by_offset(const void *a, const void *b)
{
    const tn_value *x = *(tn_value *const *)a, *y = *(tn_value *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
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

/* The lowest offset for a value among those already placed; `busy` is room for them. */
static uint64_t lowest(const tn_ir *ir, tn_value *const placed[], uint32_t count, const tn_value *value,
                       tn_value *busy[])
{
    uint32_t n = 0;
    uint64_t offset = 0;
    for (uint32_t i = 0; i < count; i++)
        if (placed[i]->first <= value->last && value->first <= placed[i]->last) busy[n++] = placed[i];
    qsort(busy, n, sizeof *busy, by_offset);
    for (uint32_t i = 0; i < n; i++) {
        if (busy[i]->offset >= offset + value->bytes) break;
        uint64_t end = round_up(busy[i]->offset + busy[i]->bytes, ir->alignment);
        if (end > offset) offset = tn_ir_in_bank(ir, 0, end, value->bytes);
    }
    return offset;
}

/* Groups lie at the arena's end, never shared: the gaps in them stay as they are made, zero. */
static void place_groups(tn_ir *ir)
{
    for (uint32_t g = 0; g < ir->groups; g++) {
        ir->arena_bytes = tn_ir_in_bank(ir, 0, ir->arena_bytes, ir->group_bytes[g]);
        for (uint32_t i = 0; i < ir->values; i++)
            if (ir->value[i]->group == (int32_t)g) ir->value[i]->offset = ir->arena_bytes + ir->value[i]->in_group;
        ir->arena_bytes += round_up(ir->group_bytes[g], ir->alignment);
    }
}

tn_status tn_plan_memory(tn_ir *ir)
{
    tn_value **todo = tn_region_alloc(&ir->region, (ir->values + 1) * sizeof *todo);
    tn_value **busy = tn_region_alloc(&ir->region, (ir->values + 1) * sizeof *busy);
    uint32_t count = 0;
    if (!todo || !busy) return TN_ENOMEM;
    find_lives(ir);
    for (uint32_t i = 0; i < ir->values; i++) {
        tn_value *value = ir->value[i];
        if (value->base || !in_arena(value) || value->group >= 0 || value->first == UINT32_MAX) continue;
        if (!value->place)
            todo[count++] = value;
        else {
            uint64_t *end = &ir->place_bytes[value->place];
            value->offset = tn_ir_in_bank(ir, value->place, *end, value->bytes);
            *end = value->offset + round_up(value->bytes, ir->alignment);
        }
    }
    qsort(todo, count, sizeof *todo, by_size);
    for (uint32_t i = 0; i < count; i++) {
        todo[i]->offset = lowest(ir, todo, i, todo[i], busy);
        uint64_t end = round_up(todo[i]->offset + todo[i]->bytes, ir->alignment);
        if (end > ir->arena_bytes) ir->arena_bytes = end;
    }
    place_groups(ir);
    return TN_OK;
}
