/* tuned_rows.c: the rows of a table of what was tuned (tuned.h), found by their key, and what was changed in them since
 * the table was last written. Rows of a key are a chain of those in one bucket; one that is gone stays in its place
 * until many are. */
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "hash.h"
#include "tuned.h"

enum { FEWEST = 64 }; /* buckets, and rows that are gone before the others close up */

/* ---- chains ------------------------------------------------------------------------------------------------------ */

/* Number of the first row of the chain that the key is in, from 1 on; 0: there is none. */
static uint32_t *chain_of(const tn_tuned *table, uint64_t hash)
{
    return &table->bucket[hash % table->buckets];
}

static void chain(tn_tuned *table, uint32_t i)
{
    uint32_t *first = chain_of(table, table->row[i].hash);
    table->row[i].next = *first;
    *first = i + 1;
}

static void chain_all(tn_tuned *table)
{
    memset(table->bucket, 0, table->buckets * sizeof *table->bucket);
    for (uint32_t i = table->count; i--;) chain(table, i);
}

static tn_status make_room(tn_tuned *table)
{
    TN_TRY(tn_grow(&table->row, &table->capacity, table->count + 1, sizeof *table->row));
    if (table->count < table->buckets) return TN_OK;
    const uint32_t buckets = table->buckets ? 4 * table->buckets : FEWEST;
    uint32_t *bucket = tn_alloc(buckets * sizeof *bucket);
    if (!bucket) return TN_ENOMEM;
    tn_free(table->bucket);
    table->bucket = bucket, table->buckets = buckets;
    chain_all(table);
    return TN_OK;
}

/* The row behind `row` in its chain, or the first of the key's (row NULL), of that key; NULL past the last. */
static tn_row *next_of(const tn_tuned *table, const char *key, uint64_t hash, const tn_row *row)
{
    if (!table->buckets) return NULL;
    for (uint32_t at = row ? row->next : *chain_of(table, hash); at; at = table->row[at - 1].next) {
        tn_row *found = &table->row[at - 1];
        if (found->kind != TN_ROW_GONE && found->hash == hash && !strcmp(found->key, key)) return found;
    }
    return NULL;
}

tn_row *tn_tuned_find(const tn_tuned *table, const char *key, const char *choice)
{
    const uint64_t hash = tn_hash_text(key);
    for (tn_row *row = NULL; (row = next_of(table, key, hash, row));)
        if (!strcmp(row->choice, choice)) return row;
    return NULL;
}

tn_row *tn_tuned_of_kind(const tn_tuned *table, const char *key, int32_t kind)
{
    const uint64_t hash = tn_hash_text(key);
    for (tn_row *row = NULL; (row = next_of(table, key, hash, row));)
        if (row->kind == kind) return row;
    return NULL;
}

int tn_tuned_is_lasting(const tn_row *row)
{
    return row->kind == TN_ROW_CHOSEN || row->kind == TN_ROW_GIVEN;
}

/* ---- changes ----------------------------------------------------------------------------------------------------- */

static void free_row(tn_row *row)
{
    tn_free(row->key);
    tn_free(row->choice);
    row->key = row->choice = NULL;
}

/* A row with texts of its own. */
static tn_status copy_row(const tn_row *row, tn_row *made)
{
    *made = *row;
    made->key = tn_strdup(row->key);
    made->choice = tn_strdup(row->choice);
    if (made->key && made->choice) return TN_OK;
    free_row(made);
    return TN_ENOMEM;
}

static tn_status note(tn_tuned *table, int32_t what, const tn_row *row)
{
    if (!table->notes) return TN_OK;
    TN_TRY(tn_grow(&table->change, &table->change_capacity, table->changes + 1, sizeof *table->change));
    tn_tuned_change *change = &table->change[table->changes];
    change->what = what;
    TN_TRY(copy_row(row, &change->row));
    table->changes++;
    return TN_OK;
}

