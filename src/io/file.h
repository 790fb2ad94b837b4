/* file.h: writing a file as a whole or not at all. */
#ifndef TN_IO_FILE_H
#define TN_IO_FILE_H

#include <stdint.h>

#include "tenon/status.h"

/* A file being written: into a temporary one in the same folder, or straight into what is no regular file (a device, a
 * pipe). Used by one thread. */
typedef struct tn_file {
    const char *path; /* as the caller gave it, for messages: stays the caller's */
    char *target;     /* with symbolic links followed */
    char *folder;     /* of the target */
    char *temporary;  /* NULL: written straight to */
    int fd;
} tn_file;

/* After tn_file_begin has succeeded, tn_file_end must be called, which frees everything. With `status` TN_OK it makes
 * the new content durable and puts it in the old one's place; otherwise, and if that fails, the old file stays as it
 * was and nothing is left. Returns `status`, or what failed in ending. Temporary files that a killed process left
 * beside the same target are removed in passing. */
tn_status tn_file_begin(const char *path, tn_file *file);
tn_status tn_file_write(tn_file *file, const void *data, uint64_t bytes);
/* Makes durable what was written so far, which tn_file_end does too: for one of several files, of which none is to take
 * its place unless all can. */
tn_status tn_file_sync(const tn_file *file);
tn_status tn_file_end(tn_file *file, tn_status status);

#endif
