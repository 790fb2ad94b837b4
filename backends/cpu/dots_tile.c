/* dots_tile.c: a small product of rows by rows, of which nothing is packed: each number is the sum of products of two
 * rows that lie side by side, in vectors along both, and some rows of either are in registers at once. There is such a
 * loop for AVX-512. */
#include <stddef.h>

#include "isa.h"
#include "tile.h"

#if defined(__AVX512F__)
#include <immintrin.h>

enum { W = 16, ROWS = 3, COLUMNS = 8 };

/* Keeps in a register what the compiler would load again for each use, from two lines of the cache each time. */
#define HOLD(x) __asm__("" : "+v"(x))

/* The sums of four vectors. */
static inline __m128 sums_of(__m512 a, __m512 b, __m512 c, __m512 d)
{
    const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)),
                 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    const __m512d low = _mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd)),
                  high = _mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
    const __m512 all = _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

/* The products of W numbers of each row, or of those that are there. */
static inline __attribute__((always_inline)) void add_products(const int whole, __mmask16 there, const cpu_dots *o,
                                                               const float *a, const float *b,
                                                               __m512 sum[ROWS][COLUMNS])
{
    __m512 x[ROWS];
    UNROLL for (int r = 0; r < ROWS; r++) x[r] =
        whole ? _mm512_loadu_ps(a + r * o->lda) : _mm512_maskz_loadu_ps(there, a + r * o->lda);
    UNROLL for (int j = 0; j < COLUMNS; j++)
    {
        __m512 y = whole ? _mm512_loadu_ps(b + j * o->ldb) : _mm512_maskz_loadu_ps(there, b + j * o->ldb);
        HOLD(y);
        UNROLL for (int r = 0; r < ROWS; r++) sum[r][j] = _mm512_fmadd_ps(x[r], y, sum[r][j]);
    }
}

/* ROWS of c by COLUMNS. */
static inline void block(const cpu_dots *o, const float *a, const float *b, float *c)
{
    __m512 sum[ROWS][COLUMNS];
    int64_t l = 0;
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < COLUMNS; j++) sum[r][j] = _mm512_setzero_ps();
    for (; l + W <= o->k; l += W) add_products(1, 0, o, a + l, b + l, sum);
    if (l < o->k) add_products(0, (__mmask16)((1u << (o->k - l)) - 1), o, a + l, b + l, sum);
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int j = 0; j < COLUMNS; j += 4)
        _mm_storeu_ps(c + r * o->ldc + j, sums_of(sum[r][j], sum[r][j + 1], sum[r][j + 2], sum[r][j + 3]));
}

/* Rows and columns that do not fill a block are made together with some that were made before. */
static void dots(const cpu_dots *o)
{
    for (int64_t j = 0; j < o->n; j += COLUMNS) {
        const int64_t column = j < o->n - COLUMNS ? j : o->n - COLUMNS;
        for (int64_t i = 0; i < o->m; i += ROWS) {
            const int64_t row = i < o->m - ROWS ? i : o->m - ROWS;
            block(o, o->a + row * o->lda, o->b + column * o->ldb, o->c + row * o->ldc + column);
        }
    }
}

const cpu_dots_shape CPU_NAME(dots_f32) = {ROWS, COLUMNS, dots};
#else
const cpu_dots_shape CPU_NAME(dots_f32) = {0, 0, NULL};
#endif
