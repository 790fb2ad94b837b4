/* auto.c: measures devices, and opens the fastest. */
#include "auto.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "cache.h"
#include "device_internal.h"
#include "error.h"
#include "given.h"
#include "options.h"
#include "thread.h"

#define SIDE      512
#define BYTES     ((uint64_t)SIDE * SIDE * sizeof(float))
#define MOST_RUNS 8
#define ENOUGH    0.05 /* seconds of measuring */
#define SAME_CPU  2.0  /* times as fast another device has to be that is the processor, too */

/* ---- one measurement --------------------------------------------------------------------------------------------- */

/* y = a b on the device. a and b hold small integers, so that every sum is exact, in whatever order. */
typedef struct bench {
    tn_device *device;
    tn_queue *queue;
    tn_kernel *kernel;
    tn_buffer *buffer; /* a, b, y, scratch, each `step` bytes apart */
    uint64_t step;
    float *host; /* one matrix */
} bench;

static float value_a(uint32_t row, uint32_t column)
{
    return (float)((int)((row * 3 + column) % 7) - 3);
}

static float value_b(uint32_t row, uint32_t column)
{
    return (float)((int)((row + column * 2) % 5) - 1);
}

static tn_ref place(const bench *b, uint64_t number)
{
    return (tn_ref){b->buffer, number * b->step};
}

static tn_status prepare(bench *b)
{
    const tn_matmul_attrs attrs = {.size = sizeof attrs};
    const tn_tensor_desc square = {TN_F32, 3, {1, SIDE, SIDE}, {SIDE * SIDE, SIDE, 1}};
    const tn_tensor_desc in[2] = {square, square};
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "matmul", .in = in, .out = &square, .n_in = 2, .n_out = 1, .attrs = &attrs};
    tn_kernel_info info = {.size = sizeof info};
    uint64_t align = b->device->info.alignment;
    b->step = (BYTES + align - 1) / align * align;
    TN_TRY(tn_kernel_make(b->device, &desc, &b->kernel, &info));
    TN_TRY(tn_queue_make(b->device, &b->queue));
    TN_TRY(tn_buffer_make(b->device, 3 * b->step + info.scratch, &b->buffer));
    b->host = tn_alloc(BYTES);
    return b->host ? TN_OK : TN_ENOMEM;
}

static tn_status sync(bench *b)
{
    TN_MESSAGE(msg);
    return tn_device_status(b->device, b->device->backend->queue_sync(b->queue, &msg), &msg);
}

static tn_status upload(bench *b, uint64_t number, float (*value)(uint32_t row, uint32_t column))
{
    TN_MESSAGE(msg);
    for (uint32_t i = 0; i < SIDE * SIDE; i++) b->host[i] = value(i / SIDE, i % SIDE);
    int32_t code = b->device->backend->write(b->queue, place(b, number), b->host, BYTES, &msg);
    TN_TRY(tn_device_status(b->device, code, &msg));
    return sync(b);
}

static tn_status run_once(bench *b, double *seconds)
{
    TN_MESSAGE(msg);
    struct timespec begin, end;
    const tn_ref in[2] = {place(b, 0), place(b, 1)}, out = place(b, 2);
    const tn_run run = {.size = sizeof run, .in = in, .out = &out, .scratch = place(b, 3)};
    clock_gettime(CLOCK_MONOTONIC, &begin);
    TN_TRY(tn_device_status(b->device, b->device->backend->op_run(b->queue, b->kernel, &run, &msg), &msg));
    TN_TRY(sync(b));
    clock_gettime(CLOCK_MONOTONIC, &end);
    *seconds = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    return TN_OK;
}

