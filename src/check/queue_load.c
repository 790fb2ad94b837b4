/* queue_load.c: long queues, moves that take a while, and tickets of more than 16 and 20 bits. */
#include <pthread.h>
#include <stdlib.h>

#include "sample.h"

enum { COUNT = 1 << 14, BYTES = COUNT * 4, MANY = 70000 };

/* ---- events behind long queues ---- */

/* A value goes from buffer to buffer through `length` commands, the last of which writes to `to`. */
static int32_t enqueue_chain(tn_kit *kit, tn_buffer *const between[2], tn_buffer *to, int32_t value, int length)
{
    const tn_backend *b = kit->backend;
    int32_t s = b->fill(kit->queue, (tn_ref){between[0], 0}, BYTES, &value, 4, &kit->msg);
    for (int i = 1; !s && i < length; i++)
        s = b->copy(kit->queue, (tn_ref){i == length - 1 ? to : between[i % 2], 0}, (tn_ref){between[(i + 1) % 2], 0},
                    BYTES, &kit->msg);
    return s;
}

/* A chain's buffers, its end, and who waits for it. */
typedef struct chain {
    tn_buffer *between[2], *to;
    tn_queue *second;
    tn_event *event;
} chain;

static int32_t make_chain(tn_kit *kit, chain *c)
{
    const tn_backend *b = kit->backend;
    tn_buffer **const buffer[] = {&c->between[0], &c->between[1], &c->to};
    *c = (chain){{NULL}};
    int32_t s = b->queue_create(kit->context, &c->second, &kit->msg);
    if (!s) s = b->event_create(kit->context, &c->event, &kit->msg);
    for (int i = 0; !s && i < 3; i++) s = b->buffer_create(kit->context, BYTES, buffer[i], &kit->msg);
    return s;
}

static void free_chain(tn_kit *kit, const chain *c)
{
    const tn_backend *b = kit->backend;
    b->queue_destroy(c->second), b->event_destroy(c->event);
    b->buffer_destroy(c->between[0]), b->buffer_destroy(c->between[1]), b->buffer_destroy(c->to);
}

/* Enqueues `length` commands and waits for them by an event, the host or another queue; what the last wrote must be
 * there. */
static int32_t run_chain(tn_kit *kit, const chain *c, int32_t value, int length, int flushes, int by_host)
{
    const tn_backend *b = kit->backend;
    int32_t got = 0, s = enqueue_chain(kit, c->between, c->to, value, length);
    if (!s) s = b->event_record(kit->queue, c->event, &kit->msg);
    if (!s && flushes) s = b->queue_flush(kit->queue, &kit->msg);
    if (!s) s = by_host ? b->event_sync(c->event, &kit->msg) : b->event_wait(c->second, c->event, &kit->msg);
    if (!s) s = b->read(c->second, &got, (tn_ref){c->to, BYTES - 4}, 4, &kit->msg);
    if (!s) s = b->queue_sync(c->second, &kit->msg);
    tn_kit_expect(kit, s || got == value, "an event comes before the %d commands before it: %d instead of %d", length,
                  got, value);
    return s;
}

/* Another queue, or the host, sees what was before an event, however much that is. */
static void events(tn_kit *kit)
{
    static const int lengths[] = {2, 3, 5, 6, 7, 8, 9, 15, 17, 31, 33, 64, 65, 130, 300};
    const int runs = 2 * (int)(sizeof lengths / sizeof *lengths);
    chain c;
    if (!tn_kit_open(kit)) return;
    int32_t s = make_chain(kit, &c);
    for (int i = 0; !s && !kit->result->failed && i < runs; i++)
        s = run_chain(kit, &c, 1000 + i, lengths[i / 2], 1, i % 2);
    tn_kit_ok(kit, s, "events behind long queues");
    free_chain(kit, &c);
    tn_kit_close(kit);
}

