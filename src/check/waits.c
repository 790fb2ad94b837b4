/* waits.c: events across queues whose numbers meet, of queues that failed; calls that come back while the work is still
 * under way; and moves and runs whose buffers are let go of before they are done. */
#include <stdlib.h>
#include <string.h>

#include "sample.h"

enum { BYTES = 1 << 22, BUSY = 60 };

/* ---- a queue that is busy ---- */

/* Two queues, an event of each, and two buffers; `seen` is where a busy queue's last number comes to. */
typedef struct scene {
    tn_queue *busy, *other;
    tn_event *e, *f;
    tn_buffer *at[2], *small;
    int32_t seen;
} scene;

static int32_t make(tn_kit *kit, scene *s)
{
    const tn_backend *b = kit->backend;
    *s = (scene){0};
    int32_t status = b->queue_create(kit->context, &s->busy, &kit->msg);
    if (!status) status = b->queue_create(kit->context, &s->other, &kit->msg);
    if (!status) status = b->event_create(kit->context, &s->e, &kit->msg);
    if (!status) status = b->event_create(kit->context, &s->f, &kit->msg);
    for (int i = 0; !status && i < 2; i++) status = b->buffer_create(kit->context, BYTES, &s->at[i], &kit->msg);
    if (!status) status = b->buffer_create(kit->context, 64, &s->small, &kit->msg);
    return status;
}

static void close_scene(tn_kit *kit, const scene *s)
{
    const tn_backend *b = kit->backend;
    b->queue_destroy(s->busy), b->queue_destroy(s->other);
    b->event_destroy(s->e), b->event_destroy(s->f);
    b->buffer_destroy(s->at[0]), b->buffer_destroy(s->at[1]), b->buffer_destroy(s->small);
    tn_kit_close(kit);
}

/* One command moves it all: `value` comes to at[1], at its very end, after `times` rounds of that. */
static int32_t keep_busy(tn_kit *kit, const scene *s, int32_t value, int times)
{
    const tn_backend *b = kit->backend;
    int32_t status = TN_OK;
    for (int i = 0; !status && i < times; i++) {
        const int32_t now = i == times - 1 ? value : -1;
        status = b->fill(s->busy, (tn_ref){s->at[0], 0}, BYTES, &now, 4, &kit->msg);
        if (!status) status = b->copy(s->busy, (tn_ref){s->at[1], 0}, (tn_ref){s->at[0], 0}, BYTES, &kit->msg);
    }
    return status;
}

static int32_t last_number(tn_kit *kit, const scene *s, int32_t *value)
{
    *value = -2;
    int32_t status = kit->backend->read(s->other, value, (tn_ref){s->at[1], BYTES - 4}, 4, &kit->msg);
    return status ? status : kit->backend->queue_sync(s->other, &kit->msg);
}

/* ---- numbers that meet ---- */

/* A queue waits for one that is further on, and then for one that is busy, each with fewer and with more commands
 * behind it than the other. */
static int32_t wait_for_both(tn_kit *kit, const scene *s, int32_t value, int ahead)
{
    const tn_backend *b = kit->backend;
    const int32_t one = 1;
    int32_t got = 0, status = TN_OK;
    for (int i = 0; !status && i < ahead; i++)
        status = b->fill(kit->queue, (tn_ref){s->small, 0}, 4, &one, 4, &kit->msg);
    if (!status) status = b->event_record(kit->queue, s->e, &kit->msg);
    if (!status) status = b->event_wait(s->other, s->e, &kit->msg);
    if (!status) status = keep_busy(kit, s, value, 2);
    if (!status) status = b->event_record(s->busy, s->f, &kit->msg);
    if (!status) status = b->event_wait(s->other, s->f, &kit->msg);
    if (!status) status = last_number(kit, s, &got);
    tn_kit_expect(kit, status || got == value,
                  "a queue that waits for two others, of which the first is further on, sees %d instead of %d", got,
                  value);
    return status;
}

static void numbers_meet(tn_kit *kit)
{
    static const int ahead[] = {10, 0, 100, 3, 1000, 4, 4, 5};
    scene s;
    if (!tn_kit_open(kit)) return;
    int32_t status = make(kit, &s);
    for (int i = 0; !status && !kit->result->failed && i < 16; i++)
        status = wait_for_both(kit, &s, 100 + i, ahead[i % 8]);
    tn_kit_ok(kit, status, "waits for two queues");
    close_scene(kit, &s);
}

/* ---- a queue that failed ---- */

