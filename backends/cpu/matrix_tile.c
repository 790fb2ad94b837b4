/* matrix_tile.c: a product in f32 by tiles that multiply bf16 and add in f32: packing, and the tile. Compiled once for
 * matrix units (AMX) and once for vectors that do so (AVX-512 BF16).
 *
 * A number is the sum of up to three bf16: the one nearest to it, the one nearest to what is left, and the rest. Three
 * are exact; of the nine products of two such sums the three smallest, 2^-26 of the whole, are left out. Fewer parts
 * are faster and rougher: two have an error of 2^-17 of each operand, one of 2^-9.
 *
 * The units count denormals as zero: parts, products and sums. So each operand is packed times 2^24, and sums are
 * brought back when they are stored: what is lost is below 2^-160. Infinities, NaN and numbers that are too large for
 * this show in the largest exponent that was packed.
 *
 * A packed panel has blocks of 32 rows (columns) by 32 deep: the tiles of 16 rows, part by part, then those of the next
 * 16. In a tile, k and k + 16 lie side by side. */
#include "tiles.h"

/* ---- packing ---- */

/* One operand. A tile's row has 16 lanes, and 16 more; either lanes or rows lie side by side. */
typedef struct source {
    int64_t lanes_step, rows_step;
    int64_t second, next; /* from a row's first 16 lanes to the others, and to the next tile's */
    int parts;
} source;

/* What is there of a tile: of either half. */
typedef struct extent {
    int64_t lanes[2], rows[2];
} extent;

/* A tile of each part. Returns the larger of `most` and its numbers. */
static inline __m512i pack_tile(const source *o, const float *from, const extent *e, char *to, __m512i most)
{
    const __m512 scale = _mm512_set1_ps(SCALE);
    const __mmask16 mask[] = {first(e->lanes[0]), first(e->lanes[1])};
    for (int64_t r = 0; r < SIDE; r++, from += o->rows_step, to += ROW) {
        __m512 x = _mm512_maskz_loadu_ps(r < e->rows[0] ? mask[0] : 0, from),
               y = _mm512_maskz_loadu_ps(r < e->rows[1] ? mask[1] : 0, from + o->second);
        if (o->next) _mm_prefetch(from + o->next, _MM_HINT_T0), _mm_prefetch(from + o->next + o->second, _MM_HINT_T0);
        x = _mm512_mul_ps(x, scale), y = _mm512_mul_ps(y, scale);
        most = larger(most, x, y);
        for (int p = 0; p < o->parts; p++)
            _mm512_store_si512((void *)(to + p * TILE), upper(take_part(&x), take_part(&y)));
    }
    return most;
}

/* The same where rows lie side by side. */
static inline __m512i pack_turned(const source *o, const float *from, const extent *e, char *to, __m512i most)
{
    float aside[SIDE * DEEP] __attribute__((aligned(64)));
    const source turned = {1, DEEP, SIDE, 0, o->parts};
    const extent all = {{SIDE, SIDE}, {SIDE, SIDE}};
    for (int h = 0; h < 2; h++)
        turn(from + h * o->second, o->lanes_step, first(e->rows[h]), e->lanes[h], o->next, aside + h * SIDE, DEEP);
    return pack_tile(&turned, aside, &all, to, most);
}

/* Lanes are the depth of a, and the columns of b. */
static inline int32_t pack(int parts, int is_b, int64_t count, int64_t k, const float *from, int64_t si, int64_t sl,
                           char *to)
{
    const source o = {is_b ? si : sl, is_b ? sl : si, SIDE * sl, DEEP * sl, parts};
    __m512i most = _mm512_setzero_si512();
    for (int64_t i = 0; i < count; i += WIDE)
        for (int64_t l = 0; l < k; l += DEEP, to += 2 * parts * TILE)
            for (int64_t h = 0; h < WIDE && i + h < count; h += SIDE) {
                const int64_t deep[] = {k - l, k - l - SIDE}, wide = count - i - h;
                const extent e =
                    is_b ? (extent){{wide, wide}, {deep[0], deep[1]}} : (extent){{deep[0], deep[1]}, {wide, wide}};
                const float *at = from + (i + h) * si + l * sl;
                char *tile = to + h / SIDE * parts * TILE;
                most = o.lanes_step == 1 ? pack_tile(&o, at, &e, tile, most) : pack_turned(&o, at, &e, tile, most);
            }
    return exponent(most);
}

/* ---- the tile ---- */

#define LOAD_A(p)                                                                                                      \
    TILE_LOAD(4, a + (p)*TILE, ROW);                                                                                   \
    if (tall) TILE_LOAD(5, a + (parts + (p)) * TILE, ROW)
#define LOAD_B(p)                                                                                                      \
    TILE_LOAD(6, b + (p)*TILE, ROW);                                                                                   \
    if (wide) TILE_LOAD(7, b + (parts + (p)) * TILE, ROW)

static inline __attribute__((always_inline)) void multiply(int parts, int tall, int wide, int64_t k, const char *a,
                                                           const char *b, tile_set *t)
{
    TILE_PAIRS((k + DEEP - 1) / DEEP * SIDE);
    for (int64_t l = 0; l < k; l += TILE_BLOCK(k), a += 2 * parts * TILE, b += 2 * parts * TILE) {
        PRODUCTS(parts, tall, wide);
    }
}

