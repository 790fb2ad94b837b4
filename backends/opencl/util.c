/* util.c: errors, the host's memory and options, growing texts, hashing. Free-threaded. */
#include "opencl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const tn_host *ocl_host;

int32_t ocl_fail(tn_msg *msg, int32_t status, const char *format, ...)
{
    if (msg && msg->text && msg->capacity) {
        va_list list;
        va_start(list, format);
        vsnprintf(msg->text, msg->capacity, format, list);
        va_end(list);
    }
    return status;
}

static const struct {
    cl_int code;
    int32_t status;
    const char *name;
} codes[] = {
#define CODE(name, status)                                                                                             \
    {                                                                                                                  \
        name, status, #name                                                                                            \
    }
    CODE(CL_DEVICE_NOT_FOUND, TN_EMISSING),
    CODE(CL_DEVICE_NOT_AVAILABLE, TN_EDEVICE),
    CODE(CL_COMPILER_NOT_AVAILABLE, TN_EDEVICE),
    CODE(CL_MEM_OBJECT_ALLOCATION_FAILURE, TN_ENOMEM),
    CODE(CL_OUT_OF_RESOURCES, TN_ENOMEM),
    CODE(CL_OUT_OF_HOST_MEMORY, TN_ENOMEM),
    CODE(CL_BUILD_PROGRAM_FAILURE, TN_EDEVICE),
    CODE(CL_MISALIGNED_SUB_BUFFER_OFFSET, TN_EDEVICE),
    CODE(CL_INVALID_VALUE, TN_EDEVICE),
    CODE(CL_INVALID_DEVICE, TN_EDEVICE),
    CODE(CL_INVALID_CONTEXT, TN_EDEVICE),
    CODE(CL_INVALID_COMMAND_QUEUE, TN_EDEVICE),
    CODE(CL_INVALID_MEM_OBJECT, TN_EDEVICE),
    CODE(CL_INVALID_BINARY, TN_EDEVICE),
    CODE(CL_INVALID_BUILD_OPTIONS, TN_EDEVICE),
    CODE(CL_INVALID_PROGRAM, TN_EDEVICE),
    CODE(CL_INVALID_PROGRAM_EXECUTABLE, TN_EDEVICE),
    CODE(CL_INVALID_KERNEL_NAME, TN_EDEVICE),
    CODE(CL_INVALID_KERNEL, TN_EDEVICE),
    CODE(CL_INVALID_ARG_INDEX, TN_EDEVICE),
    CODE(CL_INVALID_ARG_VALUE, TN_EDEVICE),
    CODE(CL_INVALID_ARG_SIZE, TN_EDEVICE),
    CODE(CL_INVALID_KERNEL_ARGS, TN_EDEVICE),
    CODE(CL_INVALID_WORK_DIMENSION, TN_EDEVICE),
    CODE(CL_INVALID_WORK_GROUP_SIZE, TN_EDEVICE),
    CODE(CL_INVALID_WORK_ITEM_SIZE, TN_EDEVICE),
    CODE(CL_INVALID_GLOBAL_OFFSET, TN_EDEVICE),
    CODE(CL_INVALID_GLOBAL_WORK_SIZE, TN_EDEVICE),
    CODE(CL_INVALID_EVENT, TN_EDEVICE),
    CODE(CL_INVALID_OPERATION, TN_EDEVICE),
    CODE(CL_INVALID_BUFFER_SIZE, TN_ENOMEM),
#undef CODE
};

int32_t ocl_check(tn_msg *msg, cl_int code, const char *call)
{
    if (code == CL_SUCCESS) return TN_OK;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code)
            return ocl_fail(msg, codes[i].status, codes[i].status == TN_ENOMEM ? "%s: out of memory (%s)" : "%s: %s",
                            call, codes[i].name);
    return ocl_fail(msg, TN_EDEVICE, "%s: OpenCL error %d", call, (int)code);
}

const char *ocl_option(const char *key)
{
    const char *text = ocl_host->option ? ocl_host->option(ocl_host->self, "opencl", key) : NULL;
    return text && *text ? text : NULL;
}

void *ocl_alloc(size_t bytes)
{
    void *memory = ocl_host->allocate(ocl_host->self, bytes ? bytes : 1, 16);
    if (memory) memset(memory, 0, bytes);
    return memory;
}

void ocl_free(void *memory)
{
    if (memory) ocl_host->release(ocl_host->self, memory);
}

/* FNV-1a, 64 bits. */
uint64_t ocl_hash(uint64_t seed, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    uint64_t hash = seed ^ 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

/* ---- growing texts ---------------------------------------------------------------------------------------------- */

static int text_reserve(ocl_text *text, size_t more)
{
    if (text->length + more + 1 <= text->capacity) return 1;
    size_t capacity = 2 * (text->length + more + 1) + 4096;
    char *bigger = ocl_alloc(capacity);
    if (!bigger) {
        text->failed = 1;
        return 0;
    }
    if (text->s) memcpy(bigger, text->s, text->length);
    ocl_free(text->s);
    text->s = bigger;
    text->capacity = capacity;
    return 1;
}

void ocl_textf(ocl_text *text, const char *format, ...)
{
    va_list list;
    if (text->failed || text->off) return;
    va_start(list, format);
    int more = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (more < 0 || !text_reserve(text, (size_t)more)) return;
    va_start(list, format);
    vsnprintf(text->s + text->length, (size_t)more + 1, format, list);
    va_end(list);
    text->length += (size_t)more;
}

void ocl_text_free(ocl_text *text)
{
    ocl_free(text->s);
    *text = (ocl_text){0};
}
