/* budget.c: see budget.h. A row here is an operator that needs more than the usual, with the reason. */
#include "budget.h"

#include <string.h>

static const tn_budget usual = {5, 0, 4}, nothing = {0, 0, 0};

static const struct {
    const char *name;
    tn_budget f32, f64;
} table[] = {
    /* exact by their text: a choice, a sign, a comparison */
    {"neg", {0, 0, 0}, {0, 0, 0}},
    {"abs", {0, 0, 0}, {0, 0, 0}},
    {"sign", {0, 0, 0}, {0, 0, 0}},
    {"floor", {0, 0, 0}, {0, 0, 0}},
    {"step", {0, 0, 0}, {0, 0, 0}},
    {"relu", {0, 0, 0}, {0, 0, 0}},
    {"min", {0, 0, 0}, {0, 0, 0}},
    {"max", {0, 0, 0}, {0, 0, 0}},
    {"eq", {0, 0, 0}, {0, 0, 0}},
    {"ne", {0, 0, 0}, {0, 0, 0}},
    {"lt", {0, 0, 0}, {0, 0, 0}},
    {"le", {0, 0, 0}, {0, 0, 0}},
    {"gt", {0, 0, 0}, {0, 0, 0}},
    {"ge", {0, 0, 0}, {0, 0, 0}},
    {"where", {0, 0, 0}, {0, 0, 0}},
    {"const", {0.51, 0, 1}, {0, 0, 0}},
    {"scalar", {0.51, 0, 1}, {0, 0, 0}},
    {"iota", {0.51, 0, 1}, {0, 0, 0}},
    {"uniform", {0, 0, 0}, {0, 0, 0}},
    /* one rounding */
    {"add", {0.51, 0, 1}, {0.51, 0, 1}},
    {"sub", {0.51, 0, 1}, {0.51, 0, 1}},
    {"mul", {0.51, 0, 1}, {0.51, 0, 1}},
    {"cast", {0.51, 0, 1}, {0.51, 0, 1}},
    /* functions of the device's library: what OpenCL allows in the full profile, and the steps around them */
    {"sin", {5, 0, 4}, {5, 0, 4}},
    {"cos", {5, 0, 4}, {5, 0, 4}},
    {"tanh", {8, 0, 5}, {8, 0, 5}},
    {"sigmoid", {8, 0, 5}, {8, 0, 5}},
    {"erf", {16, 0, 16}, {16, 0, 16}},
    {"pow", {24, 0, 16}, {24, 0, 16}},
    {"softplus", {8, 0, 5}, {8, 0, 5}},
    {"log_sigmoid", {8, 0, 5}, {8, 0, 5}},
    /* texts in which a difference cancels or a rounded number meets an exponential: their arguments' rounding shows */
    {"tanh.grad", {5, 2, 8}, {5, 2, 8}},
    {"sigmoid.grad", {5, 2, 8}, {5, 2, 8}},
    {"expm1.grad", {5, 2, 8}, {5, 2, 8}},
    {"erf.grad", {8, 2, 32}, {8, 2, 32}},
    {"log1p.grad", {5, 2, 8}, {5, 2, 8}},
    {"sin.grad", {8, 0, 5}, {8, 0, 5}},
    {"cos.grad", {8, 0, 5}, {8, 0, 5}},
    {"rsqrt.grad", {12, 0, 8}, {12, 0, 8}},
    {"softplus.grad", {8, 0, 5}, {8, 0, 5}},
    {"log_sigmoid.grad", {8, 0, 5}, {8, 0, 5}},
    {"pow.da", {32, 2, 32}, {32, 2, 32}},
    {"pow.db", {32, 2, 32}, {32, 2, 32}},
    /* one side of these goes to 0 through a difference: good there in absolute terms only */
    {"gelu", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"gelu.grad", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"gelu_tanh", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"gelu_tanh.grad", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"silu", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"silu.grad", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"mish", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"mish.grad", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"hard_sigmoid", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"hard_sigmoid.grad", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"hard_swish", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"hard_swish.grad", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"elu", {16, 4, 32, 4}, {16, 4, 32, 4}},
    {"elu.da", {16, 4, 32, 4}, {16, 4, 32, 4}},
    /* Box and Muller: the square root of a logarithm near 1 */
    {"normal", {64, 0, 64}, {64, 0, 64}},
    /* sums of many terms, in any order */
    {"reduce", {4, 8, 32}, {4, 8, 32}},
    {"matmul", {4, 8, 32}, {4, 8, 32}},
    {"conv2d", {4, 8, 32}, {4, 8, 32}},
    {"conv2d_data", {4, 8, 32}, {4, 8, 32}},
    {"conv2d_weight", {4, 8, 32}, {4, 8, 32}},
    {"avgpool2d", {4, 4, 16}, {4, 4, 16}},
    {"avgpool2d_grad", {4, 4, 16}, {4, 4, 16}},
    {"maxpool2d_grad", {4, 4, 16}, {4, 4, 16}},
    {"scatter_add", {4, 8, 32}, {4, 8, 32}},
    {"put", {4, 8, 32}, {4, 8, 32}},
    {"cumsum", {4, 8, 32}, {4, 8, 32}},
    {"softmax", {8, 2, 16}, {8, 2, 16}},
    {"log_softmax", {8, 8, 16}, {8, 8, 16}}, /* the logarithm of a sum near 1 */
    /* moves */
    {"transpose", {0, 0, 0}, {0, 0, 0}},
    {"gather", {0, 0, 0}, {0, 0, 0}},
    {"window", {0, 0, 0}, {0, 0, 0}},
    {"slice", {0, 0, 0}, {0, 0, 0}},
    {"unslice", {0, 0, 0}, {0, 0, 0}},
    {"concat", {0, 0, 0}, {0, 0, 0}},
    {"take", {0, 0, 0}, {0, 0, 0}},
    {"maxpool2d", {0, 0, 0}, {0, 0, 0}},
};

tn_budget tn_budget_of(const char *name, int32_t dtype)
{
    if (dtype == TN_I32 || dtype == TN_U8) return nothing;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].name, name)) return dtype == TN_F64 ? table[i].f64 : table[i].f32;
    return usual;
}

double tn_unit_of(int32_t dtype)
{
    static const double unit[] = {0, 0x1p-23, 0, 0, 0x1p-10, 0x1p-7, 0x1p-52};
    return dtype > 0 && dtype <= TN_F64 ? unit[dtype] : 0;
}
