/* json.h: a text that grows, for writing JSON; and reading it. */
#ifndef TN_IO_JSON_H
#define TN_IO_JSON_H

#include <stddef.h>
#include <stdint.h>

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

/* What is read, for messages: "x.json: is no safetensors file: its header is not JSON". */
typedef struct tn_json_kind {
    const char *file, *part;
    uint64_t begin; /* where the part begins in the file */
} tn_json_kind;

struct cJSON;

/* The object that this text is; the caller deletes it. The text is closed by a zero that `bytes` does not count. */
tn_status tn_json_parse(const char *path, const tn_json_kind *kind, const char *text, uint64_t bytes,
                        struct cJSON **root);

#endif
