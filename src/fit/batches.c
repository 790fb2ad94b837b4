/* batches.c: see batches.h. */
#include "batches.h"
#include "measure.h"

#include <string.h>

#include "alloc.h"
#include "error.h"
#include "loader.h"
#include "plain.h"
#include "upload.h"

/* ---- what a batch is in a graph ---- */

static int64_t features(const tn_dataset *data)
{
    return tn_shape_count(&data->sample);
}

static tn_tensor *target_input(tn_graph *graph, const tn_dataset *data, int64_t count)
{
    int32_t dtype = tn_target_dtype(data);
    if (dtype == TN_I32 && tn_labels(data) > 1)
        return tn_input(graph, "target", TN_I32, TN_SHAPE(count, tn_labels(data)));
    if (dtype == TN_I32) return tn_input(graph, "target", TN_I32, TN_SHAPE(count));
    return dtype ? tn_input(graph, "target", TN_F32, TN_SHAPE(count, data->targets)) : NULL;
}

/* (batch, features) as the data has it to (batch, the sample's shape) as the model takes it. */
static tn_tensor *as_samples(tn_tensor *x, const tn_dataset *data)
{
    tn_shape shape = {.rank = data->sample.rank + 1, .dim = {tn_shape_of(x).dim[0]}};
    for (int32_t d = 0; d < data->sample.rank; d++) shape.dim[d + 1] = data->sample.dim[d];
    if (data->x_dtype == TN_U8) {
        x = tn_cast(x, TN_F32);
        x = tn_mul(x, tn_number(x, 1.0 / 255));
    }
    return tn_reshape(x, shape);
}

/* The rows of that index, or so many from `start` on. */
static tn_tensor *part(tn_tensor *x, tn_tensor *index, tn_tensor *start, int64_t size)
{
    if (!x) return NULL;
    return index ? tn_gather(x, index) : tn_dynamic_slice(x, start, size);
}

/* `size` samples: a part of `count` that are fed, or all of them. */
static tn_graph *batch_graph(const tn_dataset *data, int64_t count, int64_t size, int shuffled, tn_batch_task *task,
                             const void *arg)
{
    tn_graph *graph = tn_graph_new();
    if (!graph) return NULL;
    tn_tensor *x = tn_input(graph, "x", data->x_dtype, TN_SHAPE(count, features(data)));
    tn_tensor *target = target_input(graph, data, count);
    tn_tensor *weight = data->weight ? tn_input(graph, "weight", TN_F32, TN_SHAPE(count)) : NULL;
    if (size < count) {
        tn_tensor *start = tn_scalar_input(graph, "start", TN_I32, 0);
        tn_tensor *order = shuffled ? tn_input(graph, "order", TN_I32, TN_SHAPE(count)) : NULL;
        tn_tensor *index = order ? tn_dynamic_slice(order, start, size) : NULL;
        x = part(x, index, start, size);
        target = part(target, index, start, size);
        weight = part(weight, index, start, size);
    }
    task(arg, as_samples(x, data), target, weight);
    return graph;
}

tn_graph *tn_batches_graph(const tn_dataset *data, int64_t batch, int shuffled, tn_batch_task *task, const void *arg)
{
    return batch_graph(data, data->count, batch, shuffled, task, arg);
}

/* ---- where the samples are ---- */

uint64_t tn_batches_bytes(const tn_dataset *data)
{
    const uint64_t weight = data && data->weight ? sizeof *data->weight : 0;
    return data ? (uint64_t)data->count * (tn_sample_bytes(data) + tn_target_bytes(data) + weight) : 0;
}

int tn_batches_are_fed(const tn_model *model, uint64_t bytes)
{
    const tn_residence *r = &model->data;
    return r->where == TN_RESIDENT_HOST || (r->where == TN_RESIDENT_AUTO && r->memory && bytes > r->memory);
}

int tn_batches_may_be_fed(const tn_model *model, tn_status status, int fed)
{
    return status == TN_ENOMEM && !fed && model->data.where == TN_RESIDENT_AUTO;
}

/* What the program does not need is not there: no error. */
static tn_status if_needed(tn_status status)
{
    return status == TN_EMISSING ? TN_OK : status;
}

