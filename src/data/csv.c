/* csv.c: tables as RFC 4180 describes them, read into numbers and labels. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "error.h"
#include "given.h"
#include "read.h"
#include "tenon/stats.h"

#define MOST_COLUMNS 16777216

/* ---- values ---- */

static tn_status read_number(const tn_table *table, const tn_cell *cell, int64_t column, float *value)
{
    double number = 0;
    TN_REQUIRE(tn_cell_number(cell->text, &number), TN_EFORMAT,
               "%s:%lld: column '%s': expected a number, found '%.60s'", table->path, (long long)cell->line,
               table->name[column], cell->text);
    TN_REQUIRE(fabs(number) <= FLT_MAX, TN_EFORMAT, "%s:%lld: column '%s': %.60s is beyond the range of f32",
               table->path, (long long)cell->line, table->name[column], cell->text);
    *value = (float)number;
    return TN_OK;
}

static tn_status read_value(tn_table *table, const tn_cell *cell, int64_t column)
{
    int64_t place = table->place[column];
    if (place == TN_NOT_READ) return TN_OK;
    if (place < 0 && table->predict) return TN_OK;
    if (place < 0) {
        TN_REQUIRE(!tn_cell_missing(cell->text), TN_EFORMAT, "%s:%lld: column '%s': the value to predict is missing",
                   table->path, (long long)cell->line, table->name[column]);
        if (!table->classify)
            return read_number(table, cell, column, table->y + table->rows * table->targets - 1 - place);
        table->text[table->rows] = cell->text;
        return TN_OK;
    }
    float *to = table->x + table->rows * table->features + place;
    *to = NAN; /* until the column's mean is known */
    return tn_cell_missing(cell->text) ? TN_OK : read_number(table, cell, column, to);
}

static tn_status read_row(tn_reader *reader, tn_table *table)
{
    tn_cell cell = {0};
    int64_t first_line = reader->line, column = 0;
    do {
        TN_TRY(tn_read_cell(reader, &cell));
        if (column < table->columns) TN_TRY(read_value(table, &cell, column));
        column++;
    } while (!cell.last);
    TN_REQUIRE(column == table->columns, TN_EFORMAT, "%s:%lld: expected %lld values as in the %s, found %lld",
               table->path, (long long)first_line, (long long)table->columns,
               table->no_header ? "first line" : "header", (long long)column);
    table->rows++;
    return TN_OK;
}

/* ---- the first line ---- */

static tn_status read_first(tn_reader *reader, tn_table *table)
{
    tn_cell cell = {0};
    uint32_t room = 0;
    tn_skip_empty_lines(reader);
    table->first_line = reader->line;
    TN_REQUIRE(reader->at < reader->end, TN_EFORMAT, "%s: is empty where a header line was expected", table->path);
    do {
        TN_TRY(tn_grow(&table->first, &room, (uint32_t)table->columns + 1, sizeof *table->first));
        TN_TRY(tn_read_cell(reader, &cell));
        table->first[table->columns++] = cell.text;
    } while (!cell.last && table->columns < MOST_COLUMNS);
    TN_REQUIRE(cell.last, TN_EFORMAT, "%s: has more than %d columns", table->path, MOST_COLUMNS);
    return TN_OK;
}

/* The first line as a row. */
static tn_status use_first(tn_table *table)
{
    for (int64_t c = 0; c < table->columns; c++)
        TN_TRY(read_value(table, &(tn_cell){.text = table->first[c], .line = table->first_line}, c));
    table->rows++;
    return TN_OK;
}

/* ---- the whole table ---- */

/* No row needs fewer bytes than it has columns, so that the file's size bounds what is allocated. */
static tn_status make_room(const tn_reader *reader, tn_table *table)
{
    size_t breaks = 1, commas = 0;
    for (const char *c = reader->at; c < reader->end; c++) {
        breaks += *c == '\n' || *c == '\r';
        commas += *c == ',';
    }
    size_t rows = table->columns > 1 ? commas / (size_t)(table->columns - 1) : breaks;
    rows = (rows < breaks ? rows : breaks) + 2; /* for the first line, and a row that turns out to be short */
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
    tn_reader reader = {table->path, content, content + bytes, 1};
    TN_REQUIRE(!memchr(content, 0, bytes), TN_EFORMAT, "%s: is no text file (it has zero bytes)", table->path);
    if (!strncmp(content, "\xEF\xBB\xBF", 3)) reader.at += 3;
    TN_TRY(read_first(&reader, table));
    TN_TRY(tn_table_header(table, options, &reader));
    TN_TRY(tn_table_divide(table, options));
    TN_TRY(make_room(&reader, table));
    if (table->no_header) TN_TRY(use_first(table));
    for (tn_skip_empty_lines(&reader); reader.at < reader.end; tn_skip_empty_lines(&reader))
        TN_TRY(read_row(&reader, table));
    TN_REQUIRE(table->rows, TN_EFORMAT, "%s: has a header and no rows", table->path);
    TN_REQUIRE(table->rows <= INT32_MAX, TN_EFORMAT, "%s: has more than 2147483647 rows", table->path);
    return fill_missing(table);
}

/* The names of so many columns, whose places are `first`, `first` + `step` and so on. */
static char *names_of(const tn_table *table, int64_t count, int64_t first, int64_t step)
{
    char **names = tn_alloc((size_t)count * sizeof *names);
    if (!names) return NULL;
    for (int64_t c = 0; c < table->columns; c++) {
        int64_t place = table->place[c] == TN_NOT_READ ? -1 : (table->place[c] - first) * step;
        if (place >= 0 && place < count) names[place] = table->name[c];
    }
    char *lines = tn_table_lines(names, (size_t)count);
    tn_free(names);
    return lines;
}

/* The targets' columns by number, from 1, between commas. */
static char *numbers_of(const tn_table *table)
{
    char *text = tn_alloc((size_t)table->targets * 20 + 1), *to = text;
    for (int64_t t = 0; text && t < table->targets; t++)
        to += sprintf(to, "%s%lld", t ? "," : "", (long long)tn_table_column(table, -1 - t) + 1);
    return text;
}

static tn_status name_columns(tn_table *table, tn_dataset *data)
{
    data->no_header = (uint32_t)table->no_header;
    data->notice = table->notice;
    table->notice = NULL;
    if (!table->no_header) data->column_names = names_of(table, table->features, 0, 1);
    if (!table->no_header && !data->column_names) return TN_ENOMEM;
    if (table->predict) return TN_OK;
    data->target_names = names_of(table, table->targets, -1, -1);
    data->target_numbers = numbers_of(table);
    return data->target_names && data->target_numbers ? TN_OK : TN_ENOMEM;
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
    if (table->guess && !table->predict) TN_TRY(tn_table_guess(table, data));
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
    TN_GIVEN(path, data);
    char *content = NULL;
    uint64_t bytes = 0;
    tn_dataset read = {0};
    const tn_csv_options usual = {0};
    if (!options) options = &usual;
    tn_table table = {.path = path, .classify = (int)options->classify, .keep_missing = options->keep_missing != 0};
    TN_TRY(tn_read_whole(path, &content, &bytes));
    tn_status status = read_table(content, bytes, options, &table);
    if (!status) status = to_dataset(&table, &read);
    if (status)
        tn_dataset_free(&read);
    else
        *data = read;
    tn_free(table.text);
    tn_free(table.y);
    tn_free(table.x);
    tn_free(table.place);
    tn_free(table.first);
    tn_free(table.notice);
    tn_region_free(&table.made);
    tn_free(content);
    return status;
}
