/* layout.c: images with their channels last. A convolution that the device does so is made so, between transpositions:
 * its operands come from some, its result goes through one. Those move through what is done element by element, through
 * sums, pooling, slices and what is put side by side, until they meet others and cancel (simplify.c); what is left,
 * where something wants the usual order, are launches like others. */
#include "conv.h"
#include "leaf.h"
#include "pool.h"
#include "reduce.h"
#include "rewrite.h"

#define IMAGE 4 /* dimensions of one */

typedef struct laying {
    const tn_target *target;
    uint32_t laid, refused; /* convolutions */
} laying;

static tn_shape last_shape(const tn_shape *x)
{
    return tn_image_shape(1, x->dim[0], x->dim[1], x->dim[2], x->dim[3]);
}

/* What x is in the usual order, with channels last; NULL: it is no transposition of such. */
static tn_tensor *source_of(const tn_tensor *x)
{
    if (x->op != &tn_op_transpose || x->type.shape.rank != IMAGE) return NULL;
    const int32_t *perm = ((const tn_transpose_node *)x->attrs)->perm;
    for (int d = 0; d < IMAGE; d++)
        if (perm[d] != tn_image_usual[d]) return NULL;
    return x->in[0];
}

/* An image of fewer dimensions has none of the first. */
static tn_tensor *as_image(tn_tensor *x)
{
    const tn_shape *now = &x->type.shape;
    tn_shape full = TN_SHAPE(1, 1, 1, 1);
    for (int32_t d = 0; d < now->rank; d++) full.dim[IMAGE - now->rank + d] = now->dim[d];
    return now->rank == IMAGE ? x : tn_reshape(x, full);
}

/* All of its elements come from fewer: it is never stored. */
static int is_stretched(const tn_tensor *x)
{
    int stretched = x->op->kind == TN_MAP && x->n_in > 0;
    for (uint32_t i = 0; i < x->n_in; i++)
        stretched &= tn_shape_count(&x->in[i]->type.shape) < tn_shape_count(&x->type.shape);
    return stretched;
}

static tn_tensor *laid(tn_tensor *x);

/* The same element by element, of operands with channels last. */
static tn_tensor *laid_map(tn_tensor *y)
{
    tn_tensor *in[TN_MAX_OPERANDS];
    for (uint32_t i = 0; i < y->n_in; i++) in[i] = y->in[i]->type.shape.rank ? laid(as_image(y->in[i])) : y->in[i];
    return y->op == &tn_op_broadcast ? tn_broadcast(in[0], last_shape(&y->type.shape))
                                     : tn_node(y->op, NULL, in, y->n_in, y->attrs);
}

/* An image with its channels last. */
static tn_tensor *laid(tn_tensor *x)
{
    tn_tensor *source = source_of(x);
    if (source) return source;
    if (x->op == &tn_op_full)
        return tn_full(x->graph, x->type.dtype, last_shape(&x->type.shape), ((const tn_full_attrs *)x->attrs)->value);
    return is_stretched(x) ? laid_map(x) : tn_image_to_last(x);
}

/* ---- what is laid out -------------------------------------------------------------------------------------------- */

static tn_tensor *lay_convolution(laying *l, tn_tensor *y)
{
    tn_conv_node at = *(const tn_conv_node *)y->attrs;
    const int is_weight = y->op == &tn_op_conv2d_weight;
    if (at.channels_last) return y;
    at.channels_last = 1;
    tn_tensor *in[2] = {laid(y->in[0]), is_weight ? laid(y->in[1]) : y->in[1]};
    tn_tensor *made = tn_node(y->op, NULL, in, 2, &at);
    if (tn_graph_status(y->graph)) return y;
    const int done = tn_is_done(l->target, made);
    *(done ? &l->laid : &l->refused) += 1;
    if (!done) return y;
    return is_weight ? made : tn_image_to_usual(made);
}

