/* reduce.c: sum, product, largest, smallest, and the places of these, over any axes. */
#include "reduce.h"

#include <math.h>
#include <string.h>

#include "cases.h"
#include "check.h"
#include "map_internal.h"
#include "merge.h"
#include "tenon/backend_check.h"

enum {
#define X(NAME, ...) NAME,
#include "tenon/reduce.def"
#undef X
    KINDS
};
static const char *const words[] = {
#define X(NAME, name, ...) #name,
#include "tenon/reduce.def"
#undef X
    NULL};

typedef struct attrs {
    uint32_t kind;
    uint32_t axes; /* bit d set: dimension d is reduced */
    uint32_t keep; /* reduced dimensions stay, as 1 */
    uint32_t reserved;
} attrs;

/* ---- the kinds ---- */

static double fold_sum(double so_far, double x)
{
    return so_far + x;
}

static double fold_prod(double so_far, double x)
{
    return so_far * x;
}

/* Of i32, which wraps. */
static double fold_whole_sum(double so_far, double x)
{
    return (double)(int32_t)((uint32_t)(int64_t)so_far + (uint32_t)(int64_t)x);
}

static double fold_whole_prod(double so_far, double x)
{
    return (double)(int32_t)((uint32_t)(int64_t)so_far * (uint32_t)(int64_t)x);
}

/* 1 if x takes the place of the best so far: a NaN wins, the first of equals stays. */
static int beats_max(double x, double best)
{
    return x > best || (x != x && best == best);
}

static int beats_min(double x, double best)
{
    return x < best || (x != x && best == best);
}

/* Kinds that fold have `fold`, the others `beats`; `empty` is the result over no elements. */
static const struct {
    const char *function;
    double (*fold)(double so_far, double x), (*fold_whole)(double so_far, double x);
    int (*beats)(double x, double best);
    double empty;
} table[KINDS] = {
    {"sum", fold_sum, fold_whole_sum, NULL, 0}, {"prod", fold_prod, fold_whole_prod, NULL, 1},
    {"amax", NULL, NULL, beats_max, 0},         {"amin", NULL, NULL, beats_min, 0},
    {"argmax", NULL, NULL, beats_max, 0},       {"argmin", NULL, NULL, beats_min, 0},
};

/* What the plugin boundary says of it. */
static const tn_reduction *rules_of(uint32_t kind)
{
    return tn_reduction_find(words[kind]);
}

static uint32_t find_kind(const char *kind)
{
    uint32_t k = 0;
    while (k < KINDS && (!kind || strcmp(kind, words[k]))) k++;
    return k;
}

/* ---- types ---- */

static tn_shape reduced(const tn_shape *x, uint32_t axes, uint32_t keep)
{
    tn_shape y = {0};
    for (int32_t d = 0; d < x->rank; d++)
        if (!(axes >> d & 1))
            y.dim[y.rank++] = x->dim[d];
        else if (keep)
            y.dim[y.rank++] = 1;
    return y;
}

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    const tn_shape *x = &in[0]->type.shape;
    const char *name = table[at->kind].function;
    char text[160];
    (void)n_in;
    TN_TRY(tn_require_type(name, in[0], rules_of(at->kind)->whole));
    for (int32_t d = 0; d < x->rank && rules_of(at->kind)->needs_elements; d++)
        TN_REQUIRE(!(at->axes >> d & 1) || x->dim[d] > 0, TN_ESHAPE, "%s: no elements along axis %d of shape %s", name,
                   d, tn_shape_text(x, text, sizeof text));
    *out = (tn_type){rules_of(at->kind)->gives_place ? TN_I32 : in[0]->type.dtype, reduced(x, at->axes, at->keep)};
    return TN_OK;
}

/* ---- gradients ---- */

/* t, which has y's shape, over x's. */
static tn_tensor *over_x(const tn_tensor *y, tn_tensor *t)
{
    const attrs *at = y->attrs;
    const tn_shape *x = &y->in[0]->type.shape;
    return tn_broadcast(tn_reshape(t, reduced(x, at->axes, 1)), *x);
}

