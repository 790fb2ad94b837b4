/* common.c: samples that two data sets have in common: their bytes are hashed, and equal hashes compared. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "hash.h"
#include "loader.h"

/* A sample's place in its set, by the hash of its bytes. */
typedef struct print {
    uint64_t hash;
    int64_t index;
} print;

/* What a sample is made of. */
enum { X, LABEL, TARGET, PARTS };

static const void *part_of(const tn_dataset *d, int part, int64_t i, size_t *bytes)
{
    const char *base[PARTS] = {d->x, (char *)d->label, (char *)d->target};
    const size_t sizes[PARTS] = {(size_t)tn_shape_count(&d->sample) * tn_dtype_size(d->x_dtype),
                                 (size_t)tn_labels(d) * sizeof *d->label, (size_t)d->targets * sizeof *d->target};
    *bytes = base[part] ? sizes[part] : 0;
    return *bytes ? base[part] + (size_t)i * *bytes : "";
}

static uint64_t hash_of(const tn_dataset *data, int64_t i)
{
    uint64_t hash = TN_HASH_EMPTY;
    size_t bytes;
    for (int part = 0; part < PARTS; part++) {
        const void *at = part_of(data, part, i, &bytes);
        hash = tn_hash_bytes(hash, at, bytes);
    }
    return hash;
}

static int same(const tn_dataset *a, int64_t i, const tn_dataset *b, int64_t j)
{
    size_t bytes, other;
    for (int part = 0; part < PARTS; part++) {
        const void *p = part_of(a, part, i, &bytes), *q = part_of(b, part, j, &other);
        if (bytes != other || memcmp(p, q, bytes)) return 0;
    }
    return 1;
}

static int by_hash(const void *a, const void *b)
{
    const print *p = a, *q = b;
    return (p->hash > q->hash) - (p->hash < q->hash);
}

/* Whether the sample is among those of `other`, whose prints are sorted. */
static int has(const print *prints, const tn_dataset *other, const tn_dataset *data, int64_t i)
{
    const uint64_t hash = hash_of(data, i);
    int64_t low = 0, high = other->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (prints[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < other->count && prints[low].hash == hash; low++)
        if (same(data, i, other, prints[low].index)) return 1;
    return 0;
}

tn_status tn_dataset_common(const tn_dataset *data, const tn_dataset *other, int64_t *count)
{
    TN_GIVEN(data, other, count);
    TN_REQUIRE(!data->loader && !other->loader, TN_EUNSUPPORTED,
               "%s: samples that are read as they are needed are not compared with others", data->source);
    print *prints = tn_alloc((size_t)other->count * sizeof *prints);
    if (!prints) return TN_ENOMEM;
    for (int64_t i = 0; i < other->count; i++) prints[i] = (print){hash_of(other, i), i};
    qsort(prints, (size_t)other->count, sizeof *prints, by_hash);
    *count = 0;
    for (int64_t i = 0; i < data->count; i++) *count += has(prints, other, data, i);
    tn_free(prints);
    return TN_OK;
}
