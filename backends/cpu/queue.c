/* queue.c: buffers, queues and events. Work is done by the call that enqueues it, on the context's threads: a queue is
 * empty whenever a call returns, so that waiting and events cost nothing. The first error sticks. */
#include "cpu.h"

#include <stdio.h>
#include <string.h>

struct tn_event {
    tn_context *context;
};

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

int32_t cpu_buffer_create(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    (void)context;
    tn_buffer *b = cpu_allocate(sizeof *b);
    if (b && bytes <= SIZE_MAX - CPU_ALIGN)
        b->data = cpu_host->allocate(cpu_host->self, bytes ? bytes : 1, bytes >= 4096 ? 4096 : CPU_ALIGN);
    if (!b || !b->data) {
        cpu_release(b);
        return cpu_fail(msg, TN_ENOMEM, "out of memory for a buffer of %llu bytes", (unsigned long long)bytes);
    }
    b->bytes = bytes;
    *buffer = b;
    return TN_OK;
}

void cpu_buffer_destroy(tn_buffer *buffer)
{
    if (buffer && !buffer->is_adopted) cpu_release(buffer->data);
    cpu_release(buffer);
}

static int32_t adopt(tn_context *context, void *data, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    (void)context;
    tn_buffer *b = cpu_allocate(sizeof *b);
    if (!b) return cpu_fail(msg, TN_ENOMEM, "out of memory for a buffer");
    *b = (tn_buffer){data, bytes, 1};
    *buffer = b;
    return TN_OK;
}

static int32_t native(tn_buffer *buffer, uint32_t *kind, void **handle, tn_msg *msg)
{
    (void)msg;
    *kind = TN_NATIVE_HOST;
    *handle = buffer->data;
    return TN_OK;
}

const tn_ext_native cpu_native = {sizeof cpu_native, native};
const tn_ext_here cpu_here = {sizeof cpu_here};
const tn_ext_adopt cpu_adopt = {sizeof cpu_adopt, adopt};

/* ---- queues ------------------------------------------------------------------------------------------------------ */

int32_t cpu_queue_create(tn_context *context, tn_queue **queue, tn_msg *msg)
{
    tn_queue *q = cpu_allocate(sizeof *q);
    if (q) q->work = cpu_host->allocate(cpu_host->self, (uint64_t)context->threads * CPU_WORK, 4096);
    if (q) q->team = cpu_team_new(context->threads);
    if (!q || !q->work || !q->team) {
        cpu_queue_destroy(q);
        return cpu_fail(msg, TN_ENOMEM, "out of memory for a queue of %d threads", context->threads);
    }
    q->context = context;
    *queue = q;
    return TN_OK;
}

void cpu_queue_destroy(tn_queue *queue)
{
    if (!queue) return;
    cpu_team_release(queue->team);
    cpu_release(queue->work);
    cpu_spans_release(queue);
    cpu_release(queue);
}

int32_t cpu_queue_fail(tn_queue *queue, int32_t status, const char *text, tn_msg *msg)
{
    queue->error = status;
    snprintf(queue->text, sizeof queue->text, "%s", text);
    return cpu_fail(msg, status, "%s", text);
}

int32_t cpu_queue_flush(tn_queue *queue, tn_msg *msg)
{
    (void)queue, (void)msg;
    return TN_OK;
}

int32_t cpu_queue_sync(tn_queue *queue, tn_msg *msg)
{
    queue->stats.host_waits++;
    return queue->error ? cpu_fail(msg, queue->error, "%s", queue->text) : TN_OK;
}

int32_t cpu_queue_stats(tn_queue *queue, tn_queue_stats *stats, tn_msg *msg)
{
    (void)msg;
    tn_answer(stats, &queue->stats, sizeof queue->stats);
    return TN_OK;
}

/* ---- transfers --------------------------------------------------------------------------------------------------- */

