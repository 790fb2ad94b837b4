/* load.c: a backend under load: letting go of what is in use, memory in pieces, several runs and copies at once, two
 * devices side by side. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

enum { COUNT = 1 << 14, BYTES = COUNT * 4 };

/* ---- letting go of what is in use ---- */

/* What is let go of, of which a turn says what comes first. */
typedef struct in_use {
    tn_event *event;
    tn_kernel *kernel;
    tn_buffer *buffer[3];
} in_use;

static void let_go(tn_kit *kit, const in_use *u, int turn)
{
    const tn_backend *b = kit->backend;
    for (int i = turn; i < turn + 3; i++) {
        if (i % 3 == 0) b->event_destroy(u->event);
        if (i % 3 == 1) b->op_release(u->kernel);
        for (int k = 0; i % 3 == 2 && k < 3; k++) b->buffer_destroy(u->buffer[k]);
    }
}

/* to = 2^8 value through two buffers, then everything but `to` is let go of, and its memory asked for again. */
static int32_t let_go_early(tn_kit *kit, tn_buffer *to, int32_t value)
{
    const tn_backend *b = kit->backend;
    tn_queue *second = NULL, *third = NULL;
    tn_buffer *other = NULL;
    in_use u = {0};
    tn_kernel_info info;
    int32_t spoiled = -1;
    u.kernel = tn_kit_twice(kit, COUNT, &info);
    int32_t s = b->queue_create(kit->context, &second, &kit->msg);
    if (!s) s = b->queue_create(kit->context, &third, &kit->msg);
    if (!s) s = b->event_create(kit->context, &u.event, &kit->msg);
    for (int i = 0; !s && i < 3; i++)
        s = b->buffer_create(kit->context, i < 2 ? BYTES : info.scratch, &u.buffer[i], &kit->msg);
    if (!s) s = b->fill(kit->queue, (tn_ref){u.buffer[0], 0}, BYTES, &value, 4, &kit->msg);
    for (int i = 0; !s && u.kernel && i < 8; i++)
        s = tn_kit_run_twice(kit, kit->queue, u.kernel, u.buffer[(i + 1) % 2], u.buffer[i % 2], u.buffer[2]);
    if (!s) s = b->event_record(kit->queue, u.event, &kit->msg);
    if (!s) s = b->event_wait(second, u.event, &kit->msg);
    if (!s) s = b->copy(second, (tn_ref){to, 0}, (tn_ref){u.buffer[0], 0}, BYTES, &kit->msg);
    if (!s) s = b->queue_flush(kit->queue, &kit->msg);
    let_go(kit, &u, value % 3);
    if (!s) s = b->buffer_create(kit->context, BYTES, &other, &kit->msg);
    for (int i = 0; !s && i < 8; i++) s = b->fill(third, (tn_ref){other, 0}, BYTES, &spoiled, 4, &kit->msg);
    b->queue_destroy(third), b->queue_destroy(second); /* wait */
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    b->buffer_destroy(other);
    return s;
}

static void release(tn_kit *kit)
{
    tn_buffer *to = NULL;
    tn_kernel_info info;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    tn_kernel *twice = tn_kit_twice(kit, COUNT, &info);
    int32_t s = b->buffer_create(kit->context, BYTES, &to, &kit->msg), got[2] = {0};
    for (int i = 1; !s && i <= 20; i++) {
        int32_t want = twice ? i << 8 : i;
        s = let_go_early(kit, to, i);
        if (!s) s = b->read(kit->queue, &got[0], (tn_ref){to, 0}, 4, &kit->msg);
        if (!s) s = b->read(kit->queue, &got[1], (tn_ref){to, BYTES - 4}, 4, &kit->msg);
        if (!s) s = b->queue_sync(kit->queue, &kit->msg);
        if (!tn_kit_expect(kit, s || (got[0] == want && got[1] == want),
                           "work of a kernel, event and buffers that were let go of gives %d and %d, not %d", got[0],
                           got[1], want))
            break;
    }
    tn_kit_ok(kit, s, "letting go of what is in use");
    b->op_release(twice), b->buffer_destroy(to);
    tn_kit_close(kit);
}

