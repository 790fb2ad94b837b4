/* moments.c: variances, norms and what is divided by them, by other operators. The gradient of a root is 0 where the
 * root is 0: no NaN comes from a row of zeros. */
#include <math.h>

#include "formulas.h"

tn_tensor *tn_root(tn_tensor *x, double power)
{
    tn_tensor *none = tn_number(x, 0), *zero = tn_eq(x, none), *safe = tn_where(zero, tn_number(x, 1), x);
    return tn_where(zero, none, power == 0.5 ? tn_sqrt(safe) : tn_pow(safe, tn_number(x, power)));
}

tn_tensor *tn_variance(tn_tensor *x, tn_axes axes, int64_t correction, int keep)
{
    tn_tensor *sum = tn_sum(tn_square(tn_sub(x, tn_mean(x, axes, 1))), axes, keep);
    tn_shape all = tn_shape_of(x), left = tn_shape_of(sum);
    int64_t groups = tn_shape_count(&left), each = groups ? tn_shape_count(&all) / groups : 1;
    return tn_mul(sum, tn_number(sum, each > correction ? 1.0 / (double)(each - correction) : NAN));
}

tn_tensor *tn_std(tn_tensor *x, tn_axes axes, int64_t correction, int keep)
{
    return tn_root(tn_variance(x, axes, correction, keep), 0.5);
}

tn_tensor *tn_norm(tn_tensor *x, double p, tn_axes axes, int keep)
{
    tn_tensor *size = tn_abs(x);
    if (isnan(p)) tn_node_fail(tn_graph_of(x), TN_EINVAL, "norm: p is no number");
    if (isinf(p)) return p > 0 ? tn_amax(size, axes, keep) : tn_amin(size, axes, keep);
    if (p == 0) return tn_sum(tn_ne(x, tn_number(x, 0)), axes, keep);
    if (p == 1) return tn_sum(size, axes, keep);
    if (p == 2) return tn_root(tn_sum(tn_square(x), axes, keep), 0.5);
    tn_tensor *power = tn_sum(p < 1 ? tn_root(size, p) : tn_pow(size, tn_number(x, p)), axes, keep);
    if (p > 0) return tn_root(power, 1 / p);
    tn_tensor *none = tn_number(x, 0), *has_zero = tn_eq(tn_amin(size, axes, keep), none); /* which makes it 0 */
    return tn_where(has_zero, none, tn_pow(power, tn_number(x, 1 / p)));
}

tn_tensor *tn_l2_normalize(tn_tensor *x, tn_axes axes, double epsilon)
{
    return tn_div(x, tn_max(tn_norm(x, 2, axes, 1), tn_number(x, epsilon)));
}
