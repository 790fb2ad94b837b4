/* other.c: networks on rows of numbers, sets and graphs, and those that play against each other. */
#include "nets.h"

/* How sure a discriminator is that all of x is real, or that none is. */
static tn_tensor *certainty(tn_tensor *x, double real)
{
    return tn_binary_cross_entropy(x, tn_broadcast(tn_number(x, real), tn_shape_of(x)));
}

static tn_tensor *made(net *n)
{
    return linear(tn_relu(linear(in(n, "z"), "g.0", 10)), "g.2", 6);
}

static tn_tensor *judged(tn_tensor *x)
{
    x = tn_leaky_relu(linear(x, "d.0", 12), tn_number(x, 0.2));
    return linear_plain(x, "d.2", 1);
}

/* Goodfellow and others, 2014. */
tn_tensor *gan(net *n)
{
    tn_tensor *fake = made(n);
    n->y = judged(n->phase ? fake : tn_stop_gradient(fake));
    if (n->phase) return certainty(n->y, 1);
    return tn_add(certainty(judged(in(n, "x")), 1), certainty(n->y, 0));
}

/* Arjovsky, Chintala and Bottou, 2017; the weights are clipped after the step, by main.c. */
tn_tensor *wgan(net *n)
{
    tn_tensor *fake = made(n);
    n->y = judged(n->phase ? fake : tn_stop_gradient(fake));
    if (n->phase) return tn_neg(mean(n->y));
    return tn_sub(mean(n->y), mean(judged(in(n, "x"))));
}

/* Gulrajani and others, 2017: the critic's slope between what is real and what is not should be 1. */
tn_tensor *gradient_penalty(net *n)
{
    tn_tensor *fake = made(n), *x = in(n, "x"), *share = in(n, "share"), *grad = NULL;
    n->y = judged(n->phase ? fake : tn_stop_gradient(fake));
    if (n->phase) return tn_neg(mean(n->y));
    tn_tensor *mixed = tn_add(x, tn_mul(share, tn_sub(tn_stop_gradient(fake), x)));
    tn_tensor *score = linear_plain(tn_tanh(linear(mixed, "d.0", 12)), "d.2", 1);
    tn_grad(tn_sum(score, TN_ALL, 0), &mixed, 1, &grad);
    tn_tensor *off = tn_sub(tn_norm(grad, 2, TN_AXES(1), 0), tn_number(x, 1));
    return tn_add(tn_sub(mean(n->y), mean(judged(x))), scaled(mean(tn_square(off)), 10));
}

/* u'' = -u, and what u is at two places: Raissi, Perdikaris and Karniadakis, 2019. */
tn_tensor *physics(net *n)
{
    tn_tensor *x = in(n, "x"), *first = NULL, *second = NULL;
    n->y = linear(tn_tanh(linear(x, "f.0", 8)), "f.2", 1);
    tn_grad(tn_sum(n->y, TN_ALL, 0), &x, 1, &first);
    tn_grad(tn_sum(first, TN_ALL, 0), &x, 1, &second);
    tn_tensor *ends = linear(tn_tanh(linear(in(n, "place"), "f.0", 8)), "f.2", 1);
    return tn_add(mean(tn_square(tn_add(second, n->y))), tn_mean_squared_error(ends, in(n, "value")));
}

static tn_tensor *twin(tn_tensor *x)
{
    x = tn_relu(tn_batch_norm(linear_plain(x, "fc1", 10), "bn", .training = 1));
    return linear_plain(x, "fc2", 4);
}

tn_tensor *siamese(net *n)
{
    tn_tensor *first = twin(in(n, "a"));
    n->y = twin(in(n, "b"));
    return tn_contrastive(first, n->y, in(n, "same"), 1.5);
}

