/* hash.h: hashes of 64 bits that are the same on every machine. They tell things apart that nobody made alike on
 * purpose. Fowler, Noll and Vo's, 1a. */
#ifndef TN_CORE_HASH_H
#define TN_CORE_HASH_H

#include <stdint.h>

#define TN_HASH_EMPTY UINT64_C(0xCBF29CE484222325) /* of no bytes */

/* Of what `so_far` is the hash of, and these bytes after it. */
uint64_t tn_hash_bytes(uint64_t so_far, const void *bytes, uint64_t count);

uint64_t tn_hash_text(const char *text);

#endif
