/* tiles.h: what products in tiles (matrix_tile.c, picture_tile.c) share: numbers in parts, turned blocks, ranges, and
 * the tiles themselves, which are registers of matrix units (AMX), or memory that products of pairs of bf16 by vectors
 * are added to (AVX-512 BF16). Either multiplies bf16 and adds in f32. */
#ifndef CPU_TILES_H
#define CPU_TILES_H

#include <immintrin.h>
#include <string.h>

#include "isa.h"
#include "tile.h"

#define SCALE 0x1p24f

enum { SIDE = 16, WIDE = 2 * SIDE, DEEP = 2 * SIDE, ROW = 64, TILE = SIDE * ROW /* bytes */ };

/* The upper halves of 2 x 16 numbers, side by side. */
static inline __m512i upper(__m512i x, __m512i y)
{
    return _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(x, 16), y);
}

/* Takes the nearest bf16 away from x, and returns it, in the upper halves. */
static inline __m512i take_part(__m512 *x)
{
    const __m512i near = _mm512_add_epi32(_mm512_castps_si512(*x), _mm512_set1_epi32(0x8000));
    *x = _mm512_sub_ps(*x, _mm512_castsi512_ps(_mm512_and_si512(near, _mm512_set1_epi32((int)0xffff0000))));
    return near;
}

/* Magnitudes without the lower halves: exponents and 7 bits more. */
static inline __m512i larger(__m512i most, __m512 x, __m512 y)
{
    const __m512i both = upper(_mm512_castps_si512(x), _mm512_castps_si512(y));
    return _mm512_max_epu16(most, _mm512_add_epi16(both, both));
}

static inline __mmask16 first(int64_t n)
{
    return n <= 0 ? 0 : n >= SIDE ? 0xffff : (__mmask16)((1u << n) - 1);
}

/* The largest exponent. */
static inline int32_t exponent(__m512i most)
{
    uint16_t each[32], top = 0;
    _mm512_storeu_si512(each, most);
    for (int i = 0; i < 32; i++) top = each[i] > top ? each[i] : top;
    return top >> 8;
}

/* 16 x 16 numbers turned: element (i, j) of `from`, of which `count` rows and the columns of the mask are there,
 * becomes element (j, i). */
static inline void turn(const float *from, int64_t step, __mmask16 mask, int64_t count, int64_t next, float *to,
                        int64_t to_step)
{
    __m512 r[SIDE], t[SIDE];
    for (int i = 0; i < SIDE; i++) {
        r[i] = _mm512_maskz_loadu_ps(i < count ? mask : 0, from + i * step);
        _mm_prefetch(from + i * step + next, _MM_HINT_T0);
    }
    for (int i = 0; i < SIDE; i += 2)
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]), t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    for (int i = 0; i < SIDE; i += 4)
        for (int j = 0; j < 2; j++) {
            const __m512d low = _mm512_castps_pd(t[i + j]), high = _mm512_castps_pd(t[i + j + 2]);
            r[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
            r[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
        }
    for (int i = 0; i < 4; i++) {
        const __m512 a = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x44), b = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xee),
                     c = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x44),
                     d = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xee);
        _mm512_store_ps(to + i * to_step, _mm512_shuffle_f32x4(a, c, 0x88));
        _mm512_store_ps(to + (i + 4) * to_step, _mm512_shuffle_f32x4(a, c, 0xdd));
        _mm512_store_ps(to + (i + 8) * to_step, _mm512_shuffle_f32x4(b, d, 0x88));
        _mm512_store_ps(to + (i + 12) * to_step, _mm512_shuffle_f32x4(b, d, 0xdd));
    }
}

/* ---- tiles ---- */

/* Tiles 0 to 3 are the sums of 2 x 2 tiles; 4 and 5 are of a, 6 and 7 of b, one of each kind where not tall or wide. Of
 * a, row i and pair p times pair p of column j of b is added to sum (i, j): pair p of b's columns is a row. */
typedef float tile_sums[4][SIDE * SIDE] __attribute__((aligned(64)));

#if defined(CPU_TILES_AMX) || defined(CPU_TILES_AMX_MODEL)
#define CPU_TILES_UNITS 1 /* numbers of several parts pay */
#endif

#ifdef CPU_TILES_AMX
typedef struct tile_set {
    tile_sums sum; /* when they are stored */
} tile_set;

#define TILE_ZERO(i)                                 _tile_zero(i)
#define ROW_DEPTH(run)                               (((run) + DEEP - 1) / DEEP * DEEP) /* of a row of a window, packed */
#define TILE_BLOCK(depth)                            DEEP                               /* that is multiplied at once */
#define TILE_PAIRS(count)                            (void)t
#define TILE_LOAD(i, from, step)                     _tile_loadd(i, from, step)
#define TILE_LOAD_WINDOWS(i, from, w, half)          _tile_loadd(i, from, (w)->step)
#define TILE_LOAD_RUNS(i, from, step, columns, wide) _tile_loadd(i, from, step)
#define TILE_MULTIPLY(i, j, a, wide)                                                                                   \
    _tile_dpbf16ps(i, a, 6);                                                                                           \
    if (wide) _tile_dpbf16ps(j, a, 7)