static tn_tensor *sum_again(const tn_tensor *y, tn_tensor *x)
{
    attrs at = *(const attrs *)y->attrs;
    at.kind = SUM;
    return tn_node(&tn_op_reduce, NULL, &x, 1, &at);
}

/* x moved along an axis, towards its end or its beginning; ones come in. */
static tn_tensor *moved(tn_tensor *x, int32_t axis, int64_t by, int to_begin)
{
    tn_shape shape = x->type.shape;
    int64_t n = shape.dim[axis], kept = n > by ? n - by : 0;
    shape.dim[axis] = n - kept;
    tn_tensor *ones = tn_full(x->graph, x->type.dtype, shape, 1);
    if (!kept) return ones;
    tn_tensor *rest = tn_slice(x, axis, to_begin ? by : 0, kept, 1);
    return tn_concat((tn_tensor *[]){to_begin ? rest : ones, to_begin ? ones : rest}, 2, axis);
}

/* For each element the product of those before it along an axis, or of those behind it, in steps that double. */
static tn_tensor *product_beside(tn_tensor *x, int32_t axis, int behind)
{
    tn_tensor *product = moved(x, axis, 1, behind);
    for (int64_t by = 1; by < x->type.shape.dim[axis] - 1; by *= 2)
        product = tn_mul(product, moved(product, axis, by, behind));
    return product;
}

/* For each element the product of all others over some axes, without a division: right with zeros, infinities and what
 * overflows, and so are its gradients. */
static tn_tensor *product_of_others(tn_tensor *x, uint32_t axes)
{
    int32_t axis = 0;
    while (!(axes >> axis & 1)) axis++;
    tn_tensor *others = tn_mul(product_beside(x, axis, 0), product_beside(x, axis, 1));
    axes &= axes - 1;
    return axes ? tn_mul(others, product_of_others(tn_prod(x, TN_AXES(axis), 1), axes)) : others;
}

/* Shared equally among the elements that are the best. */
static tn_tensor *grad_best(tn_tensor *y, tn_tensor *dy)
{
    tn_tensor *is_best = tn_eq(y->in[0], over_x(y, y));
    return tn_mul(is_best, over_x(y, tn_div(dy, sum_again(y, is_best))));
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    const attrs *at = y->attrs;
    if (!tn_is_floating(y->type.dtype)) return;
    if (at->kind == SUM) din[0] = over_x(y, dy);
    if (at->kind == PROD) din[0] = tn_mul(over_x(y, dy), product_of_others(y->in[0], at->axes));
    if (at->kind == MAX || at->kind == MIN) din[0] = grad_best(y, dy);
}

uint32_t tn_sum_axes(const tn_tensor *y)
{
    if (y->op != &tn_op_reduce) return 0;
    const attrs *at = y->attrs;
    return at->kind == SUM ? at->axes : 0;
}

tn_tensor *tn_sum_turned(const tn_tensor *y, tn_tensor *x, const int32_t perm[])
{
    const uint32_t axes = ((const attrs *)y->attrs)->axes;
    attrs at = {.kind = SUM, .keep = 1};
    for (int32_t d = 0; d < x->type.shape.rank; d++) at.axes |= (axes >> perm[d] & 1) << d;
    return tn_node(&tn_op_reduce, NULL, &x, 1, &at);
}

/* ---- the operation ---- */

void tn_reduce_space(const tn_tensor *y, tn_operation *o)
{
    const attrs *at = y->attrs;
    const tn_shape *x = &y->in[0]->type.shape;
    tn_shape kept = reduced(x, at->axes, 1);
    tn_reduce_attrs *reduce = &o->attrs.reduce;
    *reduce = (tn_reduce_attrs){.size = sizeof *reduce, .kind = words[at->kind]};
    reduce->rank = (uint32_t)x->rank;
    reduce->axes = at->axes;
    memcpy(reduce->dim, x->dim, (size_t)x->rank * sizeof *x->dim);
    o->out[0] = tn_desc_dense(y->type.dtype, &kept);
}

