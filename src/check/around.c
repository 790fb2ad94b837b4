/* around.c: what a backend leaves as it was around it: the caller's floating-point environment and signals, memory that
 * each call takes, its device's id from process to process. */
#include <fenv.h>
#include <float.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "system.h"

/* ---- the caller's thread ---- */

/* What a thread has that calls must not change. */
typedef struct surroundings {
    int rounding, denormals;
    sigset_t blocked;
    char locale[64];
} surroundings;

static surroundings look_around(void)
{
    surroundings s = {.rounding = fegetround()};
    volatile float small = FLT_MIN, half = 0.5f, smaller;
    smaller = small * half;
    s.denormals = smaller != 0 && smaller * 2 == small;
    pthread_sigmask(SIG_SETMASK, NULL, &s.blocked);
    snprintf(s.locale, sizeof s.locale, "%s", setlocale(LC_ALL, NULL));
    return s;
}

static int same_signals(const sigset_t *a, const sigset_t *b)
{
    for (int i = 1; i <= SIGRTMAX; i++)
        if (sigismember(a, i) != sigismember(b, i)) return 0;
    return 1;
}

/* Nothing may have changed since `before`. */
static void check_around(tn_kit *kit, const surroundings *before, const char *call)
{
    const surroundings now = look_around();
    tn_kit_expect(kit, now.denormals == before->denormals, "%s: denormals count as zero from then on", call);
    tn_kit_expect(kit, now.rounding == before->rounding, "%s changes how the caller's thread rounds", call);
    tn_kit_expect(kit, same_signals(&now.blocked, &before->blocked), "%s changes the signals that the caller blocks",
                  call);
    tn_kit_expect(kit, !strcmp(now.locale, before->locale), "%s changes the locale from %s to %s", call, before->locale,
                  now.locale);
}

/* One call after the other, each looked behind. */
static void caller(tn_kit *kit)
{
    if (!setlocale(LC_ALL, "C.UTF-8")) setlocale(LC_ALL, "POSIX"); /* other than what a backend may set */
    const surroundings before = look_around();
    tn_queue_stats stats = {.size = sizeof stats};
    tn_event *event = NULL;
    if (!tn_kit_load_table(kit)) return;
    check_around(kit, &before, "loading");
    const tn_backend *b = kit->backend;
    uint32_t count = 0;
    int32_t s = b->init(&kit->host, &kit->msg);
    check_around(kit, &before, "init");
    if (!tn_kit_ok(kit, s, "init")) return;
    s = b->device_count(&count, &kit->msg);
    kit->info.size = sizeof kit->info;
    if (!s) s = b->device_info(kit->target->index, &kit->info, &kit->msg);
    check_around(kit, &before, "device_info");
    if (!s) s = b->context_create(kit->target->index, &kit->context, &kit->msg);
    check_around(kit, &before, "context_create");
    if (!s) s = b->queue_create(kit->context, &kit->queue, &kit->msg);
    check_around(kit, &before, "queue_create");
    for (int i = 0; !s && i < TN_KIT_ALL; i++) {
        tn_kit_sample sample;
        if (!tn_kit_sample_make(kit, i, &sample)) return;
        tn_kit_run_job(kit, &sample.job);
        check_around(kit, &before, sample.job.desc->name);
        tn_kit_sample_free(&sample);
    }
    if (!s) s = b->event_create(kit->context, &event, &kit->msg);
    if (!s) s = b->event_record(kit->queue, event, &kit->msg);
    if (!s) s = b->event_wait(kit->queue, event, &kit->msg);
    if (!s) s = b->event_sync(event, &kit->msg);
    if (!s) s = b->queue_stats(kit->queue, &stats, &kit->msg);
    check_around(kit, &before, "a call about events");
    b->event_destroy(event);
    tn_kit_ok(kit, s, "calls");
    tn_kit_close(kit);
    check_around(kit, &before, "deinit");
}

/* ---- the device's id ---- */

/* The one that the device had in the process which looked for it. */
static void same_id(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    tn_kit_expect(kit, !strcmp(kit->info.id, kit->target->id),
                  "the device's id is %s in one process and %s in the next", kit->target->id, kit->info.id);
    tn_kit_close(kit);
}

/* ---- memory that calls take ---- */

/* A queue that waits for others, and what the calls are made with. */
typedef struct scene {
    tn_queue *other;
    tn_event *event;
    tn_buffer *a, *b;
    char host[64];
} scene;

static int32_t call_wait(tn_kit *kit, scene *s)
{
    const int32_t status = kit->backend->event_record(kit->queue, s->event, &kit->msg);
    return status ? status : kit->backend->event_wait(s->other, s->event, &kit->msg);
}

static int32_t call_sync(tn_kit *kit, scene *s)
{
    const int32_t status = kit->backend->event_record(kit->queue, s->event, &kit->msg);
    return status ? status : kit->backend->event_sync(s->event, &kit->msg);
}

static int32_t call_fill(tn_kit *kit, scene *s)
{
    return kit->backend->fill(kit->queue, (tn_ref){s->a, 0}, 64, s->host, 4, &kit->msg);
}

static int32_t call_copy(tn_kit *kit, scene *s)
{
    return kit->backend->copy(kit->queue, (tn_ref){s->b, 0}, (tn_ref){s->a, 0}, 64, &kit->msg);
}

static int32_t call_write(tn_kit *kit, scene *s)
{
    return kit->backend->write(kit->queue, (tn_ref){s->a, 0}, s->host, 64, &kit->msg);
}

