/* csv_columns.c: which columns of a table are for what: by their names, or by their order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv_kinds.h"
#include "csv_names.h"
#include "error.h"

#define LISTED 300 /* bytes of a list of names in a message */

/* ---- names ---- */

/* Whether targets are found by their names in a table that has some. */
static int names_targets(const tn_csv_options *options)
{
    return options->target && !(options->by_position && options->target_numbers);
}

/* Whether it matters how the column is named: it is read, and not for its place in the order. */
static int goes_by_name(const tn_table *table, const tn_csv_options *options, int64_t column)
{
    const int64_t place = table->place[column];
    if (column == table->weights) return 1;
    if (place == TN_NOT_READ) return 0;
    if (place < 0) return names_targets(options);
    return !options->by_position && (options->columns || !options->target_numbers);
}

/* Of two columns with one name it would be left to chance which is meant. */
static tn_status check_names(const tn_table *table, const tn_csv_options *options, const tn_directory *d)
{
    for (int64_t i = 1; i < table->columns && !table->no_header; i++) {
        const struct named *a = &d->sorted[i - 1], *b = &d->sorted[i];
        double number;
        const int matters = goes_by_name(table, options, a->column) || goes_by_name(table, options, b->column);
        TN_REQUIRE(!matters || strcmp(a->name, b->name), TN_EFORMAT,
                   "%s: columns %lld and %lld are both named '%s': rename one of them%s", table->path,
                   (long long)a->column + 1, (long long)b->column + 1, b->name,
                   tn_cell_missing(b->name) || tn_cell_number(b->name, &number)
                       ? ", unless the first line is data, and no header (--header no)"
                       : "");
    }
    return TN_OK;
}

/* "'a', 'b', 'c'", and how many more where there is no room. */
static const char *list(char *const names[], int64_t count, char text[LISTED])
{
    size_t used = 0;
    text[0] = 0;
    for (int64_t i = 0; i < count; i++) {
        char one[80];
        int length = snprintf(one, sizeof one, "%s'%.60s'", i ? ", " : "", names[i]);
        if (used + (size_t)length + 20 > LISTED) {
            snprintf(text + used, LISTED - used, " and %lld more", (long long)(count - i));
            return text;
        }
        memcpy(text + used, one, (size_t)length + 1);
        used += (size_t)length;
    }
    return text;
}

static int64_t count_lines(const char *lines)
{
    int64_t count = 0;
    for (; *lines; lines++) count += *lines == '\n' || !lines[1];
    return count;
}

static size_t line_length(const char *lines)
{
    return strcspn(lines, "\n");
}

/* What is wanted, and what there is. */
static tn_status missing(const tn_table *table, const char *lines, const char *which)
{
    char want[LISTED], have[LISTED];
    int64_t count = count_lines(lines), n = 0;
    tn_region made = {0};
    char **names = tn_region_alloc(&made, (size_t)count * sizeof *names);
    for (const char *at = lines; names && n < count; at = tn_next_line(at), n++) {
        names[n] = tn_region_print(&made, "%.*s", (int)line_length(at), at);
        if (!names[n]) break;
    }
    tn_status status =
        n < count ? TN_ENOMEM
                  : tn_fail(TN_EMISSING, "%s: has no column '%.*s' to predict from: wanted are %s, and it has %s",
                            table->path, (int)line_length(which), which, list(names, n, want),
                            list(table->name, table->columns, have));
    tn_region_free(&made);
    return status;
}

/* ---- targets, and what is left out ---- */

#define LEFT_OUT (TN_NOT_READ + 1) /* until all have their places */

/* What becomes of a column that is named. */
typedef tn_status mark_column(tn_table *table, int64_t column);

static tn_status leave_out(tn_table *table, int64_t column)
{
    table->place[column] = LEFT_OUT;
    return TN_OK;
}

static tn_status weigh(tn_table *table, int64_t column)
{
    TN_REQUIRE(table->weights < 0 || table->weights == column, TN_EINVAL,
               "%s: columns '%s' and '%s' can't both be the samples' weights", table->path, table->name[table->weights],
               table->name[column]);
    table->weights = column;
    return leave_out(table, column);
}