#define TILE_STORE(i) _tile_stored(i, t->sum[i], ROW)
#elif defined(CPU_TILES_AMX_MODEL)
/* The units' instructions as Intel describes them, for tests on processors that have none: what is in even places of
 * the pairs and what is in odd ones is added up by itself, then all to the sums; denormals are zero. */
typedef struct tile_set {
    tile_sums sum;
    uint16_t operand[4][SIDE][2 * SIDE];
} tile_set;

static inline float model_number(uint16_t bf16)
{
    const uint32_t bits = bf16 & 0x7f80 ? (uint32_t)bf16 << 16 : 0;
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static __attribute__((noinline)) void model_load(uint16_t to[SIDE][2 * SIDE], const char *from, int64_t step)
{
    for (int64_t r = 0; r < SIDE; r++) memcpy(to[r], from + r * step, ROW);
}

static __attribute__((noinline)) void model_multiply(float *sums, const uint16_t a[SIDE][2 * SIDE],
                                                     const uint16_t b[SIDE][2 * SIDE])
{
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            float sum[2] = {0};
            for (int k = 0; k < 2 * SIDE; k++)
                sum[k % 2] += model_number(a[i][k]) * model_number(b[k / 2][2 * j + k % 2]);
            sums[i * SIDE + j] += sum[0] + sum[1];
        }
}

#define TILE_ZERO(i)                                 memset(t->sum[i], 0, sizeof t->sum[i])
#define ROW_DEPTH(run)                               (((run) + DEEP - 1) / DEEP * DEEP)
#define TILE_BLOCK(depth)                            DEEP
#define TILE_PAIRS(count)                            (void)t
#define TILE_LOAD(i, from, step)                     model_load(t->operand[(i)-4], from, step)
#define TILE_LOAD_WINDOWS(i, from, w, half)          TILE_LOAD(i, from, (w)->step)
#define TILE_LOAD_RUNS(i, from, step, columns, wide) TILE_LOAD(i, from, step)
#define TILE_MULTIPLY(i, j, a, wide)                                                                                   \
    model_multiply(t->sum[i], t->operand[(a)-4], t->operand[2]);                                                       \
    if (wide) model_multiply(t->sum[j], t->operand[(a)-4], t->operand[3])
#define TILE_STORE(i)
#else
/* Runs of pairs that lie side by side, with so many bytes between them. */
typedef struct tile_runs {
    int64_t pairs, gap;
} tile_runs;

/* 16 rows of pairs, `step` bytes apart; from the first to the ninth it is `half`. */
typedef struct tile_rows {
    const char *at;
    int64_t step, half;
    tile_runs runs;
} tile_rows;

typedef struct tile_set {
    tile_sums sum;
    tile_rows operand[4];
    int64_t pairs; /* that are multiplied */
} tile_set;

