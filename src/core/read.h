/* read.h: reading files. */
#ifndef TN_CORE_READ_H
#define TN_CORE_READ_H

#include <stdint.h>

#include "tenon/status.h"

/* Opens a regular file for reading; *bytes is its size. Fails with a line that names the file and says why. */
tn_status tn_open_regular(const char *path, int *fd, uint64_t *bytes);

/* Reads until `*bytes` are there or the file ends; *bytes becomes what was read. */
tn_status tn_read_some(int fd, const char *path, void *to, uint64_t *bytes);

/* The file's content, closed by a zero that *bytes does not count; the caller frees it with tn_free. */
tn_status tn_read_whole(const char *path, char **content, uint64_t *bytes);

#endif
