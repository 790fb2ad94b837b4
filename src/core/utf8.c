/* utf8.c: see utf8.h. */
#include "utf8.h"

#include <stdint.h>

size_t tn_utf8_length(const char *text)
{
    const unsigned char *byte = (const unsigned char *)text;
    if (!byte[0]) return 0;
    if (byte[0] < 0x80) return 1;
    size_t length = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : 2;
    uint32_t code = byte[0] & (0xFFu >> (length + 1)), least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
    if (byte[0] < 0xC2 || byte[0] > 0xF4) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (byte[i] & 0x3F);
    }
    return code < least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : length;
}

int tn_is_utf8(const char *text)
{
    while (*text) {
        size_t length = tn_utf8_length(text);
        if (!length) return 0;
        text += length;
    }
    return 1;
}
