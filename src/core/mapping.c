/* mapping.c: see mapping.h. All mappings are in a list, for those who have used bytes and do not know where they lie.
 */
#include "mapping.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alloc.h"
#include "error.h"
#include "read.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tn_mapping *first;

static void enlist(tn_mapping *m)
{
    pthread_mutex_lock(&lock);
    m->next = first;
    first = m;
    pthread_mutex_unlock(&lock);
}

tn_status tn_map(const char *path, tn_mapping **mapping)
{
    int fd = -1;
    uint64_t bytes = 0;
    tn_mapping *m = tn_alloc(sizeof *m);
    tn_status s = m ? tn_open_regular(path, &fd, &bytes) : TN_ENOMEM;
    void *data = bytes ? mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (fd >= 0) close(fd);
    if (!s && data == MAP_FAILED) s = tn_fail(TN_EFORMAT, "%s: %s", path, bytes ? "cannot be mapped" : "is empty");
    if (s) {
        tn_free(m);
        return s;
    }
    m->data = data;
    m->bytes = bytes;
    enlist(m);
    *mapping = m;
    return TN_OK;
}

void tn_unmap(tn_mapping *mapping)
{
    if (!mapping) return;
    pthread_mutex_lock(&lock);
    tn_mapping **at = &first;
    while (*at != mapping) at = &(*at)->next;
    *at = mapping->next;
    pthread_mutex_unlock(&lock);
    munmap((void *)(uintptr_t)mapping->data, (size_t)mapping->bytes);
    tn_free(mapping);
}

static int holds(const tn_mapping *m, uintptr_t begin, uint64_t bytes)
{
    return begin >= (uintptr_t)m->data && begin + bytes <= (uintptr_t)m->data + m->bytes;
}

void tn_mapped_used(const void *data, uint64_t bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)data;
    const uintptr_t from = (begin + page - 1) / page * page, to = (begin + bytes) / page * page;
    if (from >= to) return;
    pthread_mutex_lock(&lock);
    for (const tn_mapping *m = first; m; m = m->next)
        if (holds(m, begin, bytes)) (void)madvise((void *)from, to - from, MADV_DONTNEED);
    pthread_mutex_unlock(&lock);
}
