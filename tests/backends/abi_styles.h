/* abi_styles.h: numbers for the factors of products and convolutions. */
#ifndef ABI_STYLES_H
#define ABI_STYLES_H

#include "abi_kit.h"

/* What operands of a product are made of. A unit that multiplies narrower numbers has trouble with all but the first:
 * their parts, or the products of these, may be denormal, or be infinity less infinity. */
static const struct style {
    const char *name;
    double size[2]; /* of a and b; 0: each number has its own, from 2^-60 to 2^60 */
    int every;      /* so many-th number, counted across both, is another */
    uint32_t other; /* as bits of f32 */
} styles[] = {{"ordinary", {1, 1}, 0, 0},
              {"infinities", {1, 1}, 301, 0x7f800000},
              {"NaN", {1, 1}, 503, 0xffc00000},
              {"NaN of all ones", {1, 1}, 503, 0x7fffffff},
              {"an infinity by small", {1, 0x1p-100}, 45000, 0x7f800000},
              {"small by an infinity", {0x1p-100, 1}, 80000, 0xff800000},
              {"NaN of all ones by small", {1, 0x1p-100}, 45000, 0x7fffffff},
              {"the largest numbers", {1e-20, 1e-20}, 401, 0x7f7fffff},
              {"the largest by small", {1, 0x1p-120}, 45000, 0x7f7fffff},
              {"large by small", {0x1p100, 0x1p-100}, 0, 0},
              {"large by tiny", {0x1p50, 0x1p-115}, 0, 0},
              {"tiny by large", {0x1p-120, 0x1p100}, 0, 0},
              {"small by small", {0x1p-50, 0x1p-50}, 0, 0},
              {"tiny by small", {0x1p-70, 0x1p-55}, 0, 0},
              {"large by large", {0x1p55, 0x1p55}, 0, 0},
              {"of all sizes", {0, 0}, 0, 0},
              {"a few tiny ones", {1, 1}, 97, 0x06000000},
              {"a few small ones among nothing", {0x1p-149, 0x1p-149}, 61, 0x26000001},
              {"nothing", {0x1p-149, 0x1p-149}, 0, 0}};

#define N_STYLES (sizeof styles / sizeof *styles)

/* Number `at` of both operands together, of which it goes to operand `side`. */
static double styled(const struct style *s, int side, int64_t at)
{
    const double x = 2 * uniform01() - 1;
    float other;
    memcpy(&other, &s->other, sizeof other);
    if (s->every && at % s->every == s->every / 2) return (double)other;
    if (s->size[side] == 0x1p-149) return 0;
    return s->size[side] != 0 ? x * s->size[side] : x * ldexp(1, (int)(random_bits() % 121) - 60);
}

#endif
