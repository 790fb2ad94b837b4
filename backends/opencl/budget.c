/* budget.c: the extension tenon.memory/1: what a device has, and what is free where its driver tells. */
#include "opencl.h"

#include <stdio.h>
#include <string.h>

#ifndef CL_DEVICE_GLOBAL_FREE_MEMORY_AMD
#define CL_DEVICE_GLOBAL_FREE_MEMORY_AMD 0x4039 /* KiB: all that is free, and the largest piece */
#endif

/* What the machine has left, for devices that work in its memory; 0 if that is not known. */
static uint64_t free_of_machine(void)
{
    char name[64];
    unsigned long long kib;
    uint64_t bytes = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fscanf(file, "%63[^:]: %llu%*[^\n]\n", name, &kib) == 2)
        if (!strcmp(name, "MemAvailable") || !strcmp(name, "SwapFree")) bytes += kib << 10;
    if (file) fclose(file);
    return bytes;
}

static uint64_t free_of_device(cl_device_id id)
{
    size_t kib[2] = {0};
    cl_bool unified = CL_FALSE;
    if (!clGetDeviceInfo(id, CL_DEVICE_GLOBAL_FREE_MEMORY_AMD, sizeof kib, kib, NULL)) return (uint64_t)kib[0] << 10;
    if (clGetDeviceInfo(id, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified, NULL)) unified = CL_FALSE;
    return unified ? free_of_machine() : 0;
}

static int32_t get_budget(uint32_t number, tn_memory_budget *budget, tn_msg *msg)
{
    cl_device_id id = NULL;
    cl_ulong total = 0;
    int32_t s = ocl_device_id(number, &id, msg);
    if (!s)
        s = ocl_check(msg, clGetDeviceInfo(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof total, &total, NULL), "its memory");
    if (s) return s;
    uint64_t left = free_of_device(id);
    const tn_memory_budget full = {.total = total, .free = left && left < total ? left : total};
    tn_answer(budget, &full, sizeof full);
    return TN_OK;
}

const tn_ext_memory ocl_memory = {sizeof ocl_memory, get_budget};