/* Bytes of what has that many as f32 or another type. */
static uint64_t width(const tn_batches *b, int32_t dtype, uint64_t bytes)
{
    return dtype == TN_F32 && b->model->compile.f64 ? 2 * bytes : bytes;
}

/* f32 as f64, where the program computes in that. */
static void widen(const float *from, uint64_t count, double *to)
{
    for (uint64_t i = 0; i < count; i++) to[i] = from[i];
}

/* The numbers as an input of that type takes them. *made is the caller's, to be freed; NULL: they are as they are. */
static tn_status convert(const tn_batches *b, int32_t dtype, const void *data, uint64_t bytes, void **made)
{
    *made = NULL;
    if (!data || width(b, dtype, bytes) == bytes) return TN_OK;
    if (!(*made = tn_alloc(width(b, dtype, bytes) + 1))) return TN_ENOMEM;
    widen(data, bytes / sizeof(float), *made);
    return TN_OK;
}

static tn_status feed(const tn_batches *b, tn_program *program, const char *input, int32_t dtype, const void *data,
                      uint64_t bytes)
{
    void *wide = NULL;
    TN_TRY(convert(b, dtype, data, bytes, &wide));
    tn_status s = if_needed(tn_feed(program, input, wide ? wide : data, width(b, dtype, bytes)));
    tn_free(wide);
    return s;
}

static void *take_staging(void *batches, uint64_t bytes)
{
    return tn_staging_take(((tn_batches *)batches)->staging, bytes);
}

/* The weights of those from number `start` of the order on; NULL: there are none. */
static const float *weights_from(const tn_batches *b, int64_t start)
{
    const float *all = b->weight ? b->weight : b->data->weight;
    return all ? all + start : NULL;
}

/* Samples from number `start` of the order on, with all that belongs to them. */
static tn_status feed_all(const tn_batches *b, tn_program *program, const tn_batch *batch)
{
    const tn_dataset *data = b->data;
    const uint64_t count = (uint64_t)batch->count;
    const float *weight = weights_from(b, batch->start);
    TN_TRY(feed(b, program, "x", data->x_dtype, batch->x, count * tn_sample_bytes(data)));
    if (weight) TN_TRY(feed(b, program, "weight", TN_F32, weight, count * sizeof *weight));
    if (!batch->target) return TN_OK;
    return feed(b, program, "target", tn_target_dtype(data), batch->target, count * tn_target_bytes(data));
}

/* ---- uploads ---- */

/* What is fed in a piece of its own: the input, the elements' type, bytes of a sample's. */
typedef struct supply {
    const char *input;
    int32_t type;
    uint64_t each;
    const void *data;
} supply;

static void list_parts(const tn_batches *b, const tn_batch *batch, supply parts[TN_BATCH_PARTS])
{
    const supply all[TN_BATCH_PARTS] = {
        {"x", b->data->x_dtype, tn_sample_bytes(b->data), batch->x},
        {"target", tn_target_dtype(b->data), tn_target_bytes(b->data), batch->target},
        {"weight", TN_F32, b->data->weight ? sizeof(float) : 0, weights_from(b, batch->start)}};
    memcpy(parts, all, sizeof all);
}

/* Samples and targets are where they were read to, unless they are to be widened; weights are not. */
static int has_place(const tn_batches *b, const supply *p, int i)
{
    return p->each && (i == TN_BATCH_PARTS - 1 || width(b, p->type, p->each) != p->each);
}

/* Copies go from memory that is made for that (staging.h), and need no word of the host's between one step and the
 * next. Of so many samples at the most; `reads`: batches are read to such memory, ahead. */
static tn_status open_upload(tn_batches *b, int64_t count, int reads)
{
    const tn_prefetch_room room = {take_staging, b};
    supply parts[TN_BATCH_PARTS];
    list_parts(b, &(tn_batch){0}, parts);
    TN_TRY(tn_staging_new(b->state, &b->staging));
    for (int i = 0; i < TN_BATCH_PARTS; i++)
        for (int k = 0; k < TN_BATCH_HELD && has_place(b, &parts[i], i); k++)
            if (!(b->own[k][i] = take_staging(b, width(b, parts[i].type, (uint64_t)count * parts[i].each))))
                return TN_ENOMEM;
    if (reads)
        TN_TRY(tn_prefetch_new(b->data, b->batch, 1, TN_BATCH_HELD, b->model->data.threads, &room, &b->prefetch));
    return tn_upload_new(b->whole, &b->upload);
}

