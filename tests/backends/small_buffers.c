/* small_buffers.c: the CPU backend as another, whose buffers have at most 64 KiB. Whoever asks for more gets nothing.
 */
#include <dlfcn.h>
#include <stdio.h>

#include "tenon/backend.h"

#define MOST (1 << 16)

static const tn_backend *real;
static tn_backend table;

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t status = real->device_info(device, &mine, msg);
    snprintf(mine.id, sizeof mine.id, "small_buffers");
    mine.max_buffer = MOST;
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

static int32_t create(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    if (bytes <= MOST) return real->buffer_create(context, bytes, buffer, msg);
    if (msg && msg->text) snprintf(msg->text, msg->capacity, "asked for %llu bytes", (unsigned long long)bytes);
    return TN_ENOMEM;
}

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    tn_backend_query_fn *query = NULL;
    void *library = dlopen(CPU_BACKEND, RTLD_NOW | RTLD_LOCAL);
    if (library) *(void **)&query = dlsym(library, "tn_backend_query");
    real = query ? query(host_major, host_minor) : NULL;
    if (!real) return NULL;
    table = *real;
    table.id = "small_buffers";
    table.device_info = describe;
    table.buffer_create = create;
    return &table;
}
