/* pick.c: x[i, label[i]], and labels as vectors with a single 1. */
#include "cases.h"
#include "check.h"

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_type *x = &in[0]->type, *label = &in[1]->type;
    char tx[160], tl[160];
    (void)n_in, (void)raw;
    TN_TRY(tn_require_type("pick", in[0], 1));
    TN_REQUIRE(label->dtype == TN_I32, TN_EDTYPE, "pick: labels of element type %s", tn_dtype_name(label->dtype));
    TN_REQUIRE(x->shape.rank == 2 && label->shape.rank == 1 && x->shape.dim[0] == label->shape.dim[0], TN_ESHAPE,
               "pick: labels of shape %s for %s", tn_shape_text(&label->shape, tl, sizeof tl),
               tn_shape_text(&x->shape, tx, sizeof tx));
    *out = (tn_type){x->dtype, label->shape};
    return TN_OK;
}

/* The classes' numbers are compared with the label; a single one can be equal, so that the sum is exact. */
static tn_tensor *lower(tn_tensor *y)
{
    tn_tensor *x = y->in[0], *label = y->in[1];
    const tn_shape *s = &x->type.shape;
    tn_tensor *class = tn_iota(y->graph, *s, 1);
    tn_tensor *is_it = tn_eq(class, tn_reshape(label, TN_SHAPE(s->dim[0], 1)));
    return tn_sum(tn_where(is_it, x, tn_number(x, 0)), TN_AXES(1), 0);
}

static void reference(const tn_reference_call *call)
{
    const int64_t *dim = call->desc->in[0].dim;
    for (int64_t i = 0; i < dim[0]; i++) {
        double label = call->in[1][i];
        call->out[0][i] = label >= 0 && label < (double)dim[1] ? call->in[0][i * dim[1] + (int64_t)label] : 0;
    }
}

tn_tensor *tn_pick(tn_tensor *x, tn_tensor *label)
{
    return tn_node(&tn_op_pick, NULL, (tn_tensor *[]){x, label}, 2, NULL);
}

tn_tensor *tn_one_hot(tn_tensor *index, int64_t classes)
{
    tn_shape column = tn_shape_of(index), full;
    if (tn_dtype_of(index) != TN_I32 || column.rank == TN_MAX_RANK || classes < 0)
        tn_node_fail(tn_graph_of(index), TN_EINVAL, "one_hot: %lld classes for an index of type %s and rank %d",
                     (long long)classes, tn_dtype_name(tn_dtype_of(index)), column.rank);
    if (tn_graph_status(tn_graph_of(index))) return index;
    column.dim[column.rank++] = 1;
    full = column;
    full.dim[full.rank - 1] = classes;
    tn_tensor *class = tn_iota(tn_graph_of(index), full, -1);
    return tn_cast(tn_eq(class, tn_reshape(index, column)), TN_F32);
}

static tn_tensor *case_pick(tn_tensor *const in[])
{
    return tn_pick(in[0], in[1]);
}

static tn_tensor *case_one_hot(tn_tensor *const in[])
{
    return tn_mul(tn_one_hot(in[1], 7), in[0]);
}

static const tn_op_case cases[] = {
    {"ten classes", case_pick, {F32(129, 10), I32(129)}, 0, 9},
    {"labels outside", case_pick, {F32(31, 5), I32(31)}, -3, 8},
    {"one class", case_pick, {F32(6, 1), I32(6)}, 0, 1},
    {"no rows", case_pick, {F32(0, 4), I32(0)}, 0, 3},
    {"one-hot vectors", case_one_hot, {F32(5, 3, 7), I32(5, 3)}, -1, 7},
    {"one-hot of a number", case_one_hot, {F32(7), {TN_I32, {0, {0}}}}, 2, 2},
    {0},
};

const tn_op_def tn_op_pick = {.name = "pick",
                              .doc = "one element of each row, by a label",
                              .kind = TN_COMPOSITE,
                              .arity = 2,
                              .shape = shape,
                              .lower = lower,
                              .reference = reference,
                              .cases = cases};
