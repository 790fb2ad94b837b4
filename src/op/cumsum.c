/* cumsum.c: running sums along an axis, from its beginning or its end. */
#include "along.h"
#include "cases.h"

typedef struct attrs {
    uint32_t axis, reverse, exclusive, reserved;
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    (void)n_in, (void)raw;
    TN_TRY(tn_require_type("cumsum", in[0], 1));
    *out = in[0]->type;
    return TN_OK;
}

/* The sums of dy over all results that an element went into: the other way round. */
static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    attrs at = *(const attrs *)y->attrs;
    at.reverse = !at.reverse;
    if (tn_is_floating(y->type.dtype)) din[0] = tn_node(&tn_op_cumsum, NULL, &dy, 1, &at);
}

static void describe(const tn_tensor *y, tn_operation *o)
{
    const attrs *at = y->attrs;
    o->attrs.cumsum = (tn_cumsum_attrs){sizeof o->attrs.cumsum, at->reverse, at->exclusive};
    o->in[0] = o->out[0] = tn_desc_along(y, at->axis);
}

static void reference(const tn_reference_call *call)
{
    const tn_cumsum_attrs *at = call->desc->attrs;
    const int64_t *dim = call->desc->in[0].dim;
    for (int64_t line = 0; line < dim[0] * dim[2]; line++) {
        double sum = 0;
        for (int64_t i = 0; i < dim[1]; i++) {
            int64_t k = at->reverse ? dim[1] - 1 - i : i;
            int64_t e = (line / dim[2] * dim[1] + k) * dim[2] + line % dim[2];
            double before = sum;
            sum += call->in[0][e];
            call->out[0][e] = at->exclusive ? before : sum;
        }
    }
}

tn_tensor *tn_cumsum(tn_tensor *x, int32_t axis, int reverse, int exclusive)
{
    attrs at = {.reverse = !!reverse, .exclusive = !!exclusive};
    if (!tn_find_axis("cumsum", x, axis, &at.axis)) return x;
    return tn_node(&tn_op_cumsum, NULL, &x, 1, &at);
}

static tn_tensor *case_plain(tn_tensor *const in[])
{
    return tn_cumsum(in[0], -1, 0, 0);
}

static tn_tensor *case_reverse(tn_tensor *const in[])
{
    return tn_cumsum(in[0], 1, 1, 0);
}

static tn_tensor *case_exclusive(tn_tensor *const in[])
{
    return tn_cumsum(in[0], 0, 0, 1);
}

static tn_tensor *case_both(tn_tensor *const in[])
{
    return tn_cumsum(in[0], -1, 1, 1);
}

static const tn_op_case cases[] = {
    {"of each row", case_plain, {F32(33, 17)}},
    {"a long row", case_plain, {F32(1031)}},
    {"from the end", case_reverse, {F32(3, 9, 5)}},
    {"without the element", case_exclusive, {F32(7, 13)}},
    {"both", case_both, {F32(5, 11)}},
    {"whole numbers", case_plain, {I32(5, 7)}, -99, 99, 1},
    {"whole numbers whose sums wrap", case_plain, {I32(5, 90)}, -2147483647, 2147483647, 1},
    {"nothing", case_plain, {F32(3, 0)}},
    {0},
};

static const tn_field fields[] = {TN_FIELD(attrs, axis, AXIS),
                                  TN_FIELD(attrs, reverse, FLAG),
                                  TN_FIELD(attrs, exclusive, FLAG),
                                  TN_FIELD(attrs, reserved, NOTHING),
                                  {0}};

static const tn_field crosses[] = {
    TN_FIELD(tn_cumsum_attrs, reverse, FLAG), TN_FIELD(tn_cumsum_attrs, exclusive, FLAG), {0}};

const tn_op_def tn_op_cumsum = {.name = "cumsum",
                                .crosses = crosses,
                                .doc = "running sums along an axis",
                                .kind = TN_KERNEL,
                                .arity = 1,
                                .traits = TN_ADDS_UP,
                                TN_ATTRS(attrs, fields),
                                .shape = shape,
                                .grad = grad,
                                .describe = describe,
                                .reference = reference,
                                .cases = cases,
                                .budget = TN_BUDGET_SUM};
