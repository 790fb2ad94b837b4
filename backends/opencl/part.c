/* part.c: several sources in one program. Each is written as if it were alone. Joined, the functions and types that it
 * declares get an ending of their own, by macros before it, and its macros are undefined behind it.
 *
 * How sources are laid out makes that simple: a line that begins with a letter declares a type, by `typedef`, whose
 * last word is the name, or a function; no name is a macro's as well. */
#include "opencl.h"

#include <ctype.h>
#include <string.h>

typedef struct word {
    const char *at;
    int length;
} word;

static int is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static word word_at(const char *at)
{
    word w = {at, 0};
    while (is_letter(at[w.length])) w.length++;
    return w;
}

static int is_attribute(word w)
{
    static const char attribute[] = "__attribute__";
    return w.length == sizeof attribute - 1 && !memcmp(w.at, attribute, sizeof attribute - 1);
}

/* A function's name stands before the first parenthesis that is no attribute's. */
static word declared(const char *line)
{
    const int is_type = !strncmp(line, "typedef ", 8);
    word last = {line, 0}, w;
    int depth = 0;
    for (const char *at = line; *at && *at != '\n'; at += w.length ? w.length : 1) {
        w = word_at(at);
        if (w.length && !depth) last = w;
        if (*at == '(' && !depth && !is_type && !is_attribute(last)) return last;
        depth += (*at == '(') - (*at == ')');
    }
    return is_type ? last : (word){line, 0};
}

static word defined(const char *line)
{
    static const char define[] = "#define ";
    return strncmp(line, define, sizeof define - 1) ? (word){line, 0} : word_at(line + sizeof define - 1);
}

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

void ocl_part_join(ocl_text *program, const char *source, const char *ending)
{
    for (const char *line = source; *line; line = next_line(line)) {
        const word name = is_letter(*line) ? declared(line) : (word){line, 0};
        if (name.length)
            ocl_textf(program, "#define %.*s %.*s%s\n", name.length, name.at, name.length, name.at, ending);
    }
    ocl_textf(program, "%s\n", source);
    for (const char *line = source; *line; line = next_line(line)) {
        const word name = is_letter(*line) ? declared(line) : defined(line);
        if (name.length) ocl_textf(program, "#undef %.*s\n", name.length, name.at);
    }
}