/* The upload reads what was fetched ahead: it goes first. */
static void close_upload(tn_batches *b)
{
    tn_upload_free(b->upload);
    tn_prefetch_free(b->prefetch);
    tn_staging_free(b->staging);
    b->upload = NULL, b->prefetch = NULL, b->staging = NULL;
}

static const void *place(const tn_batches *b, const supply *p, int i, uint64_t bytes)
{
    void *own = b->own[b->uploads % TN_BATCH_HELD][i];
    if (!has_place(b, p, i)) return p->data;
    if (width(b, p->type, bytes) == bytes) return memcpy(own, p->data, bytes);
    widen(p->data, bytes / sizeof(float), own);
    return own;
}

/* Copies of a batch to where its samples, targets and weights are in the program's inputs, from number `to` on. */
static tn_status upload(tn_batches *b, tn_program *program, const tn_batch *batch, int64_t to)
{
    supply parts[TN_BATCH_PARTS];
    tn_piece piece[TN_BATCH_PARTS];
    size_t pieces = 0;
    list_parts(b, batch, parts);
    for (int i = 0; i < TN_BATCH_PARTS; i++) {
        const supply *p = &parts[i];
        const uint64_t bytes = (uint64_t)batch->count * p->each;
        if (p->data)
            piece[pieces++] = (tn_piece){.input = p->input,
                                         .data = place(b, p, i, bytes),
                                         .offset = width(b, p->type, (uint64_t)to * p->each),
                                         .bytes = width(b, p->type, bytes)};
    }
    b->uploads++;
    return if_needed(program == b->whole ? tn_upload_next(b->upload, piece, pieces)
                                         : tn_upload_after(b->upload, program, piece, pieces));
}

/* Targets that come with the samples, in that order or, if it is NULL, their own, are such as the loss can take only
 * when they are there. */
static tn_status check_targets(const tn_batches *b, const tn_batch *batch, const int32_t *order)
{
    const tn_dataset *data = b->data;
    const int32_t type = tn_target_dtype(data);
    const int64_t each = data->classes ? tn_labels(data) : data->targets;
    const char *target = batch->target;
    if (!target || data->label || data->target) return TN_OK;
    tn_status s = tn_measure_targets(b->model, type, target, batch->count * each, data->classes);
    for (int64_t i = 0; s && i < batch->count; i++, target += tn_target_bytes(data)) {
        const int64_t at = batch->start + i;
        if (tn_measure_targets(b->model, type, target, each, data->classes))
            return tn_fail(s, "%s: sample %lld: %s", data->source ? data->source : "the loader",
                           (long long)(order ? order[at] : at), tn_message());
    }
    return s;
}

/* ---- all of them on the device ---- */

static tn_status bring_by_loader(tn_batches *b)
{
    tn_batch batch = {0};
    tn_status s = open_upload(b, b->batch, 1);
    if (!s) tn_prefetch_begin(b->prefetch, NULL, NULL, 0);
    for (int64_t start = 0; !s && start < b->data->count; start += batch.count) {
        s = tn_prefetch_next(b->prefetch, &batch);
        if (!s) s = check_targets(b, &batch, NULL);
        if (!s) s = upload(b, b->whole, &batch, start);
    }
    if (!s) s = tn_upload_wait(b->upload);
    close_upload(b);
    return s;
}

static tn_status bring(tn_batches *b)
{
    const tn_dataset *data = b->data;
    void *target = data->label ? (void *)data->label : data->target;
    return data->loader ? bring_by_loader(b) : feed_all(b, b->whole, &(tn_batch){0, data->count, data->x, target});
}

/* Samples one by one, in their order. */
static tn_status pick(const tn_batches *b, int64_t start, int64_t count, char *x, char *target)
{
    const uint64_t x_bytes = tn_sample_bytes(b->data), target_bytes = tn_target_bytes(b->data);
    for (int64_t i = 0; i < count; i++)
        TN_TRY(tn_dataset_sample(b->data, b->order ? b->order[start + i] : start + i, x + (uint64_t)i * x_bytes,
                                 target ? target + (uint64_t)i * target_bytes : NULL));
    return TN_OK;
}

