/* rules_runtime.c: operators of the domain com.microsoft that ONNX Runtime's quantiser writes for numbers of eight bits
 * (QOperator): each is computed in f32 between two scales. Their form is said in ONNX Runtime's ContribOperators.md. */
#include "window.h"

/* A scale or zero, which is one number for all. */
static tn_tensor *one_number(onnx_node *n, uint32_t i)
{
    tn_tensor *x = onnx_in(n, i);
    tn_shape shape = x ? tn_shape_of(x) : TN_SCALAR;
    if (x && tn_shape_count(&shape) != 1) onnx_cannot(n, "operand %u is not one number", i);
    return x && !n->failed ? tn_reshape(x, TN_SCALAR) : NULL;
}

/* Operand i by its scale and zero, which follow it. */
static tn_tensor *meant(onnx_node *n, uint32_t i)
{
    tn_tensor *x = onnx_in(n, i), *scale = one_number(n, i + 1), *zero = one_number(n, i + 2);
    if (!x || !scale) return NULL;
    return tn_mul(tn_cast(zero ? tn_sub(x, zero) : x, TN_F32), scale);
}

/* y as result 0, of operand `of`'s type, by the scale and zero that are operands i and i + 1. */
static void put(onnx_node *n, tn_tensor *y, uint32_t i, uint32_t of)
{
    double least, most;
    tn_tensor *scale = one_number(n, i), *zero = one_number(n, i + 1);
    if (!y || !scale) return;
    onnx_range(onnx_type(n, of), &least, &most);
    y = tn_round(tn_div(y, scale));
    if (zero) y = tn_add(y, tn_cast(zero, TN_F32));
    onnx_out_as(n, 0, tn_cast(tn_clamp(y, least, most), TN_I32), onnx_type(n, of));
}

void onnx_rule_qlinear_add(onnx_node *n)
{
    tn_tensor *a = meant(n, 0), *b = meant(n, 3);
    if (a && b) put(n, tn_add(a, b), 6, 0);
}

void onnx_rule_qlinear_mul(onnx_node *n)
{
    tn_tensor *a = meant(n, 0), *b = meant(n, 3);
    if (a && b) put(n, tn_mul(a, b), 6, 0);
}

void onnx_rule_qlinear_sigmoid(onnx_node *n)
{
    tn_tensor *x = meant(n, 0);
    if (x) put(n, tn_sigmoid(x), 3, 0);
}

void onnx_rule_qlinear_leaky_relu(onnx_node *n)
{
    tn_tensor *x = meant(n, 0);
    if (x) put(n, tn_leaky_relu(x, tn_number(x, onnx_float(n, "alpha", (double)0.01f))), 3, 0);
}

/* Before opset 13, which an attribute names, over all dimensions from the axis on. */
void onnx_rule_qlinear_softmax(onnx_node *n)
{
    tn_tensor *x = meant(n, 0);
    if (!x) return;
    const tn_shape shape = tn_shape_of(x);
    const int is_old = onnx_int(n, "opset", 13) < 13;
    const int32_t axis = onnx_axis(n, onnx_int(n, "axis", is_old ? 1 : -1), shape.rank);
    int64_t before = 1;
    for (int32_t d = 0; d < axis; d++) before *= shape.dim[d];
    if (is_old) x = tn_reshape(x, TN_SHAPE(before, before ? tn_shape_count(&shape) / before : 0));
    put(n, tn_reshape(tn_softmax(x, is_old ? 1 : axis), shape), 3, 0);
}

void onnx_rule_qlinear_global_average_pool(onnx_node *n)
{
    tn_tensor *x = meant(n, 0);
    if (!x) return;
    const int32_t rank = tn_shape_of(x).rank, first = onnx_int(n, "channels_last", 0) ? 1 : 2;
    tn_axes axes = {.count = rank > 2 ? rank - 2 : 0};
    for (int32_t i = 0; i < axes.count; i++) axes.axis[i] = first + i;
    put(n, tn_mean(x, axes, 1), 3, 0);
}

/* Dimension `from` at place `to`, the others in order. */
static tn_tensor *turned(tn_tensor *x, int32_t from, int32_t to)
{
    int32_t order[TN_MAX_RANK], at = 0;
    const int32_t rank = tn_shape_of(x).rank;
    for (int32_t d = 0; d < rank; d++) {
        if (at == from) at++;
        order[d] = d == to ? from : at++;
    }
    return tn_transpose(x, order);
}

/* The pool of floating point, between two scales. Channels lie last or, as in all else, behind the batch. */
void onnx_rule_qlinear_average_pool(onnx_node *n)
{
    tn_pool_nd_options o;
    tn_tensor *x = meant(n, 0);
    const int is_last = onnx_int(n, "channels_last", 0) != 0;
    if (!x) return;
    const int32_t last = tn_shape_of(x).rank - 1;
    if (is_last && last > 1) x = turned(x, last, 1);
    if (!onnx_pool_read(n, x, &o)) return;
    tn_tensor *y = tn_avgpool_nd(x, o);
    put(n, is_last && last > 1 ? turned(y, 1, last) : y, 3, 0);
}

/* The result's scale and zero come first, and of each part its numbers, scale and zero. */
void onnx_rule_qlinear_concat(onnx_node *n)
{
    tn_tensor *part[64];
    const uint32_t count = n->n_in > 2 ? (n->n_in - 2) / 3 : 0;
    if (!count || count > 64 || n->n_in != 2 + 3 * count) return;
    for (uint32_t i = 0; i < count; i++)
        if (!(part[i] = meant(n, 2 + 3 * i))) return;
    const int32_t axis = onnx_axis(n, onnx_int(n, "axis", 0), tn_shape_of(part[0]).rank);
    if (!n->failed) put(n, tn_concat(part, count, axis), 0, 2);
}

/* What is picked of two, by the scale and zero of the result. */
void onnx_rule_qlinear_where(onnx_node *n)
{
    tn_tensor *condition = onnx_in(n, 0), *a = meant(n, 1), *b = meant(n, 4);
    if (condition && a && b) put(n, tn_where(condition, a, b), 7, 1);
}

/* Of b's columns, one number for all or one for each; where b is transposed these are its rows. */
static tn_tensor *by_column(tn_tensor *x, int is_transposed)
{
    const tn_shape shape = tn_shape_of(x);
    const int64_t count = tn_shape_count(&shape);
    return tn_reshape(x, count == 1 ? TN_SCALAR : is_transposed ? TN_SHAPE(count, 1) : TN_SHAPE(count));
}

/* Without a scale of the result, floating point. c is in the scale of the product. */
void onnx_rule_qgemm(onnx_node *n)
{
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 3), *c = onnx_in(n, 6);
    tn_tensor *scale = one_number(n, 1), *zero = one_number(n, 2), *b_scale = onnx_in(n, 4), *b_zero = onnx_in(n, 5);
    const int transposed = onnx_int(n, "transB", 0) != 0;
    if (!a || !b || !scale || !b_scale) return;
    if (zero) a = tn_sub(a, zero);
    if (b_zero) b = tn_sub(b, by_column(b_zero, transposed));
    tn_tensor *y = tn_matmul_t(a, b, onnx_int(n, "transA", 0) != 0, transposed);
    y = tn_mul(tn_cast(c ? tn_add(y, c) : y, TN_F32), tn_mul(scale, by_column(b_scale, 0)));
    y = tn_mul(y, tn_number(y, onnx_float(n, "alpha", 1)));
    if (onnx_in(n, 7))
        put(n, y, 7, onnx_in(n, 8) ? 8 : 0);
    else
        onnx_out_as(n, 0, y, ONNX_FLOAT);
}
