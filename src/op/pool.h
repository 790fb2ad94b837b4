/* pool.h: what pooling operators share. */
#ifndef TN_OP_POOL_H
#define TN_OP_POOL_H

#include "check.h"
#include "image.h"

/* Attributes of all of them. No padding: they are compared byte by byte. */
typedef struct tn_pool_node {
    uint32_t window[2], stride[2], pad[2];
    uint32_t ceil_mode, count_pad;
    uint32_t channels_last, reserved;
    int64_t size[2]; /* of the picture that was pooled: for avgpool2d_grad, which does not see it */
} tn_pool_node;

extern const tn_field tn_pool_fields[];
extern const tn_field tn_pool_crosses[]; /* at the plugin boundary */

/* The node of some options, and the pooling of x by it. */
tn_tensor *tn_pool(const tn_op_def *op, tn_tensor *x, tn_pool_options options);

/* The shape rule of a pooling: x (b, c, h, w) -> (b, c, p, q); with `integer`, of i32 too. */
tn_status tn_pool_shape(const char *op, const tn_pool_node *node, const tn_tensor *x, int integer, tn_type *out);

/* With channels last, where a device does not take that: by the usual order. Other poolings stay as they are. */
tn_tensor *tn_pool_lower(tn_tensor *y);

/* Fills in the attributes at the plugin boundary. */
void tn_pool_describe(const tn_tensor *y, tn_operation *operation);

/* The window of output element number e: rows and columns of x from `begin` to before `end`, and how many elements an
 * average divides by; where the number of an element is in x. */
typedef struct tn_pool_window {
    int64_t begin[2], end[2], count;
    int64_t base, row, column; /* of element (0, 0) of that channel, and the distances of rows and columns */
} tn_pool_window;

static inline int64_t tn_pool_at(const tn_pool_window *window, int64_t h, int64_t w)
{
    return window->base + h * window->row + w * window->column;
}

tn_pool_window tn_pool_window_of(const tn_op_desc *desc, const tn_tensor_desc *x, const tn_tensor_desc *y, int64_t e);

/* One operation for each element of each window. */
double tn_pool_flops(const tn_op_desc *desc, const tn_tensor_desc *y);

#endif
