/* cast.c: y = x as another element type; to an integer towards zero. */
#include "cases.h"
#include "check.h"
#include "map.h"

typedef struct attrs {
    int32_t dtype;
    uint32_t reserved;
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    (void)n_in;
    TN_REQUIRE(tn_dtype_size(at->dtype), TN_EDTYPE, "cast: %d is no element type", at->dtype);
    *out = (tn_type){at->dtype, in[0]->type.shape};
    return TN_OK;
}

static int is_real(int32_t dtype)
{
    return !tn_is_whole(dtype);
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    int32_t from = y->in[0]->type.dtype;
    if (is_real(from) && is_real(y->type.dtype)) din[0] = tn_cast(dy, from);
}

/* Types that are computed alike differ only in how they are stored. */
static int32_t emit(const tn_tensor *y, tn_map_builder *builder, const int32_t arg[])
{
    int32_t from = tn_map_compute_type(y->in[0]->type.dtype), to = tn_map_compute_type(y->type.dtype);
    return from == to ? arg[0] : tn_emit(builder, "cast", (int32_t[]){arg[0], -1, -1, -1}, to, 0);
}

tn_tensor *tn_cast(tn_tensor *x, int32_t dtype)
{
    attrs at = {dtype, 0};
    return tn_dtype_of(x) == dtype ? x : tn_node(&tn_op_cast, NULL, &x, 1, &at);
}

static tn_tensor *to_i32(tn_tensor *const in[])
{
    return tn_cast(in[0], TN_I32);
}

static tn_tensor *to_f32(tn_tensor *const in[])
{
    return tn_cast(in[0], TN_F32);
}

static tn_tensor *to_bytes(tn_tensor *const in[])
{
    return tn_cast(in[0], TN_U8);
}

static tn_tensor *to_i8(tn_tensor *const in[])
{
    return tn_cast(in[0], TN_I8);
}

static tn_tensor *to_f16(tn_tensor *const in[])
{
    return tn_cast(in[0], TN_F16);
}

static tn_tensor *to_bf16(tn_tensor *const in[])
{
    return tn_cast(in[0], TN_BF16);
}

static tn_tensor *to_f64(tn_tensor *const in[])
{
    return tn_cast(in[0], TN_F64);
}

static const tn_op_case cases[] = {
    {"f32 to i32, towards zero", to_i32, {F32(1031)}, -300, 300, 1},
    {"i32 to f32", to_f32, {I32(33, 31)}, -100000, 100000, 1},
    {"f32 to f32 is nothing", to_f32, {F32(5)}},
    {"f32 to u8", to_bytes, {F32(301)}, 0, 255.5, 1},
    {"f32 to i8, towards zero", to_i8, {F32(301)}, -128.5, 127.5, 1},
    {"i32 to i8, the low bits", to_i8, {I32(301)}, -100000, 100000, 1},
    {"f32 to f16, rounded to nearest", to_f16, {F32(1009)}, -100000, 100000, 1},
    {"f32 to bf16, rounded to nearest", to_bf16, {F32(1009)}, -100000, 100000, 1},
    {"f32 to f64", to_f64, {F32(7, 3)}},
    {"no elements", to_i32, {F32(0, 3)}},
    {0},
};

static const tn_field fields[] = {TN_FIELD(attrs, dtype, DTYPE), TN_FIELD(attrs, reserved, NOTHING), {0}};

const tn_op_def tn_op_cast = {.name = "cast",
                              .doc = "x as another element type",
                              .kind = TN_MAP,
                              .arity = 1,
                              TN_ATTRS(attrs, fields),
                              .shape = shape,
                              .grad = grad,
                              .emit = emit,
                              .cases = cases,
                              .budget = TN_BUDGET_ROUND};
