/* conv1d.c: convolution and pooling along one dimension: those of pictures of height 1. */
#include "given.h"
#include "tenon/nn.h"

/* (batch, channels, length) as pictures of height 1, or x with the graph failed. */
static tn_tensor *flat_picture(tn_tensor *x, const char *what)
{
    tn_shape s = tn_shape_of(x);
    char text[160];
    if (tn_graph_status(tn_graph_of(x))) return x;
    if (s.rank == 3) return tn_reshape(x, TN_SHAPE(s.dim[0], s.dim[1], 1, s.dim[2]));
    tn_graph_fail(tn_graph_of(x), TN_ESHAPE, "%s: its input %s should be (batch, channels, length)", what,
                  tn_shape_text(&s, text, sizeof text));
    return x;
}

static tn_tensor *line(tn_tensor *y)
{
    tn_shape s = tn_shape_of(y);
    return tn_graph_status(tn_graph_of(y)) ? y : tn_reshape(y, TN_SHAPE(s.dim[0], s.dim[1], s.dim[3]));
}

/* ---- convolution ---- */

/* "weight" (out, in, kernel), whose picture has height 1. */
static tn_tensor *weight_of(tn_tensor *x, tn_shape shape, const tn_init *init)
{
    tn_tensor *weight = tn_param(tn_graph_of(x), "weight", shape, init ? *init : (tn_init){.kind = TN_INIT_LECUN});
    return tn_reshape(weight, TN_SHAPE(shape.dim[0], shape.dim[1], 1, shape.dim[2]));
}

/* The layer's result, and the end of its scope. */
static tn_tensor *finish(tn_tensor *y, int has_bias, int64_t filters)
{
    tn_graph *graph = tn_graph_of(y);
    if (has_bias) {
        tn_tensor *bias = tn_param(graph, "bias", TN_SHAPE(filters), (tn_init){.kind = TN_INIT_ZERO});
        y = tn_add(y, tn_reshape(bias, TN_SHAPE(filters, 1, 1)));
    }
    y = line(y);
    tn_scope_pop(graph);
    return y;
}

/* 1 if channels, filters and groups fit; else the graph has failed. */
static int fits(tn_tensor *x, const char *layer, const char *name, const tn_conv1d_options *o, int64_t groups)
{
    if (tn_graph_status(tn_graph_of(x))) return 0;
    int64_t channels = tn_shape_of(x).dim[1];
    if (o->filters > 0 && o->kernel && channels && channels % groups == 0 && o->filters % groups == 0) return 1;
    tn_graph_fail(tn_graph_of(x), TN_ESHAPE,
                  "%s '%s': %lld channels, %lld filters, a kernel of %u, %lld groups; it needs at least 1 of each, and "
                  "groups that divide the channels and the filters",
                  layer, name, (long long)channels, (long long)o->filters, o->kernel, (long long)groups);
    return 0;
}

/* Stride, dilation and padding of a row; `same` as in two dimensions. */
static tn_conv_options row_options(const tn_conv1d_options *o, int64_t length)
{
    tn_conv_options conv = {.stride = {1, o->stride ? o->stride : 1},
                            .dilation = {1, o->dilation ? o->dilation : 1},
                            .pad = {0, o->pad},
                            .groups = o->groups ? o->groups : 1};
    if (!o->same) return conv;
    int64_t out = (length + conv.stride[1] - 1) / conv.stride[1];
    int64_t need = (out - 1) * conv.stride[1] + (int64_t)(o->kernel - 1) * conv.dilation[1] + 1 - length;
    conv.pad[1] = need > 0 ? (uint32_t)(need / 2) : 0;
    conv.size[0] = 1;
    conv.size[1] = out;
    return conv;
}

tn_tensor *tn_conv1d_layer(tn_tensor *x, const char *name, tn_conv1d_options o)
{
    TN_NAMED(x, name);
    x = flat_picture(x, name);
    int64_t groups = o.groups ? o.groups : 1;
    if (o.same && o.pad)
        tn_graph_fail(tn_graph_of(x), TN_EINVAL, "conv1d '%s': its padding is given and `same` as well", name);
    if (!fits(x, "conv1d", name, &o, groups)) return x;
    tn_shape s = tn_shape_of(x);
    tn_scope_push(tn_graph_of(x), name);
    tn_tensor *weight = weight_of(x, TN_SHAPE(o.filters, s.dim[1] / groups, o.kernel), o.init);
    return finish(tn_convolve2d(x, weight, row_options(&o, s.dim[3])), !o.no_bias, o.filters);
}

tn_tensor *tn_conv1d_transpose_layer(tn_tensor *x, const char *name, tn_conv1d_options o)
{
    TN_NAMED(x, name);
    x = flat_picture(x, name);
    int64_t groups = o.groups ? o.groups : 1;
    if (o.same) tn_graph_fail(tn_graph_of(x), TN_EINVAL, "conv1d_transpose '%s' has no `same`", name);
    if (!fits(x, "conv1d_transpose", name, &o, groups)) return x;
    tn_shape s = tn_shape_of(x);
    tn_conv_options conv = row_options(&o, s.dim[3]);
    conv.size[0] = 1;
    conv.size[1] =
        (s.dim[3] - 1) * conv.stride[1] - 2 * (int64_t)o.pad + (int64_t)(o.kernel - 1) * conv.dilation[1] + 1 + o.more;
    if (conv.size[1] < 1 || (o.more >= conv.stride[1] && o.more >= conv.dilation[1])) {
        tn_graph_fail(tn_graph_of(x), TN_ESHAPE,
                      "conv1d_transpose '%s': %lld places, of which %u are added at the end; there should be at least "
                      "1, and less added than the stride or the dilation",
                      name, (long long)conv.size[1], o.more);
        return x;
    }
    tn_scope_push(tn_graph_of(x), name);
    tn_tensor *weight = weight_of(x, TN_SHAPE(s.dim[1], o.filters / groups, o.kernel), o.init);
    return finish(tn_convolve2d_transposed(x, weight, conv), !o.no_bias, o.filters);
}

/* ---- pooling ---- */

static tn_pool_options row_window(const tn_pool1d_options *o)
{
    return (tn_pool_options){.window = {1, o->window},
                             .stride = {1, o->stride ? o->stride : o->window},
                             .pad = {0, o->pad},
                             .ceil_mode = o->ceil_mode,
                             .count_pad = o->count_pad};
}

tn_tensor *tn_maxpool1d_with(tn_tensor *x, tn_pool1d_options options)
{
    return line(tn_maxpool2d_with(flat_picture(x, "maxpool1d"), row_window(&options)));
}

tn_tensor *tn_avgpool1d_with(tn_tensor *x, tn_pool1d_options options)
{
    return line(tn_avgpool2d_with(flat_picture(x, "avgpool1d"), row_window(&options)));
}

tn_tensor *tn_adaptive_avgpool1d(tn_tensor *x, int64_t length)
{
    return line(tn_adaptive_avgpool2d(flat_picture(x, "adaptive_avgpool1d"), 1, length));
}
