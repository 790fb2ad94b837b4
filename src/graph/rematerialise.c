/* rematerialise.c: decides which maps are computed again wherever they are used, instead of stored once and loaded.
 *
 * Most are a few operations on numbers, coordinates or small tensors. Others read one tensor that is stored in any
 * case, as do the centred values of a batch normalisation: a sum, the next layer and the backward pass then read the
 * picture itself, and nothing is written. */
#include "fuse.h"
#include "map.h"
#include "rows.h"

enum { MOST_OPERATIONS = 4, SMALL = 4 };

/* Coordinates or random numbers that are the same when they are made over this space. */
static int fits_space(const tn_tensor *x, const tn_shape *space)
{
    if (x->op != &tn_op_iota) return tn_shape_equal(&x->type.shape, space);
    for (int32_t d = 1; d <= x->type.shape.rank; d++)
        if (x->type.shape.dim[x->type.shape.rank - d] != space->dim[space->rank - d] &&
            x->type.shape.dim[x->type.shape.rank - d] != 1)
            return 0;
    return 1;
}

int tn_is_virtual(const tn_fusion *f, const tn_tensor *x, const tn_shape *space)
{
    if (f->scalar[x->id]) return 1;
    if (x->op->kind != TN_MAP) return 0;
    return x->n_in ? f->remade[x->id] && tn_shape_equal(&x->type.shape, space) : fits_space(x, space);
}

/* Sums, products and choices: no function is called, and nothing divided. */
static int is_light(const tn_tensor *x)
{
    const tn_row *row = tn_row_of(x->op);
    for (const char *at = row ? row->text : "/"; *at; at++) {
        int after_name =
            row && at > row->text && ((at[-1] >= 'a' && at[-1] <= 'z') || (at[-1] >= '0' && at[-1] <= '9'));
        if (*at == '/' || (*at == '(' && after_name)) return 0;
    }
    return 1;
}

/* x is stored whatever becomes of its users that are maps: another one reads it as it is. */
static int is_held(const tn_fusion *f, const tn_tensor *x)
{
    while (x->op->kind == TN_VIEW && x->op != &tn_op_pack) x = x->in[0];
    return x->op->kind != TN_LEAF && !f->scalar[x->id] && !f->remade[x->id] && x->n_in && f->read_as_is[x->id];
}

/* How many stored tensors of its own size x may read. None if it has a user that has to have it stored, or only one
 * that is a map, which it will be merged with. */
static uint32_t most_reads(const tn_fusion *f, const tn_tensor *x)
{
    uint32_t begin = f->user_begin[x->id], end = f->user_begin[x->id + 1], sums = 0;
    if (!is_light(x)) return 0;
    for (uint32_t u = begin; u < end; u++) {
        const tn_tensor *user = f->graph->tensor[f->user[u]];
        if (user->op != &tn_op_reduce && user->op->kind != TN_MAP) return 0;
        sums += user->op == &tn_op_reduce;
    }
    return end - begin > 1 ? 1 : 2 * sums;
}

/* What an operand of a map over that many elements costs to have again: 1 if it can be had, with its operations and
 * reads added up. */
static int add_operand(const tn_fusion *f, const tn_tensor *x, const tn_tensor *in, uint32_t *cost, uint32_t *reads)
{
    *cost += f->remade[in->id];
    *reads += f->reads[in->id];
    if (tn_is_virtual(f, in, &x->type.shape)) return 1;
    if (SMALL * tn_shape_count(&in->type.shape) <= tn_shape_count(&x->type.shape)) return 1;
    if (!tn_shape_equal(&in->type.shape, &x->type.shape) || !is_held(f, in)) return 0;
    ++*reads;
    return tn_map_compute_type(in->type.dtype) == in->type.dtype;
}

void tn_find_remade(tn_fusion *f)
{
    for (uint32_t i = 0; i < f->graph->count; i++) {
        const tn_tensor *x = f->graph->tensor[i];
        uint32_t cost = 1, reads = 0;
        int fit = f->live[i] && x->op->kind == TN_MAP && x->n_in && !f->scalar[i] && !f->sunk[i];
        fit = fit && tn_map_compute_type(x->type.dtype) == x->type.dtype; /* storing it rounds it */
        for (uint32_t k = 0; fit && k < x->n_in; k++) fit = add_operand(f, x, x->in[k], &cost, &reads);
        if (!fit || cost > MOST_OPERATIONS || (reads && reads > most_reads(f, x))) continue;
        f->remade[i] = (unsigned char)cost;
        f->reads[i] = (unsigned char)reads;
    }
}
