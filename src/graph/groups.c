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

/* Something that is laid out as a pack, part by part. */
typedef struct pieces {
    const tn_tensor *pack;
    tn_tensor **part;
} pieces;

typedef struct grouping {
    const tn_graph *from;
    const tn_target *target;
    member *member;    /* by the variable's number in `from` */
    tn_tensor **whole; /* by the pack's: the variable that it becomes, once that is made */
    tn_tensor **next;  /* by the variable's: what is assigned to it, or NULL */
    int apart;         /* packs are taken apart */

    pieces *pieces; /* taken apart: of each tensor of the new graph, up to number `known` */
    uint32_t known;
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

/* 1 if what is made of a pack of variables is used otherwise than row by row and part by part: what rows make of the
 * zeros in between would be seen. */
static int is_seen_whole(const grouping *g, unsigned char *whole)
{
    for (uint32_t i = 0; i < g->from->count; i++) {
        const tn_tensor *x = g->from->tensor[i];
        int of_whole = 0;
        for (uint32_t k = 0; k < x->n_in; k++) of_whole |= whole[x->in[k]->id];
        whole[i] = tn_is_packed_variables(x) || (of_whole && x->op->kind == TN_MAP);
        if (of_whole && x->op->kind != TN_MAP && x->op != &tn_op_part) return 1;
    }
    for (uint32_t i = 0; i < g->from->sinks; i++)
        if (whole[g->from->sink[i].value->id]) return 1;
    return 0;
}

static void find_packs(grouping *g, unsigned char *room)
{
    g->apart = g->target->unfused || is_seen_whole(g, room);
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

/* What x is part by part, of the pack that it is made of; no pack: that is not known. */
static pieces pieces_of(const grouping *g, const tn_tensor *x)
{
    if (x->op == &tn_op_pack) return (pieces){x, x->in};
    return x->id < g->known ? g->pieces[x->id] : (pieces){NULL, NULL};
}

static int are_laid_out_alike(const tn_tensor *a, const tn_tensor *b)
{
    if (a == b) return 1;
    if (a->n_in != b->n_in) return 0;
    for (uint32_t i = 0; i < a->n_in; i++)
        if (!tn_shape_equal(&a->in[i]->type.shape, &b->in[i]->type.shape)) return 0;
    return 1;
}

/* The number that all elements of an operand are, as a tensor without dimensions; NULL: it is not one. */
static tn_tensor *number_of(tn_tensor *x)
{
    if (x->op == &tn_op_broadcast) x = x->in[0];
    return x->type.shape.rank ? NULL : x;
}

/* 1 if every operand is in parts as `pack` is, or a number. */
static int is_piecewise(const grouping *g, const tn_tensor *y, const tn_tensor *pack)
{
    for (uint32_t i = 0; i < y->n_in; i++) {
        const tn_tensor *other = pieces_of(g, y->in[i]).pack;
        if (other ? !are_laid_out_alike(other, pack) : !number_of(y->in[i])) return 0;
    }
    return y->n_in <= 4 && tn_shape_equal(&y->type.shape, &pack->type.shape);
}

static tn_tensor *row_part(const grouping *g, const tn_tensor *y, uint32_t number)
{
    tn_tensor *in[4];
    for (uint32_t i = 0; i < y->n_in; i++) {
        tn_tensor **part = pieces_of(g, y->in[i]).part;
        in[i] = part ? part[number] : number_of(y->in[i]);
    }
    return tn_node(y->op, NULL, in, y->n_in, y->attrs);
}

/* Notes what a row over packs is, part by part. The row itself stays, for who wants it whole. */
static void note_parts(grouping *g, tn_tensor *y)
{
    const tn_tensor *pack = NULL;
    int is_row = tn_row_of(y->op) || y->op == &tn_op_where || y->op == &tn_op_cast;
    for (uint32_t i = 0; is_row && !pack && i < y->n_in; i++) pack = pieces_of(g, y->in[i]).pack;
    if (!pack || !is_piecewise(g, y, pack)) return;
    tn_tensor **part = tn_region_alloc(&y->graph->region, pack->n_in * sizeof *part);
    if (!part || tn_grow(&g->pieces, &g->known, y->id + 1, sizeof *g->pieces)) {
        (void)tn_graph_keep_error(y->graph, TN_ENOMEM);
        return;
    }
    for (uint32_t i = 0; i < pack->n_in; i++) part[i] = row_part(g, y, i);
    g->pieces[y->id] = (pieces){pack, part};
}

/* A part of what is known part by part. */
static tn_tensor *find_part(const grouping *g, tn_tensor *y)
{
    pieces p = pieces_of(g, y->in[0]);
    int64_t start = 0, wanted = ((const tn_part_node *)y->attrs)->start;
    for (uint32_t i = 0; p.pack && i < p.pack->n_in && start <= wanted; i++) {
        if (start == wanted && tn_shape_count(&p.pack->in[i]->type.shape) == tn_shape_count(&y->type.shape))
            return tn_reshape(p.part[i], y->type.shape);
        start = tn_pack_next(start, p.pack->in[i]);
    }
    return y;
}

/* The sum of a pack, or of its squares, which has zeros in between, is that of its parts' sums. */
static tn_tensor *sum_of_parts(const grouping *g, tn_tensor *y)
{
    const tn_tensor *x = y->in[0];
    pieces p = pieces_of(g, x);
    tn_tensor *sum = NULL;
    int is_zero_between = x->op == &tn_op_pack || (x->op == tn_row_square && x->in[0]->op == &tn_op_pack);
    if (!p.pack || !is_zero_between || !tn_sum_axes(y) || y->type.shape.rank) return y;
    for (uint32_t i = 0; i < p.pack->n_in; i++) {
        tn_tensor *own = tn_sum(p.part[i], TN_ALL, 0);
        sum = sum ? tn_add(sum, own) : own;
    }
    return sum;
}

static tn_tensor *take_apart(void *arg, tn_tensor *y)
{
    grouping *g = arg;
    if (y->op == &tn_op_part) return find_part(g, y);
    if (y->op == &tn_op_reduce) return sum_of_parts(g, y);
    note_parts(g, y);
    return y;
}

tn_status tn_group_variables(const tn_graph *graph, const tn_target *target, tn_graph **out)
{
    grouping g = {.from = graph, .target = target};
    tn_region region = {0};
    g.member = tn_region_alloc(&region, (graph->count + 1) * sizeof *g.member);
    g.whole = tn_region_alloc(&region, (graph->count + 1) * sizeof *g.whole);
    unsigned char *room = tn_region_alloc(&region, graph->count + 1);
    g.next = tn_region_alloc(&region, (graph->count + 1) * sizeof *g.next);
    tn_status s = g.member && g.whole && g.next && room ? TN_OK : TN_ENOMEM;
    if (!s) {
        find_packs(&g, room);
        s = tn_rewrite(graph, g.apart ? take_apart : join, &g, out);
    }
    if (!s && !g.apart) {
        join_sinks(&g, *out);
        s = tn_graph_status(*out);
        if (s) tn_graph_free(*out);
    }
    tn_free(g.pieces);
    tn_region_free(&region);
    return s;
}
