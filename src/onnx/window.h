/* window.h: windows that move over pictures: their attributes, over one to three dimensions. */
#ifndef TN_ONNX_WINDOW_H
#define TN_ONNX_WINDOW_H

#include "rule.h"

enum { ONNX_MOST_AXES = 3 };

typedef struct onnx_window {
    int32_t axes; /* of the picture */
    int64_t size[ONNX_MOST_AXES], stride[ONNX_MOST_AXES], dilation[ONNX_MOST_AXES];
    int64_t begin[ONNX_MOST_AXES], end[ONNX_MOST_AXES]; /* padding */
    int64_t out[ONNX_MOST_AXES];                        /* places of the window */
} onnx_window;

/* From the node's attributes, for pictures (b, c, ...); `size` of the window as the weight has it, or NULL: by the
 * attribute. Returns 0 if the node has failed. */
int onnx_window_read(onnx_node *n, const tn_tensor *x, const int64_t *size, onnx_window *w);

/* x reduced over the windows, axis after axis: `function` of what lies in them, `none` beyond the picture. */
tn_tensor *onnx_window_reduce(tn_tensor *x, const onnx_window *w, tn_tensor *(*function)(tn_tensor *a, tn_tensor *b),
                              double none);

#endif
