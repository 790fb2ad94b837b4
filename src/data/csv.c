/* csv.c: tables as RFC 4180 describes them, read into numbers and labels. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "csv.h"
#include "csv_kinds.h"
#include "csv_lines.h"
#include "csv_stream.h"
#include "error.h"
#include "given.h"
#include "tenon/stats.h"
#include "weights.h"

#define MOST_COLUMNS 16777216

/* ---- a row ---- */

static tn_status no_number(const tn_table *table, const tn_cell *cell, int64_t column, tn_row *row)
{
    row->stumbled = table->place[column] >= 0;
    return tn_fail(TN_EFORMAT, "%s:%lld: column '%s': expected a number, found '%.60s'", table->path,
                   (long long)cell->line, table->name[column], cell->text);
}

static tn_status read_number(const tn_table *table, const tn_cell *cell, int64_t column, tn_row *row, float *value)
{
    double number = 0;
    if (!tn_cell_number(cell->text, &number)) return no_number(table, cell, column, row);
    TN_REQUIRE(fabs(number) <= FLT_MAX, TN_EFORMAT, "%s:%lld: column '%s': %.60s is beyond the range of f32",
               table->path, (long long)cell->line, table->name[column], cell->text);
    *value = (float)number;
    if (row->exact) row->exact[column] = number;
    return TN_OK;
}

static tn_status read_target(const tn_table *table, const tn_cell *cell, int64_t column, tn_row *row)
{
    const int trailing = column + 1 == table->columns && !*cell->text && !*table->first[column];
    TN_REQUIRE(!tn_cell_missing(cell->text), TN_EFORMAT, "%s:%lld: column '%s': the value to predict is missing%s",
               table->path, (long long)cell->line, table->name[column],
               trailing ? "; the last column is empty in the first line, too: is there a comma at the end of lines?"
                        : "");
    if (!table->classify) return read_number(table, cell, column, row, row->y - 1 - table->place[column]);
    row->text = cell->text;
    return tn_table_check_text(table, cell->text, cell->line, column);
}

static void read_kind(const tn_table *table, const tn_cell *cell, int64_t column, tn_row *row)
{
    if (tn_kinds_put(&table->kinds[table->place[column]], cell->text, row->x)) return;
    row->unknown = (struct tn_unknown){1, column, cell->line, cell->text};
}

static tn_status read_weight(const tn_table *table, const tn_cell *cell, int64_t column, tn_row *row)
{
    double number = 0; /* what f32 would make 0 is not */
    TN_REQUIRE(!tn_cell_missing(cell->text), TN_EFORMAT, "%s:%lld: column '%s': the sample's weight is missing",
               table->path, (long long)cell->line, table->name[column]);
    TN_TRY(read_number(table, cell, column, row, row->weight));
    TN_REQUIRE(tn_cell_number(cell->text, &number) && tn_is_weight(number), TN_EFORMAT,
               "%s:%lld: column '%s': the sample's weight is %.60s, not " TN_WEIGHT_RANGE, table->path,
               (long long)cell->line, table->name[column], cell->text);
    return TN_OK;
}

static tn_status read_value(const tn_table *table, const tn_cell *cell, int64_t column, tn_row *row)
{
    int64_t place = table->place[column];
    if (column == table->weights) return row->weight ? read_weight(table, cell, column, row) : TN_OK;
    if (place == TN_NOT_READ || (place < 0 && (table->predict || !row->y))) return TN_OK;
    if (place < 0) return read_target(table, cell, column, row);
    if (table->kinds[place].how) return read_kind(table, cell, column, row), TN_OK;
    float *value = row->x + table->kinds[place].at;
    *value = NAN; /* until the column's mean is known */
    return tn_cell_missing(cell->text) ? TN_OK : read_number(table, cell, column, row, value);
}

tn_status tn_table_row(const tn_table *table, tn_reader *reader, tn_row *row)
{
    tn_cell cell = {0};
    int64_t first_line = reader->line, column = 0;
    do {
        TN_TRY(tn_read_cell(reader, &cell));
        if (column < table->columns) TN_TRY(read_value(table, &cell, column, row));
        column++;
    } while (!cell.last);
    TN_REQUIRE(column == table->columns, TN_EFORMAT, "%s:%lld: expected %lld values as in the %s, found %lld%s",
               table->path, (long long)first_line, (long long)table->columns,
               table->no_header ? "first line" : "header", (long long)column,
               table->rows > table->no_header ? "" : ": does the first line belong to the table?");
    return TN_OK;
}

/* ---- the first line ---- */

