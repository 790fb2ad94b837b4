/* gemm.c: packing and the register tile of a matrix product, for float and double. Compiled once for each instruction
 * set (see isa.h); the vectors are the compiler's, as wide as the instruction set's.
 *
 * Packed operands are panels of mr rows (nr columns), each k deep, k outermost; the last panel is filled up with
 * zeros. A tile keeps mr * nr sums in registers. */
#include "isa.h"
#include "pack.h"
#include "tile.h"

enum { FEW = 4 };

#define GEMM(T, V, VU, tile, pack_a, pack_b, table, KC, MC)                                                            \
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
    /* Sums of products of rows that lie side by side: FEW columns at once. */                                         \
    static void tile##_dots(int64_t n, int64_t k, const void *row, const void *columns, int64_t ld, void *to)          \
    {                                                                                                                  \
        const T *a = row;                                                                                              \
        for (int64_t j = 0; j < n; j += FEW) {                                                                         \
            const T *b[FEW];                                                                                           \
            V acc[FEW];                                                                                                \
            T sum[FEW] = {0};                                                                                          \
            UNROLL for (int c = 0; c < FEW; c++) b[c] = (const T *)columns + (j + c < n ? j + c : n - 1) * ld;         \
            UNROLL for (int c = 0; c < FEW; c++) acc[c] = (V){0};                                                      \
            int64_t l = 0;                                                                                             \
            for (; l + W_##V <= k; l += W_##V) {                                                                       \
                const V av = *(const VU *)(a + l);                                                                     \
                UNROLL for (int c = 0; c < FEW; c++) acc[c] += av * *(const VU *)(b[c] + l);                           \
            }                                                                                                          \
            for (; l < k; l++) UNROLL for (int c = 0; c < FEW; c++) sum[c] += a[l] * b[c][l];                          \
            for (int c = 0; c < FEW && j + c < n; c++) {                                                               \
                for (int i = 0; i < (int)W_##V; i++) sum[c] += acc[c][i];                                              \
                ((T *)to)[j + c] = sum[c];                                                                             \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    PACK(T, pack_a, MR)                                                                                                \
    PACK(T, pack_b, NR_##V)                                                                                            \
    const cpu_gemm CPU_NAME(table) = {MR, NR_##V, KC, MC, tile, pack_a, pack_b, tile##_dots};

GEMM(float, v32, vu32, tile_f32, pack_a_f32, pack_b_f32, gemm_f32, 256, 12 * MR)
GEMM(double, v64, vu64, tile_f64, pack_a_f64, pack_b_f64, gemm_f64, 128, 12 * MR)
