/* shard_graphs.c: see shard_graphs.h. */
#include "shard_graphs.h"

#include "alloc.h"
#include "error.h"
#include "leaf.h"

/* ---- what a shard gives ---- */

/* The variables whose shares a vector has: parameters, then others that are assigned. */
typedef struct shares {
    tn_tensor **variable;
    size_t params, count;
} shares;

static tn_status find_shares(tn_graph *graph, shares *s)
{
    size_t all = tn_variables(graph, 0, NULL, 0);
    tn_tensor **other = tn_alloc((all + 1) * sizeof *other);
    s->variable = tn_alloc((2 * all + 1) * sizeof *s->variable);
    if (other && s->variable) {
        s->params = s->count = tn_variables(graph, TN_TRAINABLE, s->variable, all);
        tn_variables(graph, 0, other, all);
        for (size_t i = 0; i < all; i++)
            if (tn_assigned(other[i]) != other[i]) s->variable[s->count++] = other[i];
    }
    tn_status status = other && s->variable ? TN_OK : TN_ENOMEM;
    tn_free(other);
    return status;
}

tn_tensor *tn_shard_vector(tn_graph *graph, const char *name, tn_shape shape)
{
    return tn_variable(graph, name, TN_F32, shape, (tn_init){.kind = TN_INIT_ZERO}, TN_TRANSIENT);
}

/* What the gradient is of: the shard's share of the batch's mean; or of the batch's sum of weighted losses, divided by
 * its samples, so that it is no larger. */
static tn_tensor *shares_loss(const tn_batch_result *r, tn_tensor *share, tn_tensor *samples)
{
    if (!r->total) return tn_mul(r->loss, share);
    return tn_mul(tn_mul(r->loss, r->total), tn_div(share, samples));
}

/* Its share of what each variable shall become; and the others, which are made first, and so final before gradients. */
static void give(const tn_batch_result *r, const shares *s, tn_tensor *part[])
{
    tn_tensor *loss = r->loss, **other = part + s->count;
    tn_graph *graph = tn_graph_of(loss);
    tn_tensor *share = tn_scalar_input(graph, "share", TN_F32, 1);
    tn_tensor *samples = tn_scalar_input(graph, "samples", TN_F32, 1);
    for (size_t i = s->params; i < s->count; i++) part[i] = tn_mul(tn_cast(tn_unassign(s->variable[i]), TN_F32), share);
    other[TN_SHARD_LOSSES] = tn_mul(loss, r->total ? r->total : samples);
    other[TN_SHARD_RIGHT] = r->right ? tn_cast(r->right, TN_F32) : tn_number(loss, 0);
    other[TN_SHARD_WEIGHT] = r->weight ? r->weight : tn_number(loss, 0);
    other[TN_SHARD_TOTAL] = r->total ? r->total : tn_number(loss, 0);
    other[TN_SHARD_WISHES] = tn_scalar_input(graph, "fit.wishes", TN_F32, 0);
    tn_grad(shares_loss(r, share, samples), s->variable, s->params, part);
    tn_tensor *all = tn_pack(part, s->count + TN_SHARD_OTHERS);
    tn_assign(tn_variable(graph, TN_SHARD, TN_F32, tn_shape_of(all), (tn_init){.kind = TN_INIT_ZERO},
                          TN_TRANSIENT | TN_PACKS_ALONE),
              all);
}

void tn_shard_task(const void *arg, tn_tensor *x, tn_tensor *target, tn_tensor *weight)
{
    const tn_measure *m = arg;
    tn_graph *graph = tn_graph_of(x);
    shares s = {0};
    tn_graph_shard(graph);
    const tn_batch_result result = tn_measure_loss(m, x, target, weight);
    tn_tensor **part = NULL;
    tn_status status = find_shares(graph, &s);
    if (!status && !(part = tn_alloc((s.count + TN_SHARD_OTHERS) * sizeof *part))) status = TN_ENOMEM;
    if (!status && !s.params) tn_graph_fail(graph, TN_EINVAL, "the network has no parameters to train");
    for (size_t i = 0; !status && i < s.params; i++)
        if (tn_dtype_of(s.variable[i]) != TN_F32)
            tn_graph_fail(graph, TN_EDTYPE, "parameter '%s' is %s: shards are added up as f32",
                          tn_name_of(s.variable[i]), tn_dtype_name(tn_dtype_of(s.variable[i])));
    if (status)
        tn_graph_fail(graph, status, "out of memory");
    else if (!tn_graph_status(graph))
        give(&result, &s, part);
    tn_free(part);
    tn_free(s.variable);
}