/* Its event stands for what was good, also for one that is recorded anew. */
static void failed_record(tn_kit *kit)
{
    scene s;
    int32_t got = 0;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    for (int32_t i = 0; !kit->result->failed && i < 4; i++) {
        int32_t status = make(kit, &s);
        if (!status && i % 2) status = b->event_record(s.busy, s.f, &kit->msg);
        if (!status) status = keep_busy(kit, &s, 50 + i, 10);
        if (!status) (void)b->read(s.busy, &got, (tn_ref){s.at[0], BYTES}, 4, NULL); /* beyond */
        if (!status) (void)b->event_record(s.busy, s.f, NULL);                       /* may answer the queue's error */
        if (!status) status = b->event_wait(s.other, s.f, &kit->msg);
        if (!status) status = last_number(kit, &s, &got);
        tn_kit_expect(kit, status || got == 50 + i,
                      "an event of a queue that failed comes before the work that did not: %d instead of %d", got,
                      50 + i);
        tn_kit_ok(kit, status, "an event of a queue that failed");
        b->queue_destroy(s.busy), b->queue_destroy(s.other), b->event_destroy(s.e), b->event_destroy(s.f);
        b->buffer_destroy(s.at[0]), b->buffer_destroy(s.at[1]), b->buffer_destroy(s.small);
    }
    tn_kit_close(kit);
}

/* ---- calls that come back at once ---- */

/* Written by the queue, maybe just now. */
#if defined(__GNUC__)
__attribute__((no_sanitize("thread")))
#endif
static int
is_done(const scene *s)
{
    return *(volatile const int32_t *)&s->seen != 0;
}

static int32_t call_wait(tn_kit *kit, const scene *s)
{
    return kit->backend->event_wait(s->other, s->e, &kit->msg);
}

static int32_t call_record(tn_kit *kit, const scene *s)
{
    return kit->backend->event_record(s->busy, s->f, &kit->msg);
}

static int32_t call_flush(tn_kit *kit, const scene *s)
{
    return kit->backend->queue_flush(s->busy, &kit->msg);
}

static int32_t call_fill(tn_kit *kit, const scene *s)
{
    return kit->backend->fill(s->busy, (tn_ref){s->small, 0}, 8, "\0\0\0", 4, &kit->msg);
}

static int32_t call_copy(tn_kit *kit, const scene *s)
{
    return kit->backend->copy(s->busy, (tn_ref){s->small, 0}, (tn_ref){s->at[0], 0}, 8, &kit->msg);
}

static const struct {
    const char *name;
    int32_t (*call)(tn_kit *kit, const scene *s);
} calls[] = {{"event_wait", call_wait},
             {"event_record", call_record},
             {"queue_flush", call_flush},
             {"fill", call_fill},
             {"copy", call_copy}};

/* Whether the work was under way before the call, and done behind it. A backend that does all at once never is. */
static int32_t call_while_busy(tn_kit *kit, scene *s, size_t which, int *before, int *behind)
{
    const tn_backend *b = kit->backend;
    s->seen = 0;
    int32_t status = keep_busy(kit, s, 7, BUSY);
    if (!status) status = b->read(s->busy, &s->seen, (tn_ref){s->at[1], BYTES - 4}, 4, &kit->msg);
    if (!status) status = b->event_record(s->busy, s->e, &kit->msg);
    *before = is_done(s);
    if (!status) status = calls[which].call(kit, s);
    *behind = is_done(s);
    const int32_t synced = b->queue_sync(s->busy, &kit->msg), other = b->queue_sync(s->other, &kit->msg);
    return status ? status : synced ? synced : other;
}

/* Once may be chance: a call that waits does so each time. */
static void come_back(tn_kit *kit)
{
    scene s;
    int busy = 1, tried = 0;
    if (!tn_kit_open(kit)) return;
    int32_t status = make(kit, &s);
    for (size_t which = 0; !status && busy && which < sizeof calls / sizeof *calls; which++) {
        int waited = 0, came_back = 0, before = 0, behind = 0;
        for (int i = 0; !status && busy && !came_back && i < 6; i++) {
            status = call_while_busy(kit, &s, which, &before, &behind);
            waited += !before && behind, came_back += !before && !behind;
            busy = !before || waited || tried;
        }
        tried += came_back;
        tn_kit_expect(kit, waited < 3 || came_back, "%s waits for the work that is under way, %d times of %d",
                      calls[which].name, waited, waited);
    }
    tn_kit_ok(kit, status, "calls while work is under way");
    tn_kit_remark(kit, "%d calls came back while work was under way", tried);
    close_scene(kit, &s);
}

