/* csv_header.c: whether a table's first line names its columns or is a row of data.
 *
 * Numbers alone are data, unless a model's table had columns of just these names. Numbers beside texts are data if a
 * model's table had no header, or if each of the texts comes again in its column, as a class's name does; and a header
 * otherwise, of which a notice is given. What says that a value is missing is no name either, but "NA" may be sodium's.
 */
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "csv_lines.h"
#include "error.h"
#include "utf8.h"

/* What the first line is made of. */
typedef struct first_line {
    int64_t texts, numbers, missing; /* missing: values that are said to be, not by an empty cell */
} first_line;

static int is_text(const tn_table *table, int64_t column)
{
    double number;
    const char *text = table->first[column];
    return !tn_cell_missing(text) && !tn_cell_number(text, &number);
}

static first_line count_kinds(const tn_table *table)
{
    first_line line = {0};
    for (int64_t c = 0; c < table->columns; c++) {
        if (is_text(table, c))
            line.texts++;
        else if (!tn_cell_missing(table->first[c]))
            line.numbers++;
        else
            line.missing += *table->first[c] != 0;
    }
    return line;
}

/* Crosses off the texts of the first line that the row has in their columns. */
static void cross_off(const tn_table *table, tn_reader *row, char *seen, int64_t *left)
{
    tn_cell cell = {0};
    for (int64_t column = 0; !cell.last; column++) {
        if (tn_read_cell(row, &cell)) return;
        if (column >= table->columns || seen[column] || !is_text(table, column) ||
            strcmp(cell.text, table->first[column]) != 0)
            continue;
        seen[column] = 1;
        --*left;
    }
}

/* Reads on until each text of the first line has come again in its column, or the file ends, or can't be read, of which
 * others will tell. */
static tn_status texts_come_again(const tn_table *table, int64_t texts, int *again)
{
    tn_lines lines;
    tn_reader row = {0};
    char *seen = tn_alloc((size_t)table->columns);
    if (!seen) return TN_ENOMEM;
    tn_status status = tn_lines_open(&lines, table->path);
    if (!status) status = tn_lines_next(&lines, &row, NULL);
    while (!status && texts) {
        status = tn_lines_next(&lines, &row, NULL);
        if (status || row.at == row.end) break;
        cross_off(table, &row, seen, &texts);
    }
    tn_lines_close(&lines);
    tn_free(seen);
    *again = !status && !texts;
    return status == TN_EFORMAT ? TN_OK : status;
}

static tn_status notice(tn_table *table, const char *text)
{
    table->notice = tn_strdup(text);
    return table->notice ? TN_OK : TN_ENOMEM;
}

static tn_status decide(tn_table *table, const tn_csv_options *options)
{
    int same = 0, again = 0;
    const first_line line = count_kinds(table);
    const int had_none = line.numbers && options->target_numbers && !options->columns; /* the model's table */
    if (!line.numbers && !line.missing) return TN_OK;
    if (options->columns) TN_TRY(tn_table_has(table, options->columns, &same));
    if (same) return TN_OK;
    if (line.texts && !had_none) TN_TRY(texts_come_again(table, line.texts, &again));
    table->no_header = !line.texts || had_none || again;
    if (!line.numbers && !line.texts) return notice(table, "no header: the first line has no names, and is data");
    if (!line.texts) return notice(table, "no header: the first line has numbers alone, and is data");
    if (had_none) return notice(table, "no header, as the model's table had none: numbers are in the first line");
    if (again) return notice(table, "no header: the first line's texts come again further down, so that it is data");
    return line.numbers ? notice(table, "the first line is taken for a header, though numbers are in it") : TN_OK;
}

tn_status tn_table_check_text(const tn_table *table, const char *text, int64_t line, int64_t column)
{
    TN_REQUIRE(tn_is_utf8(text), TN_EFORMAT,
               "%s:%lld: column %lld: '%.60s' is not UTF-8: if the table is Latin-1, 'iconv -f latin1 -t utf8' "
               "converts it",
               table->path, (long long)line, (long long)column + 1, text);
    return TN_OK;
}

static tn_status check_names(const tn_table *table)
{
    for (int64_t c = 0; c < table->columns; c++)
        TN_TRY(tn_table_check_text(table, table->name[c], table->first_line, c));
    return TN_OK;
}

static tn_status make_names(tn_table *table)
{
    table->name = tn_region_alloc(&table->made, (size_t)table->columns * sizeof *table->name);
    if (!table->name) return TN_ENOMEM;
    for (int64_t c = 0; c < table->columns; c++) {
        table->name[c] = tn_region_print(&table->made, "column %lld", (long long)c + 1);
        if (!table->name[c]) return TN_ENOMEM;
    }
    return TN_OK;
}

tn_status tn_table_header(tn_table *table, const tn_csv_options *options)
{
    table->name = table->first;
    if (options->header == TN_HEADER_AUTO) TN_TRY(decide(table, options));
    if (options->header == TN_HEADER_NO) table->no_header = 1;
    return table->no_header ? make_names(table) : check_names(table);
}
