/* wrong.c: calls that enqueue what cannot be: TN_EINVAL at once or at queue_sync, each time; work before is done, work
 * after it is not, and nothing beyond a buffer is touched. */
#include <string.h>

#include "sample.h"

enum { COUNT = 64, BYTES = COUNT * 4 };

/* Two buffers and y = x + s over COUNT numbers, s a run-time scalar; its queue is new for each call. */
typedef struct scene {
    tn_kit *kit;
    tn_queue *queue;
    tn_buffer *x, *y, *scratch;
    tn_kernel *add;
} scene;

static int32_t fill(const scene *at, uint64_t offset, uint64_t bytes, uint64_t pattern_bytes)
{
    static const unsigned char pattern[32] = {9, 9, 9, 9, 9, 9, 9, 9};
    return at->kit->backend->fill(at->queue, (tn_ref){at->x, offset}, bytes, pattern, pattern_bytes, &at->kit->msg);
}

static int32_t run(const scene *at, uint64_t in_offset, uint64_t out_offset, uint64_t n_scalar)
{
    const tn_ref in = {at->y, in_offset}, out = {at->x, out_offset};
    const tn_scalar scalar = {.f = 9};
    const tn_run now = {sizeof now, &in, &out, {at->scratch, 0}, &scalar, n_scalar};
    return at->kit->backend->op_run(at->queue, at->add, &now, &at->kit->msg);
}

static const struct wrong {
    const char *what;
    int runs; /* the kernel: offsets of operands and how many scalars; else fills: offset, bytes, bytes of the pattern
               */
    uint64_t a, b, c;
} calls[] = {
    {"a fill by a pattern of 3 bytes", 0, 0, 12, 3},
    {"a fill by a pattern of 16 bytes", 0, 0, 32, 16},
    {"a fill by a pattern of no bytes", 0, 0, 16, 0},
    {"a fill of 6 bytes by a pattern of 4", 0, 0, 6, 4},
    {"a fill from byte 2 on by a pattern of 4", 0, 2, 8, 4},
    {"a fill that goes on beyond its buffer", 0, BYTES - 8, 16, 4},
    {"a run whose input goes on beyond its buffer", 1, 4, 0, 1},
    {"a run whose output goes on beyond its buffer", 1, 0, 4, 1},
    {"a run whose input begins behind its buffer", 1, BYTES, 0, 1},
    {"a run whose output ends at 2^64", 1, 0, UINT64_MAX - BYTES + 1, 1},
    {"a run with one scalar too few", 1, 0, 0, 0},
};

/* Whether all of x is that number. */
static int is_all(const scene *at, int32_t value)
{
    int32_t got[COUNT];
    memset(got, 0, sizeof got);
    const tn_backend *b = at->kit->backend;
    int32_t s = b->read(at->kit->queue, got, (tn_ref){at->x, 0}, BYTES, &at->kit->msg);
    if (!s) s = b->queue_sync(at->kit->queue, &at->kit->msg);
    int i = 0;
    while (i < COUNT && got[i] == value) i++;
    return tn_kit_ok(at->kit, s, "a read by another queue") && i == COUNT;
}

static void try_call(scene *at, const struct wrong *w, int32_t number)
{
    tn_kit *kit = at->kit;
    const tn_backend *b = kit->backend;
    if (!tn_kit_ok(kit, b->queue_create(kit->context, &at->queue, &kit->msg), "queue_create")) return;
    int32_t later = -1;
    int32_t s = b->fill(at->queue, (tn_ref){at->x, 0}, BYTES, &number, 4, &kit->msg);
    tn_kit_ok(kit, s, "fill");
    int32_t now = w->runs ? run(at, w->a, w->b, w->c) : fill(at, w->a, w->b, w->c);
    (void)b->fill(at->queue, (tn_ref){at->x, 0}, BYTES, &later, 4, NULL);
    int32_t synced = b->queue_sync(at->queue, &kit->msg), again = b->queue_sync(at->queue, NULL);
    tn_kit_expect(kit, (!now || now == TN_EINVAL) && synced == TN_EINVAL && again == TN_EINVAL,
                  "%s: the call answers %s, queue_sync %s and then %s; TN_EINVAL belongs", w->what, tn_status_name(now),
                  tn_status_name(synced), tn_status_name(again));
    b->queue_destroy(at->queue);
    *kit->text = 0;
    tn_kit_expect(kit, kit->result->failed || is_all(at, number), "%s: it changes something, or undoes work before it",
                  w->what);
}

static void wrong_calls(tn_kit *kit)
{
    scene at = {.kit = kit};
    tn_kernel_info info = {0};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = b->buffer_create(kit->context, BYTES, &at.x, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, BYTES, &at.y, &kit->msg);
    if (!s) at.add = tn_kit_add(kit, COUNT, &info);
    if (!s && at.add) s = b->buffer_create(kit->context, info.scratch, &at.scratch, &kit->msg);
    tn_kit_ok(kit, s, "buffers");
    for (size_t i = 0; i < sizeof calls / sizeof *calls && !kit->result->failed && b->abi_minor; i++)
        if (at.add || !calls[i].runs) try_call(&at, &calls[i], (int32_t)i + 1);
    if (!b->abi_minor) tn_kit_remark(kit, "not asked of a backend of version 1.0");
    b->op_release(at.add);
    b->buffer_destroy(at.scratch), b->buffer_destroy(at.x), b->buffer_destroy(at.y);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_wrong_calls[] = {
    {"queues", "wrong-calls", "what cannot be is TN_EINVAL in its place, and touches nothing", wrong_calls, NULL, 0, 0},
    {0},
};
