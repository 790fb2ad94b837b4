/* npz.h: several arrays as NumPy's archive .npz, written as a whole. */
#ifndef TN_CLI_NPZ_H
#define TN_CLI_NPZ_H

#include "options.h"
#include "tenon/data.h"

#include <stdio.h>

typedef struct cli_npz {
    FILE *file, *list; /* in memory: the members, and what the end of the archive says of them */
    char *bytes, *entries;
    size_t size, length;
    unsigned members;
} cli_npz;

/* An empty archive in memory; cli_npz_end follows in any case, and writes it there unless `path` is NULL. An array is
 * added by its name. Return CLI_GO_ON or CLI_FAILED. */
int cli_npz_begin(cli_npz *npz);
int cli_npz_add(cli_npz *npz, const char *name, const tn_array *array);
int cli_npz_end(cli_npz *npz, const char *path);

#endif
