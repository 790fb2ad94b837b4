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

enum { OCL_FORMS = 5, OCL_LEVELS = 3, OCL_BF16_FORM = 3 }; /* the first forms are those of f32, one for each level */
extern const ocl_form ocl_forms[OCL_FORMS];

/* Bits of tn_context.matrix_right: of forms as products, as convolutions, as those of the family channels_last, and as
 * convolutions of pictures that lie so. */
enum { OCL_RIGHT_CONV = 8, OCL_RIGHT_LAST = 16, OCL_RIGHT_LAID = 24 };

const char *ocl_matrix_kind(const tn_context *context); /* its name */
int ocl_matrix_is_model(const tn_context *context);     /* a kind that no device has */
/* What a kind makes right: bits of all but what has channels last; of that alone. */
ocl_trial ocl_matrix_try, ocl_matrix_try_last;
uint64_t ocl_matrix_tried(const tn_context *context); /* a hash of the sources, and of what is tried */

#endif
