/* groups.c: makes one variable of a pack of variables, where the state keeps them so: in one piece and that order.
 * Their other uses become parts of it, and their assignments one. Where the state doesn't, or nothing is to be fused,
 * what is done to a pack is done to each of its parts instead. */
#include <string.h>

#include "leaf.h"
#include "reduce.h"
#include "rewrite.h"
#include "rows.h"

/* Which pack a variable is in, and where. */
typedef struct member {
    const tn_tensor *pack; /* NULL: in none */
    uint32_t number;
    int64_t start;
} member;

typedef struct grouping {
    const tn_graph *from;
    const tn_target *target;
    member *member;    /* by the variable's number in `from` */
    tn_tensor **whole; /* by the pack's: the variable that it becomes, once that is made */
    tn_tensor **next;  /* by the variable's: what is assigned to it, or NULL */
    int apart;         /* packs are taken apart */
} grouping;

/* ---- which packs there are ---- */

/* 1 if the state keeps the pack's variables where they belong in it. */
static int is_whole(const grouping *g, const tn_tensor *pack)
{
    uint64_t size = g->target->element(g->target->self, pack->type.dtype), begin = 0, offset = 0;
    uint32_t first = 0, buffer = 0;
    int64_t start = 0;
    for (uint32_t i = 0; i < pack->n_in; i++) {
        const tn_tensor *x = pack->in[i];
        if (g->target->find(g->target->self, x->name, &buffer, &offset)) return 0;
        if (!i) first = buffer, begin = offset;
        if (buffer != first || offset - begin != (uint64_t)start * size) return 0;
        start = tn_pack_next(start, x);
    }
    return 1;
}

static void enlist(grouping *g, const tn_tensor *pack)
{
    int64_t start = 0;
    for (uint32_t i = 0; i < pack->n_in; i++) {
        member *m = &g->member[pack->in[i]->id];
        g->apart |= m->pack != NULL;
        *m = (member){pack, i, start};
        start = tn_pack_next(start, pack->in[i]);
    }
}

static void find_packs(grouping *g)
{
    g->apart = g->target->unfused != 0;
    for (uint32_t i = 0; i < g->from->count && !g->apart; i++) {
        const tn_tensor *x = g->from->tensor[i];
        if (!tn_is_packed_variables(x)) continue;
        g->apart = !is_whole(g, x);
        enlist(g, x);
    }
}

/* ---- one variable ---- */

/* The variable that has the place of all: it goes by the first one's name. */
static tn_tensor *whole_of(grouping *g, const tn_tensor *pack, tn_graph *to)
{
    tn_tensor **whole = &g->whole[pack->id];
    const tn_tensor *first = pack->in[0];
    const char *name = *whole ? NULL : tn_region_print(&to->region, "%s", first->name);
    if (*whole) return *whole;
    if (!name) return tn_graph_keep_error(to, TN_ENOMEM);
    return *whole = tn_graph_add(to, first->op, pack->type, NULL, 0, first->attrs, name);
}

static tn_tensor *join(void *arg, tn_tensor *copy)
{
    grouping *g = arg;
    if (copy->op == &tn_op_pack) return tn_simplify_pack(copy);
    if (copy->op != &tn_op_variable) return copy;
    const member *m = &g->member[tn_graph_leaf(g->from, copy->op, copy->name)->id];
    return m->pack ? tn_part(whole_of(g, m->pack, copy->graph), m->start, copy->type.shape) : copy;
}

/* What the whole becomes: the values of its parts, packed. */
static tn_tensor *next_value(grouping *g, const tn_tensor *pack)
{
    tn_tensor **part = tn_alloc((pack->n_in + 1) * sizeof *part), *whole = g->whole[pack->id];
    if (!part) return tn_graph_keep_error(whole->graph, TN_ENOMEM);
    for (uint32_t i = 0; i < pack->n_in; i++) {
        const tn_tensor *x = pack->in[i];
        part[i] = g->next[x->id] ? g->next[x->id] : tn_part(whole, g->member[x->id].start, x->type.shape);
    }
    tn_tensor *value = tn_pack(part, pack->n_in);
    tn_free(part);
    return tn_graph_status(whole->graph) ? value : tn_simplify_pack(value);
}

