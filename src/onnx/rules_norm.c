/* rules_norm.c: products, softmax, normalisation, losses. */
#include <math.h>
#include <string.h>

#include "rule.h"

/* ---- products ---- */

void onnx_rule_matmul(onnx_node *n)
{
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 1);
    if (a && b) onnx_out(n, 0, tn_matmul(a, b));
}

static tn_tensor *times(tn_tensor *x, double factor)
{
    return factor == 1 ? x : tn_mul(x, tn_number(x, factor));
}

void onnx_rule_gemm(onnx_node *n)
{
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 1), *c = onnx_in(n, 2);
    if (!a || !b) return;
    tn_tensor *y = tn_matmul_t(a, b, onnx_int(n, "transA", 0) != 0, onnx_int(n, "transB", 0) != 0);
    y = times(y, onnx_float(n, "alpha", 1));
    if (c) y = tn_add(y, times(c, onnx_float(n, "beta", 1)));
    onnx_out(n, 0, onnx_is_whole(onnx_type(n, 0)) ? tn_cast(y, TN_I32) : y);
}

/* By the first row: (..., size, size) -> (..., 1, 1). Of small matrices, for the work grows as size!. */
static tn_tensor *determinant(tn_tensor *x, int64_t size)
{
    if (size == 1) return x;
    tn_tensor *sum = NULL, *below = tn_slice(x, -2, 1, size - 1, 1);
    for (int64_t i = 0; i < size; i++) {
        tn_tensor *part[2] = {tn_slice(below, -1, 0, i, 1), tn_slice(below, -1, i + 1, size - 1 - i, 1)};
        tn_tensor *minor = i == 0 ? part[1] : i == size - 1 ? part[0] : tn_concat(part, 2, -1);
        tn_tensor *one = tn_mul(tn_slice(tn_slice(x, -2, 0, 1, 1), -1, i, 1, 1), determinant(minor, size - 1));
        sum = !sum ? one : i % 2 ? tn_sub(sum, one) : tn_add(sum, one);
    }
    return sum;
}

void onnx_rule_det(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x || tn_shape_of(x).rank < 2) return;
    tn_shape to = tn_shape_of(x);
    int64_t size = to.dim[to.rank - 1];
    if (size < 1 || size > 5) onnx_cannot(n, "a matrix of %lld rows: up to 5 are done", (long long)size);
    to.rank -= 2;
    if (!n->failed) onnx_out(n, 0, tn_reshape(determinant(x, size), to));
}

/* ---- einsum ---- */

enum { LETTERS = 64 };

/* One operand, or the result: its letters, of which those of an ellipsis are upper-case digits of their own. */
typedef struct term {
    int letter[TN_MAX_RANK];
    int32_t rank;
} term;

static int read_term(const char **at, const char *end, int32_t rank, term *t)
{
    *t = (term){0};
    int32_t named = 0;
    for (const char *p = *at; p < end && *p != ',' && *p != '-'; p++) named += *p != ' ' && *p != '.';
    for (; *at < end && **at != ',' && **at != '-'; (*at)++) {
        if (**at == ' ') continue;
        if (**at == '.') {
            int32_t count = rank < 0 ? 0 : rank - named;
            for (int32_t d = 0; d < count && t->rank < TN_MAX_RANK; d++) t->letter[t->rank++] = 1000 + d + 100 - count;
            *at += 2;
        } else if (t->rank < TN_MAX_RANK) {
            t->letter[t->rank++] = **at;
        }
    }
    return rank < 0 || t->rank == rank;
}

static int32_t place_of(const term *t, int letter)
{
    for (int32_t d = 0; d < t->rank; d++)
        if (t->letter[d] == letter) return d;
    return -1;
}

/* A letter that comes twice is a diagonal: the second of the two axes goes. */
static tn_tensor *diagonals(tn_tensor *x, term *t)
{
    for (int32_t d = 1; d < t->rank; d++) {
        int32_t first = place_of(t, t->letter[d]);
        if (first == d) continue;
        tn_shape shape = tn_shape_of(x);
        tn_tensor *is = tn_eq(tn_iota(tn_graph_of(x), shape, first), tn_iota(tn_graph_of(x), shape, d));
        x = tn_sum(tn_where(is, x, tn_number(x, 0)), TN_AXES(d), 0);
        memmove(t->letter + d, t->letter + d + 1, (size_t)(t->rank - d - 1) * sizeof *t->letter);
        t->rank--, d--;
    }
    return x;
}

