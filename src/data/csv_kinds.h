/* csv_kinds.h: columns of texts to predict from, which become numbers. */
#ifndef TN_DATA_CSV_KINDS_H
#define TN_DATA_CSV_KINDS_H

#include "csv.h"

#define TN_MOST_TEXTS 65536 /* of a column */

/* What becomes of a column to predict from: its numbers; or of texts, in alphabetical order, one number each, which is
 * 1 in rows that have it and else 0; or the text's own number, from 0. */
enum { TN_KINDS_NONE, TN_KINDS_ONE_HOT, TN_KINDS_INDEX };

struct tn_kinds {
    int how;
    int64_t at; /* of its first number in a sample */
    char **text;
    uint32_t count, room;
    tn_index numbers; /* of the texts */
};

/* Of a table whose columns are divided: finds by reading it once more which columns hold texts, and these; or takes
 * what another table's are, as tn_dataset's `categories` says; or, where that is NULL and `find` is 0, none. Then each
 * feature has its place in a sample. */
TN_MUST_USE tn_status tn_kinds_settle(tn_table *table, const tn_csv_options *options, int find);
void tn_kinds_free(tn_table *table);

/* Writes a text of that feature to a sample; 0: it is none of those that there are, and counts as missing. */
int tn_kinds_put(const struct tn_kinds *kinds, const char *text, float *x);

/* As tn_dataset's `categories`. NULL: no memory. */
char *tn_kinds_lines(const tn_table *table);

/* What follows a line; and the line, as it was before tn_class_lines. NULL: no memory. */
const char *tn_next_line(const char *lines);
char *tn_read_line(tn_region *made, const char *line);

/* By how many numbers samples are longer than there are columns. */
int64_t tn_kinds_more(const char *categories);

/* The column to predict from, from 0, that a sample's number comes from. */
int64_t tn_kinds_column(const char *categories, int64_t number);

#endif
