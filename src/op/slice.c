/* slice.c: every step-th element of a stretch of each dimension, backwards too; and the inverse, which puts elements
 * in such places of a larger tensor of zeros: each is the other's gradient, and padding is the latter. */
#include <string.h>

#include "along.h"
#include "cases.h"
#include "leaf.h"
#include "tenon/backend_check.h"

typedef tn_slice_node attrs;

static tn_status check_places(const char *op, const tn_shape *small, const tn_shape *large, const attrs *at)
{
    TN_REQUIRE(small->rank == large->rank, TN_ESHAPE, "%s: %d dimensions of %d", op, small->rank, large->rank);
    for (int32_t d = 0; d < small->rank; d++)
        TN_REQUIRE(tn_slice_fits(small->dim[d], large->dim[d], at->start[d], at->step[d]), TN_ESHAPE,
                   "%s: %lld elements from %lld on by steps of %lld do not lie in dimension %d, of size %lld", op,
                   (long long)small->dim[d], (long long)at->start[d], (long long)at->step[d], d,
                   (long long)large->dim[d]);
    return TN_OK;
}

static tn_status shape_slice(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    (void)n_in;
    TN_TRY(check_places("slice", &at->shape, &in[0]->type.shape, at));
    *out = (tn_type){in[0]->type.dtype, at->shape};
    return TN_OK;
}

static tn_status shape_unslice(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    (void)n_in;
    TN_TRY(check_places("unslice", &in[0]->type.shape, &at->shape, at));
    *out = (tn_type){in[0]->type.dtype, at->shape};
    return TN_OK;
}

/* ---- building ---- */

static attrs all_of(const tn_shape *x)
{
    attrs at;
    memset(&at, 0, sizeof at);
    tn_keep_shape(&at.shape, *x);
    for (int32_t d = 0; d < x->rank; d++) at.step[d] = 1;
    return at;
}

/* The other operator, in the same places. */
static tn_tensor *inverse(const tn_op_def *op, const tn_tensor *y, tn_tensor *dy)
{
    attrs at = *(const attrs *)y->attrs;
    tn_keep_shape(&at.shape, y->in[0]->type.shape);
    return tn_node(op, NULL, &dy, 1, &at);
}

static void grad_slice(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    din[0] = inverse(&tn_op_unslice, y, dy);
}

static void grad_unslice(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    din[0] = inverse(&tn_op_slice, y, dy);
}

tn_tensor *tn_slice(tn_tensor *x, int32_t axis, int64_t start, int64_t count, int64_t step)
{
    uint32_t d = 0;
    if (!tn_find_axis("slice", x, axis, &d)) return x;
    attrs at = all_of(&x->type.shape);
    at.start[d] = start < 0 ? start + at.shape.dim[d] : start;
    at.step[d] = step;
    tn_status s =
        tn_slice_fits(count, at.shape.dim[d], at.start[d], step)
            ? TN_OK
            : tn_fail(TN_ESHAPE, "slice: %lld elements from %lld on by steps of %lld of axis %d, of size %lld",
                      (long long)count, (long long)start, (long long)step, axis, (long long)at.shape.dim[d]);
    if (s) tn_node_fail(x->graph, s, "%s", tn_message());
    if (s || (at.start[d] == 0 && step == 1 && count == at.shape.dim[d])) return x;
    at.shape.dim[d] = count;
    if (count <= 1) at.step[d] = 1;
    if (!count) at.start[d] = 0;
    return tn_node(&tn_op_slice, NULL, &x, 1, &at);
}

tn_tensor *tn_flip(tn_tensor *x, int32_t axis)
{
    uint32_t d = 0;
    if (!tn_find_axis("flip", x, axis, &d) || !x->type.shape.dim[d]) return x;
    return tn_slice(x, axis, x->type.shape.dim[d] - 1, x->type.shape.dim[d], -1);
}

tn_tensor *tn_pad(tn_tensor *x, int32_t axis, int64_t before, int64_t after)
{
    uint32_t d = 0;
    if (!tn_find_axis("pad", x, axis, &d)) return x;
    if (before < 0 || after < 0)
        tn_node_fail(x->graph, TN_EINVAL, "pad: %lld before and %lld after", (long long)before, (long long)after);
    if (tn_graph_status(x->graph) || (!before && !after)) return x;
    attrs at = all_of(&x->type.shape);
    at.start[d] = before;
    if (__builtin_add_overflow(at.shape.dim[d], before, &at.shape.dim[d]) ||
        __builtin_add_overflow(at.shape.dim[d], after, &at.shape.dim[d]))
        tn_node_fail(x->graph, TN_ESHAPE, "pad: more than 2^63 elements");
    return tn_node(&tn_op_unslice, NULL, &x, 1, &at);
}

