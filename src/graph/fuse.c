/* fuse.c: decides which operators become one.
 *
 * Element-wise operators of one shape are merged along the edges of the graph as long as no cycle arises; then a
 * reduction takes the map that feeds it alone, a matrix product or convolution the map that alone uses it, and a matrix
 * product the sum of an operand, if the device accepts the result. At last, maps that follow one kernel become one. */
#include "fuse.h"

#include <stdlib.h>

#include "leaf.h"

/* ---- merging, and taking it back ---- */

/* Two units that have become one. */
typedef struct merging {
    uint32_t a, b;           /* a member of each */
    uint32_t unit_a, unit_b; /* what they were called; the one is called unit_a */
    tn_tensor *anchor_a;
} merging;

static void rename_unit(tn_fusion *f, uint32_t unit, uint32_t name)
{
    uint32_t member = unit;
    do f->unit[member] = name;
    while ((member = f->next[member]) != unit);
}

/* Makes one ring of two, or two of one. */
static void swap_next(tn_fusion *f, uint32_t a, uint32_t b)
{
    uint32_t next = f->next[a];
    f->next[a] = f->next[b];
    f->next[b] = next;
}

static merging begin(tn_fusion *f, uint32_t a, uint32_t b)
{
    merging m = {a, b, f->unit[a], f->unit[b], f->anchor[f->unit[a]]};
    rename_unit(f, b, m.unit_a);
    swap_next(f, a, b);
    if (!m.anchor_a) f->anchor[m.unit_a] = f->anchor[m.unit_b];
    return m;
}

static void commit(tn_fusion *f, const merging *m)
{
    uint32_t a = f->order[m->unit_a], b = f->order[m->unit_b];
    tn_order_merged(f, m->unit_a, a < b ? a : b, a < b ? b : a);
}

static void roll_back(tn_fusion *f, const merging *m)
{
    swap_next(f, m->a, m->b);
    rename_unit(f, m->b, m->unit_b);
    f->anchor[m->unit_a] = m->anchor_a;
}

/* 1 unless the unit has more than the device takes. */
static int is_within(const tn_limits *most, const tn_unit *u)
{
    const tn_op_desc *d = &u->operation.desc;
    const tn_map_attrs *map = u->op == &tn_op_map ? d->attrs : NULL;
    if ((most->in && d->n_in > most->in) || (most->out && d->n_out > most->out)) return 0;
    return !map || ((!most->instr || map->n_instr <= most->instr) && (!most->scalar || map->n_scalar <= most->scalar));
}

/* Builds the unit, and asks the device if it is to. */
static int is_fit(tn_fusion *f, uint32_t unit, int ask)
{
    tn_region region = {0};
    tn_status s = tn_unit_build(f, unit, &region, f->trial);
    int fit = !s && is_within(&f->target->most, f->trial) &&
              (!ask || f->target->supports(f->target->self, 0, &f->trial->operation.desc, &f->trial->about->origin));
    if (s == TN_ENOMEM) f->status = s;
    tn_region_free(&region);
    return fit;
}

static int can_be_built(tn_fusion *f, uint32_t unit)
{
    return is_fit(f, unit, 0);
}

static int is_accepted(tn_fusion *f, uint32_t unit)
{
    return is_fit(f, unit, 1);
}

/* Merges the units of a and b if the result is fit. */
static int merge_if(tn_fusion *f, uint32_t a, uint32_t b, int (*fits)(tn_fusion *f, uint32_t unit))
{
    merging m = begin(f, a, b);
    int fit = fits(f, m.unit_a);
    if (fit)
        commit(f, &m);
    else
        roll_back(f, &m);
    return fit;
}

/* The same where only the later of the two uses anything of the earlier: there can be no cycle. */
static int absorb(tn_fusion *f, uint32_t a, uint32_t b)
{
    uint32_t x = f->order[f->unit[a]], y = f->order[f->unit[b]];
    f->n_found = 0;
    if (!merge_if(f, a, b, is_accepted)) return 0;
    f->order[f->unit[a]] = x > y ? x : y;
    return 1;
}

/* ---- maps ---- */

static uint32_t size_of(const tn_fusion *f, uint32_t unit)
{
    uint32_t size = 0, member = unit;
    do size++;
    while ((member = f->next[member]) != unit);
    return size;
}

