/* rows.c: the inner loops of map: the rows of unary.def and binary.def for each type, casts, selection, loads, stores.
 * Compiled once for each instruction set (see isa.h); every loop is one that the compiler makes into vectors. */
#include "isa.h"
#include "math32.h"

/* The row's text is compiled twice in its function: `far` says that an argument of sin or cos is beyond what the fast
 * functions hold for, and then libm's are taken. Rows without them are left with one loop. */
CPU_FN float sin_f32(float x, int precise, int *far)
{
    if (precise) return sinf(x);
    *far |= !(fabsf(x) < CPU_FAR);
    return cpu_sin_cos(x, 0);
}

CPU_FN float cos_f32(float x, int precise, int *far)
{
    if (precise) return cosf(x);
    *far |= !(fabsf(x) < CPU_FAR);
    return cpu_sin_cos(x, 1);
}

CPU_FN double sin_f64(double x, int precise, int *far)
{
    (void)precise, (void)far;
    return sin(x);
}

CPU_FN double cos_f64(double x, int precise, int *far)
{
    (void)precise, (void)far;
    return cos(x);
}

/* Whole numbers, without a trap. */
CPU_FN int32_t divisor_i32(int32_t a, int32_t b)
{
    return b == 0 || (a == INT32_MIN && b == -1) ? 1 : b;
}

CPU_FN int32_t quotient_i32(int32_t a, int32_t b)
{
    const int32_t q = a / divisor_i32(a, b);
    return b == 0 ? 0 : q;
}

CPU_FN int32_t fmod_i32(int32_t a, int32_t b)
{
    const int32_t rest = a % divisor_i32(a, b);
    return b == 0 ? 0 : rest;
}

CPU_FN float quotient_f32(float a, float b)
{
    return a / b;
}

CPU_FN double quotient_f64(double a, double b)
{
    return a / b;
}

/* The texts' functions for a type, chosen by `real`. */
#define OF_TYPE(f, d, x) _Generic((real)0, float : f, default : d)((real)(x))
#define abs(x)           OF_TYPE(fabsf, fabs, x)
#define exp(x)           OF_TYPE(cpu_exp, exp, x)
#define expm1(x)         OF_TYPE(cpu_expm1, expm1, x)
#define log(x)           OF_TYPE(cpu_log, log, x)
#define log1p(x)         OF_TYPE(cpu_log1p, log1p, x)
#define sqrt(x)          OF_TYPE(sqrtf, sqrt, x)
#define rsqrt(x)         (1 / sqrt(x))
#define tanh(x)          OF_TYPE(cpu_tanh, tanh, x)
#define erf(x)           OF_TYPE(cpu_erf, erf, x)
#define floor(x)         OF_TYPE(floorf, floor, x)
#define exp2(x)          OF_TYPE(exp2f, exp2, x)
#define log2(x)          OF_TYPE(log2f, log2, x)
#define log10(x)         OF_TYPE(log10f, log10, x)
#define asin(x)          OF_TYPE(asinf, asin, x)
#define acos(x)          OF_TYPE(acosf, acos, x)
#define atan(x)          OF_TYPE(atanf, atan, x)
#define sinh(x)          OF_TYPE(sinhf, sinh, x)
#define cosh(x)          OF_TYPE(coshf, cosh, x)
#define asinh(x)         OF_TYPE(asinhf, asinh, x)
#define acosh(x)         OF_TYPE(acoshf, acosh, x)
#define atanh(x)         OF_TYPE(atanhf, atanh, x)
#define ceil(x)          OF_TYPE(ceilf, ceil, x)
#define trunc(x)         OF_TYPE(truncf, trunc, x)
#define rint(x)          OF_TYPE(rintf, rint, x)
#define sin(x)           _Generic((real)0, float : sin_f32, default : sin_f64)((real)(x), precise, &far)
#define cos(x)           _Generic((real)0, float : cos_f32, default : cos_f64)((real)(x), precise, &far)
#define pow(x, e)        _Generic((real)0, float : powf, default : pow)((real)(x), (real)(e))
#define atan2(u, v)      _Generic((real)0, float : atan2f, default : atan2)((real)(u), (real)(v))
#define fmod(u, v)       _Generic((real)0, int32_t : fmod_i32, float : fmodf, default : fmod)((real)(u), (real)(v))
#define quotient(u, v)                                                                                                 \
    _Generic((real)0, int32_t : quotient_i32, float : quotient_f32, default : quotient_f64)((real)(u), (real)(v))
