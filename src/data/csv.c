/* csv.c: tables as RFC 4180 describes them, read into numbers and labels. The text is cut into cells in place. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "csv.h"
#include "error.h"
#include "read.h"
#include "tenon/data.h"
#include "tenon/stats.h"

#define MOST_COLUMNS 16777216

struct cell {
    char *text; /* closed by a zero, without spaces around it */
    int64_t line;
    int last; /* of its row */
};

struct reader {
    const char *path;
    char *at, *end;
    int64_t line;
};

/* ---- cells ---- */

static char *trim(char *text)
{
    char *end = text + strlen(text);
    while (*text == ' ' || *text == '\t') text++;
    while (end > text && (end[-1] == ' ' || end[-1] == '\t')) end--;
    *end = 0;
    return text;
}

/* From an opening quote to behind the closing one; doubled quotes become one. */
static tn_status read_quoted(struct reader *reader)
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

/* Steps over what ends a cell. */
static void end_cell(struct reader *reader, struct cell *cell)
{
    char *at = reader->at;
    cell->last = at == reader->end || *at != ',';
    if (at == reader->end) return;
    if (*at == '\r' && at[1] == '\n') *at++ = 0;
    if (cell->last) reader->line++;
    *at = 0;
    reader->at = at + 1;
}

static tn_status read_cell(struct reader *reader, struct cell *cell)
{
    cell->text = reader->at;
    cell->line = reader->line;
    if (*reader->at == '"')
        TN_TRY(read_quoted(reader));
    else
        reader->at += strcspn(reader->at, ",\r\n");
    TN_REQUIRE(reader->at == reader->end || strchr(",\r\n", *reader->at), TN_EFORMAT,
               "%s:%lld: text after a closing quote", reader->path, (long long)reader->line);
    end_cell(reader, cell);
    cell->text = trim(cell->text);
    return TN_OK;
}

static void skip_empty_lines(struct reader *reader)
{
    for (; reader->at < reader->end && (*reader->at == '\n' || *reader->at == '\r'); reader->at++)
        if (*reader->at == '\n' || reader->at[1] != '\n') reader->line++;
}

/* ---- values ---- */

static int is_missing(const char *text)
{
    return !*text || !strcmp(text, "?") || !strcasecmp(text, "NA") || !strcasecmp(text, "nan");
}

static tn_status read_number(const tn_table *table, const struct cell *cell, int64_t column, float *value)
{
    char *end = NULL;
    double number = strtod_l(cell->text, &end, table->plain);
    TN_REQUIRE(end != cell->text && !*end && !strpbrk(cell->text, "xX"), TN_EFORMAT,
               "%s:%lld: column '%s': expected a number, found '%.60s'", table->path, (long long)cell->line,
               table->name[column], cell->text);
    TN_REQUIRE(fabs(number) <= FLT_MAX, TN_EFORMAT, "%s:%lld: column '%s': %.60s is beyond the range of f32",
               table->path, (long long)cell->line, table->name[column], cell->text);
    *value = (float)number;
    return TN_OK;
}

static tn_status read_value(tn_table *table, const struct cell *cell, int64_t column)
{
    int64_t place = table->place[column];
    if (place == TN_NOT_READ) return TN_OK;
    if (place < 0 && table->predict) return TN_OK;
    if (place < 0) {
        TN_REQUIRE(!is_missing(cell->text), TN_EFORMAT, "%s:%lld: column '%s': the value to predict is missing",
                   table->path, (long long)cell->line, table->name[column]);
        if (!table->classify)
            return read_number(table, cell, column, table->y + table->rows * table->targets - 1 - place);
        table->text[table->rows] = cell->text;
        return TN_OK;
    }
    float *to = table->x + table->rows * table->features + place;
    *to = NAN; /* until the column's mean is known */
    return is_missing(cell->text) ? TN_OK : read_number(table, cell, column, to);
}

static tn_status read_row(struct reader *reader, tn_table *table)
{
    struct cell cell = {0};
    int64_t first_line = reader->line, column = 0;
    do {
        TN_TRY(read_cell(reader, &cell));
        if (column < table->columns) TN_TRY(read_value(table, &cell, column));
        column++;
    } while (!cell.last);
    TN_REQUIRE(column == table->columns, TN_EFORMAT, "%s:%lld: expected %lld values as in the header, found %lld",
               table->path, (long long)first_line, (long long)table->columns, (long long)column);
    table->rows++;
    return TN_OK;
}

/* ---- the header ---- */

static tn_status read_header(struct reader *reader, tn_table *table)
{
    struct cell cell = {0};
    uint32_t room = 0;
    skip_empty_lines(reader);
    TN_REQUIRE(reader->at < reader->end, TN_EFORMAT, "%s: is empty where a header line was expected", table->path);
    do {
        TN_TRY(tn_grow(&table->name, &room, (uint32_t)table->columns + 1, sizeof *table->name));
        TN_TRY(read_cell(reader, &cell));
        table->name[table->columns++] = cell.text;
    } while (!cell.last && table->columns < MOST_COLUMNS);
    TN_REQUIRE(cell.last, TN_EFORMAT, "%s: has more than %d columns", table->path, MOST_COLUMNS);
    return TN_OK;
}

