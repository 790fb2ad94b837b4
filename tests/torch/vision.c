/* vision.c: networks on pictures. */
#include "nets.h"

static tn_tensor *conv(tn_tensor *x, const char *name, int64_t filters, uint32_t kernel)
{
    return tn_conv2d(x, name, .filters = filters, .kernel = {kernel}, .same = 1);
}

/* Convolution NAME.0 and batch normalisation NAME.1. */
static tn_tensor *normed(tn_tensor *x, const char *name, int64_t filters, uint32_t kernel, uint32_t stride,
                         uint32_t groups)
{
    uint32_t pad = kernel / 2;
    x = tn_conv2d(x, named("%s.0", name), .filters = filters, .kernel = {kernel}, .stride = {stride}, .pad = {pad, pad},
                  .groups = groups, .no_bias = 1);
    return tn_batch_norm(x, named("%s.1", name), .training = 1);
}

static tn_tensor *classified(net *n, tn_tensor *x)
{
    n->y = linear(tn_global_avgpool2d(x), "head", 3);
    return tn_cross_entropy(n->y, in(n, "label"));
}

tn_tensor *unet(net *n)
{
    tn_tensor *a = tn_relu(conv(in(n, "x"), "down1", 4, 3));
    tn_tensor *b = tn_relu(conv(tn_maxpool2d(a, .window = {2}), "down2", 8, 3));
    tn_tensor *up = tn_conv2d_transpose(b, "up", .filters = 4, .kernel = {2}, .stride = {2});
    tn_tensor *both = tn_concat((tn_tensor *[]){up, a}, 2, 1);
    n->y = conv(tn_relu(conv(both, "mix", 4, 3)), "out", 1, 1);
    return tn_binary_cross_entropy(n->y, in(n, "target"));
}

tn_tensor *bottleneck(net *n)
{
    tn_tensor *x = in(n, "x"), *short_cut = normed(x, "shortcut", 12, 1, 2, 1);
    tn_tensor *y = tn_relu(normed(x, "reduce", 3, 1, 1, 1));
    y = tn_relu(normed(y, "middle", 3, 3, 2, 1));
    return classified(n, tn_relu(tn_add(normed(y, "expand", 12, 1, 1, 1), short_cut)));
}

tn_tensor *mobilenet(net *n)
{
    tn_tensor *x = in(n, "x");
    tn_tensor *y = tn_relu6(normed(x, "expand", 12, 1, 1, 1));
    y = tn_relu6(normed(y, "depthwise", 12, 3, 1, 12));
    return classified(n, tn_add(normed(y, "project", 4, 1, 1, 1), x));
}

tn_tensor *squeeze_excite(net *n)
{
    tn_tensor *x = tn_relu(conv(in(n, "x"), "conv", 8, 3));
    tn_tensor *scale = tn_sigmoid(linear(tn_relu(linear(tn_global_avgpool2d(x), "squeeze", 2)), "excite", 8));
    return classified(n, tn_mul(x, tn_reshape(scale, TN_SHAPE(-1, 8, 1, 1))));
}

/* Patches of 4 x 4 as a sequence of `width` numbers each. */
static tn_tensor *patches(tn_tensor *x, int64_t width)
{
    x = tn_conv2d(x, "patch", .filters = width, .kernel = {4}, .stride = {4});
    tn_shape s = tn_shape_of(x);
    return tn_swap_axes(tn_reshape(x, TN_SHAPE(s.dim[0], width, -1)), 1, 2);
}

tn_tensor *vit(net *n)
{
    tn_tensor *x = patches(in(n, "x"), 12), *first = param(n, "first", TN_SHAPE(1, 1, 12));
    first = tn_broadcast(first, TN_SHAPE(tn_shape_of(x).dim[0], 1, 12));
    x = tn_concat((tn_tensor *[]){first, x}, 2, 1);
    x = tn_add(x, param(n, "position", TN_SHAPE(1, tn_shape_of(x).dim[1], 12)));
    for (int i = 0; i < 2; i++) x = tn_transformer(x, named("layers.%d", i), .heads = 3, .hidden = 24);
    x = tn_layer_norm(x, "norm");
    n->y = linear(tn_squeeze(tn_slice(x, 1, 0, 1, 1), 1), "head", 3);
    return tn_cross_entropy(n->y, in(n, "label"));
}

static tn_tensor *mlp(tn_tensor *x, const char *name, int64_t hidden, int64_t units)
{
    return linear(tn_gelu(linear(x, named("%s.0", name), hidden)), named("%s.2", name), units);
}

tn_tensor *mixer(net *n)
{
    tn_tensor *x = patches(in(n, "x"), 6);
    tn_tensor *across = tn_swap_axes(tn_layer_norm(x, "norm1", .epsilon = 1e-3), 1, 2);
    x = tn_add(x, tn_swap_axes(mlp(across, "tokens", 5, 4), 1, 2));
    x = tn_add(x, mlp(tn_layer_norm(x, "norm2", .epsilon = 1e-3), "channels", 9, 6));
    n->y = linear(tn_mean(x, TN_AXES(1), 0), "head", 3);
    return tn_cross_entropy(n->y, in(n, "label"));
}

