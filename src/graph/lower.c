/* lower.c: replaces composites, and what the device refuses, by other operators. */
#include <string.h>

#include "leaf.h"
#include "rewrite.h"

typedef struct lowering {
    const tn_target *target; /* NULL: does everything */
    uint32_t lowered;
} lowering;

/* Whether the target's first place does a kernel, on operands as the graph has them. */
static int is_done(const tn_target *target, const tn_tensor *x)
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
    int done = target->supports(target->self, 0, &o->desc);
    tn_free(o);
    return done;
}

static tn_tensor *rule(void *arg, tn_tensor *copy)
{
    lowering *l = arg;
    int is_refused = copy->op->lower && copy->op->kind == TN_KERNEL && l->target && !is_done(l->target, copy);
    int needed = copy->op->kind == TN_COMPOSITE || is_refused;
    if (!needed) return copy;
    l->lowered++;
    return copy->op->lower(copy);
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