/* A single number is a space of one dimension of size 1. */
static void give_rank_1(tn_operation *o)
{
    tn_reduce_attrs *reduce = &o->attrs.reduce;
    reduce->rank = 1;
    reduce->axes = 1;
    reduce->dim[0] = 1;
    for (uint32_t i = 0; i < o->desc.n_in; i++) o->in[i].rank = 1, o->in[i].dim[0] = o->in[i].stride[0] = 1;
}

void tn_reduce_merge(tn_operation *o)
{
    tn_reduce_attrs *reduce = &o->attrs.reduce;
    tn_tensor_desc *operand[TN_MAX_OPERANDS];
    int32_t becomes[TN_MAX_RANK];
    for (uint32_t i = 0; i < o->desc.n_in; i++) operand[i] = &o->in[i];
    if (!reduce->rank)
        give_rank_1(o);
    else
        reduce->rank = (uint32_t)tn_merge(reduce->dim, (int32_t)reduce->rank, reduce->axes, 0, operand, o->desc.n_in,
                                          becomes, &reduce->axes);
    tn_shape kept = {(int32_t)reduce->rank, {0}};
    for (uint32_t d = 0; d < reduce->rank; d++) kept.dim[d] = reduce->axes >> d & 1 ? 1 : reduce->dim[d];
    o->out[0] = tn_desc_dense(o->out[0].dtype, &kept);
}

/* Dense x, taken as it is. */
static void describe(const tn_tensor *y, tn_operation *o)
{
    static const int32_t first = 0;
    static const tn_map_attrs as_it_is = {.size = sizeof as_it_is, .out = &first, .n_in = 1, .n_out = 1};
    tn_reduce_space(y, o);
    o->attrs.reduce.map = &as_it_is;
    o->in[0] = tn_desc_dense(y->in[0]->type.dtype, &y->in[0]->type.shape);
    o->desc.n_in = 1;
    tn_reduce_merge(o);
}

/* ---- the reference ---- */

/* The point of the space that is number `number` among those of an output element, and its linear index. */
static int64_t find_point(const tn_reduce_attrs *at, int64_t output, int64_t number, int64_t place[])
{
    int64_t index = 0, stride = 1;
    for (uint32_t d = at->rank; d-- > 0;) {
        int64_t *from = at->axes >> d & 1 ? &number : &output;
        place[d] = *from % at->dim[d];
        *from /= at->dim[d];
        index += place[d] * stride;
        stride *= at->dim[d];
    }
    return index;
}

/* Output by output, and for each its elements in row-major order. */
static void reference(const tn_reference_call *call)
{
    const tn_reduce_attrs *at = call->desc->attrs;
    uint32_t kind = find_kind(at->kind);
    const int gives_place = rules_of(kind)->gives_place, whole = call->desc->out[0].dtype == TN_I32;
    double (*fold)(double so_far, double x) = whole ? table[kind].fold_whole : table[kind].fold;
    int64_t place[TN_MAX_RANK] = {0}, each = 1, outputs = tn_desc_count(&call->desc->out[0]);
    double value[TN_MAX_VALUES] = {0};
    tn_map_program program;
    tn_map_ready(&program, at->map);
    for (uint32_t d = 0; d < at->rank; d++) each *= at->axes >> d & 1 ? at->dim[d] : 1;
    for (int64_t output = 0; output < outputs; output++) {
        double result = table[kind].empty;
        int64_t best = 0;
        for (int64_t number = 0; number < each; number++) {
            int64_t e = find_point(at, output, number, place);
            for (uint32_t i = 0; i < program.n_in; i++) value[i] = call->in[i][e];
            tn_map_step_all(&program, &(tn_map_point){call->scalar, e, place, value});
            double x = value[program.out];
            if (fold)
                result = fold(result, x);
            else if (!number || table[kind].beats(x, result))
                result = x, best = number;
        }
        call->out[0][output] = gives_place ? (double)best : result;
    }
}

static double flops(const tn_op_desc *desc)
{
    const tn_reduce_attrs *at = desc->attrs;
    double count = at->map->n_instr + 1;
    for (uint32_t d = 0; d < at->rank; d++) count *= (double)at->dim[d];
    return count;
}

/* ---- public functions ---- */