/* Where objects are, and, where one is, its box. */
tn_tensor *focal_head(net *n)
{
    tn_tensor *x = tn_relu(conv(in(n, "x"), "body", 6, 3)), *object = in(n, "object");
    tn_tensor *box = conv(x, "box", 4, 3);
    n->y = conv(x, "objectness", 1, 3);
    tn_tensor *off = tn_loss_with("smooth_l1", box, in(n, "box"), (tn_loss_options){.reduction = TN_LOSS_NONE});
    tn_tensor *boxes = tn_div(tn_sum(tn_mul(off, object), TN_ALL, 0), tn_sum(object, TN_ALL, 0));
    return tn_add(tn_loss("binary_focal", n->y, object), boxes);
}

tn_tensor *film(net *n)
{
    tn_tensor *x = tn_group_norm(conv(in(n, "x"), "conv", 6, 3), "norm", 3, .epsilon = 1e-2), *part[2];
    tn_split(tn_reshape(linear(in(n, "condition"), "film", 12), TN_SHAPE(-1, 12, 1, 1)), 1, 2, part);
    x = tn_silu(tn_add(tn_mul(x, part[0]), part[1]));
    n->y = linear(tn_global_avgpool2d(x), "head", 2);
    return tn_mean_squared_error(n->y, in(n, "target"));
}

/* x |x| / (1 + |x|^2) over the last dimension but one. */
static tn_tensor *squash(tn_tensor *x)
{
    tn_tensor *square = tn_sum(tn_square(x), TN_AXES(-2), 1), *one = tn_number(x, 1);
    return tn_mul(x, tn_div(tn_sqrt(tn_add(square, tn_number(x, 1e-8))), tn_add(one, square)));
}

/* Sabour, Frosst and Hinton, 2017: 6 capsules of 5 numbers vote for 3 of 4, in three rounds. */
tn_tensor *capsules(net *n)
{
    tn_tensor *u = tn_reshape(in(n, "x"), TN_SHAPE(-1, 6, 1, 5, 1)), *v = NULL, *agree = NULL;
    tn_tensor *votes = tn_matmul(param(n, "weight", TN_SHAPE(1, 6, 3, 4, 5)), u);
    for (int i = 0; i < 3; i++) {
        tn_tensor *share = agree ? tn_softmax(agree, 2) : tn_number(votes, 1.0 / 3);
        v = squash(tn_sum(tn_mul(share, votes), TN_AXES(1), 1));
        tn_tensor *now = tn_sum(tn_mul(votes, v), TN_AXES(3), 1);
        agree = agree ? tn_add(agree, now) : now;
    }
    n->y = tn_reshape(tn_norm(v, 2, TN_AXES(3), 0), TN_SHAPE(-1, 3));
    tn_tensor *is = tn_one_hot(in(n, "label"), 3), *one = tn_number(is, 1), *tenth = tn_number(is, 0.1);
    tn_tensor *lack = tn_square(tn_relu(tn_sub(tn_number(is, 0.9), n->y)));
    tn_tensor *excess = scaled(tn_square(tn_relu(tn_sub(n->y, tenth))), 0.5);
    return mean(tn_add(tn_mul(is, lack), tn_mul(tn_sub(one, is), excess)));
}

static tn_tensor *embedded(tn_tensor *x)
{
    x = tn_avgpool2d(tn_relu(conv(x, "conv", 4, 3)), .window = {3}, .stride = {2}, .pad = {1, 1});
    return tn_l2_normalize(linear(tn_flatten(x), "fc", 4), TN_AXES(-1), 1e-12);
}

tn_tensor *triplet(net *n)
{
    n->y = embedded(in(n, "anchor"));
    return tn_triplet_margin(n->y, embedded(in(n, "positive")), embedded(in(n, "negative")), 0.5);
}

static tn_tensor *drawn(tn_tensor *z)
{
    z = tn_reshape(linear_plain(z, "g.fc", 32), TN_SHAPE(-1, 8, 2, 2));
    z = tn_relu(tn_batch_norm(z, "g.bn", .training = 1));
    z = tn_conv2d_transpose(z, "g.up1", .filters = 4, .kernel = {4}, .stride = {2}, .pad = {1, 1});
    return tn_tanh(tn_conv2d_transpose(tn_relu(z), "g.up2", .filters = 1, .kernel = {4}, .stride = {2}, .pad = {1, 1}));
}

static tn_tensor *judged(tn_tensor *x)
{
    tn_tensor *slope = tn_number(x, 0.2);
    x = tn_leaky_relu(tn_conv2d(x, "d.conv1", .filters = 4, .kernel = {4}, .stride = {2}, .pad = {1, 1}), slope);
    x = tn_conv2d(x, "d.conv2", .filters = 8, .kernel = {4}, .stride = {2}, .pad = {1, 1}, .no_bias = 1);
    return linear(tn_flatten(tn_leaky_relu(tn_batch_norm(x, "d.bn", .training = 1), slope)), "d.fc", 1);
}

/* Radford, Metz and Chintala, 2016. The discriminator's normalisation is used twice: by what is real and what is not.
 */
tn_tensor *dcgan(net *n)
{
    tn_tensor *fake = drawn(in(n, "z"));
    if (n->phase) {
        n->y = judged(fake);
        return tn_binary_cross_entropy(n->y, tn_add(scaled(n->y, 0), tn_number(fake, 1)));
    }
    tn_tensor *real = judged(in(n, "x"));
    n->y = judged(tn_stop_gradient(fake));
    tn_tensor *one = tn_broadcast(tn_number(fake, 1), tn_shape_of(real));
    return tn_add(tn_binary_cross_entropy(real, one), tn_binary_cross_entropy(n->y, tn_sub(one, one)));
}
