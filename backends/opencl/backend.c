/* backend.c: the OpenCL backend's table. Devices of any OpenCL 1.2 platform through the ICD loader.
 *
 * Options (backend "opencl"): platform, a part of the platform's name; shape, cpu or gpu: the family of kernels, else
 * chosen by the kind of device; gemm, own or clblast: who makes large matrix products, else CLBlast but on CPUs. */
#include "opencl.h"

#include <string.h>

static int32_t init(const tn_host *host, tn_msg *msg)
{
    if (ocl_host) return ocl_fail(msg, TN_ESTATE, "in use by another copy of the library in this process");
    if (!host || !TN_HAS(tn_host, host, parallel_for) || !host->allocate || !host->release)
        return ocl_fail(msg, TN_EINVAL, "the host's table is incomplete");
    ocl_host = host;
    return TN_OK;
}

static void deinit(void)
{
    ocl_gemm_clear();
    ocl_devices_release();
    ocl_host = NULL;
}

static const void *get_ext(const char *id)
{
    if (!strcmp(id, TN_EXT_ADOPT)) return &ocl_adopt;
    if (!strcmp(id, TN_EXT_NATIVE)) return &ocl_native;
    if (!strcmp(id, TN_EXT_OBSERVE)) return &ocl_observe;
    if (!strcmp(id, TN_EXT_READY)) return &ocl_ready;
    if (!strcmp(id, TN_EXT_TUNE)) return &ocl_tune;
    return strcmp(id, TN_EXT_MEMORY) ? NULL : &ocl_memory;
}

static const tn_backend backend = {
    .size = sizeof backend,
    .abi_major = TN_ABI_MAJOR,
    .abi_minor = TN_ABI_MINOR,
    .id = "opencl",
    .version = "0.1.0",
    .doc = "OpenCL 1.2 devices of any vendor",
    .init = init,
    .deinit = deinit,
    .device_count = ocl_device_count,
    .device_info = ocl_device_info,
    .context_create = ocl_context_create,
    .context_destroy = ocl_context_destroy,
    .buffer_create = ocl_buffer_create,
    .buffer_destroy = ocl_buffer_destroy,
    .queue_create = ocl_queue_create,
    .queue_destroy = ocl_queue_destroy,
    .queue_flush = ocl_queue_flush,
    .queue_sync = ocl_queue_sync,
    .queue_stats = ocl_queue_stats,
    .write = ocl_write,
    .read = ocl_read,
    .copy = ocl_copy,
    .fill = ocl_fill,
    .event_create = ocl_event_create,
    .event_destroy = ocl_event_destroy,
    .event_record = ocl_event_record,
    .event_wait = ocl_event_wait,
    .event_sync = ocl_event_sync,
    .op_prepare = ocl_op_prepare,
    .op_release = ocl_op_release,
    .op_run = ocl_op_run,
    .get_ext = get_ext,
};

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    (void)host_minor;
    return host_major == TN_ABI_MAJOR ? &backend : NULL;
}