/* ---- the update ---- */

/* A variable as the other graph has it; it is in the state already. */
static tn_tensor *same_in(tn_graph *graph, const tn_tensor *x, uint32_t flags)
{
    return tn_variable(graph, tn_name_of(x), tn_dtype_of(x), tn_shape_of(x), (tn_init){.kind = TN_INIT_ZERO}, flags);
}

/* The sums of the epoch; and gradients of the mean, where they were of the sum of weighted losses, or 0 where all
 * weights are. */
static void add_up(const tn_measure *m, tn_graph *graph, const shares *s, tn_tensor *part[], tn_tensor *samples)
{
    tn_tensor *const *other = part + s->count, *losses = other[TN_SHARD_LOSSES], *total = other[TN_SHARD_TOTAL];
    tn_batch_result sum = {.loss = losses, .right = other[TN_SHARD_RIGHT]};
    if (!m->data->weight) {
        tn_measure_add(m, graph, &sum, tn_div(losses, samples));
        return;
    }
    tn_tensor *none = tn_eq(total, tn_number(total, 0)), *by = tn_where(none, tn_number(total, 1), total);
    sum.weight = other[TN_SHARD_WEIGHT];
    sum.total = total;
    tn_measure_add(m, graph, &sum, tn_div(losses, by));
    tn_tensor *factor = tn_div(samples, by);
    for (size_t i = 0; i < s->params; i++) part[i] = tn_mul(part[i], factor);
}

static void take(const tn_measure *m, tn_graph *graph, const shares *s, tn_tensor *const own[], tn_tensor *part[])
{
    const tn_fit_options *options = m->options;
    tn_tensor *samples = tn_scalar_input(graph, "samples", TN_F32, 1);
    for (size_t i = 0; i < s->count; i++) part[i] = tn_full(graph, TN_F32, tn_shape_of(own[i]), 0);
    for (size_t i = 0; i < TN_SHARD_OTHERS; i++) part[s->count + i] = tn_full(graph, TN_F32, TN_SCALAR, 0);
    tn_tensor *layout = tn_pack(part, s->count + TN_SHARD_OTHERS),
              *sum = tn_shard_vector(graph, TN_SHARD_SUM, tn_shape_of(layout));
    for (size_t i = 0; i < s->count + TN_SHARD_OTHERS; i++) part[i] = tn_unpack(sum, layout, i);
    for (size_t i = s->params; i < s->count; i++) {
        int whole = tn_dtype_of(own[i]) != TN_F32;
        tn_assign(own[i], whole ? tn_cast(tn_round(part[i]), tn_dtype_of(own[i])) : part[i]);
    }
    add_up(m, graph, s, part, samples);
    tn_apply_gradients(own, part, s->params, options->optimizer ? options->optimizer : "sgd", options->optim);
}

static void no_task(const void *arg, tn_tensor *x, tn_tensor *target, tn_tensor *weight)
{
    tn_graph_shard(tn_graph_of(x));
    (void)tn_measure_loss(arg, x, target, weight);
}

/* What the sum of all shards does. `model` is a graph of the loss, which says what variables there are. */
static void build_update(const tn_measure *m, tn_graph *model, tn_graph *graph)
{
    shares s = {0};
    tn_tensor **own = NULL, **part = NULL;
    tn_status status = find_shares(model, &s);
    if (!status) own = tn_alloc((s.count + 1) * sizeof *own);
    if (!status) part = tn_alloc((s.count + TN_SHARD_OTHERS) * sizeof *part);
    if (own && part) {
        for (size_t i = 0; i < s.count; i++) own[i] = same_in(graph, s.variable[i], i < s.params ? TN_TRAINABLE : 0);
        take(m, graph, &s, own, part);
    } else
        tn_graph_fail(graph, TN_ENOMEM, "out of memory");
    tn_free(own);
    tn_free(part);
    tn_free(s.variable);
}

tn_status tn_shard_update(const tn_measure *m, int64_t size, tn_graph **out)
{
    tn_graph *model = tn_batches_graph(m->data, size, 0, no_task, m), *graph = tn_graph_new();
    tn_status s = model && graph ? tn_graph_status(model) : TN_ENOMEM;
    if (!s) build_update(m, model, graph);
    tn_graph_free(model);
    if (s)
        tn_graph_free(graph);
    else
        *out = graph;
    return s;
}
