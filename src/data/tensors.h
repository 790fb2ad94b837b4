/* tensors.h: arrays out of safetensors files. */
#ifndef TN_DATA_TENSORS_H
#define TN_DATA_TENSORS_H

#include "tenon/data.h"

/* Whether the file begins as a safetensors file does. */
int tn_tensors_is(const char *path);

/* Whether it has a tensor of that name. */
tn_status tn_tensors_has(const char *path, const char *name, int *has);

/* A tensor by its name; NULL is its only one. f64 becomes f32, as it does from NumPy's files. */
tn_status tn_tensors_read(const char *path, const char *name, tn_array *array);

#endif
