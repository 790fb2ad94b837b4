/* file.h: reading whole files, for the formats of this folder. */
#ifndef TN_DATA_FILE_H
#define TN_DATA_FILE_H

#include <stdint.h>

#include "tenon/status.h"

/* Opens a regular file for reading; *bytes is its size. Fails with a line that names the file and says why. */
tn_status tn_open_regular(const char *path, int *fd, uint64_t *bytes);

/* The file's content, closed by a zero that *bytes does not count; the caller frees it with tn_free. */
tn_status tn_read_whole(const char *path, char **content, uint64_t *bytes);

#endif
