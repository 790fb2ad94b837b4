/* processors.c: how many processors of the host this process may use at once: those of its mask, and no more than its
 * group's quota of time is worth. Who has more threads than that at work sees some of them stand still. */
#include "opencl.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* What a group of processes may use: its time in a period, rounded up; INFINITY: any, or it isn't known. */
static double quota_of(const char *group)
{
    char path[600];
    double time = INFINITY, period = 1;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
    FILE *file = fopen(path, "re");
    if (!file) return INFINITY;
    if (fscanf(file, "%lf %lf", &time, &period) != 2 || time <= 0 || period <= 0) time = INFINITY;
    fclose(file);
    return ceil(time / period);
}

/* The least of its group and of those around it. */
static double quota(void)
{
    char group[512] = "";
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && fgets(group, sizeof group, file) && strncmp(group, "0::/", 4)) group[0] = 0;
    if (file) fclose(file);
    if (strncmp(group, "0::/", 4)) return INFINITY;
    group[strcspn(group, "\n")] = 0;
    double least = quota_of("");
    for (char *end; (end = strrchr(group, '/')) != NULL; *end = 0) least = fmin(least, quota_of(group + 3));
    return least;
}

uint32_t ocl_processors(void)
{
    cpu_set_t set;
    const int mask = sched_getaffinity(0, sizeof set, &set) ? 0 : CPU_COUNT(&set);
    return (uint32_t)fmax(1, fmin(mask ? mask : INT32_MAX, quota()));
}
