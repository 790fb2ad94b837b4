/* staged.h: products by matrix units in stages (staged.c, cl/matrix_staged.cl), as matrices and as convolutions have
 * them. */
#ifndef TENON_OPENCL_STAGED_H
#define TENON_OPENCL_STAGED_H

#include "tile.h"

/* How wide its blocks are and how high (0: as products of matrices have them), steps of 32 bytes of k in each, and how
 * many blocks lie in local memory. */
typedef struct ocl_staged {
    int32_t wide, high, steps, stages;
} ocl_staged;

/* A choice of a family with these parameters, and back; its blocks as a tile. */
ocl_staged ocl_staged_of(const ocl_choice *choice);
ocl_choice ocl_staged_choice(const char *family, const ocl_staged *staged, int64_t parts);
ocl_tile ocl_staged_tile(const tn_context *context, const ocl_staged *staged, int32_t dtype);
int ocl_staged_fits(const tn_context *context, const ocl_staged *staged); /* the device */
int64_t ocl_staged_piece(int32_t dtype);                                  /* numbers that are copied at once */
void ocl_staged_write(ocl_text *text, const tn_context *context, int form, const ocl_staged *staged);

#endif
