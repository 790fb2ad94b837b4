/* dataset.c: data sets by name, and what all of them share. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "alloc.h"
#include "archive.h"
#include "arrays.h"
#include "csv.h"
#include "error.h"
#include "given.h"
#include "system.h"
#include "images.h"
#include "inflow.h"
#include "loader.h"
#include "mnist.h"
#include "parts.h"
#include "tenon/data.h"
#include "tenon/stats.h"
#include "text_data.h"

#define DIGITS          10000      /* training samples of "digits" */
#define TEST_PART       5          /* one row in so many is for testing */
#define LEAST_TO_SPLIT  10         /* a smaller table is used whole for both */
#define VALIDATION_DRAW UINT64_MAX /* keeps the choice apart from the shuffles of epochs */

/* The texts that a data set owns. */
#define TEXTS 8
typedef char **text_list[TEXTS];

static void list_texts(tn_dataset *data, text_list list)
{
    char **const all[TEXTS] = {&data->class_names, &data->column_names, &data->target_names, &data->target_numbers,
                               &data->notice,      &data->why,          &data->source,       &data->categories};
    memcpy(list, all, sizeof all);
}

void tn_dataset_free(tn_dataset *data)
{
    text_list text;
    if (!data) return;
    list_texts(data, text);
    for (size_t i = 0; i < TEXTS; i++) tn_free(*text[i]);
    tn_free(data->x);
    tn_free(data->label);
    tn_free(data->target);
    tn_free(data->weight);
    tn_free(data->row);
    tn_loader_free(data->loader);
    tn_loader_free(data->origin);
    *data = (tn_dataset){0};
}

void tn_dataset_limit(tn_dataset *data, int64_t count)
{
    if (!data) return;
    if (count < data->count) data->count = count < 0 ? 0 : count;
}

/* ---- tables ---- */

static void *copy_rows(const void *from, size_t row_bytes, const uint8_t *take, int64_t count, int64_t taken)
{
    char *rows = tn_alloc((size_t)taken * row_bytes), *to = rows;
    for (int64_t i = 0; rows && i < count; i++) {
        if (!take[i]) continue;
        memcpy(to, (const char *)from + (size_t)i * row_bytes, row_bytes);
        to += row_bytes;
    }
    return rows;
}

/* Texts of its own in place of those that it shares with another set. */
static tn_status own_texts(tn_dataset *data)
{
    text_list text;
    tn_status status = TN_OK;
    list_texts(data, text);
    for (size_t i = 0; i < TEXTS; i++) {
        if (!*text[i]) continue;
        *text[i] = status ? NULL : tn_strdup(*text[i]);
        if (!*text[i]) status = TN_ENOMEM;
    }
    return status;
}

/* Their numbers in the source. */
static int32_t *choose_rows(const tn_dataset *all, const uint8_t *take, int64_t taken)
{
    int32_t *row = tn_alloc((size_t)taken * sizeof *row), *to = row;
    for (int64_t i = 0; row && i < all->count; i++)
        if (take[i]) *to++ = all->row ? all->row[i] : (int32_t)i;
    return row;
}

/* The rows i with take[i]. */
static tn_status copy_part(const tn_dataset *all, const uint8_t *take, tn_dataset *part)
{
    int64_t taken = 0;
    for (int64_t i = 0; i < all->count; i++) taken += take[i];
    *part = *all;
    part->count = taken;
    part->loader = tn_loader_hold(all->loader);
    part->origin = tn_loader_hold(all->origin);
    part->row = choose_rows(all, take, taken);
    if (all->x) part->x = copy_rows(all->x, (size_t)tn_sample_bytes(all), take, all->count, taken);
    if (all->label) part->label = copy_rows(all->label, (size_t)tn_target_bytes(all), take, all->count, taken);
    if (all->target)
        part->target = copy_rows(all->target, (size_t)all->targets * sizeof *all->target, take, all->count, taken);
    if (all->weight) part->weight = copy_rows(all->weight, sizeof *all->weight, take, all->count, taken);
    TN_TRY(own_texts(part));
    const int whole = !part->x == !all->x && !part->label == !all->label && !part->target == !all->target;
    return part->row && whole && !part->weight == !all->weight ? TN_OK : TN_ENOMEM;
}

