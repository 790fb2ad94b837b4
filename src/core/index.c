/* index.c: a hash table of names. */
#include "index.h"

#include <string.h>

#include "alloc.h"
#include "hash.h"

enum { LEAST_ROOM = 32 };

static uint64_t hash_of(const void *kind, const char *name)
{
    uint64_t hash = tn_hash_bytes(TN_HASH_EMPTY ^ (uint64_t)(uintptr_t)kind, name, strlen(name));
    return hash ^ hash >> 32;
}

/* Where the name stands, or would stand. */
static tn_index_entry *seek(const tn_index *index, const void *kind, const char *name)
{
    uint32_t at = (uint32_t)hash_of(kind, name) & (index->room - 1);
    while (index->entry[at].name && (index->entry[at].kind != kind || strcmp(index->entry[at].name, name)))
        at = (at + 1) & (index->room - 1);
    return &index->entry[at];
}

int tn_index_find(const tn_index *index, const void *kind, const char *name, uint32_t *number)
{
    const tn_index_entry *entry = index->room ? seek(index, kind, name) : NULL;
    if (!entry || !entry->name) return 0;
    *number = entry->number;
    return 1;
}

static tn_status grow(tn_index *index)
{
    tn_index wider = {.count = index->count, .room = index->room ? 2 * index->room : LEAST_ROOM};
    wider.entry = tn_alloc(wider.room * sizeof *wider.entry);
    if (!wider.entry) return TN_ENOMEM;
    for (uint32_t i = 0; i < index->room; i++) {
        const tn_index_entry *old = &index->entry[i];
        if (old->name) *seek(&wider, old->kind, old->name) = *old;
    }
    tn_free(index->entry);
    *index = wider;
    return TN_OK;
}

tn_status tn_index_add(tn_index *index, const void *kind, const char *name, uint32_t number)
{
    if (2 * (index->count + 1) > index->room) {
        tn_status s = grow(index);
        if (s) return s;
    }
    tn_index_entry *entry = seek(index, kind, name);
    if (entry->name) return TN_OK;
    *entry = (tn_index_entry){kind, name, number};
    index->count++;
    return TN_OK;
}

/* Takes out what goes, and puts each of the others where it is found without it; from behind a free place on, so that
 * none is moved over one that was put before. */
void tn_index_cut(tn_index *index, uint32_t from)
{
    uint32_t begin = 0, mask = index->room - 1;
    if (!index->room) return;
    while (index->entry[begin].name) begin++;
    for (uint32_t i = 1; i < index->room; i++) {
        tn_index_entry *at = &index->entry[(begin + i) & mask], entry = *at;
        if (!entry.name) continue;
        *at = (tn_index_entry){0};
        index->count--;
        if (entry.number >= from) continue;
        *seek(index, entry.kind, entry.name) = entry;
        index->count++;
    }
}

void tn_index_free(tn_index *index)
{
    tn_free(index->entry);
    *index = (tn_index){0};
}
