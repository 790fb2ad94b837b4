/* null.c: the template of a backend. Copy this file to begin your own; docs/backend.md walks through it.
 *
 * It is a whole backend but for the kernels: it lists one device, whose memory is the host's, and has buffers, an
 * in-order queue, events, copies and fills that work. It supports no operator yet, so that every operator falls back
 * to another device. Add a kernel to `operators` below, and that operator runs here.
 *
 * Build it anywhere, with nothing but the headers tenon/backend*.h and the .def files beside them:
 *
 *     cc -shared -fPIC -fvisibility=hidden -I INCLUDE null.c -o null.so
 *
 * Its queue runs each piece of work at once, in the caller's thread. That is allowed (work *may* be asynchronous), and
 * it keeps the template short; the comments say what a device that works on its own has to do instead. */
#include "tenon/backend_check.h" /* backend.h, and the checks of what you are asked for */

/* ---- what everything here is made of --------------------------------------------------------------------------- */

#define ALIGNMENT 64 /* bytes; enough for the widest vectors of today's processors */

/* A device made ready. Yours keeps the driver's handles here. Used from many threads: what changes needs a lock. */
struct tn_context {
    uint32_t device;
};

/* Device memory. Tensors are pieces of few large buffers: (buffer, offset in bytes). */
struct tn_buffer {
    unsigned char *bytes;
    uint64_t size;
};

/* An in-order list of work. It has one user at a time, so it needs no lock. */
struct tn_queue {
    int32_t status; /* the first error; it stays */
    char error[256];
    tn_queue_stats stats;
};

/* A point in a queue. Here all work is done when a call returns, so an event has nothing to remember. */
struct tn_event {
    tn_context *context;
};

static const tn_host *host;

/* Memory from the host: it is counted, aligned, and NULL when there is none. */
static void *allocate(uint64_t bytes, tn_msg *msg)
{
    void *memory = host->allocate(host->self, bytes, ALIGNMENT);
    if (!memory) tn_refuse(msg, TN_ENOMEM, "out of memory for %llu bytes", (unsigned long long)bytes);
    return memory;
}

static void release(void *memory)
{
    if (host) host->release(host->self, memory);
}

/* ---- the backend and its devices -------------------------------------------------------------------------------- */

/* Open the driver here, not in tn_backend_query. Fail with a line that helps: "no driver found; install ...". There is
 * one host at a time: another copy of the library in the process must not take the place of the first. */
static int32_t init(const tn_host *services, tn_msg *msg)
{
    if (host) return tn_refuse(msg, TN_ESTATE, "in use by another copy of the library in this process");
    host = services;
    return TN_OK;
}

static void deinit(void)
{
    host = NULL;
}

static int32_t device_count(uint32_t *count, tn_msg *msg)
{
    (void)msg;
    *count = 1;
    return TN_OK;
}

static int32_t device_info(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    static const tn_device_info mine = {
        .name = "Null device (a template: computes nothing)",
        .vendor = "none",
        .driver = "null 1",
        .id = "null", /* the backend's own id: there is only ever this one */
        .kind = TN_DEVICE_OTHER,
        .units = 1,
        .memory = (uint64_t)1 << 40,
        .max_buffer = (uint64_t)1 << 40,
        .alignment = ALIGNMENT,
    };
    if (device) return tn_refuse(msg, TN_EMISSING, "there is no device %u", device);
    tn_answer(info, &mine, sizeof mine);
    return TN_OK;
}

static int32_t context_create(uint32_t device, tn_context **context, tn_msg *msg)
{
    if (device) return tn_refuse(msg, TN_EMISSING, "there is no device %u", device);
    tn_context *made = allocate(sizeof *made, msg);
    if (!made) return TN_ENOMEM;
    made->device = device;
    *context = made; /* only now: outputs are untouched on failure */
    return TN_OK;
}

