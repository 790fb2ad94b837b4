/* pattern.h: names of tensors by patterns such as "conv*, fc1.weight". Pure. */
#ifndef TN_CORE_PATTERN_H
#define TN_CORE_PATTERN_H

#include <stddef.h>

/* The next pattern of a list separated by commas, without spaces around it: *length characters from the result on;
 * NULL after the last. Moves *cursor. An empty one has length 0. */
const char *tn_pattern_next(const char **cursor, size_t *length);

/* Whether a pattern is the name, or the name up to a dot ("conv1" is "conv1.weight"); '*' stands for any text, '?' for
 * any character. */
int tn_pattern_matches(const char *pattern, size_t length, const char *name);

/* Whether one of a list is. NULL is an empty list. */
int tn_pattern_any(const char *patterns, const char *name);

#endif
