/* chain_tile.c: results through a chain of operations (chain.h), in registers, a few vectors at a time. Each
 * operation is that of its row in unary.def or binary.def. Compiled once for each instruction set (see isa.h). */
#include "isa.h"
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
    float x[W], all[CPU_CHAIN_STEPS][W];
    cpu_chain_step own[CPU_CHAIN_STEPS];
    for (int64_t i = 0; i < W; i++) x[i] = i < n ? y[i] : 0;
    for (int64_t k = 0; k < steps; k++) {
        own[k] = s[k];
        if (!s[k].all) continue;
        for (int64_t i = 0; i < W; i++) all[k][i] = i < n ? s[k].all[at + i] : 0;
        own[k].all = all[k];
    }
    chain_vectors(own, steps, 0, x, 1);
    for (int64_t i = 0; i < n; i++) y[i] = x[i];
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
