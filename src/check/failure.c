/* failure.c: what a call leaves behind that fails, in every function that can: a message that fits, and outputs as they
 * were. */
#include <string.h>

#include "sample.h"
#include "tenon/backend_ext.h"

#define POISON 0xdbu

enum { ROOM = 64, LINE = 600 };

/* What the calls work on: a buffer, a queue that is fine and one that has failed. */
typedef struct scene {
    tn_kit *kit;
    tn_buffer *buffer;
    tn_queue *queue, *failed;
} scene;

/* ---- calls that fail, now or when the queue is waited for ---- */

static int32_t no_device(const scene *at, tn_msg *msg)
{
    tn_device_info info = {.size = sizeof info};
    return at->kit->backend->device_info(1u << 20, &info, msg);
}

static int32_t no_context(const scene *at, tn_msg *msg)
{
    tn_context *context = NULL;
    return at->kit->backend->context_create(1u << 20, &context, msg);
}

static int32_t huge_buffer(const scene *at, tn_msg *msg)
{
    tn_buffer *buffer = NULL;
    return at->kit->backend->buffer_create(at->kit->context, (uint64_t)1 << 62, &buffer, msg);
}

static int32_t prepare(const scene *at, const char *name, int32_t dtype, tn_msg *msg)
{
    tn_tensor_desc x = tn_kit_dense(3, 1, 4, 1);
    x.dtype = dtype;
    tn_op_desc desc = {.size = sizeof desc, .name = name, .in = &x, .out = &x, .n_in = 1, .n_out = 1};
    return at->kit->backend->op_prepare(at->kit->context, &desc, NULL, NULL, msg);
}

static int32_t no_operator(const scene *at, tn_msg *msg)
{
    return prepare(at, "no_such_operator", TN_F32, msg);
}

static int32_t no_type(const scene *at, tn_msg *msg)
{
    return prepare(at, "softmax", 99, msg);
}

static int32_t read_beyond(const scene *at, tn_msg *msg)
{
    char byte[4];
    return at->kit->backend->read(at->queue, byte, (tn_ref){at->buffer, 1 << 20}, 4, msg);
}

static int32_t write_beyond(const scene *at, tn_msg *msg)
{
    return at->kit->backend->write(at->queue, (tn_ref){at->buffer, 1 << 20}, "abc", 4, msg);
}

static int32_t copy_beyond(const scene *at, tn_msg *msg)
{
    return at->kit->backend->copy(at->queue, (tn_ref){at->buffer, 1 << 20}, (tn_ref){at->buffer, 0}, 4, msg);
}

static int32_t fill_beyond(const scene *at, tn_msg *msg)
{
    return at->kit->backend->fill(at->queue, (tn_ref){at->buffer, 1 << 20}, 4, "abc", 4, msg);
}

static int32_t run_beyond(const scene *at, tn_msg *msg)
{
    tn_kernel_info info;
    tn_kernel *kernel = tn_kit_twice(at->kit, 512, &info);
    const tn_ref from = {at->buffer, 0}, to = {at->buffer, 4000};
    const tn_run run = {sizeof run, &from, &to, {at->buffer, 2048}, NULL, 0};
    int32_t s = kernel ? at->kit->backend->op_run(at->queue, kernel, &run, msg) : TN_OK;
    at->kit->backend->op_release(kernel);
    return s;
}

static int32_t sync_failed(const scene *at, tn_msg *msg)
{
    return at->kit->backend->queue_sync(at->failed, msg);
}

static int32_t flush_failed(const scene *at, tn_msg *msg)
{
    return at->kit->backend->queue_flush(at->failed, msg);
}

static int32_t write_failed(const scene *at, tn_msg *msg)
{
    return at->kit->backend->write(at->failed, (tn_ref){at->buffer, 0}, "abc", 4, msg);
}

static const struct call {
    const char *what;
    int32_t (*make)(const scene *at, tn_msg *msg);
    int must_fail; /* at once: the others may succeed, and fail the queue later */
} calls[] = {
    {"device_info of a device that is not there", no_device, 1},
    {"context_create for a device that is not there", no_context, 1},
    {"buffer_create of 2^62 bytes", huge_buffer, 1},
    {"op_prepare of an unknown operator", no_operator, 1},
    {"op_prepare of an unknown type", no_type, 1},
    {"read beyond a buffer", read_beyond, 0},
    {"op_run beyond a buffer", run_beyond, 0},
    {"write beyond a buffer", write_beyond, 0},
    {"copy beyond a buffer", copy_beyond, 0},
    {"fill beyond a buffer", fill_beyond, 0},
    {"queue_sync of a failed queue", sync_failed, 1},
    {"queue_flush of a failed queue", flush_failed, 0},
    {"write to a failed queue", write_failed, 0},
};

