/* topk.c: the places of the k largest or smallest elements along an axis, in order. The elements themselves come
 * through take, which carries their gradient. */
#include "along.h"
#include "cases.h"

typedef struct attrs {
    int64_t k;
    uint32_t axis, smallest;
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    int64_t n = in[0]->type.shape.dim[at->axis];
    (void)n_in;
    TN_TRY(tn_require_type("topk", in[0], 1));
    TN_REQUIRE(at->k >= 0 && at->k <= n, TN_ESHAPE, "topk: %lld of %lld elements", (long long)at->k, (long long)n);
    TN_REQUIRE(n <= INT32_MAX, TN_ESHAPE, "topk: places beyond 2^31");
    *out = (tn_type){TN_I32, in[0]->type.shape};
    out->shape.dim[at->axis] = at->k;
    return TN_OK;
}

static void describe(const tn_tensor *y, tn_operation *o)
{
    const attrs *at = y->attrs;
    o->attrs.topk = (tn_topk_attrs){sizeof o->attrs.topk, at->smallest, 0};
    o->in[0] = tn_desc_along(y->in[0], at->axis);
    o->out[0] = tn_desc_along(y, at->axis);
}

/* 1 if a comes before b, by value alone: a NaN is larger than all. */
static int before(double a, double b, int smallest)
{
    if (smallest) return a < b || (b != b && a == a);
    return a > b || (a != a && b == b);
}

static void reference(const tn_reference_call *call)
{
    const tn_topk_attrs *at = call->desc->attrs;
    const int64_t *dim = call->desc->in[0].dim;
    int64_t k = call->desc->out[0].dim[1], inner = dim[2];
    for (int64_t line = 0; line < dim[0] * inner && k; line++) {
        const double *x = call->in[0] + line / inner * dim[1] * inner + line % inner;
        double *y = call->out[0] + line / inner * k * inner + line % inner;
        int64_t have = 0;
        for (int64_t i = 0; i < dim[1]; i++) {
            int64_t to = have;
            while (to && before(x[i * inner], x[(int64_t)y[(to - 1) * inner] * inner], (int)at->smallest)) to--;
            if (to == k) continue;
            if (have < k) have++;
            for (int64_t j = have - 1; j > to; j--) y[j * inner] = y[(j - 1) * inner];
            y[to * inner] = (double)i;
        }
    }
}

/* One comparison for each element at the least. */
static double flops(const tn_op_desc *desc)
{
    return (double)tn_desc_count(&desc->in[0]);
}

tn_tensor *tn_topk(tn_tensor *x, int64_t k, int32_t axis, int smallest, tn_tensor **values)
{
    attrs at = {.k = k, .smallest = !!smallest};
    if (values) *values = x;
    if (!tn_find_axis("topk", x, axis, &at.axis)) return x;
    tn_tensor *places = tn_node(&tn_op_topk, NULL, &x, 1, &at);
    if (values) *values = tn_take(x, places, axis);
    return places;
}

static tn_tensor *case_places(tn_tensor *const in[])
{
    return tn_topk(in[0], 3, -1, 0, NULL);
}

static tn_tensor *case_values(tn_tensor *const in[])
{
    tn_tensor *values = NULL;
    tn_topk(in[0], 4, 1, 0, &values);
    return values;
}

static tn_tensor *case_smallest(tn_tensor *const in[])
{
    tn_tensor *values = NULL;
    tn_topk(in[0], 5, -1, 1, &values);
    return values;
}

static tn_tensor *case_none(tn_tensor *const in[])
{
    return tn_topk(in[0], 0, -1, 0, NULL);
}

static const tn_op_case cases[] = {
    {"of each row", case_places, {F32(33, 10)}, .no_gradient = 1},
    {"values of a middle axis", case_values, {F32(3, 11, 5)}},
    {"the smallest", case_smallest, {F32(257)}},
    {"a whole row in order", case_smallest, {F32(7, 5)}},
    {"whole numbers, many ties", case_places, {I32(9, 12)}, -2, 2, 1},
    {"none", case_none, {F32(4, 3)}, .no_gradient = 1},
    {"no rows", case_places, {F32(0, 7)}, .no_gradient = 1},
    {0},
};

static const tn_field fields[] = {
    TN_FIELD(attrs, k, NUMBER), TN_FIELD(attrs, axis, AXIS), TN_FIELD(attrs, smallest, FLAG), {0}};

static const tn_field crosses[] = {
    TN_FIELD(tn_topk_attrs, smallest, FLAG), TN_FIELD(tn_topk_attrs, reserved, NOTHING), {0}};

const tn_op_def tn_op_topk = {.name = "topk",
                              .crosses = crosses,
                              .doc = "places of the largest or smallest elements, in order",
                              .kind = TN_KERNEL,
                              .arity = 1,
                              TN_ATTRS(attrs, fields),
                              .shape = shape,
                              .describe = describe,
                              .reference = reference,
                              .flops = flops,
                              .cases = cases};
