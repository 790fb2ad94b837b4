/* say.c: what must hold, and random numbers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kit.h"
#include "plain.h"

static void keep(tn_kit *kit, const char *format, va_list args)
{
    tn_vsnprintf(kit->result->detail, sizeof kit->result->detail, format, args);
    for (char *c = kit->result->detail; *c; c++)
        if (*c == '\n') *c = ' ';
}

int tn_kit_expect(tn_kit *kit, int holds, const char *format, ...)
{
    va_list args;
    __atomic_fetch_add(&kit->result->checks, 1, __ATOMIC_RELAXED);
    if (holds || __atomic_exchange_n(&kit->result->failed, 1, __ATOMIC_RELAXED)) return holds;
    va_start(args, format);
    keep(kit, format, args);
    va_end(args);
    return 0;
}

int tn_kit_ok(tn_kit *kit, int32_t status, const char *call)
{
    int holds = tn_kit_expect(kit, !status, "%s answers %s: %.300s", call, tn_status_name(status), kit->text);
    *kit->text = 0;
    return holds;
}

void tn_kit_remark(tn_kit *kit, const char *format, ...)
{
    va_list args;
    if (kit->result->failed) return;
    va_start(args, format);
    keep(kit, format, args);
    va_end(args);
}

double tn_kit_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

uint32_t tn_kit_bits(tn_kit *kit)
{
    kit->random ^= kit->random << 13;
    kit->random ^= kit->random >> 7;
    kit->random ^= kit->random << 17;
    return (uint32_t)(kit->random >> 20);
}

double tn_kit_uniform(tn_kit *kit, double low, double high)
{
    return low + (high - low) * (tn_kit_bits(kit) & 0xffffff) * 0x1p-24;
}
