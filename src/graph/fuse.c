/* fuse.c: decides which operators become one.
 *
 * Element-wise operators of one shape are merged along the edges of the graph as long as no cycle arises; then a
 * reduction takes the map that feeds it alone, a matrix product or convolution the map that alone uses it, and a matrix
 * product the sum of an operand, if the device accepts the result. */
#include "fuse.h"

#include <string.h>

static int is_map(const tn_tensor *x)
{
    return x->op->kind == TN_MAP;
}

/* A reduction, which takes a map before it, or an operator that takes one behind it. */
static int is_anchor(const tn_tensor *x)
{
    return x->op == &tn_op_reduce || x->op->epilogue;
}

/* ---- what is known beforehand ---- */

static void find_live(tn_fusion *f)
{
    const tn_graph *g = f->graph;
    for (uint32_t i = 0; i < g->sinks; i++) f->live[g->sink[i].value->id] = f->sunk[g->sink[i].value->id] = 1;
    for (uint32_t i = g->count; i-- > 0;)
        for (uint32_t k = 0; f->live[i] && k < g->tensor[i]->n_in; k++) f->live[g->tensor[i]->in[k]->id] = 1;
}

static void find_scalars(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++) {
        const tn_tensor *x = f->graph->tensor[i];
        int scalar = x->op == &tn_op_scalar || x->op == &tn_op_full || (is_map(x) && x->n_in);
        for (uint32_t k = 0; k < x->n_in; k++) scalar = scalar && f->scalar[x->in[k]->id];
        f->scalar[i] = (unsigned char)scalar;
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
        }
    memset(f->mark, 0, g->count * sizeof *f->mark);
    return TN_OK;
}

static tn_status prepare(tn_fusion *f)
{
    size_t n = f->graph->count + 1;
    struct {
        void *array;
        size_t size;
    } need[] = {{&f->live, 1},
                {&f->sunk, 1},
                {&f->scalar, 1},
                {&f->cheap, 1},
                {&f->reads, 1},
                {&f->updates, 1},
                {&f->unit, 4},
                {&f->next, 4},
                {&f->mark, 4},
                {&f->user_begin, 4},
                {&f->anchor, sizeof *f->anchor},
                {&f->value, sizeof *f->value}};
    for (size_t i = 0; i < sizeof need / sizeof *need; i++) {
        void *memory = tn_region_alloc(&f->ir->region, (n + 1) * need[i].size);
        if (!memory) return TN_ENOMEM;
        memcpy(need[i].array, &memory, sizeof memory);
    }
    f->trial = tn_region_alloc(&f->ir->region, sizeof *f->trial);
    if (!f->trial) return TN_ENOMEM;
    for (uint32_t i = 0; i < n; i++) f->unit[i] = f->next[i] = i;
    for (uint32_t i = 0; i + 1 < n; i++)
        if (is_anchor(f->graph->tensor[i])) f->anchor[i] = f->graph->tensor[i];
    find_live(f);
    find_scalars(f);
    TN_TRY(find_users(f));
    if (!f->target->unfused) tn_find_cheap(f);
    return TN_OK;
}

int tn_is_used_outside(const tn_fusion *f, const tn_tensor *x)
{
    if (f->sunk[x->id]) return 1;
    for (uint32_t u = f->user_begin[x->id]; u < f->user_begin[x->id + 1]; u++)
        if (f->unit[f->user[u]] != f->unit[x->id]) return 1;
    return 0;
}

/* ---- merging ---- */

static void merge(tn_fusion *f, uint32_t a, uint32_t b)
{
    uint32_t unit = f->unit[a], last = f->next[a], member = b;
    tn_tensor *anchor = f->anchor[f->unit[a]] ? f->anchor[f->unit[a]] : f->anchor[f->unit[b]];
    do f->unit[member] = unit;
    while ((member = f->next[member]) != b);
    f->next[a] = f->next[b];
    f->next[b] = last;
    f->anchor[unit] = anchor;
}

/* Every member on its own again. */
static void dissolve(tn_fusion *f, uint32_t unit)
{
    uint32_t member = unit, next;
    do {
        next = f->next[member];
        f->unit[member] = f->next[member] = member;
        tn_tensor *x = f->graph->tensor[member];
        f->anchor[member] = is_anchor(x) ? x : NULL;
        member = next;
    } while (member != unit);
}

/* 1 if a unit outside a and b depends on `target` and `from` depends on it, so that merging would make a cycle.
 * Walks backwards from the operands of unit `from`, unit by unit. */
