/* forked.c: see forked.h. */
#include "forked.h"

#include <stddef.h>
#include <stdio.h>

static int32_t refuse(tn_msg *msg)
{
    if (msg && msg->text && msg->capacity)
        snprintf(
            msg->text, (size_t)msg->capacity,
            "it was in use when this process was forked, and its threads did not come along: use it before the fork "
            "or after it, not both");
    return TN_ESTATE;
}

#pragma GCC diagnostic ignored "-Wunused-parameter"

/* One function for each type in the table, up to its last but one member; there are no extensions. What is made or read
 * is left alone. */
_Static_assert(sizeof(tn_backend) == offsetof(tn_backend, get_ext) + sizeof(void *), "the table grew: refuse it here");
#define REFUSE(name, ...)                                                                                              \
    static int32_t name(__VA_ARGS__, tn_msg *msg)                                                                      \
    {                                                                                                                  \
        return refuse(msg);                                                                                            \
    }

REFUSE(init, const tn_host *host)
REFUSE(device_count, uint32_t *count)
REFUSE(device_info, uint32_t device, tn_device_info *info)
REFUSE(context_create, uint32_t device, tn_context **context)
REFUSE(buffer_create, tn_context *context, uint64_t bytes, tn_buffer **buffer)
REFUSE(queue_create, tn_context *context, tn_queue **queue)
REFUSE(queue_work, tn_queue *queue)
REFUSE(queue_stats, tn_queue *queue, tn_queue_stats *stats)
REFUSE(write, tn_queue *queue, tn_ref to, const void *from, uint64_t bytes)
REFUSE(read, tn_queue *queue, void *to, tn_ref from, uint64_t bytes)
REFUSE(copy, tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes)
REFUSE(fill, tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t pattern_bytes)
REFUSE(event_create, tn_context *context, tn_event **event)
REFUSE(event_queue, tn_queue *queue, tn_event *event)
REFUSE(event_sync, tn_event *event)
REFUSE(op_prepare, tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info)
REFUSE(op_run, tn_queue *queue, tn_kernel *kernel, const tn_run *run)

#define LEAVE(name, arg)                                                                                               \
    static void name(arg)                                                                                              \
    {                                                                                                                  \
    }

LEAVE(deinit, void)
LEAVE(context_leave, tn_context *context)
LEAVE(buffer_leave, tn_buffer *buffer)
LEAVE(queue_leave, tn_queue *queue)
LEAVE(event_leave, tn_event *event)
LEAVE(kernel_leave, tn_kernel *kernel)

tn_backend tn_forked_table(const tn_backend *backend)
{
    return (tn_backend){.size = sizeof(tn_backend),
                        .abi_major = backend->abi_major,
                        .abi_minor = backend->abi_minor,
                        .id = backend->id,
                        .version = backend->version,
                        .doc = backend->doc,
                        .init = init,
                        .deinit = deinit,
                        .device_count = device_count,
                        .device_info = device_info,
                        .context_create = context_create,
                        .context_destroy = context_leave,
                        .buffer_create = buffer_create,
                        .buffer_destroy = buffer_leave,
                        .queue_create = queue_create,
                        .queue_destroy = queue_leave,
                        .queue_flush = queue_work,
                        .queue_sync = queue_work,
                        .queue_stats = queue_stats,
                        .write = write,
                        .read = read,
                        .copy = copy,
                        .fill = fill,
                        .event_create = event_create,
                        .event_destroy = event_leave,
                        .event_record = event_queue,
                        .event_wait = event_queue,
                        .event_sync = event_sync,
                        .op_prepare = op_prepare,
                        .op_release = kernel_leave,
                        .op_run = op_run};
}
