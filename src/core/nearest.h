/* nearest.h: the name that a mistyped word was probably meant to be. Pure; also compiled into the command. */
#ifndef TN_CORE_NEAREST_H
#define TN_CORE_NEAREST_H

#include <stddef.h>

/* Begin with {.word = word} and offer each candidate; then `best` is the nearest, or NULL if none is near. */
typedef struct tn_nearest {
    const char *word;
    const char *best;
    size_t distance;
} tn_nearest;
void tn_nearest_offer(tn_nearest *nearest, const char *candidate);

/* " (did you mean 'relu'?)" in `text`, or "" when nothing is near; returns `text`. */
char *tn_nearest_text(const tn_nearest *nearest, char *text, size_t capacity);

#endif
