/* budget.c: how much memory a device has left, where its backend tells by tenon.memory/1. */
#include "device_internal.h"
#include "error.h"
#include "system.h"
#include "registry.h"
#include "tenon/backend_ext.h"
#include "text.h"

/* 0 where the backend doesn't tell, -1 where it can't. The registry's lock is held: the backend is called by one thread
 * at a time. */
static int ask(const tn_backend *backend, uint32_t index, tn_memory_budget *budget)
{
    TN_MESSAGE(msg);
    const tn_ext_memory *memory = tn_backend_extension(backend, TN_EXT_MEMORY);
    *budget = (tn_memory_budget){.size = sizeof *budget};
    if (!memory || !TN_HAS(tn_ext_memory, memory, budget) || !memory->budget) return 0;
    tn_status status = memory->budget(index, budget, &msg);
    if (status) return (void)tn_fail(TN_EDEVICE, "%s: %s", backend->id, tn_text_clean(msg.text, msg.capacity)), -1;
    return TN_HAS(tn_memory_budget, budget, free);
}

static int ask_host(tn_memory_budget *budget)
{
    *budget = (tn_memory_budget){.size = sizeof *budget};
    return tn_system_memory(&budget->total, &budget->free);
}

/* Of a device whose backend doesn't tell: the host's, or all that it says it has. */
static int assume(const tn_device *device, tn_memory_budget *budget)
{
    if (device->info.kind == TN_DEVICE_CPU && ask_host(budget)) return 1;
    budget->total = budget->free = device->info.memory;
    return device->info.memory > 0;
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

tn_status tn_device_has_room(const tn_device *device, uint64_t bytes, const char *what)
{
    tn_memory_budget budget;
    tn_registry_lock();
    int known = ask(device->backend, device->index, &budget) > 0;
    tn_registry_unlock();
    if (!known) known = assume(device, &budget);
    TN_REQUIRE(!known || bytes <= budget.free, TN_ENOMEM, "%s: %s needs %.1f MiB of memory; of %.1f MiB %.1f are free",
               device->name, what, mib(bytes), mib(budget.total), mib(budget.free));
    return TN_OK;
}

tn_status tn_host_has_room(uint64_t bytes, const char *what)
{
    tn_memory_budget budget;
    TN_REQUIRE(!ask_host(&budget) || bytes <= budget.free, TN_ENOMEM,
               "%s needs %.1f MiB of the host's memory; of %.1f MiB %.1f are free", what, mib(bytes), mib(budget.total),
               mib(budget.free));
    return TN_OK;
}

int tn_device_memory(size_t index, uint64_t *total, uint64_t *left)
{
    if (!total || !left) return 0;
    tn_memory_budget budget;
    tn_entry *e = NULL;
    tn_registry_lock();
    tn_slot *slot = tn_registry_start_all() ? NULL : tn_registry_slot(index, &e);
    int known = slot ? ask(e->backend, slot->index, &budget) : 0;
    if (known > 0) *total = budget.total, *left = budget.free;
    tn_registry_unlock();
    return known;
}