/* A share for testing, or one of so many folds. */
typedef struct division {
    uint64_t seed;
    int64_t folds, fold;
} division;

static tn_status split(const tn_dataset *all, const division *how, tn_dataset *train, tn_dataset *test)
{
    int small = all->count < LEAST_TO_SPLIT && !how->folds;
    TN_REQUIRE(how->folds <= all->count, TN_EINVAL, "%s: %lld folds, and there are %lld samples", all->source,
               (long long)how->folds, (long long)all->count);
    TN_REQUIRE(!how->folds || (how->folds > 1 && how->fold >= 0 && how->fold < how->folds), TN_EINVAL,
               "%s: fold %lld of %lld", all->source, (long long)how->fold + 1, (long long)how->folds);
    uint8_t *take = tn_alloc((size_t)all->count);
    if (!take) return TN_ENOMEM;
    tn_status status = small        ? TN_OK
                       : how->folds ? tn_choose_fold(all, how->seed, how->folds, how->fold, take)
                                    : tn_choose_share(all, all->count / TEST_PART, how->seed, 0, take);
    if (small) memset(take, 1, (size_t)all->count);
    if (!status) status = copy_part(all, take, test);
    for (int64_t i = 0; i < all->count && !small; i++) take[i] = !take[i];
    if (!status) status = copy_part(all, take, train);
    tn_free(take);
    return status;
}

tn_status tn_dataset_split(tn_dataset *data, double share, uint64_t seed, tn_dataset *part)
{
    TN_GIVEN(data, part);
    tn_dataset taken = {0}, left = {0};
    int64_t count = (int64_t)((double)data->count * share + 0.5);
    TN_REQUIRE(share > 0 && share < 1 && data->count > 1, TN_EINVAL,
               "%s: cannot take a share of %g out of %lld samples", data->source, share, (long long)data->count);
    count = count < 1 ? 1 : count < data->count ? count : data->count - 1;
    uint8_t *take = tn_alloc((size_t)data->count);
    if (!take) return TN_ENOMEM;
    tn_status status = tn_choose_share(data, count, seed, VALIDATION_DRAW, take);
    if (!status) status = copy_part(data, take, &taken);
    for (int64_t i = 0; i < data->count; i++) take[i] = !take[i];
    if (!status) status = copy_part(data, take, &left);
    tn_free(take);
    tn_dataset_free(status ? &left : data);
    if (status)
        tn_dataset_free(&taken);
    else
        *data = left, *part = taken;
    return status;
}

/* What is missing becomes the mean of what the training set has. */
static tn_status fill(tn_dataset *train, tn_dataset *test)
{
    tn_scaler means = {0};
    tn_status status = tn_scaler_learn(&means, TN_SCALE_NONE, 0, 0, train);
    if (!status) status = tn_dataset_scale(train, &means);
    if (!status) status = tn_dataset_scale(test, &means);
    tn_scaler_free(&means);
    return status;
}

/* What was asked for. */
typedef struct request {
    const char *name;
    uint64_t seed;
    tn_csv_options csv;
    int no_train, no_test; /* all of what has no parts is for the other */
    int stream;            /* samples stay in their file */
    tn_shape image;
    int64_t context; /* of a text; 0: it is none */
    const char *alphabet;
    int64_t folds, fold; /* 0: a share is for testing */
    int divided;         /* what was read had no parts of its own */
} request;

