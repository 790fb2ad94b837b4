/* rows.c: see rows.h. Cells are cut as RFC 4180 says, between separators that the library found; what they hold is left
 * as it is. */
#include "rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define AT_ONCE (1u << 18)

typedef struct cell {
    const char *text;
    size_t length;
} cell;

struct cli_rows {
    char *text;
    size_t length;
    cell *cell; /* of all rows, one behind the other */
    size_t cells, room;
    size_t *first; /* of each row, the header's too, and behind the last */
    size_t count, rows_room;
    char separator;
    int header; /* the first row is one */
};

/* ---- reading ---- */

static int read_text(cli_rows *r, const char *path)
{
    gzFile in = gzopen(path, "rb");
    int got = in ? 1 : -1;
    while (got > 0) {
        char *grown = realloc(r->text, r->length + AT_ONCE + 1);
        got = grown ? gzread(in, grown + r->length, AT_ONCE) : -1;
        if (grown) r->text = grown;
        if (got > 0) r->length += (size_t)got;
    }
    if (in) gzclose(in);
    if (got < 0) return cli_fail("%s: cannot be read once more", path);
    r->text[r->length] = 0;
    return CLI_GO_ON;
}

static int grow(void **array, size_t *room, size_t used, size_t size)
{
    if (used < *room) return 1;
    void *grown = realloc(*array, (2 * *room + 1024) * size);
    if (!grown) return 0;
    *array = grown;
    *room = 2 * *room + 1024;
    return 1;
}

static int add_cell(cli_rows *r, const char *text, size_t length)
{
    if (!grow((void **)&r->cell, &r->room, r->cells, sizeof *r->cell)) return 0;
    r->cell[r->cells++] = (cell){text, length};
    return 1;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Behind blanks that are no separator. */
static char *skip(const cli_rows *r, char *at)
{
    while (is_blank(*at) && (*at != r->separator || r->separator == ' ')) at++;
    return at;
}

static int ends_cell(const cli_rows *r, char c)
{
    return !c || c == '\n' || c == r->separator || (r->separator == ' ' && c == '\t');
}

/* What stands between quotes, of which two are one; in its own place. Returns where it ends. */
static char *unquote(char *at, size_t *length)
{
    char *to = at;
    const char *begin = at;
    for (at++; *at && (*at != '"' || at[1] == '"'); at++) {
        at += *at == '"';
        *to++ = *at;
    }
    *length = (size_t)(to - begin);
    return at + (*at == '"');
}

/* A cell and what separates it from the next. NULL: there is no memory. */
static char *take_cell(cli_rows *r, char *at)
{
    at = skip(r, at);
    char *begin = at;
    size_t length = 0;
    const int quoted = *at == '"';
    if (quoted) at = unquote(at, &length);
    while (!ends_cell(r, *at)) at++;
    if (!quoted)
        for (length = (size_t)(at - begin); length && strchr(" \t\r", begin[length - 1]);) length--;
    if (!add_cell(r, begin, length)) return NULL;
    if (r->separator == ' ') at = skip(r, at);
    return at;
}

/* A line, unless it is empty. NULL: there is no memory. */
static char *take_row(cli_rows *r, char *at)
{
    char *begin = r->separator == ' ' ? skip(r, at) : at;
    if (*begin == '\r' && begin[1] == '\n') begin++;
    if (*begin == '\n') return begin + 1;
    if (!grow((void **)&r->first, &r->rows_room, r->count + 1, sizeof *r->first)) return NULL;
    r->first[r->count++] = r->cells;
    for (at = begin;;) {
        at = take_cell(r, at);
        if (!at || !*at || *at == '\n') break;
        at += r->separator != ' ' && *at == r->separator;
        if (r->separator == ' ' && *at == '\r' && at[1] == '\n') at++;
        if (r->separator == ' ' && *at == '\n') break;
    }
    if (at) r->first[r->count] = r->cells;
    return at && *at == '\n' ? at + 1 : at;
}

static int cut(cli_rows *r)
{
    char *at = r->text, *end = r->text + r->length;
    if (r->length >= 3 && !memcmp(at, "\xef\xbb\xbf", 3)) at += 3;
    while (at && at < end) at = take_row(r, at);
    return at ? CLI_GO_ON : cli_fail("out of memory");
}

int cli_rows_open(const cli_samples *samples, cli_rows **rows)
{
    cli_rows *r = *rows = calloc(1, sizeof *r);
    if (!r) return cli_fail("out of memory");
    r->separator = samples->separator;
    r->header = !samples->no_header;
    int status =
        samples->separator ? CLI_GO_ON : cli_fail("%s: --with-inputs is for a table, and this is none", samples->path);
    if (status == CLI_GO_ON) status = read_text(r, samples->path);
    if (status == CLI_GO_ON) status = cut(r);
    if (status == CLI_GO_ON && (int64_t)r->count != samples->count + r->header)
        status = cli_fail("%s: has %zu rows where %" PRId64 " were read", samples->path, r->count - (size_t)r->header,
                          samples->count);
    if (status == CLI_GO_ON) return status;
    cli_rows_free(r);
    *rows = NULL;
    return status;
}

void cli_rows_free(cli_rows *r)
{
    if (!r) return;
    free(r->text);
    free(r->cell);
    free(r->first);
    free(r);
}

/* ---- using ---- */

static void put_row(const cli_rows *r, size_t row, cli_sheet *sheet)
{
    for (size_t i = r->first[row]; i < r->first[row + 1]; i++)
        cli_sheet_text(sheet, r->cell[i].text, r->cell[i].length);
}

int cli_rows_names(const cli_rows *r, const char *name)
{
    for (size_t i = 0; r->header && i < r->first[1]; i++)
        if (r->cell[i].length == strlen(name) && !memcmp(r->cell[i].text, name, r->cell[i].length)) return 1;
    return 0;
}

void cli_rows_head(const cli_rows *r, cli_sheet *sheet)
{
    char name[40];
    if (r->header) put_row(r, 0, sheet);
    for (size_t i = 0; !r->header && r->count && i < r->first[1]; i++)
        cli_sheet_text(sheet, name, (size_t)snprintf(name, sizeof name, "column %zu", i + 1));
}

void cli_rows_put(const cli_rows *r, int64_t index, cli_sheet *sheet)
{
    put_row(r, (size_t)(index + r->header), sheet);
}
