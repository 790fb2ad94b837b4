/* word.h: reading the words of a text: of a network's spec, of a schedule. */
#ifndef TN_NN_WORD_H
#define TN_NN_WORD_H

#include <stddef.h>
#include <stdint.h>

#define TN_WORDS 12

/* One item of a list separated by commas, cut into words. `text` is the whole item, trimmed. */
typedef struct tn_item {
    char text[160];
    char copy[160]; /* where the words lie */
    const char *word[TN_WORDS];
    size_t words; /* may say more than TN_WORDS: the rest was dropped */
} tn_item;

/* Reads the item that *cursor points at and moves *cursor behind its comma; *cursor is NULL after the last item.
 * Returns 0 if the item is longer than it may be. */
int tn_item_next(const char **cursor, tn_item *item);

/* The whole word as a number; 0 if it is none. Infinities and NaN are none. */
int tn_word_number(const char *word, double *value);
int tn_word_whole(const char *word, int64_t *value);

#endif