/* ---- memory in pieces ---- */

typedef struct piece {
    tn_buffer *buffer;
    uint64_t bytes;
    unsigned char value;
} piece;

/* All of the piece must be what was written to it last. */
static int is_whole(tn_kit *kit, const piece *p, const char *when)
{
    unsigned char *back = malloc(p->bytes + 1);
    if (!back) return tn_kit_expect(kit, 0, "out of memory");
    int32_t s = kit->backend->read(kit->queue, back, (tn_ref){p->buffer, 0}, p->bytes, &kit->msg);
    if (!s) s = kit->backend->queue_sync(kit->queue, &kit->msg);
    int fine = tn_kit_ok(kit, s, "reading a buffer");
    for (uint64_t i = 0; fine && i < p->bytes; i++)
        if (back[i] != p->value)
            fine = tn_kit_expect(kit, 0, "%s: byte %llu of a buffer of %llu is %#x, not %#x", when,
                                 (unsigned long long)i, (unsigned long long)p->bytes, back[i], p->value);
    tn_kit_expect(kit, fine, " ");
    free(back);
    return fine;
}

static int make_piece(tn_kit *kit, piece *p, uint64_t bytes, unsigned char value)
{
    *p = (piece){.bytes = bytes, .value = value};
    int32_t s = kit->backend->buffer_create(kit->context, bytes, &p->buffer, &kit->msg);
    if (!s) s = kit->backend->fill(kit->queue, (tn_ref){p->buffer, 0}, bytes, &value, 1, &kit->msg);
    return tn_kit_ok(kit, s, "a buffer among others");
}

/* Buffers of all sizes are made and let go of at random: none lies over another. */
static void fragments(tn_kit *kit)
{
    enum { PIECES = 60, STEPS = 1500 };
    piece pieces[PIECES] = {{0}};
    if (!tn_kit_open(kit)) return;
    int fine = 1;
    for (int i = 0; fine && i < STEPS; i++) {
        piece *p = &pieces[tn_kit_bits(kit) % PIECES];
        if (p->buffer) {
            fine = is_whole(kit, p, "before it is let go of");
            kit->backend->buffer_destroy(p->buffer);
            p->buffer = NULL;
        } else {
            uint64_t most = (uint64_t)16 << tn_kit_bits(kit) % 14;
            fine = make_piece(kit, p, 1 + tn_kit_bits(kit) % most, (unsigned char)i);
        }
    }
    for (int i = 0; i < PIECES; i++) {
        fine = fine && (!pieces[i].buffer || is_whole(kit, &pieces[i], "at the end"));
        kit->backend->buffer_destroy(pieces[i].buffer);
    }
    tn_kit_close(kit);
}

/* Two contexts, of two devices where there are two, with buffers made by turns. */
static void side_by_side(tn_kit *kit)
{
    enum { PIECES = 24 };
    piece pieces[2][PIECES] = {{{0}}};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    tn_kit other = *kit;
    uint32_t devices = kit->target->devices, device = devices > 1 ? (kit->target->index + 1) % devices : 0;
    other.context = NULL, other.queue = NULL;
    if (devices < 2) device = kit->target->index;
    int fine = tn_kit_ok(kit, b->context_create(device, &other.context, &kit->msg), "a second context_create") &&
               tn_kit_ok(kit, b->queue_create(other.context, &other.queue, &kit->msg), "queue_create");
    tn_kit *const side[] = {kit, &other};
    for (int i = 0; fine && i < 2 * PIECES; i++)
        fine = make_piece(side[i % 2], &pieces[i % 2][i / 2], (uint64_t)100 << i / 4, (unsigned char)(i + 1));
    for (int i = 0; fine && i < 2 * PIECES; i++)
        fine = is_whole(side[i % 2], &pieces[i % 2][i / 2], "beside another context");
    for (int i = 0; i < PIECES; i++) b->buffer_destroy(pieces[1][i].buffer);
    b->queue_destroy(other.queue), b->context_destroy(other.context);
    for (int i = 0; fine && i < PIECES; i++) fine = is_whole(kit, &pieces[0][i], "after another context");
    for (int i = 0; i < PIECES; i++) b->buffer_destroy(pieces[0][i].buffer);
    tn_kit_remark(kit, "%s", devices > 1 ? "two devices" : "two contexts of one device");
    tn_kit_close(kit);
}

