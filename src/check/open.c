/* open.c: the backend through its table, with a host that counts memory, makes it fail and damages the cache; and
 * through the library. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "kit.h"
#include "loader.h"
#include "reference.h"

int64_t tn_kit_live, tn_kit_fail_at = -1, tn_kit_asked, tn_kit_puts;
int tn_kit_damage;
char tn_kit_option[TN_KIT_OPTIONS][64];
uint32_t tn_kit_options;
const char *tn_kit_wrong;

static tn_host library; /* the library's own services, which are passed on */

/* ---- the host ---- */

static void *allocate(void *self, uint64_t bytes, uint64_t alignment)
{
    int64_t number = __atomic_fetch_add(&tn_kit_asked, 1, __ATOMIC_RELAXED);
    void *memory = tn_kit_fail_at >= 0 && number >= tn_kit_fail_at ? NULL : library.allocate(self, bytes, alignment);
    if (memory) __atomic_fetch_add(&tn_kit_live, 1, __ATOMIC_RELAXED);
    return memory;
}

static void release(void *self, void *memory)
{
    if (memory) __atomic_fetch_sub(&tn_kit_live, 1, __ATOMIC_RELAXED);
    library.release(self, memory);
}

static void log_nothing(void *self, int32_t level, const char *line)
{
    (void)self, (void)level, (void)line;
}

static void remember_option(const char *key)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    uint32_t i = 0;
    pthread_mutex_lock(&lock);
    while (i < tn_kit_options && strcmp(tn_kit_option[i], key)) i++;
    if (i == tn_kit_options && i < TN_KIT_OPTIONS)
        snprintf(tn_kit_option[tn_kit_options++], sizeof *tn_kit_option, "%s", key);
    pthread_mutex_unlock(&lock);
}

static const char *option(void *self, const char *backend, const char *key)
{
    if (backend && key && !strcmp(backend, self)) remember_option(key);
    if (tn_kit_wrong && key && !strcmp(key, tn_kit_wrong)) return TN_KIT_NONSENSE;
    return library.option(self, backend, key);
}

/* The latest entries of two keys. */
static struct {
    char key[200];
    unsigned char *data;
    uint64_t size;
} seen[2];

static void remember(const char *key, const void *data, uint64_t bytes)
{
    if (!strcmp(seen[0].key, key)) return;
    unsigned char *copy = malloc(bytes + 1);
    if (!copy) return;
    free(seen[1].data);
    seen[1] = seen[0];
    snprintf(seen[0].key, sizeof seen->key, "%s", key);
    memcpy(copy, data, bytes);
    seen[0].data = copy, seen[0].size = bytes;
}

static void put(void *self, const char *key, const void *data, uint64_t bytes)
{
    tn_kit_puts++;
    if (!tn_kit_damage) remember(key, data, bytes);
    library.cache_put(self, key, data, bytes);
}

/* The entry of another key. */
static int64_t foreign_get(const char *key, void *data, uint64_t capacity)
{
    int other = !strcmp(seen[0].key, key);
    if (!seen[other].data) return -1;
    if (seen[other].size <= capacity) memcpy(data, seen[other].data, seen[other].size);
    return (int64_t)seen[other].size;
}

/* Damage 1: the first half; 2: a byte turned; 3: something else of a plausible size; 4: what was kept for another key.
 */
static int64_t damaged_get(void *self, const char *key, void *data, uint64_t capacity)
{
    if (tn_kit_damage == 4) return foreign_get(key, data, capacity);
    if (tn_kit_damage == 3) {
        if (capacity >= 1000) memset(data, 'x', 1000);
        return 1000;
    }
    int64_t size = library.cache_get ? library.cache_get(self, key, data, capacity) : -1;
    if (!tn_kit_damage && size > 0 && (uint64_t)size <= capacity) remember(key, data, (uint64_t)size);
    if (size <= 0 || !tn_kit_damage) return size;
    if (tn_kit_damage == 1) return size / 2;
    if ((uint64_t)size <= capacity) ((unsigned char *)data)[size / 3] ^= 0x55;
    return size;
}

/* ---- the table ---- */

int tn_kit_load_table(tn_kit *kit)
{
    tn_reason reason = {""};
    kit->msg = (tn_msg){kit->text, sizeof kit->text};
    if (!*kit->target->file)
        kit->backend = tn_reference_backend();
    else if (tn_load_table(kit->target->file, &kit->backend, &reason))
        return tn_kit_expect(kit, 0, "it %.400s", reason.text);
    library = tn_host_for(kit->backend->id);
    kit->host = library;
    kit->host.allocate = allocate;
    kit->host.release = release;
    kit->host.log = log_nothing;
    kit->host.option = option;
    kit->host.cache_get = damaged_get;
    kit->host.cache_put = library.cache_put ? put : NULL;
    return 1;
}

int tn_kit_open_table(tn_kit *kit)
{
    const tn_backend *b = kit->backend;
    kit->info.size = sizeof kit->info;
    return tn_kit_ok(kit, b->init(&kit->host, &kit->msg), "init") &&
           tn_kit_ok(kit, b->device_info(kit->target->index, &kit->info, &kit->msg), "device_info") &&
           tn_kit_ok(kit, b->context_create(kit->target->index, &kit->context, &kit->msg), "context_create") &&
           tn_kit_ok(kit, b->queue_create(kit->context, &kit->queue, &kit->msg), "queue_create");
}

int tn_kit_open(tn_kit *kit)
{
    return tn_kit_load_table(kit) && tn_kit_open_table(kit);
}

const void *tn_kit_extension(const tn_kit *kit, const char *id)
{
    const tn_backend *b = kit->backend;
    return TN_HAS(tn_backend, b, get_ext) && b->get_ext ? b->get_ext(id) : NULL;
}

void tn_kit_close(tn_kit *kit)
{
    if (!kit->backend) return;
    if (kit->queue) kit->backend->queue_destroy(kit->queue);
    if (kit->context) kit->backend->context_destroy(kit->context);
    kit->backend->deinit();
    tn_kit_expect(kit, tn_kit_live == 0, "%lld blocks of the host's memory were not given back",
                  (long long)tn_kit_live);
}

/* ---- the library ---- */

int tn_kit_device(tn_kit *kit)
{
    tn_status s = *kit->target->file ? tn_backend_load(kit->target->file) : TN_OK;
    if (!s) s = tn_device_open(kit->target->about.device, &kit->device);
    return tn_kit_expect(kit, !s, "the device cannot be opened: %.400s", tn_message());
}
