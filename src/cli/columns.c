/* columns.c: how wide output may be, and how wide texts are: a character of UTF-8 takes one column, or as many as the C
 * library says that terminals give it: two of East Asian writing, none of an accent that is put over the one before. */
#include "cli.h"
#include "../core/system.h"
#include "../core/text.h"
#include "../core/utf8.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define USUAL 80
#define LEAST 40
#define MOST  240

int cli_width(FILE *file)
{
    const char *said = getenv("COLUMNS");
    long width = said ? strtol(said, NULL, 10) : 0;
    if (width <= 0) width = tn_system_columns(fileno(file));
    if (width <= 0) return USUAL;
    return width < LEAST ? LEAST : width > MOST ? MOST : (int)width;
}

int cli_wraps(FILE *file)
{
    return getenv("COLUMNS") || isatty(fileno(file));
}

const char *cli_colour(FILE *file, int colour)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[31m", "\033[33m", "\033[32m"};
    const char *never = getenv("NO_COLOR"), *term = getenv("TERM");
    const int none = (never && *never) || !term || !strcmp(term, "dumb") || !isatty(fileno(file));
    return none ? "" : codes[colour];
}

static locale_t unicode; /* 0: there is none, and a character takes one column */

static void find_unicode(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* Columns of the character at `text`, of which there are so many bytes. */
static int width_of(const char *text, size_t bytes)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    wchar_t character;
    mbstate_t state = {0};
    pthread_once(&once, find_unicode);
    if (bytes < 2 || !unicode) return 1;
    const locale_t before = uselocale(unicode);
    const size_t read = mbrtowc(&character, text, bytes, &state);
    const int width = read == bytes ? wcwidth(character) : 1;
    uselocale(before);
    return width < 0 ? 1 : width;
}

/* Bytes of the character at `text`; 1 of what is none. */
static size_t length_of(const char *text)
{
    const size_t length = tn_utf8_length(text);
    return length ? length : 1;
}

int cli_columns_in(const char *text, size_t bytes)
{
    int columns = 0;
    for (const char *end = text + bytes; text < end && *text; text += length_of(text))
        columns += width_of(text, length_of(text));
    return columns;
}

int cli_columns(const char *text)
{
    return cli_columns_in(text, strlen(text));
}

size_t cli_fitting(const char *text, int columns)
{
    size_t at = 0;
    while (text[at]) {
        columns -= width_of(text + at, length_of(text + at));
        if (columns < 0) break;
        at += length_of(text + at);
    }
    return at;
}

/* Its end, of so many columns at most. */
static char *end_of(char *text, int most)
{
    for (int columns = cli_columns(text); columns > most; text += length_of(text))
        columns -= width_of(text, length_of(text));
    return text;
}

const char *cli_fitted(char *text, size_t room, int most)
{
    tn_text_clean(text, room);
    const int kept = most > 2 ? most - 2 : 1;
    if (cli_columns(text) <= most) return text;
    char *cut = text + cli_fitting(text, kept - kept / 3), *end = end_of(text, kept / 3);
    if (most > 2) *cut++ = '.', *cut++ = '.';
    memmove(cut, end, strlen(end) + 1);
    return text;
}

const char *cli_fitted_end(char *text, size_t room, int most)
{
    tn_text_clean(text, room);
    if (most < 3 || cli_columns(text) <= most) return text;
    char *kept = end_of(text, most - 2);
    text[0] = text[1] = '.';
    memmove(text + 2, kept, strlen(kept) + 1);
    return text;
}