static tn_status read_first(tn_lines *lines, tn_table *table)
{
    tn_cell cell = {0};
    tn_reader reader = {0};
    uint32_t room = 0;
    TN_TRY(tn_lines_next(lines, &reader, &table->first_place));
    table->first_line = reader.line;
    table->separator = reader.separator;
    TN_REQUIRE(reader.at < reader.end, TN_EFORMAT, "%s: is empty where a header line was expected", table->path);
    do {
        TN_TRY(tn_grow(&table->first, &room, (uint32_t)table->columns + 1, sizeof *table->first));
        TN_TRY(tn_read_cell(&reader, &cell));
        char *kept = tn_region_print(&table->made, "%s", cell.text);
        if (!kept) return TN_ENOMEM;
        table->first[table->columns++] = kept;
    } while (!cell.last && table->columns < MOST_COLUMNS);
    TN_REQUIRE(cell.last, TN_EFORMAT, "%s: has more than %d columns", table->path, MOST_COLUMNS);
    return TN_OK;
}

/* ---- the whole table ---- */

/* The text as it was met first: columns of classes have few, each many times. */
static tn_status keep_text(tn_table *table, const char *text, char **kept)
{
    uint32_t row;
    if (tn_index_find(&table->numbers, NULL, text, &row)) return *kept = table->text[row], TN_OK;
    *kept = tn_region_print(&table->texts, "%s", text);
    return *kept ? tn_index_add(&table->numbers, NULL, *kept, (uint32_t)table->rows) : TN_ENOMEM;
}

/* Room for one row more, and where its values go. */
static tn_status next_row(tn_table *table, tn_row *row)
{
    const uint32_t at = (uint32_t)table->rows, in_x = table->stream ? 0 : at;
    TN_REQUIRE(table->rows < INT32_MAX, TN_EFORMAT, "%s: has more than 2147483647 rows", table->path);
    TN_TRY(tn_grow(&table->x, &table->x_room, in_x + 1, (size_t)table->width * sizeof *table->x));
    TN_TRY(tn_grow(&table->y, &table->y_room, table->classify ? 1 : at + 1,
                   (size_t)(table->targets + 1) * sizeof *table->y));
    if (table->classify) TN_TRY(tn_grow(&table->text, &table->text_room, at + 1, sizeof *table->text));
    if (table->weights >= 0) TN_TRY(tn_grow(&table->weight, &table->weight_room, at + 1, sizeof *table->weight));
    for (int64_t c = 0; c < table->columns; c++) table->exact[c] = NAN;
    *row = (tn_row){.exact = table->exact,
                    .weight = table->weight && !table->predict ? table->weight + at : NULL,
                    .x = table->x + (size_t)in_x * (size_t)table->width,
                    .y = table->y + (table->classify ? 0 : (size_t)at * (size_t)table->targets)};
    return TN_OK;
}

void tn_table_see(tn_table *table, int64_t column, double number)
{
    struct tn_rounding *r = &table->rounding[column];
    const double error = fabs(number - (float)number);
    if (number < r->least) r->least = number;
    if (number > r->largest) r->largest = number;
    if (error > r->error) r->error = error;
}

static tn_status count_unknown(tn_table *table, const tn_row *row)
{
    if (!row->unknown.rows || table->unknown.rows++) return TN_OK;
    table->unknown = row->unknown;
    table->unknown.text = tn_region_print(&table->kind_texts, "%s", row->unknown.text);
    return table->unknown.text ? TN_OK : TN_ENOMEM;
}

static tn_status add_row(tn_table *table, const tn_row *row)
{
    for (int64_t c = 0; c < table->columns; c++) tn_table_see(table, c, row->exact[c]);
    if (row->text) TN_TRY(keep_text(table, row->text, &table->text[table->rows]));
    TN_TRY(count_unknown(table, row));
    for (int64_t c = 0; c < table->features; c++) {
        const struct tn_kinds *kinds = &table->kinds[c];
        const float number = kinds->how ? -1 : row->x[kinds->at], at = (float)table->rows;
        table->there[c] |= !isnan(number);
        table->counts[c] &= (char)(number == at ? 1 : number == at + 1 ? 2 : 0);
    }
    table->rows++;
    return TN_OK;
}

/* The first line as a row. */
static tn_status use_first(tn_table *table)
{
    tn_row row;
    TN_TRY(next_row(table, &row));
    tn_status status = TN_OK;
    for (int64_t c = 0; c < table->columns && !status; c++)
        status = read_value(table, &(tn_cell){.text = table->first[c], .line = table->first_line}, c, &row);
    table->stumbled = row.stumbled;
    return status ? status : add_row(table, &row);
}

