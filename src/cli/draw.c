/* draw.c: see draw.h. */
#include "draw.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#define BYTES 256

/* ---- which bytes may follow ---- */

/* How characters begin, by RFC 3629, without control characters, but for line breaks and tabs: the limits of the second
 * byte keep too long forms, surrogates and what is beyond Unicode out. */
static const struct {
    unsigned char first, last, left, low, high;
} begins[] = {{'\t', '\n', 0, 0, 0},       {0x20, 0x7e, 0, 0, 0},       {0xc2, 0xc2, 1, 0xa0, 0xbf},
              {0xc3, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
              {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf},
              {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f}};

#define BEGINS (sizeof begins / sizeof *begins)

static size_t find_begin(unsigned char byte)
{
    size_t i = 0;
    while (i < BEGINS && (byte < begins[i].first || byte > begins[i].last)) i++;
    return i;
}

int cli_utf8_allows(const cli_utf8 *u, unsigned char byte)
{
    return u->left ? byte >= u->low && byte <= u->high : find_begin(byte) < BEGINS;
}

void cli_utf8_take(cli_utf8 *u, unsigned char byte)
{
    const size_t i = u->left ? BEGINS : find_begin(byte);
    if (i < BEGINS)
        *u = (cli_utf8){begins[i].left, begins[i].low, begins[i].high};
    else if (u->left)
        *u = (cli_utf8){u->left - 1, 0x80, 0xbf};
}

/* ---- drawing ---- */

typedef struct choice {
    double logit;
    int byte; /* or character */
} choice;

/* The likeliest first; of equals the first. */
static int by_logit(const void *a, const void *b)
{
    const choice *x = a, *y = b;
    if (x->logit != y->logit) return (x->logit < y->logit) - (x->logit > y->logit);
    return x->byte - y->byte;
}

/* Of so many choices. */
static int draw(choice *among, int count, double temperature, int64_t top, double chance)
{
    double sum = 0;
    qsort(among, (size_t)count, sizeof *among, by_logit);
    if (count > top) count = (int)top;
    if (temperature <= 0) return among[0].byte;
    for (int i = count; i-- > 0;) sum += among[i].logit = exp((among[i].logit - among[0].logit) / temperature);
    double at = chance * sum;
    for (int i = 0; i < count; i++)
        if ((at -= among[i].logit) < 0) return among[i].byte;
    return among[0].byte;
}

int cli_draw(const float logit[BYTES], const cli_utf8 *utf8, double temperature, int64_t top, double chance)
{
    choice among[BYTES];
    int count = 0;
    for (int i = 0; i < BYTES; i++)
        if (cli_utf8_allows(utf8, (unsigned char)i)) among[count++] = (choice){(double)logit[i], i};
    return draw(among, count, temperature, top, chance);
}

int cli_draw_among(const float *logit, const char *allowed, int64_t classes, double temperature, int64_t top,
                   double chance)
{
    choice *among = malloc((size_t)classes * sizeof *among + 1);
    int count = 0;
    for (int64_t i = 0; among && i < classes; i++)
        if (allowed[i]) among[count++] = (choice){(double)logit[i], (int)i};
    const int drawn = count ? draw(among, count, temperature, top, chance) : -1;
    free(among);
    return drawn;
}

/* SplitMix: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014. */
double cli_chance(uint64_t seed, uint64_t number)
{
    uint64_t z = seed * UINT64_C(0xd1342543de82ef95) + (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}
