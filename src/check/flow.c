/* flow.c: queues that are full, that fail and that go, while others depend on what was in them. */
#include <stdlib.h>
#include <string.h>

#include "sample.h"

#define POISON 0xdb

enum { BYTES = 1 << 22, MANY = 3000 };

/* A value goes to and fro between two buffers, which takes a while. It ends in at[0]. */
static int32_t keep_busy(tn_kit *kit, tn_queue *q, tn_buffer *const at[2], int32_t value)
{
    const tn_backend *b = kit->backend;
    int32_t s = b->fill(q, (tn_ref){at[0], 0}, BYTES, &value, 4, &kit->msg);
    for (int i = 0; !s && i < 100; i++)
        s = b->copy(q, (tn_ref){at[1 - i % 2], 0}, (tn_ref){at[i % 2], 0}, BYTES, &kit->msg);
    return s;
}

static int32_t make_two(tn_kit *kit, tn_buffer *at[2])
{
    int32_t s = TN_OK;
    for (int i = 0; !s && i < 2; i++) s = kit->backend->buffer_create(kit->context, BYTES, &at[i], &kit->msg);
    return s;
}

static int32_t last_number(tn_kit *kit, tn_queue *q, tn_buffer *from, int32_t *value)
{
    *value = -1;
    int32_t s = kit->backend->read(q, value, (tn_ref){from, BYTES - 4}, 4, &kit->msg);
    return s ? s : kit->backend->queue_sync(q, &kit->msg);
}

/* ---- a full queue ---- */

/* A queue is filled that waits for another one, which is busy. */
static void full(tn_kit *kit)
{
    enum { PLACES = 64 };
    tn_buffer *at[2] = {0}, *places = NULL;
    tn_queue *waits = NULL;
    tn_event *event = NULL;
    int32_t got[PLACES] = {0};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = make_two(kit, at);
    if (!s) s = b->buffer_create(kit->context, sizeof got, &places, &kit->msg);
    if (!s) s = b->queue_create(kit->context, &waits, &kit->msg);
    if (!s) s = b->event_create(kit->context, &event, &kit->msg);
    for (int round = 0; !s && round < 3; round++) {
        s = keep_busy(kit, kit->queue, at, round);
        if (!s) s = b->event_record(kit->queue, event, &kit->msg);
        if (!s) s = b->event_wait(waits, event, &kit->msg);
        for (int32_t i = 0; !s && i < MANY; i++)
            s = b->fill(waits, (tn_ref){places, (uint64_t)(i % PLACES) * 4}, 4, &i, 4, &kit->msg);
        if (!s) s = b->read(waits, got, (tn_ref){places, 0}, sizeof got, &kit->msg);
        if (!s) s = b->queue_sync(waits, &kit->msg);
    }
    tn_kit_ok(kit, s, "3,000 commands behind a wait");
    for (int32_t i = MANY - PLACES; !s && i < MANY; i++)
        if (!tn_kit_expect(kit, got[i % PLACES] == i, "of commands behind a wait number %d is lost: %d is there", i,
                           got[i % PLACES]))
            break;
    b->event_destroy(event), b->queue_destroy(waits);
    b->buffer_destroy(places), b->buffer_destroy(at[0]), b->buffer_destroy(at[1]);
    tn_kit_close(kit);
}

/* ---- a queue that fails ---- */

/* What was enqueued before a call that is wrong is done all the same. */
static void before_error(tn_kit *kit)
{
    tn_buffer *at[2] = {0};
    int32_t got = 0;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = make_two(kit, at);
    for (int32_t value = 1; !s && value < 5; value++) {
        tn_queue *q = NULL;
        s = b->queue_create(kit->context, &q, &kit->msg);
        if (!s) s = keep_busy(kit, q, at, value);
        int32_t last = 1000 + value;
        if (!s) s = b->fill(q, (tn_ref){at[0], 0}, BYTES, &last, 4, &kit->msg);
        int32_t refused = s ? s : b->read(q, &got, (tn_ref){at[0], BYTES}, 4, NULL);
        int32_t synced = s ? s : b->queue_sync(q, NULL);
        tn_kit_expect(kit, refused || synced, "neither a read beyond a buffer nor queue_sync answers an error");
        if (!s) s = last_number(kit, kit->queue, at[0], &got);
        b->queue_destroy(q);
        if (!tn_kit_expect(kit, s || got == last, "a call that is wrong undoes work before it: %d instead of %d", got,
                           last))
            break;
    }
    tn_kit_ok(kit, s, "work before a call that is wrong");
    b->buffer_destroy(at[0]), b->buffer_destroy(at[1]);
    tn_kit_close(kit);
}

