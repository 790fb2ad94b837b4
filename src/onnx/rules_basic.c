/* rules_basic.c: what is done element by element. */
#include <math.h>

#include "rule.h"

/* ---- the same, in another type ---- */

void onnx_rule_identity(onnx_node *n)
{
    onnx_out(n, 0, onnx_in(n, 0));
}

/* Of an operand that is no optional, but a tensor or left out. */
void onnx_rule_has_element(onnx_node *n)
{
    onnx_out_as(n, 0, tn_full(n->graph, TN_I32, TN_SCALAR, onnx_in(n, 0) != NULL), ONNX_BOOL);
}

/* Between whole numbers, the low bits; to f16 and bf16, rounded as these are. A truth value is whether it is not 0. */
static tn_tensor *converted(tn_tensor *x, int32_t from, int32_t to)
{
    if (to == ONNX_BOOL) return tn_cast(tn_ne(x, tn_number(x, 0)), TN_I32);
    if (to == ONNX_FLOAT16 || to == ONNX_BFLOAT16)
        return tn_cast(tn_cast(x, to == ONNX_FLOAT16 ? TN_F16 : TN_BF16), TN_F32);
    if (onnx_is_whole(to)) return onnx_wrapped(tn_cast(x, TN_I32), onnx_is_whole(from) || to != from ? to : 0);
    return onnx_kept(x, to);
}

/* How numbers become those of a type of eight bits or fewer. */
static tn_tensor *small(onnx_node *n, tn_tensor *x, int32_t to)
{
    const int saturate = onnx_int(n, "saturate", 1) != 0;
    if (to != ONNX_FLOAT8E8M0) return onnx_small_rounded(x, to, saturate, ONNX_SMALL_NEAREST);
    const onnx_small_round how = onnx_text_is(n, "round_mode", "up", "up")     ? ONNX_SMALL_UP
                                 : onnx_text_is(n, "round_mode", "up", "down") ? ONNX_SMALL_DOWN
                                                                               : ONNX_SMALL_NEAREST;
    return onnx_small_rounded(x, to, saturate, how);
}

static void cast_to(onnx_node *n, int32_t to)
{
    tn_tensor *x = onnx_in(n, 0);
    onnx_heeded(n, "saturate"), onnx_heeded(n, "round_mode"); /* of types of eight bits */
    if (!onnx_kept_type(to)) onnx_cannot(n, "to %s", onnx_type_name(to));
    if (x && !n->failed) onnx_out_as(n, 0, onnx_is_small(to) ? small(n, x, to) : converted(x, onnx_type(n, 0), to), to);
}

void onnx_rule_cast(onnx_node *n)
{
    cast_to(n, (int32_t)onnx_int(n, "to", 0));
}

void onnx_rule_cast_like(onnx_node *n)
{
    cast_to(n, onnx_type(n, 1));
}

/* Whole numbers of as many bits: a sign or none. */
void onnx_rule_bit_cast(onnx_node *n)
{
    double least[2], most[2];
    tn_tensor *x = onnx_in(n, 0);
    const int32_t from = onnx_type(n, 0), to = (int32_t)onnx_int(n, "to", 0);
    if (!x) return;
    if (!onnx_is_whole(from) || !onnx_is_whole(to)) {
        onnx_cannot(n, "from %s to %s", onnx_type_name(from), onnx_type_name(to));
        return;
    }
    onnx_range(from == ONNX_BOOL ? ONNX_UINT8 : from, &least[0], &most[0]);
    onnx_range(to, &least[1], &most[1]);
    if (most[0] - least[0] != most[1] - least[1]) onnx_cannot(n, "to %s, of another size", onnx_type_name(to));
    onnx_out_as(n, 0, onnx_wrapped(x, to), to);
}

/* ---- activations ---- */

static void with_slope(onnx_node *n, tn_tensor *(*function)(tn_tensor *a, tn_tensor *b), double slope)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, function(x, tn_number(x, onnx_float(n, "alpha", slope))));
}

void onnx_rule_leaky_relu(onnx_node *n)
{
    with_slope(n, tn_leaky_relu, (double)0.01f);
}

void onnx_rule_elu(onnx_node *n)
{
    with_slope(n, tn_elu, 1);
}

void onnx_rule_celu(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, tn_celu(x, onnx_float(n, "alpha", 1)));
}

void onnx_rule_selu(onnx_node *n)
{
    double alpha = onnx_float(n, "alpha", 1.67326319217681884765625);
    double gamma = onnx_float(n, "gamma", 1.05070102214813232421875);
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, tn_mul(tn_elu(x, tn_number(x, alpha)), tn_number(x, gamma)));
}

