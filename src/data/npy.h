/* npy.h: where the bytes of a NumPy array come from: a file, or a member of a zip archive. */
#ifndef TN_DATA_NPY_H
#define TN_DATA_NPY_H

#include "tenon/data.h"

typedef struct tn_npy_source {
    const char *path;   /* for messages */
    const char *member; /* of an archive, for messages; else "" */
    uint64_t bytes;     /* how many there are */
    void *handle;
    /* Reads exactly so many, which are there by the count above. */
    tn_status (*read)(struct tn_npy_source *source, void *to, uint64_t bytes);
} tn_npy_source;

/* Reads one array, which takes all of the source's bytes. */
tn_status tn_npy_parse(tn_npy_source *source, tn_array *array);

/* A member of an archive; NULL is its only one. TN_EMISSING if there is none of that name. */
tn_status tn_npz_read(const char *path, const char *member, tn_array *array);

/* Whether the archive has a member of that name. */
tn_status tn_npz_has(const char *path, const char *member, int *has);

/* Whether the file begins as a zip archive does. */
int tn_npz_is(const char *path);

#endif
