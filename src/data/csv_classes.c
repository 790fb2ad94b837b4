/* csv_classes.c: a column of classes: whole numbers, or texts that are numbered in alphabetical order; and whether it
 * is one. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "error.h"
#include "kind.h"
#include "plain.h"

#define MOST_CLASSES 65536
#define EXACT        9007199254740992.0 /* 2^53: larger whole numbers may become one in double precision */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The letter that stands behind a backslash for a character; 0: it stands for itself. */
static char escaped(char c)
{
    return c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\\' ? c : 0;
}

char *tn_class_lines(char *const texts[], size_t count)
{
    size_t bytes = 1;
    for (size_t i = 0; i < count; i++) bytes += 2 * strlen(texts[i]) + 1;
    char *lines = tn_alloc(bytes), *to = lines;
    for (size_t i = 0; lines && i < count; i++) {
        for (const char *from = texts[i]; *from; from++) {
            char letter = escaped(*from);
            if (letter) *to++ = '\\';
            *to++ = letter ? letter : *from;
        }
        *to++ = '\n';
    }
    return lines;
}

/* A whole number 0 .. MOST_CLASSES-1, or -1. */
static int32_t class_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    long number = digits && digits < 8 && !text[digits] ? strtol(text, NULL, 10) : -1;
    return number < MOST_CLASSES ? (int32_t)number : -1;
}

/* A whole number as it is written at its simplest: "1" for 1.0, +1, 01 and 1e0. Other texts stay as they are, and so do
 * numbers so large that two become one in double precision. */
static tn_status simplest(tn_table *table, int64_t row)
{
    double value = 0;
    char text[32];
    if (class_number(table->text[row]) >= 0 && *table->text[row] != '0') return TN_OK;
    if (!tn_cell_number(table->text[row], &value) || !(fabs(value) < EXACT) || value != floor(value)) return TN_OK;
    tn_snprintf(text, sizeof text, "%.0f", value == 0 ? 0 : value); /* never "-0" */
    if (strlen(text) <= strlen(table->text[row])) {                 /* for all rows that have this very text */
        memcpy(table->text[row], text, strlen(text) + 1);
        return TN_OK;
    }
    table->text[row] = tn_region_print(&table->texts, "%s", text);
    return table->text[row] ? TN_OK : TN_ENOMEM;
}

/* In a column of numbers alone, those that are equal are one class, however they are written; and if some are not whole
 * it is no column of classes. With a name among them they are names. */
static tn_status match_numbers(tn_table *table)
{
    const char *fraction = NULL;
    for (int64_t r = 0; r < table->rows; r++) {
        double value = 0;
        if (class_number(table->text[r]) >= 0) continue;
        if (!tn_cell_number(table->text[r], &value)) return TN_OK; /* a name */
        if (value != floor(value)) fraction = table->text[r];
    }
    TN_REQUIRE(!fraction, TN_EFORMAT, "%s: column '%s' has numbers such as %.40s, not classes", table->path,
               tn_table_name(table, -1), fraction);
    for (int64_t r = 0; r < table->rows; r++) TN_TRY(simplest(table, r));
    return TN_OK;
}

/* Texts become numbers in alphabetical order. */
static tn_status number_texts(const tn_table *table, tn_dataset *data)
{
    size_t rows = (size_t)table->rows, unique = 0;
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
    data->class_names = tn_class_lines(sorted, unique);
    tn_free(sorted);
    if (!data->class_names) return TN_ENOMEM;
    TN_REQUIRE(unique <= MOST_CLASSES, TN_EFORMAT, "%s: column '%s' has %zu classes; at most %d can be told apart",
               table->path, tn_table_name(table, -1), unique, MOST_CLASSES);
    return TN_OK;
}

tn_status tn_table_labels(tn_table *table, tn_dataset *data)
{
    int32_t most = -1;
    TN_TRY(match_numbers(table));
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

/* ---- classes or numbers ---- */

/* The target's numbers; *other becomes the first that is none, or NULL. Returns how many there are. */
static int64_t read_numbers(const tn_table *table, double *value, const char **other)
{
    int64_t count = 0;
    *other = NULL;
    for (int64_t r = 0; r < table->rows; r++) {
        if (tn_cell_number(table->text[r], &value[count]))
            count++;
        else if (!*other)
            *other = table->text[r];
    }
    return count;
}

/* Texts are classes, unless most are numbers, and a quantity. */
static tn_status judge(const tn_table *table, double *value, int *classes, char why[TN_KIND_TEXT])
{
    const char *other = NULL, *name = tn_table_name(table, -1);
    int64_t count = read_numbers(table, value, &other);
    *classes = tn_kind_is_classes(value, count, 0, why);
    TN_REQUIRE(!other || *classes || 2 * count <= table->rows, TN_EFORMAT,
               "%s: column '%s': most of its values are numbers, but '%.60s' is none", table->path, name, other);
    *classes |= other != NULL;
    if (other) snprintf(why, TN_KIND_TEXT, "has texts: classes");
    return TN_OK;
}

static tn_status to_numbers(tn_table *table)
{
    const int64_t column = tn_table_column(table, -1);
    double value = 0;
    tn_free(table->y);
    table->y = tn_alloc((size_t)table->rows * sizeof *table->y);
    if (!table->y) return TN_ENOMEM;
    for (int64_t r = 0; r < table->rows; r++) {
        tn_cell_number(table->text[r], &value);
        TN_REQUIRE(fabs(value) <= FLT_MAX, TN_EFORMAT, "%s: column '%s': %.60s is beyond the range of f32", table->path,
                   tn_table_name(table, -1), table->text[r]);
        table->y[r] = (float)value;
        tn_table_see(table, column, value);
    }
    return TN_OK;
}

tn_status tn_table_guess(tn_table *table, tn_dataset *data)
{
    char why[TN_KIND_TEXT], text[TN_KIND_TEXT + 80];
    double *value = tn_alloc((size_t)table->rows * sizeof *value);
    if (!value) return TN_ENOMEM;
    tn_status status = judge(table, value, &table->classify, why);
    tn_free(value);
    if (status) return status;
    snprintf(text, sizeof text, "'%.60s' %s", tn_table_name(table, -1), why);
    data->why = tn_strdup(text);
    if (!data->why) return TN_ENOMEM;
    return table->classify ? TN_OK : to_numbers(table);
}
