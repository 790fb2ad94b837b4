/* draw.h: which byte or character of a text comes next, by what a model says of each. Pure. */
#ifndef TN_CLI_DRAW_H
#define TN_CLI_DRAW_H

#include <stdint.h>

/* What may follow in a text. Zeroed at a character's beginning. */
typedef struct cli_utf8 {
    int left;                /* bytes of the character that are to come */
    unsigned char low, high; /* limits of the next of them */
} cli_utf8;
int cli_utf8_allows(const cli_utf8 *utf8, unsigned char byte);
void cli_utf8_take(cli_utf8 *utf8, unsigned char byte);

/* Draws one of 256 by their logits, of those that are allowed and the `top` likeliest; `chance` is from 0 to below 1. A
 * temperature of 0 takes the likeliest. */
int cli_draw(const float logit[256], const cli_utf8 *utf8, double temperature, int64_t top, double chance);

/* The same of so many characters, of those that are allowed; -1: there is none, or no memory. */
int cli_draw_among(const float *logit, const char *allowed, int64_t classes, double temperature, int64_t top,
                   double chance);

/* Number `number` of the chances of a seed: from 0 to below 1. */
double cli_chance(uint64_t seed, uint64_t number);

#endif
