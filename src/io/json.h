/* json.h: a text that grows, for writing JSON. */
#ifndef TN_IO_JSON_H
#define TN_IO_JSON_H

#include <stddef.h>

#include "tenon/status.h"

/* A zeroed struct is empty. The first failure sticks: later calls do nothing. */
typedef struct tn_json {
    char *text;
    size_t used, room;
    tn_status status;
} tn_json;

void tn_json_add(tn_json *json, const char *format, ...) TN_PRINTF(2, 3);

/* A quoted string. A byte that is not part of UTF-8 becomes U+FFFD: the text may be a file's name. */
void tn_json_string(tn_json *json, const char *text);

void tn_json_free(tn_json *json);

#endif
