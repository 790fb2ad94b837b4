/* reference.c: stands for the backend that is built in, where a test links the loader and nothing above it: the
 * template with another id. */
#include "../plugins/template.h"

#include "registry.h"

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t status = device_info(device, &mine, msg);
    snprintf(mine.name, sizeof mine.name, "Stand-in");
    snprintf(mine.id, sizeof mine.id, "reference");
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

PLUGIN("reference", table.device_info = describe)

static const tn_backend *stand_in(void)
{
    return tn_backend_query(TN_ABI_MAJOR, TN_ABI_MINOR);
}

const tn_backend *(*const tn_built_in)(void) = stand_in;
