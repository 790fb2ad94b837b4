/* csv_columns.c: which columns of a table are for what: by their names, or by their order. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "csv.h"
#include "error.h"
#include "utf8.h"

/* ---- targets ---- */

static int64_t find_column(const tn_table *table, const char *name, size_t length)
{
    for (int64_t c = 0; c < table->columns; c++)
        if (strlen(table->name[c]) == length && !strncmp(table->name[c], name, length)) return c;
    return -1;
}

/* Makes column number `column` the next target. */
static tn_status add_target(tn_table *table, int64_t column)
{
    TN_REQUIRE(!table->place[column], TN_EINVAL, "%s: column '%s' is named twice as a target", table->path,
               table->name[column]);
    table->place[column] = -1 - table->targets++;
    return TN_OK;
}

/* One name, which may have commas in it, or several between commas; none is the last column. */
static tn_status find_targets(tn_table *table, const char *names)
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

/* ---- by order ---- */

/* All that are no targets, from left to right. */
static tn_status take_in_order(tn_table *table, int64_t features)
{
    table->features = table->columns - table->targets;
    TN_REQUIRE(!features || table->features == features, TN_ESHAPE,
               "%s: has %lld columns; expected %lld to predict from, and perhaps what is to be predicted", table->path,
               (long long)table->columns, (long long)features);
    TN_REQUIRE(
        table->features > 0, TN_EFORMAT,
        "%s: a table needs at least two columns, separated by commas: one to predict, and one to predict it from",
        table->path);
    for (int64_t c = 0, number = 0; c < table->columns; c++)
        if (!table->place[c]) table->place[c] = number++;
    return TN_OK;
}

/* ---- by name ---- */

/* The names as tn_table_lines writes them, in alphabetical order. */
typedef struct directory {
    char *text;
    struct named {
        const char *name;
        int64_t column;
    } * sorted;
} directory;

static int by_name(const void *a, const void *b)
{
    const struct named *p = a, *q = b;
    int order = strcmp(p->name, q->name);
    return order ? order : (p->column > q->column) - (p->column < q->column);
}

static tn_status make_directory(const tn_table *table, directory *d)
{
    char *at = d->text = tn_table_lines(table->name, (size_t)table->columns);
    d->sorted = tn_alloc((size_t)table->columns * sizeof *d->sorted);
    if (!d->text || !d->sorted) return TN_ENOMEM;
    for (int64_t c = 0; c < table->columns; c++) {
        d->sorted[c] = (struct named){at, c};
        at += strcspn(at, "\n");
        *at++ = 0;
    }
    qsort(d->sorted, (size_t)table->columns, sizeof *d->sorted, by_name);
    return TN_OK;
}

static int compare(const char *name, const char *line, size_t length)
{
    int order = strncmp(name, line, length);
    return order ? order : name[length] != 0;
}

/* The first column of that name that has no place yet, or -1. */
static int64_t find_line(const tn_table *table, const directory *d, const char *line, size_t length)
{
    int64_t low = 0, high = table->columns;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (compare(d->sorted[middle].name, line, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < table->columns && !compare(d->sorted[low].name, line, length); low++)
        if (table->place[d->sorted[low].column] == TN_NOT_READ) return d->sorted[low].column;
    return -1;
}

/* Gives the columns that the lines name their places; *found is how many there are, *missing the first that is not
 * there, or NULL. */
static void place_lines(tn_table *table, const directory *d, const char *lines, const char **missing, int64_t *found)
{
    *missing = NULL;
    *found = 0;
    for (size_t length; *lines; lines += length + (lines[length] == '\n')) {
        length = strcspn(lines, "\n");
        int64_t column = find_line(table, d, lines, length);
        if (column < 0 && !*missing) *missing = lines;
        if (column >= 0) table->place[column] = (*found)++;
    }
}

/* The columns that the lines name; all others but targets are not read. A table that has none of the names has names
 * of its own: then nothing is done, and *named is 0. */
static tn_status take_by_name(tn_table *table, const char *lines, int *named)
{
    directory d = {0};
    const char *missing = NULL;
    tn_status status = make_directory(table, &d);
    for (int64_t c = 0; c < table->columns; c++)
        if (!table->place[c]) table->place[c] = TN_NOT_READ;
    if (!status) place_lines(table, &d, lines, &missing, &table->features);
    *named = table->features > 0;
    if (!status && *named && missing)
        status = tn_fail(TN_EMISSING, "%s: has no column '%.*s' to predict from", table->path,
                         (int)strcspn(missing, "\n"), missing);
    for (int64_t c = 0; c < table->columns && !*named; c++)
        if (table->place[c] == TN_NOT_READ) table->place[c] = 0;
    tn_free(d.text);
    tn_free(d.sorted);
    return status;
}

/* A table to predict from may lack the targets. */
tn_status tn_table_divide(tn_table *table, const tn_csv_options *options)
{
    int64_t features = options->features;
    table->predict = features != 0;
    table->place = tn_alloc((size_t)table->columns * sizeof *table->place);
    if (!table->place) return TN_ENOMEM;
    int named = 0;
    if (table->predict && options->columns) TN_TRY(take_by_name(table, options->columns, &named));
    if (named) return TN_OK;
    tn_status status = features == table->columns ? TN_OK : find_targets(table, options->target);
    if (status && (!features || table->columns == features + count_names(options->target))) return status;
    if (status) table->targets = 0;
    table->classify = table->classify && table->targets == 1;
    if (!table->predict && options->columns) TN_TRY(take_by_name(table, options->columns, &named));
    return named ? TN_OK : take_in_order(table, features);
}

const char *tn_table_name(const tn_table *table, int64_t place)
{
    int64_t c = 0;
    while (table->place[c] != place) c++;
    return table->name[c];
}

/* One character, or a byte that is none, which becomes U+FFFD; moves both. */
static void copy_character(char **to, const char **from)
{
    size_t length = tn_utf8_length(*from);
    const char *what = length ? *from : "\xEF\xBF\xBD";
    if (**from == '\n' || **from == '\r') what = " ";
    memcpy(*to, what, length ? length : 3);
    *to += length ? length : 3;
    *from += length ? length : 1;
}

char *tn_table_lines(char *const texts[], size_t count)
{
    size_t bytes = 1;
    for (size_t i = 0; i < count; i++) bytes += 3 * strlen(texts[i]) + 1;
    char *lines = tn_alloc(bytes), *to = lines;
    for (size_t i = 0; lines && i < count; i++) {
        for (const char *from = texts[i]; *from;) copy_character(&to, &from);
        *to++ = '\n';
    }
    return lines;
}