/* The slope is stretched to x from the last dimension on; before opset 7 there was one for each channel. */
void onnx_rule_prelu(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *slope = onnx_in(n, 1);
    if (!x || !slope) return;
    tn_shape channels = {.rank = tn_shape_of(x).rank - 1};
    for (int32_t d = 0; d < channels.rank; d++) channels.dim[d] = d ? 1 : onnx_dim(slope, 0);
    if (n->opset < 7 && tn_shape_of(slope).rank == 1 && channels.rank > 1) slope = tn_reshape(slope, channels);
    tn_tensor *zero = tn_number(x, 0);
    onnx_out(n, 0, tn_where(tn_lt(x, zero), tn_mul(x, slope), x));
}

void onnx_rule_gelu(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, onnx_text_is(n, "approximate", "none", "tanh") ? tn_gelu_tanh(x) : tn_gelu(x));
}

void onnx_rule_swish(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, tn_mul(x, tn_sigmoid(tn_mul(x, tn_number(x, onnx_float(n, "alpha", 1))))));
}

void onnx_rule_swiglu(onnx_node *n)
{
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 1);
    if (!a || !b) return;
    tn_tensor *gate = tn_sigmoid(tn_mul(a, tn_number(a, onnx_float(n, "alpha", 1))));
    onnx_out(n, 0, tn_mul(tn_mul(a, gate), b));
}

void onnx_rule_hard_sigmoid(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    x = tn_add(tn_mul(x, tn_number(x, onnx_float(n, "alpha", (double)0.2f))), tn_number(x, onnx_float(n, "beta", 0.5)));
    onnx_out(n, 0, tn_clamp(x, 0, 1));
}

void onnx_rule_thresholded_relu(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, tn_threshold(x, onnx_float(n, "alpha", 1), 0));
}

void onnx_rule_shrink(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    double bias = onnx_float(n, "bias", 0), lambda = onnx_float(n, "lambd", 0.5);
    tn_tensor *up = tn_cast(tn_gt(x, tn_number(x, lambda)), TN_F32),
              *down = tn_cast(tn_lt(x, tn_number(x, -lambda)), TN_F32);
    tn_tensor *moved = tn_sub(tn_cast(x, TN_F32), tn_mul(tn_sub(up, down), tn_number(up, bias)));
    tn_tensor *y = tn_mul(tn_add(up, down), moved);
    onnx_out(n, 0, tn_cast(y, tn_dtype_of(x)));
}

/* Bounds are numbers that are known, attributes of opsets before 11, or any tensors. */
void onnx_rule_clip(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *least = onnx_in(n, 1), *most = onnx_in(n, 2);
    if (!x) return;
    if (!least && onnx_attr(n, "min")) least = tn_number(x, onnx_float(n, "min", 0));
    if (!most && onnx_attr(n, "max")) most = tn_number(x, onnx_float(n, "max", 0));
    if (least) x = tn_max(x, tn_reshape(least, TN_SCALAR));
    if (most) x = tn_min(x, tn_reshape(most, TN_SCALAR));
    onnx_out(n, 0, x);
}

/* ---- of several operands ---- */

static tn_tensor *over_all(onnx_node *n, tn_tensor *(*function)(tn_tensor *a, tn_tensor *b))
{
    tn_tensor *y = onnx_in(n, 0);
    for (uint32_t i = 1; y && i < n->n_in; i++) y = function(y, onnx_in(n, i));
    return y;
}

void onnx_rule_max(onnx_node *n)
{
    onnx_out(n, 0, over_all(n, tn_max));
}

void onnx_rule_min(onnx_node *n)
{
    onnx_out(n, 0, over_all(n, tn_min));
}

void onnx_rule_sum(onnx_node *n)
{
    onnx_out(n, 0, over_all(n, tn_add));
}

void onnx_rule_mean(onnx_node *n)
{
    tn_tensor *sum = over_all(n, tn_add);
    if (sum) onnx_out(n, 0, tn_div(sum, tn_number(sum, n->n_in)));
}

/* Truth values of the condition are i32; where takes any. */
void onnx_rule_where(onnx_node *n)
{
    tn_tensor *condition = onnx_in(n, 0), *a = onnx_in(n, 1), *b = onnx_in(n, 2);
    if (condition && a && b) onnx_out_as(n, 0, tn_where(condition, a, b), onnx_type(n, 1));
}

/* The result is of the base's type. Whole numbers of whole powers by multiplying. */
void onnx_rule_pow(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *y = onnx_in(n, 1);
    if (!x || !y) return;
    if (!onnx_is_whole(onnx_type(n, 0))) {
        const double *number = onnx_is_known(n, 1) && tn_shape_of(y).rank == 0 ? onnx_known(n, 1) : NULL;
        if (number && *number == 2)
            x = tn_square(x);
        else
            x = tn_pow(x, tn_cast(y, tn_dtype_of(x)));
    } else {
        x = tn_round(tn_pow(tn_cast(x, TN_F64), tn_cast(y, TN_F64)));
    }
    onnx_out(n, 0, x);
}