static void context_destroy(tn_context *context)
{
    release(context);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static int32_t buffer_create(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    (void)context;
    tn_buffer *made = allocate(sizeof *made, msg);
    unsigned char *memory = made ? allocate(bytes, msg) : NULL;
    if (!memory) {
        release(made);
        return TN_ENOMEM;
    }
    made->bytes = memory;
    made->size = bytes;
    *buffer = made;
    return TN_OK;
}

/* On an asynchronous device: wait until no queue uses it. */
static void buffer_destroy(tn_buffer *buffer)
{
    if (!buffer) return;
    release(buffer->bytes);
    release(buffer);
}

static void *at(tn_ref ref)
{
    return ref.buffer->bytes + ref.offset;
}

/* ---- the queue --------------------------------------------------------------------------------------------------- */

static int32_t queue_create(tn_context *context, tn_queue **queue, tn_msg *msg)
{
    (void)context;
    tn_queue *made = allocate(sizeof *made, msg);
    if (!made) return TN_ENOMEM;
    memset(made, 0, sizeof *made);
    *queue = made;
    return TN_OK;
}

static void queue_destroy(tn_queue *queue)
{
    release(queue);
}

/* A driver that collects work before it sends it does so here. */
static int32_t queue_flush(tn_queue *queue, tn_msg *msg)
{
    return queue->status ? tn_refuse(msg, queue->status, "%s", queue->error) : TN_OK;
}

/* Waits for all work, and returns the first error that any of it had, each time. */
static int32_t queue_sync(tn_queue *queue, tn_msg *msg)
{
    queue->stats.host_waits++;
    return queue_flush(queue, msg);
}

static int32_t queue_stats(tn_queue *queue, tn_queue_stats *stats, tn_msg *msg)
{
    (void)msg;
    tn_answer(stats, &queue->stats, sizeof queue->stats);
    return TN_OK;
}

/* Whether the next piece of work may begin: nothing went wrong before, and the place lies in its buffer. An error
 * sticks to the queue: what is enqueued later is dropped. */
static int32_t ready(tn_queue *queue, tn_ref place, uint64_t bytes, tn_msg *msg)
{
    tn_msg own = {queue->error, sizeof queue->error};
    if (!queue->status && (place.offset > place.buffer->size || bytes > place.buffer->size - place.offset))
        queue->status = tn_refuse(&own, TN_EINVAL, "bytes %llu to %llu lie outside of a buffer of %llu",
                                  (unsigned long long)place.offset, (unsigned long long)(place.offset + bytes),
                                  (unsigned long long)place.buffer->size);
    return queue_flush(queue, msg);
}

static int32_t write_bytes(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg)
{
    int32_t status = ready(queue, to, bytes, msg);
    if (status) return status;
    if (bytes) memcpy(at(to), from, (size_t)bytes);
    queue->stats.bytes_write += bytes;
    return TN_OK;
}

static int32_t read_bytes(tn_queue *queue, void *to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    int32_t status = ready(queue, from, bytes, msg);
    if (status) return status;
    if (bytes) memcpy(to, at(from), (size_t)bytes);
    queue->stats.bytes_read += bytes;
    return TN_OK;
}

static int32_t copy_bytes(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    int32_t status = ready(queue, to, bytes, msg);
    if (!status) status = ready(queue, from, bytes, msg);
    if (status) return status;
    if (bytes) memcpy(at(to), at(from), (size_t)bytes);
    return TN_OK;
}

static int32_t fill_bytes(tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t pattern_bytes,
                          tn_msg *msg)
{
    const uint64_t n = pattern_bytes;
    const int fits = (n == 1 || n == 2 || n == 4 || n == 8) && !(to.offset % n) && !(bytes % n);
    tn_msg own = {queue->error, sizeof queue->error};
    if (!queue->status && !fits)
        queue->status = tn_refuse(&own, TN_EINVAL, "fill: %llu bytes at %llu with a pattern of %llu",
                                  (unsigned long long)bytes, (unsigned long long)to.offset, (unsigned long long)n);
    int32_t status = ready(queue, to, bytes, msg);
    if (status) return status;
    for (uint64_t i = 0; i < bytes; i++)
        ((unsigned char *)at(to))[i] = ((const unsigned char *)pattern)[i % pattern_bytes];
    return TN_OK;
}

/* ---- events: two queues waiting for each other, without the host ------------------------------------------------- */

static int32_t event_create(tn_context *context, tn_event **event, tn_msg *msg)
{
    tn_event *made = allocate(sizeof *made, msg);
    if (!made) return TN_ENOMEM;
    made->context = context;
    *event = made;
    return TN_OK;
}

static void event_destroy(tn_event *event)
{
    release(event);
}

/* All work before this point was done when it was enqueued, so that recording and waiting only pass errors on. */
static int32_t event_record_or_wait(tn_queue *queue, tn_event *event, tn_msg *msg)
{
    (void)event;
    return queue_flush(queue, msg);
}

static int32_t event_sync(tn_event *event, tn_msg *msg)
{
    (void)event;
    (void)msg;
    return TN_OK;
}

/* ---- your operators ------------------------------------------------------------------------------------------ *
 * `prepare` is given a description that is right, for tn_check_op has passed it, and the facts that the check found:
 * the sizes, the program of a map or an epilogue, the element type. If it can do exactly that, it returns TN_OK and the
 * function that does it; if not, TN_EUNSUPPORTED and a line that says what it met (tn_refuse). Whatever it will need
 * later it copies into the kernel (add fields to it): desc and all that it points to are gone after the call. */

struct tn_kernel {
    void (*run)(const tn_kernel *kernel, const tn_run *run);
    tn_tensor_desc in[TN_MAX_OPERANDS], out[TN_MAX_OPERANDS];
    uint32_t n_in, n_out, n_scalar; /* each run must bring so many scalars; a window's row sets its own */
};

typedef struct operator_row {
    const char *name;
    int32_t (*prepare)(tn_kernel *kernel, const tn_op_desc *desc, const tn_op_facts *facts, tn_msg *msg);
    int in_place; /* an output may be written over an input, as desc->alias asks; element-wise work can */
} operator_row;

static const operator_row operators[] = {
    /* {"matmul", prepare_matmul, 0}, */
    {0},
};

/* Only asked (kernel is NULL), or to be made: the same code answers both, so that the answers cannot differ. */
static int32_t prepare_row(const operator_row *row, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                           tn_msg *msg)
{
    tn_kernel draft = {0}, *made = NULL;
    tn_op_facts facts;
    const tn_kernel_info answer = {.scratch = 0, .launches = 1};
    int32_t status = tn_check_op(desc, &facts, msg);
    if (!status && !row->in_place) status = tn_check_not_in_place(desc, msg);
    if (status) return status;
    draft.n_in = desc->n_in, draft.n_out = desc->n_out;
    draft.n_scalar = facts.mapping.map ? facts.mapping.map->n_scalar : 0;
    for (uint32_t i = 0; i < desc->n_in; i++) draft.in[i] = desc->in[i];
    for (uint32_t i = 0; i < desc->n_out; i++) draft.out[i] = desc->out[i];
    status = row->prepare(&draft, desc, &facts, msg);
    if (!status && kernel && !(made = allocate(sizeof *made, msg))) status = TN_ENOMEM;
    if (status) return status;
    if (kernel) {
        *made = draft;
        *kernel = made;
    }
    if (info) tn_answer(info, &answer, sizeof answer);
    return TN_OK;
}

static int32_t op_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                          tn_msg *msg)
{
    (void)context;
    for (const operator_row *row = operators; row->name; row++)
        if (!strcmp(row->name, desc->name)) return prepare_row(row, desc, kernel, info, msg);
    return tn_refuse(msg, TN_EUNSUPPORTED, "%s is not supported", desc->name);
}

