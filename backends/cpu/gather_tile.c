/* gather_tile.c: the register tiles of a product whose left operand is read where it lies, element by element: a
 * convolution's pictures. Compiled once for each instruction set (see isa.h). The second shape is for few columns: half
 * as many, or a third, and so many more rows that as many sums are kept. */
#include "isa.h"
#include "pack.h"
#include "tile.h"

#define GATHER(T, V, VU, tile, ROWS, VECTORS)                                                                          \
    typedef T V __attribute__((vector_size(BYTES)));                                                                   \
    typedef T VU __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));                                   \
    PACK(T, tile##_pack, (VECTORS * BYTES / (int)sizeof(T)))                                                           \
    static void tile(int64_t k, const void *const *row, const int64_t *off, const void *panel, void *to, int64_t ldc,  \
                     int add)                                                                                          \
    {                                                                                                                  \
        enum { W = BYTES / sizeof(T) };                                                                                \
        const T *b = panel, *a[ROWS];                                                                                  \
        T *c = to;                                                                                                     \
        V acc[ROWS][VECTORS];                                                                                          \
        UNROLL for (int r = 0; r < ROWS; r++) a[r] = row[r];                                                           \
        UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int v = 0; v < VECTORS; v++) acc[r][v] = (V){0};             \
        for (int64_t l = 0; l < k; l++, b += VECTORS * W) {                                                            \
            const int64_t at = off[l];                                                                                 \
            V bv[VECTORS];                                                                                             \
            UNROLL for (int v = 0; v < VECTORS; v++) bv[v] = *(const VU *)(b + v * W);                                 \
            UNROLL for (int r = 0; r < ROWS; r++)                                                                      \
            {                                                                                                          \
                const V av = a[r][at] - (V){0};                                                                        \
                UNROLL for (int v = 0; v < VECTORS; v++) acc[r][v] += av * bv[v];                                      \
            }                                                                                                          \
        }                                                                                                              \
        UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int v = 0; v < VECTORS; v++)                                 \
        {                                                                                                              \
            VU *at = (VU *)(c + r * ldc + v * W);                                                                      \
            if (add)                                                                                                   \
                *at += acc[r][v];                                                                                      \
            else                                                                                                       \
                *at = acc[r][v];                                                                                       \
        }                                                                                                              \
    }

GATHER(float, v32, vu32, wide_f32, MR, NV)
GATHER(float, n32, nu32, narrow_f32, MR *NV, 1)
GATHER(double, v64, vu64, wide_f64, MR, NV)
GATHER(double, n64, nu64, narrow_f64, MR *NV, 1)

#define WIDTH(vectors, T) (vectors * BYTES / (int64_t)sizeof(T))
#define TABLE(name, T, wide, narrow)                                                                                   \
    const cpu_gather_shape CPU_NAME(name)[2] = {{MR, WIDTH(NV, T), wide, wide##_pack},                                 \
                                                {MR * NV, WIDTH(1, T), narrow, narrow##_pack}};
TABLE(gather_f32, float, wide_f32, narrow_f32)
TABLE(gather_f64, double, wide_f64, narrow_f64)
