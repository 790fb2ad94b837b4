/* window.c: see window.h. */
#include "window.h"

static void read_all(const onnx_node *n, const char *name, int64_t otherwise, int64_t value[], int32_t count)
{
    for (int32_t i = 0; i < count; i++) value[i] = otherwise;
    onnx_ints(n, name, value, count);
}

/* The padding that gives as many places as there are strides in the picture: an odd element at the end or beginning. */
static void pad_same(onnx_window *w, const int64_t in[], int at_end)
{
    for (int32_t i = 0; i < w->axes; i++) {
        int64_t out = (in[i] + w->stride[i] - 1) / w->stride[i];
        int64_t all = (out - 1) * w->stride[i] + w->dilation[i] * (w->size[i] - 1) + 1 - in[i];
        if (all < 0) all = 0;
        w->begin[i] = at_end ? all / 2 : all - all / 2;
        w->end[i] = all - w->begin[i];
    }
}

int onnx_window_read(onnx_node *n, const tn_tensor *x, const int64_t *size, onnx_window *w)
{
    int64_t pads[2 * ONNX_MOST_AXES] = {0};
    tn_shape shape = tn_shape_of(x);
    *w = (onnx_window){.axes = shape.rank - 2};
    if (w->axes < 1 || w->axes > ONNX_MOST_AXES) onnx_cannot(n, "pictures of %d dimensions", w->axes);
    if (n->failed) return 0;
    read_all(n, "kernel_shape", 1, w->size, w->axes);
    for (int32_t i = 0; size && i < w->axes; i++) w->size[i] = size[i];
    read_all(n, "strides", 1, w->stride, w->axes);
    read_all(n, "dilations", 1, w->dilation, w->axes);
    onnx_ints(n, "pads", pads, 2 * w->axes);
    for (int32_t i = 0; i < w->axes; i++) {
        w->begin[i] = pads[i], w->end[i] = pads[w->axes + i];
        if (w->size[i] < 1 || w->stride[i] < 1 || w->dilation[i] < 1 || w->begin[i] < 0 || w->end[i] < 0)
            onnx_cannot(n, "a window of size, stride, dilation or padding that cannot be");
        if (w->size[i] > 4096 || w->stride[i] > 1 << 20 || w->dilation[i] > 1 << 20 || w->begin[i] > 1 << 24 ||
            w->end[i] > 1 << 24)
            onnx_cannot(n, "a window of %lld elements, or far apart", (long long)w->size[i]);
    }
    if (n->failed) return 0;
    int same_upper = onnx_text_is(n, "auto_pad", "NOTSET", "SAME_UPPER");
    if (same_upper || onnx_text_is(n, "auto_pad", "NOTSET", "SAME_LOWER")) pad_same(w, shape.dim + 2, same_upper);
    return 1;
}
