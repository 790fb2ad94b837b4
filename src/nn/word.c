/* word.c: cutting a text into items and words. */
#include "word.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"

static void cut(tn_item *item)
{
    char *rest = item->copy, *word;
    item->words = 0;
    while ((word = strtok_r(rest, " \t\r\n", &rest))) {
        if (item->words < TN_WORDS) item->word[item->words] = word;
        item->words++;
    }
}

int tn_item_next(const char **cursor, tn_item *item)
{
    const char *begin = *cursor, *end = begin + strcspn(begin, ",");
    *cursor = *end ? end + 1 : NULL;
    while (begin < end && isspace((unsigned char)*begin)) begin++;
    while (end > begin && isspace((unsigned char)end[-1])) end--;
    size_t length = (size_t)(end - begin);
    int fits = length < sizeof item->text;
    if (!fits) length = 40;
    memset(item, 0, sizeof *item);
    memcpy(item->text, begin, length);
    memcpy(item->copy, begin, length);
    cut(item);
    return fits;
}

int tn_word_number(const char *word, double *value)
{
    char *end;
    double number = tn_strtod(word, &end);
    if (end == word || *end || !isfinite(number)) return 0;
    *value = number;
    return 1;
}

int tn_word_whole(const char *word, int64_t *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(word, &end, 10);
    if (end == word || *end || errno) return 0;
    *value = number;
    return 1;
}
