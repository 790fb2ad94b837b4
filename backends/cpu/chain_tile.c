/* chain_tile.c: results through a chain of operations (chain.h), in registers, a few vectors at a time. Each
 * operation is that of its row in unary.def or binary.def. Compiled once for each instruction set (see isa.h). */
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "isa.h"
#include "math32.h"
#include "tile.h"

enum { MANY = 8, SOME = 2 /* vectors at once */ };

typedef float V __attribute__((vector_size(BYTES)));
typedef float VU __attribute__((vector_size(BYTES), aligned(sizeof(float)), may_alias));
typedef int32_t VI __attribute__((vector_size(BYTES)));
enum { W = BYTES / sizeof(float) };

static inline __attribute__((always_inline)) V choose(VI yes, V a, V b)
{
    return (V)((yes & (VI)a) | (~yes & (VI)b));
}

static inline __attribute__((always_inline)) V hard_swish(V x)
{
    const V inner = choose(x < 3.0f - (V){0}, x * (x / 6 + 0.5f), x);
    return choose(x <= -3.0f - (V){0}, (V){0}, inner);
}

static inline __attribute__((always_inline)) V hard_sigmoid(V x)
{
    const V inner = choose(x < 3.0f - (V){0}, x / 6 + 0.5f, choose(x >= 3.0f - (V){0}, 1.0f - (V){0}, x));
    return choose(x <= -3.0f - (V){0}, (V){0}, inner);
}

/* exp(x) for -87 <= x <= 87, as cpu_exp of math32.h. */
static inline __attribute__((always_inline)) V exp_within(V x)
{
    const V z = x * 1.44269504f + CPU_ROUND, n = z - CPU_ROUND, r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
    V p = 0.0001991001297f * r + 0.001394675525f;
    p = p * r + 0.008333279941f;
    p = p * r + 0.0416662588f;
    p = p * r + 0.1666666679f;
    p = p * r + 0.5f;
    return (1 + (r + r * r * p)) * (V)(((VI)z - (0x4b400000 - 127)) << 23);
}

/* The smaller of x and `high`, the larger of x and `low`, a NaN if x is one; y, or zero where x is less than `least`;
 * 1 / x, where that is neither denormal nor infinite; the first n numbers, and zeros; and those back. */
#if defined(__AVX512F__)
static inline V below(V x, float high)
{
    return (V)_mm512_min_ps(_mm512_set1_ps(high), (__m512)x);
}

static inline V above(V x, float low)
{
    return (V)_mm512_max_ps(_mm512_set1_ps(low), (__m512)x);
}

static inline V unless_less(V x, float least, V y)
{
    return (V)_mm512_maskz_mov_ps(_mm512_cmp_ps_mask((__m512)x, _mm512_set1_ps(least), _CMP_NLT_UQ), (__m512)y);
}

static inline V inverse(V x)
{
    const V y = (V)_mm512_rcp14_ps((__m512)x);
    return y * (2 - x * y);
}

static inline V take_some(const float *from, int64_t n)
{
    return (V)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), from);
}

static inline void put_some(float *to, int64_t n, V x)
{
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << n) - 1), (__m512)x);
}
#else
static inline V below(V x, float high)
{
    return choose(x > high - (V){0}, high - (V){0}, x);
}

static inline V above(V x, float low)
{
    return choose(x < low - (V){0}, low - (V){0}, x);
}

static inline V unless_less(V x, float least, V y)
{
    return choose(x < least - (V){0}, (V){0}, y);
}

static inline V inverse(V x)
{
    return 1 / x;
}

static inline V take_some(const float *from, int64_t n)
{
    V x = {0};
    for (int64_t i = 0; i < n; i++) x[i] = from[i];
    return x;
}

static inline void put_some(float *to, int64_t n, V x)
{
    for (int64_t i = 0; i < n; i++) to[i] = x[i];
}
#endif

