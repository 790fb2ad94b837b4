/* queues.c: the order of work, events across queues, errors that stick, and letting go while work is under way. */
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "tenon/backend_ext.h"

enum { COUNT = 1 << 14, BYTES = COUNT * 4 };

/* fill a; b = a; b = copy; c = 2 b; a = c; ...: each step needs the one before, and nobody waits. */
static void order(tn_kit *kit)
{
    tn_buffer *a = NULL, *c = NULL, *scratch = NULL;
    tn_kernel_info info;
    int32_t first[4] = {0}, value = 3;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    tn_kernel *twice = tn_kit_twice(kit, COUNT, &info);
    int32_t s = b->buffer_create(kit->context, BYTES, &a, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, BYTES, &c, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, info.scratch, &scratch, &kit->msg);
    for (int i = 0; !s && i < 10; i++) {
        s = b->fill(kit->queue, (tn_ref){a, 0}, BYTES, &value, 4, &kit->msg);
        for (int k = 0; !s && k < 5; k++) {
            if (!s)
                s = twice ? tn_kit_run_twice(kit, kit->queue, twice, c, a, scratch)
                          : b->copy(kit->queue, (tn_ref){c, 0}, (tn_ref){a, 0}, BYTES, &kit->msg);
            if (!s) s = b->copy(kit->queue, (tn_ref){a, 0}, (tn_ref){c, 0}, BYTES, &kit->msg);
        }
        if (!s) s = b->read(kit->queue, first, (tn_ref){a, BYTES - 16}, 16, &kit->msg);
        if (!s) s = b->queue_sync(kit->queue, &kit->msg);
        int32_t want = twice ? value * 32 : value;
        if (!tn_kit_expect(kit, s || (first[0] == want && first[3] == want),
                           "work in a queue is out of order: %d instead of %d", first[0], want))
            break;
        value++;
    }
    tn_kit_ok(kit, s, "a chain of work");
    b->op_release(twice), b->buffer_destroy(a), b->buffer_destroy(c), b->buffer_destroy(scratch);
    tn_kit_close(kit);
}

static void events(tn_kit *kit)
{
    tn_queue *second = NULL;
    tn_event *event = NULL;
    tn_buffer *buffer = NULL;
    int32_t got = 0;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = b->queue_create(kit->context, &second, &kit->msg);
    if (!s) s = b->event_create(kit->context, &event, &kit->msg);
    if (!s) s = b->event_sync(event, &kit->msg); /* not recorded: done */
    if (!s) s = b->event_wait(second, event, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, BYTES, &buffer, &kit->msg);
    for (int32_t i = 1; !s && i < 40; i++) {
        s = b->fill(kit->queue, (tn_ref){buffer, 0}, BYTES, &i, 4, &kit->msg);
        if (!s) s = b->event_record(kit->queue, event, &kit->msg);
        if (!s) s = b->queue_flush(kit->queue, &kit->msg);
        if (!s && i % 2) s = b->event_sync(event, &kit->msg);
        if (!s) s = b->event_wait(second, event, &kit->msg);
        if (!s) s = b->read(second, &got, (tn_ref){buffer, BYTES - 4}, 4, &kit->msg);
        if (!s) s = b->queue_sync(second, &kit->msg);
        if (!tn_kit_expect(kit, s || got == i,
                           "a queue that waits for an event does not see what was written before "
                           "it: %d instead of %d",
                           got, i))
            break;
    }
    tn_kit_ok(kit, s, "work with events");
    b->queue_destroy(second), b->event_destroy(event), b->buffer_destroy(buffer);
    tn_kit_close(kit);
}

