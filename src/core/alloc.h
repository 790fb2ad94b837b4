/* alloc.h: the library's heap: counted, and able to fail on purpose in tests. Free-threaded. */
#ifndef TN_CORE_ALLOC_H
#define TN_CORE_ALLOC_H

#include "tenon/status.h"

/* Zeroed memory, or NULL with tn_message set. Aligned memory from a mebibyte on lies on large pages, where the system
 * has them. tn_free(NULL) is fine. */
void *tn_alloc(size_t bytes);
void *tn_alloc_aligned(size_t bytes, size_t alignment);
void tn_free(void *memory);
char *tn_strdup(const char *text);

/* Grows *array, of `capacity` elements of `size` bytes, so that `need` fit; new elements are zero. */
tn_status tn_grow(void *array, uint32_t *capacity, uint32_t need, size_t size);

/* How many allocations have failed so far: for those who ask what they can't be told. */
uint64_t tn_alloc_failures(void);

/* For tests: the allocation that many calls from now fails, and all after it until it is set again. Negative: none. */
void tn_alloc_fail_after(int64_t calls);

/* A region: many small pieces, zeroed and aligned for any type, freed at once. A zeroed struct is empty. */
typedef struct tn_region {
    struct tn_region_block *blocks;
} tn_region;
void *tn_region_alloc(tn_region *region, size_t bytes);
char *tn_region_print(tn_region *region, const char *format, ...) TN_PRINTF(2, 3);
void tn_region_free(tn_region *region);

#endif
