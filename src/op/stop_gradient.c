/* stop_gradient.c: x as it is, through which no gradient flows: the operator has none. Once gradients are made it has
 * done its work, and simplifying takes it away. */
#include "cases.h"

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *attrs, tn_type *out)
{
    (void)n_in, (void)attrs;
    *out = in[0]->type;
    return TN_OK;
}

tn_tensor *tn_stop_gradient(tn_tensor *x)
{
    return tn_node(&tn_op_stop_gradient, NULL, &x, 1, NULL);
}

static tn_tensor *case_beside(tn_tensor *const in[])
{
    return tn_mul(tn_stop_gradient(tn_square(in[0])), tn_stop_gradient(in[0]));
}

static tn_tensor *case_alone(tn_tensor *const in[])
{
    return tn_stop_gradient(in[0]);
}

static const tn_op_case cases[] = {
    {"nothing else", case_alone, {F32(2, 3)}, 0, 0, 1},
    {"twice", case_beside, {F32(3, 5)}, 0, 0, 1},
    {0},
};

const tn_op_def tn_op_stop_gradient = {.name = "stop_gradient",
                                       .doc = "x as it is, through which no gradient flows",
                                       .kind = TN_VIEW,
                                       .arity = 1,
                                       .shape = shape,
                                       .cases = cases};