/* Makes a column the next target. */
static tn_status add_target(tn_table *table, int64_t column)
{
    TN_REQUIRE(table->place[column] != LEFT_OUT, TN_EINVAL, "%s: column '%s' is to be predicted, and can't be %s",
               table->path, table->name[column], column == table->weights ? "the samples' weights" : "ignored");
    TN_REQUIRE(table->place[column] == TN_NOT_READ, TN_EINVAL, "%s: column '%s' is named twice as a target",
               table->path, table->name[column]);
    table->place[column] = -1 - table->targets++;
    return TN_OK;
}

/* The column, or -1. */
static tn_status find_named(const tn_table *table, const tn_directory *d, const char *name, size_t length,
                            int64_t *column)
{
    tn_match found = tn_directory_find(table, d, name, length, TN_NAME_EXACT);
    if (!found.count) found = tn_directory_find(table, d, name, length, TN_NAME_ALIKE);
    *column = found.column[0];
    return tn_match_check(table, &found, name, length);
}

static tn_status no_column(const tn_table *table, const char *name, size_t length)
{
    char have[LISTED];
    return tn_fail(TN_EMISSING, "%s: has no column '%.*s'; its columns are %s", table->path, (int)length, name,
                   list(table->name, table->columns, have));
}

/* One of several names, to where it ends: what separates it from the next. In a list with commas a name with commas
 * stands between quotes, which are taken off. */
static const char *name_end(const char **name, const char *between, size_t *length)
{
    *name += strspn(*name, " ");
    const char *closed = *between == ',' && **name == '"' ? strchr(*name + 1, '"') : NULL;
    const char *last = closed ? closed + 1 : *name, *end = last + strcspn(last, between);
    *name += closed != NULL;
    *length = (size_t)((closed ? closed : end) - *name);
    while (*length && (*name)[*length - 1] == ' ') --*length;
    return end;
}

/* One name, which may have commas in it, or several between commas, or lines. */
static tn_status by_names(tn_table *table, const tn_directory *d, const char *names, mark_column *mark)
{
    const char *between = strchr(names, '\n') ? "\n" : ",";
    int64_t column;
    TN_TRY(find_named(table, d, names, strlen(names), &column));
    if (column >= 0 && *between == ',') return mark(table, column);
    for (const char *end; names; names = *end && (end[1] || *end == ',') ? end + 1 : NULL) {
        size_t length;
        end = name_end(&names, between, &length);
        TN_TRY(find_named(table, d, names, length, &column));
        if (column < 0) return no_column(table, names, length);
        TN_TRY(mark(table, column));
    }
    return TN_OK;
}

/* Columns by their numbers, from 1, between commas. */
static tn_status by_numbers(tn_table *table, const char *numbers, mark_column *mark)
{
    for (const char *at = numbers; at; at = strchr(at, ','), at = at ? at + 1 : NULL) {
        char *end;
        long long number = strtoll(at, &end, 10);
        end += strspn(end, " ");
        TN_REQUIRE(end != at && (!*end || *end == ','), TN_EMISSING,
                   "%s: has no column '%s': it has no header, and its columns are numbered from 1 to %lld", table->path,
                   numbers, (long long)table->columns);
        TN_REQUIRE(number >= 1 && number <= table->columns, TN_EMISSING, "%s: has no column %lld: it has %lld of them",
                   table->path, number, (long long)table->columns);
        TN_TRY(mark(table, number - 1));
    }
    return TN_OK;
}

/* Of names or numbers in a list. */
static int64_t count_listed(const char *text)
{
    int64_t count = 1, quoted = 0;
    if (text && strchr(text, '\n')) return count_lines(text);
    for (; text && *text; text++) {
        quoted ^= *text == '"';
        count += *text == ',' && !quoted;
    }
    return count;
}

/* By their names where these count; else by their numbers; else the last column that is not left out. */
static tn_status find_targets(tn_table *table, const tn_directory *d, const tn_csv_options *options)
{
    const char *numbers = options->target_numbers;
    if (table->no_header && !numbers) numbers = options->target;
    if (names_targets(options) && !table->no_header) return by_names(table, d, options->target, add_target);
    if (numbers) return by_numbers(table, numbers, add_target);
    int64_t last = table->columns - 1;
    while (last > 0 && table->place[last] == LEFT_OUT) last--;
    return add_target(table, last);
}

static tn_status mark(tn_table *table, const tn_directory *d, const char *names, mark_column *how)
{
    return table->no_header ? by_numbers(table, names, how) : by_names(table, d, names, how);
}

/* ---- by order ---- */

