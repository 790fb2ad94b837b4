/* images.c: see images.h. Only the names of the files are kept; an image is read whenever its sample is. */
#include "images.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "csv.h"
#include "error.h"
#include "given.h"
#include "image.h"
#include "plain.h"
#include "system.h"
#include "utf8.h"

#define DEEPEST 32 /* folders in folders */

/* What a loader has of a folder. */
typedef struct files {
    tn_region names;
    char **path;
    int32_t *label;
    uint32_t count, path_room, label_room;
    uint32_t unread;   /* images of kinds that are not read, */
    const char *first; /* and the first of them */
    tn_shape sample;
} files;

static void close_files(void *arg)
{
    files *f = arg;
    tn_region_free(&f->names);
    tn_free(f->path);
    tn_free(f->label);
    tn_free(f);
}

static tn_status fill(void *arg, int64_t index, void *x, void *target, tn_msg *msg)
{
    const files *f = arg;
    (void)target, (void)msg;
    return tn_image_read(f->path[index], &f->sample, x);
}

static const char *name_of(void *arg, int64_t index)
{
    const files *f = arg;
    return f->path[index];
}

/* ---- looking round ---- */

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* By their bytes, whatever the language. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_folder(const char *path)
{
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

/* What is in a folder, in order of the names. */
typedef struct listing {
    struct dirent **entry;
    int count;
} listing;

static tn_status list(const char *folder, listing *l)
{
    l->count = scandir(folder, &l->entry, is_shown, by_name);
    if (l->count >= 0) return TN_OK;
    return tn_fail(errno == ENOMEM ? TN_ENOMEM : TN_EIO, "%s: cannot be read as a folder: %s", folder, strerror(errno));
}

static void free_listing(listing *l)
{
    for (int i = 0; i < l->count; i++) free(l->entry[i]);
    if (l->count >= 0) free(l->entry);
}

static tn_status add_file(files *f, char *path, int32_t label)
{
    TN_REQUIRE(f->count < INT32_MAX, TN_EFORMAT, "%s: has more than 2147483647 images", path);
    TN_TRY(tn_grow(&f->path, &f->path_room, f->count + 1, sizeof *f->path));
    TN_TRY(tn_grow(&f->label, &f->label_room, f->count + 1, sizeof *f->label));
    f->path[f->count] = path;
    f->label[f->count++] = label;
    return TN_OK;
}

static tn_status add_folder(files *f, const char *folder, int32_t label, int depth);

/* An image, or a folder of them; other files are passed over. */
static tn_status add_entry(files *f, const char *folder, const struct dirent *entry, int32_t label, int depth)
{
    const int maybe_folder = tn_system_may_be_folder(entry);
    int named = tn_image_named(entry->d_name);
    if (!maybe_folder && !named) return TN_OK;
    char *path = tn_region_print(&f->names, "%s/%s", folder, entry->d_name);
    if (!path) return TN_ENOMEM;
    if (maybe_folder && is_folder(path)) return add_folder(f, path, label, depth + 1);
    if (named == TN_IMAGE_UNREAD && !f->unread++) f->first = path;
    return named == TN_IMAGE ? add_file(f, path, label) : TN_OK;
}

static tn_status add_folder(files *f, const char *folder, int32_t label, int depth)
{
    listing l = {0};
    TN_REQUIRE(depth < DEEPEST, TN_EFORMAT, "%s: folders lie more than %d deep", folder, DEEPEST);
    TN_TRY(list(folder, &l));
    tn_status status = TN_OK;
    for (int i = 0; i < l.count && !status; i++) status = add_entry(f, folder, l.entry[i], label, depth);
    free_listing(&l);
    return status;
}

/* ---- classes ---- */

/* The number of the class of that name among the lines; -1 if there is none. */
static tn_status find_class(const char *lines, char *name, int32_t *number)
{
    char *line = tn_class_lines(&name, 1);
    if (!line) return TN_ENOMEM;
    const size_t length = strlen(line);
    int32_t i = 0;
    while (*lines && strncmp(lines, line, length)) {
        lines += strcspn(lines, "\n");
        lines += *lines == '\n';
        i++;
    }
    *number = *lines ? i : -1;
    tn_free(line);
    return TN_OK;
}

static tn_status add_class(files *f, const char *folder, const char *name, int32_t label)
{
    const uint32_t before = f->count;
    char *path = tn_region_print(&f->names, "%s/%s", folder, name);
    if (!path) return TN_ENOMEM;
    TN_TRY(add_folder(f, path, label, 0));
    TN_REQUIRE(f->count > before, TN_EFORMAT, "%s: has no images: expected .png, .jpg or .jpeg files in each folder",
               path);
    return TN_OK;
}

/* Folders are classes: those of `like` where it is given, or else in their own order. */
static tn_status add_classes(files *f, const char *folder, const listing *l, const tn_dataset *like, tn_region *names,
                             char **classes, int32_t *count)
{
    for (int i = 0; i < l->count; i++) {
        char *name = l->entry[i]->d_name, *path = tn_region_print(names, "%s/%s", folder, name);
        if (!path) return TN_ENOMEM;
        if (!is_folder(path)) continue;
        TN_REQUIRE(tn_is_utf8(name), TN_EFORMAT, "%s: the name of a class is not UTF-8", path);
        int32_t label = *count;
        if (like) TN_TRY(find_class(like->class_names, name, &label));
        TN_REQUIRE(label >= 0, TN_EFORMAT, "%s: is none of the classes of %s", path, like ? like->source : "");
        classes[(*count)++] = name;
        TN_TRY(add_class(f, folder, name, label));
    }
    TN_REQUIRE(*count, TN_EFORMAT, "%s: has no folders of images, one for each class", folder);
    return TN_OK;
}

static tn_status find_files(files *f, const char *folder, const tn_dataset *like, tn_dataset *data)
{
    listing l = {0};
    tn_region names = {0};
    int32_t count = 0;
    TN_TRY(list(folder, &l));
    char **classes = tn_alloc(((size_t)l.count + 1) * sizeof *classes);
    tn_status status = classes ? add_classes(f, folder, &l, like, &names, classes, &count) : TN_ENOMEM;
    if (!status) {
        data->class_names = like ? tn_strdup(like->class_names) : tn_class_lines(classes, (size_t)count);
        data->classes = like ? like->classes : count;
        if (!data->class_names) status = TN_ENOMEM;
    }
    tn_free(classes);
    tn_region_free(&names);
    free_listing(&l);
    return status;
}

/* ---- data sets ---- */

#define LOOKED 64 /* images, spread over all of them, whose heads say how they differ */

/* What there is beside the first one: images with colours, and of other sizes. */
typedef struct others {
    int coloured, sized;
} others;

static tn_status look_round(const files *f, const tn_shape *first, others *seen)
{
    const uint32_t count = f->count < LOOKED ? f->count : LOOKED;
    for (uint32_t i = 0; i < count; i++) {
        tn_shape other;
        const tn_status status = tn_image_shape(f->path[(uint64_t)i * f->count / count], &other);
        if (status == TN_ENOMEM) return status;
        if (status) continue; /* it is named when it is read */
        seen->coloured |= other.dim[0] > 1;
        seen->sized |= other.dim[1] != first->dim[1] || other.dim[2] != first->dim[2];
    }
    return TN_OK;
}

static tn_status notice_size(const tn_shape *sample, tn_dataset *data)
{
    char text[200];
    tn_snprintf(text, sizeof text,
                "images of other sizes become %lld x %lld, as the first is; --image HxW says another",
                (long long)sample->dim[1], (long long)sample->dim[2]);
    data->notice = tn_strdup(text);
    return data->notice ? TN_OK : TN_ENOMEM;
}

/* As is asked for; what is not is as the first image, but that there are colours if any has some. */
static tn_status find_shape(const files *f, const tn_shape *image, tn_shape *sample, tn_dataset *data)
{
    others seen = {0};
    tn_shape first;
    *sample = image ? *image : (tn_shape){0};
    if (sample->rank == 3) return TN_OK;
    TN_TRY(tn_image_shape(f->path[0], &first));
    TN_TRY(look_round(f, &first, &seen));
    const int64_t channels = seen.coloured ? 3 : first.dim[0];
    const int has_size = sample->rank == 2;
    if (has_size)
        *sample = TN_SHAPE(channels, sample->dim[0], sample->dim[1]);
    else
        *sample = TN_SHAPE(channels, first.dim[1], first.dim[2]);
    return !has_size && seen.sized ? notice_size(sample, data) : TN_OK;
}

static tn_status describe(files *f, const char *folder, const tn_shape *image, const tn_dataset *like, tn_dataset *data)
{
    TN_TRY(find_files(f, folder, like, data));
    TN_TRY(find_shape(f, like ? &like->sample : image, &f->sample, data));
    data->count = f->count;
    data->sample = f->sample;
    data->x_dtype = TN_U8;
    data->images = 1;
    data->label = f->label;
    f->label = NULL;
    data->source = tn_strdup(folder);
    if (f->unread)
        tn_log_line(TN_LOG_WARNING, "%s: %u image%s left out, such as %s: only PNG and JPEG are read", folder,
                    f->unread, f->unread == 1 ? " is" : "s are", f->first);
    return data->source ? TN_OK : TN_ENOMEM;
}

tn_status tn_images_open(const char *folder, const tn_shape *image, const tn_dataset *like, tn_dataset *data)
{
    tn_dataset read = {0};
    files *f = tn_alloc(sizeof *f);
    if (!f) return TN_ENOMEM;
    tn_status status = describe(f, folder, image, like, &read);
    if (!status) status = tn_loader_new(&(tn_source){fill, close_files, f, name_of}, &read.loader);
    if (status) {
        close_files(f);
        tn_dataset_free(&read);
        return status;
    }
    *data = read;
    return TN_OK;
}

tn_status tn_dataset_images(const char *folder, const tn_shape *image, tn_dataset *data)
{
    TN_GIVEN(folder, data);
    TN_REQUIRE(!image || !image->rank || ((image->rank == 2 || image->rank == 3) && tn_shape_count(image) > 0),
               TN_ESHAPE, "%s: images are (height, width) or (channels, height, width)", folder);
    return tn_images_open(folder, image, NULL, data);
}

static int has_folder(const char *folder, const char *name)
{
    tn_region names = {0};
    const char *path = tn_region_print(&names, "%s/%s", folder, name);
    int has = path && is_folder(path);
    tn_region_free(&names);
    return has;
}

int tn_images_have_parts(const char *folder, const char **test)
{
    *test = has_folder(folder, "test") ? "test" : "val";
    return has_folder(folder, "train") && has_folder(folder, *test);
}
