/* lower.c: replaces composites, and what the device refuses, by other operators. */
#include <string.h>

#include "leaf.h"
#include "rewrite.h"

typedef struct lowering {
    tn_refused *refused;
    void *arg;
    uint32_t lowered;
} lowering;

static tn_tensor *rule(void *arg, tn_tensor *copy)
{
    lowering *l = arg;
    int needed = copy->op->lower && (copy->op->kind == TN_COMPOSITE || l->refused(l->arg, copy));
    if (!needed) return copy;
    l->lowered++;
    return copy->op->lower(copy);
}

/* A `lower` may itself use composites, so that it takes some rounds. */
tn_status tn_lower(const tn_graph *graph, tn_refused *refused, void *arg, tn_graph **out)
{
    tn_graph *now = NULL;
    lowering l = {refused, arg, 0};
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
