/* csv_cells.c: a table's text, cut into cells in place. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "csv.h"
#include "error.h"
#include "plain.h"

static char *trim(char *text)
{
    char *end = text + strlen(text);
    while (*text == ' ' || *text == '\t') text++;
    while (end > text && (end[-1] == ' ' || end[-1] == '\t')) end--;
    *end = 0;
    return text;
}

/* From an opening quote to behind the closing one; doubled quotes become one. */
static tn_status read_quoted(tn_reader *reader)
{
    int64_t first_line = reader->line;
    char *to = reader->at++;
    for (; reader->at < reader->end; reader->at++) {
        if (*reader->at == '"' && *++reader->at != '"') {
            *to = 0;
            return TN_OK;
        }
        if (*reader->at == '\n') reader->line++;
        *to++ = *reader->at;
    }
    return tn_fail(TN_EFORMAT, "%s:%lld: a quote is opened and never closed", reader->path, (long long)first_line);
}

/* Several spaces separate as one does, and those at a row's ends don't: whether they end a cell within the row. */
static int end_by_spaces(tn_reader *reader)
{
    char *const text_end = reader->at;
    while (reader->at < reader->end && *reader->at == ' ') reader->at++;
    const int within = reader->at > text_end && reader->at < reader->end && *reader->at != '\n' && *reader->at != '\r';
    if (reader->at > text_end) *text_end = 0;
    return within;
}

/* Steps over what ends a cell. */
static void end_cell(tn_reader *reader, tn_cell *cell)
{
    cell->last = 0;
    if (reader->separator == ' ' && end_by_spaces(reader)) return;
    char *at = reader->at;
    cell->last = at == reader->end || *at != reader->separator;
    if (at == reader->end) return;
    if (*at == '\r' && at[1] == '\n') *at++ = 0;
    if (cell->last) reader->line++;
    *at = 0;
    reader->at = at + 1;
}

/* "5,1" becomes "5.1". */
static void use_point(char *text)
{
    static const char digits[] = "0123456789";
    text += *text == '-' || *text == '+';
    const size_t whole = strspn(text, digits), fraction = text[whole] == ',' ? strspn(text + whole + 1, digits) : 0;
    const char *rest = text + whole + 1 + fraction;
    if (whole && fraction && (!*rest || *rest == 'e' || *rest == 'E')) text[whole] = '.';
}

/* Cells are short: a loop is done before strcspn has begun. */
char *tn_cell_end(char *at, char separator)
{
    while (*at != separator && *at != '\n' && *at != '\r' && *at) at++;
    return at;
}

tn_status tn_read_cell(tn_reader *reader, tn_cell *cell)
{
    while (reader->separator == ' ' && reader->at < reader->end && *reader->at == ' ') reader->at++;
    cell->text = reader->at;
    cell->line = reader->line;
    if (*reader->at == '"')
        TN_TRY(read_quoted(reader));
    else
        reader->at = tn_cell_end(reader->at, reader->separator);
    TN_REQUIRE(reader->at == reader->end || reader->at == tn_cell_end(reader->at, reader->separator), TN_EFORMAT,
               "%s:%lld: text after a closing quote", reader->path, (long long)reader->line);
    end_cell(reader, cell);
    cell->text = trim(cell->text);
    if (reader->separator == ';') use_point(cell->text);
    return TN_OK;
}

void tn_skip_empty_lines(tn_reader *reader)
{
    for (; reader->at < reader->end && (*reader->at == '\n' || *reader->at == '\r'); reader->at++)
        if (*reader->at == '\n' || reader->at[1] != '\n') reader->line++;
}

/* However C prints it: "nan", "-nan", "nan(0x7ff)". */
static int is_nan(const char *text)
{
    text += *text == '-' || *text == '+';
    return !strncasecmp(text, "nan", 3) && (!text[3] || (text[3] == '(' && text[strlen(text) - 1] == ')'));
}

int tn_cell_missing(const char *text)
{
    static const char *const words[] = {"?", "NA", "N/A", "#N/A", "<NA>", "null"};
    if (*text >= '0' && *text <= '9') return 0; /* as most do */
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(text, words[i])) return 1;
    return !*text || is_nan(text);
}

int tn_cell_number(const char *text, double *number)
{
    char *end = NULL;
    double value = tn_strtod(text, &end);
    if (end == text || *end || strpbrk(text, "xX")) return 0;
    *number = value;
    return 1;
}