/* Letters of `t` in the order of `all`, with 1 for those that it lacks. */
static tn_tensor *aligned(tn_tensor *x, const term *t, const term *all)
{
    int32_t perm[TN_MAX_RANK], used = 0;
    tn_shape to = {.rank = all->rank};
    for (int32_t d = 0; d < all->rank; d++) {
        int32_t at = place_of(t, all->letter[d]);
        to.dim[d] = at < 0 ? 1 : tn_shape_of(x).dim[at];
        if (at >= 0) perm[used++] = at;
    }
    return tn_reshape(used > 1 ? tn_transpose(x, perm) : x, to);
}

static void add_letters(term *all, const term *t, const term *without, const term *only)
{
    for (int32_t d = 0; d < t->rank && all->rank < TN_MAX_RANK; d++)
        if (place_of(all, t->letter[d]) < 0 && (!without || place_of(without, t->letter[d]) < 0) &&
            (!only || place_of(only, t->letter[d]) >= 0))
            all->letter[all->rank++] = t->letter[d];
}

static int64_t size_of(const term *all, const tn_tensor *x, int32_t begin, int32_t end)
{
    int64_t count = 1;
    for (int32_t d = begin; d < end; d++) count *= tn_shape_of(x).dim[d];
    (void)all;
    return count;
}

/* Letters that x alone has, and nobody asks for later, are summed over. */
static tn_tensor *reduce_alone(tn_tensor *x, term *t, const term *kept)
{
    term left = {0};
    tn_axes axes = {0};
    for (int32_t d = 0; d < t->rank; d++)
        if (place_of(kept, t->letter[d]) < 0)
            axes.axis[axes.count++] = d;
        else
            left.letter[left.rank++] = t->letter[d];
    *t = left;
    return axes.count ? tn_sum(x, axes, 0) : x;
}

/* Two operands: letters that both have and are kept are a batch, those that go are summed over by a product. */
static tn_tensor *contract(tn_tensor *a, term *ta, tn_tensor *b, const term *tb, const term *kept)
{
    term batch = {0}, sums = {0}, left = {0}, right = {0}, order_a, order_b, result;
    for (int32_t d = 0; d < ta->rank; d++) {
        int both = place_of(tb, ta->letter[d]) >= 0, stays = place_of(kept, ta->letter[d]) >= 0;
        term *to = both ? (stays ? &batch : &sums) : &left;
        to->letter[to->rank++] = ta->letter[d];
    }
    add_letters(&right, tb, ta, NULL);
    order_a = batch, add_letters(&order_a, &left, NULL, NULL), add_letters(&order_a, &sums, NULL, NULL);
    order_b = batch, add_letters(&order_b, &sums, NULL, NULL), add_letters(&order_b, &right, NULL, NULL);
    result = batch, add_letters(&result, &left, NULL, NULL), add_letters(&result, &right, NULL, NULL);
    a = aligned(a, ta, &order_a), b = aligned(b, tb, &order_b);
    tn_shape shape = {.rank = result.rank};
    int32_t k = batch.rank;
    for (int32_t d = 0; d < k; d++) {
        int64_t x = tn_shape_of(a).dim[d], y = tn_shape_of(b).dim[d];
        shape.dim[d] = x > y ? x : y;
        if (x != y) { /* an ellipsis may be stretched */
            tn_shape to = tn_shape_of(x < y ? a : b);
            to.dim[d] = shape.dim[d];
            if (x < y)
                a = tn_broadcast(a, to);
            else
                b = tn_broadcast(b, to);
        }
    }
    for (int32_t d = 0; d < left.rank; d++) shape.dim[k + d] = tn_shape_of(a).dim[k + d];
    for (int32_t d = 0; d < right.rank; d++) shape.dim[k + left.rank + d] = tn_shape_of(b).dim[k + sums.rank + d];
    int64_t many = size_of(&batch, a, 0, k), inner = size_of(&sums, a, k + left.rank, order_a.rank);
    a = tn_reshape(a, TN_SHAPE(many, size_of(&left, a, k, k + left.rank), inner));
    b = tn_reshape(b, TN_SHAPE(many, inner, size_of(&right, b, k + sums.rank, order_b.rank)));
    *ta = result;
    return tn_reshape(tn_matmul(a, b), shape);
}

/* Without "->" the result has the letters that come once, in order, behind the ellipsis. */
static void implied(const term *t, uint32_t count, term *result)
{
    *result = (term){0};
    for (int letter = 1000; letter < 1100; letter++)
        for (uint32_t i = 0; i < count; i++)
            if (place_of(&t[i], letter) >= 0 && place_of(result, letter) < 0 && result->rank < TN_MAX_RANK)
                result->letter[result->rank++] = letter;
    for (int letter = 'A'; letter <= 'z'; letter++) {
        int times_seen = 0;
        for (uint32_t i = 0; i < count; i++)
            for (int32_t d = 0; d < t[i].rank; d++) times_seen += t[i].letter[d] == letter;
        if (times_seen == 1 && result->rank < TN_MAX_RANK) result->letter[result->rank++] = letter;
    }
}

