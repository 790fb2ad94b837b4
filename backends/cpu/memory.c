/* memory.c: the extension tenon.memory/1: the machine's memory, with the space to swap to. */
#include "../system.h"
#include "cpu.h"

#include <unistd.h>

/* Where the machine doesn't say what is free, all memory counts as free. */
static void read_budget(tn_memory_budget *budget)
{
    const system_memory machine = system_memory_now();
    budget->total = machine.total, budget->free = machine.free;
    if (!budget->total) budget->total = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    if (!budget->free || budget->free > budget->total) budget->free = budget->total;
}

static int32_t get_budget(uint32_t device, tn_memory_budget *budget, tn_msg *msg)
{
    tn_memory_budget full = {.size = sizeof full};
    if (device) return cpu_fail(msg, TN_EMISSING, "there is no device %u", device);
    read_budget(&full);
    tn_answer(budget, &full, sizeof full);
    return TN_OK;
}

const tn_ext_memory cpu_memory = {.size = sizeof cpu_memory, .budget = get_budget};
