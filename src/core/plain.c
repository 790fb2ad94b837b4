/* plain.c: see plain.h. */
#include "plain.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static locale_t c_locale; /* none: then numbers are in the program's own */

static void make(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t plain(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make);
    return c_locale;
}

/* The thread's own locale is what strtod and printf go by; with none it stays as it is. */
double tn_strtod(const char *text, char **end)
{
    locale_t before = uselocale(plain());
    const double value = strtod(text, end);
    uselocale(before);
    return value;
}

int tn_vsnprintf(char *text, size_t room, const char *format, va_list args)
{
    locale_t before = uselocale(plain());
    int length = vsnprintf(text, room, format, args);
    uselocale(before);
    return length;
}

int tn_snprintf(char *text, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = tn_vsnprintf(text, room, format, args);
    va_end(args);
    return length;
}

/* ---- putting together ---- */

tn_text tn_text_in(char *text, size_t room)
{
    if (room) *text = 0;
    return (tn_text){text, 0, room};
}

void tn_text_add(tn_text *text, const char *format, ...)
{
    va_list args;
    if (text->used >= text->room) return;
    va_start(args, format);
    const int length = tn_vsnprintf(text->text + text->used, text->room - text->used, format, args);
    va_end(args);
    text->used += length > 0 ? (size_t)length : 0;
}
