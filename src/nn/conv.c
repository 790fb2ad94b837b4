/* conv.c: the convolution layers, y = x * W + b, and the transposed one. */
#include "shape.h"
#include "given.h"
#include "tenon/nn.h"

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
static const char *mistake(const tn_shape *x, int64_t filters, uint32_t kernel, uint32_t groups)
{
    if (x->rank != 4) return "its input should be (batch, channels, height, width)";
    if (filters < 1 || !kernel) return "it needs at least 1 filter and a kernel";
    if (!x->dim[1] || x->dim[1] % groups || filters % groups)
        return "its groups should divide the channels and the filters";
    return NULL;
}

static tn_tensor *refuse(tn_tensor *x, const char *layer, const char *name, const tn_shape *shape, const char *wrong)
{
    char text[160];
    tn_graph_fail(tn_graph_of(x), TN_ESHAPE, "%s '%s' of %s: %s", layer, name, tn_shape_text(shape, text, sizeof text),
                  wrong);
    return x;
}

static tn_tensor *weight_of(tn_tensor *x, tn_shape shape, const tn_init *init)
{
    return tn_param(tn_graph_of(x), "weight", shape, init ? *init : (tn_init){.kind = TN_INIT_LECUN});
}

/* The layer's result, and the end of its scope. */
static tn_tensor *finish(tn_tensor *y, int has_bias, int64_t filters)
{
    tn_graph *graph = tn_graph_of(y);
    if (has_bias) {
        tn_tensor *bias = tn_param(graph, "bias", TN_SHAPE(filters), (tn_init){.kind = TN_INIT_ZERO});
        y = tn_add(y, tn_reshape(bias, TN_SHAPE(filters, 1, 1)));
    }
    tn_scope_pop(graph);
    return y;
}

tn_tensor *tn_conv2d_layer(tn_tensor *x, const char *name, tn_conv2d_options options)
{
    TN_NAMED(x, name);
    tn_shape shape = tn_shape_of(x);
    if (tn_graph_status(tn_graph_of(x))) return x;
    tn_conv_options conv = {.groups = options.groups ? options.groups : 1};
    const char *wrong = mistake(&shape, options.filters, options.kernel[0], conv.groups);
    uint32_t kernel[2];
    if (!wrong && options.same && (options.pad[0] || options.pad[1])) wrong = "its padding is given and `same` as well";
    if (wrong) return refuse(x, "conv2d", name, &shape, wrong);
    tn_both_sizes(options.kernel, 1, kernel);
    tn_both_sizes(options.stride, 1, conv.stride);
    tn_both_sizes(options.dilation, 1, conv.dilation);
    conv.pad[0] = options.pad[0], conv.pad[1] = options.pad[1];
    if (options.same) pad_same(&shape, kernel, &conv);
    tn_shape size = TN_SHAPE(options.filters, shape.dim[1] / conv.groups, kernel[0], kernel[1]);
    tn_scope_push(tn_graph_of(x), name);
    return finish(tn_convolve2d(x, weight_of(x, size, options.init), conv), !options.no_bias, options.filters);
}

tn_tensor *tn_conv2d_transpose_layer(tn_tensor *x, const char *name, tn_conv2d_transpose_options options)
{
    TN_NAMED(x, name);
    tn_shape shape = tn_shape_of(x);
    if (tn_graph_status(tn_graph_of(x))) return x;
    tn_conv_options conv = {.groups = options.groups ? options.groups : 1};
    const char *wrong = mistake(&shape, options.filters, options.kernel[0], conv.groups);
    uint32_t kernel[2];
    if (wrong) return refuse(x, "conv2d_transpose", name, &shape, wrong);
    tn_both_sizes(options.kernel, 1, kernel);
    tn_both_sizes(options.stride, 1, conv.stride);
    tn_both_sizes(options.dilation, 1, conv.dilation);
    for (int d = 0; d < 2; d++) {
        conv.pad[d] = options.pad[d];
        conv.size[d] = (shape.dim[2 + d] - 1) * conv.stride[d] - 2 * (int64_t)conv.pad[d] +
                       (int64_t)(kernel[d] - 1) * conv.dilation[d] + 1 + options.more[d];
        if (options.more[d] >= conv.stride[d] && options.more[d] >= conv.dilation[d])
            wrong = "what is added at its end should be less than the stride or the dilation";
        else if (conv.size[d] < 1)
            wrong = "nothing is left of its result";
    }
    if (wrong) return refuse(x, "conv2d_transpose", name, &shape, wrong);
    tn_shape size = TN_SHAPE(shape.dim[1], options.filters / conv.groups, kernel[0], kernel[1]);
    tn_scope_push(tn_graph_of(x), name);
    return finish(tn_convolve2d_transposed(x, weight_of(x, size, options.init), conv), !options.no_bias,
                  options.filters);
}
