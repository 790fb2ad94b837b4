/* events.c: what events, letting go and counting mean: rules that a backend can misread and still work for a while.
 * Cases that would wait for ever on such a backend are ended by the kit's time limit. */
#include <pthread.h>
#include <string.h>

#include "sample.h"

#define POISON 0xdb

enum { COUNT = 1 << 14, BYTES = COUNT * 4 };

/* Two queues, two events, a buffer for each queue. */
typedef struct bench {
    tn_queue *a, *b;
    tn_event *e, *f;
    tn_buffer *x, *y;
} bench;

static int32_t make(tn_kit *kit, bench *at)
{
    const tn_backend *b = kit->backend;
    memset(at, 0, sizeof *at);
    int32_t s = b->queue_create(kit->context, &at->a, &kit->msg);
    if (!s) s = b->queue_create(kit->context, &at->b, &kit->msg);
    if (!s) s = b->event_create(kit->context, &at->e, &kit->msg);
    if (!s) s = b->event_create(kit->context, &at->f, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, BYTES, &at->x, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, BYTES, &at->y, &kit->msg);
    return s;
}

static void close_bench(tn_kit *kit, bench *at)
{
    const tn_backend *b = kit->backend;
    b->queue_destroy(at->a), b->queue_destroy(at->b);
    b->event_destroy(at->e), b->event_destroy(at->f);
    b->buffer_destroy(at->x), b->buffer_destroy(at->y);
    tn_kit_close(kit);
}

static int32_t fill(tn_kit *kit, tn_queue *q, tn_buffer *to, int32_t value)
{
    return kit->backend->fill(q, (tn_ref){to, 0}, BYTES, &value, 4, &kit->msg);
}

/* The last number of a buffer, read by a queue that is then waited for. */
static int32_t last_number(tn_kit *kit, tn_queue *q, tn_buffer *from, int32_t *value)
{
    *value = -1;
    int32_t s = kit->backend->read(q, value, (tn_ref){from, BYTES - 4}, 4, &kit->msg);
    return s ? s : kit->backend->queue_sync(q, &kit->msg);
}

/* b waits for what e stands for now. What is recorded afterwards waits for b: were it meant, both would for ever. */
static void wait_means_now(tn_kit *kit)
{
    bench at;
    int32_t got = 0;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = make(kit, &at);
    if (!s) s = fill(kit, at.a, at.x, 1);
    if (!s) s = b->event_record(at.a, at.e, &kit->msg);
    if (!s) s = b->event_wait(at.b, at.e, &kit->msg);
    if (!s) s = b->copy(at.b, (tn_ref){at.y, 0}, (tn_ref){at.x, 0}, BYTES, &kit->msg);
    if (!s) s = b->event_record(at.b, at.f, &kit->msg);
    if (!s) s = b->event_wait(at.a, at.f, &kit->msg);
    if (!s) s = fill(kit, at.a, at.x, 2);
    if (!s) s = b->event_record(at.a, at.e, &kit->msg);
    if (!s) s = last_number(kit, at.b, at.y, &got);
    tn_kit_expect(kit, s || got == 1, "a wait for an event that is recorded again later sees %d instead of 1", got);
    if (!s) s = last_number(kit, at.a, at.x, &got);
    tn_kit_expect(kit, s || got == 2, "work behind two waits left %d instead of 2", got);
    tn_kit_ok(kit, s, "a wait for an event that is recorded again later");
    close_bench(kit, &at);
}

/* Work of x takes a while; b only waits for it and records f at once; who waits for f sees the work done. */
static int32_t behind_a_wait(tn_kit *kit, const bench *at, tn_queue *third, int32_t value, int host)
{
    const tn_backend *b = kit->backend;
    int32_t s = TN_OK, got = 0;
    for (int i = 0; !s && i < 100; i++) s = fill(kit, at->a, at->x, i == 99 ? value : -1);
    if (!s) s = b->copy(at->a, (tn_ref){at->y, 0}, (tn_ref){at->x, 0}, BYTES, &kit->msg);
    if (!s) s = b->event_record(at->a, at->e, &kit->msg);
    if (!s) s = b->event_wait(at->b, at->e, &kit->msg);
    if (!s) s = b->event_record(at->b, at->f, &kit->msg);
    if (!s) s = host ? b->event_sync(at->f, &kit->msg) : b->event_wait(third, at->f, &kit->msg);
    if (!s) s = last_number(kit, third, at->y, &got);
    tn_kit_expect(kit, s || got == value, "an event that is recorded right behind a wait comes early: %d instead of %d",
                  got, value);
    return s;
}

