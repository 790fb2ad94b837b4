/* band_tile.c: the inner loops of conv2d that takes each channel by itself: sums over few taps for some rows of pixels,
 * several rows in registers, so that a vector that was loaded serves all taps above each other. Compiled once for each
 * instruction set (see isa.h). */
#include "isa.h"
#include "tile.h"

/* Keeps in a register what the compiler would load, or compute, again for each use. */
#if defined(__x86_64__)
#define HOLD(x)    __asm__("" : "+v"(x))
#define HOLD_AT(x) __asm__("" : "+r"(x))
#else
#define HOLD(x)    (void)0
#define HOLD_AT(x) (void)0
#endif

/* Brings near what rows i..end have a share of. */
static inline void bring_near(const cpu_band *o, int64_t i, int64_t end)
{
    enum { LINE = 64 };
    if (end > o->rows) end = o->rows;
    for (int64_t at = o->soon[0].bytes * i / o->rows; at < o->soon[0].bytes * end / o->rows; at += LINE)
        __builtin_prefetch((const char *)o->soon[0].at + at);
    for (int64_t at = o->soon[1].bytes * i / o->rows; at < o->soon[1].bytes * end / o->rows; at += LINE)
        __builtin_prefetch((const char *)o->soon[1].at + at, 1);
}

/* A column of taps to ROWS rows of VECS vectors. */
#define COLUMN(T, V, VU, band, ROWS, VECS)                                                                             \
    static inline __attribute__((always_inline)) void band##_column(const int deep, const T *x, int64_t wide,          \
                                                                    const int64_t *at, const T *w, V acc[][VECS])      \
    {                                                                                                                  \
        const T *from[VECS];                                                                                           \
        V wv[CPU_BAND_DEEP];                                                                                           \
        UNROLL for (int d = 0; d < deep; d++) wv[d] = w[d] - (V){0};                                                   \
        UNROLL for (int v = 0; v < (VECS); v++) from[v] = x + at[v];                                                   \
        UNROLL for (int h = 0; h < (ROWS) + deep - 1; h++) UNROLL for (int v = 0; v < (VECS); v++)                     \
        {                                                                                                              \
            V xv = *(const VU *)from[v];                                                                               \
            HOLD(xv);                                                                                                  \
            from[v] += wide;                                                                                           \
            HOLD_AT(from[v]);                                                                                          \
            UNROLL for (int d = 0; d < deep; d++) if (h >= d && h - d < (ROWS)) acc[h - d][v] += wv[d] * xv;           \
        }                                                                                                              \
    }

#define DEEP(band, n)                                                                                                  \
    case n:                                                                                                            \
        band##_column(n, x, o->wide, at, w, acc);                                                                      \
        break

/* Rows and columns that do not fill a block are made together with some that were made before. */
#define BLOCKS(T, V, VU, band, ROWS, VECS)                                                                             \
    COLUMN(T, V, VU, band, ROWS, VECS)                                                                                 \
    static void band(const cpu_band *o, const T *weight, T *to)                                                        \
    {                                                                                                                  \
        enum { W = BYTES / sizeof(T) };                                                                                \
        const int64_t last = o->n > (int64_t)W ? o->n - (int64_t)W : 0;                                                \
        for (int64_t i = 0; i < o->rows; i += (ROWS)) {                                                                \
            bring_near(o, i, i + (ROWS));                                                                              \
            for (int64_t j = 0; j < o->n; j += (VECS)*W) {                                                             \
                const int64_t row = i < o->rows - (ROWS) ? i : o->rows - (ROWS);                                       \
                const T *w = weight;                                                                                   \
                int64_t at[VECS];                                                                                      \
                V acc[ROWS][VECS];                                                                                     \
                UNROLL for (int v = 0; v < (VECS); v++) at[v] = j + v * (int64_t)W < last ? j + v * (int64_t)W : last; \
                UNROLL for (int r = 0; r < (ROWS); r++) UNROLL for (int v = 0; v < (VECS); v++) acc[r][v] = (V){0};    \
                for (int64_t c = 0; c < o->columns; w += o->column[c++].deep) {                                        \
                    const T *x = (const T *)o->from + row * o->wide + o->column[c].off;                                \
                    switch (o->column[c].deep) {                                                                       \
                        DEEP(band, 1);                                                                                 \
                        DEEP(band, 2);                                                                                 \
                        DEEP(band, 3);                                                                                 \
                        DEEP(band, 4);                                                                                 \
                        DEEP(band, 5);                                                                                 \
                    }                                                                                                  \
                }                                                                                                      \
                UNROLL for (int r = 0; r < (ROWS); r++) UNROLL for (int v = 0; v < (VECS); v++) *                      \
                    (VU *)(to + (row + r) * o->to_row + at[v]) = acc[r][v];                                            \
            }                                                                                                          \
        }                                                                                                              \
    }

#define BANDS(T, V, VU, band)                                                                                          \
    typedef T V __attribute__((vector_size(BYTES)));                                                                   \
    typedef T VU __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));                                   \
    BLOCKS(T, V, VU, band##_4_2, 4, 2)                                                                                 \
    BLOCKS(T, V, VU, band##_1_2, 1, 2)                                                                                 \
    BLOCKS(T, V, VU, band##_7_1, 7, 1)                                                                                 \
    BLOCKS(T, V, VU, band##_4_1, 4, 1)                                                                                 \
    BLOCKS(T, V, VU, band##_1_1, 1, 1)                                                                                 \
    static void band(const cpu_band *o, const void *weight, void *to)                                                  \
    {                                                                                                                  \
        const int64_t by_7 = (o->rows + 6) / 7 * 7, by_4 = (o->rows + 3) / 4 * 4;                                      \
        const int narrow = o->n <= (int64_t)(BYTES / sizeof(T)), deep = o->rows >= 7 && by_7 <= by_4;                  \
        if (narrow)                                                                                                    \
            (o->rows < 4 ? band##_1_1 : deep ? band##_7_1 : band##_4_1)(o, weight, to);                                \
        else                                                                                                           \
            (o->rows < 4 ? band##_1_2 : band##_4_2)(o, weight, to);                                                    \
    }
BANDS(float, v32, vu32, band_f32)
BANDS(double, v64, vu64, band_f64)

const cpu_band_loop CPU_NAME(band_f32) = {BYTES / sizeof(float), band_f32};
const cpu_band_loop CPU_NAME(band_f64) = {BYTES / sizeof(double), band_f64};
