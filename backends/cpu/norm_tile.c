/* norm_tile.c: the inner loops of layer normalisation and of its gradient: a row at a time, in the first cache.
 * Compiled once for each instruction set (see isa.h).
 *
 * Accuracy: as in fold.c, what outlives a block is in double. The mean is taken away as two numbers, one that is near
 * to it and, found together with the squares, what is left: rows far from 0 lose nothing. The first is the row's first
 * number where that is as near, so that nothing at all is left of a row of equal numbers. */
#include <math.h>
#include <stddef.h>

#include "isa.h"
#include "tile.h"

enum { ACROSS = 4 /* vectors of partial sums */, BLOCK = 4096 /* elements */ };

#define INLINE static inline __attribute__((always_inline))

/* Element j of a row; a vector of elements from j on. */
#define ONE(T, p)  ((p)[j])
#define MANY(T, p) (*(const norm_##T##s *)(const void *)((p) + j))

/* What is added up of a row: x; its distance from a number near the mean, and the square of that; dy weight, or dy, and
 * that times the distance from the mean. */
#define FROM_NEAR(AT, T)   (AT(T, x) - high)
#define FROM_MEAN(AT, T)   ((AT(T, x) - high) - low)
#define TERM_X(AT, T)      AT(T, x)
#define TERM_SQUARE(AT, T) (FROM_NEAR(AT, T) * FROM_NEAR(AT, T))
#define TERM_LEVEL(AT, T)  (AT(T, dy) * AT(T, weight))
#define TERM_ALONG(AT, T)  (TERM_LEVEL(AT, T) * FROM_MEAN(AT, T))
#define TERM_PLAIN(AT, T)  AT(T, dy)
#define TERM_BESIDE(AT, T) (AT(T, dy) * FROM_MEAN(AT, T))

#define VECTOR(T)                                                                                                      \
    typedef T norm_##T __attribute__((vector_size(BYTES)));                                                            \
    typedef T norm_##T##s __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));                          \
    typedef T norm_##T##_quarter __attribute__((vector_size(16)));                                                     \
    INLINE double total_##T(norm_##T v)                                                                                \
    {                                                                                                                  \
        norm_##T##_quarter part[BYTES / 16];                                                                           \
        T sum = 0;                                                                                                     \
        __builtin_memcpy(part, &v, sizeof part);                                                                       \
        for (int i = 1; i < BYTES / 16; i++) part[0] += part[i];                                                       \
        for (int i = 0; i < (int)(16 / sizeof(T)); i++) sum += part[0][i];                                             \
        return (double)sum;                                                                                            \
    }
VECTOR(float)
VECTOR(double)

/* Two sums over the row; arguments that a term does without may be anything. */
#define SUM(T, name, ONE_TERM, OTHER)                                                                                  \
    INLINE void name##_##T(int64_t n, const T *x, T high, T low, const T *dy, const T *weight, double all[2])          \
    {                                                                                                                  \
        const int64_t wide = BYTES / sizeof(T);                                                                        \
        (void)x, (void)high, (void)low, (void)dy, (void)weight;                                                        \
        all[0] = all[1] = 0;                                                                                           \
        for (int64_t j = 0; j < n;) {                                                                                  \
            const int64_t end = n - j < BLOCK ? n : j + BLOCK;                                                         \
            norm_##T sum[ACROSS] = {{0}}, more[ACROSS] = {{0}};                                                        \
            T rest[2] = {0};                                                                                           \
            while (j + ACROSS * wide <= end) {                                                                         \
                for (int v = 0; v < ACROSS; v++, j += wide) sum[v] += ONE_TERM(MANY, T), more[v] += OTHER(MANY, T);    \
            }                                                                                                          \
            for (; j + wide <= end; j += wide) sum[0] += ONE_TERM(MANY, T), more[0] += OTHER(MANY, T);                 \
            for (; j < end; j++) rest[0] += ONE_TERM(ONE, T), rest[1] += OTHER(ONE, T);                                \
            all[0] += total_##T((sum[0] + sum[1]) + (sum[2] + sum[3])) + (double)rest[0];                              \
            all[1] += total_##T((more[0] + more[1]) + (more[2] + more[3])) + (double)rest[1];                          \
        }                                                                                                              \
    }
