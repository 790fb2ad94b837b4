/* reference.c: the table of the reference backend: one device, host memory, queues whose work is done at once. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reference_internal.h"
#include "tenon/backend_ext.h"
#include "tenon/backend_float.h"

/* There is nothing to know about the one device; contexts and events are but distinct addresses. */
struct tn_context {
    int unused;
};
struct tn_event {
    int unused;
};

int32_t tn_reference_answer(tn_status status, tn_msg *msg)
{
    if (status && msg && msg->text && msg->capacity) snprintf(msg->text, (size_t)msg->capacity, "%s", tn_message());
    return status;
}

unsigned char *tn_reference_range(tn_ref ref, uint64_t bytes)
{
    if (!ref.buffer || ref.offset > ref.buffer->bytes || bytes > ref.buffer->bytes - ref.offset) {
        (void)tn_fail(TN_EINVAL, "%llu bytes at %llu of a buffer of %llu", (unsigned long long)bytes,
                      (unsigned long long)ref.offset, ref.buffer ? (unsigned long long)ref.buffer->bytes : 0ULL);
        return NULL;
    }
    return ref.buffer->data + ref.offset;
}

/* ---- devices ---- */

static int in_use; /* there is nothing to keep of the host but that it is there */

static int32_t init(const tn_host *host, tn_msg *msg)
{
    (void)host;
    if (in_use)
        return tn_reference_answer(tn_fail(TN_ESTATE, "in use by another copy of the library in this process"), msg);
    in_use = 1;
    return TN_OK;
}

static void deinit(void)
{
    in_use = 0;
}

static int32_t device_count(uint32_t *count, tn_msg *msg)
{
    (void)msg;
    *count = 1;
    return TN_OK;
}

static int32_t device_info(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGE_SIZE);
    tn_device_info full = {.name = "reference (double precision, one thread)",
                           .vendor = "Tenon",
                           .driver = "built in",
                           .id = "reference",
                           .kind = TN_DEVICE_CPU,
                           .units = 1,
                           .memory = memory,
                           .max_buffer = memory,
                           .alignment = TN_REFERENCE_ALIGNMENT,
                           .max_in = TN_MAX_OPERANDS,
                           .max_out = TN_MAX_OPERANDS,
                           .max_instr = TN_MAX_INSTRS,
                           .max_scalar = TN_MAX_SCALARS};
    if (device) return tn_reference_answer(tn_fail(TN_EMISSING, "the reference has no device %u", device), msg);
    tn_answer(info, &full, sizeof full);
    return TN_OK;
}

static int32_t context_create(uint32_t device, tn_context **context, tn_msg *msg)
{
    if (device) return tn_reference_answer(tn_fail(TN_EMISSING, "the reference has no device %u", device), msg);
    tn_context *c = tn_alloc(sizeof *c);
    if (!c) return tn_reference_answer(TN_ENOMEM, msg);
    *context = c;
    return TN_OK;
}

static void context_destroy(tn_context *context)
{
    tn_free(context);
}

/* ---- memory ---- */

static int32_t buffer_create(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    (void)context;
    tn_buffer *b = tn_alloc(sizeof *b);
    if (b) b->data = tn_alloc_aligned(bytes, TN_REFERENCE_ALIGNMENT);
    if (!b || !b->data) {
        tn_free(b);
        return tn_reference_answer(TN_ENOMEM, msg);
    }
    b->bytes = bytes;
    *buffer = b;
    return TN_OK;
}

static void buffer_destroy(tn_buffer *buffer)
{
    if (buffer) tn_free(buffer->data);
    tn_free(buffer);
}

static int32_t native(tn_buffer *buffer, uint32_t *kind, void **handle, tn_msg *msg)
{
    (void)msg;
    *kind = TN_NATIVE_HOST;
    *handle = buffer->data;
    return TN_OK;
}

static const void *get_ext(const char *id)
{
    static const tn_ext_native table = {sizeof table, native};
    return strcmp(id, TN_EXT_NATIVE) ? NULL : &table;
}

/* ---- queues ---- */

static int32_t queue_create(tn_context *context, tn_queue **queue, tn_msg *msg)
{
    (void)context;
    tn_queue *q = tn_alloc(sizeof *q);
    if (!q) return tn_reference_answer(TN_ENOMEM, msg);
    *queue = q;
    return TN_OK;
}

static void queue_destroy(tn_queue *queue)
{
    tn_free(queue);
}

/* The queue's first error, again. */
static tn_status broken(const tn_queue *queue)
{
    return queue->status ? tn_fail(queue->status, "%s", queue->message) : TN_OK;
}

/* The first error sticks. */
static int32_t finish(tn_queue *queue, tn_status status, tn_msg *msg)
{
    if (status && !queue->status) {
        queue->status = status;
        snprintf(queue->message, sizeof queue->message, "%s", tn_message());
    }
    return tn_reference_answer(status, msg);
}

static int32_t queue_flush(tn_queue *queue, tn_msg *msg)
{
    return tn_reference_answer(broken(queue), msg);
}

