/* rules_quantise.c: numbers of eight bits and less, by scales and zeros: as whole numbers in i32, computed in f32; and
 * those of com.microsoft that join such a product with what is around it, or have weights of so few bits. */
#include <math.h>

#include "rule.h"

/* A scale or zero to go with x: one number, one for each place of an axis, or one for each block along it. */
static tn_tensor *along(onnx_node *n, tn_tensor *scale, tn_tensor *x)
{
    tn_shape shape = tn_shape_of(x), to = {.rank = shape.rank}, from = tn_shape_of(scale);
    int64_t block = onnx_int(n, "block_size", 0), given = onnx_int(n, "axis", 1);
    if (tn_shape_count(&from) == 1) return tn_reshape(scale, TN_SCALAR);
    int32_t axis = onnx_axis(n, given, shape.rank);
    if (n->failed) return scale;
    if (from.rank == shape.rank) {
        if (!block) block = (shape.dim[axis] + from.dim[axis] - 1) / from.dim[axis];
        scale = tn_repeat(scale, axis, block);
        return onnx_dim(scale, axis) == shape.dim[axis] ? scale : tn_slice(scale, axis, 0, shape.dim[axis], 1);
    }
    for (int32_t d = 0; d < to.rank; d++) to.dim[d] = d == axis ? tn_shape_count(&from) : 1;
    return tn_reshape(scale, to);
}

/* To the nearest whole number, of the type or beyond. */
static tn_tensor *nearest(tn_tensor *x, tn_tensor *scale, tn_tensor *zero)
{
    x = tn_round(tn_div(x, scale));
    return zero ? tn_add(x, tn_cast(zero, tn_dtype_of(x))) : x;
}

/* To the nearest whole number of the type. */
static tn_tensor *quantised(tn_tensor *x, tn_tensor *scale, tn_tensor *zero, int32_t type)
{
    double least, most;
    onnx_range(type, &least, &most);
    return tn_cast(tn_clamp(nearest(x, scale, zero), least, most), TN_I32);
}

/* x where it is within the range of what it is rounded to, else 0. Through this, and not through the rounding, training
 * sends its gradient back: a straight-through estimator (Bengio, Léonard and Courville, 2013). */
static tn_tensor *straight(tn_tensor *x, tn_tensor *scale, tn_tensor *zero, int32_t type)
{
    double least, most;
    tn_tensor *within = tn_isfinite(x);
    if (!onnx_is_small(type)) {
        tn_tensor *q = nearest(x, scale, zero);
        onnx_range(type, &least, &most);
        within = tn_logical_and(tn_ge(q, tn_number(q, least)), tn_le(q, tn_number(q, most)));
    }
    return tn_where(within, x, tn_number(x, 0));
}

/* The same of floating point, whose zero is 0. */
static tn_tensor *small(tn_tensor *x, tn_tensor *scale, tn_tensor *zero, int32_t type, int saturate)
{
    x = tn_div(x, scale);
    return onnx_small_rounded(zero ? tn_add(x, zero) : x, type, saturate, ONNX_SMALL_NEAREST);
}

void onnx_rule_quantize_linear(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *scale = onnx_in(n, 1), *zero = onnx_in(n, 2);
    int32_t type = zero ? onnx_type(n, 2) : (int32_t)onnx_int(n, "output_dtype", ONNX_UINT8);
    if (!x || !scale) return;
    onnx_heeded(n, "axis"), onnx_heeded(n, "saturate"), onnx_heeded(n, "block_size"), onnx_heeded(n, "output_dtype");
    onnx_heeded(n, "precision");
    if (!type) type = ONNX_UINT8;
    const int is_small = onnx_is_small(type), saturate = onnx_int(n, "saturate", 1) != 0;
    if (!onnx_is_whole(type) && !is_small) onnx_cannot(n, "to %s", onnx_type_name(type));
    x = tn_cast(x, TN_F32), scale = along(n, tn_cast(scale, TN_F32), x);
    if (zero) zero = along(n, zero, x);
    if (n->failed) return;
    onnx_out_as(n, 0, is_small ? small(x, scale, zero, type, saturate) : quantised(x, scale, zero, type), type);
    if (n->build->options.trainable || n->build->options.training) n->out[0].straight = straight(x, scale, zero, type);
}

/* y, to the bit, whose gradient goes to x. */
static tn_tensor *with_gradient_of(tn_tensor *y, tn_tensor *x)
{
    return tn_add(y, tn_sub(x, tn_stop_gradient(x)));
}

