/* reshape.c: the same elements in the same order in another shape. */
#include "cases.h"
#include "check.h"

typedef struct attrs {
    tn_shape shape; /* one dimension may be -1 */
} attrs;

/* The missing dimension, or a shape that cannot fit. */
static tn_shape complete(tn_shape to, int64_t count)
{
    int64_t others = 1;
    int32_t missing = -1;
    for (int32_t d = 0; d < to.rank; d++) {
        if (to.dim[d] == -1 && missing < 0)
            missing = d;
        else if (to.dim[d] < 0 || __builtin_mul_overflow(others, to.dim[d], &others))
            return to;
    }
    if (missing >= 0 && others && count % others == 0) to.dim[missing] = count / others;
    return to;
}

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    char from[160], to[160];
    int64_t count = tn_shape_count(&in[0]->type.shape);
    (void)n_in;
    TN_REQUIRE(at->shape.rank >= 0 && at->shape.rank <= TN_MAX_RANK, TN_ESHAPE, "reshape: rank %d", at->shape.rank);
    tn_shape result = complete(at->shape, count);
    TN_REQUIRE(!tn_shape_check(&result) && tn_shape_count(&result) == count, TN_ESHAPE,
               "reshape: shape %s does not fit %s", tn_shape_text(&in[0]->type.shape, from, sizeof from),
               tn_shape_text(&at->shape, to, sizeof to));
    *out = (tn_type){in[0]->type.dtype, result};
    return TN_OK;
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    din[0] = tn_reshape(dy, y->in[0]->type.shape);
}

tn_tensor *tn_reshape(tn_tensor *x, tn_shape to)
{
    attrs at;
    tn_shape from = tn_shape_of(x);
    if (tn_shape_equal(&from, &to)) return x;
    tn_keep_shape(&at.shape, to);
    return tn_node(&tn_op_reshape, NULL, &x, 1, &at);
}

tn_tensor *tn_flatten(tn_tensor *x)
{
    tn_shape from = tn_shape_of(x), to = {2, {from.rank ? from.dim[0] : 1, 1}};
    for (int32_t d = 1; d < from.rank; d++) to.dim[1] *= from.dim[d];
    return tn_reshape(x, to);
}

static tn_tensor *case_merge(tn_tensor *const in[])
{
    return tn_square(tn_reshape(in[0], TN_SHAPE(-1, 5)));
}

static tn_tensor *case_split(tn_tensor *const in[])
{
    return tn_mul(tn_reshape(in[0], TN_SHAPE(3, -1, 2)), in[1]);
}

static tn_tensor *case_alone(tn_tensor *const in[])
{
    return tn_reshape(in[0], TN_SHAPE(6));
}

static tn_tensor *case_number(tn_tensor *const in[])
{
    return tn_exp(tn_reshape(in[0], TN_SCALAR));
}

static tn_tensor *case_flatten(tn_tensor *const in[])
{
    return tn_neg(tn_flatten(in[0]));
}

static const tn_op_case cases[] = {
    {"dimensions merge", case_merge, {F32(2, 3, 5)}},
    {"a dimension splits", case_split, {F32(42), F32(7, 1)}},
    {"nothing else", case_alone, {F32(2, 3)}},
    {"to a number", case_number, {F32(1, 1)}},
    {"flattened pictures", case_flatten, {F32(4, 1, 5, 3)}},
    {"flattened nothing", case_flatten, {F32(0, 2, 3)}},
    {0},
};

static const tn_field fields[] = {TN_FIELD(attrs, shape, SHAPE), {0}};

const tn_op_def tn_op_reshape = {.name = "reshape",
                                 .doc = "the same elements in another shape",
                                 .kind = TN_VIEW,
                                 .arity = 1,
                                 TN_ATTRS(attrs, fields),
                                 .shape = shape,
                                 .grad = grad,
                                 .cases = cases};
