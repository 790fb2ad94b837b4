/* system.c: see system.h. Here it is Linux. */
#define _GNU_SOURCE 1
#include "system.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- files that tell of the machine ---- */

/* The beginning of a file, behind a line break, so that each line begins with one. */
static void read_text(const char *path, char *text, size_t room)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t bytes = file < 0 ? 0 : read(file, text + 1, room - 2);
    if (file >= 0) close(file);
    text[0] = '\n';
    text[1 + (bytes > 0 ? bytes : 0)] = 0;
}

/* Of a line such as "MemTotal:  16308648 kB". */
static uint64_t bytes_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), NULL, 10) << 10 : 0;
}

system_memory system_memory_now(void)
{
    char text[4096];
    read_text("/proc/meminfo", text, sizeof text);
    return (system_memory){bytes_of(text, "\nMemTotal:") + bytes_of(text, "\nSwapTotal:"),
                           bytes_of(text, "\nMemAvailable:") + bytes_of(text, "\nSwapFree:")};
}

/* By the first line that names the processor. */
void system_processor_name(char *name, size_t room)
{
    char text[4096];
    read_text("/proc/cpuinfo", text, sizeof text);
    const char *line = strstr(text, "\nmodel name"), *colon = line ? strchr(line, ':') : NULL;
    const char *own = colon ? colon + 1 + strspn(colon + 1, " ") : "CPU";
    snprintf(name, room, "%.*s", (int)strcspn(own, "\n"), own);
}

/* ---- processors ---- */

static int64_t least_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

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
    return time > 0 && period > 0 ? (time + period - 1) / period : INT64_MAX;
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
    for (char *end; (end = strrchr(group, '/')) != NULL; *end = 0) least = least_of(least, quota_of(group + 3));
    return least;
}

uint32_t system_processors(void)
{
    cpu_set_t set;
    const int mask = sched_getaffinity(0, sizeof set, &set) ? 0 : CPU_COUNT(&set);
    const int64_t count = least_of(mask ? mask : INT32_MAX, quota());
    return count < 1 ? 1 : (uint32_t)count;
}

void system_bind(const int processor[], int count)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < count; i++)
        if (processor[i] >= 0 && processor[i] < CPU_SETSIZE) CPU_SET(processor[i], &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/* "1024K" */
uint64_t system_second_cache(void)
{
    char text[32], *unit;
    read_text("/sys/devices/system/cpu/cpu0/cache/index2/size", text, sizeof text);
    const uint64_t size = strtoull(text, &unit, 10);
    return *unit == 'K' ? size << 10 : *unit == 'M' ? size << 20 : size;
}

int system_allows_tiles(void)
{
#if defined(__x86_64__) && defined(SYS_arch_prctl)
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return !syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA);
#else
    return 0;
#endif
}
