/* table.c: a device's choices, to be seen, given to others, and taken from them. */
#include <string.h>

#include "alloc.h"
#include "cache.h"
#include "error.h"
#include "given.h"
#include "tuner.h"

static tn_status can_tune(const tn_device *device)
{
    TN_REQUIRE(device->tuned, TN_EUNSUPPORTED, "%s: its backend has no kernels to choose from", device->name);
    return TN_OK;
}

static const tn_row *row_at(const tn_tuned *table, size_t index)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const tn_row *row = &table->row[i];
        if (row->kind != TN_ROW_CHOSEN && row->kind != TN_ROW_GIVEN) continue;
        if (!index--) return row;
    }
    return NULL;
}

int tn_tuned_at(const tn_device *device, size_t index, tn_tuned_choice *choice)
{
    if (!device || !choice || !device->tuned) return 0;
    pthread_mutex_lock(&device->tuned->lock);
    const tn_row *row = row_at(device->tuned, index);
    if (row)
        *choice = (tn_tuned_choice){.key = row->key,
                                    .choice = row->choice,
                                    .seconds = 1e-9 * (double)row->nanoseconds,
                                    .usual = 1e-9 * (double)row->usual,
                                    .error = 1e-3 * (double)row->error,
                                    .unchecked = row->kind == TN_ROW_GIVEN,
                                    .unkept = device->tuned->changes > 0};
    pthread_mutex_unlock(&device->tuned->lock);
    return row != NULL;
}

tn_status tn_tuned_export(const tn_device *device, char *text, uint64_t room, uint64_t *bytes)
{
    TN_GIVEN(device, bytes);
    TN_REQUIRE(text || !room, TN_EINVAL, "tn_tuned_export: text is NULL");
    TN_TRY(can_tune(device));
    pthread_mutex_lock(&device->tuned->lock);
    char *all = tn_tuned_text(device->tuned, 0);
    pthread_mutex_unlock(&device->tuned->lock);
    if (!all) return TN_ENOMEM;
    *bytes = strlen(all);
    if (*bytes <= room) memcpy(text, all, *bytes);
    tn_free(all);
    return TN_OK;
}

/* Whose it is. */
static tn_status check_origin(const tn_device *device, const tn_tuned *table)
{
    const tn_tune_identity *own = &device->tuned->of;
    TN_REQUIRE(!strcmp(own->device, table->of.device), TN_EINVAL, "the table is of another device, '%s'; %s is '%s'",
               table->of.device, device->name, own->device);
    TN_REQUIRE(!strcmp(own->driver, table->of.driver), TN_EINVAL,
               "the table is of another driver or version, '%s'; %s has '%s'", table->of.driver, device->name,
               own->driver);
    return TN_OK;
}

/* Rows that the device has no choice for: what was measured here is better known. */
static tn_status merge(tn_device *device, const tn_tuned *table, uint32_t *count)
{
    for (uint32_t i = 0; i < table->count; i++) {
        tn_row row = table->row[i];
        const tn_row *own = tn_tuned_find(device->tuned, row.key, row.choice);
        if (row.kind != TN_ROW_CHOSEN && row.kind != TN_ROW_GIVEN) continue;
        if (tn_tuned_of_kind(device->tuned, row.key, TN_ROW_CHOSEN) || (own && own->kind != TN_ROW_RIGHT)) continue;
        TN_TRY(tn_tuned_drop(device->tuned, row.key, TN_ROW_GIVEN));
        row.kind = TN_ROW_GIVEN, row.deaths = 0;
        TN_TRY(tn_tuned_put(device->tuned, &row));
        ++*count;
    }
    tn_tuned_keep(device);
    return TN_OK;
}

tn_status tn_tuned_import(tn_device *device, const char *text, uint64_t bytes, uint32_t *count)
{
    TN_GIVEN(device, text);
    tn_tuned table = {.count = 0};
    uint32_t taken = 0;
    TN_TRY(can_tune(device));
    TN_TRY(tn_tuned_read(text, bytes, &table));
    pthread_mutex_lock(&device->tuned->lock);
    tn_status s = check_origin(device, &table);
    if (!s) s = merge(device, &table, &taken);
    pthread_mutex_unlock(&device->tuned->lock);
    tn_tuned_clear(&table);
    if (!s && count) *count = taken;
    return s;
}

tn_status tn_tuned_forget(tn_device *device)
{
    TN_GIVEN(device);
    tn_status s = TN_OK;
    TN_TRY(can_tune(device));
    pthread_mutex_lock(&device->tuned->lock);
    for (uint32_t i = 0; i < device->tuned->count && !s; i++)
        if (device->tuned->row[i].kind == TN_ROW_CHOSEN) s = tn_tuned_choose(device, device->tuned->row[i].key, NULL);
    if (!s) s = tn_tuned_empty(device->tuned);
    if (!s && !tn_tuned_keep(device) && tn_cache_can_keep())
        s = tn_fail(TN_EIO, "%s: what was chosen is forgotten by this process alone: the cache can't be written",
                    device->name);
    pthread_mutex_unlock(&device->tuned->lock);
    return s;
}
