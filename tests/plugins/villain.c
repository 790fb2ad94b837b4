/* villain: does something that no backend may, HOW (crash, abort, leave, hang), at a certain moment, WHEN (load, query,
 * init, count, describe): see CMakeLists.txt. Adds a byte to the file VILLAIN_TRACE, if that is set, when it is loaded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

#include "template.h"

#define IS(word, name) (!strcmp(word, name))

static void misbehave(const char *when)
{
    volatile int *volatile nowhere = NULL;
    if (strcmp(when, WHEN)) return;
    if (IS(HOW, "crash")) *nowhere = 1;
    if (IS(HOW, "abort")) abort();
    if (IS(HOW, "leave")) exit(3);
    while (IS(HOW, "hang")) thrd_sleep(&(struct timespec){.tv_sec = 1000}, NULL);
}

__attribute__((constructor)) static void loaded(void)
{
    const char *trace = getenv("VILLAIN_TRACE");
    FILE *file = trace ? fopen(trace, "ab") : NULL;
    if (file) fprintf(file, "x"), fclose(file);
    misbehave("load");
}

static int32_t bad_init(const tn_host *services, tn_msg *msg)
{
    misbehave("init");
    return init(services, msg);
}

static int32_t bad_count(uint32_t *count, tn_msg *msg)
{
    misbehave("count");
    return device_count(count, msg);
}

static int32_t bad_info(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    misbehave("describe");
    return device_info(device, info, msg);
}

PLUGIN("villain", misbehave("query"); table.init = bad_init; table.device_count = bad_count;
       table.device_info = bad_info)
