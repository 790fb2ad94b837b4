/* host_memory.c: see host_memory.h. */
#include "host_memory.h"

#include <stdio.h>
#include <string.h>

int tn_host_memory(uint64_t *total, uint64_t *left)
{
    char name[64];
    unsigned long long kib;
    FILE *file = fopen("/proc/meminfo", "r");
    *total = *left = 0;
    while (file && fscanf(file, "%63[^:]: %llu%*[^\n]\n", name, &kib) == 2) {
        if (!strcmp(name, "MemTotal") || !strcmp(name, "SwapTotal")) *total += kib << 10;
        if (!strcmp(name, "MemAvailable") || !strcmp(name, "SwapFree")) *left += kib << 10;
    }
    if (file) fclose(file);
    return *left > 0;
}