#define SUMS(T)                                                                                                        \
    SUM(T, whole, TERM_X, TERM_X)                                                                                      \
    SUM(T, moments, FROM_NEAR, TERM_SQUARE)                                                                            \
    SUM(T, slopes, TERM_LEVEL, TERM_ALONG)                                                                             \
    SUM(T, plain_slopes, TERM_PLAIN, TERM_BESIDE)
SUMS(float)
SUMS(double)

/* Whether a row's first number is as near to its mean as a sum of so many is. */
#define IS_MEAN(T, first, mean)                                                                                        \
    (fabs((double)(first) - (mean)) <= (sizeof(T) == sizeof(float) ? 0x1p-16 : 0x1p-45) * fabs(mean))

/* A row's mean in two parts, and one over its deviation. */
#define STATS(T)                                                                                                       \
    typedef struct stats_##T {                                                                                         \
        T high, low;                                                                                                   \
        double scale;                                                                                                  \
    } stats_##T;                                                                                                       \
    /* Squares that f32 has no room for. */                                                                            \
    static __attribute__((noinline)) stats_##T slow_##T(const cpu_norm *o, const T *x)                                 \
    {                                                                                                                  \
        double mean = 0, power = 0;                                                                                    \
        for (int64_t j = 0; j < o->n && !o->keep_mean; j++) mean += ((double)x[j] - (double)x[0]) / (double)o->n;      \
        mean += o->keep_mean ? 0 : (double)x[0];                                                                       \
        for (int64_t j = 0; j < o->n; j++) power += ((double)x[j] - mean) * ((double)x[j] - mean) / (double)o->n;      \
        return (stats_##T){(T)mean, (T)(mean - (double)(T)mean), 1 / sqrt(power + o->epsilon)};                        \
    }                                                                                                                  \
    INLINE stats_##T stats_of_##T(const cpu_norm *o, const T *x)                                                       \
    {                                                                                                                  \
        const double n = (double)o->n;                                                                                 \
        double sum[2] = {0}, moment[2];                                                                                \
        if (!o->keep_mean) whole_##T(o->n, x, 0, 0, x, x, sum);                                                        \
        const T high = !o->keep_mean && IS_MEAN(T, x[0], sum[0] / n) ? x[0] : (T)(sum[0] / n);                         \
        moments_##T(o->n, x, high, 0, x, x, moment);                                                                   \
        const double low = o->keep_mean ? 0 : moment[0] / n, power = moment[1] / n - low * low;                        \
        const int is_small = power < 1e-30 && o->epsilon < 1e-20;                                                      \
        if (sizeof(T) == sizeof(float) && (!(power < 1e30) || is_small)) return slow_##T(o, x);                        \
        return (stats_##T){high, (T)low, 1 / sqrt((power < 0 ? 0 : power) + o->epsilon)};                              \
    }
STATS(float)
STATS(double)

/* How many of weight and bias there are. */
#define FORWARD(T)                                                                                                     \
    INLINE void forward_##T(const int with, const cpu_norm *o, const T *x, T *y)                                       \
    {                                                                                                                  \
        const stats_##T s = stats_of_##T(o, x);                                                                        \
        const T *weight = o->weight, *bias = o->bias, high = s.high, low = s.low, scale = (T)s.scale;                  \
        _Pragma("omp simd") for (int64_t j = 0; j < o->n; j++)                                                         \
        {                                                                                                              \
            T v = FROM_MEAN(ONE, T) * scale;                                                                           \
            if (with > 0) v *= weight[j];                                                                              \
            if (with > 1) v += bias[j];                                                                                \
            y[j] = v;                                                                                                  \
        }                                                                                                              \
    }                                                                                                                  \
    static void rows_##T(const cpu_norm *o, int64_t rows, const void *from, void *to)                                  \
    {                                                                                                                  \
        const T *x = from;                                                                                             \
        T *y = to;                                                                                                     \
        const int with = (o->weight != NULL) + (o->bias != NULL);                                                      \
        for (int64_t r = 0; r < rows; r++, x += o->n, y += o->n)                                                       \
            if (with > 1)                                                                                              \
                forward_##T(2, o, x, y);                                                                               \
            else if (with)                                                                                             \
                forward_##T(1, o, x, y);                                                                               \
            else                                                                                                       \
                forward_##T(0, o, x, y);                                                                               \
    }
FORWARD(float)
FORWARD(double)

/* So many sums: for the weight, for the bias. dx = scale (dy weight - their mean - x' mean(dy weight x')), where x' is
 * the normalised x. */
#define BACKWARD(T)                                                                                                    \
    INLINE void backward_##T(const int with, const cpu_norm *o, const T *x, const T *dy, T *dx, T *sums)               \
    {                                                                                                                  \
        const stats_##T s = stats_of_##T(o, x);                                                                        \
        const int64_t n = o->n;                                                                                        \
        const T *weight = o->weight, high = s.high, low = s.low, scale = (T)s.scale;                                   \
        double sum[2];                                                                                                 \
        if (with)                                                                                                      \
            slopes_##T(n, x, high, low, dy, weight, sum);                                                              \
        else                                                                                                           \
            plain_slopes_##T(n, x, high, low, dy, x, sum);                                                             \
        const T flat = o->keep_mean ? 0 : (T)(sum[0] / (double)n);                                                     \
        const T slope = (T)(sum[1] / (double)n * s.scale);                                                             \
        const T outer = n > 1 || o->keep_mean ? scale : 0; /* one element is its mean, whatever it is */               \
        _Pragma("omp simd") for (int64_t j = 0; j < n; j++)                                                            \
        {                                                                                                              \
            const T normal = FROM_MEAN(ONE, T) * scale, in = dy[j];                                                    \
            dx[j] = (((with ? in * weight[j] : in) - flat) - normal * slope) * outer;                                  \
            if (with > 0) sums[j] += in * normal;                                                                      \
            if (with > 1) sums[n + j] += in;                                                                           \
        }                                                                                                              \
    }                                                                                                                  \
    static void all_slopes_##T(const cpu_norm *o, int64_t rows, const void *from, const void *in, void *to,            \
                               void *sums)                                                                             \
    {                                                                                                                  \
        const T *x = from, *dy = in;                                                                                   \
        T *dx = to;                                                                                                    \
        for (int64_t r = 0; r < rows; r++, x += o->n, dy += o->n, dx += o->n)                                          \
            if (!o->weight)                                                                                            \
                backward_##T(0, o, x, dy, dx, sums);                                                                   \
            else if (o->keep_mean)                                                                                     \
                backward_##T(1, o, x, dy, dx, sums);                                                                   \
            else                                                                                                       \
                backward_##T(2, o, x, dy, dx, sums);                                                                   \
    }                                                                                                                  \
    static void gather_##T(int64_t n, void *from, double *to)                                                          \
    {                                                                                                                  \
        T *sums = from;                                                                                                \
        _Pragma("omp simd") for (int64_t j = 0; j < n; j++) to[j] += (double)sums[j];                                  \
        for (int64_t j = 0; j < n; j++) sums[j] = 0;                                                                   \
    }                                                                                                                  \
    static void join_##T(int64_t n, int64_t pieces, double *all, void *to)                                             \
    {                                                                                                                  \
        T *sums = to;                                                                                                  \
        for (int64_t p = 1; p < pieces; p++)                                                                           \
            _Pragma("omp simd") for (int64_t j = 0; j < n; j++) all[j] += all[p * n + j];                              \
        _Pragma("omp simd") for (int64_t j = 0; j < n; j++) sums[j] = (T)all[j];                                       \
    }
BACKWARD(float)
BACKWARD(double)

const cpu_norm_loops CPU_NAME(norm_f32) = {rows_float, all_slopes_float, gather_float, join_float};
const cpu_norm_loops CPU_NAME(norm_f64) = {rows_double, all_slopes_double, gather_double, join_double};
