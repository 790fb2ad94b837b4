/* gather.c: rows of a table by their numbers; a number outside the table gives zeros. */
#include "along.h"
#include "cases.h"

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_shape *table = &in[0]->type.shape, *index = &in[1]->type.shape;
    char t[160], i[160];
    (void)n_in, (void)raw;
    TN_REQUIRE(in[1]->type.dtype == TN_I32, TN_EDTYPE, "gather: an index of element type %s",
               tn_dtype_name(in[1]->type.dtype));
    TN_REQUIRE(table->rank >= 1 && index->rank + table->rank - 1 <= TN_MAX_RANK, TN_ESHAPE,
               "gather: rows of %s by an index of shape %s", tn_shape_text(table, t, sizeof t),
               tn_shape_text(index, i, sizeof i));
    *out = (tn_type){in[0]->type.dtype, *index};
    for (int32_t d = 1; d < table->rank; d++) out->shape.dim[out->shape.rank++] = table->dim[d];
    return TN_OK;
}

/* (rows, all that belongs to a row) */
static tn_shape two_dimensions(const tn_shape *x, int32_t leading)
{
    tn_shape two = TN_SHAPE(1, 1);
    for (int32_t d = 0; d < x->rank; d++) two.dim[d >= leading] *= x->dim[d];
    return two;
}

/* Rows that were taken several times add up. */
static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    const tn_type *table = &y->in[0]->type;
    if (!tn_is_floating(table->dtype)) return;
    din[0] = tn_scatter_add(y->in[1], dy, table->shape.dim[0]);
}

static void describe(const tn_tensor *y, tn_operation *o)
{
    tn_shape table = two_dimensions(&y->in[0]->type.shape, 1);
    tn_shape out = two_dimensions(&y->type.shape, y->in[1]->type.shape.rank);
    o->in[0] = tn_desc_dense(y->type.dtype, &table);
    o->in[1] = tn_desc_dense(TN_I32, &TN_SHAPE(out.dim[0]));
    o->out[0] = tn_desc_dense(y->type.dtype, &out);
}

static void reference(const tn_reference_call *call)
{
    int64_t n = call->desc->in[0].dim[0], d = call->desc->in[0].dim[1], m = call->desc->in[1].dim[0];
    for (int64_t i = 0; i < m; i++) {
        int64_t row = (int64_t)call->in[1][i];
        for (int64_t j = 0; j < d; j++) call->out[0][i * d + j] = row >= 0 && row < n ? call->in[0][row * d + j] : 0;
    }
}

tn_tensor *tn_gather(tn_tensor *table, tn_tensor *index)
{
    return tn_node(&tn_op_gather, NULL, (tn_tensor *[]){table, index}, 2, NULL);
}

static tn_tensor *case_gather(tn_tensor *const in[])
{
    return tn_gather(in[0], in[1]);
}

static const tn_op_case cases[] = {
    {"rows, some of them outside", case_gather, {F32(7, 13), I32(50)}, -2, 9},
    {"elements", case_gather, {F32(31), I32(17)}, 0, 30},
    {"an index of rank 2", case_gather, {F32(9, 4), I32(3, 5)}, 0, 8},
    {"a table of pictures", case_gather, {F32(5, 2, 3), I32(8)}, 0, 4},
    {"one row by a number", case_gather, {F32(5, 3), {TN_I32, {0, {0}}}}, 2, 2},
    {"no index", case_gather, {F32(5, 3), I32(0)}, 0, 4},
    {"an empty table", case_gather, {F32(0, 3), I32(7)}, -1, 1},
    {"no element", case_gather, {F32(0), I32(7)}, -1, 1},
    {"whole numbers", case_gather, {I32(12, 3), I32(20)}, -1, 12, 1},
    {0},
};

const tn_op_def tn_op_gather = {.name = "gather",
                                .doc = "rows of a table by their numbers",
                                .kind = TN_KERNEL,
                                .arity = 2,
                                .traits = TN_MOVES,
                                .shape = shape,
                                .grad = grad,
                                .describe = describe,
                                .reference = reference,
                                .flops = tn_no_flops,
                                .picks = 1,
                                .cases = cases};
