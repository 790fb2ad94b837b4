/* series.c: along an axis or over channels: running products, normalisation by neighbouring channels, reversed parts,
 * windows and Fourier transforms of signals; determinants; by other operators. */
#include <math.h>

#include "along.h"
#include "given.h"

static tn_tensor *times(tn_tensor *x, double number)
{
    return tn_mul(x, tn_number(x, number));
}

/* Element i times all up to it, in steps that double: after step s it has the product of the last s elements. */
tn_tensor *tn_cumprod(tn_tensor *x, int32_t axis, int reverse, int exclusive)
{
    uint32_t at = 0;
    if (!tn_find_axis("cumprod", x, axis, &at)) return x;
    int64_t n = x->type.shape.dim[at];
    if (!n) return x;
    if (reverse) return tn_flip(tn_cumprod(tn_flip(x, axis), axis, 0, exclusive), axis);
    if (exclusive) x = tn_pad_value(tn_slice(x, axis, 0, n - 1, 1), axis, 1, 0, 1);
    for (int64_t s = 1; s < n; s *= 2) x = tn_mul(x, tn_pad_value(tn_slice(x, axis, 0, n - s, 1), axis, s, 0, 1));
    return x;
}

tn_tensor *tn_local_response_norm(tn_tensor *x, tn_response_options o)
{
    tn_shape s = tn_shape_of(x);
    int64_t window = 1 + (int64_t)o.before + o.after;
    if (s.rank < 2 || window > INT32_MAX)
        tn_node_fail(tn_graph_of(x), TN_ESHAPE, "local_response_norm: rank %d, %u channels before and %u after", s.rank,
                     o.before, o.after);
    if (tn_graph_status(tn_graph_of(x))) return x;
    tn_tensor *square = tn_pad(tn_square(x), 1, o.before, o.after);
    int64_t rows = s.dim[0] * s.dim[1], each = rows ? tn_shape_count(&s) / rows : 0;
    square = tn_reshape(square, TN_SHAPE(s.dim[0], 1, s.dim[1] + window - 1, each));
    tn_tensor *mean = tn_avgpool2d(square, .window = {(uint32_t)window, 1}, .stride = {1, 1});
    mean = tn_reshape(times(mean, o.alpha), s);
    return tn_div(x, tn_pow(tn_add(mean, tn_number(mean, o.k)), tn_number(mean, o.beta)));
}

tn_tensor *tn_reverse_sequence(tn_tensor *x, tn_tensor *lengths, int32_t axis, int32_t batch_axis)
{
    TN_OPERANDS(x, lengths);
    uint32_t at = 0, batch = 0;
    tn_shape line = {0};
    if (!tn_find_axis("reverse_sequence", x, axis, &at) || !tn_find_axis("reverse_sequence", x, batch_axis, &batch))
        return x;
    tn_shape s = x->type.shape, n = lengths->type.shape;
    line.rank = s.rank;
    for (int32_t d = 0; d < s.rank; d++) line.dim[d] = d == (int32_t)batch ? s.dim[d] : 1;
    if (at == batch || n.rank != 1 || n.dim[0] != s.dim[batch] || lengths->type.dtype != TN_I32)
        tn_node_fail(x->graph, TN_ESHAPE, "reverse_sequence: lengths should be i32 (%lld), the axes not the same",
                     (long long)s.dim[batch]);
    if (tn_graph_status(x->graph)) return x;
    tn_tensor *i = tn_iota(x->graph, s, (int32_t)at), *length = tn_reshape(lengths, line);
    tn_tensor *back = tn_sub(tn_sub(length, tn_number(length, 1)), i);
    return tn_take(x, tn_where(tn_lt(i, length), back, i), axis);
}

/* ---- signals ---- */

/* The angle 2 pi i / size for i from 0 to n - 1, where size is n, or n - 1 if both ends meet, which then are exactly
 * alike: the second half is counted from its end. */
static tn_tensor *turn(tn_graph *graph, int64_t n, int symmetric)
{
    double size = n > 1 ? (double)(symmetric ? n - 1 : n) : 1;
    tn_tensor *i = tn_arange(graph, 0, 1, n);
    return times(tn_min(i, tn_sub(tn_number(i, size), i)), 2 * M_PI / size);
}

/* (1 - cos) / 2, without a difference that cancels. */
tn_tensor *tn_hann(tn_graph *graph, int64_t count, int symmetric)
{
    return tn_square(tn_sin(times(turn(graph, count, symmetric), 0.5)));
}

tn_tensor *tn_hamming(tn_graph *graph, int64_t count, int symmetric)
{
    tn_tensor *wave = times(tn_cos(turn(graph, count, symmetric)), -21.0 / 46);
    return tn_add(wave, tn_number(wave, 25.0 / 46));
}

