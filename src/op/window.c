/* window.c: rows start .. start+m of x, where start is a run-time scalar, clamped so that the window lies inside. */
#include <string.h>

#include "cases.h"
#include "check.h"

typedef struct attrs {
    int64_t count;
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    const tn_type *x = &in[0]->type, *start = &in[1]->type;
    char text[160];
    (void)n_in;
    TN_REQUIRE(in[1]->op == &tn_op_scalar && start->dtype == TN_I32, TN_EDTYPE,
               "window: the start is not a scalar input of type i32, but '%s' of type %s", in[1]->op->name,
               tn_dtype_name(start->dtype));
    TN_REQUIRE(x->shape.rank >= 1 && at->count >= 0 && at->count <= x->shape.dim[0], TN_ESHAPE,
               "window: %lld rows of %s", (long long)at->count, tn_shape_text(&x->shape, text, sizeof text));
    *out = *x;
    out->shape.dim[0] = at->count;
    return TN_OK;
}

static tn_tensor_desc rows_of(const tn_type *x)
{
    int64_t rest = 1;
    for (int32_t d = 1; d < x->shape.rank; d++) rest *= x->shape.dim[d];
    return tn_desc_dense(x->dtype, &TN_SHAPE(x->shape.dim[0], rest));
}

/* The start is the operation's only scalar: number 0. */
static void describe(const tn_tensor *y, tn_operation *o)
{
    o->attrs.window = (tn_window_attrs){.size = sizeof o->attrs.window};
    o->in[0] = rows_of(&y->in[0]->type);
    o->out[0] = rows_of(&y->type);
}

static int64_t first_row(const tn_op_desc *desc, const tn_scalar *scalar)
{
    int64_t start = scalar[((const tn_window_attrs *)desc->attrs)->scalar].i;
    int64_t most = desc->in[0].dim[0] - desc->out[0].dim[0];
    return start < 0 ? 0 : start > most ? most : start;
}

/* What it is given begins with the first row. */
static void reference(const tn_reference_call *call)
{
    memcpy(call->out[0], call->in[0], (size_t)tn_desc_count(&call->desc->out[0]) * sizeof(double));
}

static double flops(const tn_op_desc *desc)
{
    (void)desc;
    return 0;
}

tn_tensor *tn_dynamic_slice(tn_tensor *x, tn_tensor *start, int64_t count)
{
    attrs at = {count};
    return tn_node(&tn_op_window, NULL, (tn_tensor *[]){x, start}, 2, &at);
}

static tn_tensor *from(tn_tensor *x, double start, int64_t count)
{
    return tn_dynamic_slice(x, tn_scalar_input(x->graph, "start", TN_I32, start), count);
}

static tn_tensor *case_inside(tn_tensor *const in[])
{
    return from(in[0], 3, 4);
}

static tn_tensor *case_past_the_end(tn_tensor *const in[])
{
    return from(in[0], 100, 5);
}

static tn_tensor *case_before(tn_tensor *const in[])
{
    return from(in[0], -1, 5);
}

/* Starts of which the low 32 bits are a row. */
static tn_tensor *case_far(tn_tensor *const in[])
{
    return from(in[0], 0x1p32 + 1, 5);
}

static tn_tensor *case_far_before(tn_tensor *const in[])
{
    return from(in[0], -0x1p32 + 3, 5);
}

static tn_tensor *case_beyond_31_bits(tn_tensor *const in[])
{
    return from(in[0], 0x1p31, 5);
}

static tn_tensor *case_farthest(tn_tensor *const in[])
{
    return from(in[0], 0x1p63, 5);
}

static tn_tensor *case_farthest_before(tn_tensor *const in[])
{
    return from(in[0], -0x1p63, 5);
}

static const tn_op_case cases[] = {
    {"inside", case_inside, {F32(11, 7)}, .no_gradient = 1},
    {"clamped at the end", case_past_the_end, {F32(11, 2, 3)}, .no_gradient = 1},
    {"clamped at the beginning", case_before, {F32(11)}, .no_gradient = 1},
    {"2^32 rows behind", case_far, {F32(11, 3)}, .no_gradient = 1},
    {"2^32 rows before", case_far_before, {F32(11, 3)}, .no_gradient = 1},
    {"2^31 rows behind", case_beyond_31_bits, {F32(11, 3)}, .no_gradient = 1},
    {"as far behind as can be", case_farthest, {F32(11, 3)}, .no_gradient = 1},
    {"as far before as can be", case_farthest_before, {F32(11, 3)}, .no_gradient = 1},
    {"everything", case_before, {F32(5, 3)}, .no_gradient = 1},
    {"labels", case_inside, {I32(13)}, 0, 9, 1},
    {0},
};

static const tn_field fields[] = {TN_FIELD(attrs, count, NUMBER), {0}};

static const tn_field crosses[] = {
    TN_FIELD_NAMED(tn_window_attrs, scalar, SCALAR, "from"), TN_FIELD(tn_window_attrs, reserved, NOTHING), {0}};

const tn_op_def tn_op_window = {.name = "window",
                                .crosses = crosses,
                                .doc = "some rows of x, from a row that is set before a run",
                                .kind = TN_KERNEL,
                                .arity = 2,
                                .traits = TN_MOVES,
                                TN_ATTRS(attrs, fields),
                                .shape = shape,
                                .describe = describe,
                                .first_row = first_row,
                                .reference = reference,
                                .flops = flops,
                                .picks = 1,
                                .cases = cases};
