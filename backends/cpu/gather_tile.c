/* gather_tile.c: the register tiles of a product whose left operand is read where it lies, element by element: a
 * convolution's pictures. Compiled once for each instruction set (see isa.h). The second shape is for few columns: half
 * as many, or a third, and so many more rows that as many sums are kept. */
#include "isa.h"
#include "pack.h"
#include "tile.h"

/* A pointer serves RUN rows, whose elements lie side by side. */
#define GATHER(T, V, VU, tile, ROWS, VECTORS, RUN)                                                                     \
    static void tile##_##RUN(int64_t k, const void *const *row, const int64_t *off, const void *panel, void *to,       \
                             int64_t ldc, int add)                                                                     \
    {                                                                                                                  \
        enum { W = BYTES / sizeof(T), BY = (ROWS) % RUN ? 1 : RUN };                                                   \
        const T *b = panel, *a[ROWS];                                                                                  \
        T *c = to;                                                                                                     \
        V acc[ROWS][VECTORS];                                                                                          \
        UNROLL for (int r = 0; r < (ROWS) / BY; r++) a[r] = row[r];                                                    \
        UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int v = 0; v < VECTORS; v++) acc[r][v] = (V){0};             \
        for (int64_t l = 0; l < k; l++, b += VECTORS * W) {                                                            \
            const int64_t at = off[l];                                                                                 \
            V bv[VECTORS];                                                                                             \
            UNROLL for (int v = 0; v < VECTORS; v++) bv[v] = *(const VU *)(b + v * W);                                 \
            UNROLL for (int r = 0; r < ROWS; r++)                                                                      \
            {                                                                                                          \
                const V av = a[r / BY][at + r % BY] - (V){0};                                                          \
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
#define GATHERS(T, V, VU, tile, ROWS, VECTORS)                                                                         \
    typedef T V __attribute__((vector_size(BYTES)));                                                                   \
    typedef T VU __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));                                   \
    PACK(T, tile##_pack, (VECTORS * BYTES / (int)sizeof(T)))                                                           \
    GATHER(T, V, VU, tile, ROWS, VECTORS, 1)                                                                           \
    GATHER(T, V, VU, tile, ROWS, VECTORS, 2)                                                                           \
    GATHER(T, V, VU, tile, ROWS, VECTORS, 3)                                                                           \
    GATHER(T, V, VU, tile, ROWS, VECTORS, 4)
GATHERS(float, v32, vu32, wide_f32, MR, NV)
GATHERS(float, n32, nu32, narrow_f32, MR *NV, 1)
GATHERS(double, v64, vu64, wide_f64, MR, NV)
GATHERS(double, n64, nu64, narrow_f64, MR *NV, 1)

#define SHAPE(T, tile, ROWS, VECTORS)                                                                                  \
    {                                                                                                                  \
        ROWS, VECTORS *BYTES / (int64_t)sizeof(T), {1, 2, (ROWS) % 3 ? 1 : 3, (ROWS) % 4 ? 1 : 4},                     \
            {tile##_1, tile##_2, tile##_3, tile##_4}, tile##_pack                                                      \
    }
const cpu_gather_shape CPU_NAME(gather_f32)[2] = {SHAPE(float, wide_f32, MR, NV), SHAPE(float, narrow_f32, MR *NV, 1)};
const cpu_gather_shape CPU_NAME(gather_f64)[2] = {SHAPE(double, wide_f64, MR, NV),
                                                  SHAPE(double, narrow_f64, MR *NV, 1)};