static inline __m512bh pair_of_all(const char *from)
{
    int32_t pair;
    memcpy(&pair, from, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}

/* Adds products of 8 or 16 rows, from `first` on, to those rows of a tile of sums, or of two side by side: 16 vectors.
 */
static inline __attribute__((always_inline)) void add_to_rows(int rows, int tiles, float *sums, const tile_rows *a,
                                                              const char *first, const char *b, const char *next,
                                                              int64_t pairs)
{
    __m512 sum[SIDE][2];
    const char *row[SIDE / 2] = {first, [SIDE / 4] = first + a->half}, *const column[2] = {b, next};
    const int64_t step = a->step;
    int64_t left = a->runs.pairs, at = 0;
    UNROLL for (int r = 1; r < rows / 2; r++) if (r != SIDE / 4) row[r] = row[r - 1] + 2 * step;
    UNROLL for (int i = 0; i < rows * tiles; i++) sum[i / tiles][i % tiles] =
        _mm512_load_ps(sums + (i % tiles * SIDE + i / tiles) * SIDE);
    for (int64_t p = 0; p < pairs; p++) {
        __m512bh each[2];
        UNROLL for (int j = 0; j < tiles; j++) each[j] = (__m512bh)_mm512_load_si512((const void *)(column[j] + at));
        UNROLL for (int r = 0; r < rows; r++)
        {
            const __m512bh pair = pair_of_all(row[r / 2] + r % 2 * step);
            UNROLL for (int j = 0; j < tiles; j++) sum[r][j] = _mm512_dpbf16_ps(sum[r][j], pair, each[j]);
        }
        const int64_t on = 4 + (--left ? 0 : a->runs.gap);
        left = left ? left : a->runs.pairs;
        UNROLL for (int r = 0; r < rows / 2; r++) row[r] += on;
        at += p % SIDE == SIDE - 1 ? TILE + ROW : ROW;
    }
    UNROLL for (int i = 0; i < rows * tiles; i++)
        _mm512_store_ps(sums + (i % tiles * SIDE + i / tiles) * SIDE, sum[i / tiles][i % tiles]);
}

static __attribute__((noinline)) void add_narrow(float *sums, const tile_rows *a, const char *b, int64_t pairs)
{
    add_to_rows(SIDE, 1, sums, a, a->at, b, b, pairs);
}

static __attribute__((noinline)) void add_wide(float *sums, const tile_rows *a, const char *b, const char *next,
                                               int64_t pairs)
{
    add_to_rows(SIDE / 2, 2, sums, a, a->at, b, next, pairs);
    add_to_rows(SIDE / 2, 2, sums + SIDE * SIDE / 2, a, a->at + a->half, b, next, pairs);
}

#define TILE_ZERO(i)      memset(t->sum[i], 0, sizeof t->sum[i])
#define ROW_DEPTH(run)    (run)
#define TILE_BLOCK(depth) (depth)
#define TILE_PAIRS(count) t->pairs = (count)
#define TILE_ROWS(i, ...)                                                                                              \
    t->operand[(i)-4] = (tile_rows)                                                                                    \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define TILE_LOAD(i, from, step) TILE_ROWS(i, from, step, SIDE / 2 * (step), {SIDE, 2 * TILE - ROW})
/* Of windows, the rows of which are runs. */
#define TILE_LOAD_WINDOWS(i, from, w, half)                                                                            \
    TILE_ROWS(i, from, (w)->step, half,                                                                                \
              {(w)->columns * (w)->channels / 2, (w)->next_row - 2 * (w)->columns * (w)->channels})
/* Of pixels, of which a row has so many, and lies so far from the next. */
#define TILE_LOAD_RUNS(i, from, step, columns, wide)                                                                   \
    TILE_ROWS(i, from, step, SIDE / 2 * (step), {(columns) / 2, 2 * ((wide) - (columns))})
#define TILE_MULTIPLY(i, j, a, wide)                                                                                   \
    if (wide)                                                                                                          \
        add_wide(t->sum[i], &t->operand[(a)-4], t->operand[2].at, t->operand[3].at, t->pairs);                         \
    else                                                                                                               \
        add_narrow(t->sum[i], &t->operand[(a)-4], t->operand[2].at, t->pairs)
#define TILE_STORE(i)
#endif

#define ZERO                                                                                                           \
    TILE_ZERO(0);                                                                                                      \
    TILE_ZERO(1);                                                                                                      \
    TILE_ZERO(2);                                                                                                      \
    TILE_ZERO(3)
#define STORE                                                                                                          \
    TILE_STORE(0);                                                                                                     \
    TILE_STORE(1);                                                                                                     \
    TILE_STORE(2);                                                                                                     \
    TILE_STORE(3)
#define MULTIPLY(tall, wide)                                                                                           \
    TILE_MULTIPLY(0, 1, 4, wide);                                                                                      \
    if (tall) {                                                                                                        \
        TILE_MULTIPLY(2, 3, 5, wide);                                                                                  \
    }

/* Bytes of a packed panel of this depth. */
#define TILES_OF(parts, depth) (((depth) + DEEP - 1) / DEEP * 2 * (parts)*TILE)

/* Of numbers in parts the products that count, small ones first. LOAD_A(p) and LOAD_B(p) load the tiles of part p. */
#define PRODUCTS(parts, tall, wide)                                                                                    \
    LOAD_A((parts)-1);                                                                                                 \
    LOAD_B(0);                                                                                                         \
    MULTIPLY(tall, wide);                                                                                              \
    if ((parts) == 3) {                                                                                                \
        LOAD_A(1);                                                                                                     \
        MULTIPLY(tall, wide);                                                                                          \
        LOAD_B(1);                                                                                                     \
        MULTIPLY(tall, wide);                                                                                          \
    }                                                                                                                  \
    if ((parts) == 1) continue;                                                                                        \
    LOAD_A(0);                                                                                                         \
    if ((parts) == 2) {                                                                                                \
        LOAD_B(1);                                                                                                     \
    }                                                                                                                  \
    MULTIPLY(tall, wide);                                                                                              \
    if ((parts) == 3) {                                                                                                \
        LOAD_B(2);                                                                                                     \
        MULTIPLY(tall, wide);                                                                                          \
    }                                                                                                                  \
    LOAD_B(0);                                                                                                         \
    MULTIPLY(tall, wide)

#endif
