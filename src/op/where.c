/* where.c: y = condition is not 0 ? a : b, broadcast. */
#include "cases.h"
#include "check.h"
#include "map.h"

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *attrs, tn_type *out)
{
    tn_type type = in[1]->type;
    (void)n_in, (void)attrs;
    TN_REQUIRE(type.dtype == in[2]->type.dtype, TN_EDTYPE, "where: element types %s and %s differ",
               tn_dtype_name(type.dtype), tn_dtype_name(in[2]->type.dtype));
    TN_TRY(tn_require_type("where", in[1], 1));
    for (int i = 0; i < 3; i++) {
        tn_status s = tn_shape_broadcast(&type.shape, &in[i]->type.shape, &type.shape);
        if (s) return tn_fail(s, "where: %s", tn_message());
    }
    *out = type;
    return TN_OK;
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    tn_tensor *zero = tn_number(dy, 0);
    if (!tn_is_floating(y->type.dtype)) return;
    din[1] = tn_unbroadcast(tn_where(y->in[0], dy, zero), &y->in[1]->type.shape);
    din[2] = tn_unbroadcast(tn_where(y->in[0], zero, dy), &y->in[2]->type.shape);
}

static int32_t emit(const tn_tensor *y, tn_map_builder *builder, const int32_t arg[])
{
    return tn_emit(builder, "where", (int32_t[]){arg[0], arg[1], arg[2], -1}, tn_map_compute_type(y->type.dtype), 0);
}

tn_tensor *tn_where(tn_tensor *condition, tn_tensor *a, tn_tensor *b)
{
    return tn_node(&tn_op_where, NULL, (tn_tensor *[]){condition, a, b}, 3, NULL);
}

static tn_tensor *by_sign(tn_tensor *const in[])
{
    return tn_where(tn_gt(in[0], tn_number(in[0], 0)), in[1], in[2]);
}

static tn_tensor *by_number(tn_tensor *const in[])
{
    return tn_where(in[0], in[1], in[2]);
}

static const tn_op_case cases[] = {
    {"a condition of each element", by_sign, {F32(7, 11), F32(7, 11), F32(7, 11)}},
    {"all three are stretched", by_number, {I32(3, 1, 1), F32(4, 1), F32(5)}, -1, 1},
    {"numbers as branches", by_sign, {F32(1031), NUMBER, NUMBER}},
    {"one condition for all", by_number, {{TN_I32, {0, {0}}}, F32(5), F32(3, 5)}, 1, 1},
    {"conditions that are no whole numbers", by_number, {F32(1031), F32(1031), F32(1031)}},
    {"whole numbers", by_number, {I32(101), I32(101), I32(101)}, -2, 2, 1},
    {"no elements", by_sign, {F32(2, 0), F32(2, 0), F32(2, 0)}},
    {0},
};

const tn_op_def tn_op_where = {.name = "where",
                               .doc = "a where the condition is not 0, else b",
                               .kind = TN_MAP,
                               .arity = 3,
                               .shape = shape,
                               .grad = grad,
                               .emit = emit,
                               .cases = cases};