static void try_maps(tn_fusion *f, uint32_t a, uint32_t b)
{
    if (f->unit[a] == f->unit[b] || size_of(f, a) + size_of(f, b) > TN_MAX_INSTRS / 2) return;
    if (!tn_order_forbids(f, a, b)) (void)merge_if(f, a, b, can_be_built);
}

static void merge_maps(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++) {
        tn_tensor *y = f->graph->tensor[i];
        if (!tn_is_stored_map(f, y)) continue;
        for (uint32_t k = 0; k < y->n_in; k++)
            if (tn_is_stored_map(f, y->in[k]) && tn_shape_equal(&y->type.shape, &y->in[k]->type.shape))
                try_maps(f, y->in[k]->id, i);
    }
}

/* Single numbers that end in variables, such as sums of losses and counts, are updated by one map. */
static void merge_counters(tn_fusion *f)
{
    const tn_tensor *first = NULL;
    for (uint32_t i = 0; i < f->graph->sinks; i++) {
        const tn_tensor *x = f->graph->sink[i].value;
        if (!f->graph->sink[i].variable || !tn_is_stored_map(f, x) || tn_shape_count(&x->type.shape) != 1) continue;
        if (!first)
            first = x;
        else if (tn_shape_equal(&x->type.shape, &first->type.shape))
            try_maps(f, first->id, x->id);
    }
}

/* ---- what the device refuses ---- */

/* What reads a stored tensor through maps that are computed again may be more than the device takes: then the last of
 * those maps is stored after all. */
static void check_remade(tn_fusion *f)
{
    for (uint32_t i = f->graph->count; i-- > 0;) {
        const tn_tensor *x = f->graph->tensor[i];
        uint32_t reads = 0;
        if (!f->live[i] || (!tn_is_stored_map(f, x) && x->op != &tn_op_reduce)) continue;
        for (uint32_t k = 0; k < x->n_in; k++) reads += f->reads[x->in[k]->id];
        if (!reads || is_accepted(f, i)) continue;
        for (uint32_t k = 0; k < x->n_in; k++)
            if (f->reads[x->in[k]->id]) f->remade[x->in[k]->id] = f->reads[x->in[k]->id] = 0;
    }
}

/* Makes units of members that were one: as few as the device takes. */
static void regroup(tn_fusion *f, const uint32_t member[], uint32_t count)
{
    uint32_t half = count / 2;
    for (uint32_t i = 0; i < count; i++) {
        f->unit[member[i]] = member[0];
        f->next[member[i]] = member[(i + 1) % count];
        f->order[member[i]] = f->order[member[0]];
    }
    if (count == 1 || is_accepted(f, member[0])) return;
    for (uint32_t i = half; i < count; i++) f->unit[member[i]] = member[half]; /* no longer of the first half's unit */
    regroup(f, member, half);
    regroup(f, member + half, count - half);
    (void)absorb(f, member[half - 1], member[half]); /* the last of the one half and the first of the other */
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Splits a unit of maps: members of lower numbers never depend on those of higher ones. */
static void split(tn_fusion *f, uint32_t unit)
{
    uint32_t members[TN_MAX_INSTRS], count = 0, member = unit, order = f->order[f->unit[unit]];
    do members[count++] = member;
    while ((member = f->next[member]) != unit);
    qsort(members, count, sizeof *members, by_number);
    f->order[members[0]] = order;
    regroup(f, members, count);
}

static void check_maps(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++)
        if (tn_is_stored_map(f, f->graph->tensor[i]) && f->unit[i] == i && f->next[i] != i && !is_accepted(f, i))
            split(f, i);
}

/* ---- kernels ---- */

/* The map unit that x belongs to if nothing but `user` uses anything of it. */
static int serves_only(const tn_fusion *f, const tn_tensor *x, const tn_tensor *user)
{
    uint32_t member = x->id;
    if (!tn_is_stored_map(f, x) || f->anchor[f->unit[x->id]]) return 0;
    do {
        const tn_tensor *m = f->graph->tensor[member];
        if (f->sunk[member]) return 0;
        for (uint32_t u = f->user_begin[member]; u < f->user_begin[member + 1]; u++)
            if (f->unit[f->user[u]] != f->unit[member] && (f->user[u] != user->id || m != x)) return 0;
    } while ((member = f->next[member]) != x->id);
    return 1;
}

