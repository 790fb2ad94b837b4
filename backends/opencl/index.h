/* index.h: what the operators of cl/index.cl share: checks, source and launch. */
#ifndef TENON_OPENCL_INDEX_H
#define TENON_OPENCL_INDEX_H

#include "opencl.h"

/* `n_in` dense inputs, one dense output, not in place; attributes whose first `attrs` bytes are there (0: none). */
int32_t ocl_check_index(ocl_build *build, uint32_t n_in, uint64_t attrs);

/* f32, i32 and f64, which the operators that compute take. */
int32_t ocl_check_arithmetic(ocl_build *build, int32_t dtype);

/* An integer type of the element's size, for what only moves. */
const char *ocl_index_carrier(int32_t dtype);

/* Appends cl/index.cl with T and `which` defined. */
void ocl_index_source(ocl_text *text, ocl_build *build, int wide, const char *which, const char *type);

/* Appends the arguments `count` and `per`, launches work-items for all of `count` things, each worth `weight` simple
 * steps, and frees the text. */
int32_t ocl_index_launch(ocl_build *build, ocl_text *text, ocl_args *args, const char *name, int wide, int64_t count,
                         int64_t weight);

#endif