/* Splits what the reader gave, and fills what is missing unless that is to be kept. */
static tn_status divide(tn_dataset *all, request *ask, tn_dataset *train, tn_dataset *test)
{
    tn_status status = TN_OK;
    ask->divided = 1;
    tn_dataset *only = ask->no_test ? train : test;
    if (ask->no_train || ask->no_test) {
        *only = *all;
        *all = (tn_dataset){0};
    } else {
        only = train;
        const division how = {ask->seed, ask->folds, ask->fold};
        status = split(all, &how, train, test);
    }
    if (!status && !ask->csv.keep_missing && only->x_dtype == TN_F32) status = fill(only, test);
    tn_dataset_free(all);
    return status;
}

static tn_status open_table(request *ask, tn_dataset *train, tn_dataset *test)
{
    tn_dataset all = {0};
    tn_csv_options options = ask->csv;
    options.keep_missing = 1;
    TN_TRY(tn_csv_open(ask->name, &options, ask->stream, &all));
    return divide(&all, ask, train, test);
}

/* ---- archives of arrays ---- */

static tn_status open_parts(const char *path, int classify, int stream, tn_dataset *train, tn_dataset *test)
{
    char a[160], b[160];
    TN_TRY(tn_arrays_open(path, "x_train", "y_train", classify, stream, train));
    if (classify == TN_CLASSIFY_AUTO) classify = train->classes ? TN_CLASSIFY_YES : TN_CLASSIFY_NO;
    TN_TRY(tn_arrays_open(path, "x_test", "y_test", classify, stream, test));
    TN_REQUIRE(tn_shape_equal(&train->sample, &test->sample) && train->x_dtype == test->x_dtype &&
                   train->targets == test->targets,
               TN_EFORMAT, "%s: training samples are %s %s and test samples %s %s, or they differ in what to predict",
               path, tn_dtype_name(train->x_dtype), tn_shape_text(&train->sample, a, sizeof a),
               tn_dtype_name(test->x_dtype), tn_shape_text(&test->sample, b, sizeof b));
    if (train->classes < test->classes) train->classes = test->classes;
    test->classes = train->classes;
    return TN_OK;
}

/* The weights of both parts are named as x and y are: NAME_train, NAME_test. */
static tn_status open_part_weights(const request *ask, tn_dataset *train, tn_dataset *test)
{
    tn_region names = {0};
    const char *learn = tn_region_print(&names, "%s_train", ask->csv.weights);
    const char *judge = tn_region_print(&names, "%s_test", ask->csv.weights);
    tn_status status = learn && judge ? tn_arrays_weights(ask->name, learn, train) : TN_ENOMEM;
    if (!status) status = tn_arrays_weights(ask->name, judge, test);
    tn_region_free(&names);
    return status;
}

static tn_status open_whole_arrays(request *ask, tn_dataset *train, tn_dataset *test)
{
    tn_dataset all = {0};
    TN_TRY(tn_arrays_open(ask->name, "x", "y", (int)ask->csv.classify, ask->stream, &all));
    tn_status status = ask->csv.weights ? tn_arrays_weights(ask->name, ask->csv.weights, &all) : TN_OK;
    if (!status) return divide(&all, ask, train, test);
    tn_dataset_free(&all);
    return status;
}

static tn_status open_arrays(request *ask, tn_dataset *train, tn_dataset *test)
{
    struct stat info;
    int parts = 0;
    TN_REQUIRE(stat(ask->name, &info) || info.st_size || !S_ISREG(info.st_mode), TN_EFORMAT, "%s: is empty", ask->name);
    TN_REQUIRE(tn_archive_is(ask->name), TN_EFORMAT,
               "%s: holds one array; to learn from, it takes an .npz or .safetensors file with x and y", ask->name);
    TN_TRY(tn_archive_has(ask->name, "x_train", &parts));
    if (!parts) return open_whole_arrays(ask, train, test);
    TN_TRY(open_parts(ask->name, (int)ask->csv.classify, ask->stream, train, test));
    if (ask->csv.weights) TN_TRY(open_part_weights(ask, train, test));
    return ask->csv.keep_missing || train->x_dtype != TN_F32 ? TN_OK : fill(train, test);
}

/* ---- folders ---- */

