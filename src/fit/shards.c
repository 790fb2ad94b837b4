/* shards.c: see shards.h. */
#include "shards.h"

#include <math.h>

#include "alloc.h"
#include "carry.h"
#include "clock.h"
#include "error.h"
#include "plain.h"
#include "shard_graphs.h"

/* ---- the update ---- */

static tn_status compile(tn_graph *graph, const tn_sharding *w, tn_program **program)
{
    tn_status s = tn_compile(graph, w->state, &w->model->compile, program);
    tn_graph_free(graph);
    return s;
}

static tn_status open_update(tn_sharding *w, const tn_measure *m)
{
    tn_graph *graph = NULL;
    TN_TRY(tn_shard_update(m, w->batches->batch, &graph));
    return compile(graph, w, &w->update);
}

/* ---- additions ---- */

/* Where the sum over all workers is added up in its place, it has the first for itself. */
static void name_buffers(tn_sharding *w)
{
    for (uint32_t i = 0; i < TN_TREE_DEPTH; i++) {
        tn_snprintf(w->name[i], sizeof w->name[i], "fit.sum.%u", i + (uint32_t)w->adopts);
        w->names[i] = w->name[i];
    }
}

/* Buffer `to` becomes, or is increased by, what is in `from`. */
static tn_status open_move(const tn_sharding *w, uint32_t to, const char *from, int adds, tn_program **program)
{
    tn_state_entry entry;
    tn_graph *graph = *program ? NULL : tn_graph_new();
    if (*program) return TN_OK;
    if (!graph || !tn_state_find(w->state, TN_SHARD, &entry)) {
        tn_graph_free(graph);
        return TN_ENOMEM;
    }
    tn_tensor *sum = tn_shard_vector(graph, w->name[to], entry.shape), *x = tn_shard_vector(graph, from, entry.shape);
    tn_assign(sum, adds ? tn_add(sum, x) : x);
    return compile(graph, w, program);
}

/* What is to be done with the next shard's vector: by `run`, or to see what will be. */
typedef tn_status visitor(tn_sharding *w, tn_program **program, uint32_t to, const char *from, int adds);

static tn_status prepare(tn_sharding *w, tn_program **program, uint32_t to, const char *from, int adds)
{
    return open_move(w, to, from, adds, program);
}

static tn_status run(tn_sharding *w, tn_program **program, uint32_t to, const char *from, int adds)
{
    (void)w, (void)to, (void)from, (void)adds;
    return tn_program_run(*program);
}

/* The shard's vector goes on the stack, or is added to what lies on top, and so on down. */
static tn_status push(tn_sharding *w, tn_tree *tree, uint32_t shard, visitor *visit)
{
    uint32_t before = tree->count, adds = tn_tree_push(tree, (tn_shards){shard, shard + 1});
    if (!adds) return visit(w, &w->put[before], before, TN_SHARD, 0);
    TN_TRY(visit(w, &w->merge[before - 1], before - 1, TN_SHARD, 1));
    for (uint32_t i = 1; i < adds; i++) {
        uint32_t to = before - 1 - i;
        TN_TRY(visit(w, &w->add[to], to, w->name[to + 1], 1));
    }
    return TN_OK;
}

/* ---- workers ---- */

/* The shards whose vectors the device adds up: of several workers, the last one's is exchanged while it is made. */
static uint32_t end_here(const tn_sharding *w, const tn_deal *d)
{
    return d->own.end - (tn_team_size(w->team) > 1 && d->own.begin < d->own.end);
}

static tn_status deal_out(tn_sharding *w, tn_deal *d)
{
    const uint32_t workers = tn_team_size(w->team);
    if (!(d->first = tn_alloc((workers + 1) * sizeof *d->first))) return TN_ENOMEM;
    TN_TRY(tn_deal_out(w->worker, workers, d->shards, d->first));
    d->own = (tn_shards){d->first[tn_team_rank(w->team)], d->first[tn_team_rank(w->team) + 1]};
    return TN_OK;
}

/* This worker's block of shards: the programs that they need, and memory for what is left of them. */
static tn_status open_own(tn_sharding *w, tn_deal *d)
{
    tn_tree tree = {.shards = d->shards};
    for (uint32_t i = d->own.begin; i < end_here(w, d); i++) TN_TRY(push(w, &tree, i, prepare));
    d->nodes = tree.count;
    for (uint32_t i = end_here(w, d); i < d->own.end; i++) d->adds = tn_tree_push(&tree, (tn_shards){i, i + 1});
    for (uint32_t i = 0; i < d->nodes; i++)
        if (!w->node[i] && !(w->node[i] = tn_alloc(w->bytes + 1))) return TN_ENOMEM;
    return TN_OK;
}

