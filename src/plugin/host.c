/* host.c: what the library does for backends. `self` of each function is the backend's id. */
#include "host.h"

#include <string.h>

#include "alloc.h"
#include "cache.h"
#include "error.h"
#include "options.h"
#include "system.h"
#include "thread.h"
#include "tenon/backend_ext.h"

/* ---- parallel_for: threads made for the call, the caller being one of them --------------------------------------- */

#define MAX_THREADS 64

typedef struct piece {
    void (*body)(void *arg, int64_t begin, int64_t end);
    void *arg;
    int64_t begin, end;
    pthread_t thread;
    int started;
} piece;

static void *run_piece(void *arg)
{
    piece *mine = arg;
    mine->body(mine->arg, mine->begin, mine->end);
    return NULL;
}

/* As many as there are processors that this program may use. */
static int64_t processors(void)
{
    const int64_t n = tn_system_processors();
    return n > MAX_THREADS ? MAX_THREADS : n;
}

/* A piece whose thread can't be made is run by the caller. */
void tn_parallel_for(void *self, int64_t n, void (*body)(void *arg, int64_t begin, int64_t end), void *arg)
{
    piece pieces[MAX_THREADS];
    int64_t count = processors() < n ? processors() : n, begin = 0;
    (void)self;
    for (int64_t i = 0; i < count; i++) {
        int64_t end = begin + n / count + (i < n % count);
        pieces[i] = (piece){body, arg, begin, end, 0, 0};
        if (i) pieces[i].started = !tn_thread_start(&pieces[i].thread, run_piece, &pieces[i]);
        begin = end;
    }
    for (int64_t i = 0; i < count; i++)
        if (!pieces[i].started) run_piece(&pieces[i]);
    for (int64_t i = 0; i < count; i++)
        if (pieces[i].started) pthread_join(pieces[i].thread, NULL);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static void *host_allocate(void *self, uint64_t bytes, uint64_t alignment)
{
    (void)self;
    if (!alignment || alignment & (alignment - 1)) return NULL;
    return tn_alloc_aligned(bytes, alignment);
}

static void host_release(void *self, void *memory)
{
    (void)self;
    tn_free(memory);
}

static void host_log(void *self, int32_t level, const char *line)
{
    tn_log_line(level, "%s: %s", (const char *)self, line ? line : "");
}

static const char *host_option(void *self, const char *backend, const char *key)
{
    (void)self;
    return backend && key ? tn_option_get(backend, key) : NULL;
}

static int64_t host_cache_get(void *self, const char *key, void *data, uint64_t capacity)
{
    return key ? tn_cache_get(self, key, data, capacity) : -1;
}

static void host_cache_put(void *self, const char *key, const void *data, uint64_t bytes)
{
    if (key) tn_cache_put(self, key, data, bytes, TN_CACHE_LIMIT);
}

static const struct {
    const char *id;
    const void *table;
} extensions[] = {
    {TN_EXT_LIBRARY, &(const tn_ext_library){sizeof(tn_ext_library), TN_VERSION, TN_ABI_MAJOR, TN_ABI_MINOR}},
};

static const void *host_get_ext(void *self, const char *id)
{
    (void)self;
    for (size_t i = 0; id && i < sizeof extensions / sizeof *extensions; i++)
        if (!strcmp(extensions[i].id, id)) return extensions[i].table;
    return NULL;
}

/* Without a cache there are no functions for it: drivers may take seconds to say what would be kept. */
tn_host tn_host_for(const char *id)
{
    int cached = tn_cache_is_on();
    return (tn_host){
        .size = sizeof(tn_host),
        .self = (void *)(uintptr_t)id,
        .allocate = host_allocate,
        .release = host_release,
        .log = host_log,
        .option = host_option,
        .cache_get = cached ? host_cache_get : NULL,
        .cache_put = cached ? host_cache_put : NULL,
        .parallel_for = tn_parallel_for,
        .get_ext = host_get_ext,
    };
}
