/* utf8.h: telling UTF-8 (RFC 3629) from other bytes. Pure. */
#ifndef TN_CORE_UTF8_H
#define TN_CORE_UTF8_H

#include <stddef.h>

/* The length of the UTF-8 character at `text`, 1 to 4; 0 if there is none, as at the end. */
size_t tn_utf8_length(const char *text);

/* Whether all of the text is UTF-8. */
int tn_is_utf8(const char *text);

#endif