/* What a large move wrote last is there for whoever waited, in one of three ways. */
static int32_t move_and_look(tn_kit *kit, tn_buffer *const at[2], tn_event *event, tn_queue *second, uint64_t bytes,
                             int way)
{
    const tn_backend *b = kit->backend;
    const int32_t value = (int32_t)(bytes >> 4) + way;
    int32_t got = -1;
    int32_t s = b->fill(kit->queue, (tn_ref){at[0], 0}, bytes, &value, 4, &kit->msg);
    if (!s) s = b->copy(kit->queue, (tn_ref){at[1], 0}, (tn_ref){at[0], 0}, bytes, &kit->msg);
    if (!s && way < 2) s = b->event_record(kit->queue, event, &kit->msg);
    if (!s && way == 0) s = b->event_sync(event, &kit->msg);
    if (!s && way == 1) s = b->event_wait(second, event, &kit->msg);
    if (!s && way == 2) s = b->queue_sync(kit->queue, &kit->msg);
    if (!s) s = b->read(second, &got, (tn_ref){at[1], bytes - 4}, 4, &kit->msg);
    if (!s) s = b->queue_sync(second, &kit->msg);
    tn_kit_expect(kit, s || got == value, "%llu bytes are said to be moved too early: %d is there, not %d",
                  (unsigned long long)bytes, got, value);
    return s;
}

/* As events, behind moves that take a while by themselves. */
static void large_moves(tn_kit *kit)
{
    tn_buffer *at[2] = {0};
    tn_queue *second = NULL;
    tn_event *event = NULL;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = b->queue_create(kit->context, &second, &kit->msg);
    if (!s) s = b->event_create(kit->context, &event, &kit->msg);
    for (uint64_t bytes = 1 << 18; !s && bytes <= 1 << 26; bytes *= 4) {
        for (int i = 0; !s && i < 2; i++) s = b->buffer_create(kit->context, bytes, &at[i], &kit->msg);
        for (int i = 0; !s && !kit->result->failed && i < 6; i++)
            s = move_and_look(kit, at, event, second, bytes - 16 * (uint64_t)(i / 3), i % 3);
        for (int i = 0; i < 2; i++) b->buffer_destroy(at[i]), at[i] = NULL;
    }
    tn_kit_ok(kit, s, "large moves");
    b->queue_destroy(second), b->event_destroy(event);
    tn_kit_close(kit);
}

/* One event, recorded again and again: it stands for the last time. */
static void event_again(tn_kit *kit)
{
    tn_buffer *buffer = NULL;
    tn_queue *second = NULL;
    tn_event *event = NULL;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = b->queue_create(kit->context, &second, &kit->msg), got = 0;
    if (!s) s = b->event_create(kit->context, &event, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, BYTES, &buffer, &kit->msg);
    for (int32_t i = 1; !s && i <= MANY; i++) {
        int looks = i % 997 == 0 || (i > 65530 && i < 65560);
        if (looks) s = b->fill(kit->queue, (tn_ref){buffer, 0}, BYTES, &i, 4, &kit->msg);
        if (!s) s = b->event_record(kit->queue, event, &kit->msg);
        if (s || !looks) continue;
        s = b->queue_flush(kit->queue, &kit->msg);
        if (!s) s = b->event_wait(second, event, &kit->msg);
        if (!s) s = b->read(second, &got, (tn_ref){buffer, BYTES - 4}, 4, &kit->msg);
        if (!s) s = b->queue_sync(second, &kit->msg);
        if (!tn_kit_expect(kit, s || got == i, "the event that was recorded %d times comes early: %d is there", i, got))
            break;
    }
    tn_kit_ok(kit, s, "an event that is recorded 70,000 times");
    b->queue_destroy(second), b->event_destroy(event), b->buffer_destroy(buffer);
    tn_kit_close(kit);
}

