/* json.c: see json.h. */
#include "json.h"
#include "../core/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* What a terminal would obey: control characters, DEL, and those of two bytes in UTF-8, U+0080 to U+009F. */
static int is_control(const unsigned char *s)
{
    return *s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0);
}

/* Bytes that are no UTF-8, as file names may hold, become U+FFFD. */
static void put_text(FILE *f, const char *text)
{
    putc('"', f);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t length = tn_utf8_length((const char *)s);
        if (!length)
            fprintf(f, "\\ufffd"), s++;
        else if (*s == '"' || *s == '\\')
            fprintf(f, "\\%c", *s++);
        else if (is_control(s))
            fprintf(f, "\\u%04x", s[length - 1]), s += length;
        else
            while (length--) putc(*s++, f);
    }
    putc('"', f);
}

static FILE *lead(cli_json *json, const char *key)
{
    FILE *f = json->file ? json->file : stdout;
    if (json->comma) fprintf(f, ", ");
    json->comma = 1;
    if (!key) return f;
    put_text(f, key);
    fprintf(f, ": ");
    return f;
}

void cli_json_begin(cli_json *json, const char *key, char bracket)
{
    putc(bracket, lead(json, key));
    json->depth++;
    json->comma = 0;
}

void cli_json_end(cli_json *json, char bracket)
{
    FILE *f = json->file ? json->file : stdout;
    putc(bracket, f);
    json->comma = 1;
    if (--json->depth) return;
    json->comma = 0;
    putc('\n', f);
    fflush(f);
}

void cli_json_number(cli_json *json, const char *key, double value)
{
    FILE *f = lead(json, key);
    if (isfinite(value))
        fprintf(f, "%.9g", value);
    else
        fprintf(f, "null");
}

void cli_json_whole(cli_json *json, const char *key, int64_t value)
{
    fprintf(lead(json, key), "%" PRId64, value);
}

void cli_json_text(cli_json *json, const char *key, const char *value)
{
    FILE *f = lead(json, key);
    if (value)
        put_text(f, value);
    else
        fprintf(f, "null");
}

void cli_json_bool(cli_json *json, const char *key, int value)
{
    fprintf(lead(json, key), value ? "true" : "false");
}