/* The ellipsis of the result is that of the operand that has the longest. */
static int32_t result_rank(const char *at, const char *end, const term *t, uint32_t count)
{
    int32_t named = 0, most = 0, dots = 0;
    for (const char *p = at; p < end; p++) {
        named += *p != ' ' && *p != '.';
        dots |= *p == '.';
    }
    for (uint32_t i = 0; i < count; i++) {
        int32_t of = 0;
        for (int32_t d = 0; d < t[i].rank; d++) of += t[i].letter[d] >= 1000;
        if (of > most) most = of;
    }
    return named + (dots ? most : 0);
}

static int read_equation(onnx_node *n, term *t, term *result)
{
    const onnx_attribute *at = onnx_attr(n, "equation");
    if (!at || !at->has_s) return 0;
    const char *p = (const char *)at->s.data, *end = p + at->s.len;
    for (uint32_t i = 0; i < n->n_in; i++) {
        if (!read_term(&p, end, onnx_rank(n, i), &t[i])) return 0;
        if (p < end && *p == ',') p++;
    }
    if (end - p < 2 || p[0] != '-') return implied(t, n->n_in, result), p == end;
    p += 2;
    return read_term(&p, end, result_rank(p, end, t, n->n_in), result);
}

void onnx_rule_einsum(onnx_node *n)
{
    term t[16], result, now;
    tn_tensor *x[16];
    if (n->n_in < 1 || n->n_in > 16) return;
    for (uint32_t i = 0; i < n->n_in; i++)
        if (!(x[i] = onnx_in(n, i))) return;
    if (!read_equation(n, t, &result)) onnx_cannot(n, "its equation");
    if (n->failed) return;
    for (uint32_t i = 0; i < n->n_in; i++) x[i] = diagonals(x[i], &t[i]);
    tn_tensor *y = x[0];
    now = t[0];
    for (uint32_t i = 1; i <= n->n_in; i++) {
        term kept = result; /* what is asked for later */
        for (uint32_t k = i; k < n->n_in; k++) add_letters(&kept, &t[k], NULL, NULL);
        y = reduce_alone(y, &now, &kept);
        if (i == n->n_in) break;
        kept = result;
        for (uint32_t k = i + 1; k < n->n_in; k++) add_letters(&kept, &t[k], NULL, NULL);
        term others = kept;
        add_letters(&others, &now, NULL, NULL);
        x[i] = reduce_alone(x[i], &t[i], &others);
        y = contract(y, &now, x[i], &t[i], &kept);
    }
    onnx_out(n, 0, aligned(y, &now, &result));
}

/* ---- softmax ---- */

/* Before opset 13 all dimensions from the axis on are one. */
static void soft(onnx_node *n, tn_tensor *(*function)(tn_tensor *x, int32_t axis))
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    tn_shape shape = tn_shape_of(x);
    int old = n->opset < 13;
    int32_t axis = onnx_axis(n, onnx_int(n, "axis", old ? 1 : -1), shape.rank);
    if (n->failed) return;
    if (!old || axis == shape.rank - 1) {
        onnx_out(n, 0, function(x, axis));
        return;
    }
    int64_t rows = 1;
    for (int32_t d = 0; d < axis; d++) rows *= shape.dim[d];
    onnx_out(n, 0, tn_reshape(function(tn_reshape(x, TN_SHAPE(rows, -1)), 1), shape));
}

static tn_tensor *hardmax(tn_tensor *x, int32_t axis)
{
    tn_tensor *best = tn_unsqueeze(tn_argmax(x, axis), axis);
    return tn_cast(tn_eq(tn_iota(tn_graph_of(x), tn_shape_of(x), axis), best), tn_dtype_of(x));
}

void onnx_rule_softmax(onnx_node *n)
{
    soft(n, tn_softmax);
}

void onnx_rule_log_softmax(onnx_node *n)
{
    soft(n, tn_log_softmax);
}

void onnx_rule_hardmax(onnx_node *n)
{
    soft(n, hardmax);
}

/* ---- normalisation ---- */

static tn_axes axes_from(int32_t first, int32_t rank)
{
    tn_axes axes = {0};
    for (int32_t d = first; d < rank; d++) axes.axis[axes.count++] = d;
    return axes;
}

