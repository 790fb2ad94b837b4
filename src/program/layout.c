/* layout.c: whether a network's images have their channels last. Which is faster is known when it has been tried: the
 * network, as it is compiled either way, runs in turns in states of its own, on inputs drawn at random; what it gives
 * must agree. The verdict is a row of the device's table, by a key that is made of the graph. */
#include "layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cache.h"
#include "clock.h"
#include "conv.h"
#include "error.h"
#include "hash.h"
#include "reference_internal.h"
#include "tuned.h"

#define ROUNDS 7     /* of both in turn */
#define SAMPLE 0.005 /* seconds of runs that are measured together, at least */
#define MOST   64    /* of them */
#define BETTER 0.97  /* of the usual one's time, that the other may take to be worth it */
#define LAST   "channels_last"

/* ---- the verdict ------------------------------------------------------------------------------------------------- */

static uint64_t hash_type(uint64_t hash, const tn_type *type)
{
    hash = tn_hash_bytes(hash, &type->dtype, sizeof type->dtype);
    return tn_hash_bytes(hash, type->shape.dim, (size_t)type->shape.rank * sizeof *type->shape.dim);
}

static uint64_t hash_convolution(uint64_t hash, const tn_tensor *x)
{
    hash = tn_hash_bytes(hash, x->op->name, strlen(x->op->name));
    hash = tn_hash_bytes(hash, x->attrs, x->op->attrs_size);
    return hash_type(hash_type(hash_type(hash, &x->type), &x->in[0]->type), &x->in[1]->type);
}

/* Networks are told apart by their convolutions; not by how much data the device keeps, for instance. 0: it has none.
 */
static int write_key(const tn_graph *graph, const tn_compile_options *options, char key[TN_TUNE_KEY])
{
    const uint32_t how[] = {options->unfused, options->f64, (uint32_t)options->storage, options->precision};
    uint64_t hash = tn_hash_bytes(TN_HASH_EMPTY, how, sizeof how);
    char shape[160] = "";
    int count = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        const tn_tensor *x = graph->tensor[i];
        if (!tn_is_convolution(x)) continue;
        hash = hash_convolution(hash, x);
        if (!count++) tn_shape_text(&x->in[0]->type.shape, shape, sizeof shape);
    }
    snprintf(key, TN_TUNE_KEY, TN_NETWORK_KEY "of %d convolutions, the first of %s in %s, %016" PRIx64, count, shape,
             tn_precision_name(options->precision), hash);
    return count > 0;
}

/* TN_LAYOUT_USUAL or TN_LAYOUT_LAST; TN_LAYOUT_TUNED: nobody has tried. */
static uint32_t verdict_of(const tn_device *device, const char *key)
{
    pthread_mutex_lock(&device->tuned->lock);
    const tn_row *row = tn_tuned_of_kind(device->tuned, key, TN_ROW_CHOSEN);
    const uint32_t layout = !row ? TN_LAYOUT_TUNED : *row->choice ? TN_LAYOUT_LAST : TN_LAYOUT_USUAL;
    pthread_mutex_unlock(&device->tuned->lock);
    return layout;
}

/* Who switched the cache off, or asked for it, knows it; a disk that is full is told of where the table is written. */
static void warn_of_cache(const tn_device *device)
{
    if (tn_cache_can_keep() || tn_cache_is_told() || tn_cache_check() == TN_EMISSING) return;
    tn_log_line(TN_LOG_WARNING, "%s: which layout is faster is known to this process alone: %s", device->name,
                tn_message());
}

static tn_status note(const tn_device *device, const char *key, double usual, double last, uint32_t layout)
{
    const double seconds = layout == TN_LAYOUT_LAST ? last : usual;
    const tn_row row = {.kind = TN_ROW_CHOSEN,
                        .nanoseconds = (uint64_t)(seconds * 1e9),
                        .usual = (uint64_t)(usual * 1e9),
                        .key = (char *)key,
                        .choice = layout == TN_LAYOUT_LAST ? LAST : ""};
    pthread_mutex_lock(&device->tuned->lock);
    tn_status s = tn_tuned_drop(device->tuned, key, TN_ROW_CHOSEN);
    if (!s) s = tn_tuned_put(device->tuned, &row);
    if (!s) tn_tuned_keep(device), warn_of_cache(device);
    pthread_mutex_unlock(&device->tuned->lock);
    return s;
}

/* ---- the trial --------------------------------------------------------------------------------------------------- */

/* The network in one layout. */
typedef struct side {
    tn_state *state;
    tn_program *program;
    double seconds; /* of a run, the least that was seen */
} side;