static int walk(tn_fusion *f, uint32_t from, uint32_t target, int outside)
{
    uint32_t member = from;
    do {
        const tn_tensor *x = f->graph->tensor[member];
        for (uint32_t k = 0; k < x->n_in; k++) {
            uint32_t in = x->in[k]->id;
            if (f->unit[in] == f->unit[target]) {
                if (outside) return 1;
                continue;
            }
            if (f->mark[f->unit[in]] == f->marks) continue;
            f->mark[f->unit[in]] = f->marks;
            if (walk(f, in, target, 1)) return 1;
        }
    } while ((member = f->next[member]) != from);
    return 0;
}

static int makes_cycle(tn_fusion *f, uint32_t producer, uint32_t consumer)
{
    f->mark[f->unit[consumer]] = ++f->marks;
    return walk(f, consumer, producer, 0);
}

static uint32_t size_of(const tn_fusion *f, uint32_t unit)
{
    uint32_t size = 0, member = unit;
    do size++;
    while ((member = f->next[member]) != unit);
    return size;
}

/* A map that is stored: it can't be computed in place wherever it is used. */
static int is_stored_map(const tn_fusion *f, const tn_tensor *x)
{
    return f->live[x->id] && is_map(x) && x->n_in && !f->scalar[x->id] && !f->cheap[x->id];
}

static int accepted(tn_fusion *f, uint32_t unit)
{
    if (tn_unit_build(f, unit, f->trial)) return 0;
    return f->target->supports(f->target->self, 0, &f->trial->operation.desc);
}

/* What reads a stored tensor through maps that are computed again may be more than the device takes: then the last of
 * those maps is stored after all. */
static void check_cheap(tn_fusion *f)
{
    for (uint32_t i = f->graph->count; i-- > 0;) {
        const tn_tensor *x = f->graph->tensor[i];
        uint32_t reads = 0;
        if (!f->live[i] || (!is_stored_map(f, x) && x->op != &tn_op_reduce)) continue;
        for (uint32_t k = 0; k < x->n_in; k++) reads += f->reads[x->in[k]->id];
        if (!reads || accepted(f, i)) continue;
        for (uint32_t k = 0; k < x->n_in; k++)
            if (f->reads[x->in[k]->id]) f->cheap[x->in[k]->id] = f->reads[x->in[k]->id] = 0;
    }
}

/* Keeps the merging of two map units if the result is still one that can be built. */
static void try_maps(tn_fusion *f, uint32_t a, uint32_t b)
{
    if (f->unit[a] == f->unit[b] || size_of(f, a) + size_of(f, b) > TN_MAX_INSTRS / 2) return;
    if (makes_cycle(f, a, b) || makes_cycle(f, b, a)) return;
    uint32_t a_next = f->next[a], b_next = f->next[b], b_unit = f->unit[b];
    merge(f, a, b);
    if (!tn_unit_build(f, f->unit[a], f->trial)) return;
    f->next[a] = a_next; /* undo: the rings part again */
    f->next[b] = b_next;
    uint32_t member = b;
    do f->unit[member] = b_unit;
    while ((member = f->next[member]) != b);
}

static void merge_maps(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++) {
        tn_tensor *y = f->graph->tensor[i];
        if (!is_stored_map(f, y)) continue;
        for (uint32_t k = 0; k < y->n_in; k++)
            if (is_stored_map(f, y->in[k]) && tn_shape_equal(&y->type.shape, &y->in[k]->type.shape))
                try_maps(f, y->in[k]->id, i);
    }
}

/* Single numbers that end in variables, such as sums of losses and counts, are updated by one map. */
static void merge_counters(tn_fusion *f)
{
    const tn_tensor *first = NULL;
    for (uint32_t i = 0; i < f->graph->sinks; i++) {
        const tn_tensor *x = f->graph->sink[i].value;
        if (!f->graph->sink[i].variable || !is_stored_map(f, x) || tn_shape_count(&x->type.shape) != 1) continue;
        if (!first)
            first = x;
        else if (tn_shape_equal(&x->type.shape, &first->type.shape))
            try_maps(f, first->id, x->id);
    }
}

static void check_maps(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++)
        if (is_stored_map(f, f->graph->tensor[i]) && f->unit[i] == i && f->next[i] != i && !accepted(f, i))
            dissolve(f, i);
}