tn_tensor *tn_unslice(tn_tensor *x, int32_t axis, int64_t start, int64_t step, int64_t size)
{
    uint32_t d = 0;
    if (!tn_find_axis("unslice", x, axis, &d)) return x;
    attrs at = all_of(&x->type.shape);
    at.shape.dim[d] = size;
    at.start[d] = start;
    at.step[d] = x->type.shape.dim[d] > 1 ? step : 1;
    return tn_node(&tn_op_unslice, NULL, &x, 1, &at);
}

tn_tensor *tn_pad_value(tn_tensor *x, int32_t axis, int64_t before, int64_t after, double value)
{
    uint32_t d = 0;
    if (!tn_find_axis("pad_value", x, axis, &d)) return x;
    if (before < 0 || after < 0)
        tn_node_fail(x->graph, TN_EINVAL, "pad_value: %lld before and %lld after", (long long)before, (long long)after);
    if (tn_graph_status(x->graph)) return x;
    tn_shape first = x->type.shape, last = x->type.shape;
    first.dim[d] = before, last.dim[d] = after;
    tn_tensor *parts[3];
    uint32_t n = 0;
    if (before) parts[n++] = tn_full(x->graph, x->type.dtype, first, value);
    parts[n++] = x;
    if (after) parts[n++] = tn_full(x->graph, x->type.dtype, last, value);
    return tn_concat(parts, n, axis);
}

/* ---- the operations ---- */

/* Dimensions of size 1 go; a dimension that is taken whole joins the one before it if that one's step is 1. The merged
 * dimensions in *small and *large, and the attributes. */
static void merge(const tn_shape *from_small, const tn_shape *from_large, const attrs *at, tn_shape *small,
                  tn_shape *large, tn_slice_attrs *merged)
{
    int32_t k = -1;
    *small = *large = (tn_shape){0};
    *merged = (tn_slice_attrs){.size = sizeof *merged};
    for (int32_t d = 0; d < from_small->rank; d++) {
        int64_t s = from_small->dim[d], l = from_large->dim[d], start = at->start[d], step = at->step[d];
        if (s == 1) step = 1;
        if (l == 1 && s == 1) continue;
        if (k >= 0 && s == l && start == 0 && step == 1 && merged->step[k] == 1) {
            small->dim[k] *= s, large->dim[k] *= l, merged->start[k] *= l;
            continue;
        }
        k++;
        small->dim[k] = s, large->dim[k] = l, merged->start[k] = start, merged->step[k] = step;
    }
    if (k < 0) k = 0, small->dim[0] = large->dim[0] = 1, merged->step[0] = 1;
    small->rank = large->rank = k + 1;
}

int64_t tn_slice_stretch(const tn_tensor *y)
{
    const attrs *at = y->attrs;
    const tn_shape *small = &y->type.shape, *large = &y->in[0]->type.shape;
    int64_t begin = 0, count = 1, stride = tn_shape_count(large);
    for (int32_t d = 0; d < small->rank; d++) {
        if (count > 1 && small->dim[d] != large->dim[d]) return -1;
        if (small->dim[d] > 1 && at->step[d] != 1) return -1;
        if (!small->dim[d]) return -1;
        stride /= large->dim[d];
        begin += at->start[d] * stride;
        count *= small->dim[d];
    }
    return begin;
}

static void describe_slice(const tn_tensor *y, tn_operation *o)
{
    tn_shape small, large;
    merge(&y->type.shape, &y->in[0]->type.shape, y->attrs, &small, &large, &o->attrs.slice);
    o->in[0] = tn_desc_dense(y->type.dtype, &large);
    o->out[0] = tn_desc_dense(y->type.dtype, &small);
}

static void describe_unslice(const tn_tensor *y, tn_operation *o)
{
    tn_shape small, large;
    merge(&y->in[0]->type.shape, &y->type.shape, y->attrs, &small, &large, &o->attrs.slice);
    o->in[0] = tn_desc_dense(y->type.dtype, &small);
    o->out[0] = tn_desc_dense(y->type.dtype, &large);
}

/* Where element e of the smaller tensor lies in the larger one. */
static int64_t place(const tn_tensor_desc *small, const tn_tensor_desc *large, const tn_slice_attrs *at, int64_t e)
{
    int64_t to = 0, stride = 1;
    for (int32_t d = small->rank - 1; d >= 0; d--) {
        to += (at->start[d] + e % small->dim[d] * at->step[d]) * stride;
        stride *= large->dim[d];
        e /= small->dim[d];
    }
    return to;
}

static void reference_slice(const tn_reference_call *call)
{
    const tn_tensor_desc *x = call->desc->in, *y = call->desc->out;
    int64_t count = tn_desc_count(y);
    for (int64_t e = 0; e < count; e++) call->out[0][e] = call->in[0][place(y, x, call->desc->attrs, e)];
}

