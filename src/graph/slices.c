/* slices.c: the part of simplify that knows slices and what they are taken from: of slices, of what was put side by
 * side, and of what was padded. A recurrent layer puts its steps side by side, and many a network takes the last. */
#include "leaf.h"
#include "rewrite.h"

typedef tn_slice_node attrs;

/* ---- places ---- */

/* The first and the last of a slice's places along dimension d. */
typedef struct range {
    int64_t first, last;
} range;

static range range_of(const attrs *at, int32_t d)
{
    int64_t begin = at->start[d], end = begin + (at->shape.dim[d] - 1) * at->step[d];
    return begin < end ? (range){begin, end} : (range){end, begin};
}

static int is_within(range r, int64_t begin, int64_t count)
{
    return r.first >= begin && r.last < begin + count;
}

/* The slice of x, or x itself where it is all of it. */
static tn_tensor *slice_of(tn_tensor *x, const attrs *at)
{
    int whole = tn_shape_equal(&x->type.shape, &at->shape);
    for (int32_t d = 0; d < at->shape.rank; d++) whole &= at->step[d] == 1;
    return whole ? x : tn_node(&tn_op_slice, NULL, &x, 1, at);
}

/* ---- what is sliced ---- */

/* The one that is done first stands inside. */
static tn_tensor *join(tn_tensor *y)
{
    tn_tensor *x = y->in[0];
    int is_slice = y->op == &tn_op_slice;
    const attrs *outer = is_slice ? x->attrs : y->attrs, *inner = is_slice ? y->attrs : x->attrs;
    attrs both = *(const attrs *)y->attrs;
    for (int32_t d = 0; d < both.shape.rank; d++) {
        both.start[d] = outer->start[d] + inner->start[d] * outer->step[d];
        both.step[d] = outer->step[d] * inner->step[d];
    }
    return tn_node(y->op, NULL, x->in, 1, &both);
}

/* Of operands side by side: a slice of the one that has all of it. */
static tn_tensor *slice_operand(tn_tensor *y)
{
    const tn_tensor *x = y->in[0];
    attrs at = *(const attrs *)y->attrs;
    int32_t axis = (int32_t)((const tn_concat_node *)x->attrs)->axis;
    range r = range_of(&at, axis);
    int64_t begin = 0;
    for (uint32_t i = 0; i < x->n_in; i++) {
        int64_t count = x->in[i]->type.shape.dim[axis];
        if (is_within(r, begin, count)) {
            at.start[axis] -= begin;
            return tn_simplify_slice(slice_of(x->in[i], &at));
        }
        begin += count;
    }
    return y;
}

/* Of a tensor among zeros: a slice of it, or of the zeros. */
static tn_tensor *slice_padded(tn_tensor *y)
{
    tn_tensor *x = y->in[0]->in[0];
    const attrs *put = y->in[0]->attrs;
    attrs at = *(const attrs *)y->attrs;
    int inside = 1;
    for (int32_t d = 0; d < at.shape.rank; d++) {
        int64_t begin = put->start[d], count = x->type.shape.dim[d];
        range r = range_of(&at, d);
        if (put->step[d] != 1) return y;
        if (r.last < begin || r.first >= begin + count) return tn_full(y->graph, y->type.dtype, y->type.shape, 0);
        inside &= is_within(r, begin, count);
        at.start[d] -= begin;
    }
    return inside ? tn_simplify_slice(slice_of(x, &at)) : y;
}

tn_tensor *tn_simplify_slice(tn_tensor *y)
{
    if (y->op != &tn_op_slice && y->op != &tn_op_unslice) return y;
    const tn_op_def *of = y->in[0]->op;
    if (of == y->op) return join(y);
    if (y->op == &tn_op_unslice || !tn_shape_count(&y->type.shape)) return y;
    if (of == &tn_op_full)
        return tn_full(y->graph, y->type.dtype, y->type.shape, ((const tn_full_attrs *)y->in[0]->attrs)->value);
    return of == &tn_op_concat ? slice_operand(y) : of == &tn_op_unslice ? slice_padded(y) : y;
}

/* ---- side by side ---- */

/* 1 if the dimensions behind the first are the same. */
static int have_same_rows(const tn_shape *a, const tn_shape *b)
{
    tn_shape like = *a;
    if (!a->rank || a->rank != b->rank) return 0;
    like.dim[0] = b->dim[0];
    return tn_shape_equal(&like, b);
}

/* 1 if b is of the same tensor as a, and has the places behind a's. */
static int is_next(const tn_tensor *a, const tn_tensor *b, uint32_t axis)
{
    if (a->op != &tn_op_slice || b->op != &tn_op_slice || a->in[0] != b->in[0]) return 0;
    const attrs *first = a->attrs, *second = b->attrs;
    int next = first->step[axis] == 1;
    for (int32_t d = 0; d < first->shape.rank; d++) {
        const int64_t along = (uint32_t)d == axis ? first->shape.dim[d] : 0;
        next &= second->start[d] == first->start[d] + along && second->step[d] == first->step[d];
    }
    return next;
}

/* Slices of one tensor that follow each other there, too: one slice. */
static tn_tensor *join_slices(tn_tensor *y, uint32_t axis)
{
    for (uint32_t i = 1; i < y->n_in; i++)
        if (!is_next(y->in[i - 1], y->in[i], axis)) return y;
    if (y->in[0]->op != &tn_op_slice) return y;
    attrs at = *(const attrs *)y->in[0]->attrs;
    at.shape = y->type.shape;
    return tn_simplify_slice(slice_of(y->in[0]->in[0], &at));
}

/* Reshaped tensors along the first axis: the tensors themselves, and reshaped together, if their rows are alike. So
 * what is put side by side in two shapes is put there once. */
tn_tensor *tn_simplify_concat(tn_tensor *y)
{
    tn_tensor *in[TN_MAX_OPERANDS], *joined = join_slices(y, ((const tn_concat_node *)y->attrs)->axis);
    if (joined != y || ((const tn_concat_node *)y->attrs)->axis) return joined;
    for (uint32_t i = 0; i < y->n_in; i++) {
        if (y->in[i]->op != &tn_op_reshape) return y;
        in[i] = y->in[i]->in[0];
        if (!have_same_rows(&in[i]->type.shape, &in[0]->type.shape)) return y;
    }
    return tn_reshape(tn_concat(in, y->n_in, 0), y->type.shape);
}
