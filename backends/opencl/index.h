/* index.h: what the operators of cl/index.cl share: source and launch. */
#ifndef TENON_OPENCL_INDEX_H
#define TENON_OPENCL_INDEX_H

#include "opencl.h"

/* An integer type of the element's size, for what only moves. */
const char *ocl_index_carrier(int32_t dtype);

/* Appends cl/index.cl with T and `which` defined. */
void ocl_index_source(ocl_text *text, ocl_build *build, int wide, const char *which, const char *type);

/* Appends the arguments `count` and `per`, launches work-items for all of `count` things, each worth `weight` simple
 * steps, and frees the text. */
int32_t ocl_index_launch(ocl_build *build, ocl_text *text, ocl_args *args, const char *name, int wide, int64_t count,
                         int64_t weight);

#endif
