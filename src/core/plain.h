/* plain.h: numbers as text and back with a decimal point, whatever the language that the program has set. All that the
 * library writes and reads goes through these; tests/layers/plain.sh sees to it. Free-threaded. */
#ifndef TN_CORE_PLAIN_H
#define TN_CORE_PLAIN_H

#include <stdarg.h>
#include <stddef.h>

#include "tenon/status.h"

/* As the functions of the standard library without `tn_` do it in the locale "C". */
double tn_strtod(const char *text, char **end);
int tn_snprintf(char *text, size_t room, const char *format, ...) TN_PRINTF(3, 4);
int tn_vsnprintf(char *text, size_t room, const char *format, va_list args) TN_PRINTF(3, 0);

/* A text that is put together in `room` bytes; what is beyond is left out. */
typedef struct tn_text {
    char *text;
    size_t used, room;
} tn_text;

/* An empty one; `room` may be 0. */
tn_text tn_text_in(char *text, size_t room);
void tn_text_add(tn_text *text, const char *format, ...) TN_PRINTF(2, 3);

#endif
