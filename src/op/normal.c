/* normal.c: random numbers of mean 0 and variance 1, by the state's seed and step and the node's stream. */
#include "cases.h"
#include "random.h"

tn_tensor *tn_random_normal(tn_graph *graph, tn_shape shape)
{
    return tn_random_of(&tn_op_normal, graph, shape, graph ? tn_graph_stream(graph) : 0);
}

static tn_tensor *case_alone(tn_tensor *const in[])
{
    return tn_random_normal(in[0]->graph, tn_shape_of(in[0]));
}

static tn_tensor *case_noise(tn_tensor *const in[])
{
    return tn_add(in[0], tn_mul(in[1], tn_random_normal(in[0]->graph, tn_shape_of(in[0]))));
}

/* The sum of x times random numbers. */
static tn_tensor *summed(tn_tensor *x, tn_axes axes)
{
    return tn_sum(tn_mul(x, tn_random_normal(x->graph, tn_shape_of(x))), axes, 0);
}

static tn_tensor *case_sum_first(tn_tensor *const in[])
{
    return summed(in[0], TN_AXES(0));
}

static tn_tensor *case_sum_middle(tn_tensor *const in[])
{
    return summed(in[0], TN_AXES(1));
}

static tn_tensor *case_sum_ends(tn_tensor *const in[])
{
    return summed(in[0], TN_AXES(0, -1));
}

static const tn_op_case cases[] = {
    {"one number", case_alone, {NUMBER}, .no_gradient = 1},
    {"an odd count", case_alone, {F32(1031)}, .no_gradient = 1},
    {"rank 3", case_alone, {F32(3, 5, 7)}, .no_gradient = 1},
    {"noise", case_noise, {F32(9, 31), F32(31)}},
    {"summed over the first axis", case_sum_first, {F32(3, 4, 5)}},
    {"summed over a middle axis", case_sum_middle, {F32(3, 4, 5)}},
    {"summed over the first and last axes", case_sum_ends, {F32(3, 4, 2, 5)}},
    {"no elements", case_alone, {F32(4, 0)}, .no_gradient = 1},
    {0},
};

const tn_op_def tn_op_normal = {.name = "normal",
                                .doc = "random numbers of mean 0 and variance 1",
                                .kind = TN_MAP,
                                TN_ATTRS(tn_random_attrs, tn_random_fields),
                                .shape = tn_random_shape,
                                .emit = tn_random_emit,
                                .cases = cases,
                                .budget = {64, 0, 64, 0}};