static int32_t call_read(tn_kit *kit, scene *s)
{
    return kit->backend->read(kit->queue, s->host, (tn_ref){s->b, 0}, 64, &kit->msg);
}

static int32_t call_event(tn_kit *kit, scene *s)
{
    tn_event *event = NULL;
    const int32_t status = kit->backend->event_create(kit->context, &event, &kit->msg);
    (void)s;
    kit->backend->event_destroy(event);
    return status;
}

static int32_t call_buffer(tn_kit *kit, scene *s)
{
    tn_buffer *buffer = NULL;
    const int32_t status = kit->backend->buffer_create(kit->context, 64, &buffer, &kit->msg);
    (void)s;
    kit->backend->buffer_destroy(buffer);
    return status;
}

static int32_t call_stats(tn_kit *kit, scene *s)
{
    tn_queue_stats stats = {.size = sizeof stats};
    (void)s;
    return kit->backend->queue_stats(kit->queue, &stats, &kit->msg);
}

static int32_t call_info(tn_kit *kit, scene *s)
{
    tn_device_info info = {.size = sizeof info};
    (void)s;
    return kit->backend->device_info(kit->target->index, &info, &kit->msg);
}

static const struct {
    const char *name;
    int32_t (*call)(tn_kit *kit, scene *s);
} calls[] = {{"event_wait", call_wait},
             {"event_sync", call_sync},
             {"fill", call_fill},
             {"copy", call_copy},
             {"write", call_write},
             {"read", call_read},
             {"event_create and event_destroy", call_event},
             {"buffer_create and buffer_destroy", call_buffer},
             {"queue_stats", call_stats},
             {"device_info", call_info}};

/* A leak grows the heap in every part; what is kept for later use, or let go of late, does not. */
static int32_t grows(tn_kit *kit, scene *s, size_t which, uint64_t *by)
{
    enum { CALLS = 2000, AT_ONCE = 50, PARTS = 8 };
    uint64_t before = 0, now = 0;
    int32_t status = TN_OK;
    *by = 1;
    for (int part = 0; !status && *by && part < PARTS; part++) {
        for (int i = 0; !status && i < CALLS; i++) {
            status = calls[which].call(kit, s);
            if (!status && i % AT_ONCE == AT_ONCE - 1) status = kit->backend->queue_sync(kit->queue, &kit->msg);
            if (!status && i % AT_ONCE == AT_ONCE - 1) status = kit->backend->queue_sync(s->other, &kit->msg);
        }
        before = now, now = tn_system_heap();
        if (part > 1) *by = now >= before + CALLS * 8 ? (now - before) / CALLS : 0; /* the first parts warm up */
    }
    return status;
}

static void calls_leak(tn_kit *kit)
{
    scene s = {0};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t status = b->queue_create(kit->context, &s.other, &kit->msg);
    if (!status) status = b->event_create(kit->context, &s.event, &kit->msg);
    if (!status) status = b->buffer_create(kit->context, 64, &s.a, &kit->msg);
    if (!status) status = b->buffer_create(kit->context, 64, &s.b, &kit->msg);
    for (size_t i = 0; !status && i < sizeof calls / sizeof *calls; i++) {
        uint64_t by = 0;
        status = grows(kit, &s, i, &by);
        tn_kit_expect(kit, status || !by, "each %s leaves %llu bytes of memory", calls[i].name, (unsigned long long)by);
    }
    tn_kit_ok(kit, status, "calls again and again");
    b->queue_destroy(s.other), b->event_destroy(s.event), b->buffer_destroy(s.a), b->buffer_destroy(s.b);
    tn_kit_close(kit);
}

/* ---- what there is no memory for ---- */

/* Of an operation that is supported, lack of the host's memory is no reason to look elsewhere. */
static void prepare_without(tn_kit *kit, const tn_op_desc *desc)
{
    const tn_backend *b = kit->backend;
    int32_t status = b->op_prepare(kit->context, desc, NULL, NULL, &kit->msg);
    kit->result->refused += status == TN_EUNSUPPORTED;
    for (int64_t n = 0; !status && n < 100 && !kit->result->failed; n++) {
        tn_kernel *kernel = NULL;
        tn_kit_fail_at = n, tn_kit_asked = 0;
        const int32_t told = b->op_prepare(kit->context, desc, &kernel, NULL, &kit->msg);
        tn_kit_fail_at = -1;
        if (!told) b->op_release(kernel);
        if (tn_kit_asked <= n) break;
        tn_kit_expect(kit, !told || told == TN_ENOMEM,
                      "%s without memory for the host's allocation %lld: op_prepare answers %s, not TN_ENOMEM",
                      desc->name, (long long)n, tn_status_name(told));
    }
}

static void no_host_memory(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    for (int i = 0; i < TN_KIT_ALL && !kit->result->failed; i++) {
        tn_kit_sample s;
        if (!tn_kit_sample_make(kit, i, &s)) return;
        prepare_without(kit, s.job.desc);
        tn_kit_sample_free(&s);
    }
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_around[] = {
    {"loading", "caller", "no call changes how its thread rounds, its signals, the locale", caller},
    {"loading", "same-id", "a device has one id in all processes", same_id},
    {"robustness", "calls-leak", "calls again and again take no more memory", calls_leak},
    {"robustness", "no-host-memory", "preparing without the host's memory answers TN_ENOMEM", no_host_memory},
    {0},
};
