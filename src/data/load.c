/* load.c: samples of a loader brought into memory. */
#include <string.h>

#include "alloc.h"
#include "given.h"
#include "loader.h"
#include "prefetch.h"

#define BATCH_BYTES (1 << 20) /* taken at once, at least a sample */

static tn_status copy_all(tn_prefetch *prefetch, const tn_dataset *data, char *x, char *target)
{
    const uint64_t bytes = tn_sample_bytes(data), target_bytes = tn_target_bytes(data);
    tn_batch b = {0};
    tn_prefetch_begin(prefetch, NULL, NULL, 0);
    for (int64_t done = 0; done < data->count; done += b.count) {
        tn_status status = tn_prefetch_next(prefetch, &b);
        if (status) return status;
        memcpy(x + (uint64_t)done * bytes, b.x, (uint64_t)b.count * bytes);
        if (target) memcpy(target + (uint64_t)done * target_bytes, b.target, (uint64_t)b.count * target_bytes);
    }
    return TN_OK;
}

/* The samples, and what comes with them. */
static void take(tn_dataset *data, char *x, char *target)
{
    const int labels = tn_target_dtype(data) == TN_I32;
    data->x = x;
    if (target && labels) data->label = (int32_t *)(void *)target;
    if (target && !labels) data->target = (float *)(void *)target;
    data->origin = data->loader;
    data->loader = NULL;
}

tn_status tn_dataset_load(tn_dataset *data)
{
    TN_GIVEN(data);
    if (!data->loader) return TN_OK;
    const int apart = !data->label && !data->target && tn_target_bytes(data);
    const int64_t fit = BATCH_BYTES / (int64_t)(tn_sample_bytes(data) + 1);
    tn_prefetch *prefetch = NULL;
    char *x = tn_alloc((uint64_t)data->count * tn_sample_bytes(data) + 1);
    char *target = apart ? tn_alloc((uint64_t)data->count * tn_target_bytes(data) + 1) : NULL;
    tn_status status = x && (target || !apart) ? TN_OK : TN_ENOMEM;
    if (!status) status = tn_prefetch_new(data, fit ? fit : 1, apart, 1, 0, NULL, &prefetch);
    if (!status) status = copy_all(prefetch, data, x, target);
    tn_prefetch_free(prefetch);
    if (!status) {
        take(data, x, target);
        return TN_OK;
    }
    tn_free(x);
    tn_free(target);
    return status;
}
