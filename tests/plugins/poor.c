/* poor: a device that tells of 1 MiB of memory, half of which is free, and gives whatever is asked for. */
#include "template.h"

#include "tenon/backend_ext.h"

static int32_t budget(uint32_t device, tn_memory_budget *budget, tn_msg *msg)
{
    const tn_memory_budget mine = {.total = 1 << 20, .free = 1 << 19};
    if (device) return tn_refuse(msg, TN_EMISSING, "there is no device %u", device);
    tn_answer(budget, &mine, sizeof mine);
    return TN_OK;
}

static const void *get_ext(const char *id)
{
    static const tn_ext_memory memory = {.size = sizeof memory, .budget = budget};
    return strcmp(id, TN_EXT_MEMORY) ? NULL : &memory;
}

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t status = device_info(device, &mine, msg);
    snprintf(mine.id, sizeof mine.id, "poor");
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

PLUGIN("poor", table.get_ext = get_ext; table.device_info = describe)
