/* csv.h: what the parts of the reader of tables share. */
#ifndef TN_DATA_CSV_H
#define TN_DATA_CSV_H

#include "alloc.h"
#include "index.h"
#include "tenon/data.h"

/* ---- the text ---- */

typedef struct tn_cell {
    char *text; /* closed by a zero, without spaces around it */
    int64_t line;
    int last; /* of its row */
} tn_cell;

/* Where in the text the next cell begins. The text is closed by a zero, and gets cut. */
typedef struct tn_reader {
    const char *path;
    char *at, *end;
    int64_t line;
    char separator; /* of cells; beside ';' numbers may have a decimal comma */
} tn_reader;

/* What ends a cell without quotes: the separator, a line break, or the zero behind the text. */
char *tn_cell_end(char *at, char separator);

tn_status tn_read_cell(tn_reader *reader, tn_cell *cell);
void tn_skip_empty_lines(tn_reader *reader);

/* Whether a cell says that its value is missing; and whether it is a number, whatever the language. */
int tn_cell_missing(const char *text);
int tn_cell_number(const char *text, double *number);

/* ---- the table ---- */

/* What a table becomes. */
typedef struct tn_table {
    const char *path;
    char separator; /* of its cells */
    char **name;    /* of each column */
    char **first;   /* the first line's cells: the names, or with no_header a row */
    int64_t first_line;
    uint64_t first_place; /* of that line in the file */
    int no_header;
    tn_region made; /* those texts, and names for columns that have none */
    char *notice;   /* as in tn_dataset */
    int64_t columns, rows;
    int64_t *place; /* of each column: its number among the features, -1 less its number among the targets, or */
#define TN_NOT_READ INT64_MIN
    int64_t features;       /* columns to predict from */
    int64_t width;          /* numbers of a sample that they become */
    struct tn_kinds *kinds; /* of each: csv_kinds.h; and their texts */
    tn_region kind_texts;
    struct tn_unknown {
        int64_t rows, column, line; /* with a text that none of a model's is; the first */
        char *text;
    } unknown;
    int64_t targets; /* columns to predict; 0 if there is none */
    int classify;    /* the one target holds classes */
    int guess;       /* or perhaps numbers: it is read as texts, and then decided */
    int predict;     /* targets and weights are not read */
    int64_t weights; /* the column of the samples' weights, or -1; its place is TN_NOT_READ */
    int keep_missing;
    int find_kinds;   /* texts to predict from are kinds, which are found first */
    int stumbled;     /* over a text where a number was expected to predict from */
    int stream;       /* the features stay in the file: x has one row */
    float *x;         /* (rows, width) */
    float *weight;    /* (rows), or NULL */
    float *y;         /* (rows, targets): numbers to predict, or */
    char **text;      /* classes to predict: each text is there once, */
    tn_region texts;  /* here, */
    tn_index numbers; /* and found by this: the first row that has it */
    char *there;      /* of each column to predict from: whether any row has a value; */
    char *counts;     /* whether it has numbered the rows so far, from 0 (1) or from 1 (2) */
    double *exact;    /* of each column: the row's number as the file has it, or NaN */
    struct tn_rounding {
        double least, largest, error; /* of its numbers, and of what f32 makes of them */
    } * rounding;                     /* of each column */
    uint32_t x_room, y_room, weight_room, text_room;
} tn_table;

/* Frees what the struct points to. A zeroed struct is fine. */
void tn_table_free(tn_table *table);

/* Where the values of a row go. */
typedef struct tn_row {
    float *x;                  /* features; NaN where a value is missing */
    float *y;                  /* numbers to predict; NULL: targets are not looked at */
    float *weight;             /* or NULL: it is not looked at */
    const char *text;          /* the class to predict */
    double *exact;             /* of each column, before it was rounded; or NULL */
    int stumbled;              /* over a text where a number was expected to predict from */
    struct tn_unknown unknown; /* rows: 1 if it has one; the text is the cell's */
} tn_row;

/* Reads a row, which is cut. Changes nothing in the table: any threads may. */
TN_MUST_USE tn_status tn_table_row(const tn_table *table, tn_reader *reader, tn_row *row);

/* A number of that column, before it is rounded to f32; NaN is none. */
void tn_table_see(tn_table *table, int64_t column, double number);

/* Once the first line is read: decides whether it names the columns or is data. */
tn_status tn_table_header(tn_table *table, const tn_csv_options *options);

/* As tn_dataset_csv; with `stream` the features stay in the file, and the set has a loader. */
TN_MUST_USE tn_status tn_csv_open(const char *path, const tn_csv_options *options, int stream, tn_dataset *data);

/* Then decides which columns are what. */
tn_status tn_table_divide(tn_table *table, const tn_csv_options *options);

/* Whether each of the lines names a column. *all is the answer. */
tn_status tn_table_has(const tn_table *table, const char *lines, int *all);

/* The column that has that place; there is one. And its name. */
int64_t tn_table_column(const tn_table *table, int64_t place);
const char *tn_table_name(const tn_table *table, int64_t place);

/* Whether the target's texts are classes or numbers, and why. Numbers are then in `y`. */
tn_status tn_table_guess(tn_table *table, tn_dataset *data);

/* The classes that stand in the rows, as numbers. */
tn_status tn_table_labels(tn_table *table, tn_dataset *data);

/* Names of columns, each closed by a line break; line breaks inside become spaces. NULL where there is no memory. */
char *tn_table_lines(char *const texts[], size_t count);

/* Names of classes likewise, as tn_dataset has them: line breaks inside are written \n and \r, backslashes \\. */
char *tn_class_lines(char *const texts[], size_t count);

/* That a text may become a name: it is UTF-8. The message is of the line, and of the column of that number, from 0. */
tn_status tn_table_check_text(const tn_table *table, const char *text, int64_t line, int64_t column);

#endif
