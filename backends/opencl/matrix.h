/* matrix.h: what the files of matrix units share: which forms a product has on them (matrix.c), and whether they come
 * out right on a device (matrix_trial.c). */
#ifndef TENON_OPENCL_MATRIX_H
#define TENON_OPENCL_MATRIX_H

#include "tile.h"
#include "verdict.h"

/* A form of product: the factors as they lie in memory, at a level of precision. raw: as the units take them. off: the
 * largest error of a sum, in parts of what its magnitudes add up to. staged: the same in stages. */
typedef struct ocl_form {
    int32_t dtype;
    uint32_t level;
    int raw;
    const char *defines;
    double off;
    const char *staged;
} ocl_form;

enum { OCL_FORMS = 5, OCL_LEVELS = 3 }; /* the first forms are those of f32, one for each level */
extern const ocl_form ocl_forms[OCL_FORMS];

/* Bits of tn_context.matrix_right: of forms as products, as convolutions, and as convolutions with channels last. */
enum { OCL_RIGHT_CONV = 8, OCL_RIGHT_LAST = 16 };

const char *ocl_matrix_kind(const tn_context *context); /* its name */
int ocl_matrix_is_model(const tn_context *context);     /* a kind that no device has */
/* What a kind makes right: bits of all but convolutions with channels last; of these alone. */
ocl_trial ocl_matrix_try, ocl_matrix_try_last;
uint64_t ocl_matrix_tried(const tn_context *context); /* a hash of the sources, and of what is tried */

#endif
