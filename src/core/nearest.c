/* nearest.c: the distance of two words: letters inserted, deleted, replaced, or swapped with their neighbour. */
#include "nearest.h"

#include <stdio.h>
#include <string.h>

#define LONGEST 48

static size_t min3(size_t a, size_t b, size_t c)
{
    if (b < a) a = b;
    return c < a ? c : a;
}

/* The distance (Damerau, 1964, without edits inside a swapped pair); LONGEST for words too long to matter. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), row[3][LONGEST + 1] = {{0}};
    if (n > LONGEST - 1 || m > LONGEST - 1) return LONGEST;
    for (size_t j = 0; j <= m; j++) row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return row[n % 3][m];
}

void tn_nearest_offer(tn_nearest *nearest, const char *candidate)
{
    size_t limit = strlen(nearest->word) / 3 + 1, d = distance(nearest->word, candidate);
    if (d > limit || d >= strlen(nearest->word) || (nearest->best && d >= nearest->distance)) return;
    nearest->best = candidate;
    nearest->distance = d;
}

char *tn_nearest_text(const tn_nearest *nearest, char *text, size_t capacity)
{
    if (capacity) text[0] = 0;
    if (nearest->best) snprintf(text, capacity, " (did you mean '%s'?)", nearest->best);
    return text;
}
