/* shards.c: see shards.h. */
#include "shards.h"

#include <string.h>

#include "alloc.h"
#include "error.h"
#include "plain.h"

#define SHARD "fit.shard" /* the vector of the shard that was computed last */

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

static tn_tensor *vector(tn_graph *graph, const char *name, tn_shape shape)
{
    return tn_variable(graph, name, TN_F32, shape, (tn_init){.kind = TN_INIT_ZERO}, TN_TRANSIENT);
}

/* Its share of what each variable shall become; then the sums of the loss and of the right answers. */
static void give(const tn_measure *m, tn_tensor *loss, tn_tensor *right, const shares *s, tn_tensor *part[])
{
    tn_graph *graph = tn_graph_of(loss);
    tn_tensor *share = tn_scalar_input(graph, "share", TN_F32, 1);
    tn_tensor *samples = tn_scalar_input(graph, "samples", TN_F32, 1);
    (void)m;
    tn_grad(tn_mul(loss, share), s->variable, s->params, part);
    for (size_t i = s->params; i < s->count; i++) part[i] = tn_mul(tn_cast(tn_unassign(s->variable[i]), TN_F32), share);
    part[s->count] = tn_mul(loss, samples);
    part[s->count + 1] = right ? tn_cast(right, TN_F32) : tn_number(loss, 0);
    tn_tensor *all = tn_pack(part, s->count + 2);
    tn_assign(vector(graph, SHARD, tn_shape_of(all)), all);
}

void tn_shard_task(const void *arg, tn_tensor *x, tn_tensor *target)
{
    const tn_measure *m = arg;
    tn_graph *graph = tn_graph_of(x);
    shares s = {0};
    tn_tensor *right = NULL, *loss = tn_measure_loss(m, x, target, &right), **part = NULL;
    tn_status status = find_shares(graph, &s);
    if (!status && !(part = tn_alloc((s.count + 2) * sizeof *part))) status = TN_ENOMEM;
    if (!status && !s.params) tn_graph_fail(graph, TN_EINVAL, "the network has no parameters to train");
    for (size_t i = 0; !status && i < s.params; i++)
        if (tn_dtype_of(s.variable[i]) != TN_F32)
            tn_graph_fail(graph, TN_EDTYPE, "parameter '%s' is %s: shards are added up as f32",
                          tn_name_of(s.variable[i]), tn_dtype_name(tn_dtype_of(s.variable[i])));
    if (status)
        tn_graph_fail(graph, status, "out of memory");
    else if (!tn_graph_status(graph))
        give(m, loss, right, &s, part);
    tn_free(part);
    tn_free(s.variable);
}

/* ---- the update ---- */

/* A variable as the other graph has it; it is in the state already. */
static tn_tensor *same_in(tn_graph *graph, const tn_tensor *x, uint32_t flags)
{
    return tn_variable(graph, tn_name_of(x), tn_dtype_of(x), tn_shape_of(x), (tn_init){.kind = TN_INIT_ZERO}, flags);
}

static void take(const tn_measure *m, tn_graph *graph, const shares *s, tn_tensor *const own[], tn_tensor *part[])
{
    const tn_fit_options *options = m->options;
    tn_tensor *samples = tn_scalar_input(graph, "samples", TN_F32, 1);
    for (size_t i = 0; i < s->count; i++) part[i] = tn_full(graph, TN_F32, tn_shape_of(own[i]), 0);
    part[s->count] = part[s->count + 1] = tn_full(graph, TN_F32, TN_SCALAR, 0);
    tn_tensor *layout = tn_pack(part, s->count + 2), *sum = vector(graph, "fit.sum.0", tn_shape_of(layout));
    for (size_t i = 0; i < s->count + 2; i++) part[i] = tn_unpack(sum, layout, i);
    for (size_t i = s->params; i < s->count; i++) {
        int whole = tn_dtype_of(own[i]) != TN_F32;
        tn_assign(own[i], whole ? tn_cast(tn_round(part[i]), tn_dtype_of(own[i])) : part[i]);
    }
    tn_measure_add(m, graph, part[s->count], part[s->count + 1], tn_div(part[s->count], samples));
    tn_apply_gradients(own, part, s->params, options->optimizer ? options->optimizer : "sgd", options->optim);
}

static void no_task(const void *arg, tn_tensor *x, tn_tensor *target)
{
    tn_tensor *right;
    (void)tn_measure_loss(arg, x, target, &right);
}

/* What the sum of all shards does. `model` is a graph of the loss, which says what variables there are. */
static void build_update(const tn_measure *m, tn_graph *model, tn_graph *graph)
{
    shares s = {0};
    tn_tensor **own = NULL, **part = NULL;
    tn_status status = find_shares(model, &s);
    if (!status) own = tn_alloc((s.count + 1) * sizeof *own);
    if (!status) part = tn_alloc((s.count + 2) * sizeof *part);
    if (own && part) {
        for (size_t i = 0; i < s.count; i++) own[i] = same_in(graph, s.variable[i], i < s.params ? TN_TRAINABLE : 0);
        take(m, graph, &s, own, part);
    } else
        tn_graph_fail(graph, TN_ENOMEM, "out of memory");
    tn_free(own);
    tn_free(part);
    tn_free(s.variable);
}

static tn_status compile(tn_graph *graph, const tn_sharding *w, const tn_model *model, tn_program **program)
{
    tn_status s = tn_compile(graph, w->state, &model->compile, program);
    tn_graph_free(graph);
    return s;
}

