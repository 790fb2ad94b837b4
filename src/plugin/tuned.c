/* tuned.c: the table of what was tuned on a device: whose it is, the cache, and the device's backend (tuned.h). */
#include "tuned.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "cache.h"
#include "error.h"
#include "hash.h"
#include "text.h"

const tn_ext_tune *tn_tune_extension(const tn_backend *backend)
{
    const tn_ext_tune *t = tn_backend_extension(backend, TN_EXT_TUNE);
    if (!t || !TN_HAS(tn_ext_tune, t, chosen)) return NULL;
    return t->identity && t->key && t->candidates && t->prepare && t->choose && t->chosen ? t : NULL;
}

static void cache_key(const tn_device *device, char key[TN_TUNE_KEY])
{
    snprintf(key, TN_TUNE_KEY, "tuned\n%s\n%s", device->backend->id, device->tuned->of.device);
}

static tn_status identify(tn_device *device)
{
    TN_MESSAGE(msg);
    tn_tune_identity *of = &device->tuned->of;
    *of = (tn_tune_identity){.size = sizeof *of};
    TN_TRY(tn_device_status(device, tn_tune_extension(device->backend)->identity(device->context, of, &msg), &msg));
    tn_text_clean(of->device, sizeof of->device);
    tn_text_clean(of->driver, sizeof of->driver);
    return TN_OK;
}

tn_status tn_tuned_choose(const tn_device *device, const char *key, const char *choice)
{
    TN_MESSAGE(msg);
    const tn_ext_tune *tune = tn_tune_extension(device->backend);
    if (!strncmp(key, TN_NETWORK_KEY, strlen(TN_NETWORK_KEY))) return TN_OK;
    return tn_device_status(device, tune->choose(device->context, key, choice && *choice ? choice : NULL, &msg), &msg);
}

/* The entry of the cache, or NULL. */
static char *read_cache(const tn_device *device, uint64_t *bytes)
{
    char key[TN_TUNE_KEY];
    cache_key(device, key);
    const int64_t size = tn_cache_get("tenon", key, NULL, 0);
    char *text = size > 0 ? tn_alloc((size_t)size) : NULL;
    *bytes = (uint64_t)size;
    if (text && tn_cache_get("tenon", key, text, (uint64_t)size) == size) return text;
    tn_free(text);
    return NULL;
}

/* An entry that is there and can't be read. */
static void warn_of_damage(const tn_device *device)
{
    char key[TN_TUNE_KEY];
    cache_key(device, key);
    if (tn_cache_is_there("tenon", key))
        tn_log_line(TN_LOG_WARNING,
                    "%s: the table of tuned kernels in the cache is damaged, and not used; 'tenon tune' "
                    "begins it anew",
                    device->name);
}

/* Rows of another driver are left where they are, and not used. */
static int is_of(const tn_device *device, const tn_tuned *table)
{
    uint32_t lasting = 0;
    if (!strcmp(device->tuned->of.driver, table->of.driver)) return 1;
    for (uint32_t i = 0; i < table->count; i++) lasting += (uint32_t)tn_tuned_is_lasting(&table->row[i]);
    if (lasting)
        tn_log_line(TN_LOG_WARNING,
                    "%s: %u tuned kernels are not used, as they were tuned with another driver or version: %s; 'tenon "
                    "tune' tunes anew",
                    device->name, lasting, table->of.driver);
    return 0;
}

static void take(tn_device *device, tn_tuned *table)
{
    tn_tuned *own = device->tuned;
    tn_tuned_move(own, table);
    for (uint32_t i = 0; i < own->count; i++) {
        const tn_row *row = &own->row[i];
        if (row->kind != TN_ROW_CHOSEN || !tn_tuned_choose(device, row->key, row->choice)) continue;
        tn_log_line(TN_LOG_WARNING, "%s: the table of tuned kernels is not used: %s", device->name, tn_message());
        while (i--) (void)!tn_tuned_choose(device, own->row[i].key, NULL);
        tn_tuned_clear(own);
        return;
    }
}

/* A tuner that tells of an operator may be asked for the table in return. */
static void make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t how;
    pthread_mutexattr_init(&how);
    pthread_mutexattr_settype(&how, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(lock, &how);
    pthread_mutexattr_destroy(&how);
}

