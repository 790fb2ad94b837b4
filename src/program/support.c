/* support.c: whether a device does an operator by itself, found out by compiling its first case there. */
#include <string.h>

#include "error.h"
#include "program.h"
#include "tenon/op_info.h"

enum { MOST = 4 }; /* operands of a case */

/* A graph of the operator's first case, or NULL if it has none. */
static tn_graph *case_graph(const tn_op_def *op)
{
    const tn_op_case *c = op->cases;
    tn_tensor *in[MOST] = {0};
    tn_graph *graph = c && c->build ? tn_graph_new() : NULL;
    if (!graph) return NULL;
    for (int i = 0; i < MOST && c->in[i].dtype; i++) {
        const char name[] = {'x', (char)('0' + i), 0};
        in[i] = tn_input(graph, name, c->in[i].dtype, c->in[i].shape);
    }
    tn_tensor *own = in[0] ? NULL : tn_full(graph, TN_F32, TN_SCALAR, 0); /* what a case without operands builds on */
    tn_output(c->build(in[0] ? in : &own), "y");
    return graph;
}

int tn_op_supported(tn_device *device, size_t index)
{
    tn_op_entry entry;
    tn_state *state = NULL;
    tn_program *program = NULL;
    const tn_op_def *op = tn_op_at(index, &entry) ? tn_op_named(entry.name) : NULL;
    tn_graph *graph = op ? case_graph(op) : NULL;
    const tn_compile_options strict = {.strict = 1, .unfused = 1};
    tn_status s = graph ? tn_state_new(device, 0, &state) : TN_EMISSING;
    if (!s) s = tn_compile(graph, state, &strict, &program);
    tn_program_free(program);
    tn_state_free(state);
    tn_graph_free(graph);
    return !s;
}
