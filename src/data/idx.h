/* idx.h: one IDX file, plain or gzip (the format of MNIST): u8 elements of rank 1 to TN_MAX_RANK. */
#ifndef TN_DATA_IDX_H
#define TN_DATA_IDX_H

#include "tenon/tensor.h"

/* Reads the whole file. *data is the caller's, to be freed with tn_free. */
tn_status tn_idx_read(const char *path, tn_shape *shape, uint8_t **data);

#endif