static int is_pooling(const tn_tensor *x)
{
    return x->op == &tn_op_maxpool2d || x->op == &tn_op_maxpool2d_grad || x->op == &tn_op_avgpool2d ||
           x->op == &tn_op_avgpool2d_grad;
}

/* Some operand has its channels last already. */
static int follows(const tn_tensor *y)
{
    int some = 0;
    for (uint32_t i = 0; i < y->n_in; i++) some |= source_of(y->in[i]) != NULL;
    return some;
}

static tn_tensor *lay_pooling(const laying *l, tn_tensor *y)
{
    tn_pool_node at = *(const tn_pool_node *)y->attrs;
    tn_tensor *in[2] = {NULL, NULL};
    if (!follows(y) || at.channels_last) return y;
    at.channels_last = 1;
    for (uint32_t i = 0; i < y->n_in; i++) in[i] = laid(y->in[i]);
    tn_tensor *made = tn_node(y->op, NULL, in, y->n_in, &at);
    return tn_graph_status(y->graph) || !tn_is_done(l->target, made) ? y : tn_image_to_usual(made);
}

static tn_tensor *lay_concat(tn_tensor *y)
{
    tn_concat_node at = *(const tn_concat_node *)y->attrs;
    tn_tensor *in[TN_MAX_OPERANDS];
    if (!follows(y)) return y;
    at.axis = (uint32_t)tn_image_usual[at.axis];
    for (uint32_t i = 0; i < y->n_in; i++) in[i] = laid(y->in[i]);
    return tn_image_to_usual(tn_node(y->op, NULL, in, y->n_in, &at));
}

/* A slice, or what is put among zeros. */
static tn_tensor *lay_slice(tn_tensor *y)
{
    const tn_slice_node *usual = y->attrs;
    tn_slice_node at = *usual;
    tn_tensor *x = source_of(y->in[0]);
    if (!x) return y;
    at.shape = last_shape(&usual->shape);
    for (int d = 0; d < IMAGE; d++)
        at.start[d] = usual->start[tn_image_last[d]], at.step[d] = usual->step[tn_image_last[d]];
    return tn_image_to_usual(tn_node(y->op, NULL, &x, 1, &at));
}

/* An operand of the result's shape has its channels last already. */
static tn_tensor *lay_map(tn_tensor *y)
{
    int moves = 0;
    for (uint32_t i = 0; i < y->n_in && y->type.shape.rank == IMAGE; i++)
        moves |= source_of(y->in[i]) && tn_shape_equal(&y->in[i]->type.shape, &y->type.shape);
    return moves ? tn_image_to_usual(laid_map(y)) : y;
}

static tn_tensor *lay_sum(tn_tensor *y)
{
    tn_tensor *x = source_of(y->in[0]);
    if (!x || !tn_sum_axes(y)) return y;
    return tn_reshape(tn_image_to_usual(tn_sum_turned(y, x, tn_image_last)), y->type.shape);
}

static tn_tensor *rule(void *arg, tn_tensor *y)
{
    if (tn_is_convolution(y)) return lay_convolution(arg, y);
    if (is_pooling(y)) return lay_pooling(arg, y);
    if (y->op->kind == TN_MAP) return lay_map(y);
    if (y->op == &tn_op_concat) return lay_concat(y);
    if (y->op == &tn_op_slice || y->op == &tn_op_unslice) return lay_slice(y);
    return y->op == &tn_op_reduce ? lay_sum(y) : y;
}

tn_status tn_lay_out(const tn_graph *graph, const tn_target *target, uint32_t *laid, uint32_t *refused, tn_graph **out)
{
    laying l = {.target = target};
    tn_graph *now = NULL;
    TN_TRY(tn_rewrite(graph, rule, &l, &now));
    const tn_status s = tn_simplify(now, out);
    tn_graph_free(now);
    *laid = l.laid, *refused = l.refused;
    return s;
}
