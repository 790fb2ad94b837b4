/* arrays.c: data sets from arrays: samples and what belongs to them. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "archive.h"
#include "arrays.h"
#include "error.h"
#include "given.h"
#include "kind.h"
#include "read.h"
#include "rows.h"
#include "weights.h"

#define MOST_CLASSES 65536

/* ---- samples ---- */

/* Pictures with their channels last, (n, h, w, channels), as (n, channels, h, w). */
static tn_status channels_first(tn_array *x)
{
    int64_t n = x->shape.dim[0], h = x->shape.dim[1], w = x->shape.dim[2], c = x->shape.dim[3];
    size_t size = tn_dtype_size(x->dtype);
    char *to = tn_alloc((size_t)(n * h * w * c) * size);
    if (!to) return TN_ENOMEM;
    for (int64_t i = 0; i < n * h * w; i++)
        for (int64_t k = 0; k < c; k++)
            memcpy(to + (size_t)((i / (h * w) * c + k) * h * w + i % (h * w)) * size,
                   (char *)x->data + (size_t)(i * c + k) * size, size);
    tn_free(x->data);
    x->data = to;
    x->shape = TN_SHAPE(n, c, h, w);
    return TN_OK;
}

static int is_channels(int64_t channels)
{
    return channels == 1 || channels == 3;
}

/* Whole numbers as f32. */
static tn_status to_float(tn_array *x)
{
    int64_t count = tn_shape_count(&x->shape);
    float *to = tn_alloc((size_t)count * sizeof *to);
    if (!to) return TN_ENOMEM;
    for (int64_t i = 0; i < count; i++)
        to[i] = x->dtype == TN_I32  ? (float)((int32_t *)x->data)[i]
                : x->dtype == TN_U8 ? ((uint8_t *)x->data)[i]
                                    : ((float *)x->data)[i];
    tn_free(x->data);
    x->data = to;
    x->dtype = TN_F32;
    return TN_OK;
}

/* (n) are samples of one number, (n, h, w) pictures of one channel. */
static tn_shape sample_shape(const tn_shape *shape)
{
    tn_shape sample = {shape->rank - 1, {0}};
    if (sample.rank == 0) return TN_SHAPE(1);
    if (sample.rank == 2) return TN_SHAPE(1, shape->dim[1], shape->dim[2]);
    memcpy(sample.dim, shape->dim + 1, (size_t)sample.rank * sizeof *sample.dim);
    return sample;
}

static tn_status check_samples(const char *path, const tn_shape *s)
{
    char text[160];
    TN_REQUIRE(s->rank >= 1 && tn_shape_count(s) > 0 && s->dim[0] <= INT32_MAX, TN_EFORMAT,
               "%s: expected samples (count, ...), found an array of %s", path, tn_shape_text(s, text, sizeof text));
    return TN_OK;
}

/* Pictures, which bytes are, have at most 4 channels; other numbers may lie in any number of channels. */
static int has_channels_last(const tn_shape *s, int32_t dtype)
{
    if (s->rank != 4 || is_channels(s->dim[1])) return 0;
    return is_channels(s->dim[3]) || (dtype == TN_U8 && s->dim[3] <= 4 && s->dim[1] > 4);
}

static tn_status describe_samples(const char *path, const tn_shape *shape, int32_t dtype, tn_dataset *data)
{
    data->count = shape->dim[0];
    data->sample = sample_shape(shape);
    data->no_channel = shape->rank == 3;
    data->x_dtype = dtype == TN_I32 ? TN_F32 : dtype;
    data->source = tn_strdup(path);
    return data->source ? TN_OK : TN_ENOMEM;
}

static tn_status use_samples(const char *path, tn_array *x, tn_dataset *data)
{
    TN_TRY(check_samples(path, &x->shape));
    if (has_channels_last(&x->shape, x->dtype)) TN_TRY(channels_first(x));
    if (x->dtype == TN_I32) TN_TRY(to_float(x));
    data->x = x->data;
    x->data = NULL;
    return describe_samples(path, &x->shape, x->dtype, data);
}

/* ---- samples that stay in the file ---- */

static void close_rows(void *rows)
{
    tn_rows_close(rows);
}

/* One row, changed as a whole array would be. */
static tn_status fill(void *arg, int64_t index, void *x, void *target, tn_msg *msg)
{
    const tn_rows *rows = arg;
    (void)target, (void)msg;
    if (rows->element.dtype != TN_I32 && !has_channels_last(&rows->shape, rows->element.dtype))
        return tn_rows_read(rows, index, 1, x);
    tn_array one = {.dtype = rows->element.dtype, .shape = rows->shape};
    one.shape.dim[0] = 1;
    one.data = tn_alloc((size_t)tn_shape_count(&one.shape) * tn_dtype_size(one.dtype));
    tn_status status = one.data ? tn_rows_read(rows, index, 1, one.data) : TN_ENOMEM;
    if (!status && has_channels_last(&rows->shape, rows->element.dtype)) status = channels_first(&one);
    if (!status && one.dtype == TN_I32) status = to_float(&one);
    if (!status) memcpy(x, one.data, (size_t)tn_shape_count(&one.shape) * tn_dtype_size(one.dtype));
    tn_array_free(&one);
    return status;
}

