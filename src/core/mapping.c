/* mapping.c: see mapping.h. All mappings are in a list, for those who have used bytes and do not know where they lie.
 */
#include "mapping.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "error.h"
#include "read.h"
#include "system.h"

enum { SMALL = 1 << 20 }; /* bytes: what has less is read */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tn_mapping *first;

static void enlist(tn_mapping *m)
{
    pthread_mutex_lock(&lock);
    m->next = first;
    first = m;
    pthread_mutex_unlock(&lock);
}

/* ---- in memory ---- */

static tn_status read_small(tn_mapping *m)
{
    uint64_t bytes = m->bytes;
    unsigned char *data = tn_alloc(bytes);
    m->data = data;
    if (!data) return TN_ENOMEM;
    TN_TRY(tn_read_some(m->fd, m->path, data, &bytes));
    TN_REQUIRE(bytes == m->bytes, TN_EIO, "%s: was changed while it was read", m->path);
    close(m->fd);
    m->fd = -1;
    return TN_OK;
}

static tn_status map_large(tn_mapping *m)
{
    const void *data = mmap(NULL, (size_t)m->bytes, PROT_READ, MAP_PRIVATE, m->fd, 0);
    TN_REQUIRE(data != MAP_FAILED, TN_EFORMAT, "%s: cannot be mapped", m->path);
    m->data = data;
    enlist(m);
    return TN_OK;
}

static tn_status fill(tn_mapping *m, const char *path)
{
    struct stat info;
    TN_TRY(tn_open_regular(path, &m->fd, &m->bytes));
    m->path = tn_strdup(path);
    if (!m->path) return TN_ENOMEM;
    TN_REQUIRE(!fstat(m->fd, &info), TN_EIO, "%s: cannot be read", path);
    TN_REQUIRE(info.st_size > 0, TN_EFORMAT, "%s: is empty", path);
    m->bytes = (uint64_t)info.st_size;
    m->changed = info.st_mtim;
    return m->bytes < SMALL ? read_small(m) : map_large(m);
}

/* ---- the interface ---- */

tn_status tn_map(const char *path, tn_mapping **mapping)
{
    tn_mapping *m = tn_alloc(sizeof *m);
    if (!m) return TN_ENOMEM;
    m->fd = -1;
    tn_status s = fill(m, path);
    if (s)
        tn_unmap(m);
    else
        *mapping = m;
    return s;
}

/* Returns whether it was there: what was read is not. */
static int leave_list(const tn_mapping *m)
{
    pthread_mutex_lock(&lock);
    tn_mapping **at = &first;
    while (*at && *at != m) at = &(*at)->next;
    const int found = *at != NULL;
    if (found) *at = m->next;
    pthread_mutex_unlock(&lock);
    return found;
}

void tn_unmap(tn_mapping *mapping)
{
    if (!mapping) return;
    if (leave_list(mapping))
        munmap((void *)(uintptr_t)mapping->data, (size_t)mapping->bytes);
    else
        tn_free((void *)(uintptr_t)mapping->data);
    if (mapping->fd >= 0) close(mapping->fd);
    tn_free(mapping->path);
    tn_free(mapping);
}

tn_status tn_mapping_check(const tn_mapping *m)
{
    struct stat info;
    if (!m || m->fd < 0) return TN_OK;
    const int is_same = !fstat(m->fd, &info) && (uint64_t)info.st_size == m->bytes &&
                        info.st_mtim.tv_sec == m->changed.tv_sec && info.st_mtim.tv_nsec == m->changed.tv_nsec;
    TN_REQUIRE(is_same, TN_EIO, "%s: was changed since it was read", m->path);
    return TN_OK;
}

static int holds(const tn_mapping *m, uintptr_t begin, uint64_t bytes)
{
    return begin >= (uintptr_t)m->data && begin + bytes <= (uintptr_t)m->data + m->bytes;
}

tn_status tn_mapped_check(const void *data, uint64_t bytes)
{
    tn_status s = TN_OK;
    pthread_mutex_lock(&lock);
    for (const tn_mapping *m = first; m && !s; m = m->next)
        if (holds(m, (uintptr_t)data, bytes)) s = tn_mapping_check(m);
    pthread_mutex_unlock(&lock);
    return s;
}

static tn_status read_at(const tn_mapping *m, uint64_t offset, uint64_t bytes, unsigned char *to)
{
    TN_TRY(tn_mapping_check(m));
    while (bytes) {
        const ssize_t got = pread(m->fd, to, (size_t)bytes, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        TN_REQUIRE(got > 0, TN_EIO, "%s: was changed since it was read", m->path);
        to += got, offset += (uint64_t)got, bytes -= (uint64_t)got;
    }
    return TN_OK;
}

tn_status tn_mapped_read(const void *data, uint64_t bytes, void *to)
{
    const tn_mapping *m;
    pthread_mutex_lock(&lock);
    for (m = first; m && !holds(m, (uintptr_t)data, bytes);) m = m->next;
    pthread_mutex_unlock(&lock);
    if (m) return read_at(m, (uint64_t)((const unsigned char *)data - m->data), bytes, to);
    memcpy(to, data, (size_t)bytes);
    return TN_OK;
}

tn_status tn_look_at(tn_look *w, uint64_t at, const unsigned char **byte, uint64_t *count)
{
    if (at < w->first || at >= w->first + w->count) {
        const uint64_t rest = at < w->bytes ? w->bytes - at : 0, some = rest < TN_LOOK ? rest : TN_LOOK;
        w->count = 0;
        TN_TRY(tn_mapped_read(w->data + at, some, w->byte));
        w->first = at, w->count = some;
    }
    *byte = w->byte + (at - w->first);
    *count = w->first + w->count - at;
    return TN_OK;
}

void tn_mapped_used(const void *data, uint64_t bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)data;
    const uintptr_t from = (begin + page - 1) / page * page, to = (begin + bytes) / page * page;
    if (from >= to) return;
    pthread_mutex_lock(&lock);
    for (const tn_mapping *m = first; m; m = m->next)
        if (holds(m, begin, bytes)) (void)tn_system_let_go((void *)from, to - from);
    pthread_mutex_unlock(&lock);
}