static void hundred_queues(tn_kit *kit)
{
    enum { MANY = 100 };
    tn_queue *q[MANY] = {0};
    tn_buffer *buffer = NULL;
    int32_t got[MANY] = {0}, s = TN_OK;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    s = b->buffer_create(kit->context, MANY * 4, &buffer, &kit->msg);
    for (int32_t i = 0; !s && i < MANY; i++) {
        s = b->queue_create(kit->context, &q[i], &kit->msg);
        if (!s) s = b->fill(q[i], (tn_ref){buffer, (uint64_t)i * 4}, 4, &i, 4, &kit->msg);
    }
    for (int32_t i = 0; !s && i < MANY; i++) s = b->queue_sync(q[i], &kit->msg);
    if (!s) s = b->read(kit->queue, got, (tn_ref){buffer, 0}, sizeof got, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    tn_kit_ok(kit, s, "a hundred queues");
    for (int32_t i = 0; i < MANY; i++)
        if (!tn_kit_expect(kit, got[i] == i, "queue %d of a hundred wrote %d", i, got[i])) break;
    for (int32_t i = 0; i < MANY; i++) b->queue_destroy(q[i]);
    b->buffer_destroy(buffer);
    tn_kit_close(kit);
}

/* A buffer, a kernel and a queue are let go of while work that uses them may still be under way. */
static void release_early(tn_kit *kit)
{
    int32_t got = 0, s = TN_OK;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    for (int i = 0; !s && i < 10; i++) {
        tn_queue *q = NULL;
        tn_buffer *from = NULL, *to = NULL;
        s = b->queue_create(kit->context, &q, &kit->msg);
        if (!s) s = b->buffer_create(kit->context, BYTES, &from, &kit->msg);
        if (!s) s = b->buffer_create(kit->context, BYTES, &to, &kit->msg);
        int32_t value = 100 + i;
        if (!s) s = b->fill(q, (tn_ref){from, 0}, BYTES, &value, 4, &kit->msg);
        if (!s) s = b->copy(q, (tn_ref){to, 0}, (tn_ref){from, 0}, BYTES, &kit->msg);
        if (!s) s = b->read(q, &got, (tn_ref){to, BYTES - 4}, 4, &kit->msg);
        if (!s && i % 2) b->buffer_destroy(from);
        if (!s) b->queue_destroy(q); /* waits */
        if (!s && i % 2 == 0) b->buffer_destroy(from);
        if (!s) b->buffer_destroy(to);
        if (!tn_kit_expect(kit, s || got == value, "work of a queue that was destroyed is lost: %d instead of %d", got,
                           value))
            break;
    }
    tn_kit_ok(kit, s, "letting go early");
    tn_kit_close(kit);
}

/* A write, a fill, a copy and a run, each to its own quarter of 4 * PART bytes; they are to be dropped. */
enum { PART = 4096 };

static void enqueue_all(tn_kit *kit, tn_queue *q, tn_kernel *kernel, tn_buffer *from, tn_buffer *to, tn_buffer *scratch)
{
    const tn_backend *b = kit->backend;
    const int32_t five = 5;
    const tn_ref in = {from, 0}, out = {to, 0};
    const tn_run run = {sizeof run, &in, &out, {scratch, 0}, NULL, 0};
    if (kernel) (void)b->op_run(q, kernel, &run, &kit->msg);
    (void)b->write(q, (tn_ref){to, PART}, &five, 4, &kit->msg);
    (void)b->fill(q, (tn_ref){to, 2 * PART}, PART, &five, 4, &kit->msg);
    (void)b->copy(q, (tn_ref){to, 3 * PART}, (tn_ref){from, 0}, PART, &kit->msg);
    (void)b->queue_sync(q, &kit->msg);
}

/* A read beyond a buffer makes an error that stays. */
static void fail(tn_kit *kit, tn_queue *q, tn_buffer *buffer)
{
    int32_t got = 9;
    const tn_backend *b = kit->backend;
    int32_t r = b->read(q, &got, (tn_ref){buffer, 1 << 20}, 4, &kit->msg);
    int32_t first = b->queue_sync(q, &kit->msg), again = b->queue_sync(q, &kit->msg);
    tn_kit_expect(kit, r || first, "neither a read beyond a buffer nor queue_sync answers an error");
    tn_kit_expect(kit, first && first == again, "an error does not stick: queue_sync answers %s, then %s",
                  tn_status_name(first), tn_status_name(again));
}

static void sticky(tn_kit *kit)
{
    static const char *const work[] = {"a run", "a write", "a fill", "a copy"};
    tn_queue *q = NULL;
    tn_buffer *from = NULL, *to = NULL, *scratch = NULL;
    tn_kernel_info info;
    int32_t one = 1, zero = 0, got[4] = {0};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    tn_kernel *twice = tn_kit_twice(kit, PART / 4, &info);
    int32_t s = b->queue_create(kit->context, &q, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, PART, &from, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, 4 * PART, &to, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, info.scratch, &scratch, &kit->msg);
    if (!s) s = b->fill(q, (tn_ref){from, 0}, PART, &one, 4, &kit->msg);
    if (!s) s = b->fill(q, (tn_ref){to, 0}, 4 * PART, &zero, 4, &kit->msg);
    tn_kit_ok(kit, s, "buffers, and fills");
    fail(kit, q, to);
    enqueue_all(kit, q, twice, from, to, scratch);
    for (int i = 0; !s && i < 4; i++) s = b->read(kit->queue, &got[i], (tn_ref){to, (uint64_t)i * PART}, 4, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    tn_kit_ok(kit, s, "another queue after the error");
    for (int i = 0; i < 4; i++) tn_kit_expect(kit, got[i] == 0, "%s after an error is done", work[i]);
    b->op_release(twice), b->queue_destroy(q);
    b->buffer_destroy(from), b->buffer_destroy(to), b->buffer_destroy(scratch);
    tn_kit_close(kit);
}

static void statistics(tn_kit *kit)
{
    tn_buffer *buffer = NULL;
    unsigned char bytes[100] = {0};
    tn_queue_stats before = {.size = sizeof before}, after = {.size = sizeof after};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = b->buffer_create(kit->context, 100, &buffer, &kit->msg);
    if (!s) s = b->queue_stats(kit->queue, &before, &kit->msg);
    if (!s) s = b->write(kit->queue, (tn_ref){buffer, 0}, bytes, 100, &kit->msg);
    if (!s) s = b->read(kit->queue, bytes, (tn_ref){buffer, 0}, 60, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    if (!s) s = b->queue_stats(kit->queue, &after, &kit->msg);
    tn_kit_ok(kit, s, "a write, a read and queue_stats");
    tn_kit_expect(kit, after.bytes_write - before.bytes_write == 100 && after.bytes_read - before.bytes_read == 60,
                  "of 100 bytes written and 60 read, %llu and %llu are counted",
                  (unsigned long long)(after.bytes_write - before.bytes_write),
                  (unsigned long long)(after.bytes_read - before.bytes_read));
    b->buffer_destroy(buffer);
    tn_kit_close(kit);
}

/* Each of the backend's devices does the same work. */
static void every_device(tn_kit *kit)
{
    tn_kit_target target = *kit->target;
    uint32_t devices = target.devices ? target.devices : 1;
    for (target.index = 0; target.index < devices; target.index++) {
        kit->target = &target;
        int fine = tn_kit_open(kit);
        for (int i = 0; fine && i < TN_KIT_SAMPLES; i++) {
            tn_kit_sample s;
            tn_kit_want want;
            if (!tn_kit_sample_make(kit, i, &s) || !tn_kit_expected(kit, &s.job, &want)) return;
            int answer = tn_kit_run_job(kit, &s.job);
            fine = answer == TN_KIT_REFUSED ||
                   (answer == TN_KIT_RAN && tn_kit_compare(kit, &s.job, &want, ", on another device"));
            tn_kit_want_free(&want);
            tn_kit_sample_free(&s);
        }
        if (!fine) return;
        tn_kit_close(kit);
        kit->queue = NULL, kit->context = NULL;
    }
    tn_kit_remark(kit, "%u device%s", devices, devices == 1 ? "" : "s");
}

/* Who says that work is done when the call comes back needs no wait: what is copied on the way is there at once. */
static void done_at_once(tn_kit *kit)
{
    static unsigned char from[BYTES], to[BYTES];
    tn_buffer *a = NULL, *c = NULL;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    const int says = tn_kit_extension(kit, TN_EXT_HERE) != NULL;
    if (!says) kit->result->refused++;
    int32_t s = b->buffer_create(kit->context, BYTES, &a, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, BYTES, &c, &kit->msg);
    for (int i = 1; says && !s && i < 20; i++) {
        memset(from, i, BYTES);
        memset(to, 0, BYTES);
        s = b->write(kit->queue, (tn_ref){a, 0}, from, BYTES, &kit->msg);
        memset(from, 0, BYTES);
        if (!s) s = b->copy(kit->queue, (tn_ref){c, 0}, (tn_ref){a, 0}, BYTES, &kit->msg);
        if (!s) s = b->read(kit->queue, to, (tn_ref){c, 0}, BYTES, &kit->msg);
        if (!tn_kit_expect(kit, s || (to[0] == i && to[BYTES - 1] == i),
                           "it offers " TN_EXT_HERE ", and what it was asked for is not done when the call comes back"))
            break;
    }
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    tn_kit_ok(kit, s, "a write, a copy and a read");
    b->buffer_destroy(a), b->buffer_destroy(c);
    tn_kit_close(kit);
}

/* ---- memory of the host's ---- */

enum { OWN = COUNT, ALL = COUNT + 1024 }; /* numbers that the device uses; and with those behind, which the host does */

/* Two pieces of such memory and what works on them. */
typedef struct lent {
    int32_t *memory[2];
    tn_buffer *buffer[2], *scratch;
    tn_event *event;
    tn_kernel *twice;
} lent;

static int32_t borrow(tn_kit *kit, lent *l)
{
    static _Alignas(4096) int32_t memory[2][ALL];
    const tn_backend *b = kit->backend;
    const tn_ext_adopt *ext = tn_kit_extension(kit, TN_EXT_ADOPT);
    tn_kernel_info info;
    int32_t s = ext ? TN_OK : TN_EUNSUPPORTED;
    for (int i = 0; i < 2 && !s; i++) {
        l->memory[i] = memory[i];
        s = ext->adopt(kit->context, memory[i], sizeof memory[i], &l->buffer[i], &kit->msg);
    }
    if (s) return s;
    l->twice = tn_kit_twice(kit, OWN, &info);
    s = b->buffer_create(kit->context, info.scratch, &l->scratch, &kit->msg);
    return s ? s : b->event_create(kit->context, &l->event, &kit->msg);
}

/* The host writes what the device works on, and beside it while it works; either sees what the other wrote. */
static int32_t lend(tn_kit *kit, const lent *l, int32_t value)
{
    const tn_backend *b = kit->backend;
    int32_t *from = l->memory[0], *to = l->memory[1], got[2] = {0};
    for (int i = 0; i < OWN; i++) from[i] = value;
    int32_t s = l->twice
                    ? tn_kit_run_twice(kit, kit->queue, l->twice, l->buffer[1], l->buffer[0], l->scratch)
                    : b->copy(kit->queue, (tn_ref){l->buffer[1], 0}, (tn_ref){l->buffer[0], 0}, 4 * OWN, &kit->msg);
    if (!s) s = b->event_record(kit->queue, l->event, &kit->msg);
    to[OWN] = to[ALL - 1] = value;
    if (!s) s = b->event_sync(l->event, &kit->msg);
    const int32_t want = l->twice ? 2 * value : value;
    tn_kit_expect(kit, s || (to[0] == want && to[OWN - 1] == want),
                  "the host does not see what the device wrote to its memory: %d and %d, not %d", to[0], to[OWN - 1],
                  want);
    tn_kit_expect(kit, s || (to[OWN] == value && to[ALL - 1] == value),
                  "what the host wrote while the device worked beside it is lost");
    if (!s) s = b->read(kit->queue, got, (tn_ref){l->buffer[1], 4 * (ALL - 2)}, 8, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    tn_kit_expect(kit, s || got[1] == value, "the device does not see what the host wrote: %d, not %d", got[1], value);
    return s;
}

static void adopts(tn_kit *kit)
{
    lent l = {0};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = borrow(kit, &l);
    for (int32_t i = 1; !s && i < 40; i++) s = lend(kit, &l, i);
    b->op_release(l.twice), b->event_destroy(l.event), b->buffer_destroy(l.scratch);
    b->buffer_destroy(l.buffer[0]), b->buffer_destroy(l.buffer[1]);
    if (s == TN_EUNSUPPORTED)
        kit->result->refused++;
    else {
        tn_kit_ok(kit, s, "adopt, and work on what it gave");
        tn_kit_expect(kit, s || l.memory[0][0] == 39, "adopted memory changes when its buffer is destroyed");
    }
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_queues[] = {
    {"queues", "order", "work that needs what was enqueued before it", order, NULL, 0, 0},
    {"queues", "events", "events order the work of two queues", events, NULL, 0, 0},
    {"queues", "hundred", "a hundred queues at once", hundred_queues, NULL, 0, 0},
    {"queues", "release", "letting go of what is in use", release_early, NULL, 0, 0},
    {"queues", "sticky", "the first error of a queue sticks, others go on", sticky, NULL, 0, 0},
    {"queues", "statistics", "a queue counts its bytes", statistics, NULL, 0, 0},
    {"queues", "here", "work is done when the call comes back, if it is said so", done_at_once, NULL, 0, 0},
    {"queues", "adopt", "buffers of the host's memory, if there are such", adopts, NULL, 0, 0},
    {"queues", "every-device", "each device of the backend does the same", every_device, NULL, 0, 0},
    {0},
};
