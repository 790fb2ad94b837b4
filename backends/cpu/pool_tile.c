/* pool_tile.c: the largest numbers of windows, for a row of results: first down the rows of the windows, a vector at a
 * time, then along what that leaves, whose even and odd places lie apart where windows step by two. A NaN wins.
 * Compiled once for each instruction set (see isa.h). */
#include <math.h>

#include "isa.h"
#include "tile.h"

#define LARGEST(T, V, VU, VI, pool)                                                                                    \
    typedef T V __attribute__((vector_size(BYTES)));                                                                   \
    typedef T VU __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));                                   \
    enum { W_##V = BYTES / sizeof(T) };                                                                                \
    static inline __attribute__((always_inline)) V pool##_larger(V x, V best)                                          \
    {                                                                                                                  \
        const VI yes = (x > best) | (x != x);                                                                          \
        return (V)((yes & (VI)x) | (~yes & (VI)best));                                                                 \
    }                                                                                                                  \
    static inline __attribute__((always_inline)) void pool##_down_at(const cpu_pool_row *o, const T *x, T *to)         \
    {                                                                                                                  \
        V best = *(const VU *)x;                                                                                       \
        for (int64_t r = 1; r < o->rows; r++) best = pool##_larger(*(const VU *)(x + r * o->wide), best);              \
        *(VU *)to = best;                                                                                              \
    }                                                                                                                  \
    static inline void pool##_down(const cpu_pool_row *o, const T *x, T *to)                                           \
    {                                                                                                                  \
        const int64_t whole = o->wide / (int64_t)W_##V * (int64_t)W_##V, last = o->wide - (int64_t)W_##V;              \
        for (int64_t i = 0; i < whole; i += (int64_t)W_##V) pool##_down_at(o, x + i, to + i);                          \
        if (whole < o->wide && last >= 0) pool##_down_at(o, x + last, to + last);                                      \
        for (int64_t i = 0; i < o->wide && last < 0; i++) {                                                            \
            T best = x[i];                                                                                             \
            for (int64_t r = 1; r < o->rows; r++) {                                                                    \
                const T v = x[r * o->wide + i];                                                                        \
                best = (v > best) | (v != v) ? v : best;                                                               \
            }                                                                                                          \
            to[i] = best;                                                                                              \
        }                                                                                                              \
    }                                                                                                                  \
    /* Place i of the line is that of `step` lines, of which each has every so manieth. */                             \
    static inline void pool##_along(const cpu_pool_row *o, const T *const line[2], T *y)                               \
    {                                                                                                                  \
        const int64_t step = o->stride;                                                                                \
        for (int64_t j = 0; j < o->n; j += (int64_t)W_##V) {                                                           \
            V best = *(const VU *)(line[0] + j);                                                                       \
            for (int64_t s = 1; s < o->window; s++)                                                                    \
                best = pool##_larger(*(const VU *)(line[s % step] + j + s / step), best);                              \
            if (o->n - j >= (int64_t)W_##V)                                                                            \
                *(VU *)(y + j) = best;                                                                                 \
            else                                                                                                       \
                __builtin_memcpy(y + j, &best, (uint64_t)(o->n - j) * sizeof(T));                                      \
        }                                                                                                              \
    }                                                                                                                  \
    static void pool(const cpu_pool_row *o, const void *x, void *y)                                                    \
    {                                                                                                                  \
        enum { ROOM = CPU_POOL_LONGEST + 2 * W_##V };                                                                  \
        T flat[2 * ROOM], even[ROOM], odd[ROOM];                                                                       \
        const int64_t all = (o->n - 1) * o->stride + o->window, seen = o->pad + o->wide;                               \
        for (int64_t i = 0; i < o->pad; i++) flat[i] = -INFINITY;                                                      \
        pool##_down(o, x, flat + o->pad);                                                                              \
        for (int64_t i = seen; i < all; i++) flat[i] = -INFINITY;                                                      \
        for (int64_t i = 0; i < (all + 1) / 2 && o->stride == 2; i++) even[i] = flat[2 * i], odd[i] = flat[2 * i + 1]; \
        pool##_along(o, o->stride == 2 ? (const T *const[2]){even, odd} : (const T *const[2]){flat, flat}, y);         \
    }

typedef int32_t i32 __attribute__((vector_size(BYTES)));
typedef int64_t i64 __attribute__((vector_size(BYTES)));
LARGEST(float, v32, vu32, i32, pool_f32)
LARGEST(double, v64, vu64, i64, pool_f64)

cpu_pool_loop *const CPU_NAME(pool_f32) = pool_f32;
cpu_pool_loop *const CPU_NAME(pool_f64) = pool_f64;
