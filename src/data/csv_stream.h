/* csv_stream.h: the rows of a table that stay in its file: where they are, and a loader that reads them there. */
#ifndef TN_DATA_CSV_STREAM_H
#define TN_DATA_CSV_STREAM_H

#include "csv.h"

/* Every so many bytes a row of which it is known where it is; a zeroed struct is empty. */
typedef struct tn_row_index {
    struct tn_row_place *at;
    uint32_t count, room;
    uint64_t end; /* of the last row, in the file */
} tn_row_index;

/* Says where the next row is. */
TN_MUST_USE tn_status tn_row_index_add(tn_row_index *index, int64_t row, uint64_t place, int64_t line);

/* A loader of the table's features. It takes over what it needs of the table and the index, whether this succeeded or
 * not. */
TN_MUST_USE tn_status tn_csv_loader(tn_table *table, tn_row_index *index, tn_loader **loader);

#endif
