/* batches.c: see batches.h. */
#include "batches.h"

#include <string.h>

#include "alloc.h"
#include "error.h"

/* ---- what a batch is in a graph ---- */

static int64_t features(const tn_dataset *data)
{
    return tn_shape_count(&data->sample);
}

static tn_tensor *target_input(tn_graph *graph, const tn_dataset *data, int64_t count)
{
    if (data->label) return tn_input(graph, "target", TN_I32, TN_SHAPE(count));
    return data->target ? tn_input(graph, "target", TN_F32, TN_SHAPE(count, data->targets)) : NULL;
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

/* `size` samples: a part of `count` that are fed, or all of them. */
static tn_graph *batch_graph(const tn_dataset *data, int64_t count, int64_t size, int shuffled, tn_batch_task *task,
                             const void *arg)
{
    tn_graph *graph = tn_graph_new();
    if (!graph) return NULL;
    tn_tensor *x = tn_input(graph, "x", data->x_dtype, TN_SHAPE(count, features(data)));
    tn_tensor *target = target_input(graph, data, count);
    if (size < count) {
        tn_tensor *start = tn_scalar_input(graph, "start", TN_I32, 0);
        tn_tensor *order = shuffled ? tn_input(graph, "order", TN_I32, TN_SHAPE(count)) : NULL;
        tn_tensor *index = order ? tn_window(order, start, size) : NULL;
        x = index ? tn_gather(x, index) : tn_window(x, start, size);
        if (target) target = index ? tn_gather(target, index) : tn_window(target, start, size);
    }
    task(arg, as_samples(x, data), target);
    return graph;
}

tn_graph *tn_batches_graph(const tn_dataset *data, int64_t batch, int shuffled, tn_batch_task *task, const void *arg)
{
    return batch_graph(data, data->count, batch, shuffled, task, arg);
}

/* ---- feeding ---- */

static uint64_t sample_bytes(const tn_dataset *data)
{
    return (uint64_t)features(data) * (data->x_dtype == TN_U8 ? 1 : sizeof(float));
}

static uint64_t target_bytes(const tn_dataset *data)
{
    return data->label ? sizeof *data->label : (uint64_t)data->targets * sizeof *data->target;
}

/* What the program does not need is not there: no error. */
static tn_status feed(tn_program *program, const char *input, const void *data, uint64_t bytes)
{
    tn_status s = tn_feed(program, input, data, bytes);
    return s == TN_EMISSING ? TN_OK : s;
}

static tn_status feed_both(tn_program *program, const tn_dataset *data, const void *x, const void *target,
                           int64_t count)
{
    TN_TRY(feed(program, "x", x, (uint64_t)count * sample_bytes(data)));
    return target ? feed(program, "target", target, (uint64_t)count * target_bytes(data)) : TN_OK;
}

static const void *targets_of(const tn_dataset *data)
{
    return data->label ? (const void *)data->label : data->target;
}

/* Copies rows out of `from`: those that `order` names, or as they come. */
static void *pick_rows(const void *from, uint64_t row, const int32_t *order, int64_t start, int64_t count)
{
    char *to = tn_alloc((size_t)count * row + 1);
    for (int64_t i = 0; to && i < count; i++) {
        int64_t at = order ? order[start + i] : start + i;
        memcpy(to + (size_t)i * row, (const char *)from + (size_t)at * row, row);
    }
    return to;
}

static tn_status feed_last(tn_batches *b)
{
    int64_t start = b->data->count - b->rest;
    const void *all = targets_of(b->data);
    void *x = pick_rows(b->data->x, sample_bytes(b->data), b->order, start, b->rest);
    void *target = all ? pick_rows(all, target_bytes(b->data), b->order, start, b->rest) : NULL;
    tn_status s = x && (target || !all) ? feed_both(b->last, b->data, x, target, b->rest) : TN_ENOMEM;
    tn_free(x);
    tn_free(target);
    return s;
}

/* ---- all of it ---- */

/* Compiles and frees the graph. */
static tn_status compile(tn_graph *graph, tn_state *state, const tn_compile_options *options, tn_program **program)
{
    tn_status s = graph ? tn_compile(graph, state, options, program) : TN_ENOMEM;
    tn_graph_free(graph);
    return s;
}

tn_status tn_batches_new(tn_batches *b, tn_state *state, const tn_dataset *data, int64_t batch, int shuffled,
                         const tn_compile_options *options, tn_batch_task *task, const void *arg)
{
    if (batch > data->count) batch = data->count;
    *b = (tn_batches){.data = data, .batch = batch, .rest = batch ? data->count % batch : 0};
    if (!batch) return TN_OK;
    if (shuffled && batch < data->count && !(b->order = tn_alloc((size_t)data->count * sizeof *b->order)))
        return TN_ENOMEM;
    TN_TRY(compile(tn_batches_graph(data, batch, b->order != NULL, task, arg), state, options, &b->whole));
    TN_TRY(feed_both(b->whole, data, data->x, targets_of(data), data->count));
    if (!b->rest) return TN_OK;
    TN_TRY(compile(batch_graph(data, b->rest, b->rest, 0, task, arg), state, options, &b->last));
    return b->order ? TN_OK : feed_last(b);
}

void tn_batches_free(tn_batches *b)
{
    tn_program_free(b->whole);
    tn_program_free(b->last);
    tn_free(b->order);
    *b = (tn_batches){0};
}

tn_status tn_batches_feed(tn_batches *b, const char *input, const void *data, uint64_t bytes)
{
    TN_TRY(feed(b->whole, input, data, bytes));
    return b->last ? feed(b->last, input, data, bytes) : TN_OK;
}

tn_status tn_batches_shuffle(tn_batches *b, uint64_t seed, uint64_t epoch)
{
    if (!b->order) return TN_OK;
    tn_shuffle(b->order, b->data->count, seed, epoch);
    return feed(b->whole, "order", b->order, (uint64_t)b->data->count * sizeof *b->order);
}

tn_status tn_batches_at(tn_batches *b, int64_t start, tn_program **program)
{
    int64_t left = b->data->count - start;
    *program = left <= 0 ? NULL : left < b->batch ? b->last : b->whole;
    if (left > 0 && left < b->batch) return b->order ? feed_last(b) : TN_OK;
    return left > 0 && b->batch < b->data->count ? tn_set(b->whole, "start", (double)start) : TN_OK;
}