/* ---- several at once ---- */

enum { RUNS = 6, QUEUES = 3, ROUNDS = 8 };

/* A run with data and buffers of its own: operands, the result, scratch memory. */
typedef struct flight {
    tn_kit_sample s;
    tn_kit_want want;
    tn_buffer *buffer[4];
} flight;

static int32_t fill_operands(tn_kit *kit, flight *f, tn_queue *queue, uint64_t scratch)
{
    const tn_backend *b = kit->backend;
    const tn_op_desc *desc = f->s.job.desc;
    int32_t s = TN_OK;
    for (uint32_t i = 0; !s && i < desc->n_in + 2; i++) {
        uint64_t bytes = tn_kit_buffer_bytes(desc, i, scratch);
        s = b->buffer_create(kit->context, bytes, &f->buffer[i], &kit->msg);
        if (!s && i < desc->n_in) s = b->write(queue, (tn_ref){f->buffer[i], 0}, f->s.job.in[i], bytes, &kit->msg);
    }
    return s;
}

static int32_t launch(tn_kit *kit, flight *f, tn_queue *queue, tn_kernel *kernel)
{
    const tn_backend *b = kit->backend;
    const tn_op_desc *desc = f->s.job.desc;
    const tn_ref in[] = {{f->buffer[0], 0}, {f->buffer[1], 0}}, out = {f->buffer[desc->n_in], 0};
    const tn_run run = {sizeof run, in, &out, {f->buffer[desc->n_in + 1], 0}, NULL, 0};
    int32_t s = b->op_run(queue, kernel, &run, &kit->msg);
    return s ? s : b->read(queue, f->s.job.out[0], out, tn_kit_bytes(desc->out), &kit->msg);
}

/* One kernel, run on operands of its own six times in three queues before anybody waits; and again, for two of them
 * seldom meet where they are quick. Returns 0 after a failure. */
static int launch_all(tn_kit *kit, flight f[], tn_queue *const queue[])
{
    const tn_backend *b = kit->backend;
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    int32_t s = b->op_prepare(kit->context, f[0].s.job.desc, &kernel, &info, &kit->msg);
    if (s == TN_EUNSUPPORTED) return (int)++kit->result->refused;
    for (int i = 0; !s && i < RUNS; i++) s = fill_operands(kit, &f[i], queue[i % QUEUES], info.scratch);
    int fine = tn_kit_ok(kit, s, "six runs' operands");
    for (int round = 0; fine && round < ROUNDS; round++) {
        for (int i = 0; !s && i < RUNS; i++) s = launch(kit, &f[i], queue[i % QUEUES], kernel);
        for (int i = 0; !s && i < QUEUES; i++) s = b->queue_sync(queue[i], &kit->msg);
        fine = tn_kit_ok(kit, s, "six runs at once");
        for (int i = 0; fine && i < RUNS; i++)
            fine = tn_kit_compare(kit, &f[i].s.job, &f[i].want, ", of six runs at once");
    }
    for (int i = 0; i < RUNS; i++)
        for (int k = 0; k < 4; k++) b->buffer_destroy(f[i].buffer[k]);
    b->op_release(kernel);
    return fine;
}