/* The map unit that x belongs to if nothing but `user` uses anything of it. */
static int serves_only(const tn_fusion *f, const tn_tensor *x, const tn_tensor *user)
{
    uint32_t member = x->id;
    if (!is_stored_map(f, x) || f->anchor[f->unit[x->id]]) return 0;
    do {
        const tn_tensor *m = f->graph->tensor[member];
        if (f->sunk[member]) return 0;
        for (uint32_t u = f->user_begin[member]; u < f->user_begin[member + 1]; u++)
            if (f->unit[f->user[u]] != f->unit[member] && (f->user[u] != user->id || m != x)) return 0;
    } while ((member = f->next[member]) != x->id);
    return 1;
}

static void absorb(tn_fusion *f, uint32_t unit, uint32_t anchor)
{
    merge(f, unit, anchor);
    if (accepted(f, f->unit[unit])) return;
    /* the anchor was put right after `unit` in the ring: take it out again */
    f->next[unit] = f->next[anchor];
    f->unit[anchor] = f->next[anchor] = anchor;
    f->anchor[f->unit[unit]] = NULL;
    f->anchor[anchor] = f->graph->tensor[anchor];
}

static void feed_reductions(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++) {
        const tn_tensor *y = f->graph->tensor[i];
        if (f->live[i] && y->op == &tn_op_reduce && serves_only(f, y->in[0], y)) absorb(f, y->in[0]->id, i);
    }
}

/* The unit that alone uses product y, or its own number. */
static uint32_t only_user(const tn_fusion *f, const tn_tensor *y)
{
    uint32_t begin = f->user_begin[y->id], end = f->user_begin[y->id + 1];
    if (begin == end || f->sunk[y->id]) return y->id;
    for (uint32_t u = begin; u < end; u++)
        if (f->unit[f->user[u]] != f->unit[f->user[begin]]) return y->id;
    return f->user[begin];
}

/* A unit that writes variables: left to be flattened with its like, and to write in place. */
static int is_update(const tn_fusion *f, uint32_t unit)
{
    for (uint32_t i = 0; i < f->graph->sinks; i++)
        if (f->graph->sink[i].variable && f->unit[f->graph->sink[i].value->id] == unit) return 1;
    return 0;
}

static void add_epilogues(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++) {
        const tn_tensor *y = f->graph->tensor[i];
        if (!f->live[i] || !y->op->epilogue) continue;
        uint32_t user = only_user(f, y);
        if (user == i || !is_stored_map(f, f->graph->tensor[user]) || f->anchor[f->unit[user]]) continue;
        if (is_update(f, f->unit[user])) continue;
        if (tn_shape_equal(&y->type.shape, &f->graph->tensor[user]->type.shape)) absorb(f, user, i);
    }
}

/* Sum z becomes the second output of y. */
static int join_sum(tn_fusion *f, uint32_t y, uint32_t z)
{
    if (makes_cycle(f, y, z) || makes_cycle(f, z, y)) return 0;
    merge(f, y, z);
    if (accepted(f, y)) return 1;
    f->next[y] = y;
    f->unit[z] = f->next[z] = z;
    f->anchor[z] = f->graph->tensor[z];
    return 0;
}

/* Sums of what a product reads anyway, such as the gradient of a bias beside that of a weight. */
static void join_sums(tn_fusion *f)
{
    for (uint32_t z = 0; z < f->graph->count; z++) {
        const tn_tensor *sum = f->graph->tensor[z];
        if (!f->live[z] || sum->op != &tn_op_reduce || f->next[z] != z) continue;
        uint32_t in = sum->in[0]->id;
        for (uint32_t u = f->user_begin[in]; u < f->user_begin[in + 1]; u++) {
            uint32_t y = f->user[u];
            const tn_tensor *product = f->graph->tensor[y];
            tn_operation ask;
            if (f->next[y] != y || !product->op->sums || !product->op->sums(product, sum, &ask)) continue;
            if (join_sum(f, y, z)) break;
        }
    }
}

tn_status tn_fuse(const tn_graph *graph, const tn_target *target, tn_ir *ir)
{
    tn_fusion f = {.graph = graph, .target = target, .ir = ir};
    TN_TRY(prepare(&f));
    if (!target->unfused) {
        check_cheap(&f);
        merge_maps(&f);
        merge_counters(&f);
        check_maps(&f);
        feed_reductions(&f);
        add_epilogues(&f);
        join_sums(&f);
    }
    return tn_emit_launches(&f);
}
