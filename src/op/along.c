/* along.c: what operators along one axis share. */
#include "along.h"

tn_tensor_desc tn_desc_along(const tn_tensor *x, uint32_t axis)
{
    tn_shape s = TN_SHAPE(1, 1, 1);
    for (uint32_t d = 0; d < (uint32_t)x->type.shape.rank; d++)
        s.dim[d < axis ? 0 : d == axis ? 1 : 2] *= x->type.shape.dim[d];
    return tn_desc_dense(x->type.dtype, &s);
}

int tn_find_axis(const char *op, tn_tensor *x, int32_t axis, uint32_t *out)
{
    tn_graph *graph = tn_graph_of(x);
    if (tn_graph_status(graph)) return 0;
    tn_status s = tn_require_axis(op, x, axis, out);
    if (s) tn_graph_fail(graph, s, "%s", tn_message());
    return !s;
}

static tn_status check_operand(const tn_op_desc *desc, const tn_tensor_desc *x)
{
    TN_TRY(tn_check_dense(desc, x, 3));
    TN_REQUIRE(x->dim[0] == desc->out[0].dim[0] && x->dim[2] == desc->out[0].dim[2], TN_EUNSUPPORTED,
               "%s: operands of different outer or inner sizes", desc->name);
    return TN_OK;
}

tn_status tn_check_along(const tn_op_desc *desc)
{
    TN_TRY(check_operand(desc, &desc->out[0]));
    for (uint32_t i = 0; i < desc->n_in; i++) TN_TRY(check_operand(desc, &desc->in[i]));
    return TN_OK;
}

tn_status tn_check_rows(const tn_op_desc *desc, const tn_tensor_desc *table, const tn_tensor_desc *index,
                        const tn_tensor_desc *rows)
{
    TN_TRY(tn_check_counts(desc, 2, 1));
    TN_TRY(tn_check_dense(desc, table, 2));
    TN_TRY(tn_check_dense(desc, index, 1));
    TN_TRY(tn_check_dense(desc, rows, 2));
    TN_REQUIRE(!desc->attrs || tn_attrs_known(desc->attrs, sizeof(uint64_t)), TN_EUNSUPPORTED, "%s: unknown attributes",
               desc->name);
    TN_REQUIRE(index->dtype == TN_I32 && table->dtype == rows->dtype, TN_EUNSUPPORTED,
               "%s: rows of %s of a table of %s, by %s", desc->name, tn_dtype_name(rows->dtype),
               tn_dtype_name(table->dtype), tn_dtype_name(index->dtype));
    TN_REQUIRE(rows->dim[0] == index->dim[0] && rows->dim[1] == table->dim[1], TN_EUNSUPPORTED,
               "%s: operands that do not fit", desc->name);
    return TN_OK;
}

double tn_no_flops(const tn_op_desc *desc)
{
    (void)desc;
    return 0;
}
