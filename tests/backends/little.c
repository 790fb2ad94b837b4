/* little.c: the CPU backend as a device with MEMORY bytes in all, of which it tells, and beyond which it gives nothing:
 * as a vendor's small card. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tenon/backend.h"
#include "tenon/backend_ext.h"

#define MOST 4096 /* buffers at once */

static const tn_backend *real;
static tn_backend table;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    tn_buffer *buffer;
    uint64_t bytes;
} given[MOST];
static uint64_t used;

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t status = real->device_info(device, &mine, msg);
    snprintf(mine.id, sizeof mine.id, "little");
    snprintf(mine.name, sizeof mine.name, "a little device");
    mine.memory = MEMORY;
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

static int32_t budget(uint32_t device, tn_memory_budget *answer, tn_msg *msg)
{
    (void)device, (void)msg;
    pthread_mutex_lock(&lock);
    const tn_memory_budget mine = {.total = MEMORY, .free = MEMORY - used};
    pthread_mutex_unlock(&lock);
    tn_answer(answer, &mine, sizeof mine);
    return TN_OK;
}

static const void *get_ext(const char *id)
{
    static const tn_ext_memory memory = {.size = sizeof memory, .budget = budget};
    return strcmp(id, TN_EXT_MEMORY) ? NULL : &memory;
}

static int32_t create_one(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    int i = 0;
    while (i < MOST && given[i].buffer) i++;
    if (i == MOST || bytes > MEMORY - used) {
        if (msg && msg->text)
            snprintf(msg->text, msg->capacity, "%llu bytes are left, no %llu", (unsigned long long)(MEMORY - used),
                     (unsigned long long)bytes);
        return TN_ENOMEM;
    }
    int32_t status = real->buffer_create(context, bytes, &given[i].buffer, msg);
    if (status) return given[i].buffer = NULL, status;
    used += given[i].bytes = bytes;
    *buffer = given[i].buffer;
    return TN_OK;
}

static int32_t create(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    pthread_mutex_lock(&lock);
    int32_t status = create_one(context, bytes, buffer, msg);
    pthread_mutex_unlock(&lock);
    return status;
}

static void destroy(tn_buffer *buffer)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST && buffer; i++) {
        if (given[i].buffer != buffer) continue;
        given[i].buffer = NULL;
        used -= given[i].bytes;
        break;
    }
    pthread_mutex_unlock(&lock);
    real->buffer_destroy(buffer);
}

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    tn_backend_query_fn *query = NULL;
    void *library = dlopen(CPU_BACKEND, RTLD_NOW | RTLD_LOCAL);
    if (library) *(void **)&query = dlsym(library, "tn_backend_query");
    real = query ? query(host_major, host_minor) : NULL;
    if (!real) return NULL;
    table = *real;
    table.id = "little";
    table.device_info = describe;
    table.buffer_create = create;
    table.buffer_destroy = destroy;
    table.get_ext = get_ext;
    return &table;
}
