/* philox.h: counter-based random numbers (Salmon, Moraes, Dror and Shaw, 2011), as backend.h defines them. */
#ifndef TN_CORE_PHILOX_H
#define TN_CORE_PHILOX_H

#include <stdint.h>

/* The four words of Philox4x32-10 for a counter and a key. */
void tn_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t word[4]);

/* Element `index` of a stream of uniform numbers in [0, 1), or of normal ones. */
double tn_philox_uniform(uint64_t seed, uint64_t step, uint32_t stream, uint64_t index);
double tn_philox_normal(uint64_t seed, uint64_t step, uint32_t stream, uint64_t index);

#endif