/* Below -87 it is 1e-38, and below -104 zero: between, where it would be denormal, that is more than it would be. */
static inline __attribute__((always_inline)) V sigmoid(V x)
{
    return unless_less(x, -104, inverse(1 + exp_within(-below(above(x, -87), 87))));
}

#define EACH(y)                                                                                                        \
    UNROLL for (int v = 0; v < count; v++) x[v] = (y);                                                                 \
    break
#define ALL (*(const VU *)(s->all + at + v * W))

/* `count` vectors; element `at` of the operands is the first one's. */
static inline __attribute__((always_inline)) void chain_vectors(const cpu_chain_step *s, int64_t steps, int64_t at,
                                                                float *y, const int count)
{
    V x[MANY];
    UNROLL for (int v = 0; v < count; v++) x[v] = *(const VU *)(y + v * W);
    for (const cpu_chain_step *end = s + steps; s < end; s++) {
        const V one = s->one - (V){0};
        switch (s->kind) {
        case CPU_CHAIN_ADD:
            EACH(x[v] + one);
        case CPU_CHAIN_SUB:
            EACH(x[v] - one);
        case CPU_CHAIN_MUL:
            EACH(x[v] * one);
        case CPU_CHAIN_MAX:
            EACH(choose(one > x[v], one, x[v]));
        case CPU_CHAIN_MIN:
            EACH(choose(one < x[v], one, x[v]));
        case CPU_CHAIN_LEAKY:
            EACH(choose(x[v] < (V){0}, x[v] * one, x[v]));
        case CPU_CHAIN_RELU:
            EACH(choose(x[v] < (V){0}, (V){0}, x[v]));
        case CPU_CHAIN_RELU6:
            EACH(choose(x[v] < (V){0}, (V){0}, choose(x[v] > 6.0f - (V){0}, 6.0f - (V){0}, x[v])));
        case CPU_CHAIN_HARD_SWISH:
            EACH(hard_swish(x[v]));
        case CPU_CHAIN_HARD_SIGMOID:
            EACH(hard_sigmoid(x[v]));
        case CPU_CHAIN_HARD_GATE:
            EACH(x[v] * hard_sigmoid(x[v]));
        case CPU_CHAIN_SIGMOID:
            EACH(sigmoid(x[v]));
        case CPU_CHAIN_SILU:
            EACH(x[v] * sigmoid(x[v]));
        case CPU_CHAIN_ADD_ALL:
            EACH(x[v] + ALL);
        case CPU_CHAIN_SUB_ALL:
            EACH(x[v] - ALL);
        case CPU_CHAIN_MUL_ALL:
            EACH(x[v] * ALL);
        }
    }
    UNROLL for (int v = 0; v < count; v++) * (VU *)(y + v * W) = x[v];
}

/* Fewer than a vector, by way of vectors of their own. */
static void chain_rest(const cpu_chain_step *s, int64_t steps, int64_t at, int64_t n, float *y)
{
    V x = take_some(y, n), all[CPU_CHAIN_STEPS];
    cpu_chain_step own[CPU_CHAIN_STEPS];
    for (int64_t k = 0; k < steps; k++) {
        own[k] = s[k];
        if (s[k].all) all[k] = take_some(s[k].all + at, n), own[k].all = (const float *)&all[k];
    }
    chain_vectors(own, steps, 0, (float *)&x, 1);
    put_some(y, n, x);
}

static void chain_f32(const cpu_chain_step *s, int64_t steps, int64_t n, float *y)
{
    int64_t i = 0;
    for (; i + MANY * W <= n; i += MANY * W) chain_vectors(s, steps, i, y + i, MANY);
    for (; i + SOME * W <= n; i += SOME * W) chain_vectors(s, steps, i, y + i, SOME);
    for (; i + W <= n; i += W) chain_vectors(s, steps, i, y + i, 1);
    if (i < n) chain_rest(s, steps, i, n - i, y + i);
}

cpu_chain_loop *const CPU_NAME(chain_f32) = chain_f32;