/* All that are no targets and are not left out, from left to right. */
static tn_status take_in_order(tn_table *table, int64_t features)
{
    table->features = table->columns - table->targets;
    for (int64_t c = 0; c < table->columns; c++) table->features -= table->place[c] == LEFT_OUT;
    TN_REQUIRE(!features || table->features == features, TN_ESHAPE,
               "%s: has %lld columns; expected %lld to predict from, and perhaps what is to be predicted", table->path,
               (long long)table->columns, (long long)features);
    TN_REQUIRE(table->features > 0, TN_EFORMAT,
               "%s: a table needs at least two columns, one to predict and one to predict it from, separated by "
               "commas, semicolons, tabs or bars; its first line is '%.60s'%s",
               table->path, table->first[0],
               strspn(table->first[0], "#%")
                   ? ": a comment? 'grep -v \"^[#%]\" FILE | tenon train --data -' leaves such lines out"
                   : "");
    for (int64_t c = 0, number = 0; c < table->columns; c++)
        table->place[c] = table->place[c] == TN_NOT_READ ? number++
                          : table->place[c] == LEFT_OUT  ? TN_NOT_READ
                                                         : table->place[c];
    return TN_OK;
}

/* Without names one column too many may be the weights or what is to be predicted: the others' numbers depend on it. */
static tn_status check_width(const tn_table *table, int64_t wide, int64_t targets)
{
    TN_REQUIRE(!table->predict || !table->no_header || targets != 1 || table->columns != wide + 1, TN_EINVAL,
               "%s: has %lld columns, one more than there are to predict from: the samples' weights, or what is to be "
               "predicted? Without a header both are there, or neither",
               table->path, (long long)table->columns);
    return TN_OK;
}

/* A table to predict from has the targets, and what is left out, only if it is wider by them. */
static tn_status divide_by_order(tn_table *table, const tn_directory *d, const tn_csv_options *options)
{
    int64_t features = options->features;
    if (!features && options->columns) features = count_lines(options->columns);
    const char *targets = options->target_numbers ? options->target_numbers : options->target;
    const char *out = options->columns || options->by_position ? NULL : options->ignore;
    const char *weights = options->weights;
    const int64_t wide = features + (out ? count_listed(out) : 0);
    if (out && (!table->predict || table->columns >= wide)) TN_TRY(mark(table, d, out, leave_out));
    if (weights) TN_TRY(check_width(table, wide, count_listed(targets)));
    if (weights && (!table->predict || table->columns > wide)) TN_TRY(mark(table, d, weights, weigh));
    const int64_t rest = table->columns - wide - (table->weights >= 0);
    if (!table->predict || rest == count_listed(targets)) TN_TRY(find_targets(table, d, options));
    return take_in_order(table, features);
}

/* ---- by name ---- */

/* Gives the columns that the lines name their places, unless they have them, if the names are so alike. */
static tn_status place_lines(tn_table *table, const tn_directory *d, const char *lines, int how, char *placed)
{
    int64_t place = 0;
    for (const char *at = lines; *at; at = tn_next_line(at), place++) {
        if (placed[place]) continue;
        tn_match found = tn_directory_find(table, d, at, line_length(at), how | TN_NAME_FREE);
        TN_TRY(tn_match_check(table, &found, at, line_length(at)));
        if (!found.count) continue;
        table->place[found.column[0]] = place;
        placed[place] = 1;
    }
    table->features = place;
    return TN_OK;
}

/* A column that is wanted to predict from, and not free for it: a target, the weights, or not there. */
static tn_status lacking(const tn_table *table, const tn_directory *d, const char *lines, const char *which)
{
    const int64_t column = tn_directory_find(table, d, which, line_length(which), TN_NAME_ALIKE).column[0];
    TN_REQUIRE(column < 0 || table->place[column] >= 0, TN_EINVAL,
               "%s: column '%.*s' is one to predict from, and can't be %s", table->path, (int)line_length(which), which,
               column == table->weights ? "the samples' weights" : "the one to be predicted");
    return missing(table, lines, which);
}

/* Those that are the same to the letter, then the others. */
static tn_status place_all(tn_table *table, const tn_directory *d, const char *lines, char *placed)
{
    TN_TRY(place_lines(table, d, lines, TN_NAME_EXACT, placed));
    TN_TRY(place_lines(table, d, lines, TN_NAME_ALIKE, placed));
    const char *lacks = lines;
    while (*placed++ && *lacks) lacks = tn_next_line(lacks);
    return *lacks ? lacking(table, d, lines, lacks) : TN_OK;
}

