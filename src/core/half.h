/* half.h: numbers of 16 bits: f16 (binary16 of IEEE 754) and bf16 (the upper half of an f32). */
#ifndef TN_CORE_HALF_H
#define TN_CORE_HALF_H

#include <stdint.h>

/* A sign, an exponent with a bias, a mantissa of some bits. */
typedef struct tn_half_format {
    int mantissa, bias;
} tn_half_format;

#define TN_HALF_F16  ((tn_half_format){10, 15})
#define TN_HALF_BF16 ((tn_half_format){7, 127})

double tn_half_decode(uint16_t bits, tn_half_format f);

/* To the nearest, ties to even, in one rounding. */
uint16_t tn_half_encode(double x, tn_half_format f);

#endif