static void wait_is_work(tn_kit *kit)
{
    bench at;
    tn_queue *third = NULL;
    if (!tn_kit_open(kit)) return;
    int32_t s = make(kit, &at);
    if (!s) s = kit->backend->queue_create(kit->context, &third, &kit->msg);
    for (int32_t i = 1; !s && !kit->result->failed && i <= 20; i++) s = behind_a_wait(kit, &at, third, i, i % 2);
    tn_kit_ok(kit, s, "an event behind a wait");
    kit->backend->queue_destroy(third);
    close_bench(kit, &at);
}

/* Queue a fills x and records e, for which queue b waits, then reads what is there; an event of its own goes before. */
static int32_t hand_over(tn_kit *kit, const bench *at, int32_t value, int goes, int32_t *got)
{
    const tn_backend *b = kit->backend;
    tn_event *e = at->e;
    int32_t s = goes ? b->event_create(kit->context, &e, &kit->msg) : TN_OK;
    if (!s) s = fill(kit, at->a, at->x, value);
    if (!s) s = b->event_record(at->a, e, &kit->msg);
    if (!s && !goes && value % 2) s = b->event_sync(e, &kit->msg);
    if (!s) s = b->event_wait(at->b, e, &kit->msg);
    if (goes) b->event_destroy(e);
    if (!s) s = last_number(kit, at->b, at->x, got);
    if (!s && !goes) s = b->event_record(at->b, at->f, &kit->msg); /* the next fill comes after the read */
    if (!s && !goes) s = b->event_wait(at->a, at->f, &kit->msg);
    return s;
}

static void hand_over_often(tn_kit *kit, int goes, const char *what)
{
    bench at;
    int32_t got = 0;
    if (!tn_kit_open(kit)) return;
    int32_t s = make(kit, &at);
    for (int32_t i = 1; !s && i < 20; i++) {
        s = hand_over(kit, &at, i, goes, &got);
        if (!tn_kit_expect(kit, s || got == i, "%s: behind it there is %d instead of %d", what, got, i)) break;
    }
    tn_kit_ok(kit, s, what);
    close_bench(kit, &at);
}

/* Nobody flushes but record. */
static void record_flushes(tn_kit *kit)
{
    hand_over_often(kit, 0, "an event without a flush");
}

/* The event goes while a queue waits for it: the wait holds. */
static void event_goes(tn_kit *kit)
{
    hand_over_often(kit, 1, "a wait whose event is destroyed");
}

/* An event of a queue that failed is done, and whoever waits for it goes on without an error. */
static void failed_queue(tn_kit *kit)
{
    bench at;
    int32_t got = 0;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = make(kit, &at);
    if (!s) s = fill(kit, at.b, at.y, 3);
    tn_kit_ok(kit, s, "fill");
    (void)b->read(at.a, &got, (tn_ref){at.x, BYTES}, 4, &kit->msg);
    (void)b->event_record(at.a, at.e, &kit->msg); /* may answer the queue's error */
    tn_kit_expect(kit, b->queue_sync(at.a, &kit->msg) != TN_OK,
                  "queue_sync answers TN_OK after a read beyond a buffer");
    *kit->text = 0;
    tn_kit_ok(kit, b->event_sync(at.e, &kit->msg), "event_sync of an event of a failed queue");
    s = b->event_wait(at.b, at.e, &kit->msg);
    if (!s) s = last_number(kit, at.b, at.y, &got);
    tn_kit_ok(kit, s, "a queue that waits for an event of a failed one");
    tn_kit_expect(kit, s || got == 3, "a queue that waits for a failed one reads %d instead of 3", got);
    (void)b->event_wait(at.a, at.e, &kit->msg);
    tn_kit_expect(kit, b->queue_sync(at.a, &kit->msg) != TN_OK, "events took a queue's error away");
    close_bench(kit, &at);
}

/* ---- threads: a queue each, a buffer and an event for all ---- */

