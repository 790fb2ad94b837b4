/* csv_lines.c: see csv_lines.h. */
#include "csv_lines.h"

#include <string.h>
#include <strings.h>

#include "error.h"

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

#define BY_PANDAS(reader) "Python's pandas." reader "(FILE).to_csv(\"table.csv\", index=False) makes it one"
#define BY_SAVING         "save it as CSV from the program that made it"

/* Tables that are no text, by what they begin with. */
static const struct {
    const char *begins;
    size_t length;
    const char *called, *instead;
} kinds[] = {
    {"PAR1", 4, "a Parquet file", BY_PANDAS("read_parquet")},
    {"ARROW1", 6, "an Arrow file", BY_PANDAS("read_feather")},
    {"FEA1", 4, "a Feather file", BY_PANDAS("read_feather")},
    {"\xFF\xFF\xFF\xFF", 4, "an Arrow stream",
     "Python's pyarrow.ipc.open_stream and pyarrow.csv.write_csv make it one"},
    {"PK\3\4", 4, "an archive, such as spreadsheets are", BY_SAVING},
    {"\xD0\xCF\x11\xE0", 4, "a document of Office, such as an .xls", BY_SAVING},
    {"\x89HDF", 4, "an HDF5 file", BY_PANDAS("read_hdf")},
    {"SQLite format 3", 16, "an SQLite database", "'sqlite3 -csv -header FILE \"select * from TABLE\"' makes it one"},
    {"BZh", 3, "compressed by bzip2", "unpack it first, or by '... | tenon train --data -'"},
    {"\xFD"
     "7zXZ",
     5, "compressed by xz", "unpack it first, or by 'xzcat FILE | tenon train --data -'"},
    {"\x28\xB5\x2F\xFD", 4, "compressed by zstd", "unpack it first, or by 'zstdcat FILE | tenon train --data -'"}};

/* Weka's and OpenML's text files: "@relation" behind comments and empty lines. */
static int is_arff(const char *text, const char *end)
{
    for (const char *line_end; text < end && strchr("%\r\n", *text); text = line_end + 1)
        if (!(line_end = memchr(text, '\n', (size_t)(end - text)))) return 0;
    return end - text > 9 && !strncasecmp(text, "@relation", 9);
}

/* Others than UTF-8, and no text. */
static tn_status check_kind(const tn_lines *l, const char *from, uint64_t bytes)
{
    const int first = !l->place && from == l->text && bytes >= 2;
    for (size_t i = 0; first && i < sizeof kinds / sizeof *kinds; i++)
        TN_REQUIRE(bytes < kinds[i].length || memcmp(from, kinds[i].begins, kinds[i].length) != 0, TN_EFORMAT,
                   "%s: is %s, and tables are read as text: %s", l->path, kinds[i].called, kinds[i].instead);
    TN_REQUIRE(!first || !is_arff(from, from + bytes), TN_EFORMAT,
               "%s: is an ARFF file, of which only the rows can be read, whose columns go by order: "
               "'sed \"1,/^@data/Id; /^%%/d\" FILE | tenon train --header no --data -'",
               l->path);
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
    TN_TRY(tn_inflow_read(&l->inflow, l->text + l->end, &got));
    TN_TRY(check_kind(l, l->text + l->end, got));
    l->end += got;
    l->text[l->end] = 0;
    l->ended = l->end < l->room;
    if (!l->place && !strncmp(l->text, "\xEF\xBB\xBF", 3)) l->begin = l->place = 3;
    return TN_OK;
}

tn_status tn_lines_open(tn_lines *l, const char *path)
{
    *l = (tn_lines){.path = path, .line = 1};
    TN_TRY(tn_inflow_open(path, &l->inflow));
    const uint64_t bytes = l->inflow.bytes;
    l->room = bytes < ROOM && l->inflow.in_place ? bytes + 1 : ROOM;
    l->text = tn_alloc(l->room + 1);
    if (!l->text) return TN_ENOMEM;
    TN_TRY(read_on(l));
    return tn_guess_separator(l->text + l->begin, l->text + l->end, &l->separator);
}

void tn_lines_close(tn_lines *l)
{
    tn_inflow_close(&l->inflow);
    tn_free(l->text);
    *l = (tn_lines){0};
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
