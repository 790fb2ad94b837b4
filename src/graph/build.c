/* build.c: building a graph: nodes, leaves, sinks, and errors that stick. */
#include "build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "leaf.h"

/* The graph of calls that have none: always failed, never written. */
static tn_tensor no_tensor;
static tn_graph no_graph = {.status = TN_ENOMEM, .message = "out of memory for a graph", .empty = &no_tensor};
static tn_tensor no_tensor = {.graph = &no_graph, .type = {TN_F32, {1, {0}}}};

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
    if (!graph || graph == &no_graph) return;
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

void tn_graph_fail(tn_graph *graph, tn_status status, const char *format, ...)
{
    va_list args;
    if (!graph || graph->status) return;
    graph->status = status;
    va_start(args, format);
    vsnprintf(graph->message, sizeof graph->message, format, args);
    va_end(args);
}

/* Keeps the error that this thread has just met. */
static tn_tensor *failed(tn_graph *graph, tn_status status)
{
    tn_graph_fail(graph, status, "%s", tn_message());
    return graph->empty;
}

static int is_broken(const tn_graph *graph)
{
    return graph->status != TN_OK;
}

tn_graph *tn_graph_of(const tn_tensor *x)
{
    return x ? x->graph : &no_graph;
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
    if (!kept || (name && tn_index_add(&graph->names, op, name, graph->count))) return failed(graph, TN_ENOMEM);
    if (n_in) memcpy(operands, in, n_in * sizeof *operands);
    if (op->attrs_size && attrs) memcpy(kept, attrs, op->attrs_size);
    *x = (tn_tensor){.graph = graph,
                     .op = op,
                     .type = type,
                     .in = operands,
                     .n_in = n_in,
                     .id = graph->count,
                     .attrs = kept,
                     .name = name};
    return graph->tensor[graph->count++] = x;
}

/* The graph that the operands have in common, or NULL. */
static tn_graph *common_graph(tn_graph *graph, tn_tensor *const in[], uint32_t n_in)
{
    for (uint32_t i = 0; i < n_in; i++) {
        if (!in[i]) return NULL;
        if (!graph) graph = in[i]->graph;
        if (is_broken(in[i]->graph)) return in[i]->graph;
        if (in[i]->graph != graph) return NULL;
    }
    return graph;
}

tn_tensor *tn_node(const tn_op_def *op, tn_graph *graph, tn_tensor *const in[], uint32_t n_in, const void *attrs)
{
    tn_graph *common = common_graph(graph, in, n_in);
    tn_type type = {0};
    if (!common && graph) tn_graph_fail(graph, TN_EINVAL, "%s: an operand of another graph, or none", op->name);
    if (!common && n_in && in[0]) tn_graph_fail(in[0]->graph, TN_EINVAL, "%s: operands of different graphs", op->name);
    if (!common || is_broken(common)) return common ? common->empty : no_graph.empty;
    tn_status s = op->shape(in, n_in, attrs, &type);
    if (!s) s = tn_shape_check(&type.shape);
    if (s) return failed(common, s);
    return tn_graph_add(common, op, type, in, n_in, attrs, NULL);
}

/* ---- leaves ---- */

tn_tensor *tn_graph_leaf(const tn_graph *graph, const tn_op_def *op, const char *name)
{
    uint32_t number;
    return tn_index_find(&graph->names, op, name, &number) ? graph->tensor[number] : NULL;
}

/* A named leaf, made unless it is there; one that is there must have the same type. */
static tn_tensor *named(tn_graph *graph, const tn_op_def *op, const char *name, tn_type type, const void *attrs)
{
    char before[160], now[160];
    if (!graph) graph = &no_graph;
    if (is_broken(graph)) return graph->empty;
    if (!name || !*name) tn_graph_fail(graph, TN_EINVAL, "%s: a name is needed", op->name);
    tn_status s = tn_shape_check(&type.shape);
    if (s) return failed(graph, tn_fail(s, "%s '%s': %s", op->name, name ? name : "", tn_message()));
    if (!tn_dtype_size(type.dtype)) tn_graph_fail(graph, TN_EDTYPE, "%s '%s': no element type", op->name, name);
    if (is_broken(graph)) return graph->empty;
    tn_tensor *there = tn_graph_leaf(graph, op, name);
    if (there && there->type.dtype == type.dtype && tn_shape_equal(&there->type.shape, &type.shape)) return there;
    if (there) {
        tn_graph_fail(graph, TN_ESHAPE, "%s '%s' is %s %s and is asked for as %s %s", op->name, name,
                      tn_dtype_name(there->type.dtype), tn_shape_text(&there->type.shape, before, sizeof before),
                      tn_dtype_name(type.dtype), tn_shape_text(&type.shape, now, sizeof now));
        return graph->empty;
    }
    const char *kept = tn_region_print(&graph->region, "%s", name);
    return kept ? tn_graph_add(graph, op, type, NULL, 0, attrs, kept) : failed(graph, TN_ENOMEM);
}

tn_tensor *tn_input(tn_graph *graph, const char *name, int32_t dtype, tn_shape shape)
{
    return named(graph, &tn_op_input, name, (tn_type){dtype, shape}, NULL);
}

