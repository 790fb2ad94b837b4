/* freeze.c: variables that training leaves as they are. */
#include "build.h"
#include "leaf.h"
#include "pattern.h"

/* A variable that is kept: neither data nor a sum. */
static int is_kept(const tn_tensor *x)
{
    return x->op == &tn_op_variable && !(((const tn_variable_attrs *)x->attrs)->flags & TN_TRANSIENT);
}

/* Freezes what one pattern names; returns how many there are. */
static size_t freeze(tn_graph *graph, const char *pattern, size_t length)
{
    size_t found = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        tn_tensor *x = graph->tensor[i];
        if (!is_kept(x) || !tn_pattern_matches(pattern, length, x->name)) continue;
        ((tn_variable_attrs *)x->attrs)->flags &= ~TN_TRAINABLE;
        (void)tn_unassign(x); /* as of running statistics */
        found++;
    }
    return found;
}

static void fail_unknown(tn_graph *graph, const char *pattern, size_t length)
{
    const char *first = NULL, *last = NULL;
    for (uint32_t i = 0; i < graph->count; i++) {
        if (!is_kept(graph->tensor[i])) continue;
        last = graph->tensor[i]->name;
        if (!first) first = last;
    }
    tn_graph_fail(graph, TN_EMISSING, "freeze: no variable is called '%.*s'; there are '%s' to '%s'", (int)length,
                  pattern, first ? first : "", last ? last : "");
}

void tn_freeze(tn_graph *graph, const char *patterns)
{
    size_t length;
    if (!patterns) tn_graph_fail(graph, TN_EINVAL, "tn_freeze: patterns is NULL");
    for (const char *at; !tn_graph_status(graph) && (at = tn_pattern_next(&patterns, &length));)
        if (!freeze(graph, at, length)) fail_unknown(graph, at, length);
}
