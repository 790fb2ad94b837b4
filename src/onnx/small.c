/* small.c: floating point of eight bits and fewer, kept as f32: which numbers each type has, and the nearest of them.
 * The formats are those of the OCP 8-bit Floating Point Specification, of ONNX's "Float stored in 8 bits" (fnuz) and,
 * of four bits and of exponents alone, the OCP Microscaling Formats. */
#include <math.h>
#include <string.h>

#include "rule.h"

enum { MOST_CODES = 256 };

/* Numbers by their codes: those from 0 on, and the code behind the largest. */
typedef struct small_format {
    uint32_t exponent, mantissa; /* bits */
    int32_t bias;
    uint32_t codes;    /* of finite numbers that are not negative */
    double beyond;     /* what the next code is */
    uint32_t no_minus; /* there is no -0: its code is a NaN */
} small_format;

static const small_format formats[] = {
    [ONNX_FLOAT8E4M3FN] = {4, 3, 7, 127, (double)NAN, 0},
    [ONNX_FLOAT8E4M3FNUZ] = {4, 3, 8, 128, (double)NAN, 1},
    [ONNX_FLOAT8E5M2] = {5, 2, 15, 124, INFINITY, 0},
    [ONNX_FLOAT8E5M2FNUZ] = {5, 2, 16, 128, (double)NAN, 1},
    [ONNX_FLOAT4E2M1] = {2, 1, 1, 8, 6, 0},
    [ONNX_FLOAT8E8M0] = {8, 0, 127, 255, (double)NAN, 0},
};

static const small_format *format_of(int32_t type)
{
    return type > 0 && type < (int32_t)(sizeof formats / sizeof *formats) && formats[type].codes ? &formats[type]
                                                                                                 : NULL;
}

int onnx_is_small(int32_t type)
{
    return format_of(type) != NULL;
}

/* Exponents alone have neither 0 nor a sign. */
static double magnitude(const small_format *f, uint32_t code)
{
    const int32_t exponent = (int32_t)(code >> f->mantissa);
    const double part = code & ((1u << f->mantissa) - 1);
    if (!f->mantissa) return ldexp(1, exponent - f->bias);
    return exponent ? ldexp(part + (1u << f->mantissa), exponent - f->bias - (int32_t)f->mantissa)
                    : ldexp(part, 1 - f->bias - (int32_t)f->mantissa);
}

double onnx_small_number(int32_t type, uint32_t code)
{
    const small_format *f = format_of(type);
    const uint32_t bits = f->exponent + f->mantissa, minus = f->mantissa ? code >> bits & 1 : 0;
    code &= (1u << bits) - 1;
    if (minus && f->no_minus && !code) return (double)NAN;
    const double x = code < f->codes ? magnitude(f, code) : code == f->codes ? f->beyond : (double)NAN;
    return minus ? -x : x;
}

/* ---- the nearest ---- */

/* Where each code but the first begins: halfway, or for exponents alone as is asked, where 0 has the first to itself.
 */
static double border(const small_format *f, uint32_t code, onnx_small_round how)
{
    if (how == ONNX_SMALL_UP) return code > 1 ? magnitude(f, code - 1) : 0;
    if (how == ONNX_SMALL_DOWN) return magnitude(f, code);
    return (magnitude(f, code - 1) + magnitude(f, code)) / 2;
}

static tn_tensor *line(tn_tensor *x, const float value[], uint32_t count)
{
    return tn_cast(tn_constant(tn_graph_of(x), TN_F32, TN_SHAPE((int64_t)count), value), tn_dtype_of(x));
}

/* How many borders lie below x; with one that x lies on if that makes the code even, or of exponents alone in any case
 * but upwards. */
static tn_tensor *code_of(const small_format *f, tn_tensor *x, tn_tensor *borders, onnx_small_round how)
{
    tn_tensor *below = tn_searchsorted(borders, x, 0), *up_to = tn_searchsorted(borders, x, 1);
    if (!f->mantissa) return how == ONNX_SMALL_UP ? below : up_to;
    return tn_add(below, tn_mul(tn_sub(up_to, below), tn_remainder(below, tn_number(below, 2))));
}

tn_tensor *onnx_small_rounded(tn_tensor *x, int32_t type, int saturate, onnx_small_round how)
{
    const small_format *f = format_of(type);
    float borders[MOST_CODES], values[MOST_CODES + 1];
    if (tn_is_whole(tn_dtype_of(x))) x = tn_cast(x, TN_F32);
    for (uint32_t i = 0; i < f->codes; i++) values[i] = (float)magnitude(f, i);
    for (uint32_t i = 1; i <= f->codes; i++) borders[i - 1] = (float)border(f, i, how);
    values[f->codes] = (float)f->beyond;
    tn_tensor *size = tn_abs(x), *none = tn_isnan(x);
    if (!f->mantissa) none = tn_logical_or(none, tn_isinf(x));
    if (saturate) size = tn_min(size, tn_number(size, values[f->codes - 1]));
    tn_tensor *code = code_of(f, size, line(x, borders, f->codes), how);
    tn_tensor *y = tn_gather(line(x, values, f->codes + 1), code);
    if (f->mantissa) y = tn_where(tn_lt(x, tn_number(x, 0)), tn_neg(y), y);
    const double nan = type == ONNX_FLOAT4E2M1 ? 0 : (double)NAN;
    return tn_cast(tn_where(none, tn_number(y, nan), y), TN_F32);
}
