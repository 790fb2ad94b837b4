/* host_memory.h: how much memory the machine has. */
#ifndef TN_CORE_HOST_MEMORY_H
#define TN_CORE_HOST_MEMORY_H

#include <stdint.h>

/* Bytes in all and those that can still be had, with the space to swap to. Returns 0 where the system doesn't tell. */
int tn_host_memory(uint64_t *total, uint64_t *left);

#endif
