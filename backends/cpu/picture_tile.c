/* picture_tile.c: a convolution by tiles of bf16 (see matrix_tile.c for how they multiply f32). No column buffer is
 * made: a picture is split into parts once, with its channels side by side, and for each row of the window a tile takes
 * 16 pixels and what of their row of the window comes next: `run` values, its columns' channels. */
#include "tiles.h"

#include <math.h>
#include <string.h>

/* ---- packing ---- */

/* 16 numbers as bf16, of each part. */
static inline void split_row(int parts, __m512 x, char *to, int64_t part)
{
    for (int p = 0; p < parts; p++)
        _mm256_storeu_si256((void *)(to + p * part), _mm512_cvtepi32_epi16(_mm512_srli_epi32(take_part(&x), 16)));
}

/* Where the picture's pixels go, one after the other. */
typedef struct walk {
    int64_t column, pixel;
} walk;

/* The next pixel's place; -1: it is not seen. */
static inline int64_t step_on(const cpu_conv_picture *o, walk *w)
{
    const int64_t place = w->column < o->seen ? w->pixel : -1;
    w->pixel++;
    if (++w->column == o->columns) w->column = 0, w->pixel += o->wide - o->columns;
    return place;
}

static inline int32_t split(int parts, const cpu_conv_picture *o, const float *from, char *to, int64_t part)
{
    float aside[SIDE * SIDE] __attribute__((aligned(64)));
    const int64_t pixels = o->rows * o->columns;
    const __m512 scale = _mm512_set1_ps(SCALE);
    __m512i most = _mm512_setzero_si512();
    walk w = {0, o->first};
    for (int64_t i = 0; i < pixels; i += SIDE) {
        const int64_t count = pixels - i < SIDE ? pixels - i : SIDE;
        int64_t place[SIDE];
        for (int64_t r = 0; r < count; r++) place[r] = step_on(o, &w);
        for (int64_t c = 0; c < o->channels; c += SIDE) {
            turn(from + c * o->plane + i, o->plane, first(count), SIDE, SIDE, aside, SIDE);
            for (int64_t r = 0; r < count; r++) {
                const __m512 x = _mm512_mul_ps(_mm512_load_ps(aside + r * SIDE), scale);
                if (place[r] < 0) continue;
                most = larger(most, x, x);
                split_row(parts, x, to + 2 * (place[r] * o->channels + c), part);
            }
        }
    }
    return exponent(most);
}

/* Value v of a row of the window, of 16 filters. */
static inline __m512 gather(const cpu_conv_window *w, int64_t r, int64_t v, int64_t count, const float *from)
{
    const int64_t taps = w->rows * w->columns, tap = v % w->channels * taps + r * w->columns + v / w->channels;
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i at = _mm512_mullo_epi32(lane, _mm512_set1_epi32((int32_t)(taps * w->channels)));
    return _mm512_mul_ps(_mm512_mask_i32gather_ps(_mm512_setzero_ps(), first(count), at, from + tap, 4),
                         _mm512_set1_ps(SCALE));
}

/* Where value v of row r of the window goes, of 16 filters from number f on. */
static inline char *place_of(int parts, const cpu_conv_window *w, int64_t f, int64_t r, int64_t v, char *to)
{
    const int64_t deep = ROW_DEPTH(w->columns * w->channels), panel = TILES_OF(parts, w->rows * deep);
    return to + f / WIDE * panel + TILES_OF(parts, DEEP) * ((r * deep + v) / DEEP) + f % WIDE / SIDE * parts * TILE +
           (r * deep + v) % DEEP / 2 * ROW;
}

/* Two values side by side, of 16 filters. */
static inline __m512i pack_two(int parts, __m512 x, __m512 y, char *to, __m512i most)
{
    most = larger(most, x, y);
    for (int p = 0; p < parts; p++) _mm512_store_si512((void *)(to + p * TILE), upper(take_part(&x), take_part(&y)));
    return most;
}

/* A filter's windows of 16 channels lie side by side: turned with those of 15 others each value of them is a vector. */
enum { MOST_TAPS = 64 };

