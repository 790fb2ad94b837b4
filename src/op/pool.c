/* pool.c: what pooling operators share: see pool.h. */
#include "pool.h"

const tn_field tn_pool_fields[] = {TN_FIELD(tn_pool_node, window, FACTOR),
                                   TN_FIELD(tn_pool_node, stride, FACTOR),
                                   TN_FIELD(tn_pool_node, pad, SIZE),
                                   TN_FIELD(tn_pool_node, ceil_mode, FLAG),
                                   TN_FIELD(tn_pool_node, count_pad, FLAG),
                                   TN_FIELD(tn_pool_node, channels_last, FLAG),
                                   TN_FIELD(tn_pool_node, reserved, NOTHING),
                                   TN_FIELD(tn_pool_node, size, SIZE),
                                   {0}};
const tn_field tn_pool_crosses[] = {
    TN_FIELD(tn_pool_attrs, window, FACTOR),      TN_FIELD(tn_pool_attrs, stride, FACTOR),
    TN_FIELD(tn_pool_attrs, pad, SIZE),           TN_FIELD(tn_pool_attrs, count_pad, FLAG),
    TN_FIELD(tn_pool_attrs, channels_last, FLAG), {0}};

tn_tensor *tn_pool(const tn_op_def *op, tn_tensor *x, tn_pool_options options)
{
    tn_shape shape = tn_shape_of(x);
    int by_window = !options.stride[0] && !options.stride[1];
    tn_pool_node node = {.ceil_mode = options.ceil_mode != 0, .count_pad = options.count_pad != 0};
    tn_both_sizes(options.window, 0, node.window);
    tn_both_sizes(by_window ? node.window : options.stride, node.window[0], node.stride);
    for (int d = 0; d < 2; d++) {
        node.pad[d] = options.pad[d];
        node.size[d] = shape.rank == 4 ? shape.dim[2 + d] : 0;
    }
    return tn_node(op, NULL, &x, 1, &node);
}

/* Windows along one dimension. With ceil_mode the last may reach over the end, but begins inside. */
static int64_t windows(const tn_pool_node *node, int d, int64_t x)
{
    int64_t stride = node->stride[d], room = x + 2 * (int64_t)node->pad[d] - node->window[d];
    if (room < 0 && !node->ceil_mode) return -1;
    int64_t count = room < 0 ? 1 : (room + (node->ceil_mode ? stride - 1 : 0)) / stride + 1;
    return count > 1 && (count - 1) * stride >= x + node->pad[d] ? count - 1 : count;
}

tn_status tn_pool_shape(const char *op, const tn_pool_node *node, const tn_tensor *x, int integer, tn_type *out)
{
    char text[160];
    const int h = tn_image_height(node->channels_last);
    TN_TRY(tn_require_type(op, x, integer));
    tn_shape_text(&x->type.shape, text, sizeof text);
    TN_REQUIRE(x->type.shape.rank == 4, TN_ESHAPE, "%s: %s is not (batch, channels, height, width)", op, text);
    *out = x->type;
    for (int d = 0; d < 2; d++) {
        TN_REQUIRE(node->window[d] >= 1 && node->window[d] <= INT32_MAX && node->stride[d] <= INT32_MAX, TN_EINVAL,
                   "%s: a window of %u x %u", op, node->window[0], node->window[1]);
        TN_REQUIRE(node->pad[d] < node->window[d], TN_EINVAL, "%s: padding of %u for a window of %u", op, node->pad[d],
                   node->window[d]);
        out->shape.dim[h + d] = windows(node, d, x->type.shape.dim[h + d]);
        TN_REQUIRE(x->type.shape.dim[h + d] && out->shape.dim[h + d] > 0, TN_ESHAPE,
                   "%s: a window of %u x %u does not fit into %s", op, node->window[0], node->window[1], text);
    }
    return TN_OK;
}

void tn_pool_describe(const tn_tensor *y, tn_operation *o)
{
    const tn_pool_node *node = y->attrs;
    o->attrs.pool = (tn_pool_attrs){
        .size = sizeof o->attrs.pool, .count_pad = node->count_pad, .channels_last = node->channels_last};
    for (int d = 0; d < 2; d++) {
        o->attrs.pool.window[d] = node->window[d];
        o->attrs.pool.stride[d] = node->stride[d];
        o->attrs.pool.pad[d] = node->pad[d];
    }
}

tn_pool_window tn_pool_window_of(const tn_op_desc *desc, const tn_tensor_desc *x, const tn_tensor_desc *y, int64_t e)
{
    const tn_pool_attrs *at = desc->attrs;
    const uint32_t last = at->channels_last;
    const int first = tn_image_height(last);
    const int64_t *size_y = y->dim + first, *size_x = x->dim + first, channels = last ? y->dim[3] : 1;
    const int64_t pixel = e / channels, plane = pixel / (size_y[0] * size_y[1]);
    const int64_t place[2] = {pixel / size_y[1] % size_y[0], pixel % size_y[1]};
    tn_pool_window window = {.count = 1,
                             .base = plane * size_x[0] * size_x[1] * channels + e % channels,
                             .row = size_x[1] * channels,
                             .column = channels};
    for (int d = 0; d < 2; d++) {
        int64_t size = size_x[d], pad = at->pad[d];
        int64_t begin = place[d] * at->stride[d] - pad, end = begin + at->window[d];
        int64_t padded = (end < size + pad ? end : size + pad) - begin;
        window.begin[d] = begin > 0 ? begin : 0;
        window.end[d] = end < size ? end : size;
        if (window.end[d] < window.begin[d]) window.end[d] = window.begin[d];
        window.count *= at->count_pad ? padded : window.end[d] - window.begin[d];
    }
    return window;
}

tn_tensor *tn_pool_lower(tn_tensor *y)
{
    tn_pool_node at = *(const tn_pool_node *)y->attrs;
    tn_tensor *in[2] = {NULL, NULL};
    if (!at.channels_last) return y;
    at.channels_last = 0;
    for (uint32_t i = 0; i < y->n_in; i++) in[i] = tn_image_to_usual(y->in[i]);
    return tn_image_to_last(tn_node(y->op, NULL, in, y->n_in, &at));
}

double tn_pool_flops(const tn_op_desc *desc, const tn_tensor_desc *y)
{
    const tn_pool_attrs *at = desc->attrs;
    return (double)tn_desc_count(y) * at->window[0] * at->window[1];
}
