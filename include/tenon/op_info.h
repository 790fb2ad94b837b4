/* op_info.h: the operators as a list, for tables and tests. */
#ifndef TENON_OP_INFO_H
#define TENON_OP_INFO_H

#include "tenon/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Operator number `index`; returns 0 past the last. Texts live as long as the library. */
typedef struct tn_op_entry {
    const char *name;
    const char *kind; /* "leaf", "map", "view", "kernel", "composite" */
    const char *doc;
    int differentiable;
} tn_op_entry;
TN_API int tn_op_at(size_t index, tn_op_entry *entry);

/* Whether the device runs operator number `index` by itself, asked with one of its own test cases. */
TN_API int tn_op_supported(tn_device *device, size_t index);

#ifdef __cplusplus
}
#endif
#endif
