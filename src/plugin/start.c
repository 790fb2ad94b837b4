/* start.c: see start.h. */
#include "start.h"

#include <stdio.h>
#include <string.h>

#include "error.h"
#include "text.h"

#define MAX_DEVICES   256
#define MAX_ALIGNMENT ((uint64_t)1 << 21) /* bytes: that of a large page, beyond which nothing has been seen */

/* What one operator may have: 0 stands for the ABI's own limit. */
static void clean_limit(uint32_t *limit, uint32_t most)
{
    if (!*limit || *limit > most) *limit = most;
}

/* What a backend wrote, made fit for use. */
static void clean_info(tn_device_info *info)
{
    info->size = sizeof *info;
    tn_text_clean(info->name, sizeof info->name);
    tn_text_clean(info->vendor, sizeof info->vendor);
    tn_text_clean(info->driver, sizeof info->driver);
    tn_text_clean(info->id, sizeof info->id);
    if (!info->kind || info->kind > TN_DEVICE_OTHER) info->kind = TN_DEVICE_OTHER;
    clean_limit(&info->max_in, TN_MAX_OPERANDS);
    clean_limit(&info->max_out, TN_MAX_OPERANDS);
    clean_limit(&info->max_instr, TN_MAX_INSTRS);
    clean_limit(&info->max_scalar, TN_MAX_SCALARS);
}

static tn_status check_info(const tn_entry *e, const tn_device_info *info, tn_reason *reason)
{
    const unsigned long long alignment = info->alignment, most = info->max_buffer;
    if (!alignment || alignment & (alignment - 1))
        return tn_because(reason, TN_EDEVICE, "its alignment, %llu, is no power of two", alignment);
    if (alignment > MAX_ALIGNMENT)
        return tn_because(reason, TN_EDEVICE, "its alignment, %llu, is more than %llu", alignment,
                          (unsigned long long)MAX_ALIGNMENT);
    if (most && most < alignment)
        return tn_because(reason, TN_EDEVICE, "its largest buffer, %llu bytes, is smaller than its alignment, %llu",
                          most, alignment);
    for (uint32_t i = 0; i < e->n_slots; i++)
        if (info->id[0] && !strcmp(e->slots[i].entry.info.id, info->id))
            return tn_because(reason, TN_EDEVICE, "its id, '%s', is that of %s:%u", info->id, e->id, e->slots[i].index);
    return TN_OK;
}

/* A device that can't be described is left out, and the others keep their indices; but where memory is short nothing is
 * missing in silence. */
static tn_status list_device(tn_entry *e, uint32_t index, tn_reason *problem)
{
    tn_reason reason = {""};
    tn_msg msg = {reason.text, sizeof reason.text};
    tn_slot slot = {.index = index, .entry.info.size = sizeof slot.entry.info};
    tn_device_info *info = &slot.entry.info;
    tn_status status = e->backend->device_info(index, info, &msg);
    if (status && !reason.text[0]) tn_because(&reason, status, "device_info failed: %s", tn_status_name(status));
    clean_info(info);
    if (!status) status = check_info(e, info, &reason);
    if (status == TN_ENOMEM) return tn_because(problem, status, "device_info failed: %s", reason.text);
    if (status)
        tn_log_line(TN_LOG_WARNING, "device %s:%u left out: %s", e->id, index,
                    tn_text_clean(reason.text, sizeof reason.text));
    else
        e->slots[e->n_slots++] = slot;
    return TN_OK;
}

/* A device is named by its backend's id and its index; the only one of a backend, by the id alone if the device says
 * that it is the only one that there can be. */
static void name_devices(tn_entry *e)
{
    for (uint32_t i = 0; i < e->n_slots; i++) {
        tn_device_entry *d = &e->slots[i].entry;
        int only = e->n_slots == 1 && !strcmp(d->info.id, e->id);
        snprintf(d->name, sizeof d->name, only ? "%s" : "%s:%u", e->id, e->slots[i].index);
    }
}

/* The backend's own line behind the function that failed; its status, made one of this library's. */
static tn_status because_of(const char *function, int32_t code, tn_msg *msg, tn_reason *reason)
{
    tn_status status = code < TN_OK || code > TN_ESTATE ? TN_EDEVICE : code;
    const char *text = tn_text_clean(msg->text, msg->capacity);
    return tn_because(reason, status, "%s failed: %s", function, *text ? text : tn_status_name(code));
}

static tn_status list_devices(tn_entry *e, tn_region *region, tn_reason *reason)
{
    char text[256] = "";
    tn_msg msg = {text, sizeof text};
    uint32_t count = 0;
    int32_t code = e->backend->device_count(&count, &msg);
    if (code) return because_of("device_count", code, &msg, reason);
    if (count > MAX_DEVICES)
        return tn_because(reason, TN_EDEVICE, "claims to have %u devices; %d are the most", count, MAX_DEVICES);
    e->slots = tn_region_alloc(region, (count + !count) * sizeof *e->slots);
    if (!e->slots) return TN_ENOMEM;
    for (uint32_t i = 0; i < count; i++) TN_TRY(list_device(e, i, reason));
    name_devices(e);
    return TN_OK;
}

tn_status tn_start(tn_entry *e, tn_region *region, tn_reason *reason)
{
    char text[256] = "";
    tn_msg msg = {text, sizeof text};
    int32_t code = e->backend->init(&e->host, &msg);
    if (code) return because_of("init", code, &msg, reason);
    tn_status status = list_devices(e, region, reason);
    if (status) {
        e->n_slots = 0;
        e->backend->deinit();
    }
    return status;
}