/* ---- a queue that goes ---- */

enum { EVENTS = 6 };

/* Queues come and go; their events stay, and whoever waits for those sees the work as done. */
static int32_t wait_for_gone(tn_kit *kit, tn_event *const event[], tn_buffer *const at[2], int32_t value)
{
    const tn_backend *b = kit->backend;
    tn_queue *gone = NULL, *next[EVENTS] = {0};
    int32_t s = b->queue_create(kit->context, &gone, &kit->msg), got = 0;
    for (int i = 0; !s && i < EVENTS; i++) {
        s = keep_busy(kit, gone, at, value + i);
        if (!s) s = b->event_record(gone, event[i], &kit->msg);
    }
    for (int i = 0; !s && i < EVENTS / 2; i++) s = b->event_wait(kit->queue, event[i], &kit->msg);
    b->queue_destroy(gone);
    for (int i = 0; !s && i < EVENTS; i++) s = b->queue_create(kit->context, &next[i], &kit->msg);
    for (int i = 0; !s && i < EVENTS; i++) {
        s = b->event_wait(next[EVENTS - 1 - i], event[i], &kit->msg);
        if (!s) s = b->event_sync(event[i], &kit->msg);
        if (!s) s = last_number(kit, next[EVENTS - 1 - i], at[0], &got);
        if (!s && got != value + EVENTS - 1)
            tn_kit_expect(kit, 0, "behind an event of a queue that is gone there is %d instead of %d", got,
                          value + EVENTS - 1);
    }
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    for (int i = 0; i < EVENTS; i++) b->queue_destroy(next[i]);
    return s;
}

static void queue_goes(tn_kit *kit)
{
    tn_buffer *at[2] = {0};
    tn_event *event[EVENTS] = {0};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = make_two(kit, at);
    for (int i = 0; !s && i < EVENTS; i++) s = b->event_create(kit->context, &event[i], &kit->msg);
    for (int32_t round = 0; !s && !kit->result->failed && round < 3; round++)
        s = wait_for_gone(kit, event, at, 100 * round);
    tn_kit_ok(kit, s, "events of a queue that is gone");
    for (int i = 0; i < EVENTS; i++) b->event_destroy(event[i]);
    b->buffer_destroy(at[0]), b->buffer_destroy(at[1]);
    tn_kit_close(kit);
}

/* What is dropped keeps nothing: moves from and to buffers that are let go of, behind an error that is not yet seen. */
static int32_t drop_moves(tn_kit *kit, tn_buffer *const at[2])
{
    enum { MOVES = 8 };
    const tn_backend *b = kit->backend;
    tn_queue *q = NULL;
    tn_kernel_info info;
    tn_buffer *gone[3] = {0};
    int32_t got = 0, s = b->queue_create(kit->context, &q, &kit->msg);
    tn_kernel *kernel = tn_kit_twice(kit, 1024, &info);
    for (int i = 0; !s && i < 3; i++)
        s = b->buffer_create(kit->context, i < 2 ? 4096 : info.scratch, &gone[i], &kit->msg);
    for (int i = 0; !s && i < 4; i++)
        s = b->copy(q, (tn_ref){at[i % 2], 0}, (tn_ref){at[1 - i % 2], 0}, BYTES, &kit->msg);
    if (!s) (void)b->read(q, &got, (tn_ref){at[0], BYTES}, 4, NULL); /* beyond */
    for (int i = 0; !s && i < MOVES; i++) {
        (void)b->fill(q, (tn_ref){gone[0], 0}, 4096, &got, 4, NULL);
        (void)b->copy(q, (tn_ref){gone[0], 0}, (tn_ref){gone[1], 0}, 4096, NULL);
        if (kernel) (void)tn_kit_run_twice(kit, q, kernel, gone[1], gone[0], gone[2]);
    }
    for (int i = 0; i < 3; i++) b->buffer_destroy(gone[i]);
    b->op_release(kernel);
    if (!s) (void)b->queue_sync(q, NULL);
    b->queue_destroy(q);
    return s;
}

static void dropped(tn_kit *kit)
{
    enum { LAPS = 12 };
    tn_buffer *at[2] = {0};
    int grew = 0;
    if (!tn_kit_open(kit)) return;
    int32_t s = make_two(kit, at);
    for (int lap = 0; !s && lap < LAPS; lap++) {
        const int64_t live = tn_kit_live;
        s = drop_moves(kit, at);
        grew += tn_kit_live > live;
    }
    tn_kit_ok(kit, s, "work behind a call that is wrong");
    tn_kit_expect(kit, grew < LAPS, "work that is dropped behind an error keeps what it uses, each time anew");
    kit->backend->buffer_destroy(at[0]), kit->backend->buffer_destroy(at[1]);
    tn_kit_close(kit);
}

