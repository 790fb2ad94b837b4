/* csv_lines.h: a table's file, row by row, without the whole of it in memory. */
#ifndef TN_DATA_CSV_LINES_H
#define TN_DATA_CSV_LINES_H

#include "csv.h"
#include "inflow.h"

/* Where reading stands. One thread uses it. */
typedef struct tn_lines {
    const char *path;
    tn_inflow inflow;
    char *text;                /* what was read ahead, closed by a zero; */
    uint64_t room, begin, end; /* of which text[begin..end) has not been taken yet */
    uint64_t place;            /* of text[begin] in the file, unpacked */
    int64_t line;              /* its number there, from 1 */
    int ended;                 /* the file has no more */
    char separator;            /* of cells, by the first rows */
} tn_lines;

/* Begins with the file's first row. tn_lines_close releases it, whether this succeeded or not. */
TN_MUST_USE tn_status tn_lines_open(tn_lines *lines, const char *path);
void tn_lines_close(tn_lines *lines);

/* The next row that is not empty, to be cut into cells, and until the next call; `row->at` is `row->end` where there is
 * none. *place, unless NULL, is where it begins in the file. */
TN_MUST_USE tn_status tn_lines_next(tn_lines *lines, tn_reader *row, uint64_t *place);

/* Behind the line break of the row that begins at `at`, or the end; NULL if it is not all there. The text up to `end`
 * is closed by a zero, and nothing follows it if it has `ended`. */
char *tn_row_end(char *at, char *end, int ended, char separator);

/* By the text that a table begins with, which is closed by a zero; a comma if nothing else fits better. */
TN_MUST_USE tn_status tn_guess_separator(char *text, char *end, char *separator);

#endif