/* Memory for what meets others': in common, if that can be. */
static tn_status open_vectors(tn_sharding *w)
{
    enum { PAGE = 4096 };
    const uint32_t workers = tn_team_size(w->team), me = tn_team_rank(w->team);
    if (workers < 2) return TN_OK;
    const uint32_t whole = tn_shard_sum_parts(w->whole.shards, w->whole.first, workers),
                   last = tn_shard_sum_parts(w->last.shards, w->last.first, workers);
    TN_TRY(tn_share_open(w->team, whole > last ? whole : last, w->bytes, &w->share));
    for (uint32_t i = 1; i < tn_share_parts(w->share); i++) w->node[i - 1] = tn_share_part(w->share, me, i);
    w->made = w->share ? tn_share_part(w->share, me, 0) : tn_alloc_aligned(w->bytes + 1, PAGE);
    w->total = w->share ? tn_share_total(w->share) : tn_alloc_aligned(w->bytes + 1, PAGE);
    return w->made && w->total ? TN_OK : TN_ENOMEM;
}

static tn_status open_sums(tn_sharding *w, tn_deal *d)
{
    void *node[TN_TREE_DEPTH + 1];
    const tn_shard_sum_options options = {.dtype = w->dtype,
                                          .shards = d->shards,
                                          .count = w->count,
                                          .first = d->first,
                                          .node = node,
                                          .total = w->total,
                                          .share = w->share};
    if (tn_team_size(w->team) < 2) return TN_OK;
    for (uint32_t i = 0; i < d->nodes; i++) node[i] = w->node[i];
    node[d->nodes] = w->made;
    TN_TRY(tn_shard_sum_open(w->team, &options, &d->sum));
    return w->crossings.points ? tn_crossings_join(&w->crossings, w->team, d->shards, d->first, &d->across) : TN_OK;
}

/* All is compiled before the workers meet in a sum, where they would wait for one that fails. */
static tn_status open_deal(tn_sharding *w, tn_deal *d)
{
    TN_TRY(open_own(w, d));
    TN_TRY(tn_crossings_make_room(&w->crossings, d->own.end - d->own.begin));
    return d->shards ? open_sums(w, d) : TN_OK;
}

/* A batch of one sample, which is no batch to take a variance of, is refused as it would be in one piece. */
static tn_status check_one(const tn_measure *m)
{
    tn_graph *graph = tn_batches_graph(m->data, 1, 0, tn_measure_batch, m);
    tn_status s = graph ? tn_graph_status(graph) : TN_ENOMEM;
    tn_graph_free(graph);
    return s;
}

tn_status tn_sharding_open(tn_sharding *w, tn_state *state, const tn_measure *m, tn_batches *batches, uint32_t shards)
{
    tn_state_entry entry;
    int64_t batch = batches->batch * shards, rest = m->data->count % batch;
    *w = (tn_sharding){.state = state,
                       .model = m->model,
                       .batches = batches,
                       .team = m->options->team,
                       .trace = w->trace,
                       .bucket = m->options->bucket};
    w->adopts = tn_team_size(w->team) > 1 && tn_carry_can_adopt(state);
    name_buffers(w);
    TN_TRY(open_update(w, m));
    TN_REQUIRE(tn_state_find(state, TN_SHARD, &entry), TN_EMISSING, "no tensor '%s' in the state", TN_SHARD);
    w->count = (uint64_t)tn_shape_count(&entry.shape);
    w->dtype = entry.dtype;
    w->bytes = w->count * tn_dtype_size(entry.dtype);
    w->whole.shards = shards;
    w->last.shards = (uint32_t)((rest + batches->batch - 1) / batches->batch);
    if (!(w->worker = tn_alloc(tn_team_size(w->team) * sizeof *w->worker))) return TN_ENOMEM;
    TN_TRY(tn_crossings_open(&w->crossings, batches, w->dtype));
    if (w->crossings.points && rest == 1) TN_TRY(check_one(m));
    return tn_team_size(w->team) < 2 ? tn_sharding_join(w, NULL) : TN_OK;
}

void tn_sharding_leave(tn_sharding *w)
{
    tn_buckets_close(w->buckets);
    w->buckets = NULL;
    w->team = NULL;
}