static void op_release(tn_kernel *kernel)
{
    release(kernel);
}

/* Enqueues one run: no allocation, no waiting. */
static int32_t op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    tn_msg own = {queue->error, sizeof queue->error};
    if (!queue->status && run->n_scalar < kernel->n_scalar)
        queue->status =
            tn_refuse(&own, TN_EINVAL, "%llu scalars of %u", (unsigned long long)run->n_scalar, kernel->n_scalar);
    int32_t status = queue_flush(queue, msg);
    for (uint32_t i = 0; i < kernel->n_in && !status; i++)
        status = ready(queue, run->in[i], tn_desc_extent(&kernel->in[i]), msg);
    for (uint32_t i = 0; i < kernel->n_out && !status; i++)
        status = ready(queue, run->out[i], tn_desc_extent(&kernel->out[i]), msg);
    if (status) return status;
    kernel->run(kernel, run);
    queue->stats.launches++;
    return TN_OK;
}

/* ---- the one exported symbol ------------------------------------------------------------------------------------- */

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    static const tn_backend backend = {
        .size = sizeof backend,
        .abi_major = TN_ABI_MAJOR,
        .abi_minor = TN_ABI_MINOR,
        .id = "null",
        .version = "1",
        .doc = "a template to copy: memory, queues and events, and no operator",
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
        .event_record = event_record_or_wait,
        .event_wait = event_record_or_wait,
        .event_sync = event_sync,
        .op_prepare = op_prepare,
        .op_release = op_release,
        .op_run = op_run,
    };
    (void)host_minor; /* any minor version will do: structs only grow */
    return host_major == TN_ABI_MAJOR ? &backend : NULL;
}