/* ---- messages ---- */

/* A queue of its own for each call: what fails, sticks. */
static int32_t call_in_new_queue(scene *at, const struct call *c, tn_msg *msg)
{
    const tn_backend *b = at->kit->backend;
    tn_queue *queue = NULL;
    if (!tn_kit_ok(at->kit, b->queue_create(at->kit->context, &queue, &at->kit->msg), "queue_create")) return TN_OK;
    at->queue = queue;
    int32_t status = c->make(at, msg);
    (void)b->queue_sync(queue, NULL);
    b->queue_destroy(queue);
    return status;
}

/* Of `room` bytes none beyond is written, and what is written is closed. */
static int check_message(scene *at, const struct call *c, uint64_t room)
{
    unsigned char text[2 * ROOM];
    memset(text, POISON, sizeof text);
    tn_msg msg = {(char *)text, room};
    uint64_t written = 0;
    int32_t status = call_in_new_queue(at, c, &msg);
    for (uint64_t i = 0; i < sizeof text; i++)
        if (text[i] != POISON) written = i + 1;
    return tn_kit_expect(at->kit, status || !c->must_fail, "%s succeeds", c->what) &&
           tn_kit_expect(at->kit, written <= room, "%s: a message of %llu bytes is written beyond", c->what,
                         (unsigned long long)room) &&
           tn_kit_expect(at->kit, !written || memchr(text, 0, room), "%s: a message of %llu bytes is not closed",
                         c->what, (unsigned long long)room);
}

/* With room for all of it: one line, from the call and from queue_sync after it. */
static int check_line(scene *at, const struct call *c, const char *who, const char *text)
{
    return tn_kit_expect(at->kit, !strchr(text, '\n'), "%s: the line of %s has a newline in it: '%s'", c->what, who,
                         text);
}

static void check_lines(scene *at, const struct call *c)
{
    const tn_backend *b = at->kit->backend;
    char called[LINE] = "", synced[LINE] = "";
    tn_queue *queue = NULL;
    if (!tn_kit_ok(at->kit, b->queue_create(at->kit->context, &queue, &at->kit->msg), "queue_create")) return;
    at->queue = queue;
    (void)c->make(at, &(tn_msg){called, sizeof called});
    if (b->queue_sync(queue, &(tn_msg){synced, sizeof synced}))
        tn_kit_expect(at->kit, *synced, "%s: queue_sync fails without a line", c->what);
    if (check_line(at, c, "the call", called)) check_line(at, c, "queue_sync", synced);
    b->queue_destroy(queue);
}

static int make_scene(tn_kit *kit, scene *at)
{
    char byte[4];
    *at = (scene){.kit = kit};
    if (!tn_kit_open(kit)) return 0;
    const tn_backend *b = kit->backend;
    int32_t s = b->buffer_create(kit->context, 4096, &at->buffer, &kit->msg);
    if (!s) s = b->queue_create(kit->context, &at->failed, &kit->msg);
    if (!tn_kit_ok(kit, s, "a buffer and a queue")) return 0;
    (void)b->read(at->failed, byte, (tn_ref){at->buffer, 1 << 20}, 4, NULL);
    return tn_kit_expect(kit, b->queue_sync(at->failed, NULL) != TN_OK,
                         "queue_sync answers TN_OK after a read beyond a buffer");
}

static void close_scene(const scene *at)
{
    at->kit->backend->queue_destroy(at->failed), at->kit->backend->buffer_destroy(at->buffer);
    tn_kit_close(at->kit);
}

static void every_message(tn_kit *kit)
{
    scene at;
    if (!make_scene(kit, &at)) return;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        check_lines(&at, &calls[i]);
        (void)call_in_new_queue(&at, &calls[i], NULL);
        (void)call_in_new_queue(&at, &calls[i], &(tn_msg){NULL, 0});
        for (uint64_t room = 0; room <= ROOM; room++)
            if (!check_message(&at, &calls[i], room)) break;
    }
    close_scene(&at);
}

/* ---- outputs ---- */

#define MARK ((void *)(uintptr_t)8)

/* A struct of `bytes` bytes whose first word was its size, and whose others were poison. */
static int is_untouched(const void *object, uint64_t bytes)
{
    const unsigned char *c = object;
    for (uint64_t i = sizeof(uint64_t); i < bytes; i++)
        if (c[i] != (unsigned char)POISON) return 0;
    return *(const uint64_t *)object == bytes;
}

