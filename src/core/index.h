/* index.h: finds numbers by name. A zeroed struct is empty; names are not copied. */
#ifndef TN_CORE_INDEX_H
#define TN_CORE_INDEX_H

#include "tenon/status.h"

typedef struct tn_index_entry {
    const void *kind;
    const char *name;
    uint32_t number;
} tn_index_entry;

typedef struct tn_index {
    tn_index_entry *entry; /* open addressing: at least half of it is free */
    uint32_t count, room;
} tn_index;

/* 1 if there is something of that kind (any pointer, or NULL) and name: its number in *number. */
int tn_index_find(const tn_index *index, const void *kind, const char *name, uint32_t *number);

/* Adds it. What has that kind and name already stays. */
TN_MUST_USE tn_status tn_index_add(tn_index *index, const void *kind, const char *name, uint32_t number);

/* Forgets all whose number is `from` or higher. */
void tn_index_cut(tn_index *index, uint32_t from);

void tn_index_free(tn_index *index);

#endif