enum { THREADS = 4, ROUNDS = 50 };

typedef struct worker {
    tn_kit *kit;
    tn_event *event;
    tn_buffer *buffer;
    int32_t number, status, wrong;
} worker;

/* Each thread has a piece of the buffer; the event stands for whoever recorded it last. */
static void *work(void *arg)
{
    worker *w = arg;
    const tn_backend *b = w->kit->backend;
    const tn_ref piece = {w->buffer, (uint64_t)w->number * BYTES / THREADS};
    tn_queue *q = NULL;
    int32_t s = b->queue_create(w->kit->context, &q, NULL), got = 0;
    for (int32_t i = 0; !s && i < ROUNDS; i++) {
        int32_t value = w->number * ROUNDS + i;
        s = b->event_wait(q, w->event, NULL);
        if (!s) s = b->fill(q, piece, BYTES / THREADS, &value, 4, NULL);
        if (!s) s = b->event_record(q, w->event, NULL);
        if (!s && i % 4 == w->number) s = b->event_sync(w->event, NULL);
        if (!s) s = b->read(q, &got, piece, 4, NULL);
        if (!s) s = b->queue_sync(q, NULL);
        w->wrong += !s && got != value;
    }
    b->queue_destroy(q);
    w->status = s;
    return NULL;
}

static void shared(tn_kit *kit)
{
    bench at;
    worker w[THREADS];
    pthread_t thread[THREADS];
    int started = 0;
    if (!tn_kit_open(kit)) return;
    tn_kit_ok(kit, make(kit, &at), "two queues, events and buffers");
    for (; started < THREADS; started++) {
        w[started] = (worker){kit, at.e, at.x, started, 0, 0};
        if (pthread_create(&thread[started], NULL, work, &w[started])) break;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(thread[i], NULL);
        tn_kit_expect(kit, !w[i].status, "thread %d, with an event and a buffer that others use: %s", i,
                      tn_status_name(w[i].status));
        tn_kit_expect(kit, !w[i].wrong, "thread %d reads something else than it wrote, %d times", i, w[i].wrong);
    }
    tn_kit_expect(kit, started == THREADS, "no threads for this case");
    close_bench(kit, &at);
}

/* ---- what belongs to the caller, and what is let go of ---- */

/* Runs y = x + i, then x = y + i + 1, ...: eight times, from arguments that are something else after each call. */
static int32_t run_adds(tn_kit *kit, const bench *at, tn_kernel *kernel, tn_buffer *scratch)
{
    int32_t s = TN_OK;
    for (int i = 0; !s && i < 8; i++) {
        tn_ref in = {i % 2 ? at->y : at->x, 0}, out = {i % 2 ? at->x : at->y, 0};
        tn_scalar scalar = {.f = i};
        tn_run run = {sizeof run, &in, &out, {scratch, 0}, &scalar, 1};
        s = kit->backend->op_run(at->a, kernel, &run, &kit->msg);
        memset(&in, POISON, sizeof in), memset(&out, POISON, sizeof out);
        memset(&run, POISON, sizeof run), memset(&scalar, POISON, sizeof scalar);
    }
    return s;
}

/* A fill's pattern, a run's arguments, the kernel and its scratch memory go before the work is waited for. */
static void arguments_go(tn_kit *kit)
{
    bench at;
    tn_buffer *scratch = NULL;
    tn_kernel_info info = {0};
    float got = 0, pattern = 2;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = make(kit, &at);
    if (!s) s = b->fill(at.a, (tn_ref){at.x, 0}, BYTES, &pattern, 4, &kit->msg);
    memset(&pattern, POISON, sizeof pattern);
    tn_kernel *kernel = s ? NULL : tn_kit_add(kit, COUNT, &info);
    if (kernel) s = b->buffer_create(kit->context, info.scratch, &scratch, &kit->msg);
    if (kernel && !s) s = run_adds(kit, &at, kernel, scratch);
    b->op_release(kernel);
    b->buffer_destroy(scratch);
    if (!s) s = b->read(at.a, &got, (tn_ref){at.x, BYTES - 4}, 4, &kit->msg);
    if (!s) s = b->queue_sync(at.a, &kit->msg);
    const float want = kernel ? 30 : 2;
    tn_kit_ok(kit, s, "work whose arguments and kernel are gone");
    tn_kit_expect(kit, s || got == want, "what was given to a call and changed after it counts: %g instead of %g",
                  (double)got, (double)want);
    close_bench(kit, &at);
}

