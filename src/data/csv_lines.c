/* csv_lines.c: see csv_lines.h. */
#include "csv_lines.h"

#include <string.h>
#include <unistd.h>

#include "error.h"
#include "read.h"

#define ROOM (1 << 18) /* bytes read at once, unless a row is longer */

/* ---- where rows end ---- */

/* Behind the closing quote; NULL if there is none. */
static char *quoted_end(char *at, const char *end)
{
    for (at++; (at = memchr(at, '"', (size_t)(end - at))); at += 2)
        if (at + 1 == end || at[1] != '"') return at + 1;
    return NULL;
}

char *tn_row_end(char *at, char *end, int ended, char separator)
{
    char *const last = ended ? end : NULL;
    for (;;) {
        if (at < end && *at == '"' && (!(at = quoted_end(at, end)) || at == end)) return last;
        at = tn_cell_end(at, separator);
        if (at >= end || (*at == '\r' && at + 1 == end)) return last;
        if (*at++ == separator) continue;
        return at[-1] == '\r' && *at == '\n' ? at + 1 : at;
    }
}

/* ---- reading ---- */

/* Others than UTF-8, and no text. */
static tn_status check_kind(const tn_lines *l, const char *from, uint64_t bytes)
{
    const int first = !l->place && from == l->text && bytes >= 2;
    TN_REQUIRE(!first || memcmp(from, "\x1f\x8b", 2) != 0, TN_EFORMAT,
               "%s: is compressed by gzip, and tables are read as they are: unpack it first", l->path);
    TN_REQUIRE(!first || (memcmp(from, "\xFF\xFE", 2) != 0 && memcmp(from, "\xFE\xFF", 2) != 0), TN_EFORMAT,
               "%s: is UTF-16: 'iconv -f utf-16 -t utf-8' converts it", l->path);
    TN_REQUIRE(!memchr(from, 0, bytes), TN_EFORMAT, "%s: is no text file (it has zero bytes)", l->path);
    return TN_OK;
}

/* What is left moves to the front; a longer row gets more room. */
static tn_status make_room(tn_lines *l)
{
    uint64_t left = l->end - l->begin;
    if (left < l->room) {
        memmove(l->text, l->text + l->begin, left);
    } else {
        char *wider = tn_alloc(2 * l->room + 1);
        if (!wider) return TN_ENOMEM;
        memcpy(wider, l->text + l->begin, left);
        tn_free(l->text);
        l->text = wider;
        l->room *= 2;
    }
    l->begin = 0;
    l->end = left;
    return TN_OK;
}

static tn_status read_on(tn_lines *l)
{
    TN_TRY(make_room(l));
    uint64_t got = l->room - l->end;
    TN_TRY(tn_read_some(l->fd, l->path, l->text + l->end, &got));
    TN_TRY(check_kind(l, l->text + l->end, got));
    l->end += got;
    l->text[l->end] = 0;
    l->ended = l->end < l->room;
    if (!l->place && !strncmp(l->text, "\xEF\xBB\xBF", 3)) l->begin = l->place = 3;
    return TN_OK;
}

tn_status tn_lines_open(tn_lines *l, const char *path)
{
    uint64_t bytes;
    *l = (tn_lines){.path = path, .fd = -1, .line = 1};
    TN_TRY(tn_open_regular(path, &l->fd, &bytes));
    l->room = bytes < ROOM ? bytes + 1 : ROOM;
    l->text = tn_alloc(l->room + 1);
    if (!l->text) return TN_ENOMEM;
    TN_TRY(read_on(l));
    return tn_guess_separator(l->text + l->begin, l->text + l->end, &l->separator);
}

void tn_lines_close(tn_lines *l)
{
    if (l->fd >= 0) close(l->fd);
    tn_free(l->text);
    *l = (tn_lines){.fd = -1};
}

static void take(tn_lines *l, const char *to, int64_t line)
{
    uint64_t count = (uint64_t)(to - (l->text + l->begin));
    l->begin += count;
    l->place += count;
    l->line = line;
}

/* A carriage return that ends what was read may be half of a line break. */
static tn_status skip_empty(tn_lines *l)
{
    for (;;) {
        char *end = l->text + l->end;
        if (!l->ended && (l->begin == l->end || (l->begin + 1 == l->end && end[-1] == '\r'))) {
            TN_TRY(read_on(l));
            continue;
        }
        if (!l->ended && l->end > l->begin + 1 && end[-1] == '\r') end--;
        tn_reader r = {l->path, l->text + l->begin, end, l->line, l->separator};
        tn_skip_empty_lines(&r);
        take(l, r.at, r.line);
        if (l->ended || r.at < end) return TN_OK;
    }
}

tn_status tn_lines_next(tn_lines *l, tn_reader *row, uint64_t *place)
{
    char *end;
    TN_TRY(skip_empty(l));
    while (!(end = tn_row_end(l->text + l->begin, l->text + l->end, l->ended, l->separator))) TN_TRY(read_on(l));
    *row = (tn_reader){l->path, l->text + l->begin, end, l->line, l->separator};
    if (place) *place = l->place;
    int64_t lines = end > row->at && end[-1] == '\r';
    for (const char *c = row->at; (c = memchr(c, '\n', (size_t)(end - c))); c++) lines++;
    take(l, end, l->line + lines);
    return TN_OK;
}
