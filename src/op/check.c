/* check.c: checks that many operators have in common. */
#include "check.h"

#include <string.h>

int tn_is_floating(int32_t dtype)
{
    return dtype == TN_F32 || dtype == TN_F64;
}

tn_status tn_require_type(const char *op, const tn_tensor *x, int integer)
{
    int32_t dtype = x->type.dtype;
    TN_REQUIRE(tn_is_floating(dtype) || (integer && dtype == TN_I32), TN_EDTYPE, "%s: element type %s", op,
               tn_dtype_name(dtype));
    return TN_OK;
}

tn_status tn_require_axis(const char *op, const tn_tensor *x, int32_t axis, uint32_t *out)
{
    char text[160];
    int32_t rank = x->type.shape.rank, positive = axis < 0 ? axis + rank : axis;
    TN_REQUIRE(positive >= 0 && positive < rank, TN_ESHAPE, "%s: axis %d of shape %s", op, axis,
               tn_shape_text(&x->type.shape, text, sizeof text));
    *out = (uint32_t)positive;
    return TN_OK;
}

void tn_keep_shape(tn_shape *to, tn_shape from)
{
    memset(to, 0, sizeof *to);
    to->rank = from.rank;
    for (int32_t d = 0; d < from.rank && d < TN_MAX_RANK; d++) to->dim[d] = from.dim[d];
}

tn_status tn_check_counts(const tn_op_desc *desc, uint32_t n_in, uint32_t n_out)
{
    TN_REQUIRE(desc->n_in == n_in && desc->n_out == n_out, TN_EUNSUPPORTED,
               "%s: %u inputs and %u outputs instead of %u and %u", desc->name, desc->n_in, desc->n_out, n_in, n_out);
    return TN_OK;
}

tn_status tn_check_attrs(const tn_op_desc *desc, uint64_t known)
{
    TN_REQUIRE(desc->attrs && *(const uint64_t *)desc->attrs >= known, TN_EUNSUPPORTED, "%s: attributes are missing",
               desc->name);
    TN_REQUIRE(tn_attrs_known(desc->attrs, known), TN_EUNSUPPORTED, "%s: unknown attributes", desc->name);
    return TN_OK;
}

tn_status tn_check_strides(const tn_op_desc *desc, const tn_tensor_desc *x)
{
    int64_t stride = 1;
    for (int32_t d = x->rank - 1; d >= 0; d--) {
        if (x->dim[d] == 1 || x->stride[d] == 0) continue;
        TN_REQUIRE(x->stride[d] == stride, TN_EUNSUPPORTED, "%s: stride %lld of dimension %d, not 0 or %lld",
                   desc->name, (long long)x->stride[d], d, (long long)stride);
        stride *= x->dim[d];
    }
    return TN_OK;
}

tn_status tn_check_dense(const tn_op_desc *desc, const tn_tensor_desc *x, int32_t rank)
{
    int64_t stride = 1;
    TN_REQUIRE(x->rank == rank, TN_EUNSUPPORTED, "%s: an operand of rank %d instead of %d", desc->name, x->rank, rank);
    if (!tn_desc_count(x)) return TN_OK;
    for (int32_t d = rank - 1; d >= 0; d--) {
        TN_REQUIRE(x->dim[d] == 1 || x->stride[d] == stride, TN_EUNSUPPORTED, "%s: an operand that is not dense",
                   desc->name);
        stride *= x->dim[d];
    }
    return TN_OK;
}

tn_status tn_check_same(const tn_op_desc *desc, const tn_tensor_desc *a, const tn_tensor_desc *b)
{
    int same = a->rank == b->rank;
    for (int32_t d = 0; same && d < a->rank; d++) same = a->dim[d] == b->dim[d];
    TN_REQUIRE(same, TN_EUNSUPPORTED, "%s: operands of different shapes", desc->name);
    return TN_OK;
}
