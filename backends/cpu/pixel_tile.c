/* pixel_tile.c: the register tiles of a convolution whose pixels lie side by side in whole vectors: filters are
 * broadcast, pixels are loaded as vectors where they lie, and the sums are stored as pictures, filter by filter.
 * Compiled once for each instruction set (see isa.h). */
#include "isa.h"
#include "pack.h"
#include "tile.h"

#define VECTORS 2
#if BYTES == 64
#define FILTERS 8
#else
#define FILTERS 4
#endif

#if defined(__AVX512F__)
#include <immintrin.h>

typedef __m512 sums;

static inline sums pixels_f32_end(sums x, const cpu_ending *e, int f)
{
    if (e->sub) x -= e->sub[f] - (sums){0};
    if (e->mul[0]) x *= e->mul[0][f] - (sums){0};
    if (e->mul[1]) x *= e->mul[1][f] - (sums){0};
    if (e->add) x += e->add[f] - (sums){0};
    return _mm512_min_ps(_mm512_set1_ps(e->high), _mm512_max_ps(_mm512_set1_ps(e->low), x));
}
#else
typedef float sums __attribute__((vector_size(BYTES)));
typedef int32_t choice __attribute__((vector_size(BYTES)));

static inline sums pixels_f32_end(sums x, const cpu_ending *e, int f)
{
    const sums low = e->low - (sums){0}, high = e->high - (sums){0};
    if (e->sub) x -= e->sub[f] - (sums){0};
    if (e->mul[0]) x *= e->mul[0][f] - (sums){0};
    if (e->mul[1]) x *= e->mul[1][f] - (sums){0};
    if (e->add) x += e->add[f] - (sums){0};
    const choice under = x<low, over = x> high;
    x = (sums)((under & (choice)low) | (~under & (choice)x));
    return (sums)((over & (choice)high) | (~over & (choice)x));
}
#endif

/* Only f32 has endings. */
#define pixels_f64_end(x, e, f) (x)

#define PIXELS(T, V, VU, tile)                                                                                         \
    typedef T V __attribute__((vector_size(BYTES)));                                                                   \
    typedef T VU __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));                                   \
    PACK(T, tile##_pack, FILTERS)                                                                                      \
    static void tile(int64_t k, const void *const *pixel, const int64_t *off, const void *panel, int64_t filters,      \
                     const cpu_ending *ending, void *to, int64_t ld)                                                   \
    {                                                                                                                  \
        enum { W = BYTES / sizeof(T) };                                                                                \
        const T *b = panel, *a[VECTORS];                                                                               \
        V acc[FILTERS][VECTORS];                                                                                       \
        UNROLL for (int v = 0; v < VECTORS; v++) a[v] = pixel[v];                                                      \
        UNROLL for (int f = 0; f < FILTERS; f++) UNROLL for (int v = 0; v < VECTORS; v++) acc[f][v] = (V){0};          \
        for (int64_t l = 0; l < k; l++, b += FILTERS) {                                                                \
            V av[VECTORS];                                                                                             \
            UNROLL for (int v = 0; v < VECTORS; v++) av[v] = *(const VU *)(a[v] + off[l]);                             \
            UNROLL for (int f = 0; f < FILTERS; f++)                                                                   \
            {                                                                                                          \
                const V bv = b[f] - (V){0};                                                                            \
                UNROLL for (int v = 0; v < VECTORS; v++) acc[f][v] += av[v] * bv;                                      \
            }                                                                                                          \
        }                                                                                                              \
        UNROLL for (int f = 0; f < FILTERS; f++) if (f < filters && ending) UNROLL for (int v = 0; v < VECTORS; v++)   \
            acc[f][v] = (V)tile##_end(acc[f][v], ending, f);                                                           \
        UNROLL for (int f = 0; f < FILTERS; f++) if (f < filters) UNROLL for (int v = 0; v < VECTORS; v++) *           \
            (VU *)((T *)to + f * ld + v * W) = acc[f][v];                                                              \
    }
PIXELS(float, v32, vu32, pixels_f32)
PIXELS(double, v64, vu64, pixels_f64)

const cpu_pixel_shape CPU_NAME(pixel_f32) = {FILTERS, BYTES / sizeof(float), VECTORS, pixels_f32, pixels_f32_pack};
const cpu_pixel_shape CPU_NAME(pixel_f64) = {FILTERS, BYTES / sizeof(double), VECTORS, pixels_f64, pixels_f64_pack};
