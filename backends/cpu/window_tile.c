/* window_tile.c: the inner loops of conv2d that takes each channel by itself and reads pictures where they lie: vectors
 * of results of one row, of which those beyond the row are left out, as are pixels beyond the picture. Some rows are in
 * registers at once, so that a vector that was loaded serves all taps above each other. There is such a loop where an
 * instruction set loads and stores some lanes of a vector: AVX-512. */
#include <stddef.h>

#include "isa.h"
#include "tile.h"

#if defined(__AVX512F__)
#include <immintrin.h>

enum { W = 16, SIDE = 5 /* of a window, at most */, TALL = 7 /* rows at once, at most */ };

/* Keeps in a register what the compiler would load again for each use. */
#define HOLD(x) __asm__("" : "+v"(x))

/* Lanes i for which begin <= i < end. */
static inline __mmask16 lanes(int64_t begin, int64_t end)
{
    const uint32_t low = begin <= 0 ? 0xffff : begin >= W ? 0 : 0xffffu << begin;
    const uint32_t high = end >= W ? 0xffff : end <= 0 ? 0 : (1u << end) - 1;
    return (__mmask16)(low & high);
}

/* What is the same for all rows of a block: the lanes that each column of the window has a pixel for, those that are
 * stored, and how a row of pixels is loaded. `side` and `step` are known when this is compiled. */
typedef struct view {
    __mmask16 seen[SIDE], there;
    __mmask16 in_row[SIDE][2]; /* of vectors that begin at each other column of the window, and of those behind them */
} view;

static inline __attribute__((always_inline)) view view_of(const int side, const int step, const cpu_windows *o,
                                                          int64_t column)
{
    const int64_t first = column * step - o->pad[1];
    view v = {.there = lanes(0, o->q - column)};
    UNROLL for (int s = 0; s < side; s++)
    {
        const int64_t before = -first - s, left = o->w - first - s;
        v.seen[s] = lanes((before + step - 1) / step, (left + step - 1) / step);
        v.in_row[s][0] = lanes(before, left), v.in_row[s][1] = lanes(before - W, left - W);
    }
    return v;
}

/* W numbers, those that are none if memory is read that is not the picture's. */
static inline __attribute__((always_inline)) __m512 load(const int whole, __mmask16 mask, const float *from)
{
    return whole ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(mask, from);
}

/* The pixels of a row, for each column of the window. */
static inline __attribute__((always_inline)) void see(const int side, const int step, const int whole,
                                                      const float *from, const view *v, __m512 x[SIDE])
{
    const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0),
                  odd = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    UNROLL for (int s = 0; s < side; s += step)
    {
        const __m512 a = load(whole, v->in_row[s][0], from + s);
        x[s] = a;
        if (step == 1) continue;
        const __m512 b = load(whole, v->in_row[s][1], from + s + W);
        x[s] = _mm512_permutex2var_ps(a, even, b);
        if (s + 1 < side) x[s + 1] = _mm512_permutex2var_ps(a, odd, b);
    }
}

static inline __m512 end(__m512 x, const cpu_ending *e)
{
    if (e->sub) x = _mm512_sub_ps(x, _mm512_set1_ps(*e->sub));
    if (e->mul[0]) x = _mm512_mul_ps(x, _mm512_set1_ps(*e->mul[0]));
    if (e->mul[1]) x = _mm512_mul_ps(x, _mm512_set1_ps(*e->mul[1]));
    if (e->add) x = _mm512_add_ps(x, _mm512_set1_ps(*e->add));
    return _mm512_min_ps(_mm512_set1_ps(e->high), _mm512_max_ps(_mm512_set1_ps(e->low), x));
}

