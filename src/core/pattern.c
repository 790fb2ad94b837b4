/* pattern.c: see pattern.h. */
#include "pattern.h"

#include <string.h>

const char *tn_pattern_next(const char **cursor, size_t *length)
{
    if (!*cursor) return NULL;
    const char *first = *cursor + strspn(*cursor, " \t"), *end = first + strcspn(first, ",");
    *cursor = *end ? end + 1 : NULL;
    while (end > first && (end[-1] == ' ' || end[-1] == '\t')) end--;
    *length = (size_t)(end - first);
    return first;
}

/* After a mismatch the last star takes one character more: no other one needs to. */
int tn_pattern_matches(const char *pattern, size_t length, const char *name)
{
    size_t p = 0, star = length, resume = 0, n = 0;
    if (!length) return 0;
    for (;;) {
        if (p == length && (!name[n] || name[n] == '.')) return 1;
        if (p < length && pattern[p] == '*')
            star = p++, resume = n;
        else if (p < length && name[n] && (pattern[p] == '?' || pattern[p] == name[n]))
            p++, n++;
        else if (star < length && name[resume])
            p = star + 1, n = ++resume;
        else
            return 0;
    }
}

int tn_pattern_any(const char *patterns, const char *name)
{
    size_t length;
    for (const char *at; (at = tn_pattern_next(&patterns, &length));)
        if (tn_pattern_matches(at, length, name)) return 1;
    return 0;
}
