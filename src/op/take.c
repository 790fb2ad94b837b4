/* take.c: elements along an axis by their places, and the inverse, which adds elements up by their places: each is the
 * other's gradient. A place outside gives 0, or is left out. */
#include "along.h"
#include "cases.h"
#include "given.h"

typedef struct attrs {
    uint32_t axis;
    uint32_t reserved;
    int64_t size; /* of the result along the axis; 0 for take, which asks the index */
} attrs;

/* Both shapes are the same but for the axis. */
static tn_status require_alike(const char *op, const tn_shape *x, const tn_shape *index, uint32_t axis)
{
    char a[160], b[160];
    tn_shape same = *index;
    if (same.rank > (int32_t)axis && x->rank == same.rank) same.dim[axis] = x->dim[axis];
    TN_REQUIRE(tn_shape_equal(&same, x), TN_ESHAPE, "%s: an index of shape %s for %s along axis %u", op,
               tn_shape_text(index, a, sizeof a), tn_shape_text(x, b, sizeof b), axis);
    return TN_OK;
}

static tn_status require_index(const char *op, const tn_tensor *index)
{
    TN_REQUIRE(index->type.dtype == TN_I32, TN_EDTYPE, "%s: an index of element type %s", op,
               tn_dtype_name(index->type.dtype));
    return TN_OK;
}

static tn_status shape_take(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    (void)n_in;
    TN_TRY(require_index("take", in[1]));
    TN_TRY(require_alike("take", &in[0]->type.shape, &in[1]->type.shape, ((const attrs *)raw)->axis));
    *out = (tn_type){in[0]->type.dtype, in[1]->type.shape};
    return TN_OK;
}

static tn_status shape_put(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    char a[160], b[160];
    (void)n_in;
    TN_TRY(require_index("put", in[0]));
    TN_TRY(tn_require_type("put", in[1], 1));
    TN_REQUIRE(tn_shape_equal(&in[0]->type.shape, &in[1]->type.shape), TN_ESHAPE, "put: an index of shape %s for %s",
               tn_shape_text(&in[0]->type.shape, a, sizeof a), tn_shape_text(&in[1]->type.shape, b, sizeof b));
    *out = in[1]->type;
    out->shape.dim[at->axis] = at->size;
    return TN_OK;
}

static tn_tensor *put(tn_tensor *index, tn_tensor *y, uint32_t axis, int64_t size)
{
    attrs at = {axis, 0, size};
    return tn_node(&tn_op_put, NULL, (tn_tensor *[]){index, y}, 2, &at);
}

static void grad_take(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    uint32_t axis = ((const attrs *)y->attrs)->axis;
    if (tn_is_floating(y->type.dtype)) din[0] = put(y->in[1], dy, axis, y->in[0]->type.shape.dim[axis]);
}

static void grad_put(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    if (tn_is_floating(y->type.dtype)) din[1] = tn_take(dy, y->in[0], (int32_t)((const attrs *)y->attrs)->axis);
}

static void describe(const tn_tensor *y, tn_operation *o)
{
    uint32_t axis = ((const attrs *)y->attrs)->axis;
    for (uint32_t i = 0; i < 2; i++) o->in[i] = tn_desc_along(y->in[i], axis);
    o->out[0] = tn_desc_along(y, axis);
}

/* The place in (outer, n, inner) that element e of the index, (outer, m, inner), names; -1 if it lies outside. */
static int64_t place(const tn_tensor_desc *index, const tn_tensor_desc *other, const double *at, int64_t e)
{
    int64_t inner = index->dim[2], n = other->dim[1], i = (int64_t)at[e];
    return i < 0 || i >= n ? -1 : (e / (index->dim[1] * inner) * n + i) * inner + e % inner;
}

static void reference_take(const tn_reference_call *call)
{
    int64_t count = tn_desc_count(&call->desc->out[0]);
    for (int64_t e = 0; e < count; e++) {
        int64_t from = place(&call->desc->in[1], &call->desc->in[0], call->in[1], e);
        call->out[0][e] = from < 0 ? 0 : call->in[0][from];
    }
}

static void reference_put(const tn_reference_call *call)
{
    int64_t count = tn_desc_count(&call->desc->in[0]), all = tn_desc_count(&call->desc->out[0]);
    for (int64_t e = 0; e < all; e++) call->out[0][e] = 0;
    for (int64_t e = 0; e < count; e++) {
        int64_t to = place(&call->desc->in[0], &call->desc->out[0], call->in[0], e);
        if (to >= 0) call->out[0][to] += call->in[1][e];
    }
}