tn_tensor *tn_scalar_input(tn_graph *graph, const char *name, int32_t dtype, double value)
{
    tn_scalar_attrs attrs = {.value = value};
    return named(graph, &tn_op_scalar, name, (tn_type){dtype, TN_SCALAR}, &attrs);
}

tn_tensor *tn_variable(tn_graph *graph, const char *name, int32_t dtype, tn_shape shape, tn_init init, uint32_t flags)
{
    tn_variable_attrs attrs;
    memset(&attrs, 0, sizeof attrs);
    attrs.init.kind = init.kind;
    attrs.init.a = init.a;
    attrs.init.fan_in = init.fan_in;
    attrs.init.fan_out = init.fan_out;
    attrs.flags = flags;
    return named(graph, &tn_op_variable, name, (tn_type){dtype, shape}, &attrs);
}

tn_tensor *tn_param(tn_graph *graph, const char *name, tn_shape shape, tn_init init)
{
    return tn_variable(graph, name, TN_F32, shape, init, TN_TRAINABLE);
}

tn_tensor *tn_full(tn_graph *graph, int32_t dtype, tn_shape shape, double value)
{
    if (!graph) graph = &no_graph;
    if (is_broken(graph)) return graph->empty;
    tn_status s = tn_shape_check(&shape);
    if (!s && !tn_dtype_size(dtype)) s = tn_fail(TN_EDTYPE, "full: no element type");
    int is_real = dtype == TN_F32 || dtype == TN_F64; /* computed in f64 when a graph is widened */
    const tn_full_attrs attrs = {s || is_real ? value : tn_kept_as(dtype, value)};
    return s ? failed(graph, s) : tn_graph_add(graph, &tn_op_full, (tn_type){dtype, shape}, NULL, 0, &attrs, NULL);
}

tn_tensor *tn_number(tn_tensor *like, double value)
{
    return tn_full(tn_graph_of(like), tn_dtype_of(like), TN_SCALAR, value);
}

/* ---- sinks ---- */

void tn_graph_sink(tn_graph *graph, tn_sink sink)
{
    tn_status s = tn_grow(&graph->sink, &graph->sink_capacity, graph->sinks + 1, sizeof *graph->sink);
    if (s) {
        (void)failed(graph, s);
        return;
    }
    if (sink.variable) sink.variable->is_assigned = 1;
    graph->sink[graph->sinks++] = sink;
}

void tn_output(tn_tensor *x, const char *name)
{
    uint32_t other;
    tn_graph *graph = tn_graph_of(x);
    if (is_broken(graph)) return;
    if (tn_index_find(&graph->names, NULL, name, &other))
        tn_graph_fail(graph, TN_EINVAL, "output '%s' is there already", name);
    const char *kept = tn_region_print(&graph->region, "%s", name);
    if (!kept || tn_index_add(&graph->names, NULL, kept, graph->sinks)) (void)failed(graph, TN_ENOMEM);
    if (!is_broken(graph)) tn_graph_sink(graph, (tn_sink){kept, NULL, x});
}

void tn_assign(tn_tensor *variable, tn_tensor *value)
{
    char before[160], now[160];
    tn_graph *graph = tn_graph_of(variable);
    if (is_broken(graph)) return;
    if (!value || value->graph != graph)
        tn_graph_fail(graph, TN_EINVAL, "assign '%s': a value of another graph", variable->name);
    else if (variable->op != &tn_op_variable)
        tn_graph_fail(graph, TN_EINVAL, "assign: a %s is no variable", variable->op->name);
    else if (variable->type.dtype != value->type.dtype || !tn_shape_equal(&variable->type.shape, &value->type.shape))
        tn_graph_fail(graph, TN_ESHAPE, "assign '%s': %s %s cannot take %s %s", variable->name,
                      tn_dtype_name(variable->type.dtype), tn_shape_text(&variable->type.shape, before, sizeof before),
                      tn_dtype_name(value->type.dtype), tn_shape_text(&value->type.shape, now, sizeof now));
    if (variable->is_assigned) tn_graph_fail(graph, TN_EINVAL, "variable '%s' is assigned twice", variable->name);
    if (!is_broken(graph)) tn_graph_sink(graph, (tn_sink){NULL, variable, value});
}

void tn_keep_together(tn_tensor *variable, uint32_t group)
{
    if (!is_broken(variable->graph) && variable->op == &tn_op_variable)
        ((tn_variable_attrs *)variable->attrs)->group = group;
}

void tn_advance_step(tn_graph *graph)
{
    if (graph && graph != &no_graph) graph->advances_step = 1;
}

size_t tn_variables(tn_graph *graph, uint32_t flags, tn_tensor *out[], size_t capacity)
{
    size_t found = 0;
    for (uint32_t i = 0; graph && i < graph->count; i++) {
        tn_tensor *x = graph->tensor[i];
        if (x->op != &tn_op_variable) continue;
        if ((((const tn_variable_attrs *)x->attrs)->flags & flags) != flags) continue;
        if (found < capacity) out[found] = x;
        found++;
    }
    return found;
}
