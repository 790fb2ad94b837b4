/* csv.c: tables as RFC 4180 describes them, read into numbers and labels. The text is cut into cells in place. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "error.h"
#include "read.h"
#include "tenon/data.h"
#include "tenon/stats.h"

#define MOST_CLASSES 65536
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

/* What a table becomes. `x` and `text` have room for all the rows that the file could hold. */
struct table {
    const char *path;
    char **name; /* the header's cells */
    int64_t columns, rows;
    int64_t *place;   /* of each column: its number among the features, or -1 less its number among the targets */
    int64_t features; /* columns to predict from */
    int64_t targets;  /* columns to predict; 0 if there is none */
    int classify;     /* the one target holds classes */
    int predict;      /* targets are not read */
    int keep_missing;
    float *x;    /* (rows, features) */
    float *y;    /* (rows, targets): numbers to predict, or */
    char **text; /* classes to predict: within the file's content */
    locale_t plain;
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

static tn_status read_number(const struct table *table, const struct cell *cell, int64_t column, float *value)
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

static tn_status read_value(struct table *table, const struct cell *cell, int64_t column)
{
    int64_t place = table->place[column];
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

static tn_status read_row(struct reader *reader, struct table *table)
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

static int64_t find_column(const struct table *table, const char *name, size_t length)
{
    for (int64_t c = 0; c < table->columns; c++)
        if (strlen(table->name[c]) == length && !strncmp(table->name[c], name, length)) return c;
    return -1;
}

/* Makes column number `column` the next target. */
static tn_status add_target(struct table *table, int64_t column)
{
    TN_REQUIRE(!table->place[column], TN_EINVAL, "%s: column '%s' is named twice as a target", table->path,
               table->name[column]);
    table->place[column] = -1 - table->targets++;
    return TN_OK;
}

/* One name, which may have commas in it, or several between commas; none is the last column. */
static tn_status find_targets(struct table *table, const char *names)
{
    int64_t column = names ? find_column(table, names, strlen(names)) : table->columns - 1;
    if (column >= 0) return add_target(table, column);
    for (const char *end; names; names = *end ? end + 1 : NULL) {
        names += strspn(names, " ");
        end = names + strcspn(names, ",");
        size_t length = (size_t)(end - names);
        while (length && names[length - 1] == ' ') length--;
        column = find_column(table, names, length);
        TN_REQUIRE(column >= 0, TN_EMISSING, "%s: has no column '%.*s'; its columns are '%s' to '%s'", table->path,
                   (int)length, names, table->name[0], table->name[table->columns - 1]);
        TN_TRY(add_target(table, column));
    }
    return TN_OK;
}

static int64_t count_names(const char *names)
{
    int64_t count = 1;
    for (; names && *names; names++) count += *names == ',';
    return count;
}

/* Which columns are what; `features` is as the caller of tn_dataset_csv says. */
static tn_status divide(struct table *table, const char *target, int64_t features)
{
    table->predict = features != 0;
    table->place = tn_alloc((size_t)table->columns * sizeof *table->place);
    if (!table->place) return TN_ENOMEM;
    tn_status status = features == table->columns ? TN_OK : find_targets(table, target);
    if (status && (!features || table->columns == features + count_names(target))) return status;
    table->features = table->columns - table->targets;
    TN_REQUIRE(!status && (!features || table->features == features), TN_ESHAPE,
               "%s: has %lld columns; expected %lld to predict from, and perhaps what is to be predicted", table->path,
               (long long)table->columns, (long long)features);
    TN_REQUIRE(
        table->features > 0, TN_EFORMAT,
        "%s: a table needs at least two columns, separated by commas: one to predict, and one to predict it from",
        table->path);
    table->classify = table->classify && table->targets == 1;
    for (int64_t c = 0, number = 0; c < table->columns; c++)
        if (!table->place[c]) table->place[c] = number++;
    return TN_OK;
}

static tn_status read_header(struct reader *reader, struct table *table)
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
static tn_status make_room(const struct reader *reader, struct table *table)
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

static const char *name_of_feature(const struct table *table, int64_t feature)
{
    int64_t c = 0;
    while (table->place[c] != feature) c++;
    return table->name[c];
}

/* A column must have a value to learn from. */
static tn_status fill_missing(const struct table *table)
{
    tn_scaler means = {0};
    for (int64_t c = 0; c < table->features && !(table->predict && table->keep_missing); c++)
        TN_REQUIRE(tn_stat_count((tn_column){table->x + c, table->rows, table->features}), TN_EFORMAT,
                   "%s: column '%s' has no value at all", table->path, name_of_feature(table, c));
    if (table->keep_missing) return TN_OK;
    TN_TRY(tn_scaler_fit(&means, TN_SCALE_NONE, 0, 0, table->x, table->rows, table->features));
    tn_scaler_fill(&means, table->x, table->rows);
    tn_scaler_free(&means);
    return TN_OK;
}

static tn_status read_table(char *content, uint64_t bytes, const tn_csv_options *options, struct table *table)
{
    struct reader reader = {table->path, content, content + bytes, 1};
    TN_REQUIRE(!memchr(content, 0, bytes), TN_EFORMAT, "%s: is no text file (it has zero bytes)", table->path);
    if (!strncmp(content, "\xEF\xBB\xBF", 3)) reader.at += 3;
    TN_TRY(read_header(&reader, table));
    TN_TRY(divide(table, options->target, options->features));
    TN_TRY(make_room(&reader, table));
    for (skip_empty_lines(&reader); reader.at < reader.end; skip_empty_lines(&reader)) TN_TRY(read_row(&reader, table));
    TN_REQUIRE(table->rows, TN_EFORMAT, "%s: has a header and no rows", table->path);
    TN_REQUIRE(table->rows <= INT32_MAX, TN_EFORMAT, "%s: has more than 2147483647 rows", table->path);
    return fill_missing(table);
}

/* ---- classes ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A whole number 0 .. MOST_CLASSES-1, or -1. */
static int32_t class_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    long number = digits && digits < 8 && !text[digits] ? strtol(text, NULL, 10) : -1;
    return number < MOST_CLASSES ? (int32_t)number : -1;
}

/* A line for each class; line breaks inside a name become spaces. */
static tn_status name_classes(char *const sorted[], size_t unique, tn_dataset *data)
{
    size_t bytes = 1;
    for (size_t i = 0; i < unique; i++) bytes += strlen(sorted[i]) + 1;
    char *to = data->class_names = tn_alloc(bytes);
    if (!to) return TN_ENOMEM;
    for (size_t i = 0; i < unique; i++) {
        for (const char *from = sorted[i]; *from; from++) *to++ = *from == '\n' || *from == '\r' ? ' ' : *from;
        *to++ = '\n';
    }
    return TN_OK;
}

static const char *name_of_target(const struct table *table)
{
    int64_t c = 0;
    while (table->place[c] >= 0) c++;
    return table->name[c];
}

/* A column of numbers that are not whole is no column of classes. */
static tn_status check_classes(const struct table *table)
{
    const char *fraction = NULL;
    for (int64_t r = 0; r < table->rows; r++) {
        char *end;
        double value = strtod_l(table->text[r], &end, table->plain);
        if (end == table->text[r] || *end) return TN_OK; /* a name */
        if (value != floor(value)) fraction = table->text[r];
    }
    TN_REQUIRE(!fraction, TN_EFORMAT, "%s: column '%s' has numbers such as %.40s, not classes", table->path,
               name_of_target(table), fraction);
    return TN_OK;
}

/* Texts become numbers in alphabetical order. */
static tn_status number_texts(const struct table *table, tn_dataset *data)
{
    size_t rows = (size_t)table->rows, unique = 0;
    TN_TRY(check_classes(table));
    char **sorted = tn_alloc(rows * sizeof *sorted);
    if (!sorted) return TN_ENOMEM;
    memcpy(sorted, table->text, rows * sizeof *sorted);
    qsort(sorted, rows, sizeof *sorted, by_text);
    for (size_t i = 0; i < rows; i++)
        if (!i || strcmp(sorted[i], sorted[unique - 1])) sorted[unique++] = sorted[i];
    for (size_t i = 0; i < rows; i++) {
        char **found = bsearch(table->text + i, sorted, unique, sizeof *sorted, by_text);
        data->label[i] = (int32_t)(found - sorted);
    }
    data->classes = (int64_t)unique;
    tn_status status = name_classes(sorted, unique, data);
    tn_free(sorted);
    TN_TRY(status);
    TN_REQUIRE(unique <= MOST_CLASSES, TN_EFORMAT, "%s: column '%s' has %zu classes; at most %d can be told apart",
               table->path, name_of_target(table), unique, MOST_CLASSES);
    return TN_OK;
}

static tn_status read_labels(const struct table *table, tn_dataset *data)
{
    int32_t most = -1;
    data->label = tn_alloc((size_t)table->rows * sizeof *data->label);
    if (!data->label) return TN_ENOMEM;
    for (int64_t r = 0; r < table->rows; r++) {
        int32_t number = class_number(table->text[r]);
        if (number < 0) return number_texts(table, data);
        data->label[r] = number;
        most = number > most ? number : most;
    }
    data->classes = most + 1;
    return TN_OK;
}

/* Moves the table's arrays into the data set. */
static tn_status to_dataset(struct table *table, tn_dataset *data)
{
    data->count = table->rows;
    data->sample = TN_SHAPE(table->features);
    data->x_dtype = TN_F32;
    data->source = tn_strdup(table->path);
    if (!data->source) return TN_ENOMEM;
    if (table->classify && !table->predict) TN_TRY(read_labels(table, data));
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
    struct table table = {.path = path, .classify = options->classify != 0, .keep_missing = options->keep_missing != 0};
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
