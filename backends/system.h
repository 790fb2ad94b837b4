/* system.h: what our backends ask of the system beyond POSIX, which is all that they see otherwise. What it doesn't
 * tell is 0, or does nothing. Takes no memory. Any thread may call. */
#ifndef BACKENDS_SYSTEM_H
#define BACKENDS_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

typedef struct system_memory {
    uint64_t total, free; /* bytes, with the space to swap to; 0: not known */
} system_memory;

system_memory system_memory_now(void);

/* What the processor is called; "CPU" where nobody tells. */
void system_processor_name(char *name, size_t room);

/* How many processors this process may use at once, at least 1: those of its mask, and no more than its group's quota
 * of time is worth. Who has more threads than that at work sees some of them stand still. */
uint32_t system_processors(void);

/* Binds the calling thread to these processors. */
void system_bind(const int processor[], int count);

/* Bytes of a processor's second cache. */
uint64_t system_second_cache(void);

/* Whether this process may use AMX's tiles: it is asked for here. */
int system_allows_tiles(void);

#endif