/* A vector by channels, which are axis 1. */
static tn_tensor *by_channel(tn_tensor *x, int32_t rank)
{
    tn_shape to = {.rank = rank};
    for (int32_t d = 0; d < rank; d++) to.dim[d] = d == 1 ? onnx_dim(x, 0) : 1;
    return tn_reshape(x, to);
}

/* Running statistics move towards those of the batch: by what is left of the momentum. */
static void follow(tn_tensor *running, tn_tensor *now, double momentum)
{
    tn_tensor *old = times(running, momentum), *step = times(now, 1 - momentum);
    tn_assign(running, tn_add(old, tn_reshape(step, tn_shape_of(running))));
}

static void batch_norm_trained(onnx_node *n, tn_tensor *x, tn_tensor *const in[4], double epsilon)
{
    tn_axes axes = {0};
    int32_t rank = tn_shape_of(x).rank;
    double momentum = onnx_float(n, "momentum", (double)0.9f);
    for (int32_t d = 0; d < rank; d++)
        if (d != 1) axes.axis[axes.count++] = d;
    tn_tensor *y = tn_batch_normalize(x, by_channel(in[0], rank), by_channel(in[1], rank), axes, epsilon);
    tn_tensor *mean = tn_mean(x, axes, 0), *variance = tn_variance(x, axes, 0, 0);
    onnx_out(n, 0, y);
    if (n->build->options.training && tn_name_of(in[2]) && tn_name_of(in[3])) {
        follow(in[2], mean, momentum);
        follow(in[3], variance, momentum);
    }
    onnx_out(n, 1, tn_add(times(in[2], momentum), times(mean, 1 - momentum)));
    onnx_out(n, 2, tn_add(times(in[3], momentum), times(variance, 1 - momentum)));
}

void onnx_rule_batch_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *in[4];
    double epsilon = onnx_float(n, "epsilon", (double)1e-5f);
    for (uint32_t i = 0; i < 4; i++)
        if (!x || !(in[i] = onnx_in(n, i + 1))) return;
    int32_t rank = tn_shape_of(x).rank;
    if (onnx_int(n, "training_mode", 0) || n->build->options.training) {
        batch_norm_trained(n, x, in, epsilon);
        return;
    }
    tn_tensor *scale = tn_div(in[0], tn_sqrt(tn_add(in[3], tn_number(in[3], epsilon))));
    tn_tensor *shift = tn_sub(in[1], tn_mul(in[2], scale));
    onnx_out(n, 0, tn_add(tn_mul(x, by_channel(scale, rank)), by_channel(shift, rank)));
}

void onnx_rule_instance_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *scale = onnx_in(n, 1), *bias = onnx_in(n, 2);
    if (!x || !scale || !bias) return;
    int32_t rank = tn_shape_of(x).rank;
    tn_tensor *y = tn_normalize(x, axes_from(2, rank), onnx_float(n, "epsilon", (double)1e-5f));
    onnx_out(n, 0, tn_add(tn_mul(y, by_channel(scale, rank)), by_channel(bias, rank)));
}

/* Opset 18 has a scale for each group, 21 for each channel. */
void onnx_rule_group_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *scale = onnx_in(n, 1), *bias = onnx_in(n, 2);
    int64_t groups = onnx_int(n, "num_groups", 1);
    if (!x || !scale || !bias || groups < 1) return;
    tn_shape shape = tn_shape_of(x);
    if (onnx_dim(scale, 0) != shape.dim[1]) {
        scale = tn_repeat(scale, 0, shape.dim[1] / groups);
        bias = tn_repeat(bias, 0, shape.dim[1] / groups);
    }
    tn_tensor *y = tn_reshape(x, TN_SHAPE(shape.dim[0], groups, -1));
    y = tn_reshape(tn_normalize(y, TN_AXES(2), onnx_float(n, "epsilon", (double)1e-5f)), shape);
    onnx_out(n, 0, tn_add(tn_mul(y, by_channel(scale, shape.rank)), by_channel(bias, shape.rank)));
}

void onnx_rule_layer_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *scale = onnx_in(n, 1), *bias = onnx_in(n, 2);
    double epsilon = onnx_float(n, "epsilon", (double)1e-5f);
    if (!x || !scale) return;
    int32_t rank = tn_shape_of(x).rank, axis = onnx_axis(n, onnx_int(n, "axis", -1), rank);
    tn_axes axes = axes_from(axis, rank);
    tn_tensor *y = tn_mul(tn_normalize(x, axes, epsilon), scale);
    onnx_out(n, 0, bias ? tn_add(y, bias) : y);
    if (onnx_wants(n, 1)) onnx_out_as(n, 1, tn_mean(x, axes, 1), ONNX_FLOAT);
    if (!onnx_wants(n, 2)) return;
    tn_tensor *variance = tn_variance(x, axes, 0, 1);
    onnx_out_as(n, 2, tn_rsqrt(tn_add(variance, tn_number(variance, epsilon))), ONNX_FLOAT);
}

