/* spans.c: when each operator of a queue began and ended, where somebody wants to know. */
#include "cpu.h"

#include <string.h>
#include <time.h>

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t cpu_span_begin(const tn_queue *queue)
{
    return queue->spans.room ? now() : 0;
}

void cpu_span_end(tn_queue *queue, uint64_t begin)
{
    cpu_spans *s = &queue->spans;
    if (!s->room) return;
    if (s->count < s->room) s->span[s->count++] = (tn_span){begin, now(), s->number};
    s->number++;
}

void cpu_spans_release(tn_queue *queue)
{
    cpu_release(queue->spans.span);
    queue->spans = (cpu_spans){0};
}

static int32_t record(tn_queue *queue, uint32_t capacity, tn_msg *msg)
{
    cpu_spans *s = &queue->spans;
    if (s->room != capacity) cpu_spans_release(queue);
    s->number = s->count = 0;
    if (!capacity || s->room) return TN_OK;
    s->span = cpu_allocate(capacity * sizeof *s->span);
    if (!s->span) return cpu_fail(msg, TN_ENOMEM, "out of memory for %u spans", capacity);
    s->room = capacity;
    return TN_OK;
}

static int32_t take(tn_queue *queue, tn_span *span, uint32_t capacity, uint32_t *count, tn_msg *msg)
{
    cpu_spans *s = &queue->spans;
    const uint32_t n = s->count < capacity ? s->count : capacity;
    (void)msg;
    if (n) memcpy(span, s->span, n * sizeof *span);
    if (n) memmove(s->span, s->span + n, (s->count - n) * sizeof *span);
    s->count -= n;
    *count = n;
    return TN_OK;
}

const tn_ext_observe cpu_observe = {sizeof cpu_observe, record, take};
