/* columns.c: how wide output may be, and how wide texts are. A character of UTF-8 counts as one column. */
#include "cli.h"
#include "../core/system.h"
#include "../core/text.h"
#include "../core/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int cli_columns(const char *text)
{
    int columns = 0;
    for (; *text; text++) columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

/* Behind so many characters. */
static char *behind(char *text, int columns)
{
    for (; columns > 0 && *text; columns--) text += tn_utf8_length(text) ? tn_utf8_length(text) : 1;
    return text;
}

const char *cli_fitted(char *text, size_t room, int most)
{
    tn_text_clean(text, room);
    const int columns = cli_columns(text), kept = most > 2 ? most - 2 : 1;
    if (columns <= most) return text;
    char *cut = behind(text, kept - kept / 3), *end = behind(text, columns - kept / 3);
    if (most > 2) *cut++ = '.', *cut++ = '.';
    memmove(cut, end, strlen(end) + 1);
    return text;
}

const char *cli_fitted_end(char *text, size_t room, int most)
{
    tn_text_clean(text, room);
    const int columns = cli_columns(text);
    if (columns <= most || most < 3) return text;
    char *kept = behind(text, columns - most + 2);
    text[0] = text[1] = '.';
    memmove(text + 2, kept, strlen(kept) + 1);
    return text;
}
