/* spans.c: when each operator of a queue began and ended, by the events of its first and last command, where somebody
 * wants to know: the command queue is then another, made for profiling. */
#include "opencl.h"

#include <string.h>

struct ocl_span {
    cl_event event[2]; /* of the first command and of the last one, which may be the first; NULL: there was none */
    uint64_t number;
};

ocl_span *ocl_span_next(tn_queue *queue)
{
    ocl_spans *s = &queue->spans;
    if (!s->room) return NULL;
    const uint64_t number = s->number++;
    if (s->count == s->room) return NULL;
    ocl_span *span = &s->span[s->count++];
    *span = (ocl_span){.number = number};
    return span;
}

cl_event *ocl_span_event(ocl_span *span, int is_first, int is_last)
{
    if (!span || (!is_first && !is_last)) return NULL;
    return &span->event[is_first ? 0 : 1];
}

static void release(ocl_span *span)
{
    for (int i = 0; i < 2; i++)
        if (span->event[i]) clReleaseEvent(span->event[i]);
}

static void forget(ocl_spans *s)
{
    for (uint32_t i = 0; i < s->count; i++) release(&s->span[i]);
    s->count = 0;
    s->number = 0;
}

void ocl_spans_release(tn_queue *queue)
{
    forget(&queue->spans);
    ocl_free(queue->spans.span);
    queue->spans = (ocl_spans){0};
}

/* ---- the extension ---- */

/* Another command queue in place of one that is empty. */
static int32_t exchange(tn_queue *queue, cl_command_queue_properties properties, tn_msg *msg)
{
    cl_int code;
    const tn_context *context = queue->context;
    cl_command_queue made = clCreateCommandQueue(context->cl, context->device, properties, &code);
    if (code) return ocl_check(msg, code, "clCreateCommandQueue");
    clReleaseCommandQueue(queue->cl);
    queue->cl = made;
    return TN_OK;
}

static int32_t record(tn_queue *queue, uint32_t capacity, tn_msg *msg)
{
    ocl_spans *s = &queue->spans;
    int32_t status = ocl_queue_sync(queue, msg);
    forget(s);
    if (status || capacity == s->room) return status;
    ocl_spans_release(queue);
    status = exchange(queue, capacity ? CL_QUEUE_PROFILING_ENABLE : 0, msg);
    if (status || !capacity) return status;
    s->span = ocl_alloc(capacity * sizeof *s->span);
    if (!s->span) return ocl_fail(msg, TN_ENOMEM, "out of memory for %u spans", capacity);
    s->room = capacity;
    return TN_OK;
}

/* 1 if its last command is done, or failed. */
static int is_over(const ocl_span *span)
{
    cl_event last = span->event[1] ? span->event[1] : span->event[0];
    cl_int state = CL_COMPLETE;
    return !last || clGetEventInfo(last, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL) ||
           state <= CL_COMPLETE;
}

/* 0 if the driver has no times for it. */
static int read_times(const ocl_span *span, tn_span *out)
{
    cl_ulong begin = 0, end = 0;
    cl_event last = span->event[1] ? span->event[1] : span->event[0];
    if (!span->event[0] ||
        clGetEventProfilingInfo(span->event[0], CL_PROFILING_COMMAND_START, sizeof begin, &begin, NULL) ||
        clGetEventProfilingInfo(last, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL))
        return 0;
    *out = (tn_span){begin, end, span->number};
    return 1;
}

static int32_t take(tn_queue *queue, tn_span *span, uint32_t capacity, uint32_t *count, tn_msg *msg)
{
    ocl_spans *s = &queue->spans;
    uint32_t over = 0, n = 0;
    (void)msg;
    for (; over < s->count && n < capacity && is_over(&s->span[over]); over++) {
        n += (uint32_t)read_times(&s->span[over], &span[n]);
        release(&s->span[over]);
    }
    if (over) memmove(s->span, s->span + over, (s->count - over) * sizeof *s->span);
    s->count -= over;
    *count = n;
    return TN_OK;
}

const tn_ext_observe ocl_observe = {sizeof ocl_observe, record, take};