static tn_status describe_rows(const tn_rows *rows, tn_dataset *data)
{
    tn_shape s = rows->shape;
    TN_TRY(check_samples(rows->path, &s));
    if (has_channels_last(&s, rows->element.dtype)) s = TN_SHAPE(s.dim[0], s.dim[3], s.dim[1], s.dim[2]);
    return describe_samples(rows->path, &s, rows->element.dtype, data);
}

/* The loader has the rows from then on; they are closed on failure. */
static tn_status use_rows(tn_rows *rows, tn_dataset *data)
{
    const tn_source source = {fill, close_rows, rows};
    tn_status status = describe_rows(rows, data);
    if (!status) status = tn_loader_new(&source, &data->loader);
    if (status) tn_rows_close(rows);
    return status;
}

tn_status tn_rows_dataset(const char *path, const char *member, tn_dataset *data)
{
    tn_rows *rows = NULL;
    tn_dataset read = {0};
    TN_TRY(tn_rows_open(path, member, &rows));
    tn_status status = use_rows(rows, &read);
    if (status)
        tn_dataset_free(&read);
    else
        *data = read;
    return status;
}

/* ---- what belongs to them ---- */

static double value_at(const tn_array *y, int64_t i)
{
    if (y->dtype == TN_I32) return ((int32_t *)y->data)[i];
    return y->dtype == TN_U8 ? ((uint8_t *)y->data)[i] : ((float *)y->data)[i];
}

static tn_status use_labels(const char *path, const tn_array *y, tn_dataset *data)
{
    data->label = tn_alloc((size_t)data->count * sizeof *data->label);
    if (!data->label) return TN_ENOMEM;
    for (int64_t i = 0; i < data->count; i++) {
        double value = value_at(y, i);
        TN_REQUIRE(value >= 0 && value < MOST_CLASSES && value == floor(value), TN_EFORMAT,
                   "%s: sample %lld has the class %g; expected a whole number from 0 to %d", path, (long long)i, value,
                   MOST_CLASSES - 1);
        data->label[i] = (int32_t)value;
        if (value >= (double)data->classes) data->classes = (int64_t)value + 1;
    }
    return TN_OK;
}

static tn_status use_targets(const char *path, tn_array *y, tn_dataset *data)
{
    char text[160];
    TN_REQUIRE(y->shape.rank <= 2 && tn_shape_count(&y->shape) > 0, TN_EFORMAT,
               "%s: expected what belongs to the samples as (count) or (count, numbers), found %s", path,
               tn_shape_text(&y->shape, text, sizeof text));
    TN_TRY(to_float(y));
    data->targets = tn_shape_count(&y->shape) / data->count;
    data->target = y->data;
    y->data = NULL;
    return TN_OK;
}

/* Whether one number a sample is a class, by all of them. */
static tn_status guess(const char *name, const tn_array *y, tn_dataset *data, int *classify)
{
    char why[TN_KIND_TEXT], text[TN_KIND_TEXT + 80];
    double *value = tn_alloc((size_t)data->count * sizeof *value);
    if (!value) return TN_ENOMEM;
    for (int64_t i = 0; i < data->count; i++) value[i] = value_at(y, i);
    *classify = tn_kind_is_classes(value, data->count, data->x_dtype == TN_U8, why);
    tn_free(value);
    snprintf(text, sizeof text, "'%.60s' %s", name, why);
    data->why = tn_strdup(text);
    return data->why ? TN_OK : TN_ENOMEM;
}

/* As in a table, what is to be learnt must be there, and be a number. */
static tn_status check_finite(const char *path, const char *name, const tn_array *y, int64_t samples)
{
    const int64_t count = y->dtype == TN_F32 ? tn_shape_count(&y->shape) : 0, each = count / samples;
    for (int64_t i = 0; i < count; i++)
        TN_REQUIRE(isfinite(value_at(y, i)), TN_EFORMAT, "%s: '%s': sample %lld has %g, which is nothing to learn",
                   path, name, (long long)(i / each), value_at(y, i));
    return TN_OK;
}

/* One array of an archive, without the others' memory where that is possible. */
static tn_status read_one(const char *path, const char *name, tn_array *array)
{
    tn_rows *rows = NULL;
    tn_status status = tn_rows_open(path, name, &rows);
    if (status == TN_EUNSUPPORTED) return tn_array_read(path, name, array);
    if (!status) status = tn_rows_array(rows, array);
    tn_rows_close(rows);
    return status;
}