static tn_status read_rows(tn_lines *lines, tn_table *table, tn_row_index *index)
{
    for (;;) {
        tn_reader reader = {0};
        tn_row row;
        uint64_t place;
        TN_TRY(tn_lines_next(lines, &reader, &place));
        if (reader.at == reader.end) break;
        if (table->stream) TN_TRY(tn_row_index_add(index, table->rows, place, reader.line));
        TN_TRY(next_row(table, &row));
        tn_status status = tn_table_row(table, &reader, &row);
        table->stumbled = row.stumbled;
        if (!status) status = add_row(table, &row);
        if (status) return status;
    }
    index->end = lines->place;
    TN_REQUIRE(table->rows, TN_EFORMAT, "%s: has a header and no rows", table->path);
    return TN_OK;
}

/* A column must have a value to learn from. */
static tn_status fill_missing(const tn_table *table)
{
    tn_scaler means = {0};
    for (int64_t c = 0; c < table->features && !(table->predict && table->keep_missing); c++)
        TN_REQUIRE(table->there[c] || table->kinds[c].how, TN_EFORMAT, "%s: column '%s' has no value at all",
                   table->path, tn_table_name(table, c));
    if (table->keep_missing) return TN_OK;
    TN_TRY(tn_scaler_fit(&means, TN_SCALE_NONE, 0, 0, table->x, table->rows, table->width));
    tn_scaler_fill(&means, table->x, table->rows);
    tn_scaler_free(&means);
    return TN_OK;
}

static tn_status make_columns(tn_table *table)
{
    table->there = tn_alloc((size_t)table->features + 1);
    table->counts = tn_alloc((size_t)table->features + 1);
    table->exact = tn_alloc((size_t)table->columns * sizeof *table->exact);
    table->rounding = tn_alloc((size_t)table->columns * sizeof *table->rounding);
    if (!table->there || !table->counts || !table->exact || !table->rounding) return TN_ENOMEM;
    memset(table->counts, 3, (size_t)table->features);
    for (int64_t c = 0; c < table->columns; c++) table->rounding[c] = (struct tn_rounding){INFINITY, -INFINITY, 0};
    return TN_OK;
}

#define ROWS_COUNTED 10 /* rows that numbers by chance don't count */

/* "id", and what ends so, as "PassengerId". */
static int names_numbering(const char *name)
{
    static const char *const names[] = {"", "Unnamed: 0", "index", "row", "nr", "no"};
    const size_t length = strlen(name);
    int so = length >= 2 && !strcasecmp(name + length - 2, "id");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) so |= !strcasecmp(name, names[i]);
    return so;
}

/* What other programs write before the rows: it tells rows apart that were trained on, and nothing of others. */
static void warn_of_numbering(const tn_table *table)
{
    for (int64_t c = 0; c < table->features && !table->predict && table->rows >= ROWS_COUNTED; c++)
        if (table->counts[c] && names_numbering(tn_table_name(table, c)))
            tn_log_line(TN_LOG_WARNING,
                        "%s: column %lld, '%s', numbers the rows, which tells nothing of others: "
                        "better ignore it",
                        table->path, (long long)tn_table_column(table, c) + 1, tn_table_name(table, c));
}

#define SHARE_LOST 1e-3 /* of a column's range: rounding by more is said */

/* Large numbers that differ little, as times in seconds do, become alike in f32. */
static void warn_of_rounding(const tn_table *table)
{
    for (int64_t c = 0; c < table->columns; c++) {
        const struct tn_rounding *r = &table->rounding[c];
        if (r->error > SHARE_LOST * (r->largest - r->least) && r->largest > r->least)
            tn_log_line(TN_LOG_WARNING,
                        "%s: column '%s': f32 rounds its numbers by up to %g, and they lie between %.17g and %.17g: "
                        "subtract what they have in common",
                        table->path, table->name[c], r->error, r->least, r->largest);
    }
}

static tn_status read_table(tn_lines *lines, const tn_csv_options *options, tn_table *table, tn_row_index *index)
{
    TN_TRY(read_first(lines, table));
    TN_TRY(tn_table_header(table, options));
    TN_TRY(tn_table_divide(table, options));
    TN_TRY(tn_kinds_settle(table, options, table->find_kinds));
    TN_TRY(make_columns(table));
    if (table->no_header && table->stream) TN_TRY(tn_row_index_add(index, 0, table->first_place, table->first_line));
    if (table->no_header) TN_TRY(use_first(table));
    TN_TRY(read_rows(lines, table, index));
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
    data->separator = (uint32_t)table->separator;
    data->notice = table->notice;
    table->notice = NULL;
    if (!table->no_header) data->column_names = names_of(table, table->features, 0, 1);
    if (!table->no_header && !data->column_names) return TN_ENOMEM;
    data->categories = tn_kinds_lines(table);
    if (!data->categories) return TN_ENOMEM;
    if (table->predict) return TN_OK;
    data->target_names = names_of(table, table->targets, -1, -1);
    data->target_numbers = numbers_of(table);
    return data->target_names && data->target_numbers ? TN_OK : TN_ENOMEM;
}

