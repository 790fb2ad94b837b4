/* attend_tile.c: what attention does with a tile of scores between its products: weights by softmax that goes on from
 * tile to tile, and the scores' gradient. Compiled once for each instruction set (see isa.h). */
#include "isa.h"
#include "math32.h"

/* The columns of row r that are not behind the last one it sees. */
CPU_FN int64_t seen_of(const cpu_scores *o, int64_t r)
{
    const int64_t seen = o->seen + r;
    return seen < 0 ? 0 : seen < o->columns ? seen : o->columns;
}

/* So many columns that all vectors are whole: rows of a tile have room for them. */
#define WHOLE 16
CPU_FN int64_t whole_of(int64_t n)
{
    return (n + WHOLE - 1) / WHOLE * WHOLE;
}

/* Row r as it goes into softmax: what a mask hides, and what fills up the last vector, is -infinity. */
CPU_FN void prepare(const cpu_scores *o, int64_t r, int64_t n, float *s)
{
    const float scale = o->scale;
    if (o->added) {
        const float *added = o->added + r * o->mask_row;
        _Pragma("omp simd") for (int64_t j = 0; j < n; j++) s[j] = s[j] * scale + added[j];
    } else if (o->hides) {
        const int32_t *hides = o->hides + r * o->mask_row;
        _Pragma("omp simd") for (int64_t j = 0; j < n; j++)
        {
            const float x = s[j] * scale;
            s[j] = hides[j] ? x : -INFINITY;
        }
    } else {
        _Pragma("omp simd") for (int64_t j = 0; j < whole_of(n); j++) s[j] *= scale;
    }
    for (int64_t j = n; j < whole_of(n); j++) s[j] = -INFINITY;
}

/* Weights before they are divided by their sum. What was there before has to be multiplied by `fix`. */
static void weigh(const cpu_scores *o, float *s)
{
    for (int64_t r = 0; r < o->rows; r++, s += o->ld) {
        const int64_t n = seen_of(o, r), whole = whole_of(n);
        float top = o->top[r], part = 0;
        prepare(o, r, n, s);
        _Pragma("omp simd reduction(max:top)") for (int64_t j = 0; j < whole; j++) top = s[j] > top ? s[j] : top;
        const float from = top == -INFINITY ? 0 : top; /* no difference of infinities */
        _Pragma("omp simd reduction(+:part)") for (int64_t j = 0; j < whole; j++)
        {
            const float e = cpu_exp(s[j] - from);
            part += e;
            s[j] = e;
        }
        for (int64_t j = n; j < o->columns; j++) s[j] = 0;
        o->fix[r] = cpu_exp(o->top[r] - from);
        o->sum[r] = o->sum[r] * o->fix[r] + part;
        o->top[r] = top;
    }
}

/* Weights by their logarithms, and what is meant for the scores; both may go into products with what they were. */
static void slope(const cpu_scores *o, float *s, float *dp)
{
    for (int64_t r = 0; r < o->rows; r++, s += o->ld, dp += o->ld) {
        const int64_t n = seen_of(o, r), whole = whole_of(n);
        const int32_t *hides = o->hides ? o->hides + r * o->mask_row : NULL;
        const float top = o->top[r], mean = o->sum[r], scale = o->scale;
        prepare(o, r, n, s);
        _Pragma("omp simd") for (int64_t j = 0; j < whole; j++)
        {
            const float e = cpu_exp(s[j] - top);
            s[j] = e;
            dp[j] = e * (dp[j] - mean) * scale;
        }
        for (int64_t j = 0; j < n && hides; j++) s[j] = hides[j] ? s[j] : 0, dp[j] = hides[j] ? dp[j] : 0;
        for (int64_t j = n; j < o->columns; j++) s[j] = dp[j] = 0;
    }
}

static void multiply(int64_t rows, int64_t columns, const float *by, const float *x, int64_t ld, float *y,
                     int64_t to_ld)
{
    for (int64_t r = 0; r < rows; r++, x += ld, y += to_ld) {
        const float factor = by[r];
        _Pragma("omp simd") for (int64_t j = 0; j < columns; j++) y[j] = x[j] * factor;
    }
}

static void dots(int64_t rows, int64_t columns, const float *a, const float *b, float *y)
{
    for (int64_t r = 0; r < rows; r++, a += columns, b += columns) {
        float sum = 0;
        _Pragma("omp simd reduction(+:sum)") for (int64_t j = 0; j < columns; j++) sum += a[j] * b[j];
        y[r] = sum;
    }
}

const cpu_attend_loops CPU_NAME(attend) = {weigh, slope, multiply, dots};
