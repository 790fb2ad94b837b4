/* philox.c: Philox4x32 with 10 rounds. Constants: Salmon and others, 2011, section 4. */
#include "philox.h"

#include <math.h>
#include <string.h>

void tn_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t word[4])
{
    uint32_t c[4], k[2];
    memcpy(c, counter, sizeof c);
    memcpy(k, key, sizeof k);
    for (int round = 0; round < 10; round++) {
        uint64_t p = (uint64_t)0xD2511F53u * c[0], q = (uint64_t)0xCD9E8D57u * c[2];
        uint32_t next[4] = {(uint32_t)(q >> 32) ^ c[1] ^ k[0], (uint32_t)q, (uint32_t)(p >> 32) ^ c[3] ^ k[1],
                            (uint32_t)p};
        memcpy(c, next, sizeof c);
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    memcpy(word, c, sizeof c);
}

/* The words of the group of four that element `index` belongs to. */
static void group(uint64_t seed, uint64_t step, uint32_t stream, uint64_t index, uint32_t word[4])
{
    uint64_t block = index / 4;
    uint32_t counter[4] = {(uint32_t)block, stream + (uint32_t)(block >> 32 << 24), (uint32_t)step,
                           (uint32_t)(step >> 32)};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    tn_philox(counter, key, word);
}

double tn_philox_uniform(uint64_t seed, uint64_t step, uint32_t stream, uint64_t index)
{
    uint32_t word[4];
    group(seed, step, stream, index, word);
    return (word[index % 4] >> 8) * 0x1p-24;
}

double tn_philox_normal(uint64_t seed, uint64_t step, uint32_t stream, uint64_t index)
{
    uint32_t word[4];
    group(seed, step, stream, index, word);
    uint32_t pair = index % 4 & ~1u;
    double u = ((word[pair] >> 8) + 1) * 0x1p-24, v = (word[pair + 1] >> 8) * 0x1p-24;
    double r = sqrt(-2 * log(u)), angle = 2 * 3.14159265358979323846 * v;
    return index % 2 ? r * sin(angle) : r * cos(angle);
}
