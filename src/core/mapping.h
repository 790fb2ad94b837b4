/* mapping.h: files that are mapped to be read, or read where they are small. What was read of one and went elsewhere,
 * such as to a device, need not stay in memory: it comes from the file again when it is looked at. So a file that
 * others cut takes bytes away that are still wanted, and looking at them would end the process: ask before, and copy
 * what is much by tn_mapped_read. Any thread may call these. */
#ifndef TN_CORE_MAPPING_H
#define TN_CORE_MAPPING_H

#include <stdint.h>
#include <time.h>

#include "tenon/status.h"

typedef struct tn_mapping {
    const unsigned char *data;
    uint64_t bytes; /* not 0 */
    char *path;
    int fd;                  /* -1: it was read, and what becomes of the file is nothing to it */
    struct timespec changed; /* when, as it was mapped */
    struct tn_mapping *next;
} tn_mapping;

/* Fails with a line that names the file and says why: a regular file that is not empty can be mapped. */
TN_MUST_USE tn_status tn_map(const char *path, tn_mapping **mapping);
void tn_unmap(tn_mapping *mapping); /* NULL is fine */

/* That the file has the size and the time of its last change that it was mapped with; else fails with its path. NULL is
 * fine. tn_mapped_check is for who knows the bytes alone: fine where they lie in no mapping. */
TN_MUST_USE tn_status tn_mapping_check(const tn_mapping *mapping);
TN_MUST_USE tn_status tn_mapped_check(const void *data, uint64_t bytes);

/* Copies bytes, wherever they lie. Those of a mapping come from its file by reading it: one that is cut in between is
 * an error that names it. */
TN_MUST_USE tn_status tn_mapped_read(const void *data, uint64_t bytes, void *to);

/* Bytes that are looked at one after another: so many of them at a time are copied by tn_mapped_read. */
enum { TN_LOOK = 4096 };
typedef struct tn_look {
    const unsigned char *data;
    uint64_t bytes;
    uint64_t first, count; /* which of them are in the window */
    unsigned char byte[TN_LOOK];
} tn_look;

/* The bytes from `at` on, `*count` of them: at least one, where there are more. */
TN_MUST_USE tn_status tn_look_at(tn_look *w, uint64_t at, const unsigned char **byte, uint64_t *count);

/* These bytes have been used: those of them that lie in a mapping, whole pages, leave memory. */
void tn_mapped_used(const void *data, uint64_t bytes);

#endif