static inline __m512i pack_turned(int parts, const cpu_conv_window *w, int64_t f, int64_t count, const float *from,
                                  char *to, __m512i most)
{
    float aside[SIDE * MOST_TAPS * SIDE] __attribute__((aligned(64)));
    const int64_t taps = w->rows * w->columns;
    const __m512 scale = _mm512_set1_ps(SCALE);
    for (int64_t c = 0; c < w->channels; c += SIDE) {
        for (int64_t e = 0; e < SIDE * taps; e += SIDE)
            turn(from + c * taps + e, taps * w->channels, 0xffff, count, 0, aside + e * SIDE, SIDE);
        for (int64_t t = 0; t < taps; t++)
            for (int64_t i = 0; i < SIDE; i += 2) {
                const float *at = aside + (i * taps + t) * SIDE;
                most = pack_two(parts, _mm512_mul_ps(_mm512_load_ps(at), scale),
                                _mm512_mul_ps(_mm512_load_ps(at + taps * SIDE), scale),
                                place_of(parts, w, f, t / w->columns, t % w->columns * w->channels + c + i, to), most);
            }
    }
    return most;
}

static inline __m512i pack_gathered(int parts, const cpu_conv_window *w, int64_t f, int64_t count, const float *from,
                                    char *to, __m512i most)
{
    for (int64_t r = 0; r < w->rows; r++)
        for (int64_t v = 0; v < w->columns * w->channels; v += 2)
            most = pack_two(parts, gather(w, r, v, count, from), gather(w, r, v + 1, count, from),
                            place_of(parts, w, f, r, v, to), most);
    return most;
}

/* Each row of the window is filled up with zeros to its depth. */
static inline void fill_up(int parts, const cpu_conv_window *w, int64_t f, char *to)
{
    const int64_t run = w->columns * w->channels;
    for (int64_t r = 0; r < w->rows && run < ROW_DEPTH(run); r++)
        for (int p = 0; p < parts; p++) memset(place_of(parts, w, f, r, run, to) + p * TILE, 0, TILE / 2);
}

static inline int32_t pack_filters(int parts, const cpu_conv_window *w, int64_t filters, const float *from, char *to)
{
    const int64_t taps = w->rows * w->columns;
    __m512i most = _mm512_setzero_si512();
    for (int64_t f = 0; f < filters; f += SIDE, from += SIDE * taps * w->channels) {
        most = (taps <= MOST_TAPS ? pack_turned : pack_gathered)(parts, w, f, filters - f, from, to, most);
        fill_up(parts, w, f, to);
    }
    return exponent(most);
}

/* ---- the tile ---- */

#define LOAD_A(p)                                                                                                      \
    TILE_LOAD_WINDOWS(4, a + (p)*w->part, w, g[0].half);                                                               \
    if (tall) TILE_LOAD_WINDOWS(5, a + g[1].from - g[0].from + (p)*w->part, w, g[1].half)
#define LOAD_B(p)                                                                                                      \
    TILE_LOAD(6, b + (p)*TILE, ROW);                                                                                   \
    if (wide) TILE_LOAD(7, b + (parts + (p)) * TILE, ROW)

static inline __attribute__((always_inline)) void multiply(int parts, int tall, int wide, const cpu_conv_window *w,
                                                           const char *picture, const cpu_pixels g[2], const char *b,
                                                           tile_set *t)
{
    const int64_t run = w->columns * w->channels, all = w->rows * ROW_DEPTH(run);
    TILE_PAIRS(all / 2);
    for (int64_t v = 0; v < all; v += TILE_BLOCK(all), b += TILES_OF(parts, DEEP)) {
        const char *a = picture + v / ROW_DEPTH(run) * w->next_row + 2 * (v % ROW_DEPTH(run));
        PRODUCTS(parts, tall, wide);
    }
}

