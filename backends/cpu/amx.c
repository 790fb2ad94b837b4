/* amx.c: a product in f32 by matrix units (AMX), which multiply bf16 and add in f32: packing, and the tile.
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
#include <immintrin.h>

#include "isa.h"

#define SCALE 0x1p24f

enum { SIDE = 16, WIDE = 2 * SIDE, DEEP = 2 * SIDE, ROW = 64, TILE = SIDE * ROW /* bytes */ };

/* ---- packing ---- */

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

static inline __mmask16 first(int64_t n)
{
    return n <= 0 ? 0 : n >= SIDE ? 0xffff : (__mmask16)((1u << n) - 1);
}

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

/* The largest exponent. */
static inline int32_t exponent(__m512i most)
{
    uint16_t each[32], top = 0;
    _mm512_storeu_si512(each, most);
    for (int i = 0; i < 32; i++) top = each[i] > top ? each[i] : top;
    return top >> 8;
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

/* Tiles 0 to 3 are the sums of 2 x 2 tiles; 4 and 5 are of a, 6 and 7 of b. */
#define LOAD_A(p)                                                                                                      \
    _tile_loadd(4, a + (p)*TILE, ROW);                                                                                 \
    if (tall) _tile_loadd(5, a + (parts + (p)) * TILE, ROW)
#define LOAD_B(p)                                                                                                      \
    _tile_loadd(6, b + (p)*TILE, ROW);                                                                                 \
    if (wide) _tile_loadd(7, b + (parts + (p)) * TILE, ROW)
#define MULTIPLY                                                                                                       \
    _tile_dpbf16ps(0, 4, 6);                                                                                           \
    if (wide) _tile_dpbf16ps(1, 4, 7);                                                                                 \
    if (tall) _tile_dpbf16ps(2, 5, 6);                                                                                 \
    if (tall && wide) _tile_dpbf16ps(3, 5, 7)

/* Of two numbers in three parts the products that count, small ones first. */
static inline __attribute__((always_inline)) void multiply(int parts, int tall, int wide, int64_t k, const char *a,
                                                           const char *b)
{
    for (int64_t l = 0; l < k; l += DEEP, a += 2 * parts * TILE, b += 2 * parts * TILE) {
        LOAD_A(parts - 1);
        LOAD_B(0);
        MULTIPLY;
        if (parts == 3) {
            LOAD_A(1);
            MULTIPLY;
            LOAD_B(1);
            MULTIPLY;
        }
        if (parts == 1) continue;
        LOAD_A(0);
        LOAD_B(1);
        MULTIPLY;
        if (parts == 3) {
            LOAD_B(2);
            MULTIPLY;
        }
        LOAD_B(0);
        MULTIPLY;
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
    float sums[4][SIDE * SIDE] __attribute__((aligned(64)));
    const int tall = rows > SIDE, wide = columns > SIDE;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    if (tall && wide)
        multiply(parts, 1, 1, k, a, b);
    else if (tall)
        multiply(parts, 1, 0, k, a, b);
    else if (wide)
        multiply(parts, 0, 1, k, a, b);
    else
        multiply(parts, 0, 0, k, a, b);
    _tile_stored(0, sums[0], ROW);
    _tile_stored(1, sums[1], ROW);
    _tile_stored(2, sums[2], ROW);
    _tile_stored(3, sums[3], ROW);
    unload(sums[0], rows, columns, c, ldc, add);
    if (wide) unload(sums[1], rows, columns - SIDE, c + SIDE, ldc, add);
    if (tall) unload(sums[2], rows - SIDE, columns, c + SIDE * ldc, ldc, add);
    if (tall && wide) unload(sums[3], rows - SIDE, columns - SIDE, c + SIDE * ldc + SIDE, ldc, add);
}

/* ---- on a thread ---- */

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
PARTS(2)
PARTS(3)

const cpu_matrix cpu_matrix_amx[] = {
    {WIDE, DEEP, 2 * 3, 3, begin, end, pack_a_3, pack_b_3, tile_3},
    {WIDE, DEEP, 2 * 2, 2, begin, end, pack_a_2, pack_b_2, tile_2},
    {WIDE, DEEP, 2 * 1, 1, begin, end, pack_a_1, pack_b_1, tile_1},
};
