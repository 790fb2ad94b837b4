/* hash.c: see hash.h. */
#include "hash.h"

#include <string.h>

uint64_t tn_hash_bytes(uint64_t so_far, const void *bytes, uint64_t count)
{
    const unsigned char *at = bytes;
    while (count--) so_far = (so_far ^ *at++) * UINT64_C(0x100000001B3);
    return so_far;
}

uint64_t tn_hash_text(const char *text)
{
    return tn_hash_bytes(TN_HASH_EMPTY, text, strlen(text));
}