void onnx_rule_dequantize_linear(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *scale = onnx_in(n, 1), *zero = onnx_in(n, 2);
    if (!x || !scale) return;
    onnx_heeded(n, "axis"), onnx_heeded(n, "block_size"), onnx_heeded(n, "output_dtype");
    int32_t type = (int32_t)onnx_int(n, "output_dtype", onnx_type(n, 1));
    if (zero) x = tn_sub(x, along(n, zero, x));
    x = tn_cast(x, tn_dtype_of(scale));
    x = tn_mul(x, along(n, scale, x));
    if (n->in[0]->straight) x = with_gradient_of(x, tn_cast(n->in[0]->straight, tn_dtype_of(x)));
    onnx_out_as(n, 0, x, type ? type : onnx_type(n, 1));
}

/* Scale and zero such that all numbers, and 0, are within u8. */
void onnx_rule_dynamic_quantize_linear(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    tn_tensor *zero = NULL, *scale = tn_quantize_range(x, 0, 255, &zero);
    if (!zero) return;
    onnx_out_as(n, 0, quantised(x, scale, zero, ONNX_UINT8), ONNX_UINT8);
    onnx_out_as(n, 1, scale, ONNX_FLOAT);
    onnx_out_as(n, 2, zero, ONNX_UINT8);
}

/* A zero for each row of a, or column of b. */
static tn_tensor *less_zero(tn_tensor *x, tn_tensor *zero, int by_row)
{
    if (!zero) return x;
    if (by_row && tn_shape_of(zero).rank == 1 && onnx_dim(zero, 0) > 1) zero = tn_unsqueeze(zero, 1);
    if (tn_shape_of(zero).rank == 1 && onnx_dim(zero, 0) == 1) zero = tn_reshape(zero, TN_SCALAR);
    return tn_sub(x, zero);
}

void onnx_rule_matmul_integer(onnx_node *n)
{
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 1);
    if (!a || !b) return;
    a = less_zero(a, onnx_in(n, 2), 1), b = less_zero(b, onnx_in(n, 3), 0);
    onnx_out_as(n, 0, tn_matmul(a, b), ONNX_INT32);
}

static tn_tensor *scale_of(onnx_node *n, uint32_t i, int by_row)
{
    tn_tensor *x = onnx_in(n, i);
    if (x && by_row && tn_shape_of(x).rank == 1 && onnx_dim(x, 0) > 1) return tn_unsqueeze(x, 1);
    return x;
}

void onnx_rule_qlinear_matmul(onnx_node *n)
{
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 3),
              *scale[3] = {scale_of(n, 1, 1), scale_of(n, 4, 0), scale_of(n, 6, 1)};
    if (!a || !b || !scale[0] || !scale[1] || !scale[2]) return;
    a = less_zero(a, onnx_in(n, 2), 1), b = less_zero(b, onnx_in(n, 5), 0);
    tn_tensor *y = tn_cast(tn_matmul(a, b), TN_F32);
    y = tn_mul(y, tn_mul(scale[0], scale[1]));
    onnx_out_as(n, 0, quantised(y, scale[2], scale_of(n, 7, 1), onnx_type(n, 7)), onnx_type(n, 7));
}

/* ---- of com.microsoft: a product of whole numbers, its scales and a bias in one ---- */

static void out_scaled(onnx_node *n, tn_tensor *y, tn_tensor *scale, tn_tensor *bias, int32_t type)
{
    y = tn_mul(tn_cast(y, TN_F32), scale);
    onnx_out_as(n, 0, bias ? tn_add(y, bias) : y, type);
}

void onnx_rule_matmul_integer_to_float(onnx_node *n)
{
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 1), *scale_a = scale_of(n, 2, 1), *scale_b = onnx_in(n, 3);
    if (!a || !b || !scale_a || !scale_b) return;
    tn_tensor *y = tn_matmul(less_zero(a, onnx_in(n, 4), 1), less_zero(b, onnx_in(n, 5), 0));
    out_scaled(n, y, tn_mul(scale_a, scale_b), onnx_in(n, 6), onnx_type(n, 2));
}

void onnx_rule_dynamic_quantize_matmul(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *b = onnx_in(n, 1), *scale_b = onnx_in(n, 2), *zero = NULL;
    if (!x || !b || !scale_b) return;
    tn_tensor *scale = tn_quantize_range(x, 0, 255, &zero);
    if (!zero) return;
    tn_tensor *a = tn_sub(quantised(x, scale, zero, ONNX_UINT8), zero);
    tn_tensor *y = tn_matmul(a, less_zero(b, onnx_in(n, 3), 0));
    out_scaled(n, y, tn_mul(scale, scale_b), onnx_in(n, 4), onnx_type(n, 0));
}

/* A factor (directions, inputs, gates), with a scale and zero for each direction or each of its columns, as LSTM has
 * it: f32 (directions, gates, inputs). */