/* A fast device whose product is wrong is of no use: looks at one element of each row. */
static tn_status check_result(bench *b)
{
    TN_MESSAGE(msg);
    int32_t code = b->device->backend->read(b->queue, b->host, place(b, 2), BYTES, &msg);
    TN_TRY(tn_device_status(b->device, code, &msg));
    TN_TRY(sync(b));
    for (uint32_t row = 0; row < SIDE; row++) {
        uint32_t column = row * 37 % SIDE;
        float want = 0, got = b->host[row * SIDE + column];
        for (uint32_t k = 0; k < SIDE; k++) want += value_a(row, k) * value_b(k, column);
        TN_REQUIRE(fabsf(got - want) < 0.5f, TN_EDEVICE,
                   "%s: its matrix product is wrong: element (%u, %u) is %g, not %g", b->device->name, row, column,
                   (double)got, (double)want);
    }
    return TN_OK;
}

/* The first run warms up; the best of those that follow counts. A slow device is not run for long. */
static tn_status time_runs(bench *b, double *flops)
{
    double seconds = 0, best = INFINITY, total = 0;
    TN_TRY(run_once(b, &seconds));
    TN_TRY(check_result(b));
    for (int i = 0; i < MOST_RUNS && total < ENOUGH; i++) {
        TN_TRY(run_once(b, &seconds));
        total += seconds;
        if (seconds < best) best = seconds;
    }
    *flops = 2.0 * SIDE * SIDE * SIDE / (best > 1e-9 ? best : 1e-9);
    return TN_OK;
}

static void release(bench *b)
{
    const tn_backend *backend = b->device->backend;
    if (b->queue) backend->queue_destroy(b->queue);
    if (b->buffer) backend->buffer_destroy(b->buffer);
    if (b->kernel) backend->op_release(b->kernel);
    tn_free(b->host);
}

/* ---- the cache --------------------------------------------------------------------------------------------------- */

static void cache_key(const tn_device *device, char key[512])
{
    const tn_device_info *info = &device->info;
    const char *version = device->backend->version ? device->backend->version : "";
    snprintf(key, 512, "speed\n%s %s\n%s\n%s\n%s\n%s", device->backend->id, version, info->id, info->name, info->driver,
             tn_version());
}

static int sane(double flops)
{
    return flops > 0 && flops < 1e18; /* false for a NaN */
}

tn_status tn_device_measure(tn_device *device, double *flops)
{
    TN_GIVEN(device, flops);
    char key[512];
    bench b = {.device = device};
    double measured = 0;
    TN_REQUIRE(device && flops, TN_EINVAL, "tn_device_measure needs a device and a place for the result");
    tn_status status = prepare(&b);
    if (!status) status = upload(&b, 0, value_a);
    if (!status) status = upload(&b, 1, value_b);
    if (!status) status = time_runs(&b, &measured);
    release(&b);
    if (status) return status;
    cache_key(device, key);
    tn_cache_put("tenon", key, &measured, sizeof measured, TN_CACHE_LIMIT);
    *flops = measured;
    return TN_OK;
}

tn_status tn_device_speed(tn_device *device, double *flops)
{
    char key[512];
    double kept = 0;
    cache_key(device, key);
    if (tn_cache_get("tenon", key, &kept, sizeof kept) != sizeof kept || !sane(kept))
        return tn_device_measure(device, flops);
    *flops = kept;
    return TN_OK;
}

/* ---- several at once --------------------------------------------------------------------------------------------- */

#define TOGETHER 0.2 /* seconds of measuring */

/* A device that computes in a thread of its own. */
typedef struct runner {
    bench bench;
    pthread_t thread;
    int started;
    double flops;
    tn_status status;
    char why[1024];
} runner;

static tn_status make_ready(bench *b)
{
    double seconds;
    TN_TRY(prepare(b));
    TN_TRY(upload(b, 0, value_a));
    TN_TRY(upload(b, 1, value_b));
    TN_TRY(run_once(b, &seconds));
    return check_result(b);
}

/* The mean, for what others leave of the processors is now more, now less. */
static void *run_for_a_while(void *arg)
{
    runner *r = arg;
    double seconds, total = 0, runs = 0;
    while (!r->status && total < TOGETHER) {
        r->status = run_once(&r->bench, &seconds);
        total += seconds;
        runs++;
    }
    if (r->status) snprintf(r->why, sizeof r->why, "%s", tn_message());
    r->flops = runs * 2.0 * SIDE * SIDE * SIDE / (total > 1e-9 ? total : 1e-9);
    return NULL;
}

