/* gemm.c: packing and the register tile of a matrix product, for float and double. Compiled once for each instruction
 * set (see isa.h); the vectors are the compiler's, as wide as the instruction set's.
 *
 * Packed operands are panels of mr rows (nr columns), each k deep, k outermost; the last panel is filled up with
 * zeros. A tile keeps mr * nr sums in registers. */
#include <string.h>

#include "isa.h"

#if defined(__AVX512F__)
#define BYTES 64
#define MR    12
#define NV    2
#elif defined(__AVX2__)
#define BYTES 32
#define MR    6
#define NV    2
#elif defined(__ARM_NEON)
#define BYTES 16
#define MR    8
#define NV    3
#else
#define BYTES 16
#define MR    4
#define NV    2
#endif
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

#define GEMM(T, V, VU, tile, pack, pack_a, pack_b, table, KC, MC)                                                      \
    typedef T V __attribute__((vector_size(BYTES)));                                                                   \
    typedef T VU __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));                                   \
    enum { W_##V = BYTES / sizeof(T), NR_##V = NV * W_##V };                                                           \
    static void tile(int64_t k, const void *panel_a, const void *panel_b, void *to, int64_t ldc, int add)              \
    {                                                                                                                  \
        const T *a = panel_a, *b = panel_b;                                                                            \
        T *c = to;                                                                                                     \
        V acc[MR][NV];                                                                                                 \
        UNROLL for (int r = 0; r < MR; r++) UNROLL for (int v = 0; v < NV; v++) acc[r][v] = (V){0};                    \
        for (int64_t l = 0; l < k; l++, a += MR, b += NR_##V) {                                                        \
            V bv[NV];                                                                                                  \
            UNROLL for (int v = 0; v < NV; v++) bv[v] = *(const VU *)(b + v * W_##V);                                  \
            UNROLL for (int r = 0; r < MR; r++)                                                                        \
            {                                                                                                          \
                const V av = a[r] - (V){0};                                                                            \
                UNROLL for (int v = 0; v < NV; v++) acc[r][v] += av * bv[v];                                           \
            }                                                                                                          \
        }                                                                                                              \
        UNROLL for (int r = 0; r < MR; r++) UNROLL for (int v = 0; v < NV; v++)                                        \
        {                                                                                                              \
            VU *at = (VU *)(c + r * ldc + v * W_##V);                                                                  \
            if (add)                                                                                                   \
                *at += acc[r][v];                                                                                      \
            else                                                                                                       \
                *at = acc[r][v];                                                                                       \
        }                                                                                                              \
    }                                                                                                                  \
    /* One panel of `wide` places, of which `count` are there. */                                                      \
    static inline __attribute__((always_inline)) void pack(int64_t wide, int64_t count, int64_t k, const T *from,      \
                                                           int64_t si, int64_t sl, T *to)                              \
    {                                                                                                                  \
        if (count == wide && si == 1)                                                                                  \
            for (int64_t l = 0; l < k; l++) memcpy(to + l * wide, from + l * sl, (uint64_t)wide * sizeof(T));          \
        else if (count == wide)                                                                                        \
            for (int64_t l = 0; l < k; l++)                                                                            \
                for (int64_t i = 0; i < wide; i++) to[l * wide + i] = from[i * si + l * sl];                           \
        else                                                                                                           \
            for (int64_t l = 0; l < k; l++)                                                                            \
                for (int64_t i = 0; i < wide; i++) to[l * wide + i] = i < count ? from[i * si + l * sl] : 0;           \
    }                                                                                                                  \
    static void pack_a(int64_t count, int64_t k, const void *from, int64_t si, int64_t sl, void *to)                   \
    {                                                                                                                  \
        for (int64_t i = 0; i < count; i += MR)                                                                        \
            pack(MR, count - i < MR ? count - i : MR, k, (const T *)from + i * si, si, sl, (T *)to + i * k);           \
    }                                                                                                                  \
    static void pack_b(int64_t count, int64_t k, const void *from, int64_t si, int64_t sl, void *to)                   \
    {                                                                                                                  \
        for (int64_t i = 0; i < count; i += NR_##V)                                                                    \
            pack(NR_##V, count - i < NR_##V ? count - i : NR_##V, k, (const T *)from + i * si, si, sl,                 \
                 (T *)to + i * k);                                                                                     \
    }                                                                                                                  \
    const cpu_gemm CPU_NAME(table) = {MR, NR_##V, KC, MC, tile, pack_a, pack_b};

GEMM(float, v32, vu32, tile_f32, pack_f32, pack_a_f32, pack_b_f32, gemm_f32, 256, 12 * MR)
GEMM(double, v64, vu64, tile_f64, pack_f64, pack_a_f64, pack_b_f64, gemm_f64, 128, 12 * MR)