static double flops_put(const tn_op_desc *desc)
{
    return (double)tn_desc_count(&desc->in[1]);
}

tn_tensor *tn_take(tn_tensor *x, tn_tensor *index, int32_t axis)
{
    TN_OPERANDS(x, index);
    attrs at = {0};
    if (!tn_find_axis("take", x, axis, &at.axis)) return x;
    return tn_node(&tn_op_take, NULL, (tn_tensor *[]){x, index}, 2, &at);
}

tn_tensor *tn_put(tn_tensor *index, tn_tensor *values, int32_t axis, int64_t size)
{
    TN_OPERANDS(index, values);
    uint32_t at = 0;
    return tn_find_axis("put", values, axis, &at) ? put(index, values, at, size) : values;
}

/* ---- cases ---- */

static tn_tensor *case_take_last(tn_tensor *const in[])
{
    return tn_take(in[0], in[1], -1);
}

static tn_tensor *case_take_middle(tn_tensor *const in[])
{
    return tn_take(in[0], in[1], 1);
}

static tn_tensor *case_put_last(tn_tensor *const in[])
{
    return tn_put(in[0], in[1], -1, 7);
}

/* The places have few values, what is summed has all. */
static tn_tensor *case_put_wrapping(tn_tensor *const in[])
{
    return tn_put(in[0], tn_mul(in[1], tn_number(in[1], 715827883)), -1, 3);
}

static tn_tensor *case_put_middle(tn_tensor *const in[])
{
    return tn_put(in[0], in[1], 1, 11);
}

static const tn_op_case cases_take[] = {
    {"of each row", case_take_last, {F32(33, 10), I32(33, 4)}, 0, 9},
    {"places outside", case_take_last, {F32(31, 5), I32(31, 3)}, -3, 8},
    {"of a middle axis", case_take_middle, {F32(3, 11, 5), I32(3, 4, 5)}, 0, 10},
    {"of a vector", case_take_last, {F32(17), I32(1031)}, 0, 16},
    {"whole numbers", case_take_last, {I32(5, 9), I32(5, 2)}, 0, 8, 1},
    {"from nothing", case_take_last, {F32(4, 0), I32(4, 3)}, -1, 1},
    {"from nothing along a middle axis", case_take_middle, {F32(3, 0, 5), I32(3, 2, 5)}, -1, 1},
    {"no places", case_take_last, {F32(4, 5), I32(4, 0)}, 0, 4},
    {0},
};

static const tn_op_case cases_put[] = {
    {"into each row", case_put_last, {I32(33, 4), F32(33, 4)}, 0, 6},
    {"places outside", case_put_last, {I32(31, 9), F32(31, 9)}, -3, 9},
    {"along a middle axis", case_put_middle, {I32(3, 4, 5), F32(3, 4, 5)}, 0, 10},
    {"into a vector", case_put_last, {I32(1031), F32(1031)}, 0, 6},
    {"whole numbers", case_put_last, {I32(5, 9), I32(5, 9)}, 0, 6, 1},
    {"whole numbers whose sums wrap", case_put_wrapping, {I32(5, 90), I32(5, 90)}, 0, 2, 1},
    {"nothing", case_put_last, {I32(4, 0), F32(4, 0)}, 0, 4},
    {0},
};

static const tn_field fields[] = {
    TN_FIELD(attrs, axis, AXIS), TN_FIELD(attrs, reserved, NOTHING), TN_FIELD(attrs, size, NUMBER), {0}};

const tn_op_def tn_op_take = {.name = "take",
                              .doc = "elements along an axis by their places",
                              .kind = TN_KERNEL,
                              .arity = 2,
                              .traits = TN_MOVES,
                              TN_ATTRS(attrs, fields),
                              .shape = shape_take,
                              .grad = grad_take,
                              .describe = describe,
                              .reference = reference_take,
                              .flops = tn_no_flops,
                              .picks = 1,
                              .cases = cases_take};

const tn_op_def tn_op_put = {.name = "put",
                             .doc = "sums of elements along an axis by their places: the gradient of take",
                             .kind = TN_KERNEL,
                             .arity = 2,
                             .traits = TN_ADDS_UP,
                             TN_ATTRS(attrs, fields),
                             .shape = shape_put,
                             .grad = grad_put,
                             .describe = describe,
                             .reference = reference_put,
                             .flops = flops_put,
                             .cases = cases_put,
                             .budget = TN_BUDGET_SUM};
