/* matmul.h: what the files of the operator "matmul" share. */
#ifndef TENON_OPENCL_MATMUL_H
#define TENON_OPENCL_MATMUL_H

#include "staged.h"

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

#endif
