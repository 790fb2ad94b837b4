/* gather_tile.c: the register tile of a product whose left operand is read where it lies, element by element: a
 * convolution's pictures. Compiled once for each instruction set (see isa.h). */
#include "isa.h"
#include "tile.h"

#define GATHER(T, V, VU, name)                                                                                         \
    typedef T V __attribute__((vector_size(BYTES)));                                                                   \
    typedef T VU __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));                                   \
    void CPU_NAME(name)(int64_t k, const void *const *row, const int64_t *off, const void *panel, void *to,            \
                        int64_t ldc, int add)                                                                          \
    {                                                                                                                  \
        enum { W = BYTES / sizeof(T) };                                                                                \
        const T *b = panel, *a[MR];                                                                                    \
        T *c = to;                                                                                                     \
        V acc[MR][NV];                                                                                                 \
        UNROLL for (int r = 0; r < MR; r++) a[r] = row[r];                                                             \
        UNROLL for (int r = 0; r < MR; r++) UNROLL for (int v = 0; v < NV; v++) acc[r][v] = (V){0};                    \
        for (int64_t l = 0; l < k; l++, b += NV * W) {                                                                 \
            const int64_t at = off[l];                                                                                 \
            V bv[NV];                                                                                                  \
            UNROLL for (int v = 0; v < NV; v++) bv[v] = *(const VU *)(b + v * W);                                      \
            UNROLL for (int r = 0; r < MR; r++)                                                                        \
            {                                                                                                          \
                const V av = a[r][at] - (V){0};                                                                        \
                UNROLL for (int v = 0; v < NV; v++) acc[r][v] += av * bv[v];                                           \
            }                                                                                                          \
        }                                                                                                              \
        UNROLL for (int r = 0; r < MR; r++) UNROLL for (int v = 0; v < NV; v++)                                        \
        {                                                                                                              \
            VU *at = (VU *)(c + r * ldc + v * W);                                                                      \
            if (add)                                                                                                   \
                *at += acc[r][v];                                                                                      \
            else                                                                                                       \
                *at = acc[r][v];                                                                                       \
        }                                                                                                              \
    }

GATHER(float, v32, vu32, gather_f32)
GATHER(double, v64, vu64, gather_f64)