#define min(u, v) ((u) < (v) ? (u) : (v))
#define max(u, v) ((u) > (v) ? (u) : (v))
#define F(c)      ((real)(c))

#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wtautological-compare"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wpass-failed"
#endif

#define LOOP _Pragma("omp simd") for (int64_t i = 0; i < n; i++)

#define ROW(fn, T, text, ...)                                                                                          \
    CPU_FN void fn##_loop(int64_t n, void *out, const void *const *arg, const int precise, int *is_far)                \
    {                                                                                                                  \
        typedef T real;                                                                                                \
        real *to = out;                                                                                                \
        int far = 0;                                                                                                   \
        (void)precise;                                                                                                 \
        if (is_far) {                                                                                                  \
            _Pragma("omp simd reduction(|:far)") for (int64_t i = 0; i < n; i++)                                       \
            {                                                                                                          \
                __VA_ARGS__;                                                                                           \
                (void)(text);                                                                                          \
            }                                                                                                          \
            *is_far = far;                                                                                             \
            return;                                                                                                    \
        }                                                                                                              \
        LOOP                                                                                                           \
        {                                                                                                              \
            __VA_ARGS__;                                                                                               \
            to[i] = (T)(text);                                                                                         \
        }                                                                                                              \
    }                                                                                                                  \
    static void fn(int64_t n, void *out, const void *const *arg)                                                       \
    {                                                                                                                  \
        int far;                                                                                                       \
        fn##_loop(n, out, arg, 0, &far);                                                                               \
        if (far)                                                                                                       \
            fn##_loop(n, out, arg, 1, 0);                                                                              \
        else                                                                                                           \
            fn##_loop(n, out, arg, 0, 0);                                                                              \
    }
