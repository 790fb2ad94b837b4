/* object.c: makes a backend's objects, and believes no answer: TN_OK without an object, or with a number that cannot
 * be, is a failure that names the device. */
#include "device_internal.h"

#include <stdio.h>

#include "error.h"
#include "tenon/backend_ext.h"
#include "text.h"

uint64_t tn_device_bank(const tn_device *device, uint64_t alignment)
{
    uint64_t most = device->info.max_buffer ? device->info.max_buffer : UINT64_MAX / 2;
    return most < alignment ? alignment : most / alignment * alignment;
}

/* What was asked for is there, too. */
static tn_status made(const tn_device *device, int32_t code, const void *object, const char *what, const tn_msg *msg)
{
    TN_TRY(tn_device_status(device, code, msg));
    TN_REQUIRE(object, TN_EDEVICE, "%s: its backend answers that it made a %s, and gives none", device->name, what);
    return TN_OK;
}

tn_status tn_buffer_make(const tn_device *device, uint64_t bytes, tn_buffer **buffer)
{
    TN_MESSAGE(msg);
    tn_buffer *object = NULL;
    TN_REQUIRE(!device->info.max_buffer || bytes <= device->info.max_buffer, TN_ENOMEM,
               "%s: no buffer of %llu bytes: its largest has %llu", device->name, (unsigned long long)bytes,
               (unsigned long long)device->info.max_buffer);
    int32_t code = device->backend->buffer_create(device->context, bytes, &object, &msg);
    TN_TRY(made(device, code, object, "buffer", &msg));
    *buffer = object;
    return TN_OK;
}

tn_status tn_queue_make(const tn_device *device, tn_queue **queue)
{
    TN_MESSAGE(msg);
    tn_queue *object = NULL;
    int32_t code = device->backend->queue_create(device->context, &object, &msg);
    TN_TRY(made(device, code, object, "queue", &msg));
    *queue = object;
    return TN_OK;
}

tn_status tn_kernel_ask(const tn_device *device, const tn_op_desc *desc, int *supported, char *why, size_t room)
{
    TN_MESSAGE(msg);
    int32_t code = device->backend->op_prepare(device->context, desc, NULL, NULL, &msg);
    /* Of version 1.0 some say so of types that may differ since. */
    if (code == TN_EDTYPE && !device->backend->abi_minor) code = TN_EUNSUPPORTED;
    *supported = code == TN_OK;
    if (code != TN_EUNSUPPORTED) return tn_device_status(device, code, &msg);
    const char *line = tn_text_clean(msg.text, msg.capacity);
    if (room) snprintf(why, room, "%s", *line ? line : "no reason given");
    return TN_OK;
}

/* Hints that came with version 1.1 are for backends that know of them: others may refuse what they don't know. */
static tn_op_desc for_version(const tn_device *device, const tn_op_desc *desc)
{
    tn_op_desc sent = *desc;
    if (!device->backend->abi_minor) sent.in_align = sent.out_align = NULL;
    return sent;
}

tn_status tn_kernel_make(const tn_device *device, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info)
{
    TN_MESSAGE(msg);
    tn_kernel *object = NULL;
    tn_kernel_info answer = {.size = sizeof answer};
    const tn_op_desc sent = for_version(device, desc);
    int32_t code = device->backend->op_prepare(device->context, &sent, &object, &answer, &msg);
    TN_TRY(made(device, code, object, "kernel", &msg));
    tn_status s = TN_OK;
    const uint64_t most = answer.scratch > answer.kept ? answer.scratch : answer.kept;
    if (most > tn_device_bank(device, 1))
        s = tn_fail(TN_ENOMEM, "%s: %s asks for %llu bytes of scratch memory, and the largest buffer has %llu",
                    device->name, desc->name, (unsigned long long)most, (unsigned long long)tn_device_bank(device, 1));
    else if (answer.kept && !desc->keeps)
        s = tn_fail(TN_EDEVICE, "%s: %s keeps %llu bytes, and was not asked to", device->name, desc->name,
                    (unsigned long long)answer.kept);
    if (s) {
        device->backend->op_release(object);
        return s;
    }
    *kernel = object;
    *info = answer;
    return TN_OK;
}

tn_status tn_kernel_finish(const tn_device *device, tn_kernel *kernel)
{
    TN_MESSAGE(msg);
    const tn_ext_ready *table = tn_backend_extension(device->backend, TN_EXT_READY);
    if (!table || !TN_HAS(tn_ext_ready, table, ready) || !table->ready) return TN_OK;
    return tn_device_status(device, table->ready(kernel, &msg), &msg);
}