/* One assignment for all the parts' of each pack, in the place of the first. */
static void join_sinks(grouping *g, tn_graph *to)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < to->sinks; i++)
        if (g->from->sink[i].variable) g->next[g->from->sink[i].variable->id] = to->sink[i].value;
    for (uint32_t i = 0; i < to->sinks; i++) {
        const tn_tensor *variable = g->from->sink[i].variable;
        const tn_tensor *pack = variable ? g->member[variable->id].pack : NULL;
        tn_tensor *whole = pack ? g->whole[pack->id] : NULL;
        if (whole && whole->is_assigned) continue;
        if (whole) {
            whole->is_assigned = 1;
            to->sink[i] = (tn_sink){NULL, whole, next_value(g, pack)};
        }
        to->sink[kept++] = to->sink[i];
    }
    to->sinks = kept;
}

/* ---- taken apart ---- */

/* What a map's operand is for part `number`, of that shape: the part of a pack, or the number that all share. */
static tn_tensor *operand_for(tn_tensor *x, uint32_t number)
{
    if (x->op == &tn_op_pack) return x->in[number];
    if (x->op == &tn_op_broadcast) x = x->in[0];
    return tn_shape_count(&x->type.shape) == 1 && !x->type.shape.rank ? x : NULL;
}

/* One part of a row over packs; NULL if an operand is neither packed likewise nor a number. */
static tn_tensor *row_part(const tn_tensor *y, const tn_tensor *pack, uint32_t number)
{
    tn_tensor *in[4];
    for (uint32_t i = 0; i < y->n_in; i++) {
        int fits = y->in[i]->op != &tn_op_pack || y->in[i]->n_in == pack->n_in;
        in[i] = fits ? operand_for(y->in[i], number) : NULL;
        if (!in[i]) return NULL;
        if (y->in[i]->op == &tn_op_pack && !tn_shape_equal(&in[i]->type.shape, &pack->in[number]->type.shape))
            return NULL;
    }
    return tn_node(y->op, NULL, in, y->n_in, y->attrs);
}

static const tn_tensor *packed_operand(const tn_tensor *y)
{
    for (uint32_t i = 0; i < y->n_in; i++)
        if (y->in[i]->op == &tn_op_pack) return y->in[i];
    return NULL;
}

/* A row over packs is a pack of rows. */
static tn_tensor *part_by_part(tn_tensor *y, const tn_tensor *pack)
{
    tn_tensor **part = tn_alloc((pack->n_in + 1) * sizeof *part);
    if (!part) return tn_graph_keep_error(y->graph, TN_ENOMEM);
    uint32_t done = 0;
    while (done < pack->n_in && (part[done] = row_part(y, pack, done))) done++;
    tn_tensor *parts = done == pack->n_in ? tn_pack(part, done) : y;
    tn_free(part);
    return parts;
}

/* The sum of a pack is that of its parts' sums. */
static tn_tensor *sum_of_parts(const tn_tensor *pack)
{
    tn_tensor *sum = NULL;
    for (uint32_t i = 0; i < pack->n_in; i++) {
        tn_tensor *own = tn_sum(pack->in[i], TN_ALL, 0);
        sum = sum ? tn_add(sum, own) : own;
    }
    return sum;
}

static tn_tensor *take_apart(void *arg, tn_tensor *y)
{
    const tn_tensor *pack = packed_operand(y);
    (void)arg;
    if (!pack) return y;
    if (y->op == &tn_op_part) return tn_simplify_pack(y);
    if (y->op == &tn_op_reduce && tn_sum_axes(y) && !y->type.shape.rank) return sum_of_parts(pack);
    int is_row = tn_row_of(y->op) || y->op == &tn_op_where || y->op == &tn_op_cast;
    return is_row && y->n_in <= 4 && tn_shape_equal(&y->type.shape, &pack->type.shape) ? part_by_part(y, pack) : y;
}

tn_status tn_group_variables(const tn_graph *graph, const tn_target *target, tn_graph **out)
{
    grouping g = {.from = graph, .target = target};
    tn_region region = {0};
    g.member = tn_region_alloc(&region, (graph->count + 1) * sizeof *g.member);
    g.whole = tn_region_alloc(&region, (graph->count + 1) * sizeof *g.whole);
    g.next = tn_region_alloc(&region, (graph->count + 1) * sizeof *g.next);
    tn_status s = g.member && g.whole && g.next ? TN_OK : TN_ENOMEM;
    if (!s) {
        find_packs(&g);
        s = tn_rewrite(graph, g.apart ? take_apart : join, &g, out);
    }
    if (!s && !g.apart) {
        join_sinks(&g, *out);
        s = tn_graph_status(*out);
        if (s) tn_graph_free(*out);
    }
    tn_region_free(&region);
    return s;
}