/* Event number i stands behind the write of number i to a place of its own. */
static int32_t look_at_events(tn_kit *kit, tn_event *const event[], tn_buffer *buffer, tn_queue *second)
{
    const tn_backend *b = kit->backend;
    int32_t s = TN_OK, got = 0;
    for (int32_t i = 0; !s && i < MANY; i++) {
        s = b->fill(kit->queue, (tn_ref){buffer, (uint64_t)i * 4}, 4, &i, 4, &kit->msg);
        if (!s) s = b->event_record(kit->queue, event[i], &kit->msg);
    }
    if (!s) s = b->queue_flush(kit->queue, &kit->msg);
    for (int32_t i = MANY - 1; !s && i >= 0; i -= 1009) {
        s = b->event_wait(second, event[i], &kit->msg);
        if (!s) s = b->read(second, &got, (tn_ref){buffer, (uint64_t)i * 4}, 4, &kit->msg);
        if (!s) s = b->queue_sync(second, &kit->msg);
        if (!tn_kit_expect(kit, s || got == i, "event %d of 70,000 comes early: %d is there", i, got)) break;
    }
    for (int32_t i = 0; !s && i < MANY; i++) s = b->event_sync(event[i], &kit->msg);
    return s;
}

static void many_events(tn_kit *kit)
{
    tn_buffer *buffer = NULL;
    tn_queue *second = NULL;
    tn_event **event = calloc(MANY, sizeof *event);
    if (!tn_kit_expect(kit, event != NULL, "out of memory") || !tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = b->queue_create(kit->context, &second, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, (uint64_t)MANY * 4, &buffer, &kit->msg);
    for (int i = 0; !s && i < MANY; i++) s = b->event_create(kit->context, &event[i], &kit->msg);
    if (!s) s = look_at_events(kit, event, buffer, second);
    tn_kit_ok(kit, s, "70,000 events");
    for (int i = 0; i < MANY; i++) b->event_destroy(event[i]);
    b->queue_destroy(second), b->buffer_destroy(buffer);
    free(event);
    tn_kit_close(kit);
}

/* ---- an event that threads share ---- */

enum { AHEAD = 20000, RECORDERS = 2 };

/* Who records it, by turns in two queues that are differently far. */
typedef struct recorder {
    tn_kit *kit;
    tn_event *event;
    tn_queue *queue[2];
    const int *over;
    pthread_t thread;
    int32_t status;
} recorder;

/* Not for ever: who waits for what never comes is to be seen to do so. */
static void *record_often(void *arg)
{
    recorder *r = arg;
    const double enough = tn_kit_now() + 3;
    for (int i = 0; !r->status && !__atomic_load_n(r->over, __ATOMIC_RELAXED) && tn_kit_now() < enough; i++) {
        r->status = r->kit->backend->event_record(r->queue[i % 2], r->event, NULL);
        if (!r->status && i % 1000 < 2) r->status = r->kit->backend->queue_sync(r->queue[i % 2], NULL);
    }
    return NULL;
}

/* Its first queue comes to number AHEAD. */
static int32_t make_recorder(tn_kit *kit, recorder *r, const chain *c, const int *over)
{
    const tn_backend *b = kit->backend;
    *r = (recorder){.kit = kit, .event = c->event, .over = over};
    int32_t s = b->queue_create(kit->context, &r->queue[0], &kit->msg);
    if (!s) s = b->queue_create(kit->context, &r->queue[1], &kit->msg);
    for (int32_t i = 0; !s && i < AHEAD; i++) s = b->fill(r->queue[0], (tn_ref){c->to, 0}, 4, &i, 4, &kit->msg);
    return s ? s : b->queue_sync(r->queue[0], &kit->msg);
}

/* It stands for some queue's work; with another queue's number one would wait for ever. */
static int32_t wait_often(tn_kit *kit, const chain *c)
{
    const tn_backend *b = kit->backend;
    const double enough = tn_kit_now() + 0.3;
    int32_t s = TN_OK;
    for (int i = 0; !s && (i < 2000 || tn_kit_now() < enough); i++) {
        s = b->event_wait(c->second, c->event, &kit->msg);
        if (!s && i % 8 == 0) s = b->queue_sync(c->second, &kit->msg);
        if (!s && i % 8 == 4) s = b->event_sync(c->event, &kit->msg);
    }
    return s ? s : b->queue_sync(c->second, &kit->msg);
}

static void one_event(tn_kit *kit)
{
    chain c;
    recorder r[RECORDERS] = {{NULL}};
    int started = 0, over = 0;
    if (!tn_kit_open(kit)) return;
    int32_t s = make_chain(kit, &c);
    for (int i = 0; !s && i < RECORDERS; i++) s = make_recorder(kit, &r[i], &c, &over);
    while (!s && started < RECORDERS && !pthread_create(&r[started].thread, NULL, record_often, &r[started])) started++;
    tn_kit_expect(kit, s || started == RECORDERS, "no threads");
    if (!s) s = wait_often(kit, &c);
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < started; i++) {
        pthread_join(r[i].thread, NULL);
        tn_kit_ok(kit, r[i].status, "event_record from several threads");
    }
    tn_kit_ok(kit, s, "waiting for an event that other threads record");
    for (int i = 0; i < RECORDERS; i++)
        kit->backend->queue_destroy(r[i].queue[0]), kit->backend->queue_destroy(r[i].queue[1]);
    free_chain(kit, &c);
    tn_kit_close(kit);
}