/* Kingma and Welling, 2014. */
tn_tensor *vae(net *n)
{
    tn_tensor *x = in(n, "x"), *h = tn_tanh(linear(x, "enc", 10));
    tn_tensor *middle = linear(h, "mean", 3), *log_var = linear(h, "log_var", 3);
    tn_tensor *z = tn_add(middle, tn_mul(in(n, "noise"), tn_exp(scaled(log_var, 0.5))));
    n->y = linear(tn_tanh(linear(z, "dec", 10)), "out", 12);
    tn_tensor *bits = tn_loss_with("binary_cross_entropy", n->y, x, (tn_loss_options){.reduction = TN_LOSS_SUM});
    tn_tensor *apart = tn_sub(tn_add(tn_square(middle), tn_exp(log_var)), tn_add(log_var, tn_number(x, 1)));
    return scaled(tn_add(bits, scaled(tn_sum(apart, TN_ALL, 0), 0.5)), 1.0 / (double)tn_shape_of(x).dim[0]);
}

/* All experts at once, by a product of one batch with many. */
tn_tensor *experts(net *n)
{
    tn_tensor *x = in(n, "x"), *gate = tn_softmax(linear_plain(x, "gate", 4), -1);
    tn_tensor *h = tn_matmul(tn_unsqueeze(x, 0), param(n, "w1", TN_SHAPE(4, 5, 8)));
    h = tn_matmul(tn_relu(tn_add(h, param(n, "b1", TN_SHAPE(4, 1, 8)))), param(n, "w2", TN_SHAPE(4, 8, 3)));
    n->y = tn_sum(tn_mul(h, tn_unsqueeze(tn_transpose(gate, NULL), 2)), TN_AXES(0), 0);
    tn_tensor *load = tn_sum(tn_square(tn_mean(gate, TN_AXES(0), 0)), TN_ALL, 0);
    return tn_add(tn_cross_entropy(n->y, in(n, "label")), scaled(load, 0.4));
}

tn_tensor *rank5(net *n)
{
    tn_tensor *a = param(n, "a", TN_SHAPE(3, 5, 1, 6)), *b = param(n, "b", TN_SHAPE(2, 1, 5, 4, 1));
    tn_tensor *y = tn_tanh(tn_add(tn_mul(in(n, "x"), a), b));
    y = tn_sub(y, tn_mean(y, TN_AXES(2), 1));
    n->y = tn_sum(tn_mul(tn_square(y), param(n, "c", TN_SHAPE(5, 4, 6))), TN_AXES(1, 3), 0);
    return tn_mean_squared_error(n->y, in(n, "target"));
}

/* Srivastava, Greff and Schmidhuber, 2015. */
tn_tensor *highway(net *n)
{
    tn_tensor *x = in(n, "x");
    for (int i = 0; i < 3; i++) {
        tn_tensor *gate = tn_sigmoid(linear(x, named("gate.%d", i), 6));
        tn_tensor *h = tn_relu(linear(x, named("way.%d", i), 6));
        x = tn_add(x, tn_mul(gate, tn_sub(h, x)));
    }
    n->y = linear(x, "head", 3);
    return tn_cross_entropy(n->y, in(n, "label"));
}

tn_tensor *rbf(net *n)
{
    tn_tensor *x = tn_unsqueeze(in(n, "x"), 1), *centre = param(n, "centre", TN_SHAPE(6, 2));
    tn_tensor *far = tn_sum(tn_square(tn_sub(x, centre)), TN_AXES(-1), 0);
    n->y = linear(tn_exp(tn_neg(tn_mul(tn_exp(param(n, "log_width", TN_SHAPE(6))), far))), "out", 1);
    return tn_mean_squared_error(n->y, in(n, "target"));
}

tn_tensor *tied_autoencoder(net *n)
{
    tn_tensor *x = in(n, "x"), *w = param(n, "weight", TN_SHAPE(4, 10));
    tn_tensor *h = tn_sigmoid(tn_add(tn_matmul_t(x, w, 0, 1), param(n, "inner", TN_SHAPE(4))));
    n->y = tn_add(tn_matmul(h, w), param(n, "outer", TN_SHAPE(10)));
    return tn_mean_squared_error(n->y, x);
}

