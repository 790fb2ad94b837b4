/* layer_norm.h: what the operators layer_norm, layer_norm_grad and normalize share: attributes, shapes, and the parts
 * that they are made of where a device has no better. */
#ifndef TN_OP_LAYER_NORM_H
#define TN_OP_LAYER_NORM_H

#include "op.h"
#include "tenon/backend_check.h"

typedef struct tn_layer_norm_node {
    double epsilon;     /* added to the variance, or to the mean square */
    uint32_t last;      /* so many dimensions, the last, are a row: 1 or more */
    uint32_t keep_mean; /* it is not taken away */
} tn_layer_norm_node;

extern const tn_field tn_layer_norm_fields[], tn_layer_norm_crosses[];

/* Which dimensions are normalised together, and how. */
typedef struct tn_normal {
    double epsilon;
    uint32_t axes; /* bit d set: dimension d */
    uint32_t keep_mean;
} tn_normal;

/* The shape of a row of x; and the same attributes by the dimensions of x. */
tn_shape tn_layer_norm_row(const tn_shape *x, uint32_t last);
tn_normal tn_layer_norm_normal(const tn_shape *x, const tn_layer_norm_node *at);

/* x by those attributes, times weight plus bias, each NULL or of the shape of a row. */
tn_tensor *tn_layer_norm_of(tn_tensor *x, tn_tensor *weight, tn_tensor *bias, const tn_layer_norm_node *at);
/* What dy of it means for x, weight and bias, one after another in a vector: of those that there are. */
tn_tensor *tn_layer_norm_slopes(tn_tensor *x, tn_tensor *dy, tn_tensor *weight, const tn_layer_norm_node *at);

/* That x, which is operand 0, and `rows` operands of its shape before those of a row's shape fit. */
tn_status tn_layer_norm_require(const char *op, tn_tensor *const in[], uint32_t n_in, uint32_t rows,
                                const tn_layer_norm_node *at);
/* Operands as (m, n) and (n), and the attributes. */
void tn_layer_norm_describe(const tn_tensor *y, uint32_t rows, tn_operation *o);

/* ---- by other operators (normalize.c) ---- */

/* x less its mean, times one over its deviation; and what dy of that, which is y, means for x. */
tn_tensor *tn_normal_by_parts(const tn_normal *at, tn_tensor *x);
tn_tensor *tn_normal_slope(const tn_normal *at, tn_tensor *x, tn_tensor *y, tn_tensor *dy);

#endif
