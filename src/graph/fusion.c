/* fusion.c: what is known of a graph before its operators are merged: what is needed, what is a number, who uses what,
 * and a few of the dependences across long distances. */
#include <string.h>

#include "fuse.h"

static int is_map(const tn_tensor *x)
{
    return x->op->kind == TN_MAP;
}

/* A reduction, which takes a map before it, or an operator that takes one behind it. */
static int is_anchor(const tn_tensor *x)
{
    return x->op == &tn_op_reduce || x->op->epilogue;
}

static void find_live(tn_fusion *f)
{
    const tn_graph *g = f->graph;
    for (uint32_t i = 0; i < g->sinks; i++) {
        uint32_t value = g->sink[i].value->id;
        f->live[value] = f->sunk[value] = 1;
    }
    for (uint32_t i = g->count; i-- > 0;)
        for (uint32_t k = 0; f->live[i] && k < g->tensor[i]->n_in; k++) f->live[g->tensor[i]->in[k]->id] = 1;
}

/* What is rounded when it is stored. */
static int is_rounded(const tn_tensor *x)
{
    return tn_map_compute_type(x->type.dtype) != x->type.dtype;
}

/* Counts operators, those behind a slot aside. A slot rounds as the type does. */
static void find_scalars(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++) {
        const tn_tensor *x = f->graph->tensor[i];
        int scalar = x->op == &tn_op_scalar || x->op == &tn_op_full || (is_map(x) && x->n_in), count = 1;
        for (uint32_t k = 0; k < x->n_in; k++) {
            scalar = scalar && f->scalar[x->in[k]->id];
            count += f->scalar[x->in[k]->id] > TN_SHORT_SCALAR ? 1 : f->scalar[x->in[k]->id];
        }
        if (is_map(x) && is_rounded(x) && count <= TN_SHORT_SCALAR) count = TN_SHORT_SCALAR + 1;
        f->scalar[i] = (unsigned char)(scalar ? count : 0);
    }
}

static tn_status find_users(tn_fusion *f)
{
    const tn_graph *g = f->graph;
    uint32_t edges = 0;
    for (uint32_t i = 0; i < g->count; i++) edges += g->tensor[i]->n_in;
    f->user = tn_region_alloc(&f->ir->region, (edges + 1) * sizeof *f->user);
    if (!f->user) return TN_ENOMEM;
    for (uint32_t i = 0; i < g->count; i++)
        for (uint32_t k = 0; f->live[i] && k < g->tensor[i]->n_in; k++) f->user_begin[g->tensor[i]->in[k]->id + 1]++;
    for (uint32_t i = 0; i < g->count; i++) f->user_begin[i + 1] += f->user_begin[i];
    for (uint32_t i = g->count; i-- > 0;)
        for (uint32_t k = 0; f->live[i] && k < g->tensor[i]->n_in; k++) {
            uint32_t x = g->tensor[i]->in[k]->id;
            f->user[f->user_begin[x] + f->mark[x]++] = i;
            f->read_as_is[x] |= !is_map(g->tensor[i]);
        }
    memset(f->mark, 0, g->count * sizeof *f->mark);
    return TN_OK;
}

/* Live tensors at even distances, and who stands above and below them. */
static void find_landmarks(tn_fusion *f)
{
    const tn_graph *g = f->graph;
    uint32_t live = 0, seen = 0, set = 0;
    for (uint32_t i = 0; i < g->count; i++) live += f->live[i] && g->tensor[i]->n_in;
    for (uint32_t i = 0; i < g->count; i++) {
        const tn_tensor *x = g->tensor[i];
        for (uint32_t k = 0; k < x->n_in; k++) f->above[i] |= f->above[x->in[k]->id];
        if (!f->live[i] || !x->n_in || (uint64_t)seen++ * TN_LANDMARKS / live < set) continue;
        f->landmark[set] = i;
        f->above[i] |= (uint64_t)1 << set;
        f->below[i] |= (uint64_t)1 << set++;
    }
    for (uint32_t i = g->count; i-- > 0;)
        for (uint32_t k = 0; f->live[i] && k < g->tensor[i]->n_in; k++)
            f->below[g->tensor[i]->in[k]->id] |= f->below[i];
}

static tn_status make_arrays(tn_fusion *f)
{
    size_t n = f->graph->count + 1;
    struct {
        void *array;
        size_t size;
    } need[] = {{&f->live, 1},
                {&f->sunk, 1},
                {&f->scalar, 1},
                {&f->read_as_is, 1},
                {&f->remade, 1},
                {&f->reads, 1},
                {&f->user_begin, 4},
                {&f->above, 8},
                {&f->below, 8},
                {&f->unit, 4},
                {&f->next, 4},
                {&f->order, 4},
                {&f->found, 2 * 8},
                {&f->mark, 4},
                {&f->anchor, sizeof *f->anchor},
                {&f->value, sizeof *f->value},
                {&f->slot, 4}};
    for (size_t i = 0; i < sizeof need / sizeof *need; i++) {
        void *memory = tn_region_alloc(&f->ir->region, (n + 1) * need[i].size);
        if (!memory) return TN_ENOMEM;
        memcpy(need[i].array, &memory, sizeof memory);
    }
    f->trial = tn_region_alloc(&f->ir->region, sizeof *f->trial);
    return f->trial ? TN_OK : TN_ENOMEM;
}

tn_status tn_fusion_begin(tn_fusion *f)
{
    TN_TRY(make_arrays(f));
    for (uint32_t i = 0; i < f->graph->count; i++) {
        f->unit[i] = f->next[i] = f->order[i] = i;
        if (is_anchor(f->graph->tensor[i])) f->anchor[i] = f->graph->tensor[i];
    }
    find_live(f);
    find_scalars(f);
    TN_TRY(find_users(f));
    find_landmarks(f);
    return TN_OK;
}

int tn_is_stored_map(const tn_fusion *f, const tn_tensor *x)
{
    return f->live[x->id] && is_map(x) && x->n_in && !f->scalar[x->id] && !f->remade[x->id];
}

int tn_is_used_outside(const tn_fusion *f, const tn_tensor *x)
{
    if (f->sunk[x->id]) return 1;
    for (uint32_t u = f->user_begin[x->id]; u < f->user_begin[x->id + 1]; u++)
        if (f->unit[f->user[u]] != f->unit[x->id]) return 1;
    return 0;
}
