/* scope.c: what names begin with. */
#include <string.h>

#include "given.h"
#include "graph.h"

static const char *within(tn_graph *graph, const char *name)
{
    const int ends = name[strlen(name) - 1] == '.';
    return tn_region_print(&graph->region, "%s%s%s", tn_scope_of(graph), name, ends ? "" : ".");
}

void tn_scope_push(tn_graph *graph, const char *name)
{
    graph = tn_graph_or_failed(graph);
    if (name && !*name) tn_graph_fail(graph, TN_EINVAL, "tn_scope_push: name is empty");
    if (graph->status) return;
    tn_scope *scope = tn_region_alloc(&graph->region, sizeof *scope);
    if (scope) scope->prefix = name ? within(graph, name) : "";
    if (!scope || !scope->prefix) {
        (void)tn_graph_keep_error(graph, TN_ENOMEM);
        return;
    }
    scope->outer = graph->scope;
    graph->scope = scope;
}

void tn_scope_pop(tn_graph *graph)
{
    graph = tn_graph_or_failed(graph);
    if (graph->status) return;
    if (graph->scope)
        graph->scope = graph->scope->outer;
    else
        tn_graph_fail(graph, TN_EINVAL, "tn_scope_pop: no scope is open");
}

const char *tn_scope_of(const tn_graph *graph)
{
    return graph && graph->scope ? graph->scope->prefix : "";
}

const char *tn_scoped_name(tn_graph *graph, const char *name)
{
    return graph->scope ? tn_region_print(&graph->region, "%s%s", graph->scope->prefix, name) : name;
}