static tn_tensor *gates_of(onnx_node *n, uint32_t i, uint32_t scale)
{
    tn_tensor *x = onnx_in(n, i), *by = onnx_in(n, scale), *zero = onnx_in(n, scale + 1);
    if (!x || !by || tn_shape_of(x).rank != 3 || onnx_dim(x, 0) < 1) return NULL;
    const tn_shape shape = tn_shape_of(by), to = TN_SHAPE(onnx_dim(x, 0), 1, tn_shape_count(&shape) / onnx_dim(x, 0));
    if (zero) x = tn_sub(x, tn_reshape(zero, to));
    return tn_swap_axes(tn_mul(tn_cast(x, TN_F32), tn_reshape(by, to)), 1, 2);
}

/* By what its weights stand for; what it takes is not rounded to eight bits on the way. */
void onnx_rule_dynamic_quantize_lstm(onnx_node *n)
{
    onnx_value factor[2] = {{.type = ONNX_FLOAT}, {.type = ONNX_FLOAT}};
    for (uint32_t i = 0; i < 2; i++)
        if (!(factor[i].x = gates_of(n, i + 1, 8 + 2 * i))) return;
    n->in[1] = &factor[0], n->in[2] = &factor[1];
    n->n_in = 8; /* as LSTM has them */
    onnx_rule_lstm(n);
}

/* ---- weights of two, four or eight bits, in blocks along the sums ---- */

/* Bytes (rows, ...) as the numbers that are packed into them, the lowest bits first: (rows, count). */
static tn_tensor *unpacked(tn_tensor *x, int64_t rows, int bits, int64_t count)
{
    tn_tensor *part[4];
    const int parts = 8 / bits;
    for (int i = 0; i < parts; i++) {
        tn_tensor *above = tn_div(x, tn_number(x, ldexp(1, bits * i)));
        part[i] = tn_remainder(above, tn_number(x, ldexp(1, bits)));
    }
    x = tn_reshape(tn_stack(part, (uint32_t)parts, tn_shape_of(x).rank), TN_SHAPE(rows, -1));
    return onnx_dim(x, 1) > count ? tn_slice(x, 1, 0, count, 1) : x;
}

/* The zero of each block (rows, blocks, 1): the middle, unless they are given, packed or as numbers. */
static tn_tensor *zeros_of(onnx_node *n, int64_t rows, int64_t blocks, int bits)
{
    tn_tensor *zero = onnx_in(n, 3);
    if (!zero) return tn_full(n->graph, TN_F32, TN_SCALAR, ldexp(1, bits - 1));
    if (onnx_type(n, 3) == ONNX_UINT8) zero = unpacked(tn_reshape(zero, TN_SHAPE(rows, -1)), rows, bits, blocks);
    return tn_reshape(tn_cast(zero, TN_F32), TN_SHAPE(rows, blocks, 1));
}

void onnx_rule_matmul_bits(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *b = onnx_in(n, 1), *scale = onnx_in(n, 2), *bias = onnx_in(n, 5);
    const int64_t columns = onnx_int(n, "N", 0), sums = onnx_int(n, "K", 0), block = onnx_int(n, "block_size", 0);
    const int64_t bits = onnx_int(n, "bits", 4);
    onnx_heeded(n, "accuracy_level");
    if (!x || !b || !scale) return;
    if (columns < 1 || sums < 1 || block < 1 || sums > INT32_MAX || block > INT32_MAX) onnx_cannot(n, "its sizes");
    if (bits != 2 && bits != 4 && bits != 8) onnx_cannot(n, "%lld bits", (long long)bits);
    if (onnx_int(n, "weight_prepacked", 0)) onnx_cannot(n, "weights in the order of a device");
    if (onnx_in(n, 4)) onnx_cannot(n, "blocks in another order (g_idx)");
    if (n->failed) return;
    const int64_t blocks = (sums + block - 1) / block;
    tn_tensor *w = unpacked(tn_reshape(b, TN_SHAPE(columns, -1)), columns, (int)bits, blocks * block);
    w = tn_sub(tn_cast(tn_reshape(w, TN_SHAPE(columns, blocks, block)), TN_F32),
               zeros_of(n, columns, blocks, (int)bits));
    w = tn_mul(w, tn_reshape(scale, TN_SHAPE(columns, blocks, 1)));
    w = tn_slice(tn_reshape(w, TN_SHAPE(columns, blocks * block)), 1, 0, sums, 1);
    tn_tensor *y = tn_matmul_t(x, w, 0, 1);
    onnx_out(n, 0, bias ? tn_add(y, bias) : y);
}
