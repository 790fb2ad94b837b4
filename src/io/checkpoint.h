/* checkpoint.h: an open safetensors file, and the names of its tensors. */
#ifndef TN_IO_CHECKPOINT_H
#define TN_IO_CHECKPOINT_H

#include <cjson/cJSON.h>

#include "alloc.h"
#include "convert.h"
#include "tenon/state.h"

typedef struct tn_file_tensor {
    const char *name; /* in the parsed header, or the checkpoint's region */
    const tn_file_type *type;
    tn_shape shape;
    uint64_t begin, end; /* in the file's data */
    unsigned char *data;
} tn_file_tensor;

struct tn_checkpoint {
    cJSON *header;
    const cJSON *notes;       /* within the header; may be NULL */
    tn_file_tensor *tensor;   /* in the file's order */
    tn_file_tensor *tied;     /* the same under further names */
    tn_file_tensor **by_name; /* all of both */
    size_t count, ties;
    tn_region region; /* names that were given */
    unsigned char *data;
    uint64_t data_at;  /* where the data begins in the file */
    const char *steps; /* the note of optimizers' steps; NULL: older files count them all as one */
    uint64_t seed, step;
    int has_seed, has_step;
};

/* As tn_checkpoint_open, without the data: the tensors' are NULL, and what they are is as it is in the file. */
TN_MUST_USE tn_status tn_checkpoint_open_header(const char *path, tn_checkpoint **checkpoint);

/* Finds the further names and sorts all; when the tensors are known. */
TN_MUST_USE tn_status tn_names_list(tn_checkpoint *checkpoint);

/* NULL if there is none. */
const tn_file_tensor *tn_names_find(const tn_checkpoint *checkpoint, const char *name);

#endif
