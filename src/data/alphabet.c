/* alphabet.c: see alphabet.h. */
#include "alphabet.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "csv_kinds.h"
#include "error.h"
#include "utf8.h"

enum { CODES = 0x110000, UNKNOWN = 0xfffd };

/* RFC 3629. */
static uint32_t code_at(const char *text, size_t length)
{
    const unsigned char *c = (const unsigned char *)text;
    uint32_t code = length < 2 ? *c : *c & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) code = code << 6 | (c[i] & 0x3f);
    return code;
}

static void write_code(uint32_t code, char text[5])
{
    const size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; code >>= 6) text[i] = (char)(0x80 | (code & 0x3f));
    text[0] = (char)(length < 2 ? code : (0xf00 >> length & 0xff) | code);
    text[length] = 0;
}

static tn_status take(const char *path, const uint8_t *seen, tn_alphabet *a)
{
    uint32_t count = 0;
    for (uint32_t code = 0; code < CODES; code++) count += seen[code];
    TN_REQUIRE(count, TN_EFORMAT, "%s: nothing but U+FFFD, which stands for lost characters, is there to learn", path);
    TN_REQUIRE(count < TN_MOST_CHARACTERS, TN_EFORMAT, "%s: has %u different characters; the most are %d, or bytes",
               path, count, TN_MOST_CHARACTERS - 1);
    a->code = tn_alloc(count * sizeof *a->code);
    if (!a->code) return TN_ENOMEM;
    for (uint32_t code = 0; code < CODES; code++)
        if (seen[code]) a->code[a->count++] = code;
    return TN_OK;
}

tn_status tn_alphabet_find(const char *path, const char *text, int64_t length, tn_alphabet *a)
{
    uint8_t *seen = tn_alloc(CODES);
    if (!seen) return TN_ENOMEM;
    for (const char *end = text + length; text < end;) {
        const size_t bytes = tn_utf8_length(text);
        seen[code_at(text, bytes)] = 1;
        text += bytes ? bytes : 1;
    }
    seen[UNKNOWN] = 0;
    tn_status status = take(path, seen, a);
    tn_free(seen);
    return status;
}

/* The next line's character. */
static tn_status read_line(const char **lines, uint32_t *code)
{
    tn_region made = {0};
    const char *text = tn_read_line(&made, *lines);
    const size_t bytes = text ? tn_utf8_length(text) : 0;
    const int one = bytes && !text[bytes];
    if (one) *code = code_at(text, bytes);
    tn_status status = text ? TN_OK : TN_ENOMEM;
    tn_region_free(&made);
    *lines = tn_next_line(*lines);
    return status || one ? status : tn_fail(TN_EFORMAT, "an alphabet has a line that is no character");
}

tn_status tn_alphabet_read(const char *lines, tn_alphabet *a)
{
    uint32_t count = 0, code = 0;
    for (const char *at = lines; *at; at++) count += *at == '\n';
    TN_REQUIRE(count > 1 && count <= TN_MOST_CHARACTERS, TN_EFORMAT, "an alphabet has %u lines, not 2 to %d", count,
               TN_MOST_CHARACTERS);
    TN_TRY(read_line(&lines, &code));
    TN_REQUIRE(code == UNKNOWN, TN_EFORMAT, "an alphabet begins with U+%04X, not with U+FFFD", code);
    if (!(a->code = tn_alloc(count * sizeof *a->code))) return TN_ENOMEM;
    for (tn_status status = TN_OK; a->count + 1 < count; a->count++) {
        status = read_line(&lines, &code);
        if (!status && a->count && code <= a->code[a->count - 1])
            status = tn_fail(TN_EFORMAT, "an alphabet is not in order: U+%04X", code);
        if (status) return tn_alphabet_free(a), status;
        a->code[a->count] = code;
    }
    return TN_OK;
}

char *tn_alphabet_lines(const tn_alphabet *a)
{
    const size_t count = (size_t)a->count + 1;
    char(*text)[5] = tn_alloc(count * sizeof *text), **texts = tn_alloc(count * sizeof *texts);
    for (size_t i = 0; text && texts && i < count; i++) {
        write_code(i ? a->code[i - 1] : UNKNOWN, text[i]);
        texts[i] = text[i];
    }
    char *lines = text && texts ? tn_class_lines(texts, count) : NULL;
    tn_free(text);
    tn_free(texts);
    return lines;
}

static int by_code(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int32_t tn_alphabet_number(const tn_alphabet *a, const char *text, int64_t *bytes)
{
    const size_t length = tn_utf8_length(text);
    const uint32_t code = code_at(text, length);
    const uint32_t *found = bsearch(&code, a->code, a->count, sizeof *a->code, by_code);
    *bytes = length ? (int64_t)length : 1;
    return found ? (int32_t)(found - a->code) + 1 : 0;
}

void tn_alphabet_free(tn_alphabet *a)
{
    tn_free(a->code);
    *a = (tn_alphabet){0};
}
