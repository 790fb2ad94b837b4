/* grad.c: reverse-mode differentiation by adding operators to the graph.
 * Baydin, Pearlmutter, Radul and Siskind, "Automatic differentiation in machine learning: a survey", 2018. */
#include <string.h>

#include "build.h"
#include "contributions.h"

/* A tensor whose operands are looked at, up to number `next`. */
typedef struct frame {
    tn_tensor *x;
    uint32_t next;
} frame;

/* What one call of tn_grad keeps for each tensor that is there when it begins. */
typedef struct sweep {
    tn_tensor **order; /* operands first */
    uint32_t count, room;
    frame *path; /* from the loss to the tensor that is looked at: a graph may be deeper than the stack */
    uint32_t depth, path_room;
    unsigned char *seen, *needed; /* needed: depends on something to differentiate by */
    tn_contribution **dy;         /* what the uses of each send back */
    uint32_t size;
} sweep;

/* What is built for y has its scope; returns the graph's own, which comes back after it. */
static const tn_scope *begin_scope(const tn_tensor *y, tn_scope *its)
{
    const tn_scope *before = y->graph->scope;
    *its = (tn_scope){before, y->origin.scope};
    y->graph->scope = y->origin.scope ? its : NULL;
    return before;
}

/* An operator without a gradient of its own stands for its `lower`. */
static tn_tensor *stand_in(tn_tensor *y)
{
    if (!y->op->lower || y->op->grad) return NULL;
    if (y->lowered) return y->lowered;
    tn_scope its;
    const tn_scope *before = begin_scope(y, &its);
    y->lowered = y->op->lower(y);
    y->graph->scope = before;
    return y->lowered;
}

static tn_status reserve(sweep *w, uint32_t size)
{
    uint32_t room[3] = {w->size, w->size, w->size};
    if (size <= w->size) return TN_OK;
    TN_TRY(tn_grow(&w->seen, &room[0], size, 1));
    TN_TRY(tn_grow(&w->needed, &room[1], size, 1));
    TN_TRY(tn_grow(&w->dy, &room[2], size, sizeof *w->dy));
    w->size = room[0];
    return TN_OK;
}

/* Goes on to x, unless it has been there. */
static tn_status enter(sweep *w, tn_tensor *x)
{
    TN_TRY(reserve(w, x->graph->count + 1));
    if (w->seen[x->id]) return TN_OK;
    w->seen[x->id] = 1;
    TN_TRY(tn_grow(&w->path, &w->path_room, w->depth + 1, sizeof *w->path));
    w->path[w->depth++] = (frame){x, 0};
    return TN_OK;
}

/* All that x depends on stands in order: x is next. */
static tn_status leave(sweep *w, tn_tensor *x, const tn_tensor *other)
{
    for (uint32_t i = 0; !other && i < x->n_in; i++)
        if (x->op->grad && w->needed[x->in[i]->id]) w->needed[x->id] = 1;
    if (other && w->needed[other->id]) w->needed[x->id] = 1;
    TN_TRY(tn_grow(&w->order, &w->room, w->count + 1, sizeof *w->order));
    w->order[w->count++] = x;
    w->depth--;
    return TN_OK;
}

/* Depth first: operands have lower numbers, but for stand-ins. */
static tn_status visit(sweep *w, tn_tensor *loss)
{
    TN_TRY(enter(w, loss));
    while (w->depth) {
        frame *at = &w->path[w->depth - 1];
        tn_tensor *x = at->x, *other = stand_in(x);
        TN_TRY(tn_graph_status(x->graph));
        uint32_t next = at->next++;
        if (next == (other ? 1 : x->n_in))
            TN_TRY(leave(w, x, other));
        else
            TN_TRY(enter(w, other ? other : x->in[next]));
    }
    return TN_OK;
}

static void add_to(sweep *w, tn_tensor *x, tn_tensor *dx)
{
    if (!dx || x->id >= w->size || !w->needed[x->id]) return;
    tn_contribution *contribution = tn_region_alloc(&x->graph->region, sizeof *contribution);
    if (!contribution) {
        tn_graph_fail(x->graph, TN_ENOMEM, "out of memory for gradients");
        return;
    }
    *contribution = (tn_contribution){dx, w->dy[x->id]};
    w->dy[x->id] = contribution;
}

/* From one tensor to its operands. */
static void pull(sweep *w, tn_tensor *y)
{
    tn_tensor *dy = tn_add_contributions(w->dy[y->id]), *other = stand_in(y);
    if (other) {
        add_to(w, other, dy);
        return;
    }
    if (!y->n_in || !y->op->grad) return;
    tn_tensor **din = tn_region_alloc(&y->graph->region, y->n_in * sizeof *din);
    if (!din) {
        tn_graph_fail(y->graph, TN_ENOMEM, "out of memory for gradients");
        return;
    }
    tn_scope its;
    const tn_scope *before = begin_scope(y, &its);
    y->op->grad(y, dy, din);
    y->graph->scope = before;
    for (uint32_t i = 0; i < y->n_in; i++) add_to(w, y->in[i], din[i]);
}

static tn_status run(sweep *w, tn_tensor *loss, tn_tensor *const wrt[], size_t count)
{
    TN_TRY(reserve(w, loss->graph->count + 1));
    for (size_t i = 0; i < count; i++) {
        TN_REQUIRE(wrt[i], TN_EINVAL, "tn_grad: wrt[%zu] is NULL", i);
        TN_REQUIRE(wrt[i]->graph == loss->graph, TN_EINVAL, "grad: tensors of different graphs");
        w->needed[wrt[i]->id] = 1;
    }
    TN_TRY(visit(w, loss));
    add_to(w, loss, tn_full(loss->graph, loss->type.dtype, loss->type.shape, 1));
    uint32_t before = w->count;
    for (uint32_t i = before; i-- > 0;)
        if (w->needed[w->order[i]->id] && w->dy[w->order[i]->id]) pull(w, w->order[i]);
    return TN_OK;
}

void tn_grad(tn_tensor *loss, tn_tensor *const wrt[], size_t count, tn_tensor *grad[])
{
    if (!loss && wrt && count && wrt[0]) tn_graph_fail(tn_graph_of(wrt[0]), TN_EINVAL, "tn_grad: loss is NULL");
    tn_graph *graph = tn_graph_of(loss);
    sweep w = {0};
    char text[160];
    if (count && (!wrt || !grad)) tn_graph_fail(graph, TN_EINVAL, "tn_grad: %s is NULL", wrt ? "grad" : "wrt");
    if (!grad) return;
    for (size_t i = 0; i < count; i++) grad[i] = graph->empty;
    if (graph->status) return;
    if (tn_shape_count(&loss->type.shape) != 1 || (loss->type.dtype != TN_F32 && loss->type.dtype != TN_F64)) {
        tn_graph_fail(graph, TN_ESHAPE, "grad: a loss is one floating-point number, not %s %s",
                      tn_dtype_name(loss->type.dtype), tn_shape_text(&loss->type.shape, text, sizeof text));
        return;
    }
    tn_status s = run(&w, loss, wrt, count);
    if (s) tn_graph_fail(graph, s, "%s", tn_message());
    for (size_t i = 0; i < count && !graph->status; i++)
        grad[i] = w.dy[wrt[i]->id] ? tn_add_contributions(w.dy[wrt[i]->id])
                                   : tn_full(graph, wrt[i]->type.dtype, wrt[i]->type.shape, 0);
    tn_free(w.order);
    tn_free(w.path);
    tn_free(w.seen);
    tn_free(w.needed);
    tn_free(w.dy);
}
