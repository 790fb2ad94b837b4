/* window.h: windows that move over pictures: their attributes, over one to three dimensions. */
#ifndef TN_ONNX_WINDOW_H
#define TN_ONNX_WINDOW_H

#include "rule.h"

enum { ONNX_MOST_AXES = 3 };

typedef struct onnx_window {
    int32_t axes; /* of the picture */
    int64_t size[ONNX_MOST_AXES], stride[ONNX_MOST_AXES], dilation[ONNX_MOST_AXES];
    int64_t begin[ONNX_MOST_AXES], end[ONNX_MOST_AXES]; /* padding */
    int64_t out[ONNX_MOST_AXES];                        /* of what is transposed: its size */
} onnx_window;

/* From the node's attributes, for pictures (b, c, ...); `size` of the window as the weight has it, or NULL: by the
 * attribute. Returns 0 if the node has failed. */
int onnx_window_read(onnx_node *n, const tn_tensor *x, const int64_t *size, onnx_window *w);
/* The same as what a pool is given. */
int onnx_pool_read(onnx_node *n, const tn_tensor *x, tn_pool_nd_options *o);

#endif
