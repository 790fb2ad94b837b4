/* searchsorted.c: where values belong in sorted lines: the number of elements that come before each of them. No
 * gradient flows, for places are whole numbers. */
#include <math.h>

#include "cases.h"
#include "check.h"

typedef struct attrs {
    uint32_t right; /* elements equal to the value come before it */
    uint32_t reserved;
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_shape *sorted = &in[0]->type.shape, *values = &in[1]->type.shape;
    char a[160], b[160];
    int fits = sorted->rank == 1 || (sorted->rank > 1 && sorted->rank == values->rank);
    (void)n_in, (void)raw;
    TN_TRY(tn_require_type("searchsorted", in[0], 1));
    TN_REQUIRE(in[0]->type.dtype == in[1]->type.dtype, TN_EDTYPE, "searchsorted: values of element type %s in %s",
               tn_dtype_name(in[1]->type.dtype), tn_dtype_name(in[0]->type.dtype));
    for (int32_t d = 0; fits && d < sorted->rank - 1; d++) fits = sorted->dim[d] == values->dim[d];
    TN_REQUIRE(fits, TN_ESHAPE, "searchsorted: values of shape %s in lines of shape %s",
               tn_shape_text(values, b, sizeof b), tn_shape_text(sorted, a, sizeof a));
    TN_REQUIRE(sorted->dim[sorted->rank - 1] <= INT32_MAX, TN_ESHAPE, "searchsorted: places beyond 2^31");
    *out = (tn_type){TN_I32, *values};
    return TN_OK;
}

/* (lines, n) and (lines, m); a single line for values of any shape is (1, n) and (1, all values). */
static void describe(const tn_tensor *y, tn_operation *o)
{
    const tn_shape *sorted = &y->in[0]->type.shape, *values = &y->type.shape;
    tn_shape lines = TN_SHAPE(1, sorted->dim[sorted->rank - 1]), places = TN_SHAPE(1, 1);
    for (int32_t d = 0; d < sorted->rank - 1; d++) lines.dim[0] *= sorted->dim[d];
    for (int32_t d = 0; d < values->rank; d++) places.dim[d >= sorted->rank - 1] *= values->dim[d];
    o->attrs.searchsorted = (tn_searchsorted_attrs){sizeof o->attrs.searchsorted, ((const attrs *)y->attrs)->right, 0};
    o->in[0] = tn_desc_dense(y->in[0]->type.dtype, &lines);
    o->in[1] = tn_desc_dense(y->in[1]->type.dtype, &places);
    o->out[0] = tn_desc_dense(TN_I32, &places);
}

/* 1 if an element comes before a value; a NaN is larger than all. */
static int before(double element, double value, uint32_t right)
{
    if (right) return element <= value || value != value;
    return element < value || (value != value && element == element);
}

static void reference(const tn_reference_call *call)
{
    const tn_searchsorted_attrs *at = call->desc->attrs;
    int64_t lines = call->desc->in[0].dim[0], n = call->desc->in[0].dim[1], m = call->desc->in[1].dim[1];
    for (int64_t e = 0; e < lines * m; e++) {
        const double *line = call->in[0] + e / m * n;
        int64_t place = 0;
        while (place < n && before(line[place], call->in[1][e], at->right)) place++;
        call->out[0][e] = (double)place;
    }
}

/* Comparisons of a search by halves. */
static double flops(const tn_op_desc *desc)
{
    return (double)tn_desc_count(&desc->out[0]) * ceil(log2((double)desc->in[0].dim[1] + 1));
}

tn_tensor *tn_searchsorted(tn_tensor *sorted, tn_tensor *values, int right)
{
    attrs at = {!!right, 0};
    return tn_node(&tn_op_searchsorted, NULL, (tn_tensor *[]){sorted, values}, 2, &at);
}

/* ---- cases ---- */

static tn_tensor *sort(tn_tensor *x)
{
    tn_shape s = tn_shape_of(x);
    tn_tensor *sorted = NULL;
    tn_topk(x, s.rank ? s.dim[s.rank - 1] : 0, -1, 1, &sorted);
    return sorted;
}

static tn_tensor *case_left(tn_tensor *const in[])
{
    return tn_searchsorted(sort(in[0]), in[1], 0);
}

static tn_tensor *case_right(tn_tensor *const in[])
{
    return tn_searchsorted(sort(in[0]), in[1], 1);
}

/* Each value meets its equal. */
static tn_tensor *case_own(tn_tensor *const in[])
{
    return tn_searchsorted(sort(in[0]), in[0], 1);
}

static const tn_op_case cases[] = {
    {"in each line", case_left, {F32(33, 10), F32(33, 7)}, .no_gradient = 1},
    {"one line for values of any shape", case_left, {F32(257), F32(3, 11, 5)}, .no_gradient = 1},
    {"lines of a batch", case_right, {F32(3, 5, 31), F32(3, 5, 2)}, .no_gradient = 1},
    {"after its equal", case_own, {F32(7, 129)}, .no_gradient = 1},
    {"whole numbers, from the left", case_left, {I32(9, 50), I32(9, 50)}, -5, 5, 1},
    {"whole numbers, from the right", case_right, {I32(9, 50), I32(9, 50)}, -5, 5, 1},
    {"one element", case_left, {F32(1), F32(17)}, .no_gradient = 1},
    {"a single value", case_right, {F32(65), NUMBER}, .no_gradient = 1},
    {"in nothing", case_left, {F32(4, 0), F32(4, 3)}, .no_gradient = 1},
    {"no values", case_left, {F32(4, 3), F32(4, 0)}, .no_gradient = 1},
    {"no lines", case_left, {F32(0, 3), F32(0, 2)}, .no_gradient = 1},
    {0},
};

static const tn_field fields[] = {TN_FIELD(attrs, right, FLAG), TN_FIELD(attrs, reserved, NOTHING), {0}};

static const tn_field crosses[] = {
    TN_FIELD(tn_searchsorted_attrs, right, FLAG), TN_FIELD(tn_searchsorted_attrs, reserved, NOTHING), {0}};

const tn_op_def tn_op_searchsorted = {.name = "searchsorted",
                                      .crosses = crosses,
                                      .doc = "places of values in sorted lines",
                                      .kind = TN_KERNEL,
                                      .arity = 2,
                                      TN_ATTRS(attrs, fields),
                                      .shape = shape,
                                      .describe = describe,
                                      .reference = reference,
                                      .flops = flops,
                                      .cases = cases};