/* Where `bytes` bytes from `ref` on lie; NULL, and a queue in error, when they are not all there. */
static char *range(tn_queue *queue, tn_ref ref, uint64_t bytes, const char *what, tn_msg *msg)
{
    if (ref.buffer && ref.offset <= ref.buffer->bytes && bytes <= ref.buffer->bytes - ref.offset)
        return ref.buffer->data + ref.offset;
    char text[128];
    snprintf(text, sizeof text, "%s: %llu bytes at %llu reach beyond a buffer of %llu", what, (unsigned long long)bytes,
             (unsigned long long)ref.offset, (unsigned long long)(ref.buffer ? ref.buffer->bytes : 0));
    cpu_queue_fail(queue, TN_EINVAL, text, msg);
    return NULL;
}

#define PAGE 4096 /* bytes that one thread moves at least */

typedef struct transfer {
    char *to;
    const char *from; /* NULL: the pattern */
    uint64_t bytes, pattern;
} transfer;

static void move_pages(void *arg, int64_t begin, int64_t end, int thread)
{
    (void)thread;
    const transfer *t = arg;
    const uint64_t first = (uint64_t)begin * PAGE, all = (uint64_t)end * PAGE, last = all < t->bytes ? all : t->bytes;
    if (first >= last) return;
    if (t->from) memcpy(t->to + first, t->from + first, last - first);
    uint64_t i = first;
    for (; !t->from && i + 8 <= last; i += 8) memcpy(t->to + i, &t->pattern, 8);
    if (!t->from) memcpy(t->to + i, &t->pattern, last - i);
}

/* By all threads where it pays. */
static void move(const tn_queue *queue, transfer t)
{
    const int threads = (double)t.bytes <= 524288 * queue->context->grain ? 1 : queue->context->threads;
    cpu_parallel(queue, threads, (int64_t)((t.bytes + PAGE - 1) / PAGE), move_pages, &t);
}

int32_t cpu_write(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg)
{
    if (queue->error) return TN_OK;
    char *at = range(queue, to, bytes, "write", msg);
    if (!at) return queue->error;
    move(queue, (transfer){at, from, bytes, 0});
    queue->stats.bytes_write += bytes;
    return TN_OK;
}

int32_t cpu_read(tn_queue *queue, void *to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    if (queue->error) return TN_OK;
    const char *at = range(queue, from, bytes, "read", msg);
    if (!at) return queue->error;
    move(queue, (transfer){to, at, bytes, 0});
    queue->stats.bytes_read += bytes;
    return TN_OK;
}

int32_t cpu_copy(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    if (queue->error) return TN_OK;
    char *dst = range(queue, to, bytes, "copy", msg);
    const char *src = dst ? range(queue, from, bytes, "copy", msg) : NULL;
    if (!src) return queue->error;
    move(queue, (transfer){dst, src, bytes, 0});
    return TN_OK;
}

int32_t cpu_fill(tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t unit, tn_msg *msg)
{
    if (queue->error) return TN_OK;
    if ((unit != 1 && unit != 2 && unit != 4 && unit != 8) || bytes % unit || to.offset % unit)
        return cpu_queue_fail(queue, TN_EINVAL, "fill: the pattern, offset or number of bytes do not fit", msg);
    char *at = range(queue, to, bytes, "fill", msg);
    if (!at) return queue->error;
    uint64_t word = 0;
    for (uint64_t i = 0; i < 8; i++) memcpy((char *)&word + i, (const char *)pattern + i % unit, 1);
    move(queue, (transfer){at, NULL, bytes, word});
    return TN_OK;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

int32_t cpu_event_create(tn_context *context, tn_event **event, tn_msg *msg)
{
    tn_event *made = cpu_allocate(sizeof *made);
    if (!made) return cpu_fail(msg, TN_ENOMEM, "out of memory for an event");
    made->context = context;
    *event = made;
    return TN_OK;
}

void cpu_event_destroy(tn_event *event)
{
    cpu_release(event);
}

int32_t cpu_event_record(tn_queue *queue, tn_event *event, tn_msg *msg)
{
    (void)queue, (void)event, (void)msg;
    return TN_OK;
}

int32_t cpu_event_wait(tn_queue *queue, tn_event *event, tn_msg *msg)
{
    (void)queue, (void)event, (void)msg;
    return TN_OK;
}

int32_t cpu_event_sync(tn_event *event, tn_msg *msg)
{
    (void)event, (void)msg;
    return TN_OK;
}