/* The columns that the lines name; all others but targets are not read. */
static tn_status take_by_name(tn_table *table, const tn_directory *d, const char *lines)
{
    char *placed = tn_alloc((size_t)count_lines(lines) + 1);
    if (!placed) return TN_ENOMEM;
    tn_status status = place_all(table, d, lines, placed);
    tn_free(placed);
    return status;
}

/* A table to predict from may lack the targets. */
static tn_status divide_by_name(tn_table *table, const tn_directory *d, const tn_csv_options *options)
{
    if (!table->predict && options->weights) TN_TRY(mark(table, d, options->weights, weigh));
    if (!table->predict) TN_TRY(find_targets(table, d, options));
    return take_by_name(table, d, options->columns);
}

/* ---- texts that were asked for ---- */

static tn_status mark_as(tn_table *table, int64_t column, int how)
{
    TN_REQUIRE(table->place[column] >= 0, TN_EINVAL,
               "%s: column '%s' is not read to predict from, and its texts can't be numbered", table->path,
               table->name[column]);
    table->kinds[table->place[column]].how = how;
    return TN_OK;
}

static tn_status mark_one_hot(tn_table *table, int64_t column)
{
    return mark_as(table, column, TN_KINDS_ONE_HOT);
}

static tn_status mark_index(tn_table *table, int64_t column)
{
    return mark_as(table, column, TN_KINDS_INDEX);
}

static tn_status mark_kinds(tn_table *table, const tn_directory *d, const tn_csv_options *options)
{
    table->kinds = tn_alloc((size_t)table->features * sizeof *table->kinds + 1);
    if (!table->kinds) return TN_ENOMEM;
    if (options->categories) return TN_OK;
    const struct {
        const char *names;
        mark_column *mark;
    } asked[] = {{options->one_hot, mark_one_hot}, {options->index, mark_index}};
    for (size_t i = 0; i < 2; i++) {
        if (!asked[i].names) continue;
        TN_TRY(mark(table, d, asked[i].names, asked[i].mark));
    }
    return TN_OK;
}

tn_status tn_table_divide(tn_table *table, const tn_csv_options *options)
{
    tn_directory d = {0};
    int named = options->columns && *options->columns && !options->by_position && !table->no_header;
    table->predict = options->features != 0;
    table->place = tn_alloc((size_t)table->columns * sizeof *table->place);
    if (!table->place) return TN_ENOMEM;
    for (int64_t c = 0; c < table->columns; c++) table->place[c] = TN_NOT_READ;
    tn_status status = tn_directory_make(table, &d);
    if (!status) status = named ? divide_by_name(table, &d, options) : divide_by_order(table, &d, options);
    if (table->weights >= 0) table->place[table->weights] = TN_NOT_READ;
    if (!status) status = check_names(table, options, &d);
    if (!status) status = mark_kinds(table, &d, options);
    tn_directory_free(&d);
    table->guess = table->classify > 1 && table->targets == 1;
    table->classify = table->classify && table->targets == 1;
    return status;
}

tn_status tn_table_has(const tn_table *table, const char *lines, int *all)
{
    tn_directory d = {0};
    tn_status status = tn_directory_make(table, &d);
    *all = *lines != 0;
    for (; !status && *all && *lines; lines = tn_next_line(lines))
        *all = tn_directory_find(table, &d, lines, line_length(lines), TN_NAME_ALIKE).count > 0;
    tn_directory_free(&d);
    return status;
}

int64_t tn_table_column(const tn_table *table, int64_t place)
{
    int64_t c = 0;
    while (table->place[c] != place) c++;
    return c;
}

const char *tn_table_name(const tn_table *table, int64_t place)
{
    return table->name[tn_table_column(table, place)];
}

char *tn_table_lines(char *const texts[], size_t count)
{
    size_t bytes = 1;
    for (size_t i = 0; i < count; i++) bytes += strlen(texts[i]) + 1;
    char *lines = tn_alloc(bytes), *to = lines;
    for (size_t i = 0; lines && i < count; i++) {
        for (const char *from = texts[i]; *from; from++) *to++ = *from == '\n' || *from == '\r' ? ' ' : *from;
        *to++ = '\n';
    }
    return lines;
}