/* Sums of 16 pixels by 16 filters to where they belong. */
static inline void unload(const float *sums, int64_t filters, uint16_t there, const cpu_ending *e, float *y, int64_t ld)
{
    float aside[SIDE * SIDE] __attribute__((aligned(64)));
    const __m512 scale = _mm512_set1_ps(1 / (SCALE * SCALE));
    const __mmask16 count = first(__builtin_popcount(there));
    turn(sums, SIDE, 0xffff, SIDE, 0, aside, SIDE);
    for (int64_t f = 0; f < filters && f < SIDE; f++, y += ld) {
        __m512 sum = _mm512_mul_ps(_mm512_load_ps(aside + f * SIDE), scale);
        if (e->sub) sum = _mm512_sub_ps(sum, _mm512_set1_ps(e->sub[f]));
        for (int m = 0; m < 2; m++)
            if (e->mul[m]) sum = _mm512_mul_ps(sum, _mm512_set1_ps(e->mul[m][f]));
        if (e->add) sum = _mm512_add_ps(sum, _mm512_set1_ps(e->add[f]));
        sum = _mm512_min_ps(_mm512_set1_ps(e->high), _mm512_max_ps(_mm512_set1_ps(e->low), sum));
        if (there == 0xffff)
            _mm512_storeu_ps(y, sum);
        else
            _mm512_mask_storeu_ps(y, count, _mm512_maskz_compress_ps(there, sum));
    }
}

/* The numbers of the next filters, if there are any. */
static inline const float *behind(const float *number)
{
    return number ? number + SIDE : NULL;
}

static inline __attribute__((always_inline)) void convolve(int parts, const cpu_conv_window *w, const char *picture,
                                                           const cpu_pixels g[2], const char *b, int64_t filters,
                                                           const cpu_ending *ending, float *y, int64_t ld)
{
    const cpu_ending none = {NULL, {NULL, NULL}, NULL, -INFINITY, INFINITY}, e = ending ? *ending : none,
                     next = {behind(e.sub), {behind(e.mul[0]), behind(e.mul[1])}, behind(e.add), e.low, e.high};
    tile_set set, *t = &set;
    const int wide = filters > SIDE, tall = g[1].there != 0;
    picture += g[0].from;
    for (int64_t f = 0; f < filters; f++) /* where the sums will go is brought near while they are made */
        for (int i = 0; i <= tall; i++) __builtin_prefetch(y + f * ld + g[i].to, 1);
    ZERO;
    if (tall && wide)
        multiply(parts, 1, 1, w, picture, g, b, t);
    else if (tall)
        multiply(parts, 1, 0, w, picture, g, b, t);
    else if (wide)
        multiply(parts, 0, 1, w, picture, g, b, t);
    else
        multiply(parts, 0, 0, w, picture, g, b, t);
    STORE;
    for (int i = 0; i <= tall; i++) {
        unload(t->sum[2 * i], filters, g[i].there, &e, y + g[i].to, ld);
        if (wide) unload(t->sum[2 * i + 1], filters - SIDE, g[i].there, &next, y + g[i].to + SIDE * ld, ld);
    }
}

/* ---- the gradient for the weights ---- */

static inline int32_t split_rows(int parts, const cpu_conv_picture *o, const float *from, char *to, int64_t part)
{
    const __m512 scale = _mm512_set1_ps(SCALE);
    __m512i most = _mm512_setzero_si512();
    for (int64_t c = 0; c < o->channels; c++)
        for (int64_t h = 0; h < o->rows; h++)
            for (int64_t i = 0; i < o->seen; i += SIDE) {
                const float *at = from + c * o->plane + h * o->columns + i;
                const __m512 x = _mm512_mul_ps(_mm512_maskz_loadu_ps(first(o->seen - i), at), scale);
                most = larger(most, x, x);
                split_row(parts, x, to + 2 * (c * o->all + o->first + h * o->wide + i), part);
            }
    return exponent(most);
}

