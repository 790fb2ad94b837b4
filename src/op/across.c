/* across.c: x added up over the shards of a batch. A program of a whole batch has x itself instead; one of a shard is
 * cut there, and told the sum by who runs it (tn_program_run_part). Every shard's loss is a part of the batch's: what x
 * means for it is what the sum means, for all shards together. */
#include "graph.h"

#include "cases.h"
#include "check.h"

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *attrs, tn_type *out)
{
    (void)n_in, (void)attrs;
    TN_TRY(tn_require_type("across", in[0], 0));
    *out = in[0]->type;
    return TN_OK;
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    (void)y;
    din[0] = tn_across(dy);
}

static tn_tensor *lower(tn_tensor *y)
{
    return y->in[0];
}

static void reference(const tn_reference_call *call)
{
    const int64_t count = tn_desc_count(&call->desc->in[0]);
    for (int64_t i = 0; i < count; i++) call->out[0][i] = call->in[0][i];
}

tn_tensor *tn_across(tn_tensor *x)
{
    return tn_node(&tn_op_across, NULL, &x, 1, NULL);
}

tn_tensor *tn_batch_share(tn_tensor *like)
{
    tn_graph *graph = tn_graph_of(like);
    if (tn_graph_status(graph) || !graph->is_shard) return tn_number(like, 1);
    return tn_scalar_input(graph, "share", like->type.dtype, 1);
}

static tn_tensor *case_alone(tn_tensor *const in[])
{
    return tn_across(in[0]);
}

static tn_tensor *case_mean(tn_tensor *const in[])
{
    tn_tensor *mean = tn_mean(in[0], TN_AXES(0), 1);
    return tn_sub(in[0], tn_across(tn_mul(mean, tn_batch_share(mean))));
}

static const tn_op_case cases[] = {
    {"nothing else", case_alone, {F32(2, 3)}},
    {"a mean", case_mean, {F32(7, 3)}},
    {0},
};

const tn_op_def tn_op_across = {.name = "across",
                                .doc = "x added up over the shards of a batch",
                                .kind = TN_COMPOSITE,
                                .arity = 1,
                                .shape = shape,
                                .grad = grad,
                                .lower = lower,
                                .reference = reference,
                                .cases = cases};
