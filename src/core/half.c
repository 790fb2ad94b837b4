/* half.c: numbers of 16 bits. */
#include "half.h"

#include <math.h>

double tn_half_decode(uint16_t bits, tn_half_format f)
{
    int exponent = (bits & 0x7FFF) >> f.mantissa, special = 2 * f.bias + 1;
    double fraction = bits & ((1 << f.mantissa) - 1), sign = bits >> 15 ? -1 : 1;
    if (exponent == special) return fraction != 0 ? (double)NAN : sign * (double)INFINITY;
    if (!exponent) return sign * ldexp(fraction, 1 - f.bias - f.mantissa);
    return sign * ldexp(fraction + (1 << f.mantissa), exponent - f.bias - f.mantissa);
}

/* A mantissa that overflows carries into the exponent by itself. */
uint16_t tn_half_encode(double x, tn_half_format f)
{
    uint16_t sign = signbit(x) ? 0x8000 : 0, infinity = (uint16_t)((2 * f.bias + 1) << f.mantissa);
    if (isnan(x)) return (uint16_t)(sign | infinity | 1 << (f.mantissa - 1));
    if (x == 0) return sign;
    int exponent = isinf(x) ? f.bias + 1 : ilogb(x);
    if (exponent > f.bias) return sign | infinity;
    if (exponent < 1 - f.bias) exponent = 1 - f.bias;
    uint32_t rounded = (uint32_t)nearbyint(ldexp(fabs(x), f.mantissa - exponent));
    uint32_t bits = ((uint32_t)(exponent + f.bias - 1) << f.mantissa) + rounded;
    return sign | (uint16_t)(bits < infinity ? bits : infinity);
}
