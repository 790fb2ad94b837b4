/* spans.c: what a backend tells of how long its work took (tenon.observe/1): times are of one clock, one after another,
 * and come near to what passes outside; and looking at the work does not change it. */
#include "sample.h"
#include "tenon/backend_ext.h"

enum { COUNT = 1 << 20, RUNS = 6, ROOM = 4, TRIES = 8 };
#define ENOUGH 0.25 /* of the time that passes is the spans', once of all tries */

/* Two buffers and what doubles the numbers of one into the other. */
typedef struct bench {
    tn_kit *kit;
    const tn_ext_observe *ext; /* NULL: the backend tells nothing */
    tn_kernel *twice;          /* NULL: it doubles nothing */
    tn_buffer *from, *to, *scratch;
    int32_t status;
} bench;

static void make(bench *at)
{
    tn_kit *kit = at->kit;
    const tn_backend *b = kit->backend;
    const int32_t value = 21;
    tn_kernel_info info = {0};
    at->ext = tn_kit_extension(kit, TN_EXT_OBSERVE);
    at->twice = tn_kit_twice(kit, COUNT, &info);
    int32_t s = b->buffer_create(kit->context, 4 * (uint64_t)COUNT, &at->from, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, 4 * (uint64_t)COUNT, &at->to, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, info.scratch, &at->scratch, &kit->msg);
    if (!s) s = b->fill(kit->queue, (tn_ref){at->from, 0}, 4 * (uint64_t)COUNT, &value, 4, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    at->status = s;
}

static void close_bench(bench *at)
{
    const tn_backend *b = at->kit->backend;
    b->op_release(at->twice);
    b->buffer_destroy(at->from), b->buffer_destroy(at->to), b->buffer_destroy(at->scratch);
    tn_kit_close(at->kit);
}

static void record(bench *at, uint32_t room)
{
    if (!at->status) at->status = at->ext->spans_record(at->kit->queue, room, &at->kit->msg);
}

/* So many runs, waited for; the seconds that passed. */
static double run(bench *at, int runs)
{
    tn_kit *kit = at->kit;
    const double begun = tn_kit_now();
    for (int i = 0; !at->status && i < runs; i++)
        at->status = tn_kit_run_twice(kit, kit->queue, at->twice, at->to, at->from, at->scratch);
    if (!at->status) at->status = kit->backend->queue_sync(kit->queue, &kit->msg);
    return tn_kit_now() - begun;
}

/* Takes what there is, up to RUNS, by two at a time, and expects `want` with numbers from `first` on. */
static void take(bench *at, tn_span span[RUNS], uint32_t want, uint64_t first)
{
    uint32_t got = 0, more = 2;
    while (!at->status && more && got + 2 <= RUNS) {
        more = 0;
        at->status = at->ext->spans_take(at->kit->queue, span + got, 2, &more, &at->kit->msg);
        if (!tn_kit_expect(at->kit, at->status || more <= 2, "spans_take gives %u where there is room for 2", more))
            return;
        got += more;
    }
    if (at->status || !tn_kit_expect(at->kit, got == want, "there are %u spans of %u", got, want)) return;
    for (uint32_t i = 0; i < got; i++)
        tn_kit_expect(at->kit, span[i].number == first + i, "span %u has number %llu, not %llu", i,
                      (unsigned long long)span[i].number, (unsigned long long)(first + i));
}

/* Seconds of all spans, which are one after another. */
static double sum_of(tn_kit *kit, const tn_span span[RUNS])
{
    double sum = 0;
    for (int i = 0; i < RUNS; i++) {
        tn_kit_expect(kit, span[i].begin <= span[i].end, "span %d ends before it begins", i);
        tn_kit_expect(kit, !i || span[i - 1].end <= span[i].begin, "span %d begins before the one before it ends", i);
        sum += 1e-9 * (double)(span[i].end - span[i].begin);
    }
    return sum;
}

/* What passes outside is never less, and once in a while hardly more: a busy machine makes it longer. */
static void times(bench *at)
{
    double best = 0;
    for (int i = 0; i < TRIES && best < ENOUGH && !at->status && !at->kit->result->failed; i++) {
        tn_span span[RUNS] = {0};
        record(at, RUNS);
        const double passed = run(at, RUNS);
        take(at, span, RUNS, 0);
        if (at->status || at->kit->result->failed) return;
        const double sum = sum_of(at->kit, span);
        tn_kit_expect(at->kit, sum <= 1.01 * passed + 1e-5, "work of %.3g ms is said to have taken %.3g ms",
                      1e3 * passed, 1e3 * sum);
        if (sum / passed > best) best = sum / passed;
    }
    tn_kit_expect(at->kit, at->status || best >= ENOUGH, "of the time of %d runs no more than %.1f %% is told", RUNS,
                  100 * best);
}

/* What there is no room for is counted and not kept; an end forgets all. */
static void room(bench *at)
{
    tn_span span[RUNS];
    record(at, ROOM);
    run(at, RUNS);
    take(at, span, ROOM, 0);
    run(at, 2);
    take(at, span, 2, RUNS);
    run(at, 1);
    record(at, ROOM); /* begins anew */
    run(at, 1);
    take(at, span, 1, 0);
    record(at, 0);
    run(at, 2);
    take(at, span, 0, 0);
}

static void results(bench *at)
{
    int32_t got = 0;
    record(at, RUNS);
    run(at, 1);
    if (!at->status)
        at->status = at->kit->backend->read(at->kit->queue, &got, (tn_ref){at->to, 4 * (COUNT - 1)}, 4, &at->kit->msg);
    record(at, 0);
    tn_kit_expect(at->kit, at->status || got == 42, "work that is looked at gives %d instead of 42", got);
}

/* A queue that has no memory for spans goes on without them. */
static void no_memory(bench *at)
{
    tn_kit *kit = at->kit;
    tn_kit_fail_at = 0, tn_kit_asked = 0;
    const int32_t s = at->ext->spans_record(kit->queue, RUNS, &kit->msg);
    tn_kit_fail_at = -1;
    tn_kit_expect(kit, s == TN_ENOMEM || !tn_kit_asked, "spans_record without memory answers %d", s);
    record(at, 0);
    run(at, 1);
}

static void spans(tn_kit *kit)
{
    static void (*const parts[])(bench * at) = {times, room, results, no_memory};
    bench at = {.kit = kit};
    if (!tn_kit_open(kit)) return;
    make(&at);
    const size_t count = at.ext && at.twice ? sizeof parts / sizeof *parts : 0;
    for (size_t i = 0; i < count && !at.status; i++) parts[i](&at);
    tn_kit_ok(kit, at.status, "work that is looked at");
    if (!at.ext) tn_kit_remark(kit, "it tells nothing of its work");
    close_bench(&at);
}

const tn_kit_case tn_kit_spans[] = {
    {"queues", "spans", "when each operator began and ended, where the backend tells", spans},
    {0},
};