static tn_tensor *reduction(uint32_t kind, tn_tensor *x, tn_axes axes, int keep)
{
    attrs at = {.kind = kind, .keep = keep != 0};
    char text[160];
    tn_shape from = tn_shape_of(x);
    tn_status s = tn_axes_mask(axes, from.rank, &at.axes);
    if (s) {
        tn_node_fail(tn_graph_of(x), s, "%s of shape %s: %s", table[kind].function,
                     tn_shape_text(&from, text, sizeof text), tn_message());
        return x;
    }
    if (!at.axes && kind != ARGMAX && kind != ARGMIN) return x;
    return tn_node(&tn_op_reduce, NULL, &x, 1, &at);
}

tn_tensor *tn_sum(tn_tensor *x, tn_axes axes, int keep)
{
    return reduction(SUM, x, axes, keep);
}

tn_tensor *tn_prod(tn_tensor *x, tn_axes axes, int keep)
{
    return reduction(PROD, x, axes, keep);
}

tn_tensor *tn_amax(tn_tensor *x, tn_axes axes, int keep)
{
    return reduction(MAX, x, axes, keep);
}

tn_tensor *tn_amin(tn_tensor *x, tn_axes axes, int keep)
{
    return reduction(MIN, x, axes, keep);
}

/* The factor is on the smaller side, the sum's. */
tn_tensor *tn_mean(tn_tensor *x, tn_axes axes, int keep)
{
    tn_tensor *sum = tn_sum(x, axes, keep);
    tn_shape all = tn_shape_of(x), left = tn_shape_of(sum);
    int64_t groups = tn_shape_count(&left), each = 1;
    if (tn_dtype_of(x) == TN_I32) tn_node_fail(tn_graph_of(x), TN_EDTYPE, "mean: element type i32");
    if (sum == x) return x;
    if (groups) each = tn_shape_count(&all) / groups;
    return tn_mul(sum, tn_number(sum, 1.0 / (double)each));
}

tn_tensor *tn_argmax(tn_tensor *x, int32_t axis)
{
    return reduction(ARGMAX, x, TN_AXES(axis), 0);
}

tn_tensor *tn_argmin(tn_tensor *x, int32_t axis)
{
    return reduction(ARGMIN, x, TN_AXES(axis), 0);
}

/* ---- cases ---- */

#define CASE(name, call)                                                                                               \
    static tn_tensor *case_##name(tn_tensor *const in[])                                                               \
    {                                                                                                                  \
        return call;                                                                                                   \
    }
CASE(sum_all, tn_sum(in[0], TN_ALL, 0))
CASE(sum_last, tn_sum(in[0], TN_AXES(-1), 0))
CASE(sum_first, tn_sum(in[0], TN_AXES(0), 1))
CASE(sum_middle, tn_sum(in[0], TN_AXES(1), 0))
CASE(sum_ends, tn_sum(in[0], TN_AXES(0, -1), 0))
CASE(sum_of_squares, tn_sum(tn_square(tn_sub(in[0], in[1])), TN_AXES(-1), 0))
CASE(prod_last, tn_prod(in[0], TN_AXES(-1), 0))
CASE(prod_first, tn_prod(tn_relu(in[0]), TN_AXES(0), 0))
CASE(prod_first_whole, tn_prod(in[0], TN_AXES(0), 0))
CASE(mean_all, tn_mean(in[0], TN_ALL, 0))
CASE(mean_first, tn_mean(in[0], TN_AXES(0), 0))
CASE(max_last, tn_amax(in[0], TN_AXES(-1), 0))
CASE(max_first, tn_amax(in[0], TN_AXES(0), 1))
CASE(max_ties, tn_amax(tn_relu(in[0]), TN_AXES(1), 0))
CASE(min_middle, tn_amin(in[0], TN_AXES(1), 0))
CASE(min_all, tn_amin(in[0], TN_ALL, 0))
CASE(argmax_last, tn_argmax(in[0], -1))
CASE(argmax_first, tn_argmax(in[0], 0))
CASE(argmin_middle, tn_argmin(in[0], 1))
CASE(argmax_ties, tn_argmax(tn_floor(in[0]), -1))