/* Rows row.. of the result, `height` of them, from `column` on. */
static inline __attribute__((always_inline)) void block(const int height, const int side, const int step,
                                                        const int whole, const cpu_windows *o, const __m512 *weight,
                                                        int64_t row, int64_t column, float *to)
{
    const float *from = o->x + column * step - o->pad[1];
    const view v = view_of(side, step, o, column);
    __m512 acc[TALL], x[SIDE];
    UNROLL for (int i = 0; i < height; i++) acc[i] = _mm512_setzero_ps();
    UNROLL for (int h = 0; h < (height - 1) * step + side; h++)
    {
        const int64_t at = row * step + h - o->pad[0];
        if (at < 0 || at >= o->h) continue;
        see(side, step, whole, from + at * o->w, &v, x);
        UNROLL for (int d = 0; d < side; d++) if (h >= d && (h - d) % step == 0 && (h - d) / step < height)
        {
            const int i = (h - d) / step;
            UNROLL for (int s = 0; s < side; s++) acc[i] =
                _mm512_mask3_fmadd_ps(weight[d * side + s], x[s], acc[i], v.seen[s]);
        }
    }
    UNROLL for (int i = 0; i < height; i++) if (o->ending) acc[i] = end(acc[i], o->ending);
    UNROLL for (int i = 0; i < height; i++) _mm512_mask_storeu_ps(to + i * o->q + column, v.there, acc[i]);
}

/* Whether whole vectors of rows that a block sees are the picture's, or its neighbours'. */
static inline __attribute__((always_inline)) int is_whole(const int height, const int side, const int step,
                                                          const cpu_windows *o, int64_t row, int64_t column)
{
    const int64_t top = row * step - o->pad[0], bottom = top + (height - 1) * step + side - 1;
    const int64_t first = (top > 0 ? top : 0) * o->w + column * step - o->pad[1];
    const int64_t last = (bottom < o->h ? bottom : o->h - 1) * o->w + column * step - o->pad[1] + side + step * W;
    return first >= -o->before && last <= o->h * o->w + o->behind;
}

/* Rows that do not fill a block are made together with some that were made before. */
#define WINDOWS(height, side, step)                                                                                    \
    static void windows_##height##_##side##_##step(const cpu_windows *o, const float *weight, float *to)               \
    {                                                                                                                  \
        __m512 held[side * side];                                                                                      \
        UNROLL for (int t = 0; t < side * side; t++)                                                                   \
        {                                                                                                              \
            held[t] = _mm512_set1_ps(weight[t]);                                                                       \
            if (side == 3) HOLD(held[t]);                                                                              \
        }                                                                                                              \
        for (int64_t i = o->begin; i < o->end; i += height) {                                                          \
            const int64_t row = i < o->end - height ? i : o->end - height;                                             \
            float *at = to + (row - o->begin) * o->q;                                                                  \
            for (int64_t j = 0; j < o->q; j += W)                                                                      \
                if (is_whole(height, side, step, o, row, j))                                                           \
                    block(height, side, step, 1, o, held, row, j, at);                                                 \
                else                                                                                                   \
                    block(height, side, step, 0, o, held, row, j, at);                                                 \
        }                                                                                                              \
    }
#define HEIGHTS(side, step) WINDOWS(7, side, step) WINDOWS(4, side, step) WINDOWS(1, side, step)
HEIGHTS(3, 1)
HEIGHTS(3, 2)
HEIGHTS(5, 1)
HEIGHTS(5, 2)

#define LOOPS(side, step)                                                                                              \
    {                                                                                                                  \
        windows_1_##side##_##step, windows_4_##side##_##step, windows_7_##side##_##step                                \
    }
static void windows(const cpu_windows *o, const float *weight, float *to)
{
    static cpu_window_loop *const loop[2][2][3] = {{LOOPS(3, 1), LOOPS(3, 2)}, {LOOPS(5, 1), LOOPS(5, 2)}};
    const int64_t rows = o->end - o->begin, by_7 = (rows + 6) / 7 * 7, by_4 = (rows + 3) / 4 * 4;
    const int height = rows < 4 ? 0 : rows >= 7 && by_7 <= by_4 ? 2 : 1;
    loop[o->side == 5][o->step == 2][height](o, weight, to);
}

cpu_window_loop *const CPU_NAME(window_f32) = windows;
#else
cpu_window_loop *const CPU_NAME(window_f32) = NULL;
#endif
