/* csv_stream.c: see csv_stream.h. A sample is read from the known row before it on: a few kilobytes, of which all but
 * one row are passed over. */
#include "csv_stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "csv_lines.h"
#include "error.h"
#include "read.h"

#define EVERY 4096 /* bytes from one known row to the next, at least */

typedef struct tn_row_place {
    int64_t row, line;
    uint64_t place;
} tn_row_place;

tn_status tn_row_index_add(tn_row_index *index, int64_t row, uint64_t place, int64_t line)
{
    if (index->count && place < index->at[index->count - 1].place + EVERY) return TN_OK;
    TN_TRY(tn_grow(&index->at, &index->room, index->count + 1, sizeof *index->at));
    index->at[index->count++] = (tn_row_place){row, line, place};
    return TN_OK;
}

/* What a loader has of a table. */
typedef struct stream {
    char *path;
    int fd;
    tn_table table;
    tn_row_index index;
} stream;

static void close_stream(void *arg)
{
    stream *s = arg;
    if (s->fd >= 0) close(s->fd);
    tn_table_free(&s->table);
    tn_free(s->index.at);
    tn_free(s->path);
    tn_free(s);
}

/* The last known row that is not after it. */
static const tn_row_place *find(const tn_row_index *index, int64_t row, uint64_t *end)
{
    uint32_t low = 0, high = index->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (index->at[middle].row <= row)
            low = middle;
        else
            high = middle;
    }
    *end = high < index->count ? index->at[high].place : index->end;
    return &index->at[low];
}

static tn_status read_text(const stream *s, uint64_t place, char *text, uint64_t bytes)
{
    for (uint64_t have = 0; have < bytes;) {
        ssize_t got = pread(s->fd, text + have, bytes - have, (off_t)(place + have));
        if (got < 0 && errno == EINTR) continue;
        TN_REQUIRE(got >= 0, TN_EIO, "%s: cannot be read: %s", s->path, strerror(errno));
        TN_REQUIRE(got, TN_EIO, "%s: became shorter while it was read", s->path);
        have += (uint64_t)got;
    }
    return TN_OK;
}

/* The row's text within that of the rows from the known one on. */
static tn_status find_row(const stream *s, const tn_row_place *known, int64_t row, char *text, uint64_t bytes, float *x)
{
    tn_reader r = {s->path, text, text + bytes, known->line, s->table.separator};
    for (int64_t k = known->row;; k++) {
        tn_skip_empty_lines(&r);
        char *end = tn_row_end(r.at, r.end, 1, r.separator);
        TN_REQUIRE(r.at < r.end, TN_EIO, "%s: row %lld is not where it was: the file was changed", s->path,
                   (long long)row);
        tn_reader one = {s->path, r.at, end, r.line, r.separator};
        if (k == row) return tn_table_row(&s->table, &one, &(tn_row){.x = x});
        for (; r.at < end; r.at++) r.line += *r.at == '\n';
    }
}

static tn_status fill(void *arg, int64_t index, void *x, void *target, tn_msg *msg)
{
    const stream *s = arg;
    uint64_t end;
    const tn_row_place *known = find(&s->index, index, &end);
    (void)target, (void)msg;
    char *text = tn_alloc(end - known->place + 1);
    tn_status status = text ? read_text(s, known->place, text, end - known->place) : TN_ENOMEM;
    if (!status) status = find_row(s, known, index, text, end - known->place, x);
    tn_free(text);
    return status;
}

static tn_status open_stream(stream *s, const char *path)
{
    uint64_t bytes;
    s->path = tn_strdup(path);
    if (!s->path) return TN_ENOMEM;
    s->table.path = s->path;
    return tn_open_regular(s->path, &s->fd, &bytes);
}

tn_status tn_csv_loader(tn_table *table, tn_row_index *index, tn_loader **loader)
{
    const char *path = table->path;
    stream *s = tn_alloc(sizeof *s);
    if (!s) return TN_ENOMEM;
    *s = (stream){.fd = -1, .table = *table, .index = *index};
    *table = (tn_table){.path = path};
    *index = (tn_row_index){0};
    tn_status status = open_stream(s, path);
    if (!status) status = tn_loader_new(&(tn_source){fill, close_stream, s}, loader);
    if (status) close_stream(s);
    return status;
}