void tn_tuned_forget_changes(tn_tuned *table)
{
    for (uint32_t i = 0; i < table->changes; i++) free_row(&table->change[i].row);
    tn_free(table->change);
    table->change = NULL;
    table->changes = table->change_capacity = 0;
}

tn_status tn_tuned_change_so(tn_tuned *table, const tn_tuned *changed)
{
    tn_status s = TN_OK;
    for (uint32_t i = 0; i < changed->changes && !s; i++) {
        const tn_tuned_change *change = &changed->change[i];
        if (change->what == TN_CHANGE_PUT) s = tn_tuned_put(table, &change->row);
        if (change->what == TN_CHANGE_DROP) s = tn_tuned_drop(table, change->row.key, change->row.kind);
        if (change->what == TN_CHANGE_EMPTY) s = tn_tuned_empty(table);
    }
    return s;
}

static tn_status append(tn_tuned *table, const tn_row *row)
{
    tn_row made;
    TN_TRY(make_room(table));
    TN_TRY(copy_row(row, &made));
    made.hash = tn_hash_text(row->key);
    table->row[table->count] = made;
    chain(table, table->count++);
    return TN_OK;
}

tn_status tn_tuned_put(tn_tuned *table, const tn_row *row)
{
    tn_row *old = tn_tuned_find(table, row->key, row->choice);
    TN_REQUIRE(!strpbrk(row->key, "\n") && !strpbrk(row->choice, "\n"), TN_EINVAL,
               "a kernel's name for the table of tuned kernels is more than a line");
    TN_TRY(note(table, TN_CHANGE_PUT, row));
    if (!old) return append(table, row);
    old->kind = row->kind, old->deaths = row->deaths;
    old->nanoseconds = row->nanoseconds, old->usual = row->usual, old->error = row->error;
    return TN_OK;
}

static void close_up(tn_tuned *table)
{
    uint32_t kept = 0;
    if (table->gone < FEWEST || table->gone < table->count / 2) return;
    for (uint32_t i = 0; i < table->count; i++) {
        if (table->row[i].kind == TN_ROW_GONE)
            free_row(&table->row[i]);
        else
            table->row[kept++] = table->row[i];
    }
    table->count = kept, table->gone = 0;
    chain_all(table);
}

tn_status tn_tuned_drop(tn_tuned *table, const char *key, int32_t kind)
{
    const uint64_t hash = tn_hash_text(key);
    TN_TRY(note(table, TN_CHANGE_DROP, &(tn_row){.kind = kind, .key = (char *)key, .choice = ""}));
    for (tn_row *row = NULL; (row = next_of(table, key, hash, row));)
        if (row->kind == kind) row->kind = TN_ROW_GONE, table->gone++;
    close_up(table);
    return TN_OK;
}

tn_status tn_tuned_empty(tn_tuned *table)
{
    TN_TRY(note(table, TN_CHANGE_EMPTY, &(tn_row){.key = "", .choice = ""}));
    for (uint32_t i = 0; i < table->count; i++) free_row(&table->row[i]);
    table->count = table->gone = 0;
    if (table->buckets) chain_all(table);
    return TN_OK;
}

static void clear_rows(tn_tuned *table)
{
    for (uint32_t i = 0; i < table->count; i++) free_row(&table->row[i]);
    tn_free(table->row);
    tn_free(table->bucket);
    table->row = NULL, table->bucket = NULL;
    table->count = table->capacity = table->gone = table->buckets = 0;
}

void tn_tuned_clear(tn_tuned *table)
{
    clear_rows(table);
    tn_tuned_forget_changes(table);
}

void tn_tuned_move(tn_tuned *to, tn_tuned *from)
{
    clear_rows(to);
    to->row = from->row, to->count = from->count, to->capacity = from->capacity, to->gone = from->gone;
    to->bucket = from->bucket, to->buckets = from->buckets;
    from->row = NULL, from->bucket = NULL;
    from->count = from->capacity = from->gone = from->buckets = 0;
}
