/* case.c: see case.h. */
#include "case.h"

#include <string.h>

#include "graph.h"
#include "rows.h"

/* What stands for f32 in a case that has it is any type; other cases are of i32, those without operands of f32. */
static int fits(const tn_op_case *c, int32_t dtype)
{
    int reals = 0;
    if (!c->in[0].dtype) return dtype == TN_F32;
    for (int i = 0; i < TN_CASE_OPERANDS && c->in[i].dtype; i++) reals |= c->in[i].dtype == TN_F32;
    return reals || dtype == TN_I32;
}

tn_graph *tn_case_graph(const tn_op_case *c, int32_t dtype, tn_tensor *in[TN_CASE_OPERANDS], tn_tensor **y)
{
    tn_graph *graph = fits(c, dtype) ? tn_graph_new() : NULL;
    memset(in, 0, TN_CASE_OPERANDS * sizeof *in);
    if (!graph) return NULL;
    for (int i = 0; i < TN_CASE_OPERANDS && c->in[i].dtype; i++) {
        const char name[] = {'x', (char)('0' + i), 0};
        in[i] = tn_input(graph, name, c->in[i].dtype == TN_F32 ? dtype : c->in[i].dtype, c->in[i].shape);
    }
    tn_tensor *own = in[0] ? NULL : tn_full(graph, TN_F32, TN_SCALAR, 0); /* what a case without operands builds on */
    *y = c->build(in[0] ? in : &own);
    if (!tn_graph_status(graph) && (*y)->op->kind != TN_LEAF) return graph; /* a leaf: nothing was to be done */
    tn_graph_free(graph);
    return NULL;
}

/* "map" and the kit's own are no tensor's. */
int tn_case_is_of(const tn_op_def *op, const tn_graph *graph, int32_t dtype)
{
    if (op == &tn_op_map || tn_op_named(op->name) != op || (dtype == TN_I32 && tn_is_of_others(op))) return 1;
    for (uint32_t i = 0; i < graph->count; i++)
        if (graph->tensor[i]->op == op) return 1;
    return 0;
}

static int is_whole(const tn_tensor *x)
{
    return tn_is_whole(tn_dtype_of(x));
}

int tn_case_outputs(tn_tensor *const in[TN_CASE_OPERANDS], tn_tensor *y, int backward)
{
    tn_graph *graph = tn_graph_of(y);
    tn_tensor *wrt[TN_CASE_OPERANDS], *grad[TN_CASE_OPERANDS] = {0}, *loss;
    size_t count = 0;
    if (!backward) {
        tn_output(y, "y");
        return !tn_graph_status(graph);
    }
    for (int i = 0; i < TN_CASE_OPERANDS && in[i]; i++)
        if (!is_whole(in[i])) wrt[count++] = in[i];
    if (!count || is_whole(y)) return 0;
    loss = tn_sum(tn_mul(y, tn_input(graph, "dy", tn_dtype_of(y), tn_shape_of(y))), TN_ALL, 0);
    tn_grad(loss, wrt, count, grad);
    for (size_t i = 0; i < count; i++) {
        const char name[] = {'g', (char)('0' + i), 0};
        tn_output(grad[i], name);
    }
    return !tn_graph_status(graph);
}
