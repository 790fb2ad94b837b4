/* broadcast.c: y = x stretched to a shape. In a map it costs nothing: the operand is read with strides of 0. */
#include "cases.h"
#include "check.h"
#include "map.h"

typedef struct attrs {
    tn_shape shape;
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    tn_shape both;
    char from[160], to[160];
    (void)n_in;
    TN_TRY(tn_shape_check(&at->shape));
    tn_status s = tn_shape_broadcast(&in[0]->type.shape, &at->shape, &both);
    TN_REQUIRE(!s && tn_shape_equal(&both, &at->shape), TN_ESHAPE, "broadcast: shape %s does not stretch to %s",
               tn_shape_text(&in[0]->type.shape, from, sizeof from), tn_shape_text(&at->shape, to, sizeof to));
    *out = (tn_type){in[0]->type.dtype, at->shape};
    return TN_OK;
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    din[0] = tn_unbroadcast(dy, &y->in[0]->type.shape);
}

static int32_t emit(const tn_tensor *y, tn_map_builder *builder, const int32_t arg[])
{
    (void)y, (void)builder;
    return arg[0];
}

tn_tensor *tn_broadcast(tn_tensor *x, tn_shape to)
{
    attrs at;
    tn_keep_shape(&at.shape, to);
    return tn_node(&tn_op_broadcast, NULL, &x, 1, &at);
}

static tn_tensor *case_rows(tn_tensor *const in[])
{
    return tn_broadcast(in[0], TN_SHAPE(5, 7));
}

static tn_tensor *case_middle(tn_tensor *const in[])
{
    return tn_broadcast(in[0], TN_SHAPE(2, 3, 5, 4));
}

static tn_tensor *case_nothing(tn_tensor *const in[])
{
    return tn_broadcast(in[0], TN_SHAPE(0, 3));
}

static const tn_op_case cases[] = {
    {"a row", case_rows, {F32(7)}},
    {"a column", case_rows, {F32(5, 1)}},
    {"a number", case_rows, {NUMBER}},
    {"in the middle", case_middle, {F32(3, 1, 4)}},
    {"as it is", case_rows, {F32(5, 7)}},
    {"whole numbers", case_rows, {I32(1, 7)}, -9, 9, 1},
    {"to nothing", case_nothing, {F32(1, 3)}},
    {0},
};

static const tn_field fields[] = {TN_FIELD(attrs, shape, SHAPE), {0}};

const tn_op_def tn_op_broadcast = {.name = "broadcast",
                                   .doc = "x stretched to a shape",
                                   .kind = TN_MAP,
                                   .arity = 1,
                                   TN_ATTRS(attrs, fields),
                                   .shape = shape,
                                   .grad = grad,
                                   .emit = emit,
                                   .cases = cases};
