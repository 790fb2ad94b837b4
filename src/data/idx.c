/* idx.c: IDX files, plain or gzip. Two zero bytes, the element type (8: u8), the rank, each dimension as a big-endian
 * 32-bit number, then the elements. Nothing is allocated before the sizes have been checked against the file's. */
#include "idx.h"

#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "alloc.h"
#include "error.h"
#include "order.h"
#include "read.h"
#include "rows.h"
#include "shape.h"

#define TYPE_U8      8u
#define DEFLATE_MOST 1032u /* deflate makes nothing smaller than by this factor */

struct source {
    const char *path;
    gzFile gz;
    uint64_t file_bytes; /* on the disk */
};

static tn_status open_source(const char *path, struct source *source)
{
    int fd = -1;
    source->path = path;
    TN_TRY(tn_open_regular(path, &fd, &source->file_bytes));
    if (!source->file_bytes) {
        close(fd);
        return tn_fail(TN_EFORMAT, "%s: is empty where an IDX file was expected", path);
    }
    source->gz = gzdopen(fd, "rb");
    if (!source->gz) {
        close(fd);
        return tn_fail(TN_ENOMEM, "%s: out of memory for the decompressor", path);
    }
    (void)gzbuffer(source->gz, 1u << 17);
    return TN_OK;
}

/* Reads up to `bytes`; *got is less only where the data ends. */
static tn_status read_up_to(struct source *source, void *to, uint64_t bytes, uint64_t *got)
{
    uint64_t have = 0;
    int code = Z_OK;
    while (have < bytes) {
        uint64_t left = bytes - have;
        int count = gzread(source->gz, (char *)to + have, left < 1u << 30 ? (unsigned)left : 1u << 30);
        if (count <= 0) break;
        have += (uint64_t)count;
    }
    *got = have;
    if (have == bytes) return TN_OK;
    const char *reason = gzerror(source->gz, &code);
    TN_REQUIRE(code != Z_BUF_ERROR, TN_EFORMAT, "%s: the gzip data is cut short", source->path);
    TN_REQUIRE(code != Z_MEM_ERROR, TN_ENOMEM, "%s: out of memory for the decompressor", source->path);
    TN_REQUIRE(code != Z_ERRNO, TN_EIO, "%s: cannot be read: %s", source->path, reason);
    TN_REQUIRE(code == Z_OK || code == Z_STREAM_END, TN_EFORMAT, "%s: the gzip data is damaged", source->path);
    return TN_OK;
}

static tn_status read_shape(struct source *source, tn_shape *shape)
{
    uint8_t magic[4] = {0}, size[4 * TN_MAX_RANK];
    uint64_t got = 0;
    TN_TRY(read_up_to(source, magic, 4, &got));
    TN_REQUIRE(got == 4 && !magic[0] && !magic[1], TN_EFORMAT,
               "%s: is no IDX file: expected a magic number 00 00 08 .., found %02x %02x %02x %02x", source->path,
               magic[0], magic[1], magic[2], magic[3]);
    TN_REQUIRE(magic[2] == TYPE_U8, TN_EFORMAT, "%s: expected bytes (IDX type 08), found type %02x", source->path,
               magic[2]);
    TN_REQUIRE(magic[3] >= 1 && magic[3] <= TN_MAX_RANK, TN_EFORMAT, "%s: expected 1 to %d dimensions, found %d",
               source->path, TN_MAX_RANK, magic[3]);
    TN_TRY(read_up_to(source, size, 4u * magic[3], &got));
    TN_REQUIRE(got == 4u * magic[3], TN_EFORMAT, "%s: is cut short within its header", source->path);
    shape->rank = magic[3];
    for (int32_t d = 0; d < shape->rank; d++) shape->dim[d] = (int64_t)tn_bytes_get(size + 4 * d, 4, 1);
    return TN_OK;
}

/* Could that many bytes be in this file at all? */
static tn_status check_size(struct source *source, const tn_shape *shape)
{
    char text[160];
    tn_shape_text(shape, text, sizeof text);
    TN_REQUIRE(!tn_shape_check(shape), TN_EFORMAT, "%s: absurd dimensions %s", source->path, text);
    uint64_t header = 4 + 4 * (uint64_t)shape->rank, need = (uint64_t)tn_shape_count(shape);
    if (!gzdirect(source->gz)) {
        TN_REQUIRE(need / DEFLATE_MOST <= source->file_bytes, TN_EFORMAT,
                   "%s: absurd dimensions %s for a gzip file of %llu bytes", source->path, text,
                   (unsigned long long)source->file_bytes);
        return TN_OK;
    }
    uint64_t have = source->file_bytes - header;
    TN_REQUIRE(have >= need, TN_EFORMAT, "%s: is cut short: dimensions %s need %llu bytes, found %llu", source->path,
               text, (unsigned long long)need, (unsigned long long)have);
    TN_REQUIRE(have == need, TN_EFORMAT, "%s: %llu bytes too many after the %llu of dimensions %s", source->path,
               (unsigned long long)(have - need), (unsigned long long)need, text);
    return TN_OK;
}

/* The elements, and nothing after them. */
static tn_status read_elements(struct source *source, uint8_t *to, uint64_t need)
{
    uint64_t got = 0, more = 0;
    uint8_t extra;
    TN_TRY(read_up_to(source, to, need, &got));
    TN_REQUIRE(got == need, TN_EFORMAT, "%s: is cut short: its dimensions need %llu bytes, found %llu", source->path,
               (unsigned long long)need, (unsigned long long)got);
    TN_TRY(read_up_to(source, &extra, 1, &more));
    TN_REQUIRE(!more, TN_EFORMAT, "%s: has bytes too many after the %llu of its dimensions", source->path,
               (unsigned long long)need);
    return TN_OK;
}

static tn_status read_source(struct source *source, tn_shape *shape, uint8_t **data)
{
    tn_shape read = {0};
    TN_TRY(read_shape(source, &read));
    TN_TRY(check_size(source, &read));
    uint64_t need = (uint64_t)tn_shape_count(&read);
    uint8_t *bytes = tn_alloc(need);
    if (!bytes) return TN_ENOMEM;
    tn_status status = read_elements(source, bytes, need);
    if (status) {
        tn_free(bytes);
        return status;
    }
    *shape = read;
    *data = bytes;
    return TN_OK;
}

tn_status tn_idx_read(const char *path, tn_shape *shape, uint8_t **data)
{
    struct source source = {0};
    TN_TRY(open_source(path, &source));
    tn_status status = read_source(&source, shape, data);
    gzclose_r(source.gz);
    return status;
}

tn_status tn_idx_rows(tn_rows *rows)
{
    struct source source = {0};
    TN_TRY(open_source(rows->path, &source));
    tn_status status = read_shape(&source, &rows->shape);
    if (!status) status = check_size(&source, &rows->shape);
    if (!status && !gzdirect(source.gz))
        status = tn_fail(TN_EUNSUPPORTED, "%s: is compressed, and read whole", rows->path);
    gzclose_r(source.gz);
    rows->begin = 4 + 4 * (uint64_t)rows->shape.rank;
    rows->element = (tn_element){'u', 1, 0, TN_U8};
    return status;
}