/* ---- moves whose buffers are let go of ---- */

enum { COPY_FROM, COPY_TO, WRITE_TO, FILL_TO, READ_FROM, MOVES };

static int32_t enqueue_move(tn_kit *kit, const scene *s, int which, tn_buffer *gone, int32_t *host)
{
    const tn_backend *b = kit->backend;
    const tn_ref it = {gone, 0}, to = {s->at[1], 0}, from = {s->at[0], 0};
    const int32_t three = 3;
    if (which == COPY_FROM) return b->copy(s->busy, to, it, BYTES, &kit->msg);
    if (which == COPY_TO) return b->copy(s->busy, it, from, BYTES, &kit->msg);
    if (which == WRITE_TO) return b->write(s->busy, it, host, BYTES, &kit->msg);
    if (which == FILL_TO) return b->fill(s->busy, it, BYTES, &three, 4, &kit->msg);
    return b->read(s->busy, host, it, BYTES, &kit->msg);
}

static int32_t read_ends(tn_kit *kit, tn_queue *q, tn_buffer *from, int32_t got[2])
{
    int32_t status = kit->backend->read(q, &got[0], (tn_ref){from, 0}, 4, &kit->msg);
    if (!status) status = kit->backend->read(q, &got[1], (tn_ref){from, BYTES - 4}, 4, &kit->msg);
    return status ? status : kit->backend->queue_sync(q, &kit->msg);
}

/* Behind other work, a move of a buffer that is let go of at once; another of its size is filled with something else
 * meanwhile. What was moved is right, and the new buffer is what it was filled with. */
static int32_t move_and_let_go(tn_kit *kit, const scene *s, int which, int32_t *host)
{
    static const char *const name[MOVES] = {"a copy's source", "a copy's target", "a write's target", "a fill's target",
                                            "a read's source"};
    const tn_backend *b = kit->backend;
    const int32_t five = 5, nine = 9;
    tn_buffer *gone = NULL, *fresh = NULL;
    int32_t got[2] = {0}, end[2] = {0};
    for (int i = 0; i < BYTES / 4; i++) host[i] = 8;
    int32_t status = b->buffer_create(kit->context, BYTES, &gone, &kit->msg);
    if (!status) status = b->fill(s->busy, (tn_ref){gone, 0}, BYTES, &five, 4, &kit->msg);
    if (!status) status = keep_busy(kit, s, 7, 6);
    if (!status) status = enqueue_move(kit, s, which, gone, host);
    b->buffer_destroy(gone);
    if (!status) status = b->buffer_create(kit->context, BYTES, &fresh, &kit->msg);
    if (!status) status = b->fill(s->other, (tn_ref){fresh, 0}, BYTES, &nine, 4, &kit->msg);
    if (!status) status = b->queue_sync(s->other, &kit->msg);
    if (!status) status = b->queue_sync(s->busy, &kit->msg);
    if (!status) status = read_ends(kit, s->other, fresh, got);
    if (!status && which == COPY_FROM) status = read_ends(kit, s->other, s->at[1], end);
    if (which == READ_FROM) end[0] = host[0], end[1] = host[BYTES / 4 - 1];
    tn_kit_expect(kit, status || (got[0] == 9 && got[1] == 9),
                  "%s is let go of under way: a buffer that was made since has %d and %d in it instead of 9",
                  name[which], got[0], got[1]);
    tn_kit_expect(kit, status || (which != COPY_FROM && which != READ_FROM) || (end[0] == 5 && end[1] == 5),
                  "%s is let go of under way: %d and %d are moved instead of 5", name[which], end[0], end[1]);
    b->buffer_destroy(fresh);
    return status;
}

static void moves_go(tn_kit *kit)
{
    scene s;
    int32_t *host = malloc(BYTES);
    if (!tn_kit_expect(kit, host != NULL, "out of memory") || !tn_kit_open(kit)) return;
    int32_t status = make(kit, &s);
    for (int i = 0; !status && !kit->result->failed && i < 2 * MOVES; i++)
        status = move_and_let_go(kit, &s, i % MOVES, host);
    tn_kit_ok(kit, status, "moves whose buffers are let go of");
    close_scene(kit, &s);
    free(host);
}

/* ---- runs whose buffers are let go of ---- */

enum { FRESH = 3, OTHER_BYTE = 0x5a };

