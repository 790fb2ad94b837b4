/* keep.c: what the OpenCL backend keeps on disk, through the host's cache. An entry holds a header and data; one that
 * does not fit (length, checksum, another device or driver) counts as missing. */
#include "opencl.h"

#include <stdio.h>
#include <string.h>

typedef struct entry_header {
    char magic[8];     /* the last is the kind */
    uint64_t hash[2];  /* of the source */
    uint64_t identity; /* device, driver */
    uint64_t bytes;    /* of the data behind */
    uint64_t checksum;
} entry_header;

static const char magic[8] = "TNOCL02";

static void entry_key(tn_context *context, char kind, const uint64_t hash[2], char key[96])
{
    snprintf(key, 96, "opencl-%c-%016llx-%016llx%016llx", kind, (unsigned long long)context->identity,
             (unsigned long long)hash[0], (unsigned long long)hash[1]);
}

static entry_header header_of(tn_context *context, char kind, const uint64_t hash[2], const void *data, uint64_t bytes)
{
    entry_header head = {.hash = {hash[0], hash[1]}, .identity = context->identity, .bytes = bytes};
    memcpy(head.magic, magic, sizeof magic);
    head.magic[7] = kind;
    head.checksum = ocl_hash(1, data, bytes);
    return head;
}

void ocl_keep(tn_context *context, char kind, const uint64_t hash[2], const void *data, uint64_t bytes)
{
    char key[96];
    unsigned char *entry = ocl_host->cache_put ? ocl_alloc(sizeof(entry_header) + bytes) : NULL;
    if (!entry) return;
    const entry_header head = header_of(context, kind, hash, data, bytes);
    memcpy(entry, &head, sizeof head);
    memcpy(entry + sizeof head, data, bytes);
    entry_key(context, kind, hash, key);
    ocl_host->cache_put(ocl_host->self, key, entry, sizeof head + bytes);
    ocl_free(entry);
}

/* Takes the header away, if all of the entry is as it was written. */
static int unwrap(tn_context *context, char kind, const uint64_t hash[2], unsigned char *entry, uint64_t bytes)
{
    if (bytes <= sizeof(entry_header)) return 0;
    const uint64_t rest = bytes - sizeof(entry_header);
    const entry_header head = header_of(context, kind, hash, entry + sizeof head, rest);
    if (memcmp(entry, &head, sizeof head)) return 0;
    memmove(entry, entry + sizeof head, rest);
    return 1;
}

void *ocl_kept(tn_context *context, char kind, const uint64_t hash[2], uint64_t *bytes)
{
    char key[96];
    if (!ocl_host->cache_get) return NULL;
    entry_key(context, kind, hash, key);
    const int64_t size = ocl_host->cache_get(ocl_host->self, key, NULL, 0);
    unsigned char *entry = size > 0 ? ocl_alloc((size_t)size) : NULL;
    if (!entry) return NULL;
    const int is_read = ocl_host->cache_get(ocl_host->self, key, entry, (uint64_t)size) == size;
    if (is_read && unwrap(context, kind, hash, entry, (uint64_t)size)) {
        *bytes = (uint64_t)size - sizeof(entry_header);
        return entry;
    }
    if (is_read) ocl_log_debug("a cache entry is damaged: ", key);
    ocl_free(entry);
    return NULL;
}