#define ARG(v, k)           v = ((const real *)arg[k])[i]
#define ONE(v, k)           v = *(const real *)arg[k]
#define IF_REAL_float(...)  __VA_ARGS__
#define IF_REAL_double(...) __VA_ARGS__
#define IF_REAL_int32_t(...)
#define UNARY(p, T, name, y_text, dx_text)                                                                             \
    ROW(p##_##name, T, y_text, const real ARG(x, 0))                                                                   \
    ROW(p##_##name##_grad, T, dx_text, const real ARG(x, 0), ARG(y, 1), ARG(dy, 2))
#define BINARY(p, T, name, y_text, da_text, db_text)                                                                   \
    ROW(p##_##name, T, y_text, const real ARG(a, 0), ARG(b, 1))                                                        \
    IF_REAL_##T(ROW(p##_##name##_one_a, T, y_text, const real ONE(a, 0), ARG(b, 1)))                                   \
        IF_REAL_##T(ROW(p##_##name##_one_b, T, y_text, const real ARG(a, 0), ONE(b, 1)))                               \
            ROW(p##_##name##_da, T, da_text, const real ARG(a, 0), ARG(b, 1), ARG(y, 2), ARG(dy, 3))                   \
                ROW(p##_##name##_db, T, db_text, const real ARG(a, 0), ARG(b, 1), ARG(y, 2), ARG(dy, 3))
#define INTEGER_F(...)
#define INTEGER_FI(...) BINARY(i32, int32_t, __VA_ARGS__)

#define X(name, y_text, dx_text, doc) UNARY(f32, float, name, y_text, dx_text) UNARY(f64, double, name, y_text, dx_text)
#include <tenon/unary.def>
#undef X
#define X(name, types, y_text, da_text, db_text, doc)                                                                  \
    BINARY(f32, float, name, y_text, da_text, db_text)                                                                 \
    BINARY(f64, double, name, y_text, da_text, db_text)                                                                \
    INTEGER_##types(name, y_text, da_text, db_text)
#include <tenon/binary.def>
#undef X

#define IF_F(fn)  0
#define IF_FI(fn) fn
static const cpu_row rows[] = {
#define X(name, y_text, dx_text, doc)                                                                                  \
    {#name, #y_text, 1, {f32_##name, 0, f64_##name}},                                                                  \
        {#name ".grad", #dx_text, 3, {f32_##name##_grad, 0, f64_##name##_grad}},
#include <tenon/unary.def>
#undef X
#define X(name, types, y_text, da_text, db_text, doc)                                                                  \
    {#name,                                                                                                            \
     #y_text,                                                                                                          \
     2,                                                                                                                \
     {f32_##name, IF_##types(i32_##name), f64_##name},                                                                 \
     {{f32_##name##_one_a, 0, f64_##name##_one_a}, {f32_##name##_one_b, 0, f64_##name##_one_b}}},                      \
        {#name ".da", #da_text, 4, {f32_##name##_da, IF_##types(i32_##name##_da), f64_##name##_da}},                   \
        {#name ".db", #db_text, 4, {f32_##name##_db, IF_##types(i32_##name##_db), f64_##name##_db}},
#include <tenon/binary.def>
#undef X
    {0, 0, 0, {0}}};

/* ---- several operations at once: what optimizers and recurrent cells are made of --------------------------------- */

#define JOINED(name, text, ...) ROW(f32_##name, float, text, __VA_ARGS__) ROW(f64_##name, double, text, __VA_ARGS__)
#define ARG3                    const real ARG(a, 0), ARG(b, 1), ARG(c, 2)
#define ARG4                    ARG3, ARG(d, 3)
JOINED(descent, a - b * (c / (d * sqrt(e) + f)), ARG4, ARG(e, 4), ARG(f, 5))
JOINED(blend_square, a *b + c * (d * d), ARG4)
JOINED(blend, a *b + c * d, ARG4)
JOINED(mul_add, a *b + c, ARG3)
JOINED(add_mul, a + b * c, ARG3)
JOINED(sub_mul, a - b * c, ARG3)

#define OF_FLOATS(name)                                                                                                \
    {                                                                                                                  \
        f32_##name, 0, f64_##name                                                                                      \
    }
static const cpu_joined joined[] = {
    {"sub(0,mul(1,div(2,add(mul(3,sqrt(4)),5))))", OF_FLOATS(descent)},
    {"add(mul(0,1),mul(2,square(3)))", OF_FLOATS(blend_square)},
    {"add(mul(0,1),mul(2,3))", OF_FLOATS(blend)},
    {"add(mul(0,1),2)", OF_FLOATS(mul_add)},
    {"add(0,mul(1,2))", OF_FLOATS(add_mul)},
    {"sub(0,mul(1,2))", OF_FLOATS(sub_mul)},
    {0, {0}},
};

/* ---- casts and selection ----------------------------------------------------------------------------------------- */

/* To an integer: towards zero; what does not fit becomes the nearest that does, NaN 0. */
CPU_FN int32_t whole(double x)
{
    const double low = x > -2147483648.0 ? x : -2147483648.0, y = low < 2147483647.0 ? low : 2147483647.0;
    return (int32_t)(x == x ? y : 0);
}

#define CAST(fn, T, U, text)                                                                                           \
    static void fn(int64_t n, void *out, const void *const *arg)                                                       \
    {                                                                                                                  \
        const U *from = arg[0];                                                                                        \
        T *to = out;                                                                                                   \
        LOOP to[i] = (T)text(from[i]);                                                                                 \
    }
CAST(f32_of_f32, float, float, )
CAST(f32_of_i32, float, int32_t, )
CAST(f32_of_f64, float, double, )
CAST(i32_of_f32, int32_t, float, whole)
CAST(i32_of_i32, int32_t, int32_t, )
CAST(i32_of_f64, int32_t, double, whole)
CAST(f64_of_f32, double, float, )
CAST(f64_of_i32, double, int32_t, )
CAST(f64_of_f64, double, double, )

#define WHERE(fn, T, U)                                                                                                \
    static void fn(int64_t n, void *out, const void *const *arg)                                                       \
    {                                                                                                                  \
        const U *c = arg[0];                                                                                           \
        const T *a = arg[1], *b = arg[2];                                                                              \
        T *to = out;                                                                                                   \
        LOOP                                                                                                           \
        {                                                                                                              \
            const T yes = a[i], no = b[i];                                                                             \
            to[i] = c[i] != 0 ? yes : no;                                                                              \
        }                                                                                                              \
    }
WHERE(f32_by_f32, float, float)
WHERE(f32_by_i32, float, int32_t)
WHERE(f32_by_f64, float, double)
WHERE(i32_by_f32, int32_t, float)
WHERE(i32_by_i32, int32_t, int32_t)
WHERE(i32_by_f64, int32_t, double)
WHERE(f64_by_f32, double, float)
WHERE(f64_by_i32, double, int32_t)
WHERE(f64_by_f64, double, double)

/* ---- loads and stores -------------------------------------------------------------------------------------------- */

/* Bits of a half to a float: the exponent is moved by a product, which also makes denormals right. */
CPU_FN float half_to_float(uint32_t h)
{
    const uint32_t m = (h & 0x7fffu) << 13;
    const float x = cpu_float(m) * 0x1p112f;
    const uint32_t u = (h & 0x7c00u) == 0x7c00u ? m | 0x7f800000u : cpu_bits(x);
    return cpu_float(u | (h & 0x8000u) << 16);
}

/* To nearest, ties to even. A denormal half is found by adding a number whose last place is that half's. */
CPU_FN uint16_t float_to_half(float x)
{
    const uint32_t u = cpu_bits(x), sign = u >> 16 & 0x8000u, a = u & 0x7fffffffu;
    const uint32_t small = cpu_bits(cpu_float(a < 0x38800000u ? a : 0) + 0.5f) - 0x3f000000u;
    const uint32_t normal = (a + 0xfffu + (a >> 13 & 1) - 0x38000000u) >> 13;
    const uint32_t huge = a > 0x7f800000u ? 0x7e00u : 0x7c00u;
    return (uint16_t)(sign | (a < 0x38800000u ? small : a >= 0x477ff000u ? huge : normal));
}

CPU_FN uint16_t float_to_bf16(float x)
{
    const uint32_t u = cpu_bits(x);
    return (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? u >> 16 | 0x40u : (u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

CPU_FN float bf16_to_float(uint32_t h)
{
    return cpu_float(h << 16);
}

#define MOVE(fn, T, U, text)                                                                                           \
    static void fn(int64_t n, void *out, const void *in)                                                               \
    {                                                                                                                  \
        const U *from = in;                                                                                            \
        T *to = out;                                                                                                   \
        LOOP to[i] = (T)text(from[i]);                                                                                 \
    }
MOVE(load_u8, int32_t, uint8_t, )
MOVE(load_i8, int32_t, int8_t, )
MOVE(load_f16, float, uint16_t, half_to_float)
MOVE(load_bf16, float, uint16_t, bf16_to_float)
MOVE(store_u8, uint8_t, int32_t, )
MOVE(store_f16, uint16_t, float, float_to_half)
MOVE(store_bf16, uint16_t, float, float_to_bf16)
MOVE(move_4, uint32_t, uint32_t, )
MOVE(move_8, uint64_t, uint64_t, )

/* One value n times; `one` may be the first of them. */
#define SPLAT(fn, T)                                                                                                   \
    static void fn(int64_t n, void *out, const void *one)                                                              \
    {                                                                                                                  \
        const T v = *(const T *)one;                                                                                   \
        T *to = out;                                                                                                   \
        LOOP to[i] = v;                                                                                                \
    }
SPLAT(splat_1, uint8_t)
SPLAT(splat_2, uint16_t)
SPLAT(splat_4, uint32_t)
SPLAT(splat_8, uint64_t)

/* ---- softmax ----------------------------------------------------------------------------------------------------- */

#define INNER 64 /* columns at a time, and elements that are added up in their own type */

/* A block of `k` <= INNER columns, `inner` apart. */
#define SOFTMAX_COLUMNS(fn, T)                                                                                         \
    CPU_FN void fn##_columns(int logs, int64_t n, int64_t inner, int64_t k, const T *x, T *y)                          \
    {                                                                                                                  \
        typedef T real;                                                                                                \
        T top[INNER], fix[INNER];                                                                                      \
        double sum[INNER];                                                                                             \
        for (int64_t j = 0; j < k; j++) top[j] = x[j], sum[j] = 0;                                                     \
        for (int64_t r = 1; r < n; r++)                                                                                \
            _Pragma("omp simd") for (int64_t j = 0; j < k; j++) top[j] = max(x[r * inner + j], top[j]);                \
        for (int64_t r = 0; r < n; r++) _Pragma("omp simd") for (int64_t j = 0; j < k; j++)                            \
            {                                                                                                          \
                const real d = x[r * inner + j] - top[j], e = exp(d);                                                  \
                sum[j] += e;                                                                                           \
                y[r * inner + j] = logs ? d : e;                                                                       \
            }                                                                                                          \
        _Pragma("omp simd") for (int64_t j = 0; j < k; j++) fix[j] = logs ? log(sum[j]) : (real)(1 / sum[j]);          \
        for (int64_t r = 0; r < n; r++) _Pragma("omp simd") for (int64_t j = 0; j < k; j++)                            \
            {                                                                                                          \
                const real v = y[r * inner + j];                                                                       \
                y[r * inner + j] = logs ? v - fix[j] : v * fix[j];                                                     \
            }                                                                                                          \
    }

/* A line in one piece. */
#define SOFTMAX_ROW(fn, T)                                                                                             \
    CPU_FN void fn##_row(int logs, int64_t n, const T *x, T *y)                                                        \
    {                                                                                                                  \
        typedef T real;                                                                                                \
        T top = x[0];                                                                                                  \
        double sum = 0;                                                                                                \
        _Pragma("omp simd reduction(max:top)") for (int64_t i = 0; i < n; i++) top = max(x[i], top);                   \
        for (int64_t b = 0; b < n; b += INNER) {                                                                       \
            const int64_t end = n - b < INNER ? n : b + INNER;                                                         \
            T part = 0;                                                                                                \
            _Pragma("omp simd reduction(+:part)") for (int64_t i = b; i < end; i++)                                    \
            {                                                                                                          \
                const real d = x[i] - top, e = exp(d);                                                                 \
                part += e;                                                                                             \
                y[i] = logs ? d : e;                                                                                   \
            }                                                                                                          \
            sum += part;                                                                                               \
        }                                                                                                              \
        const real fix = logs ? log((real)sum) : (real)(1 / sum);                                                      \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                            \
        {                                                                                                              \
            const real v = y[i];                                                                                       \
            y[i] = logs ? v - fix : v * fix;                                                                           \
        }                                                                                                              \
    }

/* All lines of n elements, `inner` apart. */
#define SOFTMAX(fn, T)                                                                                                 \
    SOFTMAX_COLUMNS(fn, T)                                                                                             \
    SOFTMAX_ROW(fn, T)                                                                                                 \
    static void fn(int logs, int64_t n, int64_t inner, const T *x, T *y)                                               \
    {                                                                                                                  \
        if (inner == 1 && logs)                                                                                        \
            fn##_row(1, n, x, y);                                                                                      \
        else if (inner == 1)                                                                                           \
            fn##_row(0, n, x, y);                                                                                      \
        else                                                                                                           \
            for (int64_t j = 0; j < inner; j += INNER)                                                                 \
                fn##_columns(logs, n, inner, inner - j < INNER ? inner - j : INNER, x + j, y + j);                     \
    }
SOFTMAX(softmax_f32, float)
SOFTMAX(softmax_f64, double)

static void softmax(int type, int logs, int64_t n, int64_t inner, const void *x, void *y)
{
    if (type == CPU_F64)
        softmax_f64(logs, n, inner, x, y);
    else
        softmax_f32(logs, n, inner, x, y);
}

/* ---- random numbers ---------------------------------------------------------------------------------------------- */

#define WORDS 256 /* random words at a time */

/* Philox4x32-10: the words of elements `first`.., `first` a multiple of 4, WORDS of them. */
static void philox(uint32_t *words, const uint64_t key[2], uint32_t stream, uint64_t first)
{
    const uint32_t seed0 = (uint32_t)key[1], seed1 = (uint32_t)(key[1] >> 32);
#pragma omp simd
    for (int32_t g = 0; g < WORDS / 4; g++) {
        const uint64_t e = first / 4 + (uint64_t)g;
        uint32_t k0 = (uint32_t)key[0], k1 = (uint32_t)(key[0] >> 32);
        uint32_t a = (uint32_t)e, b = stream + ((uint32_t)(e >> 32) << 24), c = seed0, d = seed1;
#pragma GCC unroll 10
        for (int r = 0; r < 10; r++) {
            const uint64_t p = (uint64_t)0xD2511F53u * a, q = (uint64_t)0xCD9E8D57u * c;
            a = (uint32_t)(q >> 32) ^ b ^ k0, b = (uint32_t)q;
            c = (uint32_t)(p >> 32) ^ d ^ k1, d = (uint32_t)p;
            k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
        }
        words[4 * g] = a, words[4 * g + 1] = b, words[4 * g + 2] = c, words[4 * g + 3] = d;
    }
}

#define RANDOM(T, fn, pair, ...)                                                                                       \
    static void fn(int64_t n, T *out, const uint64_t *key, uint32_t stream, uint64_t first)                            \
    {                                                                                                                  \
        typedef T real;                                                                                                \
        uint32_t words[WORDS];                                                                                         \
        real value[WORDS];                                                                                             \
        for (uint64_t e = first & ~(uint64_t)3; n > 0; e += WORDS) {                                                   \
            philox(words, key, stream, e);                                                                             \
            _Pragma("omp simd") for (int32_t i = 0; i < WORDS; i += 1 + pair)                                          \
                __VA_ARGS__ const int64_t skip = e < first ? (int64_t)(first - e) : 0,                                 \
                                          take = n < WORDS - skip ? n : WORDS - skip;                                  \
            for (int64_t i = 0; i < take; i++) out[i] = value[skip + i];                                               \
            out += take, n -= take;                                                                                    \
        }                                                                                                              \
    }
#define UNIT(w) ((real)(int32_t)((w) >> 8) * F(0x1p-24))
RANDOM(float, uniform_f32, 0, value[i] = UNIT(words[i]);)
RANDOM(double, uniform_f64, 0, value[i] = UNIT(words[i]);)
RANDOM(float, normal_f32, 1, {
    const int32_t turn = (int32_t)(words[i + 1] >> 8), quarter = (turn + 0x200000) >> 22;
    const float r = sqrtf(-2 * cpu_log((real)(int32_t)((words[i] >> 8) + 1) * 0x1p-24f));
    const float angle = (real)(turn - (quarter << 22)) * 3.74507029e-7f; /* 2 pi 2^-24 */
    value[i] = r * cpu_circle(angle, (uint32_t)quarter + 1);
    value[i + 1] = r * cpu_circle(angle, (uint32_t)quarter);
})
RANDOM(double, normal_f64, 1, {
    int far = 0, precise = 0;
    const real r = sqrt(-2 * log((real)(int32_t)((words[i] >> 8) + 1) * 0x1p-24));
    const real angle = UNIT(words[i + 1]) * 6.283185307179586;
    value[i] = r * cos(angle);
    value[i + 1] = r * sin(angle);
})

static void uniform(int type, int64_t n, void *out, const uint64_t key[2], uint32_t stream, uint64_t first)
{
    if (type == CPU_F64)
        uniform_f64(n, out, key, stream, first);
    else
        uniform_f32(n, out, key, stream, first);
}

static void normal(int type, int64_t n, void *out, const uint64_t key[2], uint32_t stream, uint64_t first)
{
    if (type == CPU_F64)
        normal_f64(n, out, key, stream, first);
    else
        normal_f32(n, out, key, stream, first);
}

const cpu_rows CPU_NAME(rows) = {
    .row = rows,
    .joined = joined,
    .cast = {{f32_of_f32, f32_of_i32, f32_of_f64},
             {i32_of_f32, i32_of_i32, i32_of_f64},
             {f64_of_f32, f64_of_i32, f64_of_f64}},
    .where = {{f32_by_f32, f32_by_i32, f32_by_f64},
              {i32_by_f32, i32_by_i32, i32_by_f64},
              {f64_by_f32, f64_by_i32, f64_by_f64}},
    .load = {0, move_4, move_4, load_u8, load_f16, load_bf16, move_8, load_i8},
    .store = {0, move_4, move_4, store_u8, store_f16, store_bf16, move_8, store_u8},
    .splat = {0, splat_1, splat_2, 0, splat_4, 0, 0, 0, splat_8},
    .uniform = uniform,
    .normal = normal,
    .softmax = softmax,
};