static tn_status open_image_parts(const request *ask, const char *test_name, tn_dataset *train, tn_dataset *test)
{
    tn_region names = {0};
    const char *learn = tn_region_print(&names, "%s/train", ask->name);
    const char *judge = tn_region_print(&names, "%s/%s", ask->name, test_name);
    tn_status status = learn && judge ? tn_images_open(learn, &ask->image, NULL, train) : TN_ENOMEM;
    if (!status) status = tn_images_open(judge, NULL, train, test);
    tn_region_free(&names);
    return status;
}

static tn_status open_images(request *ask, tn_dataset *train, tn_dataset *test)
{
    tn_dataset all = {0};
    const char *test_name;
    if (tn_images_have_parts(ask->name, &test_name)) return open_image_parts(ask, test_name, train, test);
    TN_TRY(tn_images_open(ask->name, &ask->image, NULL, &all));
    return divide(&all, ask, train, test);
}

/* ---- texts ---- */

static tn_status open_text(const request *ask, tn_dataset *train, tn_dataset *test)
{
    if (ask->no_train) return tn_text_open(ask->name, ask->context, ask->alphabet, test, NULL);
    return tn_text_open(ask->name, ask->context, ask->alphabet, train, ask->no_test ? NULL : test);
}

/* ---- by name ---- */

/* Data sets that the program draws, also as "NAME:N": N training samples and a fifth as many for testing. */
static const struct {
    const char *name;
    tn_status (*draw)(int64_t count, uint64_t seed, tn_dataset *data);
} drawn[] = {{"digits", tn_dataset_digits}, {"digits-rgb", tn_dataset_digits_rgb}};

#define DRAWN (sizeof drawn / sizeof *drawn)

/* The row that the name begins with, up to its colon; DRAWN for none. */
static size_t find_drawn(const char *name)
{
    size_t length = strcspn(name, ":"), i = 0;
    while (i < DRAWN && (strlen(drawn[i].name) != length || strncmp(drawn[i].name, name, length))) i++;
    return i;
}

static tn_status open_drawn(size_t row, const char *name, uint64_t seed, tn_dataset *train, tn_dataset *test)
{
    long long count = DIGITS;
    int used = 0;
    const char *colon = strchr(name, ':');
    TN_REQUIRE(!colon || (strlen(colon) < 12 && sscanf(colon, ":%lld%n", &count, &used) == 1 && !colon[used] &&
                          count > 0 && count <= INT32_MAX),
               TN_EINVAL, "data set '%s': expected %s:N with a number N of training samples", name, drawn[row].name);
    TN_TRY(drawn[row].draw(count, seed, train));
    return drawn[row].draw(count < TEST_PART ? 1 : count / TEST_PART, ~seed, test);
}

static tn_status open_file(request *ask, tn_dataset *train, tn_dataset *test)
{
    const char *name = ask->name, *dot = strrchr(name, '.');
    struct stat info;
    if (ask->context) return open_text(ask, train, test);
    if (!stat(name, &info) && S_ISDIR(info.st_mode))
        return tn_mnist_is(name) ? tn_mnist_open(name, ask->stream, train, test) : open_images(ask, train, test);
    const int spreadsheet = dot && (!strcasecmp(dot, ".xlsx") || !strcasecmp(dot, ".ods")); /* archives, too */
    if (!spreadsheet && (tn_archive_is(name) || (dot && (!strcasecmp(dot, ".npy") || !strcasecmp(dot, ".npz")))))
        return open_arrays(ask, train, test);
    return open_table(ask, train, test);
}

/* The bytes of a file, or of a folder's. */
static uint64_t bytes_of(const char *name)
{
    struct stat info;
    uint64_t bytes = 0;
    if (stat(name, &info)) return 0;
    if (!S_ISDIR(info.st_mode)) return (uint64_t)info.st_size;
    DIR *folder = opendir(name);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (!fstatat(dirfd(folder), entry->d_name, &info, 0)) bytes += (uint64_t)info.st_size;
    if (folder) closedir(folder);
    return bytes;
}