/* ---- scalars ---- */

enum { COUNT = 1 << 15, RUNS = 20 };

/* y = x + s[0] + s[1] + ...: n run-time scalars. */
static int32_t prepare_sum(tn_kit *kit, uint32_t n, tn_kernel **kernel, tn_kernel_info *info)
{
    tn_map_instr instr[2 * TN_MAX_SCALARS];
    const int32_t out = (int32_t)(2 * n);
    for (int32_t i = 0; i < (int32_t)n; i++) {
        instr[i] = (tn_map_instr){"scalar", {i, -1, -1, -1}, TN_F32, 0, 0};
        instr[n + (uint32_t)i] = (tn_map_instr){"add", {i ? (int32_t)n + i : 0, 1 + i, -1, -1}, TN_F32, 0, 0};
    }
    const tn_map_attrs map = {sizeof map, instr, &out, 2 * n, 1, 1, n};
    const tn_tensor_desc x = tn_kit_dense(1, COUNT, 0, 0);
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "map", .in = &x, .out = &x, .n_in = 1, .n_out = 1, .attrs = &map};
    *info = (tn_kernel_info){.size = sizeof *info};
    return kit->backend->op_prepare(kit->context, &desc, kernel, info, &kit->msg);
}

/* x = 0, then y = x + i + (i + 1) + ... of n scalars in run i, and back; they are something else after each call. */
static int32_t run_sums(tn_kit *kit, tn_kernel *kernel, uint32_t n, tn_buffer *const at[2], tn_buffer *scratch)
{
    const float zero = 0;
    int32_t s = kit->backend->fill(kit->queue, (tn_ref){at[0], 0}, COUNT * 4, &zero, 4, &kit->msg);
    for (int i = 0; !s && i < RUNS; i++) {
        tn_scalar scalar[TN_MAX_SCALARS];
        tn_ref in = {at[i % 2], 0}, out = {at[1 - i % 2], 0};
        tn_run run = {sizeof run, &in, &out, {scratch, 0}, scalar, n};
        for (uint32_t k = 0; k < n; k++) scalar[k].f = k + (uint32_t)i;
        s = kit->backend->op_run(kit->queue, kernel, &run, &kit->msg);
        memset(scalar, POISON, sizeof scalar), memset(&run, POISON, sizeof run);
    }
    return s;
}

static void scalars_go(tn_kit *kit)
{
    tn_buffer *at[2] = {0}, *scratch = NULL;
    tn_kernel *kernel = NULL;
    tn_kernel_info info;
    uint32_t n = TN_MAX_SCALARS;
    float got[2] = {0};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = prepare_sum(kit, n, &kernel, &info);
    while (s == TN_EUNSUPPORTED && n > 1) s = prepare_sum(kit, n /= 2, &kernel, &info);
    kit->result->refused += s == TN_EUNSUPPORTED;
    if (!s) s = make_two(kit, at);
    if (kernel && !s) s = b->buffer_create(kit->context, info.scratch, &scratch, &kit->msg);
    if (kernel && !s) s = run_sums(kit, kernel, n, at, scratch);
    if (kernel && !s) s = b->read(kit->queue, &got[0], (tn_ref){at[0], 0}, 4, &kit->msg);
    if (kernel && !s) s = b->read(kit->queue, &got[1], (tn_ref){at[0], COUNT * 4 - 4}, 4, &kit->msg);
    if (kernel && !s) s = b->queue_sync(kit->queue, &kit->msg);
    const float want = (float)(RUNS * n * (n - 1) / 2 + n * RUNS * (RUNS - 1) / 2);
    if (s != TN_EUNSUPPORTED) tn_kit_ok(kit, s, "runs with scalars that are gone");
    tn_kit_expect(kit, s || (got[0] == want && got[1] == want),
                  "of %u scalars, changed after the call, comes %g and %g instead of %g", n, (double)got[0],
                  (double)got[1], (double)want);
    b->op_release(kernel), b->buffer_destroy(scratch);
    b->buffer_destroy(at[0]), b->buffer_destroy(at[1]);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_flow[] = {
    {"queues", "full", "a queue is filled while it waits for another", full},
    {"queues", "before-error", "work before a call that is wrong is done", before_error},
    {"queues", "dropped", "work that is dropped behind an error keeps nothing", dropped},
    {"queues", "queue-goes", "events outlive the queue that they were recorded in", queue_goes},
    {"queues", "scalars-go", "as many scalars as an operator may have, changed after the call", scalars_go},
    {0},
};
