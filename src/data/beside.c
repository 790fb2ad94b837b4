/* beside.c: several data sets as one, whose samples lie side by side: the inputs of a network, or its heads' targets.
 */
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "loader.h"

#define EXACT (1 << 24) /* whole numbers up to it are f32's */

static int has_samples(const tn_dataset *d)
{
    return d->x || d->loader;
}

static int has_labels(const tn_dataset *d)
{
    return tn_target_dtype(d) == TN_I32;
}

/* Numbers that a part's targets become: labels are one each. */
static int64_t targets_of(const tn_dataset *d)
{
    return (int64_t)(tn_target_bytes(d) / sizeof(float));
}

static tn_status check_part(const tn_dataset *d, uint32_t i, int64_t count)
{
    TN_REQUIRE(d->count == count, TN_ESHAPE, "beside: part %u has %lld samples, and part 0 has %lld", i,
               (long long)d->count, (long long)count);
    TN_REQUIRE(count >= 0, TN_EINVAL, "beside: part %u has %lld samples", i, (long long)count);
    TN_REQUIRE(has_samples(d) || d->label || d->target, TN_EINVAL, "beside: part %u has neither samples nor targets",
               i);
    TN_REQUIRE(tn_target_dtype(d) != TN_F32 || d->targets > 0, TN_EINVAL, "beside: part %u has %lld targets a sample",
               i, (long long)d->targets);
    return TN_OK;
}

/* ---- what belongs to them ---- */

static tn_status join_weights(const tn_dataset *const parts[], uint32_t n, tn_dataset *data)
{
    for (uint32_t i = 0; i < n && !data->weight; i++) {
        if (!parts[i]->weight) continue;
        data->weight = tn_alloc((size_t)data->count * sizeof *data->weight);
        if (!data->weight) return TN_ENOMEM;
        memcpy(data->weight, parts[i]->weight, (size_t)data->count * sizeof *data->weight);
    }
    return TN_OK;
}

/* The one part that has classes stays as it is, names included, where no other has anything to predict. */
static tn_status take_classes(const tn_dataset *of, tn_dataset *data)
{
    data->classes = of->classes;
    data->labels = of->labels;
    data->label = tn_alloc((size_t)(data->count * tn_labels(of)) * sizeof *data->label);
    if (of->class_names) data->class_names = tn_strdup(of->class_names);
    return data->label && !data->class_names == !of->class_names ? TN_OK : TN_ENOMEM;
}

static tn_status make_room(const tn_dataset *const parts[], uint32_t n, tn_dataset *data)
{
    const tn_dataset *only = NULL;
    uint32_t predict = 0;
    int64_t width = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (has_samples(parts[i])) width += tn_shape_count(&parts[i]->sample);
        data->targets += targets_of(parts[i]);
        if (targets_of(parts[i])) only = parts[i], predict++;
    }
    TN_REQUIRE(width > 0, TN_EINVAL, "beside: no part has samples");
    data->sample = TN_SHAPE(width);
    data->x = tn_alloc((size_t)(data->count * width) * sizeof(float));
    if (!data->x) return TN_ENOMEM;
    if (predict == 1 && has_labels(only)) {
        data->targets = 0;
        return take_classes(only, data);
    }
    if (data->targets) data->target = tn_alloc((size_t)(data->count * data->targets) * sizeof *data->target);
    return !data->targets == !data->target ? TN_OK : TN_ENOMEM;
}

/* ---- one sample of one part ---- */

/* As tn_fit gives it to a network, so that nothing changes by lying beside others. */
static tn_status take_numbers(const tn_dataset *d, const void *from, float *to)
{
    for (int64_t k = 0; k < tn_shape_count(&d->sample); k++) {
        if (d->x_dtype == TN_I32)
            TN_REQUIRE(((const int32_t *)from)[k] <= EXACT && ((const int32_t *)from)[k] >= -EXACT, TN_EINVAL,
                       "beside: %d is a whole number that f32 does not have", ((const int32_t *)from)[k]);
        to[k] = d->x_dtype == TN_U8    ? (float)((const uint8_t *)from)[k] * (1 / 255.0f)
                : d->x_dtype == TN_I32 ? (float)((const int32_t *)from)[k]
                                       : ((const float *)from)[k];
    }
    return TN_OK;
}

static void take_targets(const tn_dataset *d, const void *from, float *to)
{
    for (int64_t k = 0; k < targets_of(d); k++)
        to[k] = has_labels(d) ? (float)((const int32_t *)from)[k] : ((const float *)from)[k];
}

/* A part without samples has no more than arrays. */
static tn_status read_part(const tn_dataset *d, int64_t index, void *x, void *target)
{
    if (has_samples(d)) return tn_dataset_sample(d, index, x, targets_of(d) ? target : NULL);
    const int64_t n = targets_of(d);
    const void *all = d->label ? (const void *)d->label : (const void *)d->target;
    memcpy(target, (const float *)all + index * n, (size_t)n * sizeof(float));
    return TN_OK;
}

/* One part of all samples, from number `at` of a sample's numbers on, and `to` of its targets. x and target have room
 * for one sample of it. */
static tn_status join_part(const tn_dataset *d, int64_t at, int64_t to, void *x, void *target, tn_dataset *data)
{
    float *all = data->x;
    for (int64_t i = 0; i < data->count; i++) {
        TN_TRY(read_part(d, i, x, target));
        if (has_samples(d)) TN_TRY(take_numbers(d, x, all + i * data->sample.dim[0] + at));
        if (data->label && has_labels(d))
            memcpy(data->label + i * tn_labels(d), target, (size_t)tn_labels(d) * sizeof *data->label);
        else if (data->target)
            take_targets(d, target, data->target + i * data->targets + to);
    }
    return TN_OK;
}

static tn_status join(const tn_dataset *const parts[], uint32_t n, tn_dataset *data)
{
    int64_t at = 0, to = 0;
    for (uint32_t i = 0; i < n; i++) {
        const int64_t width = has_samples(parts[i]) ? tn_shape_count(&parts[i]->sample) : 0;
        void *x = tn_alloc((size_t)width * sizeof(float) + 1);
        void *target = tn_alloc((size_t)targets_of(parts[i]) * sizeof(float) + 1);
        tn_status status = x && target ? join_part(parts[i], at, to, x, target, data) : TN_ENOMEM;
        tn_free(x);
        tn_free(target);
        TN_TRY(status);
        at += width;
        to += targets_of(parts[i]);
    }
    return TN_OK;
}

tn_status tn_dataset_beside(const tn_dataset *const parts[], uint32_t count, tn_dataset *data)
{
    TN_GIVEN(parts, data);
    TN_REQUIRE(count, TN_EINVAL, "beside: there are no parts");
    for (uint32_t i = 0; i < count; i++) {
        TN_REQUIRE(parts[i], TN_EINVAL, "beside: part %u is NULL", i);
        TN_TRY(check_part(parts[i], i, parts[0]->count));
    }
    tn_dataset made = {.count = parts[0]->count, .x_dtype = TN_F32};
    tn_status status = make_room(parts, count, &made);
    if (!status) status = join_weights(parts, count, &made);
    if (!status) status = join(parts, count, &made);
    if (!status && parts[0]->source && !(made.source = tn_strdup(parts[0]->source))) status = TN_ENOMEM;
    if (status)
        tn_dataset_free(&made);
    else
        *data = made;
    return status;
}