static void close_sum(void *sum)
{
    tn_shard_sum_close(sum);
}

static void close_deal(const tn_sharding *w, const tn_deal *d)
{
    tn_team_release(w->team, d->sum, close_sum);
    tn_team_release(w->team, d->across, close_sum);
    tn_free(d->first);
}

void tn_sharding_close(tn_sharding *w)
{
    tn_buckets_close(w->buckets);
    close_deal(w, &w->whole);
    close_deal(w, &w->last);
    tn_crossings_close(&w->crossings, w->team);
    tn_program_free(w->update);
    for (uint32_t i = 0; i < TN_TREE_DEPTH; i++) {
        tn_program_free(w->put[i]);
        tn_program_free(w->merge[i]);
        tn_program_free(w->add[i]);
        if (i + 1 >= tn_share_parts(w->share)) tn_team_release(w->team, w->node[i], tn_free);
    }
    tn_free(w->worker);
    if (!w->share) tn_team_release(w->team, w->made, tn_free);
    if (!w->share) tn_team_release(w->team, w->total, tn_free);
    tn_share_close(w->share);
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

/* What the sum has besides variables: each is a part of the vector, and the last ends it. */
static double get(const tn_sharding *w, int other)
{
    uint64_t place = w->count - 1 - (uint64_t)(TN_SHARD_OTHERS - 1 - other) * TN_SHARD_STEP;
    return w->dtype == TN_F64 ? ((const double *)w->total)[place] : ((const float *)w->total)[place];
}

/* What is left of the program of this worker's last shard, which begins with that part, or NULL; then what is left of
 * its shards and of all others', added up, is in buffer 0. */
static tn_status exchange(tn_sharding *w, const tn_deal *d, tn_program *program, uint32_t part)
{
    const tn_bucket_step step = {.sum = d->sum, .node = w->names, .nodes = d->nodes, .adds = d->adds, .part = part};
    TN_TRY(tn_buckets_run(w->buckets, &step, program));
    w->asked = get(w, TN_SHARD_WISHES) > 0;
    w->diverged = !isfinite(get(w, TN_SHARD_LOSSES));
    return TN_OK;
}

static int stays(const tn_sharding *w, const tn_deal *d, uint32_t i)
{
    return d->own.begin + i < end_here(w, d);
}

/* The last part of a shard's run, or all of it. */
static tn_status finish(tn_sharding *w, const tn_deal *d, uint32_t i, tn_program *program)
{
    const uint32_t part = w->crossings.points;
    const double begun = tn_now();
    tn_status s = stays(w, d, i) ? tn_program_run_part(program, part) : exchange(w, d, program, part);
    tn_trace_span(w->trace, TN_ROW_STEPS, "shard", d->own.begin + i, begun);
    return s;
}

/* The program of a shard, ready to run. The wish of the worker is in that of its last one. */
static tn_status ready_shard(tn_sharding *w, int64_t start, int64_t all, uint32_t shard, uint32_t end,
                             tn_program **program)
{
    const int64_t size = w->batches->batch, begin = shard * size, samples = all - begin < size ? all - begin : size;
    TN_TRY(tn_batches_at(w->batches, start + begin, program));
    TN_TRY(set(*program, "share", (double)samples / (double)all));
    TN_TRY(set(*program, "samples", (double)samples));
    return set(*program, "fit.wishes", shard + 1 == end ? w->wishes : 0);
}

/* The i-th of this worker's shards, up to where it meets others, if it does. */
static tn_status run_shard(tn_sharding *w, const tn_deal *d, int64_t start, int64_t all, uint32_t i)
{
    tn_program *program;
    const uint64_t seed = tn_state_seed(w->state);
    TN_TRY(tn_crossings_choose(&w->crossings, i));
    TN_TRY(ready_shard(w, start, all, d->own.begin + i, d->own.end, &program));
    tn_state_set_seed(w->state, seed_of(seed, d->own.begin + i));
    tn_status s = w->crossings.points ? tn_crossings_begin(&w->crossings, i, program) : finish(w, d, i, program);
    tn_state_set_seed(w->state, seed);
    return s;
}

/* All of this worker's shards at once, to their last part. */
static tn_status meet(tn_sharding *w, const tn_deal *d, int64_t start, int64_t all)
{
    const double begun = tn_now();
    for (uint32_t i = 0; i < d->own.end - d->own.begin; i++) TN_TRY(run_shard(w, d, start, all, i));
    TN_TRY(tn_crossings_meet(&w->crossings, d->shards, d->own, d->across));
    tn_trace_span(w->trace, TN_ROW_STEPS, "shards meet", w->crossings.points, begun);
    return TN_OK;
}

/* What is left of the i-th. */
static tn_status go_on(tn_sharding *w, const tn_deal *d, uint32_t i)
{
    tn_program *program;
    TN_TRY(tn_crossings_return(&w->crossings, i, &program));
    return finish(w, d, i, program);
}

/* A worker's wish is in the sum of its shards. Who has none tells those that have. */
static void pass_on_wish(tn_sharding *w)
{
    if (tn_team_size(w->team) < 2) return;
    if (w->wishes && w->whole.own.begin == w->whole.own.end) tn_team_wish(w->team);
    w->wishes |= tn_team_wished(w->team);
}

tn_status tn_sharding_step(tn_sharding *w, int64_t start, int64_t count)
{
    const tn_deal *d = count == w->batches->batch * w->whole.shards ? &w->whole : &w->last;
    const int meets = w->crossings.points > 0;
    tn_tree tree = {.shards = d->shards};
    pass_on_wish(w);
    w->asked = w->wishes;
    if (meets) TN_TRY(meet(w, d, start, count));
    for (uint32_t i = 0; i < d->own.end - d->own.begin; i++) {
        TN_TRY(meets ? go_on(w, d, i) : run_shard(w, d, start, count, i));
        if (stays(w, d, i)) TN_TRY(push(w, &tree, d->own.begin + i, run));
    }
    if (d->sum && d->own.begin == d->own.end) TN_TRY(exchange(w, d, NULL, 0));
    TN_TRY(set(w->update, "samples", (double)count));
    return tn_program_run(w->update);
}

/* ---- before the first step ---- */

enum { MOST_AT_ONCE = 8 };
static const double enough = 0.25; /* seconds of measuring */

static tn_status run_several(tn_program *program, int count)
{
    for (int i = 0; i < count; i++) TN_TRY(tn_program_run(program));
    return tn_wait(program);
}

/* Of the shards that are computed when all workers do. They change no more than their own vector. */
static tn_status measure(void *arg, double *speed)
{
    tn_sharding *w = arg;
    tn_program *program;
    double begin = 0, runs = 0, spent = 0;
    TN_TRY(ready_shard(w, 0, w->batches->batch * w->whole.shards, 0, 0, &program));
    TN_TRY(run_several(program, 1));
    TN_TRY(tn_team_barrier(w->team));
    begin = tn_now();
    for (int count = 1; spent < enough; count = count < MOST_AT_ONCE ? 2 * count : count) {
        TN_TRY(run_several(program, count));
        runs += count;
        spent = tn_now() - begin;
    }
    *speed = runs / spent;
    return TN_OK;
}

static tn_status open_buckets(tn_sharding *w)
{
    const tn_buckets_options options = {.state = w->state,
                                        .team = w->team,
                                        .vector = TN_SHARD,
                                        .sum = TN_SHARD_SUM,
                                        .adopts = w->adopts,
                                        .whole = w->batches->whole,
                                        .last = w->batches->last,
                                        .dtype = w->dtype,
                                        .count = w->count,
                                        .bytes = w->bucket,
                                        .trace = w->trace,
                                        .node = w->node,
                                        .made = w->made,
                                        .total = w->total};
    return tn_team_size(w->team) < 2 ? TN_OK : tn_buckets_open(&options, &w->buckets);
}

/* This worker's shards, batch after batch. */
static void follow_deal(tn_sharding *w)
{
    const tn_shards own = w->whole.own, last = w->last.own;
    const int64_t batch = w->batches->batch * w->whole.shards;
    const tn_course course = {w->whole.shards, w->batches->data->count / batch, own.begin, own.end, last.begin,
                              last.end};
    tn_batches_follow(w->batches, &course);
}

tn_status tn_sharding_join(tn_sharding *w, const uint32_t *weights)
{
    TN_TRY(tn_crossings_agree(&w->crossings, w->team));
    TN_TRY(tn_deal_meet(w->team, tn_state_device(w->state), w->whole.shards, weights, measure, w, w->worker));
    TN_TRY(deal_out(w, &w->whole));
    TN_TRY(deal_out(w, &w->last));
    TN_TRY(open_vectors(w));
    TN_TRY(open_deal(w, &w->whole));
    TN_TRY(open_deal(w, &w->last));
    follow_deal(w);
    return open_buckets(w);
}
