/* ports.c: what goes into a program and comes out of it. Inputs are those of the graph, whether or not the program has
 * a use for them. */
#include <string.h>

#include "error.h"
#include "given.h"
#include "leaf.h"
#include "program.h"

static int32_t kept_type(const tn_program *p, int32_t dtype)
{
    return dtype == TN_F32 && p->f64 ? TN_F64 : dtype;
}

tn_status tn_program_find_inputs(tn_program *p, const tn_graph *graph)
{
    for (uint32_t i = 0; i < graph->count; i++) p->inputs += graph->tensor[i]->op == &tn_op_input;
    p->input = tn_region_alloc(&p->ir.region, p->inputs * sizeof *p->input + 1);
    if (!p->input) return TN_ENOMEM;
    tn_port *port = p->input;
    for (uint32_t i = 0; i < graph->count; i++) {
        const tn_tensor *x = graph->tensor[i];
        if (x->op != &tn_op_input) continue;
        *port = (tn_port){.dtype = kept_type(p, x->type.dtype), .shape = x->type.shape};
        port->name = tn_region_print(&p->ir.region, "%s", x->name);
        if (!port++->name) return TN_ENOMEM;
    }
    return TN_OK;
}

const tn_port *tn_program_declared(const tn_program *p, const char *name)
{
    for (uint32_t i = 0; i < p->inputs; i++)
        if (!strcmp(p->input[i].name, name)) return &p->input[i];
    return NULL;
}

int tn_program_input_at(const tn_program *p, size_t index, tn_port *port)
{
    if (!p || !port || index >= p->inputs) return 0;
    *port = p->input[index];
    port->unused = !tn_program_input(p, port->name);
    return 1;
}

int tn_program_output_at(const tn_program *p, size_t index, tn_port *port)
{
    if (!p || !port || index >= p->ir.outputs) return 0;
    const tn_ir_output *output = &p->ir.output[index];
    *port = (tn_port){output->name, output->value->type.dtype, output->value->type.shape, 0};
    return 1;
}
