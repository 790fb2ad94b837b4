/* order.c: which units can become one. A merging is forbidden if it made a cycle: if a third unit depends on one of the
 * two and the other on it. The units' order is kept while they merge, so that the search for such a unit ends at all
 * that stand before both (Pearce and Kelly, "A dynamic topological sort algorithm for directed acyclic graphs", 2006);
 * and it is spared where a landmark is known to stand between. */
#include <stdlib.h>
#include <string.h>

#include "fuse.h"

/* 1 if a tensor of a third unit depends on a, and b on it: one of the few for which that is known beforehand. */
static int is_landmark_between(const tn_fusion *f, uint32_t a, uint32_t b)
{
    for (uint64_t between = f->below[a] & f->above[b]; between; between &= between - 1) {
        uint32_t unit = f->unit[f->landmark[__builtin_ctzll(between)]];
        if (unit != f->unit[a] && unit != f->unit[b]) return 1;
    }
    return 0;
}

static void find(tn_fusion *f, uint32_t unit)
{
    f->mark[unit] = f->marks;
    f->found[f->n_found++] = (uint64_t)f->order[unit] << 32 | unit;
}

static uint32_t unit_at(const tn_fusion *f, uint32_t i)
{
    return (uint32_t)f->found[i];
}

/* Goes on to the units that a unit depends on, but for `first` and those that stand before it. Returns 1 if it depends
 * on `first`. */
static int find_operands(tn_fusion *f, uint32_t unit, uint32_t first)
{
    uint32_t member = unit;
    int depends = 0;
    do {
        const tn_tensor *x = f->graph->tensor[member];
        for (uint32_t k = 0; k < x->n_in; k++) {
            uint32_t in = f->unit[x->in[k]->id];
            depends |= in == first;
            if (in != first && f->order[in] >= f->order[first] && f->mark[in] != f->marks) find(f, in);
        }
    } while ((member = f->next[member]) != unit);
    return depends;
}

/* Leaves the units that the later of the two depends on, and the earlier doesn't, in `found`. */
int tn_order_forbids(tn_fusion *f, uint32_t a, uint32_t b)
{
    int swapped = f->order[f->unit[a]] > f->order[f->unit[b]];
    uint32_t first = f->unit[swapped ? b : a], last = f->unit[swapped ? a : b];
    f->n_found = 0;
    if (is_landmark_between(f, a, b) || is_landmark_between(f, b, a)) return 1;
    f->mark[last] = ++f->marks;
    (void)find_operands(f, last, first);
    for (uint32_t i = 0; i < f->n_found; i++)
        if (find_operands(f, unit_at(f, i), first)) return 1;
    return 0;
}

/* Goes on to the units that depend on a unit and stand before `high`. */
static void find_users(tn_fusion *f, uint32_t unit, uint32_t high)
{
    uint32_t member = unit;
    do
        for (uint32_t u = f->user_begin[member]; u < f->user_begin[member + 1]; u++) {
            uint32_t user = f->unit[f->user[u]];
            if (f->order[user] < high && f->mark[user] != f->marks) find(f, user);
        }
    while ((member = f->next[member]) != unit);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* What was found shares its places in the order anew: first what the unit depends on, then the unit, then the rest. */
static void rearrange(tn_fusion *f, uint32_t unit, uint32_t before, uint32_t low, uint32_t high)
{
    uint32_t n = f->n_found;
    uint64_t *place = f->found + n;
    memcpy(place, f->found, n * sizeof *place);
    place[n] = (uint64_t)low << 32;
    place[n + 1] = (uint64_t)high << 32;
    qsort(f->found, before, sizeof *f->found, by_value);
    qsort(f->found + before, n - before, sizeof *f->found, by_value);
    qsort(place, n + 2, sizeof *place, by_value);
    f->order[unit] = (uint32_t)(place[before] >> 32);
    for (uint32_t i = 0; i < n; i++) f->order[unit_at(f, i)] = (uint32_t)(place[i < before ? i : i + 2] >> 32);
}

void tn_order_merged(tn_fusion *f, uint32_t unit, uint32_t low, uint32_t high)
{
    uint32_t before = f->n_found;
    f->order[unit] = before ? high : low;
    if (!before) return;
    f->mark[unit] = ++f->marks;
    find_users(f, unit, high);
    for (uint32_t i = before; i < f->n_found; i++) find_users(f, unit_at(f, i), high);
    if (f->n_found > before) rearrange(f, unit, before, low, high);
}
