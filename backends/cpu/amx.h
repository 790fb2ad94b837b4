/* amx.h: what the products of matrix units (amx.c, amx_conv.c) share: numbers in parts, turned blocks, ranges. */
#ifndef CPU_AMX_H
#define CPU_AMX_H

#include <immintrin.h>

#include "isa.h"

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

/* Tiles 0 to 3 are the sums of 2 x 2 tiles; 4 and 5 are of a, 6 and 7 of b, one of each kind where not tall or wide. */
#define ZERO                                                                                                           \
    _tile_zero(0);                                                                                                     \
    _tile_zero(1);                                                                                                     \
    _tile_zero(2);                                                                                                     \
    _tile_zero(3)
#define STORE(to)                                                                                                      \
    _tile_stored(0, to[0], ROW);                                                                                       \
    _tile_stored(1, to[1], ROW);                                                                                       \
    _tile_stored(2, to[2], ROW);                                                                                       \
    _tile_stored(3, to[3], ROW)
#define MULTIPLY(tall, wide)                                                                                           \
    _tile_dpbf16ps(0, 4, 6);                                                                                           \
    if (wide) _tile_dpbf16ps(1, 4, 7);                                                                                 \
    if (tall) _tile_dpbf16ps(2, 5, 6);                                                                                 \
    if ((tall) && (wide)) _tile_dpbf16ps(3, 5, 7)

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