static tn_status run_all(runner all[], uint32_t count)
{
    tn_status status = TN_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        all[i].started = !tn_thread_start(&all[i].thread, run_for_a_while, &all[i]);
        if (!all[i].started) status = tn_fail(TN_ENOMEM, "no thread can be made for %s", all[i].bench.device->name);
    }
    for (uint32_t i = 0; i < count; i++)
        if (all[i].started) pthread_join(all[i].thread, NULL);
    for (uint32_t i = 0; i < count && !status; i++)
        if (all[i].status) status = tn_fail(all[i].status, "%s", all[i].why);
    return status;
}

tn_status tn_device_measure_together(tn_device *const devices[], uint32_t count, double flops[])
{
    TN_GIVEN(devices, flops);
    tn_status status = TN_OK;
    runner *all = tn_alloc((count + 1) * sizeof *all);
    if (!all) return TN_ENOMEM;
    for (uint32_t i = 0; i < count && !status; i++) {
        all[i].bench.device = devices[i];
        status = devices[i] ? make_ready(&all[i].bench) : tn_fail(TN_EINVAL, "device %u of %u is NULL", i + 1, count);
    }
    if (!status) status = run_all(all, count);
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].bench.device) release(&all[i].bench);
        if (!status) flops[i] = all[i].flops;
    }
    tn_free(all);
    return status;
}

/* ---- the choice -------------------------------------------------------------------------------------------------- */

/* Two devices that are the host's processor do not differ by much, and what a busy machine makes of a measurement is
 * chance: then the first one counts. */
static int is_better(const tn_device *device, double flops, const tn_device *best, double best_flops)
{
    const int same = best && best->info.kind == TN_DEVICE_CPU && device->info.kind == TN_DEVICE_CPU;
    return flops > best_flops * (same ? SAME_CPU : 1);
}

/* Keeps the faster of *best and the slot's device open. What is wrong with the user's options is no device's fault. */
static tn_status consider(tn_entry *e, tn_slot *slot, tn_device **best, double *best_flops)
{
    tn_device *device = NULL;
    double flops = 0;
    tn_status status = tn_slot_open(e, slot, &device);
    if (status == TN_EINVAL && tn_options_any(e->id)) return status;
    if (!status) status = tn_device_speed(device, &flops);
    if (status) {
        tn_log_line(TN_LOG_WARNING, "auto passes over %s: %s", slot->entry.name, tn_message());
    } else {
        tn_log_line(TN_LOG_INFO, "auto: %s does %.3g GFLOP/s", slot->entry.name, flops * 1e-9);
        if (is_better(device, flops, *best, *best_flops)) {
            tn_device *beaten = *best;
            *best = device;
            *best_flops = flops;
            device = beaten;
        }
    }
    tn_slot_close(device);
    return TN_OK;
}

static tn_status choose(tn_device **best, tn_entry **last)
{
    tn_entry *e;
    double flops = 0;
    for (size_t i = 0; (e = tn_registry_at(i)); i++) {
        *last = e;
        for (uint32_t d = 0; tn_registry_at(i + 1) && d < e->n_slots; d++)
            TN_TRY(consider(e, &e->slots[d], best, &flops));
    }
    return TN_OK;
}

tn_status tn_auto_open(tn_device **device)
{
    tn_entry *last = NULL;
    tn_device *best = NULL;
    TN_TRY(tn_registry_start_all());
    tn_status status = choose(&best, &last);
    if (!status && !best && !(last && last->n_slots)) status = tn_fail(TN_EMISSING, "there is no device at all");
    if (!status && !best) status = tn_slot_open(last, &last->slots[0], &best);
    if (status)
        tn_slot_close(best);
    else
        *device = best;
    return status;
}
