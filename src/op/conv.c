/* conv.c: what the three operators of a convolution share: see conv.h. */
#include "conv.h"

#include <stdio.h>

const tn_field tn_conv_fields[] = {TN_FIELD(tn_conv_node, stride, FACTOR),
                                   TN_FIELD(tn_conv_node, pad, SIZE),
                                   TN_FIELD(tn_conv_node, dilation, FACTOR),
                                   TN_FIELD(tn_conv_node, groups, FACTOR),
                                   TN_FIELD(tn_conv_node, channels_last, FLAG),
                                   TN_FIELD(tn_conv_node, size, SIZE),
                                   {0}};
const tn_field tn_conv_crosses[] = {TN_FIELD(tn_conv_attrs, stride, FACTOR),
                                    TN_FIELD(tn_conv_attrs, pad, SIZE),
                                    TN_FIELD(tn_conv_attrs, dilation, FACTOR),
                                    TN_FIELD(tn_conv_attrs, groups, FACTOR),
                                    TN_FIELD(tn_conv_attrs, channels_last, FLAG),
                                    TN_FIELD_NAMED(tn_conv_attrs, epilogue, MAP, "then"),
                                    {0}};

tn_conv_node tn_conv_node_of(tn_conv_options options)
{
    tn_conv_node node = {.groups = options.groups ? options.groups : 1};
    tn_both_sizes(options.stride, 1, node.stride);
    tn_both_sizes(options.dilation, 1, node.dilation);
    for (int d = 0; d < 2; d++) {
        node.pad[d] = options.pad[d];
        node.size[d] = options.size[d] ? options.size[d] : -1;
    }
    return node;
}

tn_status tn_conv_misfit(const char *op, const tn_conv_node *at, const tn_tensor *a, const tn_tensor *b,
                         const char *what)
{
    char ta[160], tb[160];
    return tn_fail(TN_ESHAPE, "%s of %s and %s in %u group(s): %s", op, tn_shape_text(&a->type.shape, ta, sizeof ta),
                   tn_shape_text(&b->type.shape, tb, sizeof tb), at->groups, what);
}

tn_status tn_conv_require(const char *op, const tn_conv_node *at, const tn_tensor *a, const tn_tensor *b)
{
    TN_TRY(tn_require_type(op, a, 0));
    TN_REQUIRE(a->type.dtype == b->type.dtype, TN_EDTYPE, "%s: element types %s and %s differ", op,
               tn_dtype_name(a->type.dtype), tn_dtype_name(b->type.dtype));
    if (a->type.shape.rank != 4 || b->type.shape.rank != 4)
        return tn_conv_misfit(op, at, a, b, "both need four dimensions");
    for (int d = 0; d < 4; d++)
        if (a->type.shape.dim[d] > INT32_MAX || b->type.shape.dim[d] > INT32_MAX)
            return tn_conv_misfit(op, at, a, b, "a dimension is too large");
    for (int d = 0; d < 2; d++)
        TN_REQUIRE(at->stride[d] <= INT32_MAX && at->pad[d] <= INT32_MAX && at->dilation[d] <= INT32_MAX &&
                       at->size[d] >= -1 && at->size[d] <= INT32_MAX,
                   TN_EINVAL, "%s: a stride, padding, dilation or size is too large or negative", op);
    return TN_OK;
}

static tn_tensor *node(const tn_op_def *op, tn_tensor *a, tn_tensor *b, const tn_conv_node *like, int64_t height,
                       int64_t width)
{
    tn_conv_node at = *like;
    at.size[0] = height;
    at.size[1] = width;
    return tn_node(op, NULL, (tn_tensor *[]){a, b}, 2, &at);
}

tn_tensor *tn_conv_forward(tn_tensor *x, tn_tensor *weight, const tn_conv_node *like, int64_t p, int64_t q)
{
    return node(&tn_op_conv2d, x, weight, like, p, q);
}