/* Moves the table's arrays into the data set. */
static tn_status to_dataset(tn_table *table, tn_dataset *data)
{
    data->count = table->rows;
    data->sample = TN_SHAPE(table->width);
    data->x_dtype = TN_F32;
    data->source = tn_strdup(table->path);
    if (!data->source) return TN_ENOMEM;
    TN_TRY(name_columns(table, data));
    if (table->guess && !table->predict) TN_TRY(tn_table_guess(table, data));
    if (table->classify && !table->predict) TN_TRY(tn_table_labels(table, data));
    if (!table->stream) {
        data->x = table->x;
        table->x = NULL;
    }
    if (!table->predict) {
        data->weight = table->weight;
        table->weight = NULL;
    }
    if (!table->classify && !table->predict) {
        data->target = table->y;
        data->targets = table->targets;
        table->y = NULL;
    }
    return TN_OK;
}

static void free_texts(tn_table *table)
{
    tn_index_free(&table->numbers);
    tn_region_free(&table->texts);
    tn_free(table->text);
    table->text = NULL;
}

void tn_table_free(tn_table *table)
{
    free_texts(table);
    tn_kinds_free(table);
    tn_free(table->rounding);
    tn_free(table->exact);
    tn_free(table->there);
    tn_free(table->counts);
    tn_free(table->weight);
    tn_free(table->y);
    tn_free(table->x);
    tn_free(table->place);
    tn_free(table->first);
    tn_free(table->notice);
    tn_region_free(&table->made);
    *table = (tn_table){0};
}

/* Some files begin with how many rows and columns there are, and with the classes' names. */
static void warn_of_counts(const tn_table *table)
{
    double number;
    if (!table->no_header && tn_cell_number(table->first[0], &number) && number == (double)table->rows)
        tn_log_line(TN_LOG_WARNING,
                    "%s: the first line is taken for a header, and begins with the number of rows, %s: if it only "
                    "counts them, leave it out, as by 'tail -n +2'",
                    table->path, table->first[0]);
}

/* What a model or another table knows goes on counting as missing, but not without a word. */
static void warn_of_unknown(const tn_table *table)
{
    const struct tn_unknown *u = &table->unknown;
    if (u->rows)
        tn_log_line(
            TN_LOG_WARNING,
            "%s:%lld: column '%s': '%.60s' is none of the %u texts that were learned from, and counts as missing"
            "%s",
            table->path, (long long)u->line, table->name[u->column], u->text,
            table->kinds[table->place[u->column]].count, u->rows > 1 ? ", as others in further rows do" : "");
}

static void warn(const tn_table *table)
{
    warn_of_counts(table);
    warn_of_rounding(table);
    warn_of_numbering(table);
    warn_of_unknown(table);
}

/* *stumbled becomes whether a text was met where numbers were expected. */
static tn_status open_once(const char *path, const tn_csv_options *options, int stream, int find_kinds, int *stumbled,
                           tn_dataset *data)
{
    tn_lines lines;
    tn_row_index index = {0};
    tn_dataset read = {0};
    tn_table table = {.path = path,
                      .classify = (int)options->classify,
                      .keep_missing = options->keep_missing != 0,
                      .stream = stream,
                      .weights = -1,
                      .find_kinds = find_kinds};
    tn_status status = tn_lines_open(&lines, path);
    if (!status && stream && !lines.inflow.in_place)
        status = tn_fail(TN_EUNSUPPORTED, "%s: is compressed, or no file: its rows can't be read where they are", path);
    if (!status) status = read_table(&lines, options, &table, &index);
    tn_lines_close(&lines);
    if (!status) status = to_dataset(&table, &read);
    if (!status) warn(&table);
    *stumbled = table.stumbled;
    free_texts(&table);
    if (!status && stream) status = tn_csv_loader(&table, &index, &read.loader);
    if (status)
        tn_dataset_free(&read);
    else
        *data = read;
    tn_free(index.at);
    tn_table_free(&table);
    return status;
}

/* Most tables have numbers alone, and are read once. */
tn_status tn_csv_open(const char *path, const tn_csv_options *options, int stream, tn_dataset *data)
{
    const int asked = options->one_hot || options->index, known = options->categories || options->features;
    int stumbled = 0;
    tn_csv_options columns = *options;
    if (options->categories && options->features) columns.features -= tn_kinds_more(options->categories);
    tn_status status = open_once(path, &columns, stream, asked && !known, &stumbled, data);
    if (!status || !stumbled || asked || known) return status;
    return open_once(path, &columns, stream, 1, &stumbled, data);
}

tn_status tn_dataset_csv(const char *path, const tn_csv_options *options, tn_dataset *data)
{
    TN_GIVEN(path, data);
    const tn_csv_options usual = {0};
    return tn_csv_open(path, options ? options : &usual, 0, data);
}