/* Where that is made of samples on the host, each time anew: in places by turns, as an upload may still read the two
 * before. */
static tn_status open_rest(tn_batches *b)
{
    TN_TRY(open_upload(b, b->rest, 0));
    for (int k = 0; k < TN_BATCH_HELD; k++) {
        b->rest_x[k] = take_staging(b, (uint64_t)b->rest * tn_sample_bytes(b->data));
        b->rest_target[k] =
            tn_target_bytes(b->data) ? take_staging(b, (uint64_t)b->rest * tn_target_bytes(b->data)) : NULL;
        if (!b->rest_x[k] || (!b->rest_target[k] && tn_target_bytes(b->data))) return TN_ENOMEM;
    }
    return TN_OK;
}

static tn_status feed_last(tn_batches *b)
{
    const int k = (int)(b->uploads % TN_BATCH_HELD);
    const int64_t start = b->data->count - b->rest;
    TN_TRY(pick(b, start, b->rest, b->rest_x[k], b->rest_target[k]));
    return upload(b, b->last, &(tn_batch){start, b->rest, b->rest_x[k], b->rest_target[k]}, 0);
}

static tn_status resident_at(tn_batches *b, int64_t start)
{
    if (b->data->count - start < b->batch) return b->order ? feed_last(b) : TN_OK;
    return b->batch < b->data->count ? tn_set(b->whole, "start", (double)start) : TN_OK;
}

/* ---- fed to it ---- */

static tn_status open_feeding(tn_batches *b)
{
    b->course = tn_course_of_all((b->data->count + b->batch - 1) / b->batch);
    return open_upload(b, b->batch, 1);
}

/* What is on the course is read ahead; what is not, with all that follows. No copy is under way then from where it is
 * read to. */
static tn_status read_from(tn_batches *b, int64_t start)
{
    const int64_t number = tn_course_find(&b->course, start / b->batch);
    TN_TRY(tn_upload_wait(b->upload));
    b->next = number;
    tn_prefetch_begin(b->prefetch, b->order, number < 0 ? NULL : &b->course, number < 0 ? start / b->batch : number);
    return TN_OK;
}

static int is_next(const tn_batches *b, int64_t start)
{
    return b->next >= 0 && tn_course_batch(&b->course, b->next) == start / b->batch;
}

static tn_status fed_at(tn_batches *b, int64_t start)
{
    tn_batch batch;
    if (!is_next(b, start)) TN_TRY(read_from(b, start));
    const int64_t after = b->next < 0 ? -1 : b->next + 1;
    b->next = -1;
    TN_TRY(tn_prefetch_next(b->prefetch, &batch));
    TN_TRY(check_targets(b, &batch, b->order));
    if (batch.count < b->batch) {
        TN_TRY(upload(b, b->last, &batch, 0));
    } else {
        TN_TRY(upload(b, b->whole, &batch, b->turn * b->batch));
        TN_TRY(tn_set(b->whole, "start", (double)(b->turn * b->batch)));
        b->turn = (b->turn + 1) % b->turns;
    }
    b->next = after;
    return TN_OK;
}

void tn_batches_follow(tn_batches *b, const tn_course *course)
{
    b->course = *course;
    b->next = -1;
}

tn_status tn_batches_wait(tn_batches *b)
{
    return b->upload ? tn_upload_wait(b->upload) : TN_OK;
}

/* ---- all of it ---- */

/* Compiles and frees the graph. */
static tn_status compile(tn_graph *graph, tn_state *state, const tn_model *model, tn_program **program)
{
    tn_status s = graph ? tn_compile(graph, state, &model->compile, program) : TN_ENOMEM;
    tn_graph_free(graph);
    return s;
}

/* What is fed comes in two turns; where several runs are under way at once, a batch of each has to stay, and one more
 * is on its way. */
