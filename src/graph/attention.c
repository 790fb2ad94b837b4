/* attention.c: finds attention that is written as two products with softmax between them, as files of other programs
 * have it, and makes one operator of it where the device has that one: it never stores the scores. Weights that
 * something else needs as well, such as a gradient or dropout, are left as they are. */
#include <math.h>
#include <string.h>

#include "attend.h"
#include "leaf.h"
#include "rewrite.h"

/* What a score is made of. */
typedef struct parts {
    tn_tensor *q, *k, *mask; /* mask: added, or NULL */
    double scale;
    uint32_t turned; /* k is (d, m) as it lies */
} parts;

static int is_row(const tn_tensor *x, const char *name)
{
    return !strcmp(x->op->name, name);
}

static int is_number(const tn_tensor *x, double *value)
{
    while (x->op == &tn_op_broadcast || x->op == &tn_op_reshape) x = x->in[0];
    if (x->op != &tn_op_full) return 0;
    *value = ((const tn_full_attrs *)x->attrs)->value;
    return 1;
}

/* A product of queries and keys, perhaps times a number. */
static int find_product(const tn_tensor *s, parts *p)
{
    double by = 1;
    if (is_row(s, "mul") && is_number(s->in[1], &by))
        s = s->in[0];
    else if (is_row(s, "mul") && is_number(s->in[0], &by))
        s = s->in[1];
    else if (is_row(s, "div") && is_number(s->in[1], &by))
        s = s->in[0], by = 1 / by;
    if (s->op != &tn_op_matmul || ((const tn_matmul_node *)s->attrs)->trans_a) return 0;
    p->q = s->in[0], p->k = s->in[1], p->scale = by;
    p->turned = !((const tn_matmul_node *)s->attrs)->trans_b;
    return isfinite(by);
}

static int find_scores(const tn_tensor *s, parts *p)
{
    p->mask = NULL;
    for (int i = 0; i < 2 && is_row(s, "add"); i++) {
        p->mask = s->in[1 - i];
        if (find_product(s->in[i], p)) return 1;
    }
    return find_product(s, p) && !p->mask;
}

/* The dimensions before the last two as samples and heads: of 4 as they are, of fewer all as heads. */
static tn_tensor *with_heads(tn_tensor *x)
{
    tn_shape s = x->type.shape, to = TN_SHAPE(1, 1, 1, 1);
    for (int32_t d = 0; d < s.rank; d++) to.dim[4 - s.rank + d] = s.dim[d];
    return tn_reshape(x, to);
}

/* A mask without what only stretches it, unless that is along the keys. */
static tn_tensor *bare_mask(tn_tensor *mask)
{
    while (mask->op == &tn_op_broadcast) {
        const tn_shape *from = &mask->in[0]->type.shape, *to = &mask->type.shape;
        if (!from->rank || from->dim[from->rank - 1] != to->dim[to->rank - 1]) break;
        mask = mask->in[0];
    }
    return mask;
}

static int suits(const parts *p, const tn_tensor *v, const tn_tensor *y)
{
    const int32_t rank = y->type.shape.rank, dtype = y->type.dtype;
    const tn_tensor *each[] = {p->q, p->k, v};
    for (int i = 0; i < 3; i++)
        if (each[i]->type.shape.rank != rank || !tn_shape_count(&each[i]->type.shape)) return 0;
    if (rank > 4 || (dtype != TN_F32 && dtype != TN_F64)) return 0;
    if (!p->mask) return 1;
    const tn_shape *mask = &p->mask->type.shape;
    return mask->rank && mask->rank <= rank && mask->dim[mask->rank - 1] == v->type.shape.dim[rank - 2];
}

/* The operator, as a tensor of y's shape; y where the device has it not. */
static tn_tensor *in_tiles(const tn_target *target, tn_tensor *y, const parts *p)
{
    const tn_attend_node at = {p->scale, 0, 0, 0};
    tn_tensor *q = with_heads(p->q), *k = with_heads(p->k), *v = with_heads(y->in[1]);
    if (p->turned) k = tn_transpose(k, (const int32_t[]){0, 1, 3, 2});
    tn_tensor *both = tn_attend_tiles(q, k, v, p->mask ? with_heads(p->mask) : NULL, &at);
    if (tn_graph_status(y->graph) || !tn_is_done(target, both)) return y;
    return tn_reshape(tn_attend_result(both, q, v), y->type.shape);
}

typedef struct search {
    const tn_target *target;
    const tn_graph *graph;
    const unsigned char *live;
    const uint32_t *uses;
    uint32_t next; /* the number of the tensor whose copy comes next */
} search;

/* The tensor of the old graph that was copied. */
static const tn_tensor *original(search *s)
{
    while (!s->live[s->next]) s->next++;
    return s->graph->tensor[s->next++];
}

static tn_tensor *rule(void *arg, tn_tensor *copy)
{
    search *s = arg;
    const tn_tensor *old = original(s);
    parts p;
    if (copy->op != &tn_op_matmul || copy->in[0]->op != &tn_op_softmax || s->uses[old->in[0]->id] != 1) return copy;
    const tn_matmul_node *at = copy->attrs;
    const tn_tensor *weights = copy->in[0];
    const uint32_t axis = ((const tn_softmax_node *)weights->attrs)->axis;
    if (at->trans_a || at->trans_b || (int32_t)axis != weights->type.shape.rank - 1) return copy;
    if (!find_scores(weights->in[0], &p)) return copy;
    if (p.mask) p.mask = bare_mask(p.mask);
    return suits(&p, copy->in[1], copy) ? in_tiles(s->target, copy, &p) : copy;
}

static uint32_t count_uses(const tn_graph *graph, const unsigned char *live, uint32_t *uses)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        const tn_tensor *x = graph->tensor[i];
        found += live[i] && x->op == &tn_op_softmax;
        for (uint32_t k = 0; live[i] && k < x->n_in; k++) uses[x->in[k]->id]++;
    }
    for (uint32_t i = 0; i < graph->sinks; i++) uses[graph->sink[i].value->id]++;
    return found;
}

tn_status tn_find_attention(const tn_graph *graph, const tn_target *target, tn_graph **out)
{
    unsigned char *live = tn_alloc(graph->count + 1);
    uint32_t *uses = tn_alloc((graph->count + 1) * sizeof *uses);
    tn_status s = live && uses ? TN_OK : TN_ENOMEM;
    *out = NULL;
    if (!s) tn_mark_live(graph, live);
    search all = {target, graph, live, uses, 0};
    if (!s && count_uses(graph, live, uses)) s = tn_rewrite(graph, rule, &all, out);
    tn_free(live);
    tn_free(uses);
    return s;
}
