/* order.h: the order of the bytes of numbers. Memory has the machine's, files have theirs: most of them the lowest byte
 * first, some the highest. Nothing else of this library depends on it, nor asks for it. Any thread may call. */
#ifndef TN_CORE_ORDER_H
#define TN_CORE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#define TN_MACHINE_IS_BIG (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

#if !TN_MACHINE_IS_BIG && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the bytes of this machine's numbers are in neither order"
#endif

/* Its sign in NumPy's headers. */
#if TN_MACHINE_IS_BIG
#define TN_MACHINE_ORDER ">"
#else
#define TN_MACHINE_ORDER "<"
#endif

/* A number of 1 to 8 bytes at any address, whose highest byte comes first if `big`, else the lowest. */
static inline uint64_t tn_bytes_get(const void *at, size_t bytes, int big)
{
    const uint8_t *byte = at;
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) value |= (uint64_t)byte[big ? bytes - 1 - i : i] << 8 * i;
    return value;
}

/* The lowest byte first. */
static inline void tn_bytes_put(void *at, size_t bytes, uint64_t value)
{
    for (size_t i = 0; i < bytes; i++) ((uint8_t *)at)[i] = (uint8_t)(value >> 8 * i);
}

/* The bits of an element as this machine has it in memory, at any address. */
static inline uint64_t tn_bytes_own(const void *at, size_t bytes)
{
    return tn_bytes_get(at, bytes, TN_MACHINE_IS_BIG);
}

/* Turns round the bytes of each of `count` elements of `size` bytes. */
void tn_bytes_turn(void *data, size_t size, uint64_t count);

/* Makes elements in memory what they are in files that have the lowest byte first, or of these what they are in memory;
 * on most machines that is nothing. */
static inline void tn_bytes_as_in_file(void *data, size_t size, uint64_t count)
{
    if (TN_MACHINE_IS_BIG) tn_bytes_turn(data, size, count);
}

#endif
