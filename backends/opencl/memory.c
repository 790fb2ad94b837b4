/* memory.c: device memory. A buffer's cl_mem is padded, unless it is the host's memory, and counted references of
 * OpenCL keep it until no queue uses it any more. */
#include "opencl.h"

#include <stdatomic.h>

enum {
    PADDING = 128, /* bytes: so that empty buffers exist, too */
    PAGE = 4096
};

/* ---- a limit ----------------------------------------------------------------------------------------------------- */

static _Atomic uint64_t taken; /* by the buffers of all contexts, while there is a limit */

int32_t ocl_memory_limit(uint64_t *bytes, tn_msg *msg)
{
    const char *text = ocl_option("memory");
    double mib = 0;
    *bytes = UINT64_MAX;
    if (!text) return TN_OK;
    if (!tn_check_number(text, &mib) || mib < 1 || mib > 1e9)
        return ocl_fail(msg, TN_EINVAL, "option opencl.memory: '%s' is no number of MiB from 1 on", text);
    *bytes = (uint64_t)(mib * (1 << 20));
    return TN_OK;
}

uint64_t ocl_memory_taken(void)
{
    return taken;
}

/* Counts a buffer, if it may be that large. */
static int32_t count(tn_context *context, tn_buffer *buffer, tn_msg *msg)
{
    if (context->memory == UINT64_MAX) return TN_OK;
    const uint64_t before = atomic_fetch_add(&taken, buffer->bytes);
    buffer->counted = buffer->bytes;
    if (before <= context->memory && buffer->bytes <= context->memory - before) return TN_OK;
    return ocl_fail(msg, TN_ENOMEM, "a buffer of %llu bytes: of the device's %llu, %llu are taken",
                    (unsigned long long)buffer->bytes, (unsigned long long)context->memory, (unsigned long long)before);
}

/* Devices with memory of their own reserve it at first use: touching it here makes the lack of it known at once. */
static int32_t touch(tn_context *context, cl_mem mem, tn_msg *msg)
{
    pthread_mutex_lock(&context->lock);
    cl_int code =
        clEnqueueMigrateMemObjects(context->queue, 1, &mem, CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED, 0, NULL, NULL);
    if (!code) code = clFinish(context->queue);
    pthread_mutex_unlock(&context->lock);
    return ocl_check(msg, code, "reserving a buffer");
}

int32_t ocl_buffer_create(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    if (bytes > context->max_buffer)
        return ocl_fail(msg, TN_ENOMEM, "a buffer of %llu bytes: the device's largest has %llu",
                        (unsigned long long)bytes, (unsigned long long)context->max_buffer);
    tn_buffer *made = ocl_alloc(sizeof *made);
    if (!made) return ocl_fail(msg, TN_ENOMEM, "out of memory for a buffer");
    cl_int code;
    cl_mem_flags flags = CL_MEM_READ_WRITE | (context->unified ? CL_MEM_ALLOC_HOST_PTR : 0);
    made->context = context;
    made->bytes = bytes;
    int32_t s = count(context, made, msg);
    if (!s) {
        made->mem = clCreateBuffer(context->cl, flags, bytes + PADDING, NULL, &code);
        s = ocl_check(msg, code, "clCreateBuffer");
    }
    if (!s && !context->unified) s = touch(context, made->mem, msg);
    if (s) {
        ocl_buffer_destroy(made);
        return s;
    }
    *buffer = made;
    return TN_OK;
}

/* ---- memory of the host's ---------------------------------------------------------------------------------------- */

static cl_mem over(tn_context *context, void *data, uint64_t bytes, cl_int *code)
{
    return clCreateBuffer(context->cl, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes, data, code);
}

/* Whether the driver leaves such a buffer where it is, or works on a copy: what is filled in must be there, and what
 * the host puts there, be read. */
static cl_int try_page(tn_context *context, unsigned char *page, int *is_shared)
{
    const unsigned char filled = 1;
    unsigned char got = 0;
    volatile unsigned char *byte = page;
    cl_int code;
    cl_mem mem = over(context, page, PAGE, &code);
    if (code) return code;
    code = clEnqueueFillBuffer(context->queue, mem, &filled, 1, 0, PAGE, 0, NULL, NULL);
    if (!code) code = clFinish(context->queue);
    *is_shared = *byte == filled;
    *byte = 2;
    if (!code) code = clEnqueueReadBuffer(context->queue, mem, CL_TRUE, 0, 1, &got, 0, NULL, NULL);
    *is_shared &= got == 2;
    clReleaseMemObject(mem);
    return code;
}

static int32_t see_shared(tn_context *context, tn_msg *msg)
{
    int is_shared = 0;
    unsigned char *page = ocl_host->allocate(ocl_host->self, PAGE, PAGE);
    if (!page) return ocl_fail(msg, TN_ENOMEM, "out of memory for a page");
    pthread_mutex_lock(&context->lock);
    const cl_int code = try_page(context, page, &is_shared);
    pthread_mutex_unlock(&context->lock);
    ocl_host->release(ocl_host->self, page);
    if (code) return ocl_check(msg, code, "trying memory of the host's");
    return is_shared ? TN_OK : ocl_fail(msg, TN_EUNSUPPORTED, "the driver copies the host's memory");
}

/* OpenCL wants such memory to be mapped while the host uses it, for devices with caches of their own. A processor's are
 * the host's. */
static int32_t adopt(tn_context *context, void *data, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    cl_int code;
    if (!context->is_cpu) return ocl_fail(msg, TN_EUNSUPPORTED, "the device is not the host's processor");
    int32_t s = see_shared(context, msg);
    if (s) return s;
    tn_buffer *made = ocl_alloc(sizeof *made);
    if (!made) return ocl_fail(msg, TN_ENOMEM, "out of memory for a buffer");
    *made = (tn_buffer){context, over(context, data, bytes, &code), bytes, 0};
    if (code) {
        ocl_free(made);
        return ocl_check(msg, code, "clCreateBuffer");
    }
    *buffer = made;
    return TN_OK;
}

const tn_ext_adopt ocl_adopt = {sizeof ocl_adopt, adopt};

static int32_t native(tn_buffer *buffer, uint32_t *kind, void **handle, tn_msg *msg)
{
    (void)msg;
    *kind = TN_NATIVE_OPENCL;
    *handle = buffer->mem;
    return TN_OK;
}

const tn_ext_native ocl_native = {sizeof ocl_native, native};

/* ---- all buffers ------------------------------------------------------------------------------------------------- */

void ocl_buffer_destroy(tn_buffer *buffer)
{
    if (!buffer) return;
    if (buffer->mem) clReleaseMemObject(buffer->mem);
    taken -= buffer->counted;
    ocl_free(buffer);
}

int32_t ocl_range(const tn_ref *ref, uint64_t bytes, const char *what, tn_msg *msg)
{
    if (!ref->buffer) return bytes ? ocl_fail(msg, TN_EINVAL, "%s: no buffer", what) : TN_OK;
    if (ref->offset <= ref->buffer->bytes && bytes <= ref->buffer->bytes - ref->offset) return TN_OK;
    return ocl_fail(msg, TN_EINVAL, "%s: bytes %llu to %llu of a buffer of %llu", what, (unsigned long long)ref->offset,
                    (unsigned long long)(ref->offset + bytes), (unsigned long long)ref->buffer->bytes);
}
