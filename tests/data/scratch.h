/* scratch.h: a folder for a test's files, and what tests of files have in common. */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <stddef.h>

#include "tenon/status.h"

/* cmocka's group set-up and tear-down: make the folder, remove it with the files in it. */
int scratch_begin(void **state);
int scratch_end(void **state);

/* The path of a name in the folder. Each call's result lives until eight calls later. */
const char *scratch_path(const char *name);

/* Writes a file, returns its path. scratch_text: up to the closing zero. scratch_gzip: compressed. */
const char *scratch_write(const char *name, const void *bytes, size_t count);
const char *scratch_text(const char *name, const char *text);
const char *scratch_gzip(const char *name, const void *bytes, size_t count);

/* The content of a file, closed by a zero; to be freed with free. */
char *scratch_read(const char *path, size_t *count);

/* How many files are in the folder. */
int scratch_files(void);

/* Fails the test unless `status` is `expected` and the message is one line that contains `part`. */
void expect_failure(tn_status status, tn_status expected, const char *part);
#define expect_ok(call) expect_ok_at((call), #call, __LINE__)
void expect_ok_at(tn_status status, const char *call, int line);

/* A safetensors file of that header and those bytes, of at most 1016 together. */
const char *scratch_tensors(const char *header, const void *bytes, size_t size);

#endif
