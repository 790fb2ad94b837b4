/* processors.c: how many processors of the host this process may use at once: those of its mask, and no more than its
 * group's quota of time is worth. Who has more threads than that at work sees some of them stand still. */
#include "opencl.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a group of processes may use: its time in a period, rounded up; INT64_MAX: any ("max"), or it isn't known. */
static int64_t quota_of(const char *group)
{
    char path[600], line[80] = "", *end;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
    FILE *file = fopen(path, "re");
    if (!file) return INT64_MAX;
    if (!fgets(line, sizeof line, file)) line[0] = 0;
    fclose(file);
    const int64_t time = strtoll(line, &end, 10), period = strtoll(end, NULL, 10);
    return time > 0 && period > 0 ? ocl_ceil(time, period) : INT64_MAX;
}

/* The least of its group and of those around it. */
static int64_t quota(void)
{
    char group[512] = "";
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && fgets(group, sizeof group, file) && strncmp(group, "0::/", 4)) group[0] = 0;
    if (file) fclose(file);
    if (strncmp(group, "0::/", 4)) return INT64_MAX;
    group[strcspn(group, "\n")] = 0;
    int64_t least = quota_of("");
    for (char *end; (end = strrchr(group, '/')) != NULL; *end = 0) least = ocl_min(least, quota_of(group + 3));
    return least;
}

uint32_t ocl_processors(void)
{
    cpu_set_t set;
    const int mask = sched_getaffinity(0, sizeof set, &set) ? 0 : CPU_COUNT(&set);
    return (uint32_t)ocl_max(1, ocl_min(mask ? mask : INT32_MAX, quota()));
}
