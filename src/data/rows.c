/* rows.c: see rows.h. */
#include "rows.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "error.h"
#include "npy.h"
#include "read.h"
#include "tensors.h"

#define CHUNK 32768 /* bytes converted at once: a multiple of every element's size */

static const char *colon(const tn_rows *r)
{
    return *r->member ? ": " : "";
}

/* ---- reading ---- */

static tn_status read_at(const tn_rows *r, uint64_t place, char *to, uint64_t bytes)
{
    for (uint64_t have = 0; have < bytes;) {
        ssize_t got = pread(r->fd, to + have, bytes - have, (off_t)(place + have));
        if (got < 0 && errno == EINTR) continue;
        TN_REQUIRE(got >= 0, TN_EIO, "%s%s%s: row %llu cannot be read: %s", r->path, colon(r), r->member,
                   (unsigned long long)((place - r->begin) / r->row_bytes), strerror(errno));
        TN_REQUIRE(got, TN_EIO, "%s%s%s: row %llu is not there any more: the file became shorter", r->path, colon(r),
                   r->member, (unsigned long long)((place - r->begin) / r->row_bytes));
        have += (uint64_t)got;
    }
    return TN_OK;
}

tn_status tn_rows_read(const tn_rows *r, int64_t first, int64_t count, void *to)
{
    const uint64_t bytes = (uint64_t)count * r->row_bytes, begin = r->begin + (uint64_t)first * r->row_bytes;
    const uint64_t size = (uint64_t)r->element.size, ours = tn_dtype_size(r->element.dtype);
    if (tn_element_is_ours(&r->element)) return read_at(r, begin, to, bytes);
    for (uint64_t done = 0; done < bytes;) {
        char chunk[CHUNK], why[TN_ELEMENT_TEXT];
        uint64_t now = bytes - done < CHUNK ? bytes - done : CHUNK;
        TN_TRY(read_at(r, begin + done, chunk, now));
        const char *wrong = tn_element_convert(&r->element, (const uint8_t *)chunk, (int64_t)(now / size),
                                               (char *)to + done / size * ours, why);
        TN_REQUIRE(!wrong, TN_EFORMAT, "%s%s%s: %s, near row %llu", r->path, colon(r), r->member, wrong,
                   (unsigned long long)((uint64_t)first + done / r->row_bytes));
        done += now;
    }
    return TN_OK;
}

tn_status tn_rows_array(const tn_rows *r, tn_array *array)
{
    tn_array read = {r->element.dtype, r->shape,
                     tn_alloc((uint64_t)tn_shape_count(&r->shape) * tn_dtype_size(r->element.dtype))};
    if (!read.data) return TN_ENOMEM;
    tn_status status = r->row_bytes ? tn_rows_read(r, 0, r->shape.rank ? r->shape.dim[0] : 1, read.data) : TN_OK;
    if (status)
        tn_array_free(&read);
    else
        *array = read;
    return status;
}

/* ---- opening ---- */

/* By how the file begins. */
static tn_status find_rows(tn_rows *r, const char *member, uint64_t bytes)
{
    char head[2] = {0};
    uint64_t got = sizeof head;
    if (tn_npz_is(r->path)) return tn_npz_rows(r, member);
    if (tn_tensors_is(r->path)) return tn_tensors_rows(r, member);
    TN_TRY(tn_read_some(r->fd, r->path, head, &got));
    TN_REQUIRE(!member, TN_EMISSING, "%s: is no archive, and has no array '%s'", r->path, member);
    return got == sizeof head && head[0] == '\x93' ? tn_npy_rows(r, 0, bytes) : tn_idx_rows(r);
}

static tn_status open_rows(const char *path, const char *member, tn_rows *r)
{
    uint64_t bytes = 0;
    TN_TRY(tn_open_regular(path, &r->fd, &bytes));
    r->path = tn_strdup(path);
    r->member = tn_strdup(member ? member : "");
    if (!r->path || !r->member) return TN_ENOMEM;
    TN_TRY(find_rows(r, member, bytes));
    const int64_t count = r->shape.rank ? r->shape.dim[0] : 1;
    r->row_bytes = count ? (uint64_t)(tn_shape_count(&r->shape) / count) * (uint64_t)r->element.size : 0;
    return TN_OK;
}

tn_status tn_rows_open(const char *path, const char *member, tn_rows **rows)
{
    tn_rows *r = tn_alloc(sizeof *r);
    if (!r) return TN_ENOMEM;
    r->fd = -1;
    tn_status status = open_rows(path, member, r);
    if (status)
        tn_rows_close(r);
    else
        *rows = r;
    return status;
}

void tn_rows_close(tn_rows *r)
{
    if (!r) return;
    if (r->fd >= 0) close(r->fd);
    tn_free(r->path);
    tn_free(r->member);
    tn_free(r);
}
