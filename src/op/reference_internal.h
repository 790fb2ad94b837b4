/* reference_internal.h: what the files of the reference backend share. */
#ifndef TN_OP_REFERENCE_INTERNAL_H
#define TN_OP_REFERENCE_INTERNAL_H

#include "alloc.h"
#include "op.h"
#include "reference.h"

#define TN_REFERENCE_ALIGNMENT 64

struct tn_buffer {
    uint64_t bytes;
    unsigned char *data;
};

struct tn_queue {
    tn_status status; /* the first error */
    char message[256];
    tn_queue_stats stats;
};

/* The caller's message gets this thread's; returns the status. */
int32_t tn_reference_answer(tn_status status, tn_msg *msg);

/* The range in memory, or NULL with a message if it is not inside the buffer. */
unsigned char *tn_reference_range(tn_ref ref, uint64_t bytes);

/* ---- reference_convert.c ---- */

/* All elements of an operand as doubles, dense over its dimensions; and back: rounded to nearest, integers wrapped. */
void tn_reference_load(double *to, const void *from, const tn_tensor_desc *desc);
void tn_reference_store(void *to, const double *from, const tn_tensor_desc *desc);

/* Bytes from the first element to past the last. */
uint64_t tn_reference_extent(const tn_tensor_desc *desc);

/* ---- reference_run.c ---- */

int32_t tn_reference_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                             tn_msg *msg);
void tn_reference_release(tn_kernel *kernel);
tn_status tn_reference_run(tn_kernel *kernel, const tn_run *run);

#endif
