/* arrays.h: data sets of arrays, whose samples are read whole or stay in their file. */
#ifndef TN_DATA_ARRAYS_H
#define TN_DATA_ARRAYS_H

#include "tenon/data.h"

/* As tn_dataset_arrays; with `stream` the samples stay in the file, and the set has a loader. TN_EUNSUPPORTED if they
 * can only be read whole. */
TN_MUST_USE tn_status tn_arrays_open(const char *path, const char *x, const char *y, int classify, int stream,
                                     tn_dataset *data);

/* The weights of samples that tn_arrays_open gave: the array of that name, a number for each of them. */
TN_MUST_USE tn_status tn_arrays_weights(const char *path, const char *name, tn_dataset *data);

/* Whether a file, or the files in a folder, take half of the memory that is free, so that samples are left there. */
int tn_data_is_large(const char *path);

/* The samples of one array that stays in its file (rows.h), and nothing that belongs to them. */
TN_MUST_USE tn_status tn_rows_dataset(const char *path, const char *member, tn_dataset *data);

#endif