static void close_side(side *s)
{
    tn_program_free(s->program);
    if (s->state) tn_state_free(s->state);
}

/* Whole numbers are 0, which is a class, a word and a place wherever one is meant, but for bytes of images, which may
 * lie in rows. */
static double draw(const tn_port *port, uint64_t *random)
{
    const int is_image = port->dtype == TN_U8 && port->shape.rank > 1;
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's */
    if (tn_is_whole(port->dtype)) return is_image ? (double)(*random >> 56) : 0;
    return (double)(int64_t)(*random >> 11) * 0x1p-52 - 1;
}

static tn_status feed_input(tn_program *p, const tn_port *port, uint64_t *random)
{
    const int64_t count = tn_shape_count(&port->shape);
    const int32_t dtype = p->f64 && port->dtype == TN_F32 ? TN_F64 : port->dtype;
    const tn_tensor_desc like = tn_desc_dense(dtype, &port->shape);
    const uint64_t bytes = (uint64_t)count * tn_dtype_size(dtype);
    double *value = tn_alloc(((size_t)count + 1) * sizeof *value);
    void *data = tn_alloc(bytes + 1);
    tn_status s = value && data ? TN_OK : TN_ENOMEM;
    for (int64_t i = 0; i < count && !s; i++) value[i] = draw(port, random);
    if (!s) tn_reference_store(data, value, &like);
    if (!s) s = tn_feed(p, port->name, data, bytes);
    tn_free(data);
    tn_free(value);
    return s;
}

static tn_status open_side(side *s, tn_graph *graph, tn_device *device, const tn_compile_options *options,
                           uint32_t layout)
{
    tn_compile_options now = *options;
    uint64_t random = 1;
    tn_port port;
    now.layout = layout;
    now.strict = 0; /* a trial asks which is faster */
    s->seconds = INFINITY;
    TN_TRY(tn_state_new(device, 1, &s->state));
    TN_TRY(tn_compile(graph, s->state, &now, &s->program));
    for (size_t i = 0; tn_program_input_at(s->program, i, &port); i++) TN_TRY(feed_input(s->program, &port, &random));
    for (int i = 0; i < 2; i++) TN_TRY(tn_program_run(s->program)); /* a step, and one that sees what it changed */
    return tn_wait(s->program);
}

/* What a side gives: an output's bytes, or those of a tensor of its state. */
typedef tn_status taker(const side *s, const char *name, void *data, uint64_t bytes);

static tn_status take_output(const side *s, const char *name, void *data, uint64_t bytes)
{
    return tn_fetch(s->program, name, data, bytes);
}

static tn_status take_entry(const side *s, const char *name, void *data, uint64_t bytes)
{
    return tn_state_read(s->state, name, data, bytes);
}

/* How far what one gives is off the other's, in parts of the largest; infinitely, where only one is a number. */
static tn_status compare(const side both[2], taker *take, const char *name, int32_t dtype, const tn_shape *shape,
                         double *off)
{
    const int64_t count = tn_shape_count(shape);
    const tn_tensor_desc like = tn_desc_dense(dtype, shape);
    const uint64_t bytes = (uint64_t)count * tn_dtype_size(dtype);
    double *value[2] = {NULL, NULL}, largest = 0, differ = 0;
    tn_status s = TN_OK;
    for (int i = 0; i < 2 && !s; i++) {
        void *data = tn_alloc(bytes + 1);
        value[i] = tn_alloc(((size_t)count + 1) * sizeof **value);
        s = data && value[i] ? take(&both[i], name, data, bytes) : TN_ENOMEM;
        if (!s) tn_reference_load(value[i], data, &like);
        tn_free(data);
    }
    for (int64_t e = 0; e < count && !s; e++) {
        const double a = value[0][e], b = value[1][e];
        if (isfinite(a)) largest = fmax(largest, fabs(a));
        if (isfinite(a) || isfinite(b)) differ = isfinite(a) && isfinite(b) ? fmax(differ, fabs(a - b)) : INFINITY;
    }
    if (differ > 0) *off = fmax(*off, differ / fmax(largest, 1e-30));
    tn_free(value[0]), tn_free(value[1]);
    return s;
}