/* Weighed by uncertainties that are learnt: Kendall, Gal and Cipolla, 2018. */
tn_tensor *multitask(net *n)
{
    tn_tensor *h = tn_relu(linear(in(n, "x"), "trunk", 8)), *s[2];
    n->y = linear(h, "classes", 3);
    tn_tensor *losses[] = {tn_cross_entropy(n->y, in(n, "label")),
                           tn_loss("huber", linear(h, "value", 2), in(n, "target"))};
    tn_split(param(n, "log_var", TN_SHAPE(2)), 0, 2, s);
    tn_tensor *loss = NULL;
    for (int i = 0; i < 2; i++) {
        tn_tensor *own = tn_squeeze(tn_add(tn_mul(tn_exp(tn_neg(s[i])), losses[i]), s[i]), 0);
        loss = loss ? tn_add(loss, own) : own;
    }
    return loss;
}

/* Zaheer and others, 2017. */
tn_tensor *deep_sets(net *n)
{
    tn_tensor *each = tn_relu(linear(in(n, "x"), "phi", 8)), *mask = tn_unsqueeze(in(n, "mask"), 2);
    n->y = linear(tn_relu(linear(tn_sum(tn_mul(each, mask), TN_AXES(1), 0), "rho", 6)), "head", 3);
    return tn_cross_entropy(n->y, in(n, "label"));
}

/* Kipf and Welling, 2017: one graph, several signals on it. */
tn_tensor *graph_convolution(net *n)
{
    tn_tensor *edges = in(n, "edges");
    tn_tensor *h = tn_relu(tn_matmul(edges, linear(in(n, "x"), "conv1", 8)));
    n->y = tn_matmul(edges, linear(h, "conv2", 3));
    return tn_cross_entropy(n->y, in(n, "label"));
}

static tn_tensor *slope(tn_tensor *x)
{
    return linear(tn_tanh(linear(x, "f.0", 8)), "f.2", 2);
}

/* Four steps of Runge and Kutta's method: Chen and others, 2018. */
tn_tensor *neural_ode(net *n)
{
    const double step = 0.25;
    tn_tensor *x = in(n, "x");
    for (int i = 0; i < 4; i++) {
        tn_tensor *a = slope(x), *b = slope(tn_add(x, scaled(a, step / 2)));
        tn_tensor *c = slope(tn_add(x, scaled(b, step / 2))), *d = slope(tn_add(x, scaled(c, step)));
        x = tn_add(x, scaled(tn_add(tn_add(a, d), scaled(tn_add(b, c), 2)), step / 6));
    }
    n->y = x;
    return tn_mean_squared_error(x, in(n, "target"));
}

/* Bishop, 1994: three normal distributions. */
tn_tensor *mixture_density(net *n)
{
    tn_tensor *part[3];
    n->y = linear(tn_tanh(linear(in(n, "x"), "fc1", 8)), "fc2", 9);
    tn_split(n->y, 1, 3, part);
    tn_tensor *off = tn_mul(tn_sub(in(n, "target"), part[1]), tn_exp(tn_neg(part[2])));
    tn_tensor *each = tn_sub(tn_log_softmax(part[0], -1), tn_add(scaled(tn_square(off), 0.5), part[2]));
    return tn_neg(mean(tn_logsumexp(each, TN_AXES(-1), 0)));
}

/* Numbers, a class, and a bag of classes of which 0 is none: Cheng and others, 2016. */
tn_tensor *wide_and_deep(net *n)
{
    tn_tensor *number = in(n, "number"), *bag = in(n, "bag");
    tn_tensor *some = tn_embedding_padded(bag, "bag", 6, 3, 0);
    tn_tensor *parts[] = {number, tn_embedding(in(n, "class"), "class", 5, 4), tn_sum(some, TN_AXES(1), 0)};
    tn_tensor *deep = tn_relu(linear(tn_concat(parts, 3, 1), "deep1", 8));
    n->y = tn_add(linear(deep, "deep2", 1), linear_plain(number, "wide", 1));
    return tn_binary_cross_entropy(n->y, in(n, "target"));
}
