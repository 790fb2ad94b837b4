/* quantize.c: numbers as whole ones by a scale and a zero, and back, by other operators. Whole numbers are i32, so that
 * tn_matmul and tn_sub compute with them exactly; a tn_cast keeps those from 0 to 255 as u8. */
#include "along.h"
#include "given.h"

/* A scale or zero to go with x: one number, or one for each place of an axis or block of places along it. */
static tn_tensor *along(const char *op, tn_tensor *scale, tn_tensor *x, int32_t axis)
{
    uint32_t at = 0;
    tn_shape s = tn_shape_of(scale), to = tn_shape_of(x);
    if (tn_shape_count(&s) == 1) return tn_reshape(scale, TN_SCALAR);
    if (!tn_find_axis(op, x, axis, &at)) return scale;
    int64_t n = to.dim[at];
    if (s.rank == 1) {
        for (int32_t d = 0; d < to.rank; d++) to.dim[d] = d == (int32_t)at ? s.dim[0] : 1;
        scale = tn_reshape(scale, to), s = to;
    }
    int64_t parts = s.rank == to.rank ? s.dim[at] : 0;
    if (!parts || n % parts)
        tn_node_fail(x->graph, TN_ESHAPE, "%s: %lld scales or zeros for %lld places of axis %d", op, (long long)parts,
                     (long long)n, axis);
    return parts && parts != n ? tn_repeat(scale, axis, n / parts) : scale;
}

tn_tensor *tn_quantize(tn_tensor *x, tn_tensor *scale, tn_tensor *zero, tn_quantize_options o)
{
    TN_OPERANDS(x, scale);
    if (!(o.low < o.high)) tn_node_fail(tn_graph_of(x), TN_EINVAL, "quantize: from %d to %d", o.low, o.high);
    if (tn_graph_status(tn_graph_of(x))) return x;
    tn_tensor *y = tn_round(tn_div(x, along("quantize", scale, x, o.axis)));
    if (zero) y = tn_add(y, tn_cast(along("quantize", zero, x, o.axis), tn_dtype_of(y)));
    return tn_cast(tn_clamp(y, o.low, o.high), TN_I32);
}

tn_tensor *tn_dequantize(tn_tensor *x, tn_tensor *scale, tn_tensor *zero, int32_t axis)
{
    TN_OPERANDS(x, scale);
    x = tn_cast(x, TN_I32);
    if (zero) x = tn_sub(x, tn_cast(along("dequantize", zero, x, axis), TN_I32));
    return tn_mul(tn_cast(x, tn_dtype_of(scale)), along("dequantize", scale, x, axis));
}

tn_tensor *tn_quantize_range(tn_tensor *x, int32_t low, int32_t high, tn_tensor **zero)
{
    tn_graph *graph = tn_graph_of(x);
    if (!(low < high) || !zero)
        tn_node_fail(graph, TN_EINVAL, "quantize_range: from %d to %d, zero %s NULL", low, high, zero ? "not" : "is");
    if (tn_graph_status(graph)) return x;
    tn_tensor *none = tn_number(x, 0), *least = tn_min(tn_amin(x, TN_ALL, 0), none);
    tn_tensor *range = tn_sub(tn_max(tn_amax(x, TN_ALL, 0), none), least);
    tn_tensor *scale = tn_div(range, tn_number(x, (double)high - low));
    scale = tn_where(tn_eq(range, none), tn_number(x, 1), scale);
    tn_tensor *at = tn_round(tn_sub(tn_number(x, low), tn_div(least, scale)));
    *zero = tn_cast(tn_clamp(at, low, high), TN_I32);
    return scale;
}
