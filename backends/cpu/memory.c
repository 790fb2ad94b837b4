/* memory.c: the extension tenon.memory/1: the machine's memory, with the space to swap to. */
#include "cpu.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Adds up lines of /proc/meminfo, "MemTotal:  16308648 kB". Where there is no such file, all memory counts as free. */
static void read_meminfo(tn_memory_budget *budget)
{
    char name[64];
    unsigned long long kib;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fscanf(file, "%63[^:]: %llu%*[^\n]\n", name, &kib) == 2) {
        if (!strcmp(name, "MemTotal") || !strcmp(name, "SwapTotal")) budget->total += kib << 10;
        if (!strcmp(name, "MemAvailable") || !strcmp(name, "SwapFree")) budget->free += kib << 10;
    }
    if (file) fclose(file);
    if (!budget->total) budget->total = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    if (!budget->free || budget->free > budget->total) budget->free = budget->total;
}

static int32_t get_budget(uint32_t device, tn_memory_budget *budget, tn_msg *msg)
{
    tn_memory_budget full = {.size = sizeof full};
    if (device) return cpu_fail(msg, TN_EMISSING, "there is no device %u", device);
    read_meminfo(&full);
    tn_answer(budget, &full, sizeof full);
    return TN_OK;
}

const tn_ext_memory cpu_memory = {sizeof cpu_memory, get_budget};
