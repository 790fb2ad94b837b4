/* inflow.h: the bytes of a file, plain or packed by gzip, or of standard input, which is "-". */
#ifndef TN_DATA_INFLOW_H
#define TN_DATA_INFLOW_H

#include <stdint.h>

#include "tenon/status.h"

/* Where reading stands; one thread uses it. A zeroed struct is closed. */
typedef struct tn_inflow {
    const char *path;
    struct gzFile_s *gz;
    const char *kept; /* all of standard input, which is read once in a process; else NULL */
    uint64_t bytes;   /* of the file on the disk, or kept */
    uint64_t at;      /* in what is kept */
    int in_place;     /* a plain file: its bytes can be found there again */
} tn_inflow;

/* Whether the name means standard input. */
int tn_inflow_is_standard(const char *path);

/* Opens a regular file, or standard input as often as one likes. The path stays the caller's. */
TN_MUST_USE tn_status tn_inflow_open(const char *path, tn_inflow *in);

/* Reads until `*bytes` are there or the input ends; *bytes becomes what was read. */
TN_MUST_USE tn_status tn_inflow_read(tn_inflow *in, void *to, uint64_t *bytes);

void tn_inflow_close(tn_inflow *in);

#endif
