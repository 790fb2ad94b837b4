/* csv_classes.c: a column of classes: whole numbers, or texts that are numbered in alphabetical order. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "csv.h"
#include "error.h"

#define MOST_CLASSES 65536

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

/* A column of numbers that are not whole is no column of classes. */
static tn_status check_classes(const tn_table *table)
{
    const char *fraction = NULL;
    for (int64_t r = 0; r < table->rows; r++) {
        char *end;
        double value = strtod_l(table->text[r], &end, table->plain);
        if (end == table->text[r] || *end) return TN_OK; /* a name */
        if (value != floor(value)) fraction = table->text[r];
    }
    TN_REQUIRE(!fraction, TN_EFORMAT, "%s: column '%s' has numbers such as %.40s, not classes", table->path,
               tn_table_name(table, -1), fraction);
    return TN_OK;
}

/* Texts become numbers in alphabetical order. */
static tn_status number_texts(const tn_table *table, tn_dataset *data)
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
    data->class_names = tn_table_lines(sorted, unique);
    tn_free(sorted);
    if (!data->class_names) return TN_ENOMEM;
    TN_REQUIRE(unique <= MOST_CLASSES, TN_EFORMAT, "%s: column '%s' has %zu classes; at most %d can be told apart",
               table->path, tn_table_name(table, -1), unique, MOST_CLASSES);
    return TN_OK;
}

tn_status tn_table_labels(const tn_table *table, tn_dataset *data)
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
