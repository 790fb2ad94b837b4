/* matmul.h: what the files of the operator "matmul" share. */
#ifndef TENON_OPENCL_MATMUL_H
#define TENON_OPENCL_MATMUL_H

#include "tile.h"

typedef struct ocl_product {
    int64_t batch, m, n, k, a_stride, b_stride;
    int32_t trans_a, trans_b, sums;
    int32_t value; /* type of the product: f32 or f64 */
    int is_plain;  /* nothing follows the product */
    tn_mapping mapping;
    ocl_space space;
} ocl_product;

/* The operands' types and how they lie, as macros; as arguments; and the sizes. */
void ocl_product_write(ocl_text *text, const ocl_build *build, const ocl_product *p);
void ocl_product_operands(const ocl_build *build, ocl_args *args);
void ocl_product_sizes(ocl_args *args, const ocl_product *p);
int32_t ocl_no_sums(const ocl_build *build); /* TN_EUNSUPPORTED: not with the sums beside it */

int32_t ocl_product_cpu(ocl_build *build, const ocl_product *p); /* matmul_cpu.c */

/* ---- matrix units, in stages (staged.c) -------------------------------------------------------------------------- */

/* How wide its blocks are, steps of 32 bytes of k in each, and how many blocks lie in local memory. */
typedef struct ocl_staged {
    int32_t wide, steps, stages;
} ocl_staged;

/* A choice of the family "staged", and back; its blocks as a tile. */
ocl_staged ocl_staged_of(const ocl_choice *choice);
ocl_choice ocl_staged_choice(const ocl_staged *staged, int64_t parts);
ocl_tile ocl_staged_tile(const tn_context *context, const ocl_staged *staged, int32_t dtype);
int ocl_staged_fits(const tn_context *context, const ocl_staged *staged); /* the device */
int ocl_staged_takes(int32_t dtype, int64_t along); /* rows of so many elements: they begin where they may */
void ocl_staged_write(ocl_text *text, const tn_context *context, int form, const ocl_staged *staged);

#endif
