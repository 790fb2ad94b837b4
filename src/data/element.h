/* element.h: the numbers of files as our own: whole numbers and truth values become i32, those with fractions f32, and
 * bytes stay bytes. */
#ifndef TN_DATA_ELEMENT_H
#define TN_DATA_ELEMENT_H

#include <stddef.h>
#include <stdint.h>

/* How an element lies in its file, and what it becomes. */
typedef struct tn_element {
    char kind;     /* 'b' of truth values, 'i', 'u', 'f', 'B' of bf16 */
    int size;      /* in bytes */
    int big;       /* big-endian */
    int32_t dtype; /* ours: TN_U8, TN_I32 or TN_F32 */
} tn_element;

/* Whether it lies in its file as we have it in memory. */
int tn_element_is_ours(const tn_element *element);

/* Makes `count` of ours. NULL, or, in `why`, what is wrong with one of them: that it is beyond the range of what it
 * becomes. */
#define TN_ELEMENT_TEXT 80
const char *tn_element_convert(const tn_element *element, const uint8_t *from, int64_t count, void *to,
                               char why[TN_ELEMENT_TEXT]);

#endif
