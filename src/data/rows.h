/* rows.h: an array that stays in its file, and is read row by row: of a .npy file, of an .npz archive whose members are
 * not compressed, of a safetensors file, or of an IDX file. It is read at places of the file, so that any threads may
 * at once; where the file has become shorter that is an error. */
#ifndef TN_DATA_ROWS_H
#define TN_DATA_ROWS_H

#include "element.h"
#include "tenon/data.h"

typedef struct tn_rows {
    char *path, *member; /* member: "" where there is none */
    int fd;
    uint64_t begin;     /* where the first row lies in the file */
    uint64_t row_bytes; /* there */
    tn_element element; /* what its elements become: see there */
    tn_shape shape;     /* the first dimension is the row */
} tn_rows;

/* Opens the array; `member` is its name in an archive, NULL its only one. TN_EMISSING if there is none of that name;
 * TN_EUNSUPPORTED, with the reason, if it can only be read whole. An archive's member has a checksum, for which it is
 * read through once here; other formats have none. The caller closes it. */
TN_MUST_USE tn_status tn_rows_open(const char *path, const char *member, tn_rows **rows);
void tn_rows_close(tn_rows *rows); /* NULL is fine */

/* Reads `count` rows from number `first` on. Any threads may. */
TN_MUST_USE tn_status tn_rows_read(const tn_rows *rows, int64_t first, int64_t count, void *to);

/* All of them; the caller frees the array. */
TN_MUST_USE tn_status tn_rows_array(const tn_rows *rows, tn_array *array);

/* Where what is read of each kind of file begins: what tn_rows_open puts together. `rows` has the path and the file,
 * and gets the rest. */
TN_MUST_USE tn_status tn_npy_rows(tn_rows *rows, uint64_t begin, uint64_t bytes);
TN_MUST_USE tn_status tn_npz_rows(tn_rows *rows, const char *member);
TN_MUST_USE tn_status tn_tensors_rows(tn_rows *rows, const char *member);
TN_MUST_USE tn_status tn_idx_rows(tn_rows *rows);

#endif
