/* archive.h: files that hold several arrays by name: NumPy's .npz, and safetensors. */
#ifndef TN_DATA_ARCHIVE_H
#define TN_DATA_ARCHIVE_H

#include "tenon/data.h"

/* Whether the file begins as one of them does. */
int tn_archive_is(const char *path);

/* Whether such a file has an array of that name. */
tn_status tn_archive_has(const char *path, const char *member, int *has);

/* An array of such a file by its name; NULL is its only one. TN_EMISSING if there is none of that name. */
tn_status tn_archive_read(const char *path, const char *member, tn_array *array);

#endif
