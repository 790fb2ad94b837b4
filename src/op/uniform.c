/* uniform.c: random numbers in [0, 1), by the state's seed and step and the node's stream. Also what `normal` shares.
 * They belong to the element's linear index, so the tensor can be computed anew wherever its own shape is the iteration
 * space, but not where it is stretched. */
#include "random.h"

#include "cases.h"
#include "check.h"
#include "map.h"

const tn_field tn_random_fields[] = {TN_FIELD(tn_random_attrs, shape, SHAPE),
                                     TN_FIELD(tn_random_attrs, stream, STREAM),
                                     TN_FIELD(tn_random_attrs, reserved, NOTHING),
                                     {0}};

tn_status tn_random_shape(tn_tensor *const in[], uint32_t n_in, const void *attrs, tn_type *out)
{
    const tn_random_attrs *at = attrs;
    (void)in, (void)n_in;
    TN_TRY(tn_shape_check(&at->shape));
    *out = (tn_type){TN_F32, at->shape};
    return TN_OK;
}

int32_t tn_random_emit(const tn_tensor *y, tn_map_builder *builder, const int32_t arg[])
{
    const tn_random_attrs *at = y->attrs;
    int32_t seed = tn_emit_scalar(builder, "seed"), step = tn_emit_scalar(builder, "step");
    (void)arg;
    return tn_emit(builder, y->op->name, (int32_t[]){seed, step, -1, -1}, tn_map_compute_type(y->type.dtype),
                   at->stream);
}

tn_tensor *tn_random_of(const tn_op_def *op, tn_graph *graph, tn_shape shape, uint32_t stream)
{
    tn_random_attrs at = {.stream = stream};
    tn_keep_shape(&at.shape, shape);
    return tn_node(op, graph, NULL, 0, &at);
}

tn_tensor *tn_random_uniform(tn_graph *graph, tn_shape shape)
{
    return tn_random_of(&tn_op_uniform, graph, shape, graph ? tn_graph_stream(graph) : 0);
}

static tn_tensor *case_alone(tn_tensor *const in[])
{
    return tn_random_uniform(in[0]->graph, tn_shape_of(in[0]));
}

static tn_tensor *case_two(tn_tensor *const in[])
{
    tn_tensor *first = tn_random_uniform(in[0]->graph, tn_shape_of(in[0]));
    return tn_add(tn_mul(first, in[0]), tn_random_uniform(in[0]->graph, tn_shape_of(in[0])));
}

static tn_tensor *case_stretched(tn_tensor *const in[])
{
    return tn_mul(in[0], tn_random_uniform(in[0]->graph, TN_SHAPE(7, 1)));
}

/* The sum of x times random numbers. */
static tn_tensor *summed(tn_tensor *x, tn_axes axes)
{
    return tn_sum(tn_mul(x, tn_random_uniform(x->graph, tn_shape_of(x))), axes, 0);
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
    {"a count that is no multiple of four", case_alone, {F32(1031)}, .no_gradient = 1},
    {"rank 3", case_alone, {F32(3, 5, 7)}, .no_gradient = 1},
    {"two streams in one map", case_two, {F32(33, 65)}},
    {"stretched", case_stretched, {F32(3, 7, 5)}},
    {"summed over the first axis", case_sum_first, {F32(3, 4, 5)}},
    {"summed over a middle axis", case_sum_middle, {F32(3, 4, 5)}},
    {"summed over the first and last axes", case_sum_ends, {F32(3, 4, 2, 5)}},
    {"no elements", case_alone, {F32(0)}, .no_gradient = 1},
    {0},
};

const tn_op_def tn_op_uniform = {.name = "uniform",
                                 .doc = "random numbers in [0, 1)",
                                 .kind = TN_MAP,
                                 TN_ATTRS(tn_random_attrs, tn_random_fields),
                                 .shape = tn_random_shape,
                                 .emit = tn_random_emit,
                                 .cases = cases};
