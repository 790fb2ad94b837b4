/* pinned.c: host memory that drivers pin, so that the device copies from and to it by itself: a buffer that the driver
 * allocates in the host's memory (CL_MEM_ALLOC_HOST_PTR) and that is mapped from its creation to its end. No kernel
 * sees it. */
#include "opencl.h"
#include "tenon/backend_float.h"

struct tn_pinned {
    tn_context *context;
    cl_mem mem;
    void *data;
};

/* Waits for it; some drivers compute in this thread then. */
static void *map(tn_context *context, cl_mem mem, uint64_t bytes, cl_int *code)
{
    const tn_float_mode mode = tn_float_begin();
    pthread_mutex_lock(&context->lock);
    void *data =
        clEnqueueMapBuffer(context->queue, mem, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, bytes, 0, NULL, NULL, code);
    pthread_mutex_unlock(&context->lock);
    tn_float_end(mode);
    return *code ? NULL : data;
}

static void unmap(const tn_pinned *pinned)
{
    tn_context *context = pinned->context;
    const tn_float_mode mode = tn_float_begin();
    pthread_mutex_lock(&context->lock);
    if (!clEnqueueUnmapMemObject(context->queue, pinned->mem, pinned->data, 0, NULL, NULL)) clFinish(context->queue);
    pthread_mutex_unlock(&context->lock);
    tn_float_end(mode);
}

int32_t ocl_pinned_create(tn_context *context, uint64_t bytes, tn_pinned **pinned, void **data, tn_msg *msg)
{
    cl_int code;
    tn_pinned *made = ocl_alloc(sizeof *made);
    if (!made) return ocl_fail(msg, TN_ENOMEM, "out of memory for pinned memory");
    *made = (tn_pinned){.context = context};
    made->mem = clCreateBuffer(context->cl, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes + !bytes, NULL, &code);
    int32_t s = ocl_check(msg, code, "clCreateBuffer");
    if (!s) {
        made->data = map(context, made->mem, bytes + !bytes, &code);
        s = ocl_check(msg, code, "clEnqueueMapBuffer");
    }
    if (s) {
        ocl_pinned_destroy(made);
        return s;
    }
    *pinned = made;
    *data = made->data;
    return TN_OK;
}

void ocl_pinned_destroy(tn_pinned *pinned)
{
    if (!pinned) return;
    if (pinned->data) unmap(pinned);
    if (pinned->mem) clReleaseMemObject(pinned->mem);
    ocl_free(pinned);
}
