/* several: five devices: two that share a part of their names, one that can't be described, one with an alignment that
 * is no power of two, and one whose texts are not closed. */
#include "template.h"

static int32_t count_devices(uint32_t *count, tn_msg *msg)
{
    (void)msg;
    *count = 5;
    return TN_OK;
}

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    static const char *const names[] = {"Alpha Graphics", "Beta Graphics", NULL, "Gamma", NULL};
    tn_device_info mine = {.kind = TN_DEVICE_GPU, .alignment = device == 3 ? 48 : 64};
    if (device == 2) return tn_refuse(msg, TN_EDEVICE, "fell off the bus");
    if (device == 4)
        memset(mine.name, 'z', sizeof mine.name + sizeof mine.vendor + sizeof mine.driver + sizeof mine.id);
    else
        snprintf(mine.name, sizeof mine.name, "%s\n", names[device]);
    if (device < 2) snprintf(mine.id, sizeof mine.id, "pci-%u", device);
    if (device == 4) mine.kind = 99;
    if (device == 1) mine.max_in = 1000, mine.max_out = 3;
    tn_answer(info, &mine, sizeof mine);
    return TN_OK;
}

static int32_t open_device(uint32_t device, tn_context **context, tn_msg *msg)
{
    int32_t status = context_create(0, context, msg);
    if (!status) (*context)->device = device;
    return status;
}

PLUGIN("several", table.device_count = count_devices; table.device_info = describe; table.context_create = open_device)
