/* plane_tile.c: the inner loops of a convolution that takes each channel by itself: sums over few taps, of pixels that
 * lie side by side in whole vectors, and the rows of pixels that are brought there and back. Compiled once for each
 * instruction set (see isa.h). */
#include "isa.h"
#include "tile.h"

enum { BESIDE = 4 /* vectors at once */, TAPS = 3 };

/* So many bytes: whole pieces of the largest size that fits, and one more that ends where they end. */
#define PIECES(size)                                                                                                   \
    if (n >= (size)) {                                                                                                 \
        for (int64_t i = 0; i + (size) <= n; i += (size)) __builtin_memcpy(to + i, from + i, (size));                  \
        __builtin_memcpy(to + n - (size), from + n - (size), (size));                                                  \
        return;                                                                                                        \
    }

static inline void copy_row(int64_t n, const char *restrict from,
                            char *restrict to){PIECES(64) PIECES(32) PIECES(16) PIECES(8) PIECES(4)}

#define ROWS(T, plane)                                                                                                 \
    static void plane##_copy(int64_t rows, int64_t n, const void *from, int64_t from_row, void *to, int64_t to_row)    \
    {                                                                                                                  \
        const T *x = from;                                                                                             \
        T *y = to;                                                                                                     \
        for (int64_t i = 0; i < rows; i++, x += from_row, y += to_row)                                                 \
            copy_row(n *(int64_t)sizeof(T), (const char *)x, (char *)y);                                               \
    }                                                                                                                  \
    static void plane##_part(int64_t rows, int64_t n, const void *from, int64_t from_row, void *even, void *odd,       \
                             int64_t to_row)                                                                           \
    {                                                                                                                  \
        for (int64_t i = 0; i < rows; i++) {                                                                           \
            const T *restrict x = (const T *)from + i * from_row;                                                      \
            T *restrict e = (T *)even + i * to_row, *restrict o = (T *)odd + i * to_row;                               \
            for (int64_t j = 0; j < n / 2; j++) e[j] = x[2 * j], o[j] = x[2 * j + 1];                                  \
            if (n % 2) e[n / 2] = x[n - 1];                                                                            \
        }                                                                                                              \
    }                                                                                                                  \
    static void plane##_join(int64_t rows, int64_t n, const void *even, const void *odd, int64_t from_row, void *to,   \
                             int64_t to_row)                                                                           \
    {                                                                                                                  \
        for (int64_t i = 0; i < rows; i++) {                                                                           \
            const T *restrict e = (const T *)even + i * from_row, *restrict o = (const T *)odd + i * from_row;         \
            T *restrict x = (T *)to + i * to_row;                                                                      \
            for (int64_t j = 0; j < n / 2; j++) x[2 * j] = e[j], x[2 * j + 1] = o[j];                                  \
            if (n % 2) x[n - 1] = e[n / 2];                                                                            \
        }                                                                                                              \
    }
ROWS(float, plane_f32) ROWS(double, plane_f64)

#define NEAR(V, o, which, write)                                                                                       \
    for (int64_t r = 0; r < (o)->soon[which].times; r++)                                                               \
        UNROLL for (int v = 0; v < BESIDE; v++)                                                                        \
            __builtin_prefetch((const char *)(o)->soon[which].at + (r * (o)->n + i + v * W_##V) * SIZE_##V, write);

#define PLANES(T, V, VU, plane)                                                                                        \
    typedef T V __attribute__((vector_size(BYTES)));                                                                   \
    typedef T VU __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));                                   \
    enum { SIZE_##V = sizeof(T), W_##V = BYTES / sizeof(T) };                                                          \
    static void plane##_sum(const cpu_plane *o, const void *weight, void *to)                                          \
    {                                                                                                                  \
        const T *x = o->from, *w = weight;                                                                             \
        int64_t i = 0;                                                                                                 \
        for (; i + (BESIDE - 1) * W_##V < o->n; i += BESIDE * W_##V) {                                                 \
            V acc[BESIDE];                                                                                             \
            UNROLL for (int v = 0; v < BESIDE; v++) acc[v] = (V){0};                                                   \
            NEAR(V, o, 0, 0)                                                                                           \
            NEAR(V, o, 1, 1)                                                                                           \
            for (int64_t t = 0; t < o->taps; t++) {                                                                    \
                const T *at = x + o->off[t] + i;                                                                       \
                const V wv = w[t] - (V){0};                                                                            \
                UNROLL for (int v = 0; v < BESIDE; v++) acc[v] += wv * *(const VU *)(at + v * W_##V);                  \
            }                                                                                                          \
            UNROLL for (int v = 0; v < BESIDE; v++) * (VU *)((T *)to + i + v * W_##V) = acc[v];                        \
        }                                                                                                              \
        for (; i < o->n; i += W_##V) {                                                                                 \
            V acc = (V){0};                                                                                            \
            for (int64_t t = 0; t < o->taps; t++) acc += w[t] * *(const VU *)(x + o->off[t] + i);                      \
            *(VU *)((T *)to + i) = acc;                                                                                \
        }                                                                                                              \
    }                                                                                                                  \
    static void plane##_dot(const cpu_plane *o, const void *by, double *sum)                                           \
    {                                                                                                                  \
        for (int64_t t = 0; t < o->taps; t += TAPS) {                                                                  \
            const T *x[TAPS], *y = by;                                                                                 \
            V acc[TAPS][BESIDE];                                                                                       \
            UNROLL for (int j = 0; j < TAPS; j++)                                                                      \
            {                                                                                                          \
                x[j] = (const T *)o->from + o->off[t + j < o->taps ? t + j : t];                                       \
                UNROLL for (int v = 0; v < BESIDE; v++) acc[j][v] = (V){0};                                            \
            }                                                                                                          \
            for (int64_t i = 0; i < o->n; i += BESIDE * W_##V) {                                                       \
                if (t < 2 * TAPS) {                                                                                    \
                    NEAR(V, o, t / TAPS, 0)                                                                            \
                }                                                                                                      \
                UNROLL for (int v = 0; v < BESIDE; v++)                                                                \
                {                                                                                                      \
                    const V yv = *(const VU *)(y + i + v * W_##V);                                                     \
                    UNROLL for (int j = 0; j < TAPS; j++) acc[j][v] += yv * *(const VU *)(x[j] + i + v * W_##V);       \
                }                                                                                                      \
            }                                                                                                          \
            for (int j = 0; j < TAPS && t + j < o->taps; j++) {                                                        \
                const V all = (acc[j][0] + acc[j][1]) + (acc[j][2] + acc[j][3]);                                       \
                for (int i = 0; i < (int)W_##V; i++) sum[t + j] += (double)all[i];                                     \
            }                                                                                                          \
        }                                                                                                              \
    }
    PLANES(float, v32, vu32, plane_f32) PLANES(double, v64, vu64, plane_f64)

        const cpu_plane_loops CPU_NAME(plane_f32) = {BESIDE * W_v32, plane_f32_sum,  plane_f32_dot,
                                                     plane_f32_copy, plane_f32_part, plane_f32_join};
const cpu_plane_loops CPU_NAME(plane_f64) = {BESIDE * W_v64, plane_f64_sum,  plane_f64_dot,
                                             plane_f64_copy, plane_f64_part, plane_f64_join};
