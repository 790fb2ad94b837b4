/* sheet.c: see sheet.h. */
#include "sheet.h"
#include "cli.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int cli_sheet_begin(cli_sheet *s)
{
    *s = (cli_sheet){0};
    s->file = open_memstream(&s->text, &s->size);
    return s->file ? CLI_OK : cli_fail("out of memory");
}

static void between(cli_sheet *s)
{
    if (s->cells++) putc(',', s->file);
}

/* In quotes where it has what would end a cell, or spaces at its ends, which readers drop. */
static int needs_quotes(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr("\",\r\n", text[i])) return 1;
    return length && (text[0] == ' ' || text[length - 1] == ' ');
}

void cli_sheet_text(cli_sheet *s, const char *text, size_t length)
{
    const int quotes = needs_quotes(text, length);
    between(s);
    if (quotes) putc('"', s->file);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"') putc('"', s->file);
        putc(text[i], s->file);
    }
    if (quotes) putc('"', s->file);
}

void cli_sheet_whole(cli_sheet *s, int64_t value)
{
    between(s);
    fprintf(s->file, "%" PRId64, value);
}

void cli_sheet_number(cli_sheet *s, double value)
{
    between(s);
    fprintf(s->file, "%.9g", isnan(value) ? (double)NAN : value); /* which has no sign */
}

void cli_sheet_row(cli_sheet *s)
{
    putc('\n', s->file);
    s->cells = 0;
}

int cli_sheet_end(cli_sheet *s, const char *path)
{
    const int lost = ferror(s->file), failed = fclose(s->file) || lost;
    int status = CLI_OK;
    if (failed)
        status = cli_fail("out of memory");
    else if (tn_file_replace(path, s->text, s->size))
        status = cli_failed();
    free(s->text);
    return status;
}
