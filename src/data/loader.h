/* loader.h: samples wherever they are, in memory or with a loader. */
#ifndef TN_DATA_LOADER_H
#define TN_DATA_LOADER_H

#include "tenon/data.h"

/* One more that has it; NULL is fine. Returns it. */
tn_loader *tn_loader_hold(tn_loader *loader);

/* What its source has; TN_OK, or as tn_source says. */
tn_status tn_loader_fill(const tn_loader *loader, int64_t index, void *x, void *target, tn_msg *msg);

/* The sample's name by its source; NULL: it has none. */
const char *tn_loader_name(const tn_loader *loader, int64_t index);

/* Bytes of a sample, and of what belongs to it: 0 if nothing does. */
uint64_t tn_sample_bytes(const tn_dataset *data);
uint64_t tn_target_bytes(const tn_dataset *data);

/* What belongs to a sample: TN_I32, a label; TN_F32, targets; or 0. */
int32_t tn_target_dtype(const tn_dataset *data);

/* Labels of a sample, where it has such: 1 or more. */
int64_t tn_labels(const tn_dataset *data);

#endif
