/* budget.c: the extension tenon.memory/1: what a device has, and what is free where its driver tells. */
#include "../system.h"
#include "opencl.h"

#ifndef CL_DEVICE_GLOBAL_FREE_MEMORY_AMD
#define CL_DEVICE_GLOBAL_FREE_MEMORY_AMD 0x4039 /* KiB: all that is free, and the largest piece */
#endif

/* 0 where that is not known. */
static int32_t free_of_device(cl_device_id id, uint64_t *bytes, tn_msg *msg)
{
    size_t kib[2] = {0};
    cl_bool unified = CL_FALSE;
    cl_int code = clGetDeviceInfo(id, CL_DEVICE_GLOBAL_FREE_MEMORY_AMD, sizeof kib, kib, NULL);
    *bytes = code ? 0 : (uint64_t)kib[0] << 10;
    if (!code || ocl_check(msg, code, "its free memory") == TN_ENOMEM) return ocl_check(msg, code, "its free memory");
    code = clGetDeviceInfo(id, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified, NULL);
    if (unified) *bytes = system_memory_now().free; /* it works in the machine's memory */
    return code == CL_INVALID_VALUE ? TN_OK : ocl_check(msg, code, "its kind of memory");
}

static int32_t get_budget(uint32_t number, tn_memory_budget *budget, tn_msg *msg)
{
    cl_device_id id = NULL;
    cl_ulong total = 0;
    uint64_t left = 0, limit = UINT64_MAX;
    int32_t s = ocl_device_id(number, &id, msg);
    if (!s)
        s = ocl_check(msg, clGetDeviceInfo(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof total, &total, NULL), "its memory");
    if (!s) s = free_of_device(id, &left, msg);
    if (!s) s = ocl_memory_limit(&limit, msg);
    if (s) return s;
    if (limit < total) {
        const uint64_t taken = ocl_memory_taken(), more = limit > taken ? limit - taken : 1;
        total = limit;
        if (!left || more < left) left = more;
    }
    const tn_memory_budget full = {.total = total, .free = left && left < total ? left : total};
    tn_answer(budget, &full, sizeof full);
    return TN_OK;
}

const tn_ext_memory ocl_memory = {sizeof ocl_memory, get_budget, ocl_pinned_create, ocl_pinned_destroy};
