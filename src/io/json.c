/* json.c: a text that grows, for writing JSON. */
#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "plain.h"
#include "utf8.h"

static void reserve(tn_json *json, size_t more)
{
    if (json->status || json->used + more < json->room) return;
    size_t room = 2 * (json->used + more) + 256;
    char *grown = tn_alloc(room);
    if (!grown) {
        json->status = TN_ENOMEM;
        return;
    }
    if (json->text) memcpy(grown, json->text, json->used);
    tn_free(json->text);
    json->text = grown;
    json->room = room;
}

void tn_json_add(tn_json *json, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = tn_vsnprintf(NULL, 0, format, args);
    reserve(json, (size_t)length + 1);
    if (!json->status) {
        tn_vsnprintf(json->text + json->used, (size_t)length + 1, format, again);
        json->used += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

/* How many bytes stand for themselves. */
static size_t plain_length(const char *text)
{
    size_t length = 0;
    while (text[length] >= 0x20 && text[length] < 0x7f && text[length] != '"' && text[length] != '\\') length++;
    return length;
}

static void add_plain(tn_json *json, const char *text, size_t length)
{
    reserve(json, length + 1);
    if (json->status) return;
    memcpy(json->text + json->used, text, length);
    json->text[json->used += length] = 0;
}

void tn_json_string(tn_json *json, const char *text)
{
    tn_json_add(json, "\"");
    while (*text) {
        size_t plain = plain_length(text), length;
        add_plain(json, text, plain);
        text += plain;
        if (!*text) break;
        length = tn_utf8_length(text);
        if (!length)
            tn_json_add(json, "\\ufffd");
        else if (*text == '"' || *text == '\\')
            tn_json_add(json, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            tn_json_add(json, "\\u%04x", (unsigned)*text);
        else
            tn_json_add(json, "%.*s", (int)length, text);
        text += length ? length : 1;
    }
    tn_json_add(json, "\"");
}

void tn_json_free(tn_json *json)
{
    tn_free(json->text);
    *json = (tn_json){0};
}