/* ---- long queues ---- */

/* 70,000 commands of which each but the last few is overwritten by a later one; nobody waits. */
static void commands(tn_kit *kit)
{
    enum { PLACES = 64 };
    int32_t got[PLACES] = {0};
    tn_buffer *buffer = NULL;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = b->buffer_create(kit->context, sizeof got, &buffer, &kit->msg);
    for (int32_t i = 0; !s && i < MANY; i++)
        s = b->fill(kit->queue, (tn_ref){buffer, (uint64_t)(i % PLACES) * 4}, 4, &i, 4, &kit->msg);
    if (!s) s = b->read(kit->queue, got, (tn_ref){buffer, 0}, sizeof got, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    tn_kit_ok(kit, s, "70,000 commands");
    for (int32_t i = MANY - PLACES; i < MANY; i++)
        if (!tn_kit_expect(kit, got[i % PLACES] == i,
                           "of 70,000 commands number %d is not the last at its place: %d is", i, got[i % PLACES]))
            break;
    b->buffer_destroy(buffer);
    tn_kit_close(kit);
}

/* More than 2^20 commands of one queue, waited for now and then; then events still stand for what is before them. */
static void million(tn_kit *kit)
{
    enum { ALL = (1 << 20) + 5000, AT_ONCE = 1 << 15 };
    chain c;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = make_chain(kit, &c);
    for (int32_t i = 0; !s && i < ALL; i++) {
        s = b->fill(kit->queue, (tn_ref){c.to, (uint64_t)(i % COUNT) * 4}, 4, &i, 4, &kit->msg);
        if (!s && i % AT_ONCE == 0) s = b->queue_sync(kit->queue, &kit->msg);
    }
    for (int32_t value = 1; !s && !kit->result->failed && value < 8; value++)
        s = run_chain(kit, &c, value, 300, 0, value % 2);
    tn_kit_ok(kit, s, "a million commands");
    free_chain(kit, &c);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_queue_load[] = {
    {"load", "events", "events behind up to 300 commands", events, NULL, 0, 0},
    {"load", "large-moves", "moves of up to 64 MiB are done when they are said to be", large_moves},
    {"load", "event-again", "an event that is recorded 70,000 times", event_again, NULL, 0, 0},
    {"load", "one-event", "an event that two threads record while another waits for it", one_event},
    {"load", "many-events", "70,000 events at once", many_events, NULL, 0, 0},
    {"load", "commands", "70,000 commands without waiting", commands, NULL, 0, 0},
    {"load", "million", "events after a million commands", million},
    {0},
};