static tn_status open_update(tn_sharding *w, const tn_measure *m)
{
    tn_graph *model = tn_batches_graph(m->data, w->batches->batch, 0, no_task, m), *graph = tn_graph_new();
    tn_status s = model && graph ? tn_graph_status(model) : TN_ENOMEM;
    if (!s) build_update(m, model, graph);
    tn_graph_free(model);
    if (!s) return compile(graph, w, m->model, &w->update);
    tn_graph_free(graph);
    return s;
}

/* ---- additions ---- */

static const char *buffer_name(uint32_t number, char name[32])
{
    tn_snprintf(name, 32, "fit.sum.%u", number);
    return name;
}

/* Buffer `to` becomes, or is increased by, what is in `from`. */
static tn_status open_move(const tn_sharding *w, const tn_model *model, uint32_t to, const char *from, int adds,
                           tn_program **program)
{
    char name[32];
    tn_state_entry entry;
    tn_graph *graph = *program ? NULL : tn_graph_new();
    if (*program) return TN_OK;
    if (!graph || !tn_state_find(w->state, SHARD, &entry)) {
        tn_graph_free(graph);
        return TN_ENOMEM;
    }
    tn_tensor *sum = vector(graph, buffer_name(to, name), entry.shape), *x = vector(graph, from, entry.shape);
    tn_assign(sum, adds ? tn_add(sum, x) : x);
    return compile(graph, w, model, program);
}

/* What is to be done with the next shard's vector: by `run`, or to see what will be. */
typedef tn_status visitor(tn_sharding *w, const tn_model *model, tn_program **program, uint32_t to, const char *from,
                          int adds);

static tn_status prepare(tn_sharding *w, const tn_model *model, tn_program **program, uint32_t to, const char *from,
                         int adds)
{
    return open_move(w, model, to, from, adds, program);
}

static tn_status run(tn_sharding *w, const tn_model *model, tn_program **program, uint32_t to, const char *from,
                     int adds)
{
    (void)w, (void)model, (void)to, (void)from, (void)adds;
    return tn_program_run(*program);
}

/* The shard's vector goes on the stack, or is added to what lies on top, and so on down. */
static tn_status push(tn_sharding *w, const tn_model *model, tn_tree *tree, uint32_t shard, visitor *visit)
{
    char from[32];
    uint32_t before = tree->count, adds = tn_tree_push(tree, (tn_shards){shard, shard + 1});
    if (!adds) return visit(w, model, &w->put[before], before, SHARD, 0);
    TN_TRY(visit(w, model, &w->merge[before - 1], before - 1, SHARD, 1));
    for (uint32_t i = 1; i < adds; i++) {
        uint32_t to = before - 1 - i;
        TN_TRY(visit(w, model, &w->add[to], to, buffer_name(to + 1, from), 1));
    }
    return TN_OK;
}

tn_status tn_sharding_open(tn_sharding *w, tn_state *state, const tn_measure *m, tn_batches *batches, uint32_t shards)
{
    *w = (tn_sharding){.state = state, .batches = batches};
    TN_TRY(open_update(w, m));
    for (uint32_t n = 1; n <= shards; n++) { /* the last batch of an epoch may have fewer */
        tn_tree tree = {.shards = n};
        for (uint32_t i = 0; i < n; i++) TN_TRY(push(w, m->model, &tree, i, prepare));
    }
    return TN_OK;
}

void tn_sharding_close(tn_sharding *w)
{
    tn_program_free(w->update);
    for (uint32_t i = 0; i < TN_TREE_DEPTH; i++) {
        tn_program_free(w->put[i]);
        tn_program_free(w->merge[i]);
        tn_program_free(w->add[i]);
    }
    *w = (tn_sharding){0};
}

/* ---- a step ---- */

/* Of a shard's random numbers: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t seed_of(uint64_t seed, uint32_t shard)
{
    uint64_t x = seed + (shard + 1) * 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* A scalar that a loss may do without. */
static tn_status set(tn_program *program, const char *name, double value)
{
    tn_status s = tn_set(program, name, value);
    return s == TN_EMISSING ? TN_OK : s;
}

static tn_status run_shard(tn_sharding *w, int64_t start, int64_t samples, int64_t all, uint32_t shard)
{
    tn_program *program;
    uint64_t seed = tn_state_seed(w->state);
    TN_TRY(tn_batches_at(w->batches, start, &program));
    TN_TRY(set(program, "share", (double)samples / (double)all));
    TN_TRY(set(program, "samples", (double)samples));
    tn_state_set_seed(w->state, seed_of(seed, shard));
    tn_status s = tn_program_run(program);
    tn_state_set_seed(w->state, seed);
    return s;
}

tn_status tn_sharding_step(tn_sharding *w, int64_t start, int64_t count)
{
    int64_t shard = w->batches->batch;
    tn_tree tree = {.shards = (uint32_t)((count + shard - 1) / shard)};
    for (uint32_t i = 0; i < tree.shards; i++) {
        int64_t begin = i * shard, samples = count - begin < shard ? count - begin : shard;
        TN_TRY(run_shard(w, start + begin, samples, count, i));
        TN_TRY(push(w, NULL, &tree, i, run));
    }
    TN_TRY(set(w->update, "samples", (double)count));
    return tn_program_run(w->update);
}
