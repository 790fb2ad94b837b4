/* tuned.c: see tuned.h. */
#include "tuned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cache.h"
#include "error.h"
#include "hash.h"
#include "text.h"

static const char title[] = "tenon tuned 1";
static const char *const kinds[TN_ROW_KINDS] = {"chosen", "given", "right", "wrong", "failed", "trying"};
static const char *const endings[TN_TUNE_DEATHS + 1] = {"", "+1", "+2"}; /* by deaths */

const tn_ext_tune *tn_tune_extension(const tn_backend *backend)
{
    const tn_ext_tune *t = tn_backend_extension(backend, TN_EXT_TUNE);
    if (!t || !TN_HAS(tn_ext_tune, t, chosen)) return NULL;
    return t->identity && t->key && t->candidates && t->prepare && t->choose && t->chosen ? t : NULL;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------
 */

tn_row *tn_tuned_find(const tn_tuned *table, const char *key, const char *choice)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (!strcmp(table->row[i].key, key) && !strcmp(table->row[i].choice, choice)) return &table->row[i];
    return NULL;
}

tn_row *tn_tuned_of_kind(const tn_tuned *table, const char *key, int32_t kind)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (table->row[i].kind == kind && !strcmp(table->row[i].key, key)) return &table->row[i];
    return NULL;
}

static void free_row(tn_row *row)
{
    tn_free(row->key);
    tn_free(row->choice);
}

tn_status tn_tuned_put(tn_tuned *table, const tn_row *row)
{
    tn_row *old = tn_tuned_find(table, row->key, row->choice), made = *row;
    if (old) {
        old->kind = row->kind, old->deaths = row->deaths;
        old->nanoseconds = row->nanoseconds, old->usual = row->usual, old->error = row->error;
        return TN_OK;
    }
    TN_TRY(tn_grow(&table->row, &table->capacity, table->count + 1, sizeof *table->row));
    made.key = tn_strdup(row->key);
    made.choice = tn_strdup(row->choice);
    if (!made.key || !made.choice) {
        free_row(&made);
        return TN_ENOMEM;
    }
    table->row[table->count++] = made;
    return TN_OK;
}

void tn_tuned_drop(tn_tuned *table, const char *key, int32_t kind)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        if (table->row[i].kind == kind && !strcmp(table->row[i].key, key))
            free_row(&table->row[i]);
        else
            table->row[kept++] = table->row[i];
    }
    table->count = kept;
}

void tn_tuned_clear(tn_tuned *table)
{
    for (uint32_t i = 0; i < table->count; i++) free_row(&table->row[i]);
    tn_free(table->row);
    table->row = NULL;
    table->count = table->capacity = 0;
}

/* ---- as a text ----------------------------------------------------------------------------------------------------
 */

enum { NUMBERS = 96 }; /* bytes of a line besides its texts, and of the sum */

static size_t most_bytes(const tn_tuned *table)
{
    size_t bytes = sizeof title + sizeof table->of + 3 * NUMBERS;
    for (uint32_t i = 0; i < table->count; i++)
        bytes += NUMBERS + strlen(table->row[i].key) + strlen(table->row[i].choice);
    return bytes;
}

static int is_lasting(const tn_row *row)
{
    return row->kind == TN_ROW_CHOSEN || row->kind == TN_ROW_GIVEN;
}

char *tn_tuned_text(const tn_tuned *table, int all)
{
    const size_t room = most_bytes(table);
    char *text = tn_alloc(room);
    if (!text) return NULL;
    size_t used = (size_t)snprintf(text, room, "%s\ndevice %s\ndriver %s\n", title, table->of.device, table->of.driver);
    for (uint32_t i = 0; i < table->count; i++) {
        const tn_row *row = &table->row[i];
        if (!all && !is_lasting(row)) continue;
        used += (size_t)snprintf(text + used, room - used, "%s%s %llu %llu %llu %s | %s\n", kinds[row->kind],
                                 all ? endings[row->deaths] : "", (unsigned long long)row->nanoseconds,
                                 (unsigned long long)row->usual, (unsigned long long)row->error, row->key, row->choice);
    }
    snprintf(text + used, room - used, "sum %016llx\n", (unsigned long long)tn_hash_bytes(TN_HASH_EMPTY, text, used));
    return text;
}

/* The line's beginning, if it is `word` and a blank, is passed over; or NULL. */
static char *after(char *line, const char *word)
{
    const size_t length = strlen(word);
    return line && !strncmp(line, word, length) && line[length] == ' ' ? line + length + 1 : NULL;
}

/* The line behind its first word, which is this kind's; or NULL. */
static char *after_kind(char *line, int32_t kind, uint32_t *deaths)
{
    char word[16], *rest = NULL;
    for (uint32_t n = 0; n <= TN_TUNE_DEATHS && !rest; n++) {
        snprintf(word, sizeof word, "%s%s", kinds[kind], endings[n]);
        if ((rest = after(line, word))) *deaths = n;
    }
    return rest;
}

