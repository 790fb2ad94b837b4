/* plane_tile.c: the inner loops of a convolution that takes each channel by itself: sums over few taps, of pixels that
 * lie side by side in whole vectors. Compiled once for each instruction set (see isa.h). */
#include "isa.h"
#include "tile.h"

enum { BESIDE = 4 /* vectors at once */, TAPS = 3 };

#define PLANES(T, V, VU, plane)                                                                                        \
    typedef T V __attribute__((vector_size(BYTES)));                                                                   \
    typedef T VU __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));                                   \
    enum { W_##V = BYTES / sizeof(T) };                                                                                \
    static void plane##_sum(int64_t taps, const int64_t *off, const void *weight, const void *from, int64_t n,         \
                            void *to)                                                                                  \
    {                                                                                                                  \
        const T *x = from, *w = weight;                                                                                \
        for (int64_t i = 0; i < n; i += BESIDE * W_##V) {                                                              \
            V acc[BESIDE];                                                                                             \
            UNROLL for (int v = 0; v < BESIDE; v++) acc[v] = (V){0};                                                   \
            for (int64_t t = 0; t < taps; t++) {                                                                       \
                const T *at = x + off[t] + i;                                                                          \
                const V wv = w[t] - (V){0};                                                                            \
                UNROLL for (int v = 0; v < BESIDE; v++) acc[v] += wv * *(const VU *)(at + v * W_##V);                  \
            }                                                                                                          \
            UNROLL for (int v = 0; v < BESIDE; v++) * (VU *)((T *)to + i + v * W_##V) = acc[v];                        \
        }                                                                                                              \
    }                                                                                                                  \
    static void plane##_dot(int64_t taps, const int64_t *off, const void *from, const void *by, int64_t n,             \
                            double *sum)                                                                               \
    {                                                                                                                  \
        for (int64_t t = 0; t < taps; t += TAPS) {                                                                     \
            const T *x[TAPS], *y = by;                                                                                 \
            V acc[TAPS][BESIDE];                                                                                       \
            UNROLL for (int j = 0; j < TAPS; j++)                                                                      \
            {                                                                                                          \
                x[j] = (const T *)from + off[t + j < taps ? t + j : t];                                                \
                UNROLL for (int v = 0; v < BESIDE; v++) acc[j][v] = (V){0};                                            \
            }                                                                                                          \
            for (int64_t i = 0; i < n; i += BESIDE * W_##V) UNROLL for (int v = 0; v < BESIDE; v++)                    \
                {                                                                                                      \
                    const V yv = *(const VU *)(y + i + v * W_##V);                                                     \
                    UNROLL for (int j = 0; j < TAPS; j++) acc[j][v] += yv * *(const VU *)(x[j] + i + v * W_##V);       \
                }                                                                                                      \
            for (int j = 0; j < TAPS && t + j < taps; j++) {                                                           \
                const V all = (acc[j][0] + acc[j][1]) + (acc[j][2] + acc[j][3]);                                       \
                for (int i = 0; i < (int)W_##V; i++) sum[t + j] += (double)all[i];                                     \
            }                                                                                                          \
        }                                                                                                              \
    }
PLANES(float, v32, vu32, plane_f32)
PLANES(double, v64, vu64, plane_f64)

const cpu_plane_loops CPU_NAME(plane_f32) = {BESIDE * W_v32, plane_f32_sum, plane_f32_dot};
const cpu_plane_loops CPU_NAME(plane_f64) = {BESIDE * W_v64, plane_f64_sum, plane_f64_dot};
