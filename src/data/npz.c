/* npz.c: archives of NumPy's arrays: zip files, read by libzip. A member says how long it is; that is believed only as
 * far as its compressed size allows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include "alloc.h"
#include "error.h"
#include "npy.h"
#include "read.h"
#include "rows.h"
#include "zip_place.h"

#define DEFLATE_MOST 1032u      /* deflate makes nothing smaller than by this factor */
#define BLOCK        (1u << 18) /* bytes read at once for a checksum */

static tn_status failed(const tn_npy_source *source, zip_error_t *error)
{
    tn_status status = zip_error_code_zip(error) == ZIP_ER_MEMORY ? TN_ENOMEM : TN_EFORMAT;
    return tn_fail(status, "%s%s%s: is a damaged archive: %s", source->path, *source->member ? ": " : "",
                   source->member, zip_error_strerror(error));
}

static tn_status read_member(tn_npy_source *source, void *to, uint64_t bytes)
{
    for (uint64_t got = 0; got < bytes;) {
        zip_int64_t count = zip_fread(source->handle, (char *)to + got, bytes - got);
        if (count < 0) return failed(source, zip_file_get_error(source->handle));
        TN_REQUIRE(count, TN_EFORMAT, "%s: %s: is cut short", source->path, source->member);
        got += (uint64_t)count;
    }
    return TN_OK;
}

/* At its end the checksum is compared. */
static tn_status read_end(tn_npy_source *source)
{
    char extra;
    zip_int64_t count = zip_fread(source->handle, &extra, 1);
    if (count < 0) return failed(source, zip_file_get_error(source->handle));
    TN_REQUIRE(!count, TN_EFORMAT, "%s: %s: is longer than it says", source->path, source->member);
    return TN_OK;
}

static tn_status check_member(tn_npy_source *source, const zip_stat_t *stat)
{
    const zip_uint64_t need = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    TN_REQUIRE((stat->valid & need) == need, TN_EFORMAT, "%s: %s: has no size", source->path, source->member);
    TN_REQUIRE(stat->encryption_method == ZIP_EM_NONE &&
                   (stat->comp_method == ZIP_CM_STORE || stat->comp_method == ZIP_CM_DEFLATE),
               TN_EFORMAT, "%s: %s: is encrypted or compressed otherwise than by deflate", source->path,
               source->member);
    TN_REQUIRE(stat->size / DEFLATE_MOST <= stat->comp_size, TN_EFORMAT, "%s: %s: absurd size: %llu bytes out of %llu",
               source->path, source->member, (unsigned long long)stat->size, (unsigned long long)stat->comp_size);
    source->bytes = stat->size;
    return TN_OK;
}

static tn_status read_index(zip_t *zip, tn_npy_source *source, zip_uint64_t index, tn_array *array)
{
    zip_stat_t stat;
    tn_array read = {0};
    zip_stat_init(&stat);
    if (zip_stat_index(zip, index, 0, &stat)) return failed(source, zip_get_error(zip));
    TN_TRY(check_member(source, &stat));
    source->handle = zip_fopen_index(zip, index, 0);
    if (!source->handle) return failed(source, zip_get_error(zip));
    tn_status status = tn_npy_parse(source, &read);
    if (!status) status = read_end(source);
    zip_fclose(source->handle);
    if (status)
        tn_array_free(&read);
    else
        *array = read;
    return status;
}

/* NumPy adds ".npy" to the name of an array. */
static tn_status find_member(zip_t *zip, tn_npy_source *source, zip_uint64_t *index)
{
    char name[256];
    zip_int64_t count = zip_get_num_entries(zip, 0), found = 0;
    TN_REQUIRE(count, TN_EMISSING, "%s: is an archive without arrays", source->path);
    if (!source->member) {
        TN_REQUIRE(count == 1, TN_EMISSING, "%s: has %lld arrays; expected one alone, or one named 'x'", source->path,
                   (long long)count);
        source->member = "";
        return *index = 0, TN_OK;
    }
    snprintf(name, sizeof name, "%s.npy", source->member);
    found = zip_name_locate(zip, name, ZIP_FL_ENC_RAW);
    TN_REQUIRE(found >= 0, TN_EMISSING, "%s: has no array '%s'", source->path, source->member);
    return *index = (zip_uint64_t)found, TN_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of two members with one name others read the first or the last. */
static tn_status check_names(const char *path, zip_t *zip)
{
    const size_t count = (size_t)zip_get_num_entries(zip, 0);
    tn_status status = TN_OK;
    const char **name = tn_alloc(count * sizeof *name);
    if (!name) return TN_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const char *given = zip_get_name(zip, i, ZIP_FL_ENC_RAW);
        name[i] = given ? given : "";
    }
    qsort(name, count, sizeof *name, compare_names);
    for (size_t i = 1; i < count && !status; i++)
        if (!strcmp(name[i - 1], name[i]))
            status = tn_fail(TN_EFORMAT, "%s: two members are named '%s'", path, name[i]);
    tn_free(name);
    return status;
}

