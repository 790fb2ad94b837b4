/* tensor.h: shapes and element types. */
#ifndef TENON_TENSOR_H
#define TENON_TENSOR_H

#include "tenon/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The size of each dimension, outermost first. Rank 0 is a single number. */
typedef struct tn_shape {
    int32_t rank;
    int64_t dim[TN_MAX_RANK];
} tn_shape;

/* TN_SHAPE(128, 784) is the shape (128, 784); TN_SCALAR is that of a single number. */
#define TN_SHAPE(...)                                                                                                  \
    ((tn_shape){(int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})
#define TN_SCALAR ((tn_shape){0, {0}})

/* The number of elements. */
TN_API int64_t tn_shape_count(const tn_shape *shape);
TN_API int tn_shape_equal(const tn_shape *a, const tn_shape *b);

/* "(128, 784)" in `text`, cut if it does not fit; returns `text`. 160 bytes hold any shape. */
TN_API char *tn_shape_text(const tn_shape *shape, char *text, size_t capacity);

/* "f32" and so on; "?" for a number that is no type. */
TN_API const char *tn_dtype_name(int32_t dtype);

/* A set of axes, each there once; negative ones count from the last. TN_ALL is every axis. */
typedef struct tn_axes {
    int32_t count; /* -1: all */
    int32_t axis[TN_MAX_RANK];
} tn_axes;
#define TN_AXES(...) ((tn_axes){(int32_t)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)), {__VA_ARGS__}})
#define TN_ALL ((tn_axes){-1, {0}})

#ifdef __cplusplus
}
#endif
#endif
