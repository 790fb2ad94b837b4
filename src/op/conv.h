/* conv.h: what the three operators of a convolution share. Each of them is linear in both of its operands, and the
 * gradients of any of them are the other two. */
#ifndef TN_OP_CONV_H
#define TN_OP_CONV_H

#include "check.h"
#include "image.h"

/* Attributes of all three; strides, dilations and groups are at least 1. No padding: they are compared byte by byte. */
typedef struct tn_conv_node {
    uint32_t stride[2], pad[2], dilation[2];
    uint32_t groups;
    uint32_t channels_last; /* images are (b, h, w, c) and (b, p, q, k): by the compiler alone (src/graph/layout.c) */
    int64_t size[2];        /* height and width of the result: of y, of x, of the weight; -1: what the windows give */
} tn_conv_node;

extern const tn_field tn_conv_fields[];

/* Forward, or a gradient. */
static inline int tn_is_convolution(const tn_tensor *x)
{
    return x->op == &tn_op_conv2d || x->op == &tn_op_conv2d_data || x->op == &tn_op_conv2d_weight;
}

extern const tn_field tn_conv_crosses[]; /* at the plugin boundary */

/* The node of some options: zeros become ones where they mean that. */
tn_conv_node tn_conv_node_of(tn_conv_options options);

/* Element types alike and floating, four dimensions each, group counts that divide. */
tn_status tn_conv_require(const char *op, const tn_conv_node *at, const tn_tensor *a, const tn_tensor *b);

/* "conv2d: x (1, 3, 8, 8) and weight (4, 2, 3, 3), 1 groups: ..." */
tn_status tn_conv_misfit(const char *op, const tn_conv_node *at, const tn_tensor *a, const tn_tensor *b,
                         const char *what);

/* The three, by their node. */
tn_tensor *tn_conv_forward(tn_tensor *x, tn_tensor *weight, const tn_conv_node *node, int64_t p, int64_t q);
tn_tensor *tn_conv_data(tn_tensor *dy, tn_tensor *weight, const tn_conv_node *node, int64_t h, int64_t w);
tn_tensor *tn_conv_weight(tn_tensor *x, tn_tensor *dy, const tn_conv_node *node, int64_t r, int64_t s);

/* With channels last, where a device does not take that: channels go to their usual place, and the result's back. Other
 * convolutions stay as they are. */
tn_tensor *tn_conv_lower(tn_tensor *y);

/* Fills in the attributes at the plugin boundary. */
void tn_conv_describe(const tn_tensor *y, tn_operation *operation);

/* Calls `add` for each product of the convolution: elements number ix of x, iw of weight and iy of y. */
typedef void tn_conv_add(void *arg, int64_t ix, int64_t iw, int64_t iy);
void tn_conv_each(const tn_op_desc *desc, const tn_tensor_desc *x, const tn_tensor_desc *weight,
                  const tn_tensor_desc *y, tn_conv_add *add, void *arg);

/* A multiplication and an addition for each pair of an output and a weight that it sees. */
double tn_conv_flops(const tn_tensor_desc *weight, const tn_tensor_desc *y);

#endif
