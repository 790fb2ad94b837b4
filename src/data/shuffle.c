/* shuffle.c: a random order (Fisher and Yates' algorithm), the same on every machine. */
#include "philox.h"
#include "tenon/data.h"

#define STREAM 0x5F0F1Eu /* keeps these numbers apart from those of graphs with the same seed */

struct words {
    uint32_t counter[4], key[2], word[4];
    uint32_t left;
};

static uint32_t next_word(struct words *words)
{
    if (!words->left) {
        tn_philox(words->counter, words->key, words->word);
        words->counter[0]++;
        words->left = 4;
    }
    return words->word[--words->left];
}

/* 0 .. n-1, each as likely: words that would favour some are thrown away (Lemire, "Fast random integer generation in
 * an interval", 2019). */
static uint32_t below(struct words *words, uint32_t n)
{
    uint32_t reject = -n % n;
    uint64_t product;
    do product = (uint64_t)next_word(words) * n;
    while ((uint32_t)product < reject);
    return (uint32_t)(product >> 32);
}

void tn_shuffle(int32_t *order, int64_t count, uint64_t seed, uint64_t epoch)
{
    if (!order) return;
    struct words words = {.counter = {0, STREAM, (uint32_t)epoch, (uint32_t)(epoch >> 32)},
                          .key = {(uint32_t)seed, (uint32_t)(seed >> 32)}};
    for (int64_t i = 0; i < count; i++) order[i] = (int32_t)i;
    for (int64_t i = count - 1; i > 0; i--) {
        uint32_t j = below(&words, (uint32_t)i + 1);
        int32_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}