tn_status tn_tuned_load(tn_device *device)
{
    uint64_t bytes = 0;
    tn_tuned table = {.count = 0};
    if (!tn_tune_extension(device->backend)) return TN_OK;
    device->tuned = tn_alloc(sizeof *device->tuned);
    if (!device->tuned) return TN_ENOMEM;
    make_lock(&device->tuned->lock);
    device->tuned->notes = 1;
    TN_TRY(identify(device));
    char *text = read_cache(device, &bytes);
    if (!text) warn_of_damage(device);
    if (!text) return TN_OK;
    if (tn_tuned_read(text, bytes, &table))
        tn_log_line(TN_LOG_WARNING, "%s: %s", device->name, tn_message());
    else if (is_of(device, &table))
        take(device, &table);
    else
        tn_tuned_clear(&table);
    tn_free(text);
    return TN_OK;
}

void tn_tuned_free(tn_device *device)
{
    if (!device->tuned) return;
    tn_tuned_clear(device->tuned);
    pthread_mutex_destroy(&device->tuned->lock);
    tn_free(device->tuned);
    device->tuned = NULL;
}

/* ---- with what other processes wrote meanwhile ------------------------------------------------------------------- */

static void choose_row(const tn_device *device, const tn_row *row, const char *choice)
{
    if (tn_tuned_choose(device, row->key, choice)) tn_log_line(TN_LOG_WARNING, "%s: %s", device->name, tn_message());
}

/* The table becomes what is in the cache, with the changes made here: the backend is told of choices that others made.
 */
static void adopt(const tn_device *device, tn_tuned *theirs)
{
    tn_tuned *own = device->tuned;
    for (uint32_t i = 0; i < own->count; i++) {
        const tn_row *row = &own->row[i];
        if (row->kind == TN_ROW_CHOSEN && !tn_tuned_of_kind(theirs, row->key, TN_ROW_CHOSEN))
            choose_row(device, row, NULL);
    }
    for (uint32_t i = 0; i < theirs->count; i++) {
        const tn_row *row = &theirs->row[i];
        if (row->kind != TN_ROW_CHOSEN) continue;
        const tn_row *before = tn_tuned_find(own, row->key, row->choice);
        if (!before || before->kind != TN_ROW_CHOSEN) choose_row(device, row, row->choice);
    }
    tn_tuned_move(own, theirs);
}

/* What can't be read, is another driver's or was written here last is left out. */
static void catch_up(const tn_device *device)
{
    tn_tuned *own = device->tuned, theirs = {.count = 0};
    uint64_t bytes = 0;
    char *text = read_cache(device, &bytes);
    const int is_new = text && tn_hash_bytes(TN_HASH_EMPTY, text, bytes) != own->written;
    if (is_new && !tn_tuned_read(text, bytes, &theirs) && !strcmp(own->of.driver, theirs.of.driver) &&
        !tn_tuned_change_so(&theirs, own))
        adopt(device, &theirs);
    tn_tuned_clear(&theirs);
    tn_free(text);
}

/* A full disk; who has no cache knows it. */
static void warn_of_unwritten(const tn_device *device)
{
    if (!device->tuned->is_told && tn_cache_can_keep())
        tn_log_line(TN_LOG_WARNING,
                    "%s: the table of tuned kernels can't be written to the cache; what is found is used by this "
                    "process alone",
                    device->name);
    device->tuned->is_told = 1;
}

int tn_tuned_keep(const tn_device *device)
{
    char key[TN_TUNE_KEY];
    cache_key(device, key);
    const int lock = tn_cache_lock("tenon", key);
    catch_up(device);
    char *text = tn_tuned_text(device->tuned, 1);
    const int is_kept = text && tn_cache_put("tenon", key, text, strlen(text), TN_CACHE_LIMIT);
    if (is_kept) {
        tn_tuned_forget_changes(device->tuned);
        device->tuned->written = tn_hash_bytes(TN_HASH_EMPTY, text, strlen(text));
    } else {
        warn_of_unwritten(device);
    }
    tn_free(text);
    tn_cache_unlock(lock);
    return is_kept;
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

int tn_tuned_enter(const tn_device *device, int *is_alone)
{
    char key[TN_TUNE_KEY];
    snprintf(key, sizeof key, "run\n%s\n%s", device->backend->id, device->tuned->of.device);
    const int lock = tn_cache_lock_now("tenon", key);
    *is_alone = lock != TN_CACHE_TAKEN;
    return lock;
}

void tn_tuned_leave(int lock)
{
    tn_cache_unlock(lock);
}
