/* loader.c: see loader.h. A loader is counted: the last data set that lets go of it closes its source. */
#include "loader.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "given.h"

struct tn_loader {
    tn_source source;
    atomic_int holders;
};

tn_status tn_loader_new(const tn_source *source, tn_loader **loader)
{
    TN_GIVEN(source, loader);
    TN_REQUIRE(source->fill, TN_EINVAL, "tn_loader_new: the source's fill is NULL");
    tn_loader *l = tn_alloc(sizeof *l);
    if (!l) return TN_ENOMEM;
    l->source = *source;
    atomic_init(&l->holders, 1);
    *loader = l;
    return TN_OK;
}

tn_loader *tn_loader_hold(tn_loader *loader)
{
    if (loader) atomic_fetch_add(&loader->holders, 1);
    return loader;
}

void tn_loader_free(tn_loader *loader)
{
    if (!loader || atomic_fetch_sub(&loader->holders, 1) > 1) return;
    if (loader->source.close) loader->source.close(loader->source.arg);
    tn_free(loader);
}

tn_status tn_loader_fill(const tn_loader *loader, int64_t index, void *x, void *target, tn_msg *msg)
{
    return loader->source.fill(loader->source.arg, index, x, target, msg);
}

const char *tn_loader_name(const tn_loader *loader, int64_t index)
{
    return loader && loader->source.name ? loader->source.name(loader->source.arg, index) : NULL;
}

/* ---- samples ---- */

uint64_t tn_sample_bytes(const tn_dataset *data)
{
    return (uint64_t)tn_shape_count(&data->sample) * tn_dtype_size(data->x_dtype);
}

int32_t tn_target_dtype(const tn_dataset *data)
{
    if (data->label) return TN_I32;
    if (data->target) return TN_F32;
    if (!data->loader) return 0;
    return data->classes ? TN_I32 : data->targets ? TN_F32 : 0;
}

uint64_t tn_target_bytes(const tn_dataset *data)
{
    int32_t dtype = tn_target_dtype(data);
    if (!dtype) return 0;
    return dtype == TN_F32 ? (uint64_t)data->targets * sizeof(float) : (uint64_t)tn_labels(data) * sizeof(int32_t);
}

int64_t tn_labels(const tn_dataset *data)
{
    return data->labels > 1 ? data->labels : 1;
}

/* Sources of the library's own name the file themselves: their line is there. */
static tn_status fill(const tn_dataset *data, int64_t index, void *x, void *target)
{
    char text[512] = "";
    tn_msg msg = {text, sizeof text};
    const uint64_t before = tn_failures();
    tn_status status = tn_loader_fill(data->loader, data->row ? data->row[index] : index, x, target, &msg);
    if (!status || (!*text && tn_failures() != before)) return status;
    return tn_fail(status, "%s: sample %lld: %s", data->source ? data->source : "the loader", (long long)index,
                   *text ? text : tn_status_name(status));
}

tn_status tn_dataset_sample(const tn_dataset *data, int64_t index, void *x, void *target)
{
    TN_GIVEN(data, x);
    TN_REQUIRE(index >= 0 && index < data->count, TN_EINVAL, "sample %lld of %lld", (long long)index,
               (long long)data->count);
    const char *all = data->label ? (const char *)data->label : (const char *)data->target;
    const uint64_t bytes = tn_sample_bytes(data), each = tn_target_bytes(data);
    if (target && all) memcpy(target, all + (uint64_t)index * each, each);
    if (data->loader) return fill(data, index, x, all ? NULL : target);
    memcpy(x, (const char *)data->x + (uint64_t)index * bytes, bytes);
    return TN_OK;
}

char *tn_dataset_name(const tn_dataset *data, int64_t index, char *text, uint64_t capacity)
{
    if (!data || !text || !capacity) return text;
    const int64_t number = data->row && index >= 0 && index < data->count ? data->row[index] : index;
    const char *name = tn_loader_name(data->loader ? data->loader : data->origin, number);
    if (name)
        snprintf(text, capacity, "%s", name);
    else
        snprintf(text, capacity, "%s %lld", data->source ? data->source : "sample", (long long)number);
    return text;
}
