/* budget.c: see budget.h. A line here is an element-wise row that needs less or more than the usual, with the reason.
 */
#include "budget.h"

#include <math.h>
#include <string.h>

#include "rows.h"

static const tn_budget usual = {5, 0, 4, 0}, exact = {0, 0, 0, 0};

#define LIBRARY                                                                                                        \
    {                                                                                                                  \
        8, 0, 5, 0                                                                                                     \
    } /* functions of the device's library, and the steps around them */
#define ARGUMENTS                                                                                                      \
    {                                                                                                                  \
        5, 2, 8, 0                                                                                                     \
    } /* a difference cancels, or a rounded number meets an exponential: arguments show */
#define TO_ZERO                                                                                                        \
    {                                                                                                                  \
        16, 4, 32, 4                                                                                                   \
    } /* one side goes to 0 through a difference: good there in absolute terms only */
#define POWER_SLOPE                                                                                                    \
    {                                                                                                                  \
        32, 2, 32, 0                                                                                                   \
    }

static const struct {
    const char *name;
    tn_budget budget;
} table[] = {
    /* exact by their text: a choice, a sign, a comparison */
    {"neg", {0}},
    {"abs", {0}},
    {"sign", {0}},
    {"floor", {0}},
    {"ceil", {0}},
    {"trunc", {0}},
    {"round", {0}},
    {"isnan", {0}},
    {"isinf", {0}},
    {"isfinite", {0}},
    {"logical_and", {0}},
    {"logical_or", {0}},
    {"logical_xor", {0}},
    {"relu6", {0}},
    {"hard_tanh", {0}},
    {"fmod", {0}},
    {"step", {0}},
    {"relu", {0}},
    {"min", {0}},
    {"max", {0}},
    {"eq", {0}},
    {"ne", {0}},
    {"lt", {0}},
    {"le", {0}},
    {"gt", {0}},
    {"ge", {0}},
    {"add", TN_BUDGET_ROUND},
    {"sub", TN_BUDGET_ROUND},
    {"mul", TN_BUDGET_ROUND},
    {"tanh", LIBRARY},
    {"sigmoid", LIBRARY},
    {"softplus", LIBRARY},
    {"softplus.grad", LIBRARY},
    {"log_sigmoid", LIBRARY},
    {"log_sigmoid.grad", LIBRARY},
    {"sin.grad", LIBRARY},
    {"cos.grad", LIBRARY},
    {"rsqrt.grad", {12, 0, 8, 0}},
    {"erf", {16, 0, 16, 0}}, /* what OpenCL allows in the full profile, as for pow */
    {"erf.grad", {8, 2, 32, 0}},
    {"pow", {24, 0, 16, 0}},
    {"pow.da", POWER_SLOPE},
    {"pow.db", POWER_SLOPE},
    {"tanh.grad", ARGUMENTS},
    {"sigmoid.grad", ARGUMENTS},
    {"expm1.grad", ARGUMENTS},
    {"log1p.grad", ARGUMENTS},
    {"gelu", {16, 4, 32, 24}}, /* x / 2 times what erf may lose where it is all but -1 */
    {"gelu.grad", TO_ZERO},
    {"gelu_tanh", TO_ZERO},
    {"gelu_tanh.grad", TO_ZERO},
    {"silu", TO_ZERO},
    {"silu.grad", TO_ZERO},
    {"mish", TO_ZERO},
    {"mish.grad", TO_ZERO},
    {"hard_sigmoid", TO_ZERO},
    {"hard_sigmoid.grad", TO_ZERO},
    {"hard_swish", TO_ZERO},
    {"hard_swish.grad", TO_ZERO},
    {"tanh_shrink", TO_ZERO},
    {"elu", TO_ZERO},
    {"elu.da", TO_ZERO},
};

static tn_budget of_row(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].name, name)) return table[i].budget;
    return usual;
}

/* An instruction that is no operator is a leaf of graphs. */
tn_budget tn_budget_of(const char *name, int32_t dtype)
{
    const tn_op_def *op = strcmp(name, "const") ? tn_op_named(name) : &tn_op_full;
    if (!op || tn_is_whole(dtype)) return exact;
    return tn_row_of(op) ? of_row(name) : op->budget;
}

double tn_order_of(const tn_op_desc *desc)
{
    double each = tn_op_cost(desc).flops / fmax(1, (double)tn_desc_count(&desc->out[0]));
    return fmax(1, sqrt(each) / 25);
}

double tn_unit_of(int32_t dtype)
{
    return tn_dtype_facts_of(dtype)->unit;
}