/* A tile of each part: 16 filters, and 32 pixels, two of which lie side by side. */
static inline __m512i pack_pairs(int parts, int64_t filters, const float *from, int64_t pixels, char *to, __m512i most)
{
    float aside[DEEP * SIDE] __attribute__((aligned(64)));
    const __m512 scale = _mm512_set1_ps(SCALE);
    turn(from, pixels, 0xffff, filters, 0, aside, SIDE);
    turn(from + SIDE, pixels, 0xffff, filters, 0, aside + SIDE * SIDE, SIDE);
    for (int64_t r = 0; r < SIDE; r++, to += ROW) {
        __m512 x = _mm512_mul_ps(_mm512_load_ps(aside + 2 * r * SIDE), scale),
               y = _mm512_mul_ps(_mm512_load_ps(aside + (2 * r + 1) * SIDE), scale);
        most = larger(most, x, y);
        for (int p = 0; p < parts; p++)
            _mm512_store_si512((void *)(to + p * TILE), upper(take_part(&x), take_part(&y)));
    }
    return most;
}

static inline int32_t pack_pixels(int parts, int64_t filters, int64_t pixels, const float *from, char *to)
{
    __m512i most = _mm512_setzero_si512();
    for (int64_t f = 0; f < filters; f += WIDE)
        for (int64_t i = 0; i < pixels; i += DEEP, to += 2 * parts * TILE)
            for (int64_t h = 0; h < WIDE && f + h < filters; h += SIDE)
                most = pack_pairs(parts, filters - f - h, from + (f + h) * pixels + i, pixels,
                                  to + h / SIDE * parts * TILE, most);
    return exponent(most);
}

#undef LOAD_A
#define LOAD_A(p)                                                                                                      \
    TILE_LOAD_RUNS(4, x + at[0] + (p)*w->part, w->row, w->columns, w->wide);                                           \
    if (tall) TILE_LOAD_RUNS(5, x + at[1] + (p)*w->part, w->row, w->columns, w->wide)

static inline __attribute__((always_inline)) void multiply_pixels(int parts, int tall, int wide,
                                                                  const cpu_conv_pixels *w, const int64_t at[2],
                                                                  const char *pictures, const char *packed, tile_set *t)
{
    TILE_PAIRS(w->pixels / 2);
    for (int64_t n = 0; n < w->pictures; n++) {
        const char *from = pictures + n * w->picture, *b = packed + n * w->packed;
        for (int64_t i = 0; i < w->pixels; i += TILE_BLOCK(w->pixels), b += TILES_OF(parts, DEEP)) {
            const char *x = from + cpu_conv_pixel_at(w, i);
            PRODUCTS(parts, tall, wide);
        }
    }
}

static inline void add_sums(const float *sums, int64_t filters, float *to, int64_t ld)
{
    const __m512 scale = _mm512_set1_ps(1 / (SCALE * SCALE));
    const __mmask16 there = first(filters);
    for (int64_t r = 0; r < SIDE; r++, to += ld, sums += SIDE)
        _mm512_mask_storeu_ps(to, there,
                              _mm512_fmadd_ps(_mm512_load_ps(sums), scale, _mm512_maskz_loadu_ps(there, to)));
}

static inline __attribute__((always_inline)) void over_pixels(int parts, const cpu_conv_pixels *w, const int64_t at[2],
                                                              const char *pictures, const char *packed, int64_t filters,
                                                              float *const to[2], int64_t ld)
{
    tile_set set, *t = &set;
    const int wide = filters > SIDE, tall = to[1] != NULL;
    ZERO;
    if (tall && wide)
        multiply_pixels(parts, 1, 1, w, at, pictures, packed, t);
    else if (tall)
        multiply_pixels(parts, 1, 0, w, at, pictures, packed, t);
    else if (wide)
        multiply_pixels(parts, 0, 1, w, at, pictures, packed, t);
    else
        multiply_pixels(parts, 0, 0, w, at, pictures, packed, t);
    STORE;
    for (int i = 0; i <= tall; i++) {
        add_sums(t->sum[2 * i], filters, to[i], ld);
        if (wide) add_sums(t->sum[2 * i + 1], filters - SIDE, to[i] + SIDE, ld);
    }
}

/* ---- sums of products over taps ---- */

enum { COLUMNS = 32 };

/* Of 16 columns of dx the products that a tap's column has: those of the mask, from so many elements before. */
typedef struct shift {
    int64_t back;
    __mmask16 mask;
} shift;