/* 0.42 - cos / 2 + 0.08 cos 2, which is (1 - cos) (0.34 - 0.16 cos). */
tn_tensor *tn_blackman(tn_graph *graph, int64_t count, int symmetric)
{
    tn_tensor *wave = times(tn_cos(turn(graph, count, symmetric)), -0.32);
    return tn_mul(tn_hann(graph, count, symmetric), tn_add(wave, tn_number(wave, 0.68)));
}

/* (from, to): the angle 2 pi j k / n, of the rest of j k by n, so that it is as exact as small angles are. */
static tn_tensor *angles(tn_tensor *x, int64_t from, int64_t to, int64_t n)
{
    tn_graph *graph = tn_graph_of(x);
    tn_tensor *j = tn_iota(graph, TN_SHAPE(from, to), 0), *k = tn_iota(graph, TN_SHAPE(from, to), 1);
    tn_tensor *rest = tn_fmod(tn_mul(j, k), tn_number(j, (double)n));
    return times(tn_cast(rest, tn_dtype_of(x)), 2 * M_PI / (double)n);
}

/* re, im (..., from) -> (..., to): times e^(i sign angle). */
tn_tensor *tn_dft(tn_tensor *re, tn_tensor *im, tn_dft_options o, tn_tensor **out_im)
{
    tn_shape s = tn_shape_of(re);
    tn_graph *graph = tn_graph_of(re);
    int64_t from = s.rank ? s.dim[s.rank - 1] : 0, n = o.size ? o.size : from, to = o.half ? n / 2 + 1 : n;
    if (!s.rank || n < 1 || n > 46340 || !out_im)
        tn_node_fail(graph, TN_EINVAL, "dft: of %lld elements, out_im %s NULL; it takes 1 to 46340", (long long)n,
                     out_im ? "not" : "is");
    if (tn_graph_status(graph)) return re;
    if (from > n) re = tn_slice(re, -1, 0, n, 1), im = im ? tn_slice(im, -1, 0, n, 1) : NULL, from = n;
    tn_tensor *angle = angles(re, from, to, n), *c = tn_cos(angle), *d = times(tn_sin(angle), o.inverse ? 1 : -1);
    if (o.inverse) c = times(c, 1 / (double)n), d = times(d, 1 / (double)n);
    tn_tensor *y = tn_matmul(re, c), *z = tn_matmul(re, d);
    *out_im = im ? tn_add(z, tn_matmul(im, c)) : z;
    return im ? tn_sub(y, tn_matmul(im, d)) : y;
}

/* ---- determinants ---- */

/* Gauss' elimination: the row with the largest element of the first column is taken from the others, and goes. */
tn_tensor *tn_det(tn_tensor *x)
{
    tn_shape s = tn_shape_of(x);
    tn_graph *graph = tn_graph_of(x);
    int64_t n = s.rank >= 2 ? s.dim[s.rank - 1] : 0, count = tn_shape_count(&s);
    if (s.rank < 2 || s.dim[s.rank - 2] != n || n < 1 || n > 256)
        tn_node_fail(graph, TN_ESHAPE, "det: of matrices of 1 to 256 rows and as many columns alone");
    if (tn_graph_status(graph)) return x;
    tn_tensor *a = tn_reshape(x, TN_SHAPE(count / n / n, n, n)), *det = NULL;
    for (; n > 0; n--) {
        tn_tensor *column = tn_slice(a, 2, 0, 1, 1), *best = tn_argmax(tn_abs(column), 1);
        tn_tensor *i = tn_iota(graph, TN_SHAPE(n, 1), 0), *is_best = tn_eq(i, tn_unsqueeze(best, 2));
        tn_tensor *none = tn_number(a, 0), *row = tn_sum(tn_where(is_best, a, none), TN_AXES(1), 1);
        tn_tensor *pivot = tn_slice(row, 2, 0, 1, 1), *first = tn_slice(a, 1, 0, 1, 1);
        tn_tensor *same = tn_eq(best, tn_number(best, 0)), *sign = tn_reshape(same, TN_SHAPE(-1, 1, 1));
        tn_tensor *signed_pivot = tn_where(sign, pivot, tn_neg(pivot));
        det = det ? tn_mul(det, signed_pivot) : signed_pivot;
        if (n == 1) break;
        a = tn_slice(tn_where(is_best, first, a), 1, 1, n - 1, 1);
        tn_tensor *whole = tn_where(tn_eq(pivot, none), tn_number(pivot, 1), pivot);
        tn_tensor *part = tn_div(tn_slice(a, 2, 0, 1, 1), whole);
        a = tn_sub(tn_slice(a, 2, 1, n - 1, 1), tn_mul(part, tn_slice(row, 2, 1, n - 1, 1)));
    }
    s.rank -= 2;
    return tn_reshape(det, s);
}