void onnx_rule_rms_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *scale = onnx_in(n, 1);
    if (!x || !scale) return;
    int32_t rank = tn_shape_of(x).rank, axis = onnx_axis(n, onnx_int(n, "axis", -1), rank);
    tn_tensor *y = tn_rms_normalize(x, axes_from(axis, rank), onnx_float(n, "epsilon", (double)1e-5f));
    onnx_out(n, 0, tn_mul(y, scale));
}

void onnx_rule_mean_variance_normalization(onnx_node *n)
{
    int64_t axis[TN_MAX_RANK] = {0, 2, 3};
    tn_tensor *x = onnx_in(n, 0);
    int64_t count = onnx_ints(n, "axes", axis, TN_MAX_RANK);
    if (!x) return;
    tn_axes axes = {.count = count ? (int32_t)count : 3};
    for (int32_t i = 0; i < axes.count && i < TN_MAX_RANK; i++)
        axes.axis[i] = onnx_axis(n, axis[i], tn_shape_of(x).rank);
    if (!n->failed) onnx_out(n, 0, tn_normalize(x, axes, 1e-9));
}

void onnx_rule_lp_normalization(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    tn_axes axes = TN_AXES(onnx_axis(n, onnx_int(n, "axis", -1), tn_shape_of(x).rank));
    tn_tensor *norm = onnx_int(n, "p", 2) == 1 ? tn_sum(tn_abs(x), axes, 1) : tn_sqrt(tn_sum(tn_square(x), axes, 1));
    tn_tensor *zero = tn_number(x, 0);
    onnx_out(n, 0, tn_where(tn_eq(norm, zero), zero, tn_div(x, norm)));
}

/* Each element by the squares of its neighbours among the channels. */
void onnx_rule_lrn(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *sum = NULL;
    int64_t size = onnx_int(n, "size", 1);
    if (!x || size < 1) return;
    tn_tensor *squares = tn_pad(tn_square(x), 1, (size - 1) / 2, size / 2);
    for (int64_t i = 0; i < size; i++) {
        tn_tensor *one = tn_slice(squares, 1, i, onnx_dim(x, 1), 1);
        sum = sum ? tn_add(sum, one) : one;
    }
    sum = tn_mul(sum, tn_number(x, onnx_float(n, "alpha", (double)0.0001f) / (double)size));
    sum = tn_add(sum, tn_number(x, onnx_float(n, "bias", 1)));
    onnx_out(n, 0, tn_div(x, tn_pow(sum, tn_number(x, onnx_float(n, "beta", 0.75)))));
}

/* ---- losses ---- */

/* Of log-probabilities (n, c, ...) and classes (n, ...): their mean by weights, their sum, or each. */
static void nll(onnx_node *n, uint32_t out, tn_tensor *log_p, tn_tensor *target, tn_tensor *weight)
{
    const onnx_attribute *ignored = onnx_attr(n, "ignore_index");
    tn_tensor *place = tn_unsqueeze(tn_cast(target, TN_I32), 1);
    tn_tensor *loss = tn_neg(tn_squeeze(tn_take(log_p, place, 1), 1));
    tn_tensor *share = weight ? tn_gather(weight, tn_cast(target, TN_I32))
                              : tn_full(n->graph, tn_dtype_of(log_p), tn_shape_of(loss), 1);
    if (ignored) {
        tn_tensor *is = tn_eq(target, tn_number(target, (double)ignored->i));
        share = tn_where(is, tn_number(share, 0), share);
        loss = tn_where(is, tn_number(loss, 0), loss);
    }
    loss = tn_mul(loss, share);
    if (!onnx_text_is(n, "reduction", "mean", "none")) {
        loss = tn_sum(loss, TN_ALL, 0);
        if (onnx_text_is(n, "reduction", "mean", "mean")) loss = tn_div(loss, tn_sum(share, TN_ALL, 0));
    }
    onnx_out(n, out, loss);
}

void onnx_rule_nll_loss(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *target = onnx_in(n, 1);
    if (x && target) nll(n, 0, x, target, onnx_in(n, 2));
}

void onnx_rule_softmax_cross_entropy_loss(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *target = onnx_in(n, 1);
    if (!x || !target) return;
    x = tn_log_softmax(x, 1);
    nll(n, 0, x, target, onnx_in(n, 2));
    onnx_out(n, 1, x);
}
