/* formulas.c: functions that are a line or two of other operators. */
#include "along.h"
#include "given.h"

/* At a bound the gradient flows; a NaN stays. */
tn_tensor *tn_clamp(tn_tensor *x, double low, double high)
{
    return tn_min(tn_max(x, tn_number(x, low)), tn_number(x, high));
}

tn_tensor *tn_logistic(tn_tensor *x, double L, double k, double x0)
{
    tn_tensor *z = tn_mul(tn_sub(x, tn_number(x, x0)), tn_number(x, k));
    return tn_mul(tn_sigmoid(z), tn_number(x, L));
}

tn_tensor *tn_celu(tn_tensor *x, double alpha)
{
    if (!(alpha > 0)) tn_node_fail(tn_graph_of(x), TN_EINVAL, "celu: alpha %g is not above 0", alpha);
    return tn_mul(tn_elu(tn_div(x, tn_number(x, alpha)), tn_number(x, 1)), tn_number(x, alpha));
}

static void check_lambda(const char *op, tn_tensor *x, double lambda)
{
    if (!(lambda >= 0)) tn_node_fail(tn_graph_of(x), TN_EINVAL, "%s: lambda %g is not 0 or above", op, lambda);
}

tn_tensor *tn_hard_shrink(tn_tensor *x, double lambda)
{
    check_lambda("hard_shrink", x, lambda);
    return tn_masked_fill(x, tn_le(tn_abs(x), tn_number(x, lambda)), 0);
}

tn_tensor *tn_soft_shrink(tn_tensor *x, double lambda)
{
    check_lambda("soft_shrink", x, lambda);
    return tn_sub(x, tn_clamp(x, -lambda, lambda));
}

tn_tensor *tn_threshold(tn_tensor *x, double threshold, double value)
{
    return tn_masked_fill(x, tn_le(x, tn_number(x, threshold)), value);
}

tn_tensor *tn_glu(tn_tensor *x, int32_t axis)
{
    uint32_t at = 0;
    if (!tn_find_axis("glu", x, axis, &at)) return x;
    int64_t n = x->type.shape.dim[at];
    if (n % 2) tn_node_fail(x->graph, TN_ESHAPE, "glu: %lld elements have no halves", (long long)n);
    return tn_mul(tn_slice(x, axis, 0, n / 2, 1), tn_sigmoid(tn_slice(x, axis, n / 2, n / 2, 1)));
}

tn_tensor *tn_masked_fill(tn_tensor *x, tn_tensor *mask, double value)
{
    TN_OPERANDS(x, mask);
    return tn_where(mask, tn_number(x, value), x);
}

tn_tensor *tn_logical_not(tn_tensor *x)
{
    return tn_eq(x, tn_number(x, 0));
}

tn_tensor *tn_any(tn_tensor *x, tn_axes axes, int keep)
{
    tn_tensor *count = tn_sum(tn_ne(x, tn_number(x, 0)), axes, keep);
    return tn_gt(count, tn_number(count, 0));
}

tn_tensor *tn_all(tn_tensor *x, tn_axes axes, int keep)
{
    return tn_logical_not(tn_sum(tn_logical_not(x), axes, keep));
}

tn_tensor *tn_outer(tn_tensor *a, tn_tensor *b)
{
    return tn_mul(tn_insert_axis("outer", a, -1), b);
}
