/* full.c: one number in every element. The compiler makes it a constant of the maps that use it. */
#include "graph.h"
#include "leaf.h"

static const tn_field fields[] = {TN_FIELD(tn_full_attrs, value, NUMBER), {0}};

const tn_op_def tn_op_full = {.name = "full",
                              .doc = "one number in every element",
                              .kind = TN_LEAF,
                              TN_ATTRS(tn_full_attrs, fields),
                              .budget = TN_BUDGET_ROUND};

tn_tensor *tn_full(tn_graph *graph, int32_t dtype, tn_shape shape, double value)
{
    graph = tn_graph_or_failed(graph);
    if (graph->status) return graph->empty;
    tn_status s = tn_shape_check(&shape);
    if (!s && !tn_dtype_size(dtype)) s = tn_fail(TN_EDTYPE, "full: no element type");
    int is_real = dtype == TN_F32 || dtype == TN_F64; /* computed in f64 when a graph is widened */
    const tn_full_attrs attrs = {s || is_real ? value : tn_kept_as(dtype, value)};
    return s ? tn_graph_keep_error(graph, s)
             : tn_graph_add(graph, &tn_op_full, (tn_type){dtype, shape}, NULL, 0, &attrs, NULL);
}

tn_tensor *tn_number(tn_tensor *like, double value)
{
    return tn_full(tn_graph_of(like), tn_dtype_of(like), TN_SCALAR, value);
}
