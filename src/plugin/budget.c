/* budget.c: how much memory a device has left, where its backend tells by tenon.memory/1. */
#include "device_internal.h"
#include "error.h"
#include "registry.h"
#include "tenon/backend_ext.h"

/* 0 where the backend doesn't tell. The registry's lock is held: the backend is called by one thread at a time. */
static int ask(const tn_backend *backend, uint32_t index, tn_memory_budget *budget)
{
    const tn_ext_memory *memory = tn_backend_extension(backend, TN_EXT_MEMORY);
    *budget = (tn_memory_budget){.size = sizeof *budget};
    return memory && TN_HAS(tn_ext_memory, memory, budget) && memory->budget &&
           !memory->budget(index, budget, &(tn_msg){NULL, 0}) && TN_HAS(tn_memory_budget, budget, free);
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

tn_status tn_device_has_room(const tn_device *device, uint64_t bytes, const char *what)
{
    tn_memory_budget budget;
    tn_registry_lock();
    int known = ask(device->backend, device->index, &budget);
    tn_registry_unlock();
    TN_REQUIRE(!known || bytes <= budget.free, TN_ENOMEM, "%s: %s needs %.1f MiB of memory; of %.1f MiB %.1f are free",
               device->name, what, mib(bytes), mib(budget.total), mib(budget.free));
    return TN_OK;
}

int tn_device_memory(size_t index, uint64_t *total, uint64_t *left)
{
    tn_memory_budget budget;
    tn_entry *e = NULL;
    tn_registry_lock();
    tn_slot *slot = tn_registry_start_all() ? NULL : tn_registry_slot(index, &e);
    int known = slot && ask(e->backend, slot->index, &budget);
    if (known) *total = budget.total, *left = budget.free;
    tn_registry_unlock();
    return known;
}