/* ---- the whole table ---- */

/* No row needs fewer bytes than it has columns, so that the file's size bounds what is allocated. */
static tn_status make_room(const struct reader *reader, tn_table *table)
{
    size_t breaks = 1, commas = 0;
    for (const char *c = reader->at; c < reader->end; c++) {
        breaks += *c == '\n' || *c == '\r';
        commas += *c == ',';
    }
    size_t rows = table->columns > 1 ? commas / (size_t)(table->columns - 1) : breaks;
    rows = (rows < breaks ? rows : breaks) + 1; /* one more for a row that turns out to be short */
    table->x = tn_alloc(rows * (size_t)table->features * sizeof *table->x);
    table->y = tn_alloc(rows * (size_t)table->targets * sizeof *table->y);
    table->text = tn_alloc(rows * sizeof *table->text);
    return table->x && table->y && table->text ? TN_OK : TN_ENOMEM;
}

/* A column must have a value to learn from. */
static tn_status fill_missing(const tn_table *table)
{
    tn_scaler means = {0};
    for (int64_t c = 0; c < table->features && !(table->predict && table->keep_missing); c++)
        TN_REQUIRE(tn_stat_count((tn_column){table->x + c, table->rows, table->features}), TN_EFORMAT,
                   "%s: column '%s' has no value at all", table->path, tn_table_name(table, c));
    if (table->keep_missing) return TN_OK;
    TN_TRY(tn_scaler_fit(&means, TN_SCALE_NONE, 0, 0, table->x, table->rows, table->features));
    tn_scaler_fill(&means, table->x, table->rows);
    tn_scaler_free(&means);
    return TN_OK;
}

static tn_status read_table(char *content, uint64_t bytes, const tn_csv_options *options, tn_table *table)
{
    struct reader reader = {table->path, content, content + bytes, 1};
    TN_REQUIRE(!memchr(content, 0, bytes), TN_EFORMAT, "%s: is no text file (it has zero bytes)", table->path);
    if (!strncmp(content, "\xEF\xBB\xBF", 3)) reader.at += 3;
    TN_TRY(read_header(&reader, table));
    TN_TRY(tn_table_divide(table, options));
    TN_TRY(make_room(&reader, table));
    for (skip_empty_lines(&reader); reader.at < reader.end; skip_empty_lines(&reader)) TN_TRY(read_row(&reader, table));
    TN_REQUIRE(table->rows, TN_EFORMAT, "%s: has a header and no rows", table->path);
    TN_REQUIRE(table->rows <= INT32_MAX, TN_EFORMAT, "%s: has more than 2147483647 rows", table->path);
    return fill_missing(table);
}

/* The features' names in their order. */
static tn_status name_columns(const tn_table *table, tn_dataset *data)
{
    char **names = tn_alloc((size_t)table->features * sizeof *names);
    if (!names) return TN_ENOMEM;
    for (int64_t c = 0; c < table->columns; c++)
        if (table->place[c] >= 0) names[table->place[c]] = table->name[c];
    data->column_names = tn_table_lines(names, (size_t)table->features);
    tn_free(names);
    return data->column_names ? TN_OK : TN_ENOMEM;
}

/* Moves the table's arrays into the data set. */
static tn_status to_dataset(tn_table *table, tn_dataset *data)
{
    data->count = table->rows;
    data->sample = TN_SHAPE(table->features);
    data->x_dtype = TN_F32;
    data->source = tn_strdup(table->path);
    if (!data->source) return TN_ENOMEM;
    TN_TRY(name_columns(table, data));
    if (table->classify && !table->predict) TN_TRY(tn_table_labels(table, data));
    data->x = table->x;
    table->x = NULL;
    if (!table->classify && !table->predict) {
        data->target = table->y;
        data->targets = table->targets;
        table->y = NULL;
    }
    return TN_OK;
}

tn_status tn_dataset_csv(const char *path, const tn_csv_options *options, tn_dataset *data)
{
    char *content = NULL;
    uint64_t bytes = 0;
    tn_dataset read = {0};
    const tn_csv_options usual = {0};
    if (!options) options = &usual;
    tn_table table = {.path = path, .classify = options->classify != 0, .keep_missing = options->keep_missing != 0};
    TN_TRY(tn_read_whole(path, &content, &bytes));
    table.plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    tn_status status = table.plain ? TN_OK : TN_NO_MEMORY(0);
    if (!status) status = read_table(content, bytes, options, &table);
    if (!status) status = to_dataset(&table, &read);
    if (status)
        tn_dataset_free(&read);
    else
        *data = read;
    if (table.plain) freelocale(table.plain);
    tn_free(table.text);
    tn_free(table.y);
    tn_free(table.x);
    tn_free(table.place);
    tn_free(table.name);
    tn_free(content);
    return status;
}
