/* concat.c: tensors one after another along an axis; and stacked along a new one. */
#include "alloc.h"
#include "along.h"
#include "cases.h"
#include "leaf.h"

typedef tn_concat_node attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    uint32_t axis = ((const attrs *)raw)->axis;
    char a[160], b[160];
    *out = in[0]->type;
    for (uint32_t i = 1; i < n_in; i++) {
        tn_shape same = in[i]->type.shape;
        TN_REQUIRE(in[i]->type.dtype == out->dtype, TN_EDTYPE, "concat: element types %s and %s differ",
                   tn_dtype_name(out->dtype), tn_dtype_name(in[i]->type.dtype));
        if (same.rank > (int32_t)axis) same.dim[axis] = in[0]->type.shape.dim[axis];
        TN_REQUIRE(tn_shape_equal(&same, &in[0]->type.shape), TN_ESHAPE,
                   "concat: shapes %s and %s differ elsewhere than along axis %u",
                   tn_shape_text(&in[0]->type.shape, a, sizeof a), tn_shape_text(&in[i]->type.shape, b, sizeof b),
                   axis);
        TN_REQUIRE(!__builtin_add_overflow(out->shape.dim[axis], in[i]->type.shape.dim[axis], &out->shape.dim[axis]),
                   TN_ESHAPE, "concat: too many elements");
    }
    return TN_OK;
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    int32_t axis = (int32_t)((const attrs *)y->attrs)->axis;
    int64_t start = 0;
    for (uint32_t i = 0; i < y->n_in; i++) {
        int64_t count = y->in[i]->type.shape.dim[axis];
        din[i] = tn_slice(dy, axis, start, count, 1);
        start += count;
    }
}

static void describe(const tn_tensor *y, tn_operation *o)
{
    uint32_t axis = ((const attrs *)y->attrs)->axis;
    for (uint32_t i = 0; i < y->n_in; i++) o->in[i] = tn_desc_along(y->in[i], axis);
    o->out[0] = tn_desc_along(y, axis);
}

static void reference(const tn_reference_call *call)
{
    const tn_tensor_desc *y = &call->desc->out[0];
    double *to = call->out[0];
    for (int64_t o = 0; o < y->dim[0]; o++)
        for (uint32_t i = 0; i < call->desc->n_in; i++) {
            int64_t row = call->desc->in[i].dim[1] * y->dim[2];
            for (int64_t j = 0; j < row; j++) *to++ = call->in[i][o * row + j];
        }
}

/* More than an operation can take are put together in groups first. */
static tn_tensor *join(tn_tensor *const in[], uint32_t n_in, const attrs *at)
{
    tn_tensor *part[TN_MAX_OPERANDS];
    uint32_t parts = 0, each = 1;
    if (n_in <= TN_MAX_OPERANDS) return tn_node(&tn_op_concat, NULL, in, n_in, at);
    while (each * TN_MAX_OPERANDS < n_in) each *= TN_MAX_OPERANDS;
    for (uint32_t i = 0; i < n_in; i += each) part[parts++] = join(in + i, n_in - i < each ? n_in - i : each, at);
    return tn_node(&tn_op_concat, NULL, part, parts, at);
}

tn_tensor *tn_concat(tn_tensor *const in[], uint32_t n_in, int32_t axis)
{
    attrs at = {0};
    if (!in || !n_in) return tn_node(&tn_op_concat, NULL, NULL, 0, &at);
    if (!tn_find_axis("concat", in[0], axis, &at.axis)) return in[0];
    return n_in == 1 ? in[0] : join(in, n_in, &at);
}

/* Each gets a dimension of 1 at the axis: the place of the new dimension in the result. */
tn_tensor *tn_stack(tn_tensor *const in[], uint32_t n_in, int32_t axis)
{
    if (!in || !n_in) return tn_concat(in, 0, 0);
    tn_graph *graph = tn_graph_of(in[0]);
    if (tn_graph_status(graph)) return in[0];
    for (uint32_t i = 1; i < n_in; i++)
        if (!in[i] || in[i]->graph != graph || !tn_shape_equal(&in[i]->type.shape, &in[0]->type.shape))
            tn_node_fail(graph, TN_ESHAPE, "stack: operand %u %s", i,
                         in[i] ? "has another shape than the first" : "is NULL");
    if (tn_graph_status(graph)) return in[0];
    tn_tensor **part = tn_alloc(n_in * sizeof *part);
    if (!part) tn_node_fail(graph, TN_ENOMEM, "out of memory");
    for (uint32_t i = 0; part && i < n_in; i++) part[i] = tn_insert_axis("stack", in[i], axis);
    tn_tensor *y = part ? tn_concat(part, n_in, axis) : in[0];
    tn_free(part);
    return y;
}

/* ---- cases ---- */

static tn_tensor *case_rows(tn_tensor *const in[])
{
    return tn_concat(in, 2, 0);
}

static tn_tensor *case_three(tn_tensor *const in[])
{
    return tn_concat(in, 3, 0);
}

static tn_tensor *case_last(tn_tensor *const in[])
{
    return tn_concat(in, 3, -1);
}

static tn_tensor *case_middle(tn_tensor *const in[])
{
    return tn_concat(in, 4, 1);
}

static tn_tensor *case_itself(tn_tensor *const in[])
{
    return tn_concat((tn_tensor *[]){in[0], tn_exp(in[0]), in[0]}, 3, 1);
}

static tn_tensor *case_stack(tn_tensor *const in[])
{
    return tn_stack(in, 3, 1);
}

static tn_tensor *case_many(tn_tensor *const in[])
{
    tn_tensor *part[61], *two[] = {in[0], tn_neg(in[0])};
    for (int i = 0; i < 61; i++) part[i] = two[i % 3 == 1];
    return tn_stack(part, 61, -1);
}

static const tn_op_case cases[] = {
    {"rows", case_rows, {F32(7, 13), F32(4, 13)}},
    {"columns", case_last, {F32(33, 17), F32(33, 1), F32(33, 8)}},
    {"channels", case_middle, {F32(3, 2, 5, 3), F32(3, 1, 5, 3), F32(3, 4, 5, 3), F32(3, 2, 5, 3)}},
    {"the first empty", case_three, {F32(0, 3), F32(5, 3), F32(2, 3)}},
    {"the middle one empty", case_three, {F32(5, 3), F32(0, 3), F32(2, 3)}},
    {"the last empty", case_three, {F32(5, 3), F32(2, 3), F32(0, 3)}},
    {"the middle columns empty", case_last, {F32(5, 2), F32(5, 0), F32(5, 3)}},
    {"one operand twice", case_itself, {F32(5, 6)}},
    {"stacked", case_stack, {F32(5, 7), F32(5, 7), F32(5, 7)}},
    {"more than one operation takes", case_many, {F32(3, 2)}},
    {"whole numbers", case_rows, {I32(9), I32(31)}, -9, 9, 1},
    {"nothing", case_rows, {F32(0, 3), F32(0, 3)}},
    {0},
};

static const tn_field fields[] = {TN_FIELD(attrs, axis, AXIS), TN_FIELD(attrs, reserved, NOTHING), {0}};

const tn_op_def tn_op_concat = {.name = "concat",
                                .doc = "tensors one after another along an axis",
                                .kind = TN_KERNEL,
                                .arity = -1,
                                .traits = TN_MOVES,
                                TN_ATTRS(attrs, fields),
                                .shape = shape,
                                .grad = grad,
                                .describe = describe,
                                .reference = reference,
                                .flops = tn_no_flops,
                                .cases = cases};