static int read_number(char **at, uint64_t *number)
{
    char *end = *at;
    if (**at < '0' || **at > '9') return 0;
    *number = strtoull(*at, &end, 10);
    if (*end != ' ') return 0;
    *at = end + 1;
    return 1;
}

static tn_status damaged(uint32_t line)
{
    return tn_fail(TN_EINVAL, "the table of tuned kernels is damaged: line %u is none of its lines", line);
}

static tn_status read_row(tn_tuned *table, char *line, uint32_t number)
{
    tn_row row = {.kind = -1};
    char *at = NULL;
    for (int32_t k = 0; k < TN_ROW_KINDS && !at; k++)
        if ((at = after_kind(line, k, &row.deaths))) row.kind = k;
    if (!at || !read_number(&at, &row.nanoseconds) || !read_number(&at, &row.usual) || !read_number(&at, &row.error))
        return damaged(number);
    char *bar = strstr(at, " | ");
    if (!bar || bar == at || bar - at >= TN_TUNE_KEY || strlen(bar + 3) >= TN_TUNE_CHOICE) return damaged(number);
    *bar = 0;
    row.key = at, row.choice = bar + 3;
    if (tn_tuned_find(table, row.key, row.choice)) return damaged(number);
    return tn_tuned_put(table, &row);
}

static tn_status read_word(char *line, uint32_t number, const char *word, char *to, size_t room)
{
    const char *text = after(line, word);
    if (!text || strlen(text) >= room) return damaged(number);
    strcpy(to, text);
    return TN_OK;
}

/* The next line of a text, closed; NULL past the last. */
static char *cut_line(char **rest)
{
    char *line = *rest, *end = line ? strchr(line, '\n') : NULL;
    *rest = end ? end + 1 : NULL;
    if (end) *end = 0;
    return line;
}

/* A closed text whose checksum was right, and is cut off. */
static tn_status read_lines(tn_tuned *table, char *text)
{
    char *rest = text, *line = cut_line(&rest);
    if (!line || strcmp(line, title)) return damaged(1);
    TN_TRY(read_word(cut_line(&rest), 2, "device", table->of.device, sizeof table->of.device));
    TN_TRY(read_word(cut_line(&rest), 3, "driver", table->of.driver, sizeof table->of.driver));
    for (uint32_t n = 4; (line = cut_line(&rest)) && *line; n++) TN_TRY(read_row(table, line, n));
    return TN_OK;
}

/* What is before the line of the sum, which is right: its bytes; 0: it is damaged. */
static uint64_t check_sum(const char *text, uint64_t bytes)
{
    char end[NUMBERS];
    const uint64_t last = sizeof "sum 0123456789abcdef" /* and a line's end, no zero */;
    if (bytes <= last) return 0;
    snprintf(end, sizeof end, "sum %016llx\n", (unsigned long long)tn_hash_bytes(TN_HASH_EMPTY, text, bytes - last));
    return memcmp(text + bytes - last, end, last) || memchr(text, 0, bytes) ? 0 : bytes - last;
}

tn_status tn_tuned_read(const char *text, uint64_t bytes, tn_tuned *table)
{
    const uint64_t body = check_sum(text, bytes);
    TN_REQUIRE(body, TN_EINVAL, "this is no table of tuned kernels, or it is damaged or cut");
    tn_tuned made = {.count = 0};
    char *copy = tn_alloc(body + 1);
    if (!copy) return TN_ENOMEM;
    memcpy(copy, text, body);
    tn_status s = read_lines(&made, copy);
    tn_free(copy);
    if (s) {
        tn_tuned_clear(&made);
        return s;
    }
    table->of = made.of;
    table->row = made.row, table->count = made.count, table->capacity = made.capacity;
    return TN_OK;
}

/* ---- of a device --------------------------------------------------------------------------------------------------
 */

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

/* Rows of another driver are left where they are, and not used. */
static int is_of(const tn_device *device, const tn_tuned *table)
{
    uint32_t lasting = 0;
    if (!strcmp(device->tuned->of.driver, table->of.driver)) return 1;
    for (uint32_t i = 0; i < table->count; i++) lasting += (uint32_t)is_lasting(&table->row[i]);
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
    own->row = table->row, own->count = table->count, own->capacity = table->capacity;
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
    TN_TRY(identify(device));
    char *text = read_cache(device, &bytes);
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

void tn_tuned_keep(const tn_device *device)
{
    char key[TN_TUNE_KEY];
    char *text = tn_tuned_text(device->tuned, 1);
    if (!text) return;
    cache_key(device, key);
    tn_cache_put("tenon", key, text, strlen(text), TN_CACHE_LIMIT);
    tn_free(text);
}