static const tn_op_case cases[] = {
    {"products of whole numbers", case_prod_last, {I32(5, 7)}, -9, 9, 1},
    {"products of whole numbers that wrap", case_prod_first_whole, {I32(31, 67)}, -2147483647, 2147483647, 1},
    {"sum of everything", case_sum_all, {F32(7, 13, 5)}},
    {"sum of many", case_sum_all, {F32(40961)}},
    {"sum of one", case_sum_all, {F32(1, 1)}},
    {"sum of a number", case_sum_all, {NUMBER}},
    {"sum over the last axis", case_sum_last, {F32(33, 257)}},
    {"sum over the first axis", case_sum_first, {F32(257, 33)}},
    {"sum over a middle axis", case_sum_middle, {F32(5, 31, 7)}},
    {"sum over the first and last axes", case_sum_ends, {F32(3, 5, 4, 7)}},
    {"sum over an axis of size 1", case_sum_last, {F32(31, 1)}},
    {"sum of nothing is 0", case_sum_last, {F32(3, 0)}},
    {"sum of no rows", case_sum_last, {F32(0, 3)}},
    {"sum of whole numbers", case_sum_last, {I32(7, 100)}, -1000, 1000, 1},
    {"sum of whole numbers that wraps", case_sum_last, {I32(7, 100)}, -2147483647, 2147483647, 1},
    {"sum of whole numbers that wraps, over the first axis", case_sum_first, {I32(100, 7)}, -2147483647, 2147483647, 1},
    {"sum of squares of a stretched difference", case_sum_of_squares, {F32(17, 31), F32(31)}},
    {"product", case_prod_last, {F32(9, 7)}, 0.5, 1.5},
    {"product with zeros", case_prod_first, {F32(3, 50)}, -1, 2},
    {"mean of everything", case_mean_all, {F32(31, 33)}},
    {"mean over the first axis", case_mean_first, {F32(100, 3)}},
    {"largest over the last axis", case_max_last, {F32(19, 101)}},
    {"largest over the first axis", case_max_first, {F32(101, 19)}},
    {"largest, with ties that share the gradient", case_max_ties, {F32(50, 3)}, -2, 1},
    {"largest of negative numbers", case_max_last, {F32(5, 9)}, -3, -1},
    {"largest of whole numbers", case_max_last, {I32(5, 90)}, -7, 7, 1},
    {"smallest over a middle axis", case_min_middle, {F32(4, 23, 6)}},
    {"smallest of everything", case_min_all, {F32(1031)}},
    {"place of the largest over the last axis", case_argmax_last, {F32(129, 10)}, .no_gradient = 1},
    {"place of the largest over the first axis", case_argmax_first, {F32(65, 33)}, .no_gradient = 1},
    {"place of the smallest over a middle axis", case_argmin_middle, {F32(5, 37, 3)}, .no_gradient = 1},
    {"place of the first of equals", case_argmax_ties, {F32(33, 65)}, .no_gradient = 1},
    {"place in one element", case_argmax_last, {F32(7, 1)}, .no_gradient = 1},
    {0},
};

static const tn_field fields[] = {TN_FIELD_WORDS(attrs, kind, words),
                                  TN_FIELD(attrs, axes, AXES),
                                  TN_FIELD(attrs, keep, FLAG),
                                  TN_FIELD(attrs, reserved, NOTHING),
                                  {0}};

static const tn_field crosses[] = {
    TN_FIELD(tn_reduce_attrs, kind, TEXT),   TN_FIELD_NAMED(tn_reduce_attrs, map, MAP, "of"),
    TN_FIELD(tn_reduce_attrs, dim, HIDDEN),  TN_FIELD(tn_reduce_attrs, rank, HIDDEN),
    TN_FIELD(tn_reduce_attrs, axes, HIDDEN), {0}};

const tn_op_def tn_op_reduce = {.name = "reduce",
                                .crosses = crosses,
                                .doc = "sum, product, largest, smallest or their places over some axes",
                                .kind = TN_KERNEL,
                                .arity = 1,
                                TN_ATTRS(attrs, fields),
                                .shape = shape,
                                .grad = grad,
                                .describe = describe,
                                .reference = reference,
                                .flops = flops,
                                .cases = cases,
                                .budget = TN_BUDGET_SUM};
