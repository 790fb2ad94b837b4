/* loss_each.c: losses of elements before their reduction. */
#include "loss_each.h"

tn_tensor *tn_each_squared(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    (void)options;
    return tn_square(tn_sub(output, target));
}

tn_tensor *tn_each_absolute(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    (void)options;
    return tn_abs(tn_sub(output, target));
}

tn_tensor *tn_each_squared_log(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    (void)options;
    return tn_square(tn_sub(tn_log1p(output), tn_log1p(target)));
}

tn_tensor *tn_each_percentage(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    (void)options;
    return tn_mul(tn_abs(tn_div(tn_sub(output, target), target)), tn_number(output, 100));
}

/* d^2 / 2 where |d| < delta, else delta (|d| - delta / 2): Huber, 1964. */
tn_tensor *tn_each_huber(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    tn_tensor *error = tn_sub(output, target), *size = tn_abs(error), *half = tn_number(size, 0.5);
    tn_tensor *delta = tn_number(size, options->delta), *beyond = tn_sub(size, tn_number(size, options->delta / 2));
    return tn_where(tn_lt(size, delta), tn_mul(tn_square(error), half), tn_mul(beyond, delta));
}

/* The same divided by delta: Girshick, "Fast R-CNN", 2015. */
tn_tensor *tn_each_smooth_l1(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    return tn_mul(tn_each_huber(output, target, options), tn_number(output, 1 / options->delta));
}

/* log cosh(x) = |x| + log(1 + exp(-2 |x|)) - log 2, which overflows for no x. */
tn_tensor *tn_each_log_cosh(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    (void)options;
    tn_tensor *size = tn_abs(tn_sub(output, target));
    tn_tensor *rest = tn_log1p(tn_exp(tn_mul(size, tn_number(size, -2))));
    return tn_add(size, tn_sub(rest, tn_number(size, 0.69314718055994531)));
}

/* t (log t - x), and 0 where t is. */
tn_tensor *tn_each_divergence(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    (void)options;
    tn_tensor *zero = tn_number(target, 0);
    return tn_where(tn_gt(target, zero), tn_mul(target, tn_sub(tn_log(target), output)), zero);
}

/* Of counts, from the logarithm of their mean. */
tn_tensor *tn_each_poisson(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    (void)options;
    return tn_sub(tn_exp(output), tn_mul(target, output));
}

/* -(w t log s + (1 - t) log(1 - s)), w being 1 without a weight: softplus(x) - t x, or, as log s = -softplus(-x) and
 * log(1 - s) = -x - softplus(-x), (1 - t) x + (1 + (w - 1) t) softplus(-x). */
tn_tensor *tn_each_binary(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    tn_tensor *one = tn_number(output, 1);
    if (!options->positive) return tn_sub(tn_softplus(output), tn_mul(target, output));
    tn_tensor *weight = tn_add(one, tn_mul(tn_sub(options->positive, one), target));
    return tn_add(tn_mul(tn_sub(one, target), output), tn_mul(weight, tn_softplus(tn_neg(output))));
}

/* The same times the probability of being wrong, t (1 - s) + (1 - t) s, to the power gamma. */
tn_tensor *tn_each_binary_focal(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    tn_tensor *yes = tn_sigmoid(output), *no = tn_sigmoid(tn_neg(output)), *one = tn_number(output, 1);
    tn_tensor *wrong = tn_add(tn_mul(target, no), tn_mul(tn_sub(one, target), yes));
    return tn_mul(tn_each_binary(output, target, options), tn_pow(wrong, tn_number(wrong, options->gamma)));
}

/* max(0, margin - y x) where y is -1 or 1 for a target of 0 or 1. */
tn_tensor *tn_each_hinge(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    tn_tensor *side = tn_sub(tn_mul(target, tn_number(target, 2)), tn_number(target, 1));
    return tn_relu(tn_sub(tn_number(output, options->margin), tn_mul(side, output)));
}

tn_tensor *tn_cosine_distance(tn_tensor *a, tn_tensor *b)
{
    tn_axes last = TN_AXES(-1);
    tn_tensor *aa = tn_sum(tn_square(a), last, 0), *bb = tn_sum(tn_square(b), last, 0);
    tn_tensor *norms = tn_sqrt(tn_max(tn_mul(aa, bb), tn_number(aa, 1e-16)));
    return tn_sub(tn_number(aa, 1), tn_div(tn_sum(tn_mul(a, b), last, 0), norms));
}

tn_tensor *tn_each_cosine(tn_tensor *output, tn_tensor *target, const tn_loss_options *options)
{
    (void)options;
    return tn_cosine_distance(output, target);
}
