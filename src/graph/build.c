/* build.c: what a graph ends in: outputs, and assignments to variables. */
#include "build.h"

#include <stdio.h>
#include <string.h>

#include "leaf.h"
#include "given.h"

static int is_broken(const tn_graph *graph)
{
    return graph->status != TN_OK;
}

void tn_graph_sink(tn_graph *graph, tn_sink sink)
{
    tn_status s = tn_grow(&graph->sink, &graph->sink_capacity, graph->sinks + 1, sizeof *graph->sink);
    if (s) {
        (void)tn_graph_keep_error(graph, s);
        return;
    }
    if (sink.variable) sink.variable->is_assigned = 1;
    graph->sink[graph->sinks++] = sink;
}

void tn_output(tn_tensor *x, const char *name)
{
    uint32_t other;
    tn_graph *graph = tn_graph_of(x);
    if (!name) tn_graph_fail(graph, TN_EINVAL, "tn_output: name is NULL");
    if (is_broken(graph)) return;
    name = tn_scoped_name(graph, name);
    if (name && tn_index_find(&graph->names, NULL, name, &other))
        tn_graph_fail(graph, TN_EINVAL, "output '%s' is there already", name);
    const char *kept = name ? tn_region_print(&graph->region, "%s", name) : NULL;
    if (!kept || tn_index_add(&graph->names, NULL, kept, graph->sinks)) (void)tn_graph_keep_error(graph, TN_ENOMEM);
    if (!is_broken(graph)) tn_graph_sink(graph, (tn_sink){kept, NULL, x});
}

/* The sink that writes the variable, or NULL. */
static tn_sink *assignment_of(const tn_tensor *variable)
{
    const tn_graph *graph = variable->graph;
    for (uint32_t i = graph->sinks; variable->is_assigned && i-- > 0;)
        if (graph->sink[i].variable == variable) return &graph->sink[i];
    return NULL;
}

static void check_assignment(const tn_tensor *variable, const tn_tensor *value)
{
    char before[160], now[160];
    tn_graph *graph = variable->graph;
    if (!value)
        tn_graph_fail(graph, TN_EINVAL, "assign '%s': value is NULL", variable->name);
    else if (value->graph != graph)
        tn_graph_fail(graph, TN_EINVAL, "assign '%s': a value of another graph", variable->name);
    else if (variable->op != &tn_op_variable)
        tn_graph_fail(graph, TN_EINVAL, "assign: a %s is no variable", variable->op->name);
    else if (variable->type.dtype != value->type.dtype || !tn_shape_equal(&variable->type.shape, &value->type.shape))
        tn_graph_fail(graph, TN_ESHAPE, "assign '%s': %s %s cannot take %s %s", variable->name,
                      tn_dtype_name(variable->type.dtype), tn_shape_text(&variable->type.shape, before, sizeof before),
                      tn_dtype_name(value->type.dtype), tn_shape_text(&value->type.shape, now, sizeof now));
}

static void assign_parts(tn_tensor *pack, tn_tensor *value)
{
    int64_t start = 0;
    for (uint32_t i = 0; i < pack->n_in && value; i++) {
        tn_assign(pack->in[i], tn_part(value, start, pack->in[i]->type.shape));
        start = tn_pack_next(start, pack->in[i]);
    }
    if (!value) tn_graph_fail(pack->graph, TN_EINVAL, "assign: the value of a pack is NULL");
}

void tn_assign(tn_tensor *variable, tn_tensor *value)
{
    if (!variable && value) tn_graph_fail(value->graph, TN_EINVAL, "assign: variable is NULL");
    tn_graph *graph = tn_graph_of(variable);
    if (is_broken(graph)) return;
    if (tn_is_packed_variables(variable)) {
        assign_parts(variable, value);
        return;
    }
    check_assignment(variable, value);
    if (variable->is_assigned) tn_graph_fail(graph, TN_EINVAL, "variable '%s' is assigned twice", variable->name);
    if (!is_broken(graph)) tn_graph_sink(graph, (tn_sink){NULL, variable, value});
}

tn_tensor *tn_assigned(tn_tensor *variable)
{
    const tn_sink *sink = is_broken(tn_graph_of(variable)) ? NULL : assignment_of(variable);
    return sink ? sink->value : variable;
}

tn_tensor *tn_unassign(tn_tensor *variable)
{
    tn_tensor *value = tn_assigned(variable);
    tn_graph *graph = tn_graph_of(variable);
    uint32_t kept = 0;
    if (is_broken(graph) || !variable->is_assigned) return value;
    for (uint32_t i = 0; i < graph->sinks; i++)
        if (graph->sink[i].variable != variable) graph->sink[kept++] = graph->sink[i];
    graph->sinks = kept;
    variable->is_assigned = 0;
    return value;
}

void tn_assign_again(tn_tensor *variable, tn_tensor *value)
{
    if (!variable && value) tn_graph_fail(value->graph, TN_EINVAL, "assign: variable is NULL");
    tn_graph *graph = tn_graph_of(variable);
    if (is_broken(graph)) return;
    tn_sink *sink = assignment_of(variable);
    check_assignment(variable, value);
    if (!is_broken(graph) && sink)
        sink->value = value;
    else
        tn_assign(variable, value);
}

/* The parameter has one optimizer, of this number. */
static void give_optimizer(tn_tensor *param, uint32_t number)
{
    tn_variable_attrs *attrs = (tn_variable_attrs *)param->attrs;
    if (param->op != &tn_op_variable)
        tn_graph_fail(param->graph, TN_EINVAL, "count_steps: a %s is no variable", param->op->name);
    else if (attrs->optimizer)
        tn_graph_fail(param->graph, TN_EINVAL, "parameter '%s' has an optimizer already", param->name);
    else
        attrs->optimizer = number;
}

tn_tensor *tn_count_steps(tn_graph *graph, tn_tensor *const param[], size_t count)
{
    char name[32];
    graph = tn_graph_or_failed(graph);
    graph->optimizers += !is_broken(graph);
    if (count && !param) tn_graph_fail(graph, TN_EINVAL, "tn_count_steps: param is NULL");
    for (size_t i = 0; i < count && !is_broken(graph); i++)
        if (param[i])
            give_optimizer(param[i], graph->optimizers);
        else
            tn_graph_fail(graph, TN_EINVAL, "tn_count_steps: param[%zu] is NULL", i);
    snprintf(name, sizeof name, TN_STEPS_OF "%u", graph->optimizers);
    if (!is_broken(graph)) graph->advances_step = 1;
    return tn_scalar_input(graph, name, TN_F32, 0);
}

void tn_graph_shard(tn_graph *graph)
{
    if (graph && !is_broken(graph)) graph->is_shard = 1;
}

int tn_graph_is_shard(const tn_graph *graph)
{
    return graph && graph->is_shard;
}

size_t tn_variables(tn_graph *graph, uint32_t flags, tn_tensor *out[], size_t capacity)
{
    size_t found = 0;
    for (uint32_t i = 0; graph && i < graph->count; i++) {
        tn_tensor *x = graph->tensor[i];
        if (x->op != &tn_op_variable) continue;
        if ((((const tn_variable_attrs *)x->attrs)->flags & flags) != flags) continue;
        if (out && found < capacity) out[found] = x;
        found++;
    }
    return found;
}
