/* hungry: two devices, of which the second can't be described for lack of memory. */
#include "template.h"

static int32_t count_devices(uint32_t *count, tn_msg *msg)
{
    (void)msg;
    *count = 2;
    return TN_OK;
}

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    if (device) return tn_refuse(msg, TN_ENOMEM, "out of memory for a text");
    int32_t status = device_info(0, &mine, msg);
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

PLUGIN("hungry", table.device_count = count_devices; table.device_info = describe)
