/* queue.c: in-order queues, transfers and events. A queue has one user at a time; nothing but sync waits. Once a
 * failure is told, the memory that transfers came from and went to is its owner's again. */
#include "opencl.h"
#include "tenon/backend_float.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- calls in which some drivers compute in this thread ---------------------------------------------------------- */

cl_int ocl_finish(cl_command_queue queue)
{
    const tn_float_mode mode = tn_float_begin();
    const cl_int code = clFinish(queue);
    tn_float_end(mode);
    return code;
}

static cl_int flush(cl_command_queue queue)
{
    const tn_float_mode mode = tn_float_begin();
    const cl_int code = clFlush(queue);
    tn_float_end(mode);
    return code;
}

static cl_int wait_for(cl_event event)
{
    const tn_float_mode mode = tn_float_begin();
    const cl_int code = clWaitForEvents(1, &event);
    tn_float_end(mode);
    return code;
}

static cl_int end_step(tn_queue *queue)
{
    const tn_float_mode mode = tn_float_begin();
    const cl_int code = ocl_step_end(queue, NULL);
    tn_float_end(mode);
    return code;
}

/* ---- queues ------------------------------------------------------------------------------------------------------ */

/* Waits until it is over, whatever the driver answers; one that has forgotten it won't touch what it was about. */
static void see_over(cl_event event)
{
    cl_int state = CL_COMPLETE;
    while (wait_for(event)) {
        cl_int code = clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
        if (code || state <= CL_COMPLETE) break;
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
}

/* The last transfer; those before it are over when it is. */
static void forget_transfer(tn_queue *queue)
{
    if (queue->transfer) clReleaseEvent(queue->transfer);
    queue->transfer = NULL;
}

static void see_transfers_over(tn_queue *queue)
{
    if (queue->transfer) see_over(queue->transfer);
    forget_transfer(queue);
}

int32_t ocl_queue_error(tn_queue *queue, tn_msg *msg)
{
    return queue->status ? ocl_fail(msg, queue->status, "%s", queue->text) : TN_OK;
}

tn_msg ocl_queue_msg(tn_queue *queue)
{
    return (tn_msg){queue->text, sizeof queue->text};
}

int32_t ocl_queue_stick(tn_queue *queue, int32_t status, tn_msg *msg)
{
    if (!queue->status && status) {
        queue->status = status;
        see_transfers_over(queue);
    }
    return ocl_queue_error(queue, msg);
}

int32_t ocl_queue_check(tn_queue *queue, cl_int code, const char *call, tn_msg *msg)
{
    if (code == CL_SUCCESS) return TN_OK;
    tn_msg own = ocl_queue_msg(queue);
    return queue->status ? ocl_queue_error(queue, msg) : ocl_queue_stick(queue, ocl_check(&own, code, call), msg);
}

int32_t ocl_queue_create(tn_context *context, tn_queue **queue, tn_msg *msg)
{
    cl_int code;
    tn_queue *made = ocl_alloc(sizeof *made);
    if (!made) return ocl_fail(msg, TN_ENOMEM, "out of memory for a queue");
    made->context = context;
    made->cl = clCreateCommandQueue(context->cl, context->device, 0, &code);
    int32_t s = ocl_check(msg, code, "clCreateCommandQueue");
    if (!s && context->steps && !(made->step = ocl_step_new()))
        s = ocl_fail(msg, TN_ENOMEM, "out of memory for a queue");
    if (s) {
        ocl_queue_destroy(made);
        return s;
    }
    *queue = made;
    return TN_OK;
}

void ocl_queue_destroy(tn_queue *queue)
{
    if (!queue) return;
    cl_int handed = CL_SUCCESS, finished = CL_SUCCESS;
    if (queue->cl) handed = end_step(queue);
    if (queue->cl) finished = ocl_finish(queue->cl);
    if (handed || finished) see_transfers_over(queue);
    forget_transfer(queue);
    ocl_spans_release(queue);
    ocl_step_release(queue->step);
    if (queue->cl) clReleaseCommandQueue(queue->cl);
    ocl_free(queue);
}

/* Whatever comes next is behind the launches that wait. */
static int32_t hand_over(tn_queue *queue, tn_msg *msg)
{
    const cl_int code = end_step(queue);
    return ocl_queue_check(queue, code, queue->call, msg);
}

int32_t ocl_queue_flush(tn_queue *queue, tn_msg *msg)
{
    hand_over(queue, msg);
    ocl_queue_check(queue, flush(queue->cl), "clFlush", msg);
    return ocl_queue_error(queue, msg);
}

int32_t ocl_queue_sync(tn_queue *queue, tn_msg *msg)
{
    queue->stats.host_waits++;
    hand_over(queue, msg);
    ocl_queue_check(queue, ocl_finish(queue->cl), "clFinish", msg);
    forget_transfer(queue);
    return ocl_queue_error(queue, msg);
}

int32_t ocl_queue_stats(tn_queue *queue, tn_queue_stats *stats, tn_msg *msg)
{
    (void)msg;
    tn_answer(stats, &queue->stats, sizeof queue->stats);
    return TN_OK;
}

/* Is the range inside the buffer? If not, that sticks. */
static int32_t check_range(tn_queue *queue, const tn_ref *ref, uint64_t bytes, const char *what, tn_msg *msg)
{
    tn_msg own = ocl_queue_msg(queue);
    hand_over(queue, msg);
    return ocl_queue_stick(queue, queue->status ? TN_OK : ocl_range(ref, bytes, what, &own), msg);
}

/* ---- transfers --------------------------------------------------------------------------------------------------- */

/* What was enqueued, or an error. */
static int32_t keep_transfer(tn_queue *queue, cl_int code, cl_event transfer, const char *call, tn_msg *msg)
{
    if (code) return ocl_queue_check(queue, code, call, msg);
    forget_transfer(queue);
    queue->transfer = transfer;
    return TN_OK;
}

int32_t ocl_write(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg)
{
    int32_t s = check_range(queue, &to, bytes, "write", msg);
    if (s || !bytes) return s;
    cl_event event = NULL;
    cl_int code = clEnqueueWriteBuffer(queue->cl, to.buffer->mem, CL_FALSE, to.offset, bytes, from, 0, NULL, &event);
    if (!code) queue->stats.bytes_write += bytes;
    return keep_transfer(queue, code, event, "clEnqueueWriteBuffer", msg);
}

int32_t ocl_read(tn_queue *queue, void *to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    int32_t s = check_range(queue, &from, bytes, "read", msg);
    if (s || !bytes) return s;
    cl_event event = NULL;
    cl_int code = clEnqueueReadBuffer(queue->cl, from.buffer->mem, CL_FALSE, from.offset, bytes, to, 0, NULL, &event);
    if (!code) queue->stats.bytes_read += bytes;
    return keep_transfer(queue, code, event, "clEnqueueReadBuffer", msg);
}

int32_t ocl_copy(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    int32_t s = check_range(queue, &to, bytes, "copy", msg);
    if (!s) s = check_range(queue, &from, bytes, "copy", msg);
    if (s || !bytes) return s;
    cl_int code =
        clEnqueueCopyBuffer(queue->cl, from.buffer->mem, to.buffer->mem, from.offset, to.offset, bytes, 0, NULL, NULL);
    return ocl_queue_check(queue, code, "clEnqueueCopyBuffer", msg);
}

int32_t ocl_fill(tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t pattern_bytes, tn_msg *msg)
{
    uint64_t p = pattern_bytes;
    tn_msg own = ocl_queue_msg(queue);
    int32_t s = check_range(queue, &to, bytes, "fill", msg);
    if (!s && ((p != 1 && p != 2 && p != 4 && p != 8) || to.offset % p || bytes % p))
        s = ocl_queue_stick(queue,
                            ocl_fail(&own, TN_EINVAL, "fill: %llu bytes at %llu with a pattern of %llu",
                                     (unsigned long long)bytes, (unsigned long long)to.offset, (unsigned long long)p),
                            msg);
    if (s || !bytes) return s;
    cl_int code = clEnqueueFillBuffer(queue->cl, to.buffer->mem, pattern, p, to.offset, bytes, 0, NULL, NULL);
    return ocl_queue_check(queue, code, "clEnqueueFillBuffer", msg);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* `cl` is the marker recorded last, NULL before. Several queues may use an event, hence the lock. */
struct tn_event {
    pthread_mutex_t lock;
    cl_event cl;
};

int32_t ocl_event_create(tn_context *context, tn_event **event, tn_msg *msg)
{
    (void)context;
    tn_event *made = ocl_alloc(sizeof *made);
    if (!made) return ocl_fail(msg, TN_ENOMEM, "out of memory for an event");
    pthread_mutex_init(&made->lock, NULL);
    *event = made;
    return TN_OK;
}

void ocl_event_destroy(tn_event *event)
{
    if (!event) return;
    if (event->cl) clReleaseEvent(event->cl);
    pthread_mutex_destroy(&event->lock);
    ocl_free(event);
}

/* A reference to what was recorded last; NULL if nothing was, or on failure. */
static cl_int event_take(tn_event *event, cl_event *cl)
{
    pthread_mutex_lock(&event->lock);
    cl_int code = event->cl ? clRetainEvent(event->cl) : CL_SUCCESS;
    *cl = code ? NULL : event->cl;
    pthread_mutex_unlock(&event->lock);
    return code;
}

/* Flushes, so that whoever waits for the event does not wait for ever. A queue that failed records as well: its earlier
 * work may be under way. */
int32_t ocl_event_record(tn_queue *queue, tn_event *event, tn_msg *msg)
{
    cl_event marker = NULL;
    hand_over(queue, msg);
    int32_t s =
        ocl_queue_check(queue, clEnqueueMarkerWithWaitList(queue->cl, 0, NULL, &marker), "clEnqueueMarker", msg);
    if (s) return s;
    pthread_mutex_lock(&event->lock);
    cl_event before = event->cl;
    event->cl = marker;
    pthread_mutex_unlock(&event->lock);
    if (before) clReleaseEvent(before);
    s = ocl_queue_check(queue, flush(queue->cl), "clFlush", msg);
    return s ? s : ocl_queue_error(queue, msg);
}

int32_t ocl_event_wait(tn_queue *queue, tn_event *event, tn_msg *msg)
{
    cl_event cl = NULL;
    int32_t s = hand_over(queue, msg);
    if (!s) s = ocl_queue_check(queue, event_take(event, &cl), "clRetainEvent", msg);
    if (!cl) return s;
    s = ocl_queue_check(queue, clEnqueueBarrierWithWaitList(queue->cl, 1, &cl, NULL), "clEnqueueBarrier", msg);
    clReleaseEvent(cl);
    return s;
}

int32_t ocl_event_sync(tn_event *event, tn_msg *msg)
{
    cl_event cl = NULL;
    int32_t s = ocl_check(msg, event_take(event, &cl), "clRetainEvent");
    if (!cl) return s;
    s = ocl_check(msg, wait_for(cl), "clWaitForEvents");
    if (s) see_over(cl);
    clReleaseEvent(cl);
    return s;
}
