/* memory.c: the extension tenon.memory/1: the machine's memory, with the space to swap to. */
#include "cpu.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t bytes_of(const char *meminfo, const char *name)
{
    const char *at = strstr(meminfo, name);
    return at ? strtoull(at + strlen(name), NULL, 10) << 10 : 0;
}

/* Adds up lines of /proc/meminfo, "MemTotal:  16308648 kB", and takes no memory for it. Where there is no such file,
 * all memory counts as free. */
static void read_meminfo(tn_memory_budget *budget)
{
    char text[4096] = "\n";
    int file = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = file < 0 ? 0 : read(file, text + 1, sizeof text - 2);
    if (file >= 0) close(file);
    text[1 + (bytes > 0 ? bytes : 0)] = 0;
    budget->total = bytes_of(text, "\nMemTotal:") + bytes_of(text, "\nSwapTotal:");
    budget->free = bytes_of(text, "\nMemAvailable:") + bytes_of(text, "\nSwapFree:");
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
