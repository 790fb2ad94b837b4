/* json.h: JSON on standard output, or in a file: an object or array a line (RFC 8259). Numbers that JSON cannot write
 * are null. */
#ifndef TN_CLI_JSON_H
#define TN_CLI_JSON_H

#include <stdint.h>
#include <stdio.h>

/* Where the next value goes. A zeroed struct begins a line. */
typedef struct cli_json {
    int depth;
    int comma;  /* a value stands before the next one */
    FILE *file; /* NULL: standard output */
} cli_json;

/* `key` is NULL inside an array and at the top. */
void cli_json_begin(cli_json *json, const char *key, char bracket); /* '{' or '[' */
void cli_json_end(cli_json *json, char bracket);                    /* the last one ends the line and flushes it */
void cli_json_number(cli_json *json, const char *key, double value);
void cli_json_whole(cli_json *json, const char *key, int64_t value);
void cli_json_text(cli_json *json, const char *key, const char *value); /* NULL: null */
void cli_json_bool(cli_json *json, const char *key, int value);

#endif