static inline shift shift_of(const cpu_conv_sums *o, int64_t w, int64_t s)
{
    const int64_t back = s * o->dilation[1] - o->pad[1], count = o->picture[1] - w;
    return (shift){back, (__mmask16)(first(count) & first(o->columns + back - w) & ~first(back - w))};
}

/* 16 columns of row h of dx, from number w on. */
static inline __m512 gather_row(const cpu_conv_sums *o, const float *product, const shift *by, int64_t h, int64_t w)
{
    __m512 sum = _mm512_setzero_ps();
    for (int64_t r = 0; r < o->window[0]; r++) {
        const int64_t row = h + o->pad[0] - r * o->dilation[0];
        const float *from = product + r * o->window[1] * o->ld + row * o->columns + w;
        if (row < 0 || row >= o->rows) continue;
        for (int64_t s = 0; s < o->window[1]; s++, from += o->ld)
            sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(by[s].mask, from - by[s].back));
    }
    return sum;
}

static void gather_sums(const cpu_conv_sums *o, const float *product, float *dx)
{
    const int64_t all = o->picture[0] * o->picture[1];
    shift by[COLUMNS];
    for (int64_t w = 0; w < o->picture[1]; w += SIDE) {
        for (int64_t s = 0; s < o->window[1]; s++) by[s] = shift_of(o, w, s);
        for (int64_t c = 0; c < o->channels; c++)
            for (int64_t h = 0; h < o->picture[0]; h++)
                _mm512_mask_storeu_ps(dx + c * all + h * o->picture[1] + w, first(o->picture[1] - w),
                                      gather_row(o, product + c * o->window[0] * o->window[1] * o->ld, by, h, w));
    }
}

#define PARTS(n)                                                                                                       \
    static int32_t split_##n(const cpu_conv_picture *o, const float *from, char *to, int64_t part)                     \
    {                                                                                                                  \
        return split(n, o, from, to, part);                                                                            \
    }                                                                                                                  \
    static int32_t pack_##n(const cpu_conv_window *w, int64_t filters, const float *from, char *to)                    \
    {                                                                                                                  \
        return pack_filters(n, w, filters, from, to);                                                                  \
    }                                                                                                                  \
    static void convolve_##n(const cpu_conv_window *w, const char *picture, const cpu_pixels g[2], const char *b,      \
                             int64_t filters, const cpu_ending *ending, float *y, int64_t ld)                          \
    {                                                                                                                  \
        convolve(n, w, picture, g, b, filters, ending, y, ld);                                                         \
    }
#define PIXEL_PARTS(n)                                                                                                 \
    static int32_t split_rows_##n(const cpu_conv_picture *o, const float *from, char *to, int64_t part)                \
    {                                                                                                                  \
        return split_rows(n, o, from, to, part);                                                                       \
    }                                                                                                                  \
    static int32_t pack_pixels_##n(int64_t filters, int64_t pixels, const float *from, char *to)                       \
    {                                                                                                                  \
        return pack_pixels(n, filters, pixels, from, to);                                                              \
    }                                                                                                                  \
    static void over_pixels_##n(const cpu_conv_pixels *w, const int64_t at[2], const char *pictures,                   \
                                const char *packed, int64_t filters, float *const to[2], int64_t ld)                   \
    {                                                                                                                  \
        over_pixels(n, w, at, pictures, packed, filters, to, ld);                                                      \
    }
PARTS(1)
PIXEL_PARTS(1)
#ifdef CPU_TILES_UNITS
PARTS(2)
PARTS(3)
PIXEL_PARTS(2)
PIXEL_PARTS(3)
#endif

#define TABLE(n)                                                                                                       \
    {                                                                                                                  \
        split_##n, pack_##n, convolve_##n, split_rows_##n, pack_pixels_##n, over_pixels_##n, gather_sums               \
    }
const cpu_matrix_conv CPU_NAME(matrix_conv)[] = {
#ifdef CPU_TILES_UNITS
    TABLE(3), TABLE(2), TABLE(1)
#else
    {.split = NULL}, {.split = NULL}, TABLE(1)
#endif
};
