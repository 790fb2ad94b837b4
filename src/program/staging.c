/* staging.c: see staging.h. */
#include "staging.h"

#include <string.h>

#include "alloc.h"
#include "tenon/backend_ext.h"

/* Pinned, or allocated. */
typedef struct block {
    tn_pinned *pinned;
    void *data;
} block;

struct tn_staging {
    const tn_device *device;
    const tn_ext_memory *table; /* NULL: its backend pins nothing */
    block *block;
    uint32_t count, capacity;
    uint64_t pinned;
};

tn_status tn_staging_new(const tn_state *state, tn_staging **staging)
{
    const tn_ext_memory *table = tn_backend_extension(state->device->backend, TN_EXT_MEMORY);
    tn_staging *s = tn_alloc(sizeof *s);
    if (!s) return TN_ENOMEM;
    s->device = state->device;
    if (table && TN_HAS(tn_ext_memory, table, pinned_destroy) && table->pinned_create && table->pinned_destroy)
        s->table = table;
    *staging = s;
    return TN_OK;
}

void tn_staging_free(tn_staging *s)
{
    if (!s) return;
    while (s->count) {
        const block *b = &s->block[--s->count];
        if (b->pinned)
            s->table->pinned_destroy(b->pinned);
        else
            tn_free(b->data);
    }
    tn_free(s->block);
    tn_free(s);
}

/* It makes copies faster, and what doesn't come is done without. */
static block pin(tn_staging *s, uint64_t bytes)
{
    TN_MESSAGE(msg);
    block b = {NULL, NULL};
    if (!s->table || s->table->pinned_create(s->device->context, bytes, &b.pinned, &b.data, &msg) || !b.pinned ||
        !b.data)
        return (block){NULL, NULL};
    memset(b.data, 0, bytes);
    s->pinned += bytes;
    return b;
}

void *tn_staging_take(tn_staging *s, uint64_t bytes)
{
    if (tn_grow(&s->block, &s->capacity, s->count + 1, sizeof *s->block)) return NULL;
    block b = pin(s, bytes);
    if (!b.data) b.data = tn_alloc(bytes);
    if (b.data) s->block[s->count++] = b;
    return b.data;
}

uint64_t tn_staging_pinned(const tn_staging *s)
{
    return s ? s->pinned : 0;
}
