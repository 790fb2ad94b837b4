/* chance.h: random numbers for what the program draws: by Philox, with additions and multiplications alone, so that a
 * seed means the same on every machine. */
#ifndef TN_DATA_CHANCE_H
#define TN_DATA_CHANCE_H

#include <stdint.h>

typedef struct tn_chance {
    uint32_t counter[4], key[2], word[4];
    uint32_t left;
} tn_chance;

/* The numbers of sample `index`; different streams are independent. */
tn_chance tn_chance_of(uint32_t stream, uint64_t seed, int64_t index);

uint32_t tn_chance_word(tn_chance *c);
float tn_chance_between(tn_chance *c, float low, float high);

/* A bell of mean 0 that ends at +-3 `spread`. */
float tn_chance_bell(tn_chance *c, float spread);

#endif
