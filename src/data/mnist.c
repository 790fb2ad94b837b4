/* mnist.c: pairs of IDX files, pictures and labels, and folders of two such pairs. */
#include "mnist.h"

#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "arrays.h"
#include "error.h"
#include "given.h"
#include "idx.h"

/* ---- a pair of IDX files ---- */

/* (n, h, w) holds samples of shape (1, h, w); other ranks keep theirs. */
static tn_shape sample_shape(const tn_shape *shape)
{
    tn_shape sample = {shape->rank - 1, {0}};
    memcpy(sample.dim, shape->dim + 1, (size_t)sample.rank * sizeof *sample.dim);
    return sample.rank == 2 ? TN_SHAPE(1, sample.dim[0], sample.dim[1]) : sample;
}

static tn_status read_images(const char *path, tn_dataset *data)
{
    tn_shape shape = {0};
    char text[160];
    uint8_t *pixels = NULL;
    TN_TRY(tn_idx_read(path, &shape, &pixels));
    data->x = pixels;
    TN_REQUIRE(shape.rank >= 2 && tn_shape_count(&shape) > 0 && shape.dim[0] <= INT32_MAX, TN_EFORMAT,
               "%s: expected pictures (count, height, width), found %s", path,
               tn_shape_text(&shape, text, sizeof text));
    data->x_dtype = TN_U8;
    data->count = shape.dim[0];
    data->sample = sample_shape(&shape);
    data->source = tn_strdup(path);
    return data->source ? TN_OK : TN_ENOMEM;
}

static tn_status use_labels(const char *images, const char *path, const tn_shape *shape, const uint8_t *label,
                            tn_dataset *data)
{
    char text[160];
    TN_REQUIRE(shape->rank == 1, TN_EFORMAT, "%s: expected labels (count), found %s", path,
               tn_shape_text(shape, text, sizeof text));
    TN_REQUIRE(shape->dim[0] == data->count, TN_EFORMAT, "%s: has %lld labels for the %lld pictures of %s", path,
               (long long)shape->dim[0], (long long)data->count, images);
    data->label = tn_alloc((size_t)data->count * sizeof *data->label);
    if (!data->label) return TN_ENOMEM;
    for (int64_t i = 0; i < data->count; i++) {
        data->label[i] = label[i];
        if (label[i] >= data->classes) data->classes = label[i] + 1;
    }
    return TN_OK;
}

static tn_status open_idx(const char *images, const char *labels, int stream, tn_dataset *data)
{
    tn_dataset read = {0};
    tn_shape shape = {0};
    uint8_t *label = NULL;
    tn_status status = stream ? tn_rows_dataset(images, NULL, &read) : read_images(images, &read);
    if (!status && labels) status = tn_idx_read(labels, &shape, &label);
    if (!status && labels) status = use_labels(images, labels, &shape, label, &read);
    tn_free(label);
    if (status)
        tn_dataset_free(&read);
    else
        *data = read;
    return status;
}

tn_status tn_dataset_idx(const char *images, const char *labels, tn_dataset *data)
{
    TN_GIVEN(images, data);
    return open_idx(images, labels, 0, data);
}

/* ---- MNIST's folder ---- */

/* The first of the usual spellings that is there, as a path of its own. */
static tn_status find_idx(const char *folder, const char *part, const char *kind, int rank, tn_region *names,
                          const char **path)
{
    static const char separator[] = {'-', '.'};
    struct stat info;
    for (size_t s = 0; s < sizeof separator; s++)
        for (int gz = 0; gz < 2; gz++) {
            *path = tn_region_print(names, "%s/%s-%s%cidx%d-ubyte%s", folder, part, kind, separator[s], rank,
                                    gz ? ".gz" : "");
            if (!*path) return TN_ENOMEM;
            if (!stat(*path, &info)) return TN_OK;
        }
    return tn_fail(TN_EMISSING, "%s: has no file %s-%s-idx%d-ubyte (or .idx%d-ubyte, or either with .gz)", folder, part,
                   kind, rank, rank);
}

static tn_status open_part(const char *folder, const char *part, int stream, tn_dataset *data)
{
    tn_region names = {0};
    const char *images = NULL, *labels = NULL;
    tn_status status = find_idx(folder, part, "images", 3, &names, &images);
    if (!status) status = find_idx(folder, part, "labels", 1, &names, &labels);
    if (!status) status = open_idx(images, labels, stream, data);
    tn_region_free(&names);
    return status;
}

tn_status tn_mnist_open(const char *folder, int stream, tn_dataset *train, tn_dataset *test)
{
    char a[160], b[160];
    TN_TRY(open_part(folder, "train", stream, train));
    TN_TRY(open_part(folder, "t10k", stream, test));
    TN_REQUIRE(tn_shape_equal(&train->sample, &test->sample), TN_EFORMAT,
               "%s: training samples are %s and test samples %s", folder, tn_shape_text(&train->sample, a, sizeof a),
               tn_shape_text(&test->sample, b, sizeof b));
    if (train->classes < test->classes) train->classes = test->classes;
    test->classes = train->classes;
    return TN_OK;
}

int tn_mnist_is(const char *folder)
{
    tn_region names = {0};
    const char *path = NULL;
    int is = !find_idx(folder, "train", "images", 3, &names, &path);
    tn_region_free(&names);
    return is;
}
