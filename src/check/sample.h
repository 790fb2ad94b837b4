/* sample.h: a few operations of each sort, for cases that are not about one operator. */
#ifndef TN_CHECK_SAMPLE_H
#define TN_CHECK_SAMPLE_H

#include "kit.h"

/* An operation with random operands. Its memory is freed by tn_kit_sample_free. */
typedef struct tn_kit_sample {
    tn_operation operation;
    tn_kit_job job;
    int number; /* which one it is */
    tn_scalar scalar[2];
    tn_map_instr instr[2];
    tn_map_attrs map;
    int32_t out;
} tn_kit_sample;

enum {
    TN_KIT_SAMPLES = 4,
    TN_KIT_LONG = 4, /* four more: long sums, for which most backends want scratch memory, */
    TN_KIT_TOTAL,    /* a sum of a million numbers, */
    TN_KIT_SCATTER,  /* sums of rows by their numbers, */
    TN_KIT_WEIGHT,   /* and the gradient of a convolution's weight */
    TN_KIT_ALL,
};
int tn_kit_sample_make(tn_kit *kit, int number, tn_kit_sample *sample);
void tn_kit_sample_free(tn_kit_sample *sample);

/* Everything from init to the sample's result, up to the first failure; what was made is let go of. Returns the first
 * status. */
enum {
    TN_KIT_NOW,    /* the structs as they are */
    TN_KIT_OLD,    /* those of version 1.0, with something else behind */
    TN_KIT_LATER,  /* those of a later version, with something in the fields that the backend does not know */
    TN_KIT_ZEROED, /* those of a later version that asks nothing new of the operation */
};
int32_t tn_kit_sample_live(tn_kit *kit, const tn_kit_sample *sample, int version);

/* y = x + s over `count` numbers of f32, s a run-time scalar, prepared; NULL where that is refused. */
tn_kernel *tn_kit_add(tn_kit *kit, int64_t count, tn_kernel_info *info);

/* y = x + x of `count` whole numbers, prepared; NULL where that is refused. The buffers begin with the operands. */
tn_kernel *tn_kit_twice(tn_kit *kit, int64_t count, tn_kernel_info *info);
int32_t tn_kit_run_twice(tn_kit *kit, tn_queue *queue, tn_kernel *kernel, tn_buffer *to, tn_buffer *from,
                         tn_buffer *scratch);

/* A dense f32 descriptor. */
tn_tensor_desc tn_kit_dense(int32_t rank, int64_t a, int64_t b, int64_t c);

#endif