static tn_status open_zip(const char *path, zip_t **zip)
{
    int fd = -1, code = 0;
    uint64_t bytes;
    zip_error_t error;
    const tn_npy_source source = {.path = path, .member = ""};
    TN_TRY(tn_open_regular(path, &fd, &bytes));
    *zip = zip_fdopen(fd, 0, &code);
    if (*zip) return TN_OK;
    close(fd);
    zip_error_init_with_code(&error, code);
    tn_status status = failed(&source, &error);
    zip_error_fini(&error);
    return status;
}

static tn_status open_archive(const char *path, zip_t **zip)
{
    TN_TRY(open_zip(path, zip));
    tn_status status = check_names(path, *zip);
    if (status) zip_discard(*zip);
    return status;
}

tn_status tn_npz_has(const char *path, const char *member, int *has)
{
    zip_t *zip = NULL;
    zip_uint64_t index;
    tn_npy_source source = {.path = path, .member = member};
    TN_TRY(open_archive(path, &zip));
    *has = !find_member(zip, &source, &index);
    zip_discard(zip);
    return TN_OK;
}

tn_status tn_npz_read(const char *path, const char *member, tn_array *array)
{
    zip_t *zip = NULL;
    zip_uint64_t index = 0;
    tn_npy_source source = {.path = path, .member = member, .read = read_member};
    TN_TRY(open_archive(path, &zip));
    tn_status status = find_member(zip, &source, &index);
    if (!status) status = read_index(zip, &source, index, array);
    zip_discard(zip);
    return status;
}

/* Finds a member that is stored as it is: what the archive says of it. */
static tn_status find_stored(zip_t *zip, tn_npy_source *source, zip_uint64_t *index, zip_stat_t *stat)
{
    zip_stat_init(stat);
    TN_TRY(find_member(zip, source, index));
    if (zip_stat_index(zip, *index, 0, stat)) return failed(source, zip_get_error(zip));
    TN_TRY(check_member(source, stat));
    TN_REQUIRE(stat->comp_method == ZIP_CM_STORE, TN_EUNSUPPORTED,
               "%s: %s: is compressed, and read whole; numpy.savez doesn't compress", source->path, source->member);
    return TN_OK;
}

/* The member's bytes have the checksum that the archive says: rows read one by one could not tell. */
static tn_status check_sum(const tn_npy_source *source, int fd, uint64_t begin, const zip_stat_t *stat)
{
    uint64_t done = 0;
    uLong sum = crc32(0, NULL, 0);
    unsigned char *block = tn_alloc(BLOCK);
    if (!block) return TN_ENOMEM;
    for (ssize_t got = 1; done < stat->size && got > 0; done += got > 0 ? (uint64_t)got : 0) {
        got = pread(fd, block, stat->size - done < BLOCK ? stat->size - done : BLOCK, (off_t)(begin + done));
        if (got > 0) sum = crc32(sum, block, (uInt)got);
    }
    tn_free(block);
    TN_REQUIRE(done == stat->size, TN_EIO, "%s: %s: cannot be read", source->path, source->member);
    TN_REQUIRE(!(stat->valid & ZIP_STAT_CRC) || sum == stat->crc, TN_EFORMAT, "%s: %s: is a damaged archive: CRC error",
               source->path, source->member);
    return TN_OK;
}

tn_status tn_npz_rows(tn_rows *rows, const char *member)
{
    zip_t *zip = NULL;
    zip_stat_t stat;
    zip_uint64_t index = 0;
    uint64_t begin = 0;
    tn_npy_source source = {.path = rows->path, .member = member};
    TN_TRY(open_archive(rows->path, &zip));
    tn_status status = find_stored(zip, &source, &index, &stat);
    if (!status)
        status = tn_zip_place(rows->fd, rows->path, zip_get_name(zip, index, ZIP_FL_ENC_RAW), stat.size, &begin);
    if (!status) status = check_sum(&source, rows->fd, begin, &stat);
    zip_discard(zip);
    return status ? status : tn_npy_rows(rows, begin, stat.size);
}
