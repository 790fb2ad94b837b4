/* text.h: texts that others wrote (files' names, plugins' messages, names of devices), made fit to be shown. Pure. */
#ifndef TN_CORE_TEXT_H
#define TN_CORE_TEXT_H

#include <stddef.h>

/* Closes a text of `room` bytes and makes it one line that is safe on a terminal: a blank in place of each byte of a
 * control character, or of one that turns the direction of writing round; '?' for bytes that are no UTF-8. Returns it.
 */
char *tn_text_clean(char *text, size_t room);

#endif