/* An operation with what it gives when nothing is let go of. */
typedef struct leaving {
    tn_kit_sample sample;
    unsigned char *first;
    uint64_t scratch;
} leaving;

/* What one run needs: inputs, the output, the scratch memory. */
typedef struct needs {
    tn_kernel *kernel;
    tn_buffer *at[TN_MAX_OPERANDS + 2], *fresh[FRESH];
} needs;

static int32_t make_needs(tn_kit *kit, const scene *s, const leaving *l, needs *n)
{
    const tn_backend *b = kit->backend;
    const tn_op_desc *desc = l->sample.job.desc;
    *n = (needs){0};
    int32_t status = b->op_prepare(kit->context, desc, &n->kernel, NULL, &kit->msg);
    for (uint32_t i = 0; !status && i < desc->n_in + 2; i++) {
        const uint64_t bytes = tn_kit_buffer_bytes(desc, i, l->scratch);
        status = b->buffer_create(kit->context, bytes, &n->at[i], &kit->msg);
        if (!status && i < desc->n_in)
            status = b->write(s->other, (tn_ref){n->at[i], 0}, l->sample.job.in[i], bytes, &kit->msg);
    }
    return status ? status : b->queue_sync(s->other, &kit->msg);
}

static void free_needs(tn_kit *kit, const needs *n)
{
    kit->backend->op_release(n->kernel);
    for (int i = 0; i < TN_MAX_OPERANDS + 2; i++) kit->backend->buffer_destroy(n->at[i]);
    for (int i = 0; i < FRESH; i++) kit->backend->buffer_destroy(n->fresh[i]);
}

/* Behind other work; the result is read, unless that would keep its buffer. */
static int32_t enqueue_run(tn_kit *kit, const scene *s, const leaving *l, const needs *n, int reads)
{
    const tn_kit_job *job = &l->sample.job;
    tn_ref in[TN_MAX_OPERANDS], out = {n->at[job->desc->n_in], 0};
    for (uint32_t i = 0; i < job->desc->n_in; i++) in[i] = (tn_ref){n->at[i], 0};
    const tn_run run = {sizeof run, in, &out, {n->at[job->desc->n_in + 1], 0}, job->scalar, job->n_scalar};
    int32_t status = keep_busy(kit, s, 7, 6);
    if (!status) status = kit->backend->op_run(s->busy, n->kernel, &run, &kit->msg);
    if (status || !reads) return status;
    return kit->backend->read(s->busy, job->out[0], out, tn_kit_bytes(job->desc->out), &kit->msg);
}

/* Others take the place, if it is free. */
static int32_t make_fresh(tn_kit *kit, const scene *s, needs *n, uint64_t bytes)
{
    const unsigned char other = OTHER_BYTE;
    int32_t status = TN_OK;
    for (int i = 0; !status && i < FRESH; i++) {
        status = kit->backend->buffer_create(kit->context, bytes, &n->fresh[i], &kit->msg);
        if (!status) status = kit->backend->fill(s->other, (tn_ref){n->fresh[i], 0}, bytes, &other, 1, &kit->msg);
    }
    return status ? status : kit->backend->queue_sync(s->other, &kit->msg);
}

/* All of them are what they were filled with. */
static int32_t look_at_fresh(tn_kit *kit, const scene *s, const needs *n, uint64_t bytes, int *fine)
{
    unsigned char *back = malloc(bytes + 1);
    int32_t status = back ? TN_OK : TN_ENOMEM;
    *fine = 1;
    for (int i = 0; !status && i < FRESH; i++) {
        status = kit->backend->read(s->other, back, (tn_ref){n->fresh[i], 0}, bytes, &kit->msg);
        if (!status) status = kit->backend->queue_sync(s->other, &kit->msg);
        for (uint64_t k = 0; !status && k < bytes; k++) *fine &= back[k] == OTHER_BYTE;
    }
    free(back);
    return status;
}

