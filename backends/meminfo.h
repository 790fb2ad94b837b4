/* meminfo.h: what Linux says of the machine's memory, for backends that work in it. Takes no memory for it. */
#ifndef BACKENDS_MEMINFO_H
#define BACKENDS_MEMINFO_H

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct meminfo {
    uint64_t total, free; /* bytes, with the space to swap to; 0: not known */
} meminfo;

/* Of a line such as "MemTotal:  16308648 kB". */
static inline uint64_t meminfo_bytes(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), NULL, 10) << 10 : 0;
}

static inline meminfo meminfo_read(void)
{
    char text[4096] = "\n";
    int file = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = file < 0 ? 0 : read(file, text + 1, sizeof text - 2);
    if (file >= 0) close(file);
    text[1 + (bytes > 0 ? bytes : 0)] = 0;
    return (meminfo){meminfo_bytes(text, "\nMemTotal:") + meminfo_bytes(text, "\nSwapTotal:"),
                     meminfo_bytes(text, "\nMemAvailable:") + meminfo_bytes(text, "\nSwapFree:")};
}

#endif
