/* newer: a backend of a later minor version, with a longer table and a longer device info; and the oldest table. */
#include "template.h"

static struct newer_table {
    tn_backend known;
    void (*unknown)(void);
} newer;

static int32_t newer_info(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    struct newer_info {
        tn_device_info known;
        uint64_t unknown[64];
    } mine = {{.size = sizeof mine.known}, {1, 2, 3}};
    int32_t status = device_info(device, &mine.known, msg);
    memcpy(mine.known.id, "newer", 6);
    memset(mine.unknown, 0xff, sizeof mine.unknown);
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

static const void *extension(const char *id)
{
    return strcmp(id, "newer.extension/1") ? NULL : &newer;
}

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    (void)host_major;
    (void)host_minor;
    newer.known = *start_from_template("newer");
    newer.known.size = sizeof newer;
    newer.known.abi_minor = 99;
    newer.known.device_info = newer_info;
    newer.known.get_ext = extension;
    return &newer.known;
}
