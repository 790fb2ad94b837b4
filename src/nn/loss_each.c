/* loss_each.c: losses before their reduction. */
#include "loss_each.h"

tn_tensor *tn_each_squared(tn_tensor *output, tn_tensor *target)
{
    return tn_square(tn_sub(output, target));
}

tn_tensor *tn_each_absolute(tn_tensor *output, tn_tensor *target)
{
    return tn_abs(tn_sub(output, target));
}

tn_tensor *tn_each_squared_log(tn_tensor *output, tn_tensor *target)
{
    return tn_square(tn_sub(tn_log1p(output), tn_log1p(target)));
}

tn_tensor *tn_each_percentage(tn_tensor *output, tn_tensor *target)
{
    return tn_mul(tn_abs(tn_div(tn_sub(output, target), target)), tn_number(output, 100));
}

/* d^2 / 2 where |d| < 1, else |d| - 1/2: Huber, 1964. */
tn_tensor *tn_each_huber(tn_tensor *output, tn_tensor *target)
{
    tn_tensor *error = tn_sub(output, target), *size = tn_abs(error), *half = tn_number(size, 0.5);
    return tn_where(tn_lt(size, tn_number(size, 1)), tn_mul(tn_square(error), half), tn_sub(size, half));
}

/* log cosh(x) = |x| + log(1 + exp(-2 |x|)) - log 2, which overflows for no x. */
tn_tensor *tn_each_log_cosh(tn_tensor *output, tn_tensor *target)
{
    tn_tensor *size = tn_abs(tn_sub(output, target));
    tn_tensor *rest = tn_log1p(tn_exp(tn_mul(size, tn_number(size, -2))));
    return tn_add(size, tn_sub(rest, tn_number(size, 0.69314718055994531)));
}

/* t (log t - x), and 0 where t is. */
tn_tensor *tn_each_divergence(tn_tensor *output, tn_tensor *target)
{
    tn_tensor *zero = tn_number(target, 0);
    return tn_where(tn_gt(target, zero), tn_mul(target, tn_sub(tn_log(target), output)), zero);
}

/* -(t log s + (1 - t) log(1 - s)) is softplus(x) - t x. */
tn_tensor *tn_each_binary(tn_tensor *output, tn_tensor *target)
{
    return tn_sub(tn_softplus(output), tn_mul(target, output));
}

tn_tensor *tn_each_cosine(tn_tensor *output, tn_tensor *target)
{
    tn_axes last = TN_AXES(-1);
    tn_tensor *a = tn_sum(tn_square(output), last, 0), *b = tn_sum(tn_square(target), last, 0);
    tn_tensor *norms = tn_sqrt(tn_max(tn_mul(a, b), tn_number(a, 1e-16)));
    return tn_sub(tn_number(a, 1), tn_div(tn_sum(tn_mul(output, target), last, 0), norms));
}

tn_tensor *tn_each_likelihood(tn_tensor *logs, tn_tensor *label, tn_tensor *weight, double smoothing, tn_tensor **share)
{
    double classes = (double)tn_shape_of(logs).dim[1];
    tn_tensor *each = tn_neg(tn_pick(logs, label));
    *share = weight ? tn_gather(weight, label) : NULL;
    if (weight) each = tn_mul(each, *share);
    if (smoothing == 0) return each;
    tn_tensor *all = tn_neg(tn_sum(weight ? tn_mul(logs, weight) : logs, TN_AXES(1), 0));
    return tn_add(tn_mul(each, tn_number(each, 1 - smoothing)), tn_mul(all, tn_number(all, smoothing / classes)));
}
