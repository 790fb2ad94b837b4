/* conv.c: the convolution layer, y = x * W + b. */
#include "tenon/nn.h"

#include <stdio.h>

/* Height and width, a missing width being the height, a missing height being `missing`. */
static void both(const uint32_t from[2], uint32_t missing, uint32_t to[2])
{
    to[0] = from[0] ? from[0] : missing;
    to[1] = from[1] ? from[1] : to[0];
}

/* Padding such that y's size is x's divided by the stride, rounded up; an odd rest goes to the end. */
static void pad_same(const tn_shape *x, const uint32_t kernel[2], tn_conv_options *options)
{
    for (int d = 0; d < 2; d++) {
        int64_t stride = options->stride[d], size = x->dim[2 + d], out = (size + stride - 1) / stride;
        int64_t need = (out - 1) * stride + (int64_t)(kernel[d] - 1) * options->dilation[d] + 1 - size;
        options->pad[d] = need > 0 ? (uint32_t)(need / 2) : 0;
        options->size[d] = out;
    }
}

/* The first thing that is wrong, or NULL. */
static const char *mistake(const tn_shape *x, const tn_conv2d_options *options, uint32_t groups)
{
    if (x->rank != 4) return "its input should be (batch, channels, height, width)";
    if (options->filters < 1 || !options->kernel[0]) return "it needs at least 1 filter and a kernel";
    if (!x->dim[1] || x->dim[1] % groups || options->filters % groups)
        return "its groups should divide the channels and the filters";
    if (options->same && (options->pad[0] || options->pad[1])) return "its padding is given and `same` as well";
    return NULL;
}

tn_tensor *tn_conv2d_layer(tn_tensor *x, const char *name, tn_conv2d_options options)
{
    tn_graph *graph = tn_graph_of(x);
    tn_shape shape = tn_shape_of(x);
    if (tn_graph_status(graph)) return x;
    tn_conv_options conv = {.groups = options.groups ? options.groups : 1};
    const char *wrong = mistake(&shape, &options, conv.groups);
    char full[256], text[160];
    uint32_t kernel[2];
    if (wrong) {
        tn_graph_fail(graph, TN_ESHAPE, "conv2d '%s' of %s: %s", name, tn_shape_text(&shape, text, sizeof text), wrong);
        return x;
    }
    both(options.kernel, 1, kernel);
    both(options.stride, 1, conv.stride);
    both(options.dilation, 1, conv.dilation);
    conv.pad[0] = options.pad[0], conv.pad[1] = options.pad[1];
    if (options.same) pad_same(&shape, kernel, &conv);
    tn_init init = options.init ? *options.init : (tn_init){.kind = TN_INIT_LECUN};
    snprintf(full, sizeof full, "%s.weight", name);
    tn_shape size = TN_SHAPE(options.filters, shape.dim[1] / conv.groups, kernel[0], kernel[1]);
    tn_tensor *y = tn_conv2d_with(x, tn_param(graph, full, size, init), conv);
    if (options.no_bias) return y;
    snprintf(full, sizeof full, "%s.bias", name);
    tn_tensor *bias = tn_param(graph, full, TN_SHAPE(options.filters), (tn_init){.kind = TN_INIT_ZERO});
    return tn_add(y, tn_reshape(bias, TN_SHAPE(options.filters, 1, 1)));
}