static void feed_reductions(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++) {
        const tn_tensor *y = f->graph->tensor[i];
        if (f->live[i] && y->op == &tn_op_reduce && serves_only(f, y->in[0], y)) (void)absorb(f, y->in[0]->id, i);
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

static int can_follow(const tn_fusion *f, uint32_t user, const tn_tensor *x)
{
    const tn_tensor *map = f->graph->tensor[user];
    return user != x->id && tn_is_stored_map(f, map) && !f->anchor[f->unit[user]] &&
           tn_shape_equal(&x->type.shape, &map->type.shape);
}

/* What the unit of product y gives, if nobody but a reshape that keeps its columns reads it: that reshape. */
static const tn_tensor *only_reshape(const tn_fusion *f, const tn_tensor *y)
{
    uint32_t result = y->id;
    while (!tn_is_used_outside(f, f->graph->tensor[result]) && f->next[result] != y->id) result = f->next[result];
    uint32_t begin = f->user_begin[result];
    if (f->sunk[result] || f->user_begin[result + 1] != begin + 1) return NULL;
    const tn_tensor *view = f->graph->tensor[f->user[begin]];
    const tn_shape *s = &view->type.shape, *of = &y->type.shape;
    return view->op == &tn_op_reshape && of->rank == 2 && s->rank && s->dim[s->rank - 1] == of->dim[1] ? view : NULL;
}

/* Merges the unit of product y, a reshape of its result and the maps of that shape behind it. */
static int absorb_behind(tn_fusion *f, uint32_t map, uint32_t view, uint32_t y)
{
    uint32_t last = f->order[f->unit[map]];
    merging inner = begin(f, view, y), outer = begin(f, map, y);
    if (is_accepted(f, outer.unit_a)) {
        f->order[outer.unit_a] = last;
        return 1;
    }
    roll_back(f, &outer);
    roll_back(f, &inner);
    return 0;
}

/* Layers take what has several dimensions as a matrix, and give it in its own shape again. */
static void add_epilogues(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++) {
        const tn_tensor *y = f->graph->tensor[i], *view;
        if (!f->live[i] || !y->op->epilogue) continue;
        uint32_t user = only_user(f, y);
        if (can_follow(f, user, y)) (void)absorb(f, user, i);
        if (!(view = only_reshape(f, y))) continue;
        user = only_user(f, view);
        if (can_follow(f, user, view)) (void)absorb_behind(f, user, view->id, i);
    }
}

/* Sums of what a product reads anyway, such as the gradient of a bias beside that of a weight: the sum becomes the
 * product's second output. */
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
            if (!tn_order_forbids(f, y, z) && merge_if(f, y, z, is_accepted)) break;
        }
    }
}

/* ---- maps side by side ---- */

/* 1 for a unit of maps of x's shape alone that can run as soon as x is there. */
static int follows(const tn_fusion *f, uint32_t unit, const tn_tensor *x)
{
    uint32_t member = unit;
    do {
        const tn_tensor *m = f->graph->tensor[member];
        if (!tn_is_stored_map(f, m) || !tn_shape_equal(&m->type.shape, &x->type.shape)) return 0;
        for (uint32_t k = 0; k < m->n_in; k++)
            if (m->in[k]->id > x->id && !f->scalar[m->in[k]->id] && f->unit[m->in[k]->id] != f->unit[unit]) return 0;
    } while ((member = f->next[member]) != unit);
    return 1;
}

/* Maps that wait for nothing but one and the same kernel read its result once. */
static void join_followers(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++) {
        const tn_tensor *x = f->graph->tensor[i];
        const uint32_t *first = NULL;
        if (!f->live[i] || x->op->kind != TN_KERNEL) continue;
        for (uint32_t *user = f->user + f->user_begin[i]; user < f->user + f->user_begin[i + 1]; user++) {
            if (!follows(f, *user, x)) continue;
            if (first && f->unit[*first] != f->unit[*user] && !tn_order_forbids(f, *first, *user))
                (void)merge_if(f, *first, *user, is_accepted);
            first = user;
        }
    }
}

tn_status tn_fuse(const tn_graph *graph, const tn_target *target, tn_ir *ir)
{
    tn_fusion f = {.graph = graph, .target = target, .ir = ir};
    TN_TRY(tn_fusion_begin(&f));
    if (!target->unfused) {
        tn_find_remade(&f);
        check_remade(&f);
        merge_maps(&f);
        merge_counters(&f);
        check_maps(&f);
        feed_reductions(&f);
        add_epilogues(&f);
        join_sums(&f);
        join_followers(&f);
    }
    return f.status ? f.status : tn_emit_launches(&f);
}
