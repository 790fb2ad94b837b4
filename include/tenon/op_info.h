/* op_info.h: the operators as a list, for help texts and tables. */
#ifndef TENON_OP_INFO_H
#define TENON_OP_INFO_H

#include "tenon/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is known of an operator. */
typedef struct tn_op_entry {
    const char *name;
    const char *kind; /* "leaf", "element-wise", "view", "kernel" or "composite" */
    const char *doc;  /* one line */
    int differentiable;
    int32_t operands;       /* how many; -1: any number from 1 on */
    const char *attributes; /* what else it is told, by the names that a graph's file has, with what each may be:
                               "axis: axis, exclusive: flag", "kind: sum|prod|max"; "" where it is nothing */
    uint64_t spare[3];
} tn_op_entry;

/* Operator number `index`, the rows of unary.def and binary.def included; texts live as long as the library. Returns 0
 * past the last. */
TN_API int tn_op_at(size_t index, tn_op_entry *entry);

/* How a device does an operator's cases, without running them. */
#define TN_SUPPORT_NONE    0 /* the operator has no such form: it does not take that type, or has no gradient */
#define TN_SUPPORT_NO      1 /* it does not: another device has to */
#define TN_SUPPORT_PART    2 /* some of them */
#define TN_SUPPORT_LOWERED 3 /* all, some of them by other operators */
#define TN_SUPPORT_YES     4 /* all */

/* Of operator number `index` on operands of type `dtype`: itself, or (`backward`) its gradient. */
TN_API int tn_op_support(tn_device *device, size_t index, int32_t dtype, int backward);

#ifdef __cplusplus
}
#endif
#endif
