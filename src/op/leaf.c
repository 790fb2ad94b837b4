/* leaf.c: what a graph begins with: inputs, scalar inputs and variables, each there once for a name. */
#include "leaf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph.h"

tn_tensor *tn_named_leaf(tn_graph *graph, const tn_op_def *op, const char *name, tn_type type, const void *attrs)
{
    char before[160], now[160];
    graph = tn_graph_or_failed(graph);
    if (graph->status) return graph->empty;
    if (!name || !*name) tn_node_fail(graph, TN_EINVAL, "%s: its name is %s", op->name, name ? "empty" : "NULL");
    tn_status s = tn_shape_check(&type.shape);
    if (s) return tn_graph_keep_error(graph, tn_fail(s, "%s '%s': %s", op->name, name ? name : "", tn_message()));
    if (!tn_dtype_size(type.dtype)) tn_node_fail(graph, TN_EDTYPE, "%s '%s': no element type", op->name, name);
    if (graph->status) return graph->empty;
    if (op != &tn_op_scalar) name = tn_scoped_name(graph, name);
    if (!name) return tn_graph_keep_error(graph, TN_ENOMEM);
    tn_tensor *there = tn_graph_leaf(graph, op, name);
    if (there && there->type.dtype == type.dtype && tn_shape_equal(&there->type.shape, &type.shape)) return there;
    if (there) {
        tn_node_fail(graph, TN_ESHAPE, "%s '%s' is %s %s and is asked for as %s %s", op->name, name,
                     tn_dtype_name(there->type.dtype), tn_shape_text(&there->type.shape, before, sizeof before),
                     tn_dtype_name(type.dtype), tn_shape_text(&type.shape, now, sizeof now));
        return graph->empty;
    }
    const char *kept = tn_region_print(&graph->region, "%s", name);
    return kept ? tn_graph_add(graph, op, type, NULL, 0, attrs, kept) : tn_graph_keep_error(graph, TN_ENOMEM);
}

tn_tensor *tn_input(tn_graph *graph, const char *name, int32_t dtype, tn_shape shape)
{
    return tn_named_leaf(graph, &tn_op_input, name, (tn_type){dtype, shape}, NULL);
}

static int are_equal(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

tn_tensor *tn_scalar_input(tn_graph *graph, const char *name, int32_t dtype, double value)
{
    tn_scalar_attrs attrs = {.value = value};
    tn_tensor *x = tn_named_leaf(graph, &tn_op_scalar, name, (tn_type){dtype, TN_SCALAR}, &attrs);
    if (x->op != &tn_op_scalar) return x;
    double there = ((const tn_scalar_attrs *)x->attrs)->value;
    if (!are_equal(there, value))
        tn_node_fail(graph, TN_EINVAL, "scalar '%s' is %g and is asked for as %g", name, there, value);
    return x;
}

uint32_t tn_steps_of(const char *name, uint32_t optimizers)
{
    size_t prefix = strlen(TN_STEPS_OF);
    if (strncmp(name, TN_STEPS_OF, prefix)) return 0;
    const char *digits = name + prefix;
    if (!*digits || digits[strspn(digits, "0123456789")]) return 0;
    unsigned long number = strtoul(digits, NULL, 10);
    return number <= optimizers ? (uint32_t)number : 0;
}

tn_tensor *tn_variable(tn_graph *graph, const char *name, int32_t dtype, tn_shape shape, tn_init init, uint32_t flags)
{
    tn_variable_attrs attrs;
    memset(&attrs, 0, sizeof attrs);
    attrs.init.kind = init.kind;
    attrs.init.a = init.a;
    attrs.init.fan_in = init.fan_in;
    attrs.init.fan_out = init.fan_out;
    attrs.init.zero_row = init.zero_row;
    attrs.flags = flags;
    return tn_named_leaf(graph, &tn_op_variable, name, (tn_type){dtype, shape}, &attrs);
}

tn_tensor *tn_param(tn_graph *graph, const char *name, tn_shape shape, tn_init init)
{
    return tn_variable(graph, name, TN_F32, shape, init, TN_TRAINABLE);
}