/* After a failed op_prepare: neither the kernel nor the info is written. Returns its status. */
static int32_t prepare_marked(tn_kit *kit, const tn_op_desc *desc, const char *why)
{
    tn_kernel *kernel = MARK;
    tn_kernel_info info;
    memset(&info, POISON, sizeof info);
    info.size = sizeof info;
    int32_t status = kit->backend->op_prepare(kit->context, desc, &kernel, &info, &kit->msg);
    if (!status) {
        kit->backend->op_release(kernel);
        return status;
    }
    tn_kit_expect(kit, kernel == MARK, "op_prepare, which fails %s, writes its kernel", why);
    tn_kit_expect(kit, is_untouched(&info, sizeof info), "op_prepare, which fails %s, writes its info", why);
    return status;
}

static void declined(tn_kit *kit)
{
    tn_kit_sample s;
    for (int i = 0; i < TN_KIT_SAMPLES; i++) {
        if (!tn_kit_sample_make(kit, i, &s)) return;
        const char *name = s.operation.desc.name;
        s.operation.desc.name = "no_such_operator";
        prepare_marked(kit, s.job.desc, "for an unknown operator");
        s.operation.desc.name = name, s.operation.in[0].dtype = 99;
        prepare_marked(kit, s.job.desc, "for an unknown type");
        s.operation.in[0].dtype = TN_F32, s.operation.out[0].dim[0]++;
        prepare_marked(kit, s.job.desc, "for a shape that does not fit");
        tn_kit_sample_free(&s);
    }
}

/* Each allocation of the host's fails in turn. */
static void prepare_without_memory(tn_kit *kit)
{
    tn_kit_sample s;
    int32_t status = TN_ENOMEM;
    if (!tn_kit_sample_make(kit, 0, &s)) return;
    for (int64_t n = 0; status && n < 100; n++) {
        tn_kit_fail_at = n, tn_kit_asked = 0;
        status = prepare_marked(kit, s.job.desc, "for lack of memory");
        tn_kit_fail_at = -1;
        if (tn_kit_asked <= n) break; /* it failed for another reason */
    }
    tn_kit_sample_free(&s);
}

static void create_without_memory(tn_kit *kit)
{
    const tn_backend *b = kit->backend;
    tn_context *context = MARK;
    tn_queue *queue = MARK;
    tn_buffer *buffer = MARK;
    tn_event *event = MARK;
    tn_kit_fail_at = 0;
    int32_t s[] = {b->context_create(kit->target->index, &context, NULL), b->queue_create(kit->context, &queue, NULL),
                   b->buffer_create(kit->context, 64, &buffer, NULL), b->event_create(kit->context, &event, NULL)};
    tn_kit_fail_at = -1;
    tn_kit_expect(kit, !s[0] || context == MARK, "context_create, which fails for lack of memory, writes its result");
    tn_kit_expect(kit, !s[1] || queue == MARK, "queue_create, which fails for lack of memory, writes its result");
    tn_kit_expect(kit, !s[2] || buffer == MARK, "buffer_create, which fails for lack of memory, writes its result");
    tn_kit_expect(kit, !s[3] || event == MARK, "event_create, which fails for lack of memory, writes its result");
    if (!s[3]) b->event_destroy(event);
    if (!s[2]) b->buffer_destroy(buffer);
    if (!s[1]) b->queue_destroy(queue);
    if (!s[0]) b->context_destroy(context);
}

static void no_such_device(tn_kit *kit)
{
    const tn_backend *b = kit->backend;
    const tn_ext_memory *memory = tn_kit_extension(kit, TN_EXT_MEMORY);
    tn_device_info info;
    tn_memory_budget budget;
    memset(&info, POISON, sizeof info), memset(&budget, POISON, sizeof budget);
    info.size = sizeof info, budget.size = sizeof budget;
    int32_t s = b->device_info(1u << 20, &info, &kit->msg);
    tn_kit_expect(kit, s && is_untouched(&info, sizeof info), "device_info of no device succeeds or writes its result");
    s = memory ? memory->budget(1u << 20, &budget, &kit->msg) : TN_EMISSING;
    tn_kit_expect(kit, s && is_untouched(&budget, sizeof budget), "budget of no device succeeds or writes its result");
}

static void outputs(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    declined(kit);
    prepare_without_memory(kit);
    create_without_memory(kit);
    no_such_device(kit);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_failure[] = {
    {"abi", "every-message", "messages of any size, of every call that can fail", every_message},
    {"abi", "outputs", "a call that fails leaves its outputs as they were", outputs},
    {0},
};
