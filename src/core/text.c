/* text.c: see text.h. */
#include "text.h"

#include <string.h>

#include "utf8.h"

/* Ranges of characters in UTF-8, both ends included: the control characters C0, DEL and C1, the separators of lines,
 * and what embeds or overrides a direction of writing. */
static const struct {
    const char *first, *last;
} unfit[] = {
    {"\x01", "\x1f"},
    {"\x7f", "\x7f"},
    {"\xc2\x80", "\xc2\x9f"},
    {"\xe2\x80\xa8", "\xe2\x80\xae"},
    {"\xe2\x81\xa6", "\xe2\x81\xa9"},
};

static int is_unfit(const char *character, size_t length)
{
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++)
        if (strlen(unfit[i].first) == length && memcmp(character, unfit[i].first, length) >= 0 &&
            memcmp(character, unfit[i].last, length) <= 0)
            return 1;
    return 0;
}

char *tn_text_clean(char *text, size_t room)
{
    text[room - 1] = 0;
    for (char *c = text; *c;) {
        size_t length = tn_utf8_length(c);
        if (!length)
            *c = '?';
        else if (is_unfit(c, length))
            memset(c, ' ', length);
        c += length + !length;
    }
    return text;
}
