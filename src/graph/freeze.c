/* freeze.c: variables that training leaves as they are. */
#include "build.h"
#include "leaf.h"
#include "pattern.h"

/* A variable that is kept: neither data nor a sum. */
static int is_kept(const tn_tensor *x)
{
    return x->op == &tn_op_variable && !(((const tn_variable_attrs *)x->attrs)->flags & TN_TRANSIENT);
}

/* Assignments to it, as of running statistics, go. */
static void drop_sinks(tn_graph *graph, tn_tensor *variable)
{
    uint32_t kept = 0;
    if (!variable->is_assigned) return;
    for (uint32_t i = 0; i < graph->sinks; i++)
        if (graph->sink[i].variable != variable) graph->sink[kept++] = graph->sink[i];
    graph->sinks = kept;
    variable->is_assigned = 0;
}

/* Freezes what one pattern names; returns how many there are. */
static size_t freeze(tn_graph *graph, const char *pattern, size_t length)
{
    size_t found = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        tn_tensor *x = graph->tensor[i];
        if (!is_kept(x) || !tn_pattern_matches(pattern, length, x->name)) continue;
        ((tn_variable_attrs *)x->attrs)->flags &= ~TN_TRAINABLE;
        drop_sinks(graph, x);
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
