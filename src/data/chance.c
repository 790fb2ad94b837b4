/* chance.c: see chance.h. */
#include "chance.h"
#include "philox.h"

tn_chance tn_chance_of(uint32_t stream, uint64_t seed, int64_t index)
{
    return (tn_chance){.counter = {0, stream, (uint32_t)index, 0}, .key = {(uint32_t)seed, (uint32_t)(seed >> 32)}};
}

uint32_t tn_chance_word(tn_chance *c)
{
    if (!c->left) {
        tn_philox(c->counter, c->key, c->word);
        c->counter[0]++;
        c->left = 4;
    }
    return c->word[--c->left];
}

float tn_chance_between(tn_chance *c, float low, float high)
{
    return low + (high - low) * (float)(tn_chance_word(c) >> 8) * 0x1p-24f;
}

/* The sum of four uniform numbers: cheap and exact. */
float tn_chance_bell(tn_chance *c, float spread)
{
    uint32_t word = tn_chance_word(c);
    float sum = (float)((word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24));
    return spread * (sum - 510) * (1 / 147.8f);
}
