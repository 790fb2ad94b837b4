/* contributions.c: adds up what the uses of a tensor send back to it. A layer that is unrolled over many steps uses its
 * weights in each, and a slice of its inputs: slices are put side by side rather than padded with zeros and added, and
 * the products and sums of all steps become one product and one sum over the steps' operands in one tensor. */
#include "contributions.h"

#include <stdlib.h>

#include "build.h"
#include "leaf.h"
#include "reduce.h"

#define LITTLE 65536 /* elements that are copied sooner than summed by an operation of their own */

/* ---- slices side by side ---- */

/* The axis along which x is a stretch of zeros but for its operand; -1 if it is no such thing. */
static int32_t stretch_axis(const tn_tensor *x)
{
    int32_t axis = -1;
    if (x->op != &tn_op_unslice) return -1;
    const tn_slice_node *at = x->attrs;
    for (int32_t d = 0; d < at->shape.rank; d++) {
        if (at->shape.dim[d] == x->in[0]->type.shape.dim[d] && at->step[d] == 1) continue;
        if (axis >= 0 || (at->step[d] != 1 && x->in[0]->type.shape.dim[d] != 1)) return -1;
        axis = d;
    }
    return axis;
}

static int64_t begin_of(const tn_tensor *x, int32_t axis)
{
    return ((const tn_slice_node *)x->attrs)->start[axis];
}

static int64_t end_of(const tn_tensor *x, int32_t axis)
{
    return begin_of(x, axis) + x->in[0]->type.shape.dim[axis];
}

/* By axis, those that are no stretches last; then by place. */
static int compare(const void *a, const void *b)
{
    const tn_tensor *x = *(tn_tensor *const *)a, *y = *(tn_tensor *const *)b;
    int32_t p = stretch_axis(x), q = stretch_axis(y);
    if (p != q) return (uint32_t)p < (uint32_t)q ? -1 : 1;
    int64_t from = p < 0 ? x->id : begin_of(x, p), other = p < 0 ? y->id : begin_of(y, p);
    return from < other ? -1 : from > other;
}

/* The operands of `count` stretches without a gap, in order. */
static tn_tensor *side_by_side(tn_tensor **dx, uint32_t count, int32_t axis, tn_tensor **room)
{
    const tn_tensor *last = dx[count - 1];
    int64_t before = begin_of(dx[0], axis), after = last->type.shape.dim[axis] - end_of(last, axis);
    for (uint32_t i = 0; i < count; i++) room[i] = dx[i]->in[0];
    return tn_pad(tn_concat(room, count, axis), axis, before, after);
}

static uint32_t join_stretches(tn_tensor **dx, uint32_t n, tn_tensor **room)
{
    uint32_t kept = 0;
    qsort(dx, n, sizeof *dx, compare);
    for (uint32_t i = 0, count; i < n; i += count) {
        int32_t axis = stretch_axis(dx[i]);
        count = 1;
        while (axis >= 0 && i + count < n && stretch_axis(dx[i + count]) == axis &&
               begin_of(dx[i + count], axis) == end_of(dx[i + count - 1], axis))
            count++;
        dx[kept++] = count > 1 ? side_by_side(dx + i, count, axis, room) : dx[i];
    }
    return kept;
}

/* ---- products and sums over the rows of all ---- */

/* A gradient may be shaped like its tensor by a last reshape. */
static tn_tensor *behind_reshape(tn_tensor *x)
{
    return x->op == &tn_op_reshape ? x->in[0] : x;
}

/* a' b, of matrices so small that copying them costs less than adding the products up. */
static int is_product(const tn_tensor *x)
{
    if (x->op != &tn_op_matmul || x->in[0]->type.shape.rank != 2 || x->in[1]->type.shape.rank != 2) return 0;
    const tn_matmul_node *at = x->attrs;
    int64_t copied = tn_shape_count(&x->in[0]->type.shape) + tn_shape_count(&x->in[1]->type.shape);
    return at->trans_a && !at->trans_b && 2 * copied <= 3 * tn_shape_count(&x->type.shape);
}

/* The sum of the rows of a small matrix. */
static int is_row_sum(const tn_tensor *x)
{
    return tn_sum_axes(x) == 1 && x->in[0]->type.shape.rank == 2 && tn_shape_count(&x->in[0]->type.shape) <= LITTLE;
}

static int same_columns(const tn_tensor *a, const tn_tensor *b)
{
    return a->type.shape.dim[1] == b->type.shape.dim[1];
}

/* Both are of the sort, with operands that can stand one below the other. */
static int is_like(int (*is)(const tn_tensor *), tn_tensor *x, tn_tensor *y)
{
    x = behind_reshape(x), y = behind_reshape(y);
    if (!is(x) || !is(y)) return 0;
    for (uint32_t i = 0; i < x->n_in; i++)
        if (!same_columns(x->in[i], y->in[i])) return 0;
    return 1;
}

/* Operand i of all, one below the other. */
static tn_tensor *stack_operands(tn_tensor *const dx[], uint32_t count, uint32_t i, tn_tensor **room)
{
    for (uint32_t k = 0; k < count; k++) room[k] = behind_reshape(dx[k])->in[i];
    return tn_concat(room, count, 0);
}

static tn_tensor *one_product(tn_tensor *const dx[], uint32_t count, tn_tensor **room)
{
    tn_tensor *a = stack_operands(dx, count, 0, room);
    return tn_matmul_t(a, stack_operands(dx, count, 1, room), 1, 0);
}

static tn_tensor *one_sum(tn_tensor *const dx[], uint32_t count, tn_tensor **room)
{
    return tn_sum(stack_operands(dx, count, 0, room), TN_AXES(0), 1); /* as other gradients of biases */
}

/* What is like the first of its sort becomes one, in that place. */
static uint32_t join_rows(tn_tensor **dx, uint32_t n, tn_tensor **room, int (*is)(const tn_tensor *),
                          tn_tensor *(*join)(tn_tensor *const dx[], uint32_t count, tn_tensor **room))
{
    uint32_t kept = 0, first = 0, count = 0;
    while (first < n && !is(behind_reshape(dx[first]))) first++;
    if (first == n) return n;
    tn_tensor **like = room + n, *leader = dx[first];
    const tn_shape shape = leader->type.shape;
    for (uint32_t i = 0; i < n; i++) {
        if (is_like(is, leader, dx[i]))
            like[count++] = dx[i];
        else
            dx[kept++] = dx[i];
    }
    dx[kept++] = count > 1 ? tn_reshape(join(like, count, room), shape) : leader;
    return kept;
}

/* ---- all of them ---- */

tn_tensor *tn_add_contributions(tn_contribution *all)
{
    uint32_t n = 0;
    if (!all || !all->next) return all ? all->dx : NULL;
    tn_graph *graph = all->dx->graph;
    for (const tn_contribution *c = all; c; c = c->next) n++;
    tn_tensor **dx = tn_alloc(3 * (size_t)n * sizeof *dx); /* and room for operands and for those alike */
    if (!dx) {
        tn_graph_fail(graph, TN_ENOMEM, "out of memory for gradients");
        return all->dx;
    }
    n = 0;
    for (const tn_contribution *c = all; c; c = c->next) dx[n++] = c->dx;
    tn_tensor **room = dx + n;
    n = join_rows(dx, n, room, is_product, one_product);
    n = join_rows(dx, n, room, is_row_sum, one_sum);
    n = join_stretches(dx, n, room);
    for (uint32_t i = 1; i < n; i++) dx[0] = tn_add(dx[0], dx[i]);
    *all = (tn_contribution){dx[0], NULL};
    tn_free(dx);
    return all->dx;
}