static tn_status read_targets(const char *path, const char *name, int classify, tn_dataset *data)
{
    tn_array y = {0};
    TN_TRY(data->loader ? read_one(path, name, &y) : tn_array_read(path, name, &y));
    int single = y.shape.rank == 1 || (y.shape.rank == 2 && y.shape.dim[1] == 1);
    tn_status status = TN_OK;
    if (y.shape.rank < 1 || y.shape.dim[0] != data->count)
        status = tn_fail(TN_EFORMAT, "%s: '%s' is not for %lld samples", path, name, (long long)data->count);
    if (!status) status = check_finite(path, name, &y, data->count);
    if (!status && classify == TN_CLASSIFY_AUTO && single) status = guess(name, &y, data, &classify);
    if (!status) status = classify && single ? use_labels(path, &y, data) : use_targets(path, &y, data);
    tn_array_free(&y);
    return status;
}

static tn_status use_weights(const char *path, const char *name, tn_array *w, tn_dataset *data)
{
    char text[160];
    TN_REQUIRE(w->shape.rank >= 1 && w->shape.dim[0] == data->count && tn_shape_count(&w->shape) == data->count,
               TN_EFORMAT, "%s: '%s' is %s, not a weight for each of %lld samples", path, name,
               tn_shape_text(&w->shape, text, sizeof text), (long long)data->count);
    for (int64_t i = 0; i < data->count; i++)
        TN_REQUIRE(tn_is_weight(value_at(w, i)), TN_EFORMAT,
                   "%s: '%s': sample %lld has the weight %g, not " TN_WEIGHT_RANGE, path, name, (long long)i,
                   value_at(w, i));
    TN_TRY(to_float(w));
    data->weight = w->data;
    w->data = NULL;
    return TN_OK;
}

tn_status tn_arrays_weights(const char *path, const char *name, tn_dataset *data)
{
    tn_array w = {0};
    TN_TRY(data->loader ? read_one(path, name, &w) : tn_array_read(path, name, &w));
    tn_status status = use_weights(path, name, &w, data);
    tn_array_free(&w);
    return status;
}

/* ---- data sets ---- */

/* The samples are named so; or, where there is no name, they are the array "x" or the only one. */
static tn_status read_samples(const char *path, const char *name, tn_array *x)
{
    if (name || !tn_archive_is(path)) return tn_array_read(path, name, x);
    tn_status status = tn_array_read(path, "x", x);
    return status == TN_EMISSING ? tn_array_read(path, NULL, x) : status;
}

/* The same, left in the file. */
static tn_status find_samples(const char *path, const char *name, tn_dataset *data)
{
    if (name || !tn_archive_is(path)) return tn_rows_dataset(path, name, data);
    tn_status status = tn_rows_dataset(path, "x", data);
    return status == TN_EMISSING ? tn_rows_dataset(path, NULL, data) : status;
}

tn_status tn_arrays_open(const char *path, const char *x, const char *y, int classify, int stream, tn_dataset *data)
{
    tn_dataset read = {0};
    tn_array samples = {0};
    tn_status status = stream ? find_samples(path, x, &read) : read_samples(path, x, &samples);
    if (!status && !stream) status = use_samples(path, &samples, &read);
    if (!status && y) status = read_targets(path, y, classify, &read);
    tn_array_free(&samples);
    if (status)
        tn_dataset_free(&read);
    else
        *data = read;
    return status;
}

tn_status tn_dataset_arrays(const char *path, const char *x, const char *y, int classify, tn_dataset *data)
{
    TN_GIVEN(path, data);
    return tn_arrays_open(path, x, y, classify, 0, data);
}

/* By how it begins. */
static int is_idx(const char *path)
{
    unsigned char head[2] = {1, 1};
    uint64_t bytes, got = sizeof head;
    int fd = -1;
    if (tn_open_regular(path, &fd, &bytes)) return 0;
    tn_status status = tn_read_some(fd, path, head, &got);
    close(fd);
    return !status && got == sizeof head && ((!head[0] && !head[1]) || (head[0] == 0x1f && head[1] == 0x8b));
}

tn_status tn_dataset_samples(const char *path, uint32_t stream, tn_dataset *data)
{
    TN_GIVEN(path, data);
    if (stream == TN_STREAM_YES || (stream == TN_STREAM_AUTO && tn_data_is_large(path))) {
        tn_status status = find_samples(path, NULL, data);
        if (status != TN_EUNSUPPORTED || stream == TN_STREAM_YES) return status;
    }
    return is_idx(path) ? tn_dataset_idx(path, NULL, data) : tn_dataset_arrays(path, NULL, NULL, 0, data);
}
