/* check.c: checks that many operators have in common. */
#include "check.h"

#include <string.h>

#include "tenon/backend_check.h"

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

tn_status tn_check_operation(const tn_op_desc *desc)
{
    char text[256] = "";
    tn_msg msg = {text, sizeof text};
    tn_op_facts facts;
    int32_t s = tn_check_op_with(desc, TN_TAKES_CHANNELS_LAST | TN_TAKES_STORED, &facts, &msg);
    return s ? tn_fail(s, "%s", text) : TN_OK;
}
