/* alphabet.h: the characters of a text as numbers: 0 stands for all that are not in it. */
#ifndef TN_DATA_ALPHABET_H
#define TN_DATA_ALPHABET_H

#include "tenon/status.h"

#include <stdint.h>

#define TN_MOST_CHARACTERS 65536

typedef struct tn_alphabet {
    uint32_t *code; /* the code points, in order: of character number i + 1 */
    uint32_t count;
} tn_alphabet;

/* Those that stand in a text in UTF-8 of so many bytes. */
TN_MUST_USE tn_status tn_alphabet_find(const char *path, const char *text, int64_t length, tn_alphabet *alphabet);

/* Back from its lines, which were made so: a line for each number from 0 on, as tn_dataset's class_names has them; the
 * first is U+FFFD. */
TN_MUST_USE tn_status tn_alphabet_read(const char *lines, tn_alphabet *alphabet);
char *tn_alphabet_lines(const tn_alphabet *alphabet);

/* A character's number, and the bytes that it takes. The text is UTF-8. */
int32_t tn_alphabet_number(const tn_alphabet *alphabet, const char *text, int64_t *bytes);

void tn_alphabet_free(tn_alphabet *alphabet);

#endif
