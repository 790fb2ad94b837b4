/* lower.c: replaces composites, and what the device refuses, by other operators. */
#include <string.h>

#include "leaf.h"
#include "rewrite.h"

typedef struct lowering {
    const tn_target *target; /* NULL: does everything */
    uint32_t lowered;
} lowering;

int tn_is_done(const tn_target *target, const tn_tensor *x)
{
    tn_operation *o = tn_alloc(sizeof *o);
    if (!o) return 1;
    for (uint32_t i = 0; i < x->n_in; i++) o->in[i] = tn_desc_dense(x->in[i]->type.dtype, &x->in[i]->type.shape);
    o->out[0] = tn_desc_dense(x->type.dtype, &x->type.shape);
    o->alias[0] = -1;
    if (x->op->describe) x->op->describe(x, o);
    o->desc = (tn_op_desc){.size = sizeof o->desc,
                           .name = x->op->name,
                           .in = o->in,
                           .out = o->out,
                           .n_in = x->n_in,
                           .n_out = 1,
                           .attrs = o->attrs.size ? &o->attrs : NULL,
                           .alias = o->alias};
    int done = target->supports(target->self, 0, &o->desc, &x->origin);
    tn_free(o);
    return done;
}

/* What is added up over the shards of a batch stays as it is. */
static int is_lowered(const lowering *l, const tn_tensor *x)
{
    if (x->op == &tn_op_across && x->graph->is_shard) return 0;
    if (x->op->kind == TN_COMPOSITE) return 1;
    return x->op->lower && x->op->kind == TN_KERNEL && l->target && !tn_is_done(l->target, x);
}

static tn_tensor *rule(void *arg, tn_tensor *copy)
{
    lowering *l = arg;
    if (!is_lowered(l, copy)) return copy;
    tn_tensor *made = copy->op->lower(copy);
    l->lowered += made != copy;
    return made;
}

/* A `lower` may itself use composites, so that it takes some rounds. */
tn_status tn_lower(const tn_graph *graph, const tn_target *target, tn_graph **out)
{
    tn_graph *now = NULL;
    lowering l = {target, 0};
    TN_TRY(tn_rewrite(graph, rule, &l, &now));
    while (l.lowered) {
        tn_graph *next = NULL;
        l.lowered = 0;
        tn_status s = tn_rewrite(now, rule, &l, &next);
        tn_graph_free(now);
        if (s) return s;
        now = next;
    }
    *out = now;
    return TN_OK;
}

/* x comes after another tensor. */
static tn_status depend(tn_tensor *x, tn_tensor *before)
{
    tn_tensor **in = tn_region_alloc(&x->graph->region, 2 * sizeof(tn_tensor *));
    if (!in) return TN_ENOMEM;
    in[0] = x->in[0], in[1] = before;
    x->in = in;
    x->n_in = 2;
    return TN_OK;
}

tn_status tn_chain_crossings(tn_graph *graph)
{
    tn_tensor *before = NULL;
    tn_status s = TN_OK;
    unsigned char *live = tn_alloc(graph->count + 1);
    if (!live) return TN_ENOMEM;
    tn_mark_live(graph, live);
    for (uint32_t i = 0; i < graph->count && !s; i++) {
        tn_tensor *x = graph->tensor[i];
        if (x->op != &tn_op_across || !live[i]) continue;
        if (before) s = depend(x, before);
        before = x;
    }
    tn_free(live);
    return s;
}

/* f32 to f64: leaves and casts by their attributes, all else by its operands. */
static tn_tensor *widen(void *arg, tn_tensor *copy)
{
    (void)arg;
    if (copy->type.dtype == TN_F32) copy->type.dtype = TN_F64;
    return copy;
}

tn_status tn_widen(const tn_graph *graph, tn_graph **out)
{
    return tn_rewrite(graph, widen, NULL, out);
}
