/* rows.h: the element-wise operators of unary.def and binary.def, and their gradients, as operators. */
#ifndef TN_OP_ROWS_H
#define TN_OP_ROWS_H

#include "op.h"

/* A row, or the gradient of one of its operands. Arguments of a row are x, or a and b; those of a gradient are the
 * row's own, then y and dy. The gradients stand right behind their row, one for each operand. */
typedef struct tn_row {
    tn_op_def def;
    double (*real)(const double v[]);    /* arguments that the text does not name may be anything */
    int64_t (*whole)(const int64_t v[]); /* NULL for rows that don't hold for integers; the result is to be wrapped */
    const char *text;
    const char *const *arg; /* names of the arguments */
    int32_t n_arg;
    int32_t is_gradient;
} tn_row;

/* The rows as operators: tn_row_relu, tn_row_add. */
#define X(name, ...) extern const tn_op_def *const tn_row_##name;
#include "tenon/unary.def"
#undef X
#define X(name, ...) extern const tn_op_def *const tn_row_##name;
#include "tenon/binary.def"
#undef X

size_t tn_row_count(void);
const tn_row *tn_row_at(size_t index);

/* The row that an operator is, and the row of that name, or NULL. */
const tn_row *tn_row_of(const tn_op_def *op);
const tn_row *tn_row_named(const char *name);

/* A row of one operand; of whole numbers, if it holds for them, by other rows. */
tn_tensor *tn_row_apply(const tn_op_def *row, tn_tensor *x);

/* Whether an operator on whole numbers becomes others as soon as it is called. */
int tn_is_of_others(const tn_op_def *op);

/* A gradient as other rows, read from its text: what it is differentiated by. */
tn_tensor *tn_row_expand(tn_tensor *y);

/* Bit i is set if the row's text names argument i. No bit at all: no gradient flows. */
uint32_t tn_row_uses(const tn_row *row);

/* 1 if the text names the identifier. */
int tn_text_names(const char *text, const char *identifier);

#endif