static void reference_unslice(const tn_reference_call *call)
{
    const tn_tensor_desc *x = call->desc->in, *y = call->desc->out;
    int64_t count = tn_desc_count(x), all = tn_desc_count(y);
    for (int64_t e = 0; e < all; e++) call->out[0][e] = 0;
    for (int64_t e = 0; e < count; e++) call->out[0][place(x, y, call->desc->attrs, e)] = call->in[0][e];
}

/* ---- cases ---- */

static tn_tensor *case_middle(tn_tensor *const in[])
{
    return tn_slice(in[0], 1, 2, 3, 1);
}

static tn_tensor *case_steps(tn_tensor *const in[])
{
    return tn_slice(tn_slice(in[0], 0, -1, 3, -2), 1, 1, 2, 3);
}

static tn_tensor *case_flip(tn_tensor *const in[])
{
    return tn_flip(in[0], -1);
}

static tn_tensor *case_flip_first(tn_tensor *const in[])
{
    return tn_flip(in[0], 0);
}

static tn_tensor *case_one(tn_tensor *const in[])
{
    return tn_slice(in[0], 0, 4, 1, 1);
}

static tn_tensor *case_none(tn_tensor *const in[])
{
    return tn_slice(in[0], 0, 0, 0, 1);
}

static tn_tensor *case_again(tn_tensor *const in[])
{
    return tn_slice(tn_slice(tn_flip(in[0], 0), 0, 1, 20, 2), 0, 7, 5, -1);
}

static const tn_op_case cases_slice[] = {
    {"some columns", case_middle, {F32(7, 11)}},
    {"a block of pictures", case_middle, {F32(5, 9, 4, 3)}},
    {"steps, backwards", case_steps, {F32(6, 5, 7)}},
    {"rows backwards", case_flip, {F32(33, 65)}},
    {"the first dimension backwards", case_flip_first, {F32(13, 2, 5)}},
    {"one row", case_one, {F32(9, 4)}},
    {"slices of slices", case_again, {F32(50)}},
    {"whole numbers", case_steps, {I32(6, 5)}, -99, 99, 1},
    {"nothing", case_none, {F32(3, 4)}},
    {"of nothing", case_flip, {F32(4, 0)}},
    {0},
};

static tn_tensor *case_pad_last(tn_tensor *const in[])
{
    return tn_pad(in[0], -1, 2, 1);
}

static tn_tensor *case_pad_both(tn_tensor *const in[])
{
    return tn_pad(tn_pad(in[0], 1, 1, 2), 2, 3, 0);
}

static tn_tensor *case_pad_first(tn_tensor *const in[])
{
    return tn_pad(in[0], 0, 0, 5);
}

static const tn_op_case cases_unslice[] = {
    {"columns", case_pad_last, {F32(33, 17)}},
    {"pictures", case_pad_both, {F32(2, 5, 4)}},
    {"rows after", case_pad_first, {F32(3, 2, 7)}},
    {"a vector", case_pad_first, {F32(1031)}},
    {"nothing", case_pad_first, {F32(0, 3)}},
    {"whole numbers", case_pad_last, {I32(5, 3)}, -9, 9, 1},
    {0},
};

static const tn_field fields[] = {
    TN_FIELD(attrs, shape, SHAPE), TN_FIELD(attrs, start, NUMBER), TN_FIELD(attrs, step, NUMBER), {0}};

static const tn_field crosses[] = {
    TN_FIELD(tn_slice_attrs, start, NUMBER), TN_FIELD(tn_slice_attrs, step, NUMBER), {0}};

const tn_op_def tn_op_slice = {.name = "slice",
                               .crosses = crosses,
                               .doc = "every step-th element of a stretch of an axis",
                               .kind = TN_KERNEL,
                               .arity = 1,
                               .traits = TN_MOVES,
                               TN_ATTRS(attrs, fields),
                               .shape = shape_slice,
                               .grad = grad_slice,
                               .describe = describe_slice,
                               .reference = reference_slice,
                               .flops = tn_no_flops,
                               .picks = 1,
                               .cases = cases_slice};

const tn_op_def tn_op_unslice = {.name = "unslice",
                                 .crosses = crosses,
                                 .doc = "x among zeros: padding, and the inverse of slice",
                                 .kind = TN_KERNEL,
                                 .arity = 1,
                                 .traits = TN_MOVES,
                                 TN_ATTRS(attrs, fields),
                                 .shape = shape_unslice,
                                 .grad = grad_unslice,
                                 .describe = describe_unslice,
                                 .reference = reference_unslice,
                                 .flops = tn_no_flops,
                                 .cases = cases_unslice};
