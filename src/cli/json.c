/* json.c: see json.h. */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* The length of the well-formed UTF-8 sequence at `s`, or 0. */
static int utf8(const unsigned char *s)
{
    int more = *s < 0x80                 ? 0
               : *s >= 0xc2 && *s < 0xe0 ? 1
               : *s >= 0xe0 && *s < 0xf0 ? 2
               : *s >= 0xf0 && *s < 0xf5 ? 3
                                         : -1;
    for (int i = 1; i <= more; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f)) return 0;
    if ((*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f)) return 0;
    return more + 1;
}

/* Bytes that are no UTF-8, as file names may hold, become U+FFFD. */
static void put_text(const char *text)
{
    putchar('"');
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        int length = utf8(s);
        if (!length)
            printf("\\ufffd"), s++;
        else if (*s == '"' || *s == '\\')
            printf("\\%c", *s++);
        else if (*s < 0x20)
            printf("\\u%04x", *s++);
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
