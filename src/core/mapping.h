/* mapping.h: files that are mapped to be read. What was read of one and went elsewhere, such as to a device, need not
 * stay in memory: it comes from the file again when it is looked at. Any thread may call these. */
#ifndef TN_CORE_MAPPING_H
#define TN_CORE_MAPPING_H

#include <stdint.h>

#include "tenon/status.h"

typedef struct tn_mapping {
    const unsigned char *data;
    uint64_t bytes; /* not 0 */
    struct tn_mapping *next;
} tn_mapping;

/* Fails with a line that names the file and says why: a regular file that is not empty can be mapped. */
TN_MUST_USE tn_status tn_map(const char *path, tn_mapping **mapping);
void tn_unmap(tn_mapping *mapping); /* NULL is fine */

/* These bytes have been used: those of them that lie in a mapping, whole pages, leave memory. */
void tn_mapped_used(const void *data, uint64_t bytes);

#endif
