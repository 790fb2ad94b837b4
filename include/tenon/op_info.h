/* op_info.h: the operators as a list, for help texts and tables. */
#ifndef TENON_OP_INFO_H
#define TENON_OP_INFO_H

#include "tenon/device.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_op_entry {
    const char *name;
    const char *kind; /* "leaf", "element-wise", "view", "kernel" or "composite" */
    const char *doc;  /* one line */
    int differentiable;
} tn_op_entry;

/* Operator number `index`, the rows of unary.def and binary.def included; texts live as long as the library. Returns 0
 * past the last. */
TN_API int tn_op_at(size_t index, tn_op_entry *entry);

/* 1 if the device itself does that operator, on f32 operands of some small shape. */
TN_API int tn_op_supported(tn_device *device, size_t index);

#ifdef __cplusplus
}
#endif
#endif
