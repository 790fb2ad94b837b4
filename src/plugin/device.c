/* device.c: opening and closing devices. */
#include "device_internal.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "auto.h"
#include "error.h"
#include "names.h"
#include "options.h"
#include "text.h"
#include "tuned.h"

tn_status tn_device_status(const tn_device *device, int32_t code, const tn_msg *msg)
{
    if (code == TN_OK) return TN_OK;
    tn_status status = code < TN_OK || code > TN_ESTATE ? TN_EDEVICE : code;
    char *text = msg && msg->text && msg->capacity ? tn_text_clean(msg->text, (size_t)msg->capacity) : NULL;
    return tn_fail(status, "%s: %s", device->name, text && *text ? text : tn_status_name(code));
}

/* One that answers to any name knows none: what it hands out is not what the name stands for. */
const void *tn_backend_extension(const tn_backend *backend, const char *id)
{
    const int asks = TN_HAS(tn_backend, backend, get_ext) && backend->get_ext;
    return asks && !backend->get_ext("") ? backend->get_ext(id) : NULL;
}

/* An option that the backend has not asked for by now is none of its own. One of version 1.0 may ask later. */
static tn_status check_options(tn_device *device)
{
    tn_status status = device->backend->abi_minor ? tn_options_check(device->backend->id) : TN_OK;
    if (status) device->backend->context_destroy(device->context);
    return status;
}

static tn_status make_context(tn_device *device)
{
    TN_MESSAGE(msg);
    TN_TRY(tn_device_status(device, device->backend->context_create(device->index, &device->context, &msg), &msg));
    TN_REQUIRE(device->context, TN_EDEVICE, "%s: its backend answers that it made a context, and gives none",
               device->name);
    return check_options(device);
}

tn_status tn_slot_open(tn_entry *entry, tn_slot *slot, tn_device **device)
{
    if (!slot->open) {
        tn_device *made = tn_alloc(sizeof *made);
        if (!made) return TN_ENOMEM;
        made->backend = entry->backend;
        made->index = slot->index;
        made->info = slot->entry.info;
        memcpy(made->name, slot->entry.name, sizeof made->name);
        tn_status status = make_context(made);
        if (!status && (status = tn_tuned_load(made))) made->backend->context_destroy(made->context);
        if (status) {
            tn_tuned_free(made);
            tn_free(made);
            return status;
        }
        slot->open = made;
    }
    slot->open->opens++;
    *device = slot->open;
    return TN_OK;
}

static void forget(const tn_device *device)
{
    tn_entry *e;
    for (size_t i = 0; (e = tn_registry_at(i)); i++)
        for (uint32_t d = 0; d < e->n_slots; d++)
            if (e->slots[d].open == device) e->slots[d].open = NULL;
}

void tn_slot_close(tn_device *device)
{
    if (!device || --device->opens) return;
    forget(device);
    device->backend->context_destroy(device->context);
    tn_tuned_free(device);
    tn_free(device);
}

static tn_status open_named(const char *name, tn_device **device)
{
    tn_entry *entry = NULL;
    tn_slot *slot = NULL;
    TN_TRY(tn_registry_ready());
    TN_TRY(tn_find_owners());
    if (!strcmp(name, "auto")) return tn_auto_open(device);
    TN_TRY(tn_find_device(name, &entry, &slot));
    return tn_slot_open(entry, slot, device);
}

tn_status tn_device_open(const char *name, tn_device **device)
{
    TN_REQUIRE(name && device, TN_EINVAL, "tn_device_open: %s is NULL", name ? "device" : "name");
    TN_REQUIRE(*name, TN_EMISSING, "a device's name is empty; \"auto\" is the fastest device");
    tn_registry_lock();
    tn_status status = open_named(name, device);
    tn_registry_unlock();
    return status;
}

void tn_device_close(tn_device *device)
{
    tn_registry_lock();
    tn_slot_close(device);
    tn_registry_unlock();
}

const char *tn_device_name(const tn_device *device)
{
    return device->name;
}

const tn_device_info *tn_device_get_info(const tn_device *device)
{
    return &device->info;
}

int tn_device_at(size_t index, tn_device_entry *entry)
{
    if (!entry) return 0;
    tn_entry *backend = NULL;
    tn_registry_lock();
    const tn_slot *slot = tn_registry_start_all() ? NULL : tn_registry_slot(index, &backend);
    if (slot) *entry = slot->entry;
    tn_registry_unlock();
    return slot != NULL;
}
