/* random.h: random tensors of a given stream. */
#ifndef TN_OP_RANDOM_H
#define TN_OP_RANDOM_H

#include "op.h"

typedef struct tn_random_attrs {
    tn_shape shape;
    uint32_t stream; /* below 2^24 */
    uint32_t reserved;
} tn_random_attrs;

extern const tn_field tn_random_fields[];

/* A node of tn_op_uniform or tn_op_normal; the same stream gives the same numbers. */
tn_tensor *tn_random_of(const tn_op_def *op, tn_graph *graph, tn_shape shape, uint32_t stream);

/* What both have in common. */
tn_status tn_random_shape(tn_tensor *const in[], uint32_t n_in, const void *attrs, tn_type *out);
int32_t tn_random_emit(const tn_tensor *y, tn_map_builder *builder, const int32_t arg[]);

#endif