/* The outputs; and what is in the state for a while, as the loss that a training adds up, which has no outputs. */
static tn_status compare_all(const side both[2], double *off)
{
    tn_port port;
    tn_state_entry entry;
    for (size_t i = 0; tn_program_output_at(both->program, i, &port); i++) {
        const int32_t dtype = both->program->f64 && port.dtype == TN_F32 ? TN_F64 : port.dtype;
        if (!tn_is_whole(dtype)) TN_TRY(compare(both, take_output, port.name, dtype, &port.shape, off));
    }
    for (size_t i = 0; tn_state_at(both->state, i, &entry); i++)
        if (entry.flags & TN_TRANSIENT && !tn_is_whole(entry.dtype))
            TN_TRY(compare(both, take_entry, entry.name, entry.dtype, &entry.shape, off));
    return TN_OK;
}

/* Both began alike, so that what they give in their first runs differs by rounding alone. */
static tn_status agree(const side both[2], const tn_compile_options *options, int *do_agree)
{
    static const double allowed[] = {
        [TN_PRECISION_F32] = 1e-3, [TN_PRECISION_F32_FAST] = 1e-2, [TN_PRECISION_BF16] = 1e-1};
    const double most = options->storage ? 1e-1 : allowed[options->precision];
    double off = 0;
    TN_TRY(compare_all(both, &off));
    *do_agree = off <= most;
    if (!*do_agree)
        tn_log_line(TN_LOG_WARNING, "%s: with channels last a network gives something else: off by %.2g of it",
                    tn_device_name(both->state->device), off);
    return TN_OK;
}

static tn_status time_side(side *s, int runs)
{
    const double begun = tn_now();
    for (int i = 0; i < runs; i++) TN_TRY(tn_program_run(s->program));
    TN_TRY(tn_wait(s->program));
    s->seconds = fmin(s->seconds, (tn_now() - begun) / runs);
    return TN_OK;
}

/* In turns, so that what slows the device down for a while slows both down. */
static tn_status race(side both[2])
{
    TN_TRY(time_side(&both[0], 1));
    const double wanted = ceil(SAMPLE / fmax(both[0].seconds, 1e-9));
    const int runs = wanted < MOST ? (int)wanted : MOST;
    both[0].seconds = INFINITY;
    for (int i = 0; i < 2 * ROUNDS; i++) TN_TRY(time_side(&both[i % 2], runs));
    return TN_OK;
}

/* Without a convolution that is made with channels last there is nothing to try. */
static tn_status try_both(tn_graph *graph, tn_device *device, const tn_compile_options *options, const char *key,
                          side both[2])
{
    int do_agree = 0;
    tn_compile_options now = *options;
    now.tune = options->tune / 2;
    TN_TRY(open_side(&both[1], graph, device, &now, TN_LAYOUT_LAST));
    if (!both[1].program->report.channels_last) return TN_OK;
    TN_TRY(open_side(&both[0], graph, device, &now, TN_LAYOUT_USUAL));
    TN_TRY(agree(both, options, &do_agree));
    TN_TRY(race(both));
    const int is_faster = do_agree && both[1].seconds < BETTER * both[0].seconds;
    tn_log_line(TN_LOG_INFO, "%s: %s: %.4g us, with channels last %.4g", device->name, key, both[0].seconds * 1e6,
                both[1].seconds * 1e6);
    return note(device, key, both[0].seconds, both[1].seconds, is_faster ? TN_LAYOUT_LAST : TN_LAYOUT_USUAL);
}

tn_status tn_choose_layout(tn_graph *graph, tn_state *state, tn_compile_options *options)
{
    char key[TN_TUNE_KEY];
    tn_device *device = state->device;
    const int tries = options->layout == TN_LAYOUT_TRY || (options->layout == TN_LAYOUT_TUNED && options->tune > 0);
    if (options->layout == TN_LAYOUT_USUAL || options->layout == TN_LAYOUT_LAST) return TN_OK;
    const int again = options->layout == TN_LAYOUT_TRY;
    options->layout = TN_LAYOUT_USUAL;
    if (!device->tuned || graph->is_shard || !write_key(graph, options, key)) return TN_OK;
    uint32_t known = again ? TN_LAYOUT_TUNED : verdict_of(device, key);
    if (known == TN_LAYOUT_TUNED && tries) {
        side both[2] = {{0}, {0}};
        const tn_status s = try_both(graph, device, options, key, both);
        close_side(&both[0]), close_side(&both[1]);
        if (s == TN_ENOMEM)
            tn_log_line(TN_LOG_INFO, "%s: %s: not tried with channels last: %s", device->name, key, tn_message());
        if (s && s != TN_ENOMEM) return s;
        known = verdict_of(device, key);
    }
    if (known == TN_LAYOUT_LAST) options->layout = TN_LAYOUT_LAST;
    return TN_OK;
}