static tn_status compile_fed(tn_batches *b, tn_state *state, const tn_batch_options *options, tn_batch_task *task,
                             const void *arg)
{
    for (b->turns = 2;; b->turns = options->together + 1) {
        tn_graph *graph = batch_graph(b->data, b->turns * b->batch, b->batch, 0, task, arg);
        TN_TRY(compile(graph, state, b->model, &b->whole));
        if (tn_program_parts(b->whole) == 1 || b->turns > options->together) return TN_OK;
        tn_program_free(b->whole);
        b->whole = NULL;
    }
}

static tn_status open_order(tn_batches *b)
{
    b->order = tn_alloc((size_t)b->data->count * sizeof *b->order);
    if (b->data->weight) b->weight = tn_alloc((size_t)b->data->count * sizeof *b->weight);
    if (b->weight) memcpy(b->weight, b->data->weight, (size_t)b->data->count * sizeof *b->weight);
    return b->order && !b->weight == !b->data->weight ? TN_OK : TN_ENOMEM;
}

tn_status tn_batches_new(tn_batches *b, tn_state *state, const tn_model *model, const tn_dataset *data,
                         const tn_batch_options *options, tn_batch_task *task, const void *arg)
{
    const int64_t batch = options->batch > data->count ? data->count : options->batch;
    const int fed = options->fed;
    TN_REQUIRE(data->count >= 0 && data->count <= INT32_MAX, TN_EINVAL, "%s: %lld samples: there can be 2147483647",
               data->source ? data->source : "the data", (long long)data->count);
    TN_REQUIRE(model->data.where <= TN_RESIDENT_HOST, TN_EINVAL,
               "the model's data.where is %u, which is no TN_RESIDENT_...", model->data.where);
    *b = (tn_batches){.data = data,
                      .state = state,
                      .model = model,
                      .batch = batch,
                      .rest = batch ? data->count % batch : 0,
                      .next = -1};
    if (!batch) return TN_OK;
    if (options->shuffled && batch < data->count) TN_TRY(open_order(b));
    if (fed)
        TN_TRY(compile_fed(b, state, options, task, arg));
    else
        TN_TRY(compile(tn_batches_graph(data, batch, b->order != NULL, task, arg), state, model, &b->whole));
    TN_TRY(fed ? open_feeding(b) : bring(b));
    if (!b->rest) return TN_OK;
    TN_TRY(compile(batch_graph(data, b->rest, b->rest, 0, task, arg), state, model, &b->last));
    if (fed) return TN_OK;
    TN_TRY(open_rest(b));
    if (b->order) return TN_OK;
    TN_TRY(feed_last(b));
    TN_TRY(tn_upload_wait(b->upload));
    close_upload(b);
    return TN_OK;
}

/* The upload writes to the programs' inputs: it goes first. */
void tn_batches_free(tn_batches *b)
{
    close_upload(b);
    tn_program_free(b->whole);
    tn_program_free(b->last);
    tn_free(b->order);
    tn_free(b->weight);
    *b = (tn_batches){0};
}

tn_status tn_batches_feed(tn_batches *b, const char *input, int32_t dtype, const void *data, uint64_t bytes)
{
    TN_TRY(feed(b, b->whole, input, dtype, data, bytes));
    return b->last ? feed(b, b->last, input, dtype, data, bytes) : TN_OK;
}

tn_status tn_batches_shuffle(tn_batches *b, uint64_t seed, uint64_t epoch)
{
    if (!b->order) return TN_OK;
    if (b->upload) TN_TRY(tn_upload_wait(b->upload));
    if (b->prefetch) tn_prefetch_stop(b->prefetch);
    b->next = -1;
    tn_shuffle(b->order, b->data->count, seed, epoch);
    for (int64_t i = 0; b->weight && i < b->data->count; i++) b->weight[i] = b->data->weight[b->order[i]];
    if (b->prefetch) return TN_OK;
    return feed(b, b->whole, "order", TN_I32, b->order, (uint64_t)b->data->count * sizeof *b->order);
}

tn_status tn_batches_at(tn_batches *b, int64_t start, tn_program **program)
{
    int64_t left = b->data->count - start;
    *program = left <= 0 ? NULL : left < b->batch ? b->last : b->whole;
    if (left <= 0) return TN_OK;
    return b->prefetch ? fed_at(b, start) : resident_at(b, start);
}