int tn_data_is_large(const char *name)
{
    uint64_t total, left;
    return tn_system_memory(&total, &left) && bytes_of(name) > left / 2;
}

static tn_status open_any(request *ask, uint32_t how, tn_dataset *train, tn_dataset *test)
{
    struct stat info;
    const char *name = ask->name;
    size_t row = find_drawn(name);
    if (row < DRAWN) {
        TN_REQUIRE(how != TN_STREAM_YES, TN_EUNSUPPORTED, "%s: what is drawn is in memory", name);
        return open_drawn(row, name, ask->seed, train, test);
    }
    if (tn_inflow_is_standard(name)) {
        TN_REQUIRE(how != TN_STREAM_YES, TN_EUNSUPPORTED, "standard input is read into memory");
        return ask->context ? open_text(ask, train, test) : open_table(ask, train, test);
    }
    TN_REQUIRE(!stat(name, &info), TN_EMISSING,
               "data set '%s' is not there: expected 'digits', 'digits-rgb', a folder with MNIST's four files or "
               "of images, a CSV file (also .gz, or - for standard input), an .npz or a .safetensors file",
               name);
    TN_REQUIRE(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode), TN_EIO, "%s: is not a regular file", name);
    ask->stream = how == TN_STREAM_YES || (how == TN_STREAM_AUTO && tn_data_is_large(name));
    tn_status status = open_file(ask, train, test);
    if (status != TN_EUNSUPPORTED || how == TN_STREAM_YES) return status;
    tn_dataset_free(train);
    tn_dataset_free(test);
    ask->stream = 0;
    return open_file(ask, train, test);
}

/* What was opened with a loader all the same, as images are, is read if it should be in memory. */
static tn_status load(uint32_t how, tn_dataset *train, tn_dataset *test)
{
    uint64_t total, left, bytes = (uint64_t)train->count * tn_sample_bytes(train);
    bytes += (uint64_t)test->count * tn_sample_bytes(test);
    if (how == TN_STREAM_YES || (how == TN_STREAM_AUTO && tn_system_memory(&total, &left) && bytes > left / 2))
        return TN_OK;
    TN_TRY(tn_dataset_load(train));
    return tn_dataset_load(test);
}

static tn_status open_request(request *ask, uint32_t how, tn_dataset *train, tn_dataset *test)
{
    tn_dataset learn = {0}, judge = {0};
    tn_status status = open_any(ask, how, &learn, &judge);
    if (!status && ask->folds && !ask->divided && !ask->no_train && !ask->no_test)
        status = tn_fail(TN_EINVAL,
                         "%s: its samples for testing are set, as a text's last tenth is, and it is not cut into folds",
                         ask->name);
    if (!status && !ask->stream) status = load(how, &learn, &judge);
    if (!status && train) {
        *train = learn;
        learn = (tn_dataset){0};
    }
    if (!status && test) {
        *test = judge;
        judge = (tn_dataset){0};
    }
    tn_dataset_free(&learn);
    tn_dataset_free(&judge);
    return status;
}

tn_status tn_dataset_open(const char *name, uint64_t seed, const tn_csv_options *csv, tn_dataset *train,
                          tn_dataset *test)
{
    TN_GIVEN(name);
    request ask = {.name = name, .seed = seed, .no_train = !train, .no_test = !test};
    if (csv) ask.csv = *csv;
    return open_request(&ask, TN_STREAM_NO, train, test);
}

tn_status tn_dataset_open_with(const char *name, const tn_open_options *options, tn_dataset *train, tn_dataset *test)
{
    TN_GIVEN(name, options);
    request ask = {.name = name,
                   .seed = options->seed,
                   .csv = options->csv,
                   .image = options->image,
                   .context = options->context,
                   .alphabet = options->alphabet,
                   .folds = options->folds,
                   .fold = options->fold,
                   .no_train = !train,
                   .no_test = !test};
    return open_request(&ask, options->stream, train, test);
}