/* c = or += a tile's sums. */
static inline void unload(const float *sums, int64_t rows, int64_t columns, float *c, int64_t ldc, int add)
{
    const __m512 scale = _mm512_set1_ps(1 / (SCALE * SCALE));
    const __mmask16 mask = first(columns);
    for (int64_t r = 0; r < rows && r < SIDE; r++, c += ldc, sums += SIDE) {
        const __m512 sum = _mm512_load_ps(sums), before = _mm512_maskz_loadu_ps(add ? mask : 0, c);
        _mm512_mask_storeu_ps(c, mask, _mm512_fmadd_ps(sum, scale, before));
    }
}

static inline __attribute__((always_inline)) void tile(int parts, int64_t k, const char *a, const char *b, float *c,
                                                       int64_t ldc, int64_t rows, int64_t columns, int add)
{
    tile_set set, *t = &set;
    const int tall = rows > SIDE, wide = columns > SIDE;
    ZERO;
    if (tall && wide)
        multiply(parts, 1, 1, k, a, b, t);
    else if (tall)
        multiply(parts, 1, 0, k, a, b, t);
    else if (wide)
        multiply(parts, 0, 1, k, a, b, t);
    else
        multiply(parts, 0, 0, k, a, b, t);
    STORE;
    unload(t->sum[0], rows, columns, c, ldc, add);
    if (wide) unload(t->sum[1], rows, columns - SIDE, c + SIDE, ldc, add);
    if (tall) unload(t->sum[2], rows - SIDE, columns, c + SIDE * ldc, ldc, add);
    if (tall && wide) unload(t->sum[3], rows - SIDE, columns - SIDE, c + SIDE * ldc + SIDE, ldc, add);
}

/* ---- sums ---- */

/* 16 numbers at a time in f32, then in f64. */
static void add_rows(int64_t count, int64_t k, const float *from, int64_t step, double *sums)
{
    for (int64_t i = 0; i < count; i += SIDE) {
        const __mmask16 mask = first(count - i);
        __m512d low = _mm512_maskz_loadu_pd((__mmask8)mask, sums + i),
                high = _mm512_maskz_loadu_pd((__mmask8)(mask >> 8), sums + i + SIDE / 2);
        for (int64_t l = 0; l < k; l += SIDE) {
            __m512 sum = _mm512_setzero_ps();
            for (int64_t r = l; r < l + SIDE && r < k; r++)
                sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, from + r * step + i));
            low = _mm512_add_pd(low, _mm512_cvtps_pd(_mm512_castps512_ps256(sum)));
            high = _mm512_add_pd(high, _mm512_cvtps_pd(_mm512_extractf32x8_ps(sum, 1)));
        }
        _mm512_mask_storeu_pd(sums + i, (__mmask8)mask, low);
        _mm512_mask_storeu_pd(sums + i + SIDE / 2, (__mmask8)(mask >> 8), high);
    }
}

/* ---- on a thread ---- */

#ifdef CPU_TILES_AMX
static void begin(void)
{
    static const struct __attribute__((packed)) {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } tiles = {.palette = 1,
               .row_bytes = {ROW, ROW, ROW, ROW, ROW, ROW, ROW, ROW},
               .rows = {SIDE, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE}};
    _tile_loadconfig(&tiles);
}

static void end(void)
{
    _tile_release();
}
#else
static void begin(void)
{
}

static void end(void)
{
}
#endif

#define PARTS(n)                                                                                                       \
    static int32_t pack_a_##n(int64_t count, int64_t k, const float *from, int64_t si, int64_t sl, void *to)           \
    {                                                                                                                  \
        return pack(n, 0, count, k, from, si, sl, to);                                                                 \
    }                                                                                                                  \
    static int32_t pack_b_##n(int64_t count, int64_t k, const float *from, int64_t si, int64_t sl, void *to)           \
    {                                                                                                                  \
        return pack(n, 1, count, k, from, si, sl, to);                                                                 \
    }                                                                                                                  \
    static void tile_##n(int64_t k, const void *a, const void *b, float *c, int64_t ldc, int64_t rows,                 \
                         int64_t columns, int add)                                                                     \
    {                                                                                                                  \
        tile(n, k, a, b, c, ldc, rows, columns, add);                                                                  \
    }
PARTS(1)
#ifdef CPU_TILES_UNITS
PARTS(2)
PARTS(3)
#endif

#define LEVEL(n, by_vectors, least, gain)                                                                              \
    {                                                                                                                  \
        SIDE, WIDE, DEEP, 2 * n, n, by_vectors, least, gain, begin, end, pack_a_##n, pack_b_##n, tile_##n, add_rows    \
    }

/* Vectors gain with one part, which they multiply in half the time, and would lose with more. */
const cpu_matrix CPU_NAME(matrix)[] = {
#ifdef CPU_TILES_UNITS
    LEVEL(3, 0, 64, 2), LEVEL(2, 0, 32, 3.5), LEVEL(1, 0, 20, 6)
#else
    {.parts = 0}, {.parts = 0}, LEVEL(1, 1, 32, 1.8)
#endif
};
