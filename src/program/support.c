/* support.c: whether a device does an operator by itself, found out by asking it about each operation that the
 * operator's cases are compiled into. */
#include "case.h"
#include "error.h"
#include "program.h"
#include "rewrite.h"
#include "rows.h"
#include "tenon/op_info.h"

static int asked(void *self, int32_t place, const tn_op_desc *desc, const tn_origin *origin)
{
    (void)origin;
    int supported = 0;
    return !place && !tn_kernel_ask(self, desc, &supported, NULL, 0) && supported;
}

/* 1 if the device does all that the graph becomes; `refused` kernels are taken apart first if they can be. */
static int does(tn_device *device, const tn_graph *graph, int take_apart)
{
    tn_graph *lowered = NULL;
    tn_ir ir = {.alignment = 64};
    const tn_target target = {.self = device, .supports = asked, .places = 1, .unfused = 1};
    tn_status s = tn_lower(graph, take_apart ? &target : NULL, &lowered);
    if (!s) s = tn_fuse(lowered, &target, &ir);
    int fine = !s;
    for (uint32_t i = 0; fine && i < ir.launches; i++) fine = asked(device, 0, &ir.launch[i]->operation.desc, NULL);
    tn_ir_free(&ir);
    tn_graph_free(lowered);
    return fine;
}

static int case_support(tn_device *device, const tn_op_def *op, const tn_op_case *c, int32_t dtype, int backward)
{
    tn_tensor *in[TN_CASE_OPERANDS], *y = NULL;
    tn_graph *graph = backward && c->no_gradient ? NULL : tn_case_graph(c, dtype, in, &y), *simple = NULL;
    int answer = TN_SUPPORT_NONE, by_others = op->kind == TN_COMPOSITE || (dtype == TN_I32 && tn_is_of_others(op));
    if (graph && tn_case_is_of(op, graph, dtype) && tn_case_outputs(in, y, backward) && !tn_simplify(graph, &simple)) {
        answer = TN_SUPPORT_NO;
        if (does(device, simple, 0))
            answer = by_others ? TN_SUPPORT_LOWERED : TN_SUPPORT_YES;
        else if (does(device, simple, 1))
            answer = TN_SUPPORT_LOWERED;
    }
    tn_graph_free(simple);
    tn_graph_free(graph);
    return answer;
}

int tn_op_support(tn_device *device, size_t index, int32_t dtype, int backward)
{
    tn_op_entry entry;
    uint32_t count[TN_SUPPORT_YES + 1] = {0};
    const tn_op_def *op = tn_op_at(index, &entry) ? tn_op_named(entry.name) : NULL;
    if (!op || (backward && !entry.differentiable)) return TN_SUPPORT_NONE;
    for (const tn_op_case *c = op->cases; c && c->build; c++)
        if (!c->is_extra) count[case_support(device, op, c, dtype, backward)]++;
    uint32_t done = count[TN_SUPPORT_LOWERED] + count[TN_SUPPORT_YES];
    if (!done) return count[TN_SUPPORT_NO] ? TN_SUPPORT_NO : TN_SUPPORT_NONE;
    if (count[TN_SUPPORT_NO]) return TN_SUPPORT_PART;
    return count[TN_SUPPORT_LOWERED] ? TN_SUPPORT_LOWERED : TN_SUPPORT_YES;
}
