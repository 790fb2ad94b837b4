/* node.c: graphs and their tensors, and errors that stick. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "graph.h"
#include "plain.h"

/* The graphs of calls that have none, and of operands that are none: always failed, never written. */
static tn_tensor no_tensor, no_operand;
static tn_graph no_graph = {
    .status = TN_ENOMEM, .message = "out of memory for a graph: it is NULL", .empty = &no_tensor};
static tn_graph missing = {.status = TN_EINVAL, .message = "an operand is NULL", .empty = &no_operand};
static tn_tensor no_tensor = {.graph = &no_graph, .type = {TN_F32, {1, {0}}}};
static tn_tensor no_operand = {.graph = &missing, .type = {TN_F32, {1, {0}}}};

tn_graph *tn_graph_new(void)
{
    tn_graph *graph = tn_alloc(sizeof *graph);
    if (!graph) return NULL;
    graph->empty = tn_region_alloc(&graph->region, sizeof *graph->empty);
    if (!graph->empty) {
        tn_graph_free(graph);
        return NULL;
    }
    *graph->empty = (tn_tensor){.graph = graph, .type = {TN_F32, {1, {0}}}};
    return graph;
}

void tn_graph_free(tn_graph *graph)
{
    if (!graph || graph == &no_graph || graph == &missing) return;
    tn_region_free(&graph->region);
    tn_index_free(&graph->names);
    tn_free(graph->tensor);
    tn_free(graph->sink);
    tn_free(graph);
}

tn_status tn_graph_status(const tn_graph *graph)
{
    if (!graph) graph = &no_graph;
    return graph->status ? tn_fail(graph->status, "%s", graph->message) : TN_OK;
}

/* Of a node that would be next; NULL: there is none. */
static tn_origin origin_of_next(const tn_graph *graph, const char *op, const char *name)
{
    if (graph->stands_for) return *graph->stands_for;
    return (tn_origin){op, name, graph->scope ? graph->scope->prefix : NULL, graph->count};
}

static void fail(tn_graph *graph, tn_status status, const char *op, const char *format, va_list args)
{
    const tn_origin origin = origin_of_next(graph, op, NULL);
    graph->status = status;
    tn_vsnprintf(graph->message, sizeof graph->message, format, args);
    tn_origin_append(graph->message, sizeof graph->message, &origin);
}

void tn_graph_fail(tn_graph *graph, tn_status status, const char *format, ...)
{
    va_list args;
    if (!graph || graph->status) return;
    va_start(args, format);
    fail(graph, status, NULL, format ? format : "tn_graph_fail: format is NULL", args);
    va_end(args);
}

void tn_node_fail(tn_graph *graph, tn_status status, const char *format, ...)
{
    va_list args;
    if (!graph || graph->status) return;
    va_start(args, format);
    fail(graph, status, "", format, args);
    va_end(args);
}

tn_tensor *tn_graph_keep_error(tn_graph *graph, tn_status status)
{
    tn_graph_fail(graph, status, "%s", tn_message());
    return graph->empty;
}

tn_graph *tn_graph_or_failed(tn_graph *graph)
{
    return graph ? graph : &no_graph;
}

static int is_broken(const tn_graph *graph)
{
    return graph->status != TN_OK;
}

tn_graph *tn_graph_of(const tn_tensor *x)
{
    return x ? x->graph : &missing;
}

tn_shape tn_shape_of(const tn_tensor *x)
{
    return x ? x->type.shape : TN_SHAPE(0);
}

int32_t tn_dtype_of(const tn_tensor *x)
{
    return x ? x->type.dtype : TN_F32;
}

const char *tn_name_of(const tn_tensor *x)
{
    return x ? x->name : NULL;
}

uint32_t tn_graph_stream(tn_graph *graph)
{
    return graph->streams++;
}

tn_tensor *tn_graph_add(tn_graph *graph, const tn_op_def *op, tn_type type, tn_tensor *const in[], uint32_t n_in,
                        const void *attrs, const char *name)
{
    tn_status s = tn_grow(&graph->tensor, &graph->capacity, graph->count + 1, sizeof *graph->tensor);
    tn_tensor *x = s ? NULL : tn_region_alloc(&graph->region, sizeof *x);
    tn_tensor **operands = x ? tn_region_alloc(&graph->region, n_in * sizeof *operands) : NULL;
    void *kept = operands ? tn_region_alloc(&graph->region, op->attrs_size) : NULL;
    if (!kept || (name && tn_index_add(&graph->names, op, name, graph->count)))
        return tn_graph_keep_error(graph, TN_ENOMEM);
    if (n_in) memcpy(operands, in, n_in * sizeof *operands);
    if (op->attrs_size && attrs) memcpy(kept, attrs, op->attrs_size);
    *x = (tn_tensor){.graph = graph,
                     .op = op,
                     .type = type,
                     .in = operands,
                     .n_in = n_in,
                     .id = graph->count,
                     .attrs = kept,
                     .name = name,
                     .origin = origin_of_next(graph, op->name, name)};
    return graph->tensor[graph->count++] = x;
}

/* The graph that the operands have in common, or one that has failed. */
static tn_graph *common_graph(const char *op, tn_graph *graph, tn_tensor *const in[], uint32_t n_in)
{
    for (uint32_t i = 0; i < n_in && !graph; i++)
        if (in[i]) graph = in[i]->graph;
    if (!graph) return n_in ? &missing : &no_graph;
    for (uint32_t i = 0; i < n_in; i++) {
        if (!in[i]) tn_graph_fail(graph, TN_EINVAL, "%s: operand %u is NULL", op, i);
        if (!in[i] || in[i]->graph == graph) continue;
        if (is_broken(in[i]->graph)) return in[i]->graph;
        tn_graph_fail(graph, TN_EINVAL, "%s: operand %u is of another graph", op, i);
    }
    return graph;
}

tn_tensor *tn_node(const tn_op_def *op, tn_graph *graph, tn_tensor *const in[], uint32_t n_in, const void *attrs)
{
    tn_graph *common = common_graph(op->name, graph, in, n_in);
    tn_type type = {0};
    if (is_broken(common)) return common->empty;
    tn_status s = op->shape(in, n_in, attrs, &type);
    if (!s) s = tn_shape_check(&type.shape);
    if (s) {
        const tn_origin origin = origin_of_next(common, op->name, NULL);
        return tn_graph_keep_error(common, tn_fail_at(s, &origin));
    }
    return tn_graph_add(common, op, type, in, n_in, attrs, NULL);
}

tn_tensor *tn_graph_leaf(const tn_graph *graph, const tn_op_def *op, const char *name)
{
    uint32_t number;
    return tn_index_find(&graph->names, op, name, &number) ? graph->tensor[number] : NULL;
}