/* ---- counting ---- */

/* What the queue counted since `before`, which becomes what it has now. */
static tn_queue_stats counted(tn_kit *kit, tn_queue *q, tn_queue_stats *before)
{
    tn_queue_stats now = {.size = sizeof now}, since = {0};
    tn_kit_ok(kit, kit->backend->queue_stats(q, &now, &kit->msg), "queue_stats");
    since.launches = now.launches - before->launches;
    since.host_waits = now.host_waits - before->host_waits;
    *before = now;
    return since;
}

/* Eight runs, of no elements or of some, count as it was said. */
static int32_t count_runs(tn_kit *kit, const bench *at, int64_t count, tn_queue_stats *seen)
{
    const tn_backend *b = kit->backend;
    tn_buffer *scratch = NULL;
    tn_kernel_info info = {0};
    tn_kernel *kernel = tn_kit_add(kit, count, &info);
    int32_t s = kernel ? b->buffer_create(kit->context, info.scratch, &scratch, &kit->msg) : TN_OK;
    if (kernel && !s) s = run_adds(kit, at, kernel, scratch);
    if (!s) s = b->queue_sync(at->a, &kit->msg);
    tn_queue_stats since = counted(kit, at->a, seen);
    tn_kit_expect(kit, s || !kernel || since.launches == 8 * info.launches,
                  "eight runs over %lld elements, of %llu launches each, count as %llu launches", (long long)count,
                  (unsigned long long)info.launches, (unsigned long long)since.launches);
    b->op_release(kernel), b->buffer_destroy(scratch);
    return s;
}

static void counts(tn_kit *kit)
{
    bench at;
    tn_queue_stats seen = {0}, since;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = make(kit, &at);
    (void)counted(kit, at.a, &seen);
    for (uint64_t size = 1; !s && size <= 8; size *= 2)
        s = b->fill(at.a, (tn_ref){at.x, 0}, BYTES, "pattern", size, &kit->msg);
    if (!s) s = b->write(at.a, (tn_ref){at.x, 0}, "written", 8, &kit->msg);
    if (!s) s = b->copy(at.a, (tn_ref){at.y, 0}, (tn_ref){at.x, 0}, BYTES, &kit->msg);
    if (!s) s = b->event_record(at.a, at.e, &kit->msg);
    if (!s) s = b->event_sync(at.e, &kit->msg);
    since = counted(kit, at.a, &seen);
    tn_kit_expect(kit, !since.launches, "fills, a write, a copy and an event count as %llu launches",
                  (unsigned long long)since.launches);
    for (int i = 0; !s && i < 3; i++) s = b->queue_sync(at.a, &kit->msg);
    since = counted(kit, at.a, &seen);
    tn_kit_expect(kit, since.host_waits == 3, "three times queue_sync count as %llu host waits",
                  (unsigned long long)since.host_waits);
    if (!s) s = count_runs(kit, &at, COUNT, &seen);
    if (!s) s = count_runs(kit, &at, 0, &seen);
    tn_kit_ok(kit, s, "work that is counted");
    close_bench(kit, &at);
}

const tn_kit_case tn_kit_events[] = {
    {"queues", "wait-means-now", "a wait is for what the event stands for at the call", wait_means_now, NULL, 0, 0},
    {"queues", "wait-is-work", "an event recorded right behind a wait stands for the wait", wait_is_work},
    {"queues", "record-flushes", "who waits for an event needs no flush", record_flushes, NULL, 0, 0},
    {"queues", "failed", "events of a failed queue are done, and carry no error", failed_queue, NULL, 0, 0},
    {"queues", "event-goes", "a wait outlives its event", event_goes, NULL, 0, 0},
    {"queues", "shared", "four threads with an event and a buffer for all", shared, NULL, 0, 0},
    {"queues", "arguments-go", "patterns, arguments, kernels and scratch memory go before the work is done",
     arguments_go, NULL, 0, 0},
    {"queues", "counts", "what counts as a launch and as a wait", counts, NULL, 0, 0},
    {0},
};
