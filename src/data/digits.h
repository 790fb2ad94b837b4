/* digits.h: one drawn digit, for the data sets that are made of them. */
#ifndef TN_DATA_DIGITS_H
#define TN_DATA_DIGITS_H

#include <stdint.h>

#define TN_DIGIT_SIDE    28
#define TN_DIGIT_CLASSES 10

/* Draws sample `index` of a seed, light on dark; returns which digit it is. */
int tn_digit_draw(uint64_t seed, int64_t index, uint8_t pixel[TN_DIGIT_SIDE * TN_DIGIT_SIDE]);

#endif
