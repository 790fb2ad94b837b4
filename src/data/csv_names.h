/* csv_names.h: the columns of a table by their names, which are compared without regard to case and spaces; a name that
 * is the same to the letter comes first. */
#ifndef TN_DATA_CSV_NAMES_H
#define TN_DATA_CSV_NAMES_H

#include "csv.h"

/* The table's names as tn_table_lines writes them, in order. */
typedef struct tn_directory {
    char *text;
    struct named {
        const char *name;
        int64_t column;
    } * sorted;
} tn_directory;
tn_status tn_directory_make(const tn_table *table, tn_directory *d);
void tn_directory_free(tn_directory *d);

/* How alike a name must be; and whether the column must have no place yet. */
enum { TN_NAME_ALIKE = 0, TN_NAME_EXACT = 1, TN_NAME_FREE = 2 };

/* The columns of that name: how many there are, and the first of them, or -1; of those that are the same to the letter
 * only the first counts. */
typedef struct tn_match {
    int64_t count, column[2];
} tn_match;
tn_match tn_directory_find(const tn_table *table, const tn_directory *d, const char *name, size_t length, int how);

/* That one column at most was found: else it would be left to chance which of them is meant. */
tn_status tn_match_check(const tn_table *table, const tn_match *found, const char *name, size_t length);

#endif
