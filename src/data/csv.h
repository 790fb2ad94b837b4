/* csv.h: what the parts of the reader of tables share. */
#ifndef TN_DATA_CSV_H
#define TN_DATA_CSV_H

#include <locale.h>

#include "tenon/data.h"

/* What a table becomes. `x` and `text` have room for all the rows that the file could hold. */
typedef struct tn_table {
    const char *path;
    char **name; /* the header's cells */
    int64_t columns, rows;
    int64_t *place; /* of each column: its number among the features, -1 less its number among the targets, or */
#define TN_NOT_READ INT64_MIN
    int64_t features; /* columns to predict from */
    int64_t targets;  /* columns to predict; 0 if there is none */
    int classify;     /* the one target holds classes */
    int predict;      /* targets are not read */
    int keep_missing;
    float *x;    /* (rows, features) */
    float *y;    /* (rows, targets): numbers to predict, or */
    char **text; /* classes to predict: within the file's content */
    locale_t plain;
} tn_table;

/* Decides which columns are what, once the header is read. */
tn_status tn_table_divide(tn_table *table, const tn_csv_options *options);

/* The name of the column that has that place; there is one. */
const char *tn_table_name(const tn_table *table, int64_t place);

/* The classes that stand in the rows, as numbers. */
tn_status tn_table_labels(const tn_table *table, tn_dataset *data);

/* Texts as UTF-8, each closed by a line break; line breaks inside become spaces, bytes that are no UTF-8 U+FFFD. NULL
 * where there is no memory. */
char *tn_table_lines(char *const texts[], size_t count);

#endif
