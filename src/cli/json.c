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
static void put_text(const char *text)
{
    putchar('"');
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t length = tn_utf8_length((const char *)s);
        if (!length)
            printf("\\ufffd"), s++;
        else if (*s == '"' || *s == '\\')
            printf("\\%c", *s++);
        else if (is_control(s))
            printf("\\u%04x", s[length - 1]), s += length;
        else
            while (length--) putchar(*s++);
    }
    putchar('"');
}

static void lead(cli_json *json, const char *key)
{
    if (json->comma) printf(", ");
    json->comma = 1;
    if (!key) return;
    put_text(key);
    printf(": ");
}

void cli_json_begin(cli_json *json, const char *key, char bracket)
{
    lead(json, key);
    putchar(bracket);
    json->depth++;
    json->comma = 0;
}

void cli_json_end(cli_json *json, char bracket)
{
    putchar(bracket);
    json->comma = 1;
    if (--json->depth) return;
    json->comma = 0;
    putchar('\n');
    fflush(stdout);
}

void cli_json_number(cli_json *json, const char *key, double value)
{
    lead(json, key);
    if (isfinite(value))
        printf("%.9g", value);
    else
        printf("null");
}

void cli_json_whole(cli_json *json, const char *key, int64_t value)
{
    lead(json, key);
    printf("%" PRId64, value);
}

void cli_json_text(cli_json *json, const char *key, const char *value)
{
    lead(json, key);
    if (value)
        put_text(value);
    else
        printf("null");
}

void cli_json_bool(cli_json *json, const char *key, int value)
{
    lead(json, key);
    printf(value ? "true" : "false");
}
