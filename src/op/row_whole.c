/* row_whole.c: rows of one operand that hold for whole numbers, as rows of two, which do. They wrap as these do: the
 * least integer is its own absolute value. */
#include "rows.h"

static tn_tensor *negative(tn_tensor *x)
{
    return tn_sub(tn_number(x, 0), x);
}

static tn_tensor *absolute(tn_tensor *x)
{
    return tn_max(x, negative(x));
}

static tn_tensor *sign(tn_tensor *x)
{
    tn_tensor *zero = tn_number(x, 0);
    return tn_sub(tn_gt(x, zero), tn_lt(x, zero));
}

static tn_tensor *square(tn_tensor *x)
{
    return tn_mul(x, x);
}

static const struct {
    const tn_op_def *const *row;
    tn_tensor *(*build)(tn_tensor *x);
} forms[] = {{&tn_row_neg, negative}, {&tn_row_abs, absolute}, {&tn_row_sign, sign}, {&tn_row_square, square}};

tn_tensor *tn_row_apply(const tn_op_def *row, tn_tensor *x)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms && tn_dtype_of(x) == TN_I32; i++)
        if (*forms[i].row == row) return forms[i].build(x);
    return tn_node(row, NULL, &x, 1, NULL);
}

int tn_is_of_others(const tn_op_def *op)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (*forms[i].row == op) return 1;
    return op == &tn_op_matmul; /* product.c */
}