/* Buffer number `gone` is let go of under way; behind the last one, the kernel. */
static int32_t run_and_let_go(tn_kit *kit, const scene *s, const leaving *l, uint32_t gone)
{
    const tn_op_desc *desc = l->sample.job.desc;
    const uint32_t n_in = desc->n_in, all = n_in + 2;
    const char *what = gone < n_in ? "an input" : gone == n_in ? "the output" : gone < all ? "scratch" : "the kernel";
    const uint64_t bytes = gone < all ? tn_kit_buffer_bytes(desc, gone, l->scratch) : 64;
    int fine = 1;
    needs n;
    int32_t status = make_needs(kit, s, l, &n);
    if (!status) status = enqueue_run(kit, s, l, &n, gone != n_in);
    kit->backend->buffer_destroy(gone < all ? n.at[gone] : NULL);
    kit->backend->op_release(gone < all ? NULL : n.kernel);
    if (gone < all)
        n.at[gone] = NULL;
    else
        n.kernel = NULL;
    if (!status) status = make_fresh(kit, s, &n, bytes);
    if (!status) status = kit->backend->queue_sync(s->busy, &kit->msg);
    if (!status) status = look_at_fresh(kit, s, &n, bytes, &fine);
    tn_kit_expect(kit, status || fine, "%s: %s is let go of under way, and a buffer that was made since is written",
                  desc->name, what);
    tn_kit_expect(kit, status || gone == n_in || !memcmp(l->first, l->sample.job.out[0], tn_kit_bytes(desc->out)),
                  "%s: %s is let go of under way, and the result is another", desc->name, what);
    free_needs(kit, &n);
    return status;
}

/* What it gives otherwise, and the scratch memory that it wants. Returns 0 if it is refused, or after a failure. */
static int run_first(tn_kit *kit, leaving *l)
{
    tn_kernel_info info = {.size = sizeof info};
    const tn_op_desc *desc = l->sample.job.desc;
    if (tn_kit_run_job(kit, &l->sample.job) != TN_KIT_RAN) return 0;
    const int32_t status = kit->backend->op_prepare(kit->context, desc, NULL, &info, &kit->msg);
    l->scratch = info.scratch;
    l->first = malloc(tn_kit_bytes(desc->out));
    if (l->first) memcpy(l->first, l->sample.job.out[0], tn_kit_bytes(desc->out));
    return tn_kit_ok(kit, status, "op_prepare") && tn_kit_expect(kit, l->first != NULL, "out of memory");
}

static void runs_go(tn_kit *kit)
{
    scene s;
    if (!tn_kit_open(kit)) return;
    int32_t status = make(kit, &s);
    for (int i = 0; !status && !kit->result->failed && i < TN_KIT_ALL; i++) {
        leaving l = {.first = NULL};
        const int made = tn_kit_sample_make(kit, i, &l.sample) && run_first(kit, &l);
        const uint32_t n_in = made ? l.sample.job.desc->n_in : 0;
        for (uint32_t gone = 0; made && !status && !kit->result->failed && gone < n_in + 3; gone++)
            if (gone != n_in + 1 || l.scratch) status = run_and_let_go(kit, &s, &l, gone);
        tn_kit_sample_free(&l.sample);
        free(l.first);
    }
    tn_kit_ok(kit, status, "runs whose buffers are let go of");
    close_scene(kit, &s);
}

/* ---- one at a time ---- */

/* A thread of the backend's goes to sleep and is woken each time, sooner or later after it was done. */
static void one_at_a_time(tn_kit *kit)
{
    enum { TIMES = 60000 };
    tn_buffer *buffer = NULL;
    int32_t got = 0;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t status = b->buffer_create(kit->context, 4, &buffer, &kit->msg);
    for (int32_t i = 0; !status && i < TIMES; i++) {
        status = b->fill(kit->queue, (tn_ref){buffer, 0}, 4, &i, 4, &kit->msg);
        if (!status) status = b->queue_sync(kit->queue, &kit->msg);
        for (volatile int32_t k = 0; k < i % 97 * 8; k = k + 1) continue;
    }
    if (!status) status = b->read(kit->queue, &got, (tn_ref){buffer, 0}, 4, &kit->msg);
    if (!status) status = b->queue_sync(kit->queue, &kit->msg);
    tn_kit_ok(kit, status, "60,000 commands one at a time");
    tn_kit_expect(kit, status || got == TIMES - 1, "the last of 60,000 commands wrote %d", got);
    b->buffer_destroy(buffer);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_waits[] = {
    {"queues", "numbers-meet", "a queue waits for two others that came differently far", numbers_meet},
    {"queues", "failed-record", "an event of a queue that failed stands for the work before", failed_record},
    {"queues", "come-back", "calls that do not wait come back while work is under way", come_back},
    {"queues", "moves-go", "buffers of moves are let go of under way", moves_go},
    {"queues", "runs-go", "buffers of runs, and their kernels, are let go of under way", runs_go},
    {"load", "one-at-a-time", "60,000 commands, each waited for", one_at_a_time},
    {0},
};