static void runs(tn_kit *kit)
{
    static const int sample[] = {0, 1, 2, 3, TN_KIT_LONG, TN_KIT_SCATTER, TN_KIT_WEIGHT};
    tn_queue *queue[QUEUES] = {0};
    if (!tn_kit_open(kit)) return;
    int fine = 1;
    for (int i = 0; fine && i < QUEUES; i++)
        fine = tn_kit_ok(kit, kit->backend->queue_create(kit->context, &queue[i], &kit->msg), "queue_create");
    for (size_t k = 0; fine && k < sizeof sample / sizeof *sample; k++) {
        flight *f = calloc(RUNS, sizeof *f);
        fine = tn_kit_expect(kit, f != NULL, "out of memory");
        for (int i = 0; fine && i < RUNS; i++)
            fine = tn_kit_sample_make(kit, sample[k], &f[i].s) && tn_kit_expected(kit, &f[i].s.job, &f[i].want);
        if (fine) fine = launch_all(kit, f, queue);
        for (int i = 0; f && i < RUNS; i++) tn_kit_want_free(&f[i].want), tn_kit_sample_free(&f[i].s);
        free(f);
    }
    for (int i = 0; i < QUEUES; i++) kit->backend->queue_destroy(queue[i]);
    tn_kit_close(kit);
}

/* ---- copies from several threads ---- */

enum { THREADS = 6, PART = 50021 };

/* A thread moves its part of two buffers that all share. */
typedef struct mover {
    tn_kit *kit;
    tn_buffer *from, *to;
    uint64_t at;
    unsigned char sent[PART], back[PART];
    int32_t status;
    int wrong;
} mover;

static void *move(void *arg)
{
    mover *m = arg;
    const tn_backend *b = m->kit->backend;
    tn_queue *q = NULL;
    int32_t s = b->queue_create(m->kit->context, &q, NULL);
    for (int i = 0; !s && !m->wrong && i < 40; i++) {
        for (int k = 0; k < PART; k++) m->sent[k] = (unsigned char)(k * 7 + i + (int)m->at);
        s = b->write(q, (tn_ref){m->from, m->at}, m->sent, PART, NULL);
        if (!s) s = b->copy(q, (tn_ref){m->to, m->at}, (tn_ref){m->from, m->at}, PART, NULL);
        if (!s) s = b->read(q, m->back, (tn_ref){m->to, m->at}, PART, NULL);
        if (!s) s = b->queue_sync(q, NULL);
        m->wrong = !s && memcmp(m->sent, m->back, PART);
    }
    m->status = s;
    b->queue_destroy(q);
    return NULL;
}

static void copies(tn_kit *kit)
{
    tn_buffer *from = NULL, *to = NULL;
    pthread_t thread[THREADS];
    int started = 0;
    mover *m = calloc(THREADS, sizeof *m);
    if (!tn_kit_expect(kit, m != NULL, "out of memory") || !tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = b->buffer_create(kit->context, THREADS * PART, &from, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, THREADS * PART, &to, &kit->msg);
    for (; !s && started < THREADS; started++) {
        m[started].kit = kit, m[started].from = from, m[started].to = to, m[started].at = (uint64_t)started * PART;
        if (pthread_create(&thread[started], NULL, move, &m[started])) break;
    }
    tn_kit_expect(kit, s || started == THREADS, "no threads");
    for (int i = 0; i < started; i++) {
        pthread_join(thread[i], NULL);
        tn_kit_ok(kit, m[i].status, "moves from several threads");
        tn_kit_expect(kit, !m[i].wrong, "what one of six threads copies is not what it wrote");
    }
    tn_kit_ok(kit, s, "buffers for several threads");
    b->buffer_destroy(from), b->buffer_destroy(to);
    free(m);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_load[] = {
    {"load", "release", "a kernel, an event and buffers are let go of while work uses them", release, NULL, 0, 0},
    {"load", "fragments", "buffers of all sizes, made and let go of at random, lie apart", fragments, NULL, 0, 0},
    {"load", "side-by-side", "two devices, or two contexts of one, don't share memory", side_by_side, NULL, 0, 0},
    {"load", "runs", "one kernel runs six times at once, with scratch memory for each", runs, NULL, 0, 0},
    {"load", "copies", "six threads move bytes in two buffers", copies, NULL, 0, 0},
    {0},
};