static int32_t queue_sync(tn_queue *queue, tn_msg *msg)
{
    queue->stats.host_waits++;
    return tn_reference_answer(broken(queue), msg);
}

static int32_t queue_stats(tn_queue *queue, tn_queue_stats *stats, tn_msg *msg)
{
    (void)msg;
    tn_answer(stats, &queue->stats, sizeof queue->stats);
    return TN_OK;
}

/* ---- copies ---- */

static tn_status do_write(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes)
{
    TN_TRY(broken(queue));
    unsigned char *data = tn_reference_range(to, bytes);
    if (!data) return TN_EINVAL;
    if (bytes) memcpy(data, from, bytes);
    queue->stats.bytes_write += bytes;
    return TN_OK;
}

static tn_status do_read(tn_queue *queue, void *to, tn_ref from, uint64_t bytes)
{
    TN_TRY(broken(queue));
    const unsigned char *data = tn_reference_range(from, bytes);
    if (!data) return TN_EINVAL;
    if (bytes) memcpy(to, data, bytes);
    queue->stats.bytes_read += bytes;
    return TN_OK;
}

static tn_status do_copy(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes)
{
    TN_TRY(broken(queue));
    unsigned char *target = tn_reference_range(to, bytes), *source = tn_reference_range(from, bytes);
    if (!target || !source) return TN_EINVAL;
    if (bytes) memmove(target, source, bytes);
    return TN_OK;
}

static tn_status do_fill(tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t pattern_bytes)
{
    TN_TRY(broken(queue));
    int power = pattern_bytes == 1 || pattern_bytes == 2 || pattern_bytes == 4 || pattern_bytes == 8;
    TN_REQUIRE(power && to.offset % pattern_bytes == 0 && bytes % pattern_bytes == 0, TN_EINVAL,
               "fill: %llu bytes at %llu with a pattern of %llu", (unsigned long long)bytes,
               (unsigned long long)to.offset, (unsigned long long)pattern_bytes);
    unsigned char *data = tn_reference_range(to, bytes);
    if (!data) return TN_EINVAL;
    for (uint64_t i = 0; i < bytes; i += pattern_bytes) memcpy(data + i, pattern, pattern_bytes);
    return TN_OK;
}

static int32_t write_bytes(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg)
{
    return finish(queue, do_write(queue, to, from, bytes), msg);
}

static int32_t read_bytes(tn_queue *queue, void *to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    return finish(queue, do_read(queue, to, from, bytes), msg);
}

static int32_t copy_bytes(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    return finish(queue, do_copy(queue, to, from, bytes), msg);
}

static int32_t fill_bytes(tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t pattern_bytes,
                          tn_msg *msg)
{
    return finish(queue, do_fill(queue, to, bytes, pattern, pattern_bytes), msg);
}

/* ---- events: all work is done already ---- */

static int32_t event_create(tn_context *context, tn_event **event, tn_msg *msg)
{
    (void)context;
    tn_event *e = tn_alloc(sizeof *e);
    if (!e) return tn_reference_answer(TN_ENOMEM, msg);
    *event = e;
    return TN_OK;
}

static void event_destroy(tn_event *event)
{
    tn_free(event);
}

static int32_t event_record(tn_queue *queue, tn_event *event, tn_msg *msg)
{
    (void)event;
    return tn_reference_answer(broken(queue), msg);
}

static int32_t event_wait(tn_queue *queue, tn_event *event, tn_msg *msg)
{
    (void)event;
    return tn_reference_answer(broken(queue), msg);
}

static int32_t event_sync(tn_event *event, tn_msg *msg)
{
    (void)event, (void)msg;
    return TN_OK;
}

/* ---- operators ---- */

static int32_t op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    tn_status s = broken(queue);
    const tn_float_mode mode = tn_float_begin();
    if (!s) s = tn_reference_run(kernel, run);
    tn_float_end(mode);
    if (!s) queue->stats.launches++;
    return finish(queue, s, msg);
}

static const tn_backend backend = {
    .size = sizeof backend,
    .abi_major = TN_ABI_MAJOR,
    .abi_minor = TN_ABI_MINOR,
    .id = "reference",
    .version = "1",
    .doc = "every operator by its definition, in double precision: slow and obvious",
    .init = init,
    .deinit = deinit,
    .device_count = device_count,
    .device_info = device_info,
    .context_create = context_create,
    .context_destroy = context_destroy,
    .buffer_create = buffer_create,
    .buffer_destroy = buffer_destroy,
    .queue_create = queue_create,
    .queue_destroy = queue_destroy,
    .queue_flush = queue_flush,
    .queue_sync = queue_sync,
    .queue_stats = queue_stats,
    .write = write_bytes,
    .read = read_bytes,
    .copy = copy_bytes,
    .fill = fill_bytes,
    .event_create = event_create,
    .event_destroy = event_destroy,
    .event_record = event_record,
    .event_wait = event_wait,
    .event_sync = event_sync,
    .op_prepare = tn_reference_prepare,
    .op_release = tn_reference_release,
    .op_run = op_run,
    .get_ext = get_ext,
};

const tn_backend *tn_reference_backend(void)
{
    return &backend;
}
