/* tile.h: what products on GPUs are cut into: tiles, and the blocks of matrix units. */
#ifndef TENON_OPENCL_TILE_H
#define TENON_OPENCL_TILE_H

#include "opencl.h"

/* ---- tiles of products on GPUs (tile.c) -------------------------------------------------------------------------- */

/* A work-group's work-items, the rows and columns of each, and how many values of k it takes at a time: with 64
 * elements a work-item half as many, which leaves registers for all else. */
typedef struct ocl_tile {
    int32_t side_u, side_v, rows, cols, deep;
} ocl_tile;

/* For `outer` products of m x n, each of which may be divided into `parts` sums. */
ocl_tile ocl_tile_choose(const tn_context *context, int32_t dtype, int64_t m, int64_t n, int64_t outer, int64_t parts);
void ocl_tile_write(ocl_text *text, const ocl_tile *tile, int32_t dtype); /* where T is defined */
int ocl_tile_number(const char *text, int32_t *number);                   /* of the table's, from 0: 0 if it is none */
/* A choice of a family with a tile's parameters as a tile, and back. */
ocl_tile ocl_tile_of(const ocl_choice *choice);
ocl_choice ocl_tile_choice(const char *family, const ocl_tile *tile, int64_t parts);
/* How good a tile looks for `outer` products of m x n x k whose sums are divided into so many parts, in shares of the
 * rate of the best; 0: the device or the kernel can't have it so. */
double ocl_tile_promise(const tn_context *context, const ocl_tile *tile, int32_t dtype, int64_t m, int64_t n, int64_t k,
                        int64_t outer, int64_t parts);
/* How many of them cover m rows, n columns. */
int64_t ocl_tile_high(const ocl_tile *tile, int64_t m);
int64_t ocl_tile_wide(const ocl_tile *tile, int64_t n);

/* A tile of convolutions by fewer multiplications (conv_winograd.c), as ocl_tile_number. */
int ocl_winograd_number(const char *text, int32_t *number);

/* ---- matrix units (matrix.c) ------------------------------------------------------------------------------------- */

/* Looks which kind the device has, by its vendor or the option `opencl.matrix`, and tries what it makes right. */
int32_t ocl_matrix_find(tn_context *context, const char *vendor, tn_msg *msg);
/* The form of a product of so many operations by matrix units; -1: it is not for them. Its blocks, for m
 * rows, as a tile; and the core's source. */
int ocl_matrix_form(const ocl_build *build, double flops);
int ocl_matrix_last_form(const ocl_build *build, double flops); /* of a convolution with channels last, in stages */
int32_t ocl_matrix_stored(int form);                            /* what such a form takes in memory */
ocl_tile ocl_matrix_tile(const tn_context *context, int form, int64_t m);
void ocl_matrix_write(ocl_text *text, const tn_context *context, int form, int64_t m);
ocl_choice ocl_matrix_choice(int64_t parts); /* of the family "matrix" */
/* What staged.c asks: whether the kind is one of cl/matrix_staged.cl, and any device's; what its source begins with. */
int ocl_matrix_has_stages(const tn_context *context);
int ocl_matrix_is_plain(const tn_context *context);
void ocl_matrix_write_staged(ocl_text *text, const tn_context *context, int form);

#endif