void onnx_rule_mod(onnx_node *n)
{
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 1);
    if (a && b) onnx_out(n, 0, onnx_int(n, "fmod", 0) ? tn_fmod(a, b) : tn_remainder(a, b));
}

/* ---- truth ---- */

void onnx_rule_not(onnx_node *n)
{
    onnx_out(n, 0, tn_logical_not(onnx_in(n, 0)));
}

void onnx_rule_is_nan(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out_as(n, 0, tn_isnan(x), ONNX_BOOL);
}

void onnx_rule_is_inf(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    tn_tensor *y = tn_isinf(x), *zero = tn_number(x, 0);
    if (!onnx_int(n, "detect_positive", 1)) y = tn_mul(y, tn_lt(x, zero));
    if (!onnx_int(n, "detect_negative", 1)) y = tn_mul(y, tn_gt(x, zero));
    onnx_out_as(n, 0, y, ONNX_BOOL);
}

/* ---- bits: no operator has them, so each is a sum over the bits of products of truth values ---- */

typedef tn_tensor *bit_rule(tn_tensor *a, tn_tensor *b);

/* x by a power of two, downwards. */
static tn_tensor *shifted(tn_tensor *x, tn_tensor *power)
{
    return tn_div(tn_sub(x, tn_remainder(x, power)), power);
}

/* Bit i of x, from 0 for the lowest. */
static tn_tensor *bit(tn_tensor *x, int i)
{
    if (i == 31) return tn_lt(x, tn_number(x, 0));
    return tn_remainder(shifted(x, tn_number(x, ldexp(1, i))), tn_number(x, 2));
}

static void bitwise(onnx_node *n, bit_rule *rule)
{
    double least, most;
    tn_tensor *a = onnx_in(n, 0), *b = onnx_in(n, 1), *sum = NULL;
    if (!a || !b) return;
    onnx_range(onnx_type(n, 0), &least, &most);
    const int bits = (int)(log2(most - least + 1) + 0.5);
    for (int i = 0; i < bits; i++) {
        tn_tensor *one = rule(bit(a, i), bit(b, i));
        one = tn_mul(one, tn_number(one, i == 31 ? -0x1p31 : ldexp(1, i)));
        sum = sum ? tn_add(sum, one) : one;
    }
    onnx_out(n, 0, onnx_wrapped(sum, onnx_type(n, 0)));
}

void onnx_rule_bitwise_and(onnx_node *n)
{
    bitwise(n, tn_logical_and);
}

void onnx_rule_bitwise_or(onnx_node *n)
{
    bitwise(n, tn_logical_or);
}

void onnx_rule_bitwise_xor(onnx_node *n)
{
    bitwise(n, tn_logical_xor);
}

void onnx_rule_bitwise_not(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, onnx_wrapped(tn_sub(tn_number(x, -1), x), onnx_type(n, 0)));
}

void onnx_rule_bit_shift(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *by = onnx_in(n, 1);
    if (!x || !by) return;
    double least, most;
    int left = onnx_text_is(n, "direction", "", "LEFT");
    onnx_range(onnx_type(n, 0), &least, &most);
    tn_tensor *zero = tn_number(by, 0), *bits = tn_number(by, round(log2(most - least + 1)));
    tn_tensor *is_far = tn_logical_or(tn_lt(by, zero), tn_ge(by, bits)), *is_last = tn_eq(by, tn_number(by, 31));
    tn_tensor *power = tn_cast(tn_exp2(tn_cast(tn_where(is_last, zero, by), TN_F32)), TN_I32);
    tn_tensor *all = left ? zero : tn_neg(tn_lt(x, tn_number(x, 0)));
    tn_tensor *y = left ? tn_mul(x, tn_where(is_last, tn_number(by, INT32_MIN), power)) : shifted(x, power);
    if (!left) is_far = tn_logical_or(is_far, is_last);
    onnx_out(n, 0, onnx_wrapped(tn_where(is_far, all, y), onnx_type(n, 0)));
}

/* ---- dropout ---- */

void onnx_rule_dropout(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    onnx_heeded(n, "seed"); /* the state has one */
    if (!x) return;
    double ratio = n->n_in > 1 && n->in[1] ? onnx_known_number(n, 1, 0.5) : onnx_float(n, "ratio", 0.5);
    int trains = n->build->options.training || (n->n_in > 2 && n->in[2] && onnx_known_number(n, 2, 0) != 0);
    if (n->failed) return;
    trains = trains && ratio > 0;
    if (trains && onnx_wants(n, 1)) onnx_cannot(n, "the mask of a training");
    onnx_out(n, 0, trains ? tn_dropout(x, ratio) : x);
    onnx_out_as(n, 1, tn_full(n->graph, TN_I32, tn_shape_of(x), 1), ONNX_BOOL);
}