tn_tensor *tn_conv_data(tn_tensor *dy, tn_tensor *weight, const tn_conv_node *like, int64_t h, int64_t w)
{
    return node(&tn_op_conv2d_data, dy, weight, like, h, w);
}

tn_tensor *tn_conv_weight(tn_tensor *x, tn_tensor *dy, const tn_conv_node *like, int64_t r, int64_t s)
{
    return node(&tn_op_conv2d_weight, x, dy, like, r, s);
}

void tn_conv_describe(const tn_tensor *y, tn_operation *o)
{
    const tn_conv_node *at = y->attrs;
    o->attrs.conv =
        (tn_conv_attrs){.size = sizeof o->attrs.conv, .groups = at->groups, .channels_last = at->channels_last};
    for (int d = 0; d < 2; d++) {
        o->attrs.conv.stride[d] = at->stride[d];
        o->attrs.conv.pad[d] = at->pad[d];
        o->attrs.conv.dilation[d] = at->dilation[d];
    }
}

/* All pairs of one output row and column with the weights of one input channel; `step` from a pixel of x to the next.
 */
static void each_tap(const tn_conv_attrs *at, const int64_t at_y[2], const int64_t size_x[2], int64_t step,
                     const int64_t size_w[2], const int64_t base[3], tn_conv_add *add, void *arg)
{
    for (int64_t r = 0; r < size_w[0]; r++)
        for (int64_t s = 0; s < size_w[1]; s++) {
            int64_t h = at_y[0] * at->stride[0] - at->pad[0] + r * at->dilation[0];
            int64_t w = at_y[1] * at->stride[1] - at->pad[1] + s * at->dilation[1];
            if (h < 0 || h >= size_x[0] || w < 0 || w >= size_x[1]) continue;
            add(arg, base[0] + (h * size_x[1] + w) * step, base[1] + r * size_w[1] + s, base[2]);
        }
}

void tn_conv_each(const tn_op_desc *desc, const tn_tensor_desc *x, const tn_tensor_desc *weight,
                  const tn_tensor_desc *y, tn_conv_add *add, void *arg)
{
    const tn_conv_attrs *at = desc->attrs;
    const int last = at->channels_last != 0, c_at = tn_image_channels((uint32_t)last),
              h_at = tn_image_height((uint32_t)last);
    const int64_t k = y->dim[c_at], p = y->dim[h_at], q = y->dim[h_at + 1], channels = weight->dim[1];
    const int64_t each = k / at->groups, *size = x->dim + h_at, pixels = size[0] * size[1], all = x->dim[c_at];
    for (int64_t e = 0; e < tn_desc_count(y); e++) {
        const int64_t out = last ? e % k : e / (p * q) % k, pixel = last ? e / k : e;
        const int64_t group = each ? out / each : 0, place[2] = {pixel / q % p, pixel % q}, picture = e / (k * p * q);
        for (int64_t c = 0; c < channels; c++) {
            const int64_t from = group * channels + c, begin = picture * all * pixels + from * (last ? 1 : pixels);
            const int64_t base[3] = {begin, (out * channels + c) * weight->dim[2] * weight->dim[3], e};
            each_tap(at, place, size, last ? all : 1, weight->dim + 2, base, add, arg);
        }
    }
}

/* ---- channels last ---- */

tn_tensor *tn_conv_lower(tn_tensor *y)
{
    tn_conv_node at = *(const tn_conv_node *)y->attrs;
    const int is_weight = y->op == &tn_op_conv2d_weight;
    if (!at.channels_last) return y;
    tn_tensor *in[2] = {tn_image_to_usual(y->in[0]), is_weight ? tn_image_to_usual(y->in[1]) : y->in[1]};
    at.channels_last = 0;
    tn_tensor *made = tn_node(y->op, NULL, in, 2, &at);
    return is_weight ? made : tn_image_to_last(made);
}

double tn_conv_flops(const tn_tensor_desc *weight, const tn_tensor_desc *y)
{
    return 2.0 * (double)tn_desc_count(y) * (double)(weight->dim[1] * weight->dim[2] * weight->dim[3]);
}
