/* fold.c: the inner loops of reduce. Compiled once for each instruction set (see isa.h).
 *
 * Accuracy: at most LANES-wide partial results of one block are kept in the elements' own type; blocks are short, and
 * what outlives a block is in double. A NaN wins every maximum and minimum. */
#include <math.h>

#include "isa.h"

#define LANES 64
#define FEW   16 /* lanes for short rows */

#define ADD(x, y)  ((x) + (y))
#define MUL(x, y)  ((x) * (y))
#define MAX_(x, y) ((y) > (x) || (y) != (y) ? (y) : (x))
#define MIN_(x, y) ((y) < (x) || (y) != (y) ? (y) : (x))

#pragma GCC diagnostic ignored "-Wtautological-compare"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wpass-failed"
#endif

/* T the elements' type, P that of the partial results of a block, A that of what is kept. */
#define FOLD(fn, T, P, A, OP)                                                                                          \
    static inline __attribute__((always_inline)) int64_t fn##_lanes(int64_t n, const T *x, A *all, const int lanes)    \
    {                                                                                                                  \
        P lane[LANES];                                                                                                 \
        int64_t i;                                                                                                     \
        for (int l = 0; l < lanes; l++) lane[l] = (P)x[l];                                                             \
        for (i = lanes; i + lanes <= n; i += lanes)                                                                    \
            _Pragma("omp simd") for (int l = 0; l < lanes; l++) lane[l] = (P)OP(lane[l], (P)x[i + l]);                 \
        for (int half = lanes / 2; half; half /= 2)                                                                    \
            for (int l = 0; l < half; l++) lane[l] = (P)OP(lane[l], lane[l + half]);                                   \
        *all = (A)OP(*all, (A)lane[0]);                                                                                \
        return i;                                                                                                      \
    }                                                                                                                  \
    static void fn##_row(int64_t n, const void *from, void *to)                                                        \
    {                                                                                                                  \
        const T *x = from;                                                                                             \
        A *acc = to, all = *acc;                                                                                       \
        int64_t i = 0;                                                                                                 \
        if (n >= 2 * LANES) i = fn##_lanes(n, x, &all, LANES);                                                         \
        if (n - i >= 2 * FEW) i += fn##_lanes(n - i, x + i, &all, FEW);                                                \
        for (; i < n; i++) all = (A)OP(all, (A)x[i]);                                                                  \
        *acc = all;                                                                                                    \
    }                                                                                                                  \
    static inline                                                                                                      \
        __attribute__((always_inline)) void fn##_strip(int64_t rows, int64_t k, const T *x, A *acc, const int64_t w)   \
    {                                                                                                                  \
        P lane[LANES];                                                                                                 \
        for (int64_t l = 0; l < w; l++) lane[l] = (P)x[l];                                                             \
        for (int64_t r = 1; r < rows; r++)                                                                             \
            _Pragma("omp simd") for (int64_t l = 0; l < w; l++) lane[l] = (P)OP(lane[l], (P)x[r * k + l]);             \
        _Pragma("omp simd") for (int64_t l = 0; l < w; l++) acc[l] = (A)OP(acc[l], (A)lane[l]);                        \
    }                                                                                                                  \
    static void fn##_column(int64_t rows, int64_t k, const void *from, void *to)                                       \
    {                                                                                                                  \
        const T *x = from;                                                                                             \
        A *acc = to;                                                                                                   \
        int64_t j = 0;                                                                                                 \
        for (; j + LANES <= k; j += LANES) fn##_strip(rows, k, x + j, acc + j, LANES);                                 \
        if (j < k) fn##_strip(rows, k, x + j, acc + j, k - j);                                                         \
    }
FOLD(sum_f32, float, float, double, ADD)
FOLD(sum_f64, double, double, double, ADD)
FOLD(sum_i32, int32_t, int64_t, int64_t, ADD)
FOLD(prod_f32, float, double, double, MUL)
FOLD(prod_f64, double, double, double, MUL)
FOLD(prod_i32, int32_t, uint32_t, int64_t, (int64_t)(uint32_t)MUL)
FOLD(max_f32, float, float, double, MAX_)
FOLD(max_f64, double, double, double, MAX_)
FOLD(max_i32, int32_t, int32_t, int64_t, MAX_)
FOLD(min_f32, float, float, double, MIN_)
FOLD(min_f64, double, double, double, MIN_)
FOLD(min_i32, int32_t, int32_t, int64_t, MIN_)

/* The first best: a row's best is found as a maximum is, and looked for only where it is news. */
#define FIRST(fn, best, T, A, CMP)                                                                                     \
    static void fn##_row(int64_t n, const void *from, void *to, int64_t *place, int64_t at)                            \
    {                                                                                                                  \
        const T *x = from;                                                                                             \
        A *acc = to, top = (A)x[0];                                                                                    \
        best##_row(n, x, &top);                                                                                        \
        if (*place >= 0 && !(top CMP * acc) && !(top != top && *acc == *acc)) return;                                  \
        int64_t i = 0;                                                                                                 \
        while (i < n - 1 && !((A)x[i] == top) && !(x[i] != x[i])) i++;                                                 \
        *acc = top;                                                                                                    \
        *place = at + i;                                                                                               \
    }                                                                                                                  \
    static void fn##_column(int64_t rows, int64_t k, const void *from, void *to, int64_t *place, int64_t at)           \
    {                                                                                                                  \
        const T *x = from;                                                                                             \
        A *acc = to;                                                                                                   \
        for (int64_t r = 0; r < rows; r++) _Pragma("omp simd") for (int64_t j = 0; j < k; j++)                         \
            {                                                                                                          \
                const A v = (A)x[r * k + j], old = acc[j];                                                             \
                const int64_t was = place[j];                                                                          \
                const int news = (was < 0) | (v CMP old) | ((v != v) & (old == old));                                  \
                acc[j] = news ? v : old;                                                                               \
                place[j] = news ? at + r : was;                                                                        \
            }                                                                                                          \
    }
FIRST(argmax_f32, max_f32, float, double, >)
FIRST(argmax_f64, max_f64, double, double, >)
FIRST(argmax_i32, max_i32, int32_t, int64_t, >)
FIRST(argmin_f32, min_f32, float, double, <)
FIRST(argmin_f64, min_f64, double, double, <)
FIRST(argmin_i32, min_i32, int32_t, int64_t, <)

#define KIND(name, a, b, c)                                                                                            \
    {                                                                                                                  \
#name, {a, b, c },                                                                                             \
                {name##_f32_row, name##_i32_row, name##_f64_row },                                                     \
                 {name##_f32_column, name##_i32_column, name##_f64_column }, {0 },                                     \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }
#define PLACE(name)                                                                                                    \
    {                                                                                                                  \
#name, {0 }, {0 }, {0 }, {name##_f32_row, name##_i32_row, name##_f64_row },                                    \
        {                                                                                                              \
            name##_f32_column, name##_i32_column, name##_f64_column                                                    \
        }                                                                                                              \
    }

const cpu_fold CPU_NAME(fold)[] = {KIND(sum, 0, 0, 0),
                                   KIND(prod, 1, 1, 1),
                                   KIND(max, -INFINITY, INT32_MIN, -INFINITY),
                                   KIND(min, INFINITY, INT32_MAX, INFINITY),
                                   PLACE(argmax),
                                   PLACE(argmin),
                                   {0}};
