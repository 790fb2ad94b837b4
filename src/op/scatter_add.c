/* scatter_add.c: sums of rows by their numbers, the inverse of gather; a row whose number is outside is left out. */
#include "along.h"
#include "cases.h"

typedef struct attrs {
    int64_t rows; /* of the result */
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_shape *index = &in[0]->type.shape, *x = &in[1]->type.shape;
    char i[160], t[160];
    int fits = index->rank <= x->rank && x->rank - index->rank + 1 <= TN_MAX_RANK;
    (void)n_in;
    TN_REQUIRE(in[0]->type.dtype == TN_I32, TN_EDTYPE, "scatter_add: an index of element type %s",
               tn_dtype_name(in[0]->type.dtype));
    TN_TRY(tn_require_type("scatter_add", in[1], 1));
    for (int32_t d = 0; fits && d < index->rank; d++) fits = index->dim[d] == x->dim[d];
    TN_REQUIRE(fits, TN_ESHAPE, "scatter_add: rows %s by an index of shape %s", tn_shape_text(x, t, sizeof t),
               tn_shape_text(index, i, sizeof i));
    *out = (tn_type){in[1]->type.dtype, {1, {((const attrs *)raw)->rows}}};
    for (int32_t d = index->rank; d < x->rank; d++) out->shape.dim[out->shape.rank++] = x->dim[d];
    return TN_OK;
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    if (tn_is_floating(y->type.dtype)) din[1] = tn_gather(dy, y->in[0]);
}

static void describe(const tn_tensor *y, tn_operation *o)
{
    int64_t m = tn_shape_count(&y->in[0]->type.shape), d = 1;
    for (int32_t k = 1; k < y->type.shape.rank; k++) d *= y->type.shape.dim[k];
    o->in[0] = tn_desc_dense(TN_I32, &TN_SHAPE(m));
    o->in[1] = tn_desc_dense(y->type.dtype, &TN_SHAPE(m, d));
    o->out[0] = tn_desc_dense(y->type.dtype, &TN_SHAPE(y->type.shape.dim[0], d));
}

static void reference(const tn_reference_call *call)
{
    int64_t n = call->desc->out[0].dim[0], d = call->desc->out[0].dim[1], m = call->desc->in[0].dim[0];
    for (int64_t e = 0; e < n * d; e++) call->out[0][e] = 0;
    for (int64_t i = 0; i < m; i++) {
        int64_t row = (int64_t)call->in[0][i];
        for (int64_t j = 0; j < d && row >= 0 && row < n; j++) call->out[0][row * d + j] += call->in[1][i * d + j];
    }
}

static double flops(const tn_op_desc *desc)
{
    return (double)tn_desc_count(&desc->in[1]);
}

tn_tensor *tn_scatter_add(tn_tensor *index, tn_tensor *x, int64_t rows)
{
    attrs at = {rows};
    return tn_node(&tn_op_scatter_add, NULL, (tn_tensor *[]){index, x}, 2, &at);
}

static tn_tensor *case_seven(tn_tensor *const in[])
{
    return tn_scatter_add(in[0], in[1], 7);
}

static tn_tensor *case_none(tn_tensor *const in[])
{
    return tn_scatter_add(in[0], in[1], 0);
}

static tn_tensor *case_many(tn_tensor *const in[])
{
    return tn_scatter_add(in[0], in[1], 1031);
}

/* The numbers of rows have few values, what is summed has all. */
static tn_tensor *case_wrapping(tn_tensor *const in[])
{
    return tn_scatter_add(in[0], tn_mul(in[1], tn_number(in[1], 715827883)), 3);
}

static const tn_op_case cases[] = {
    {"rows, some of them outside", case_seven, {I32(50), F32(50, 13)}, -2, 9},
    {"numbers", case_seven, {I32(129), F32(129)}, 0, 6},
    {"an index of rank 2", case_seven, {I32(3, 5), F32(3, 5, 4)}, 0, 6},
    {"one row by a number", case_seven, {{TN_I32, {0, {0}}}, F32(5)}, 2, 2},
    {"many rows", case_many, {I32(17), F32(17, 33)}, 0, 1030},
    {"all to one row", case_seven, {I32(517), F32(517, 3)}, 3, 3},
    {"no rows to add", case_seven, {I32(0), F32(0, 3)}, 0, 4},
    {"no rows in the result", case_none, {I32(4), F32(4, 3)}, 0, 4},
    {"whole numbers", case_seven, {I32(20), I32(20, 3)}, -1, 7, 1},
    {"whole numbers whose sums wrap", case_wrapping, {I32(90), I32(90, 3)}, 0, 2, 1},
    {0},
};

static const tn_field fields[] = {TN_FIELD(attrs, rows, NUMBER), {0}};

const tn_op_def tn_op_scatter_add = {.name = "scatter_add",
                                     .doc = "sums of rows by their numbers: the gradient of gather",
                                     .kind = TN_KERNEL,
                                     .arity = 2,
                                     .traits = TN_ADDS_UP,
                                     TN_ATTRS(attrs, fields),
                                     .shape = shape,
                                     .grad = grad,
                                     .describe = describe,
                                     .reference = reference,
                                     .flops = flops,
                                     .cases = cases,
                                     .budget = TN_BUDGET_SUM};
