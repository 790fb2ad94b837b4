/* unit.c: builds the operator that a unit is: its map program, its descriptors, its operands. */
#include <stdlib.h>
#include <string.h>

#include "fuse.h"
#include "leaf.h"
#include "reduce.h"

/* A map's program while it is built over an iteration space. */
typedef struct program {
    tn_fusion *f;
    tn_unit *unit;
    tn_region *region;
    uint32_t members; /* the unit whose members are computed */
    const tn_shape *space;
    tn_map_builder builder;
    struct {
        const tn_tensor *x;
        int32_t number;
    } known[TN_MAX_INSTRS + TN_MAX_OPERANDS];
    uint32_t n_known;
    uint32_t has_iota;
} program;

static int by_number(const void *a, const void *b)
{
    const tn_tensor *x = *(tn_tensor *const *)a, *y = *(tn_tensor *const *)b;
    return (x->id > y->id) - (x->id < y->id);
}

/* The unit's members in order of their numbers. NULL if out of memory. */
static tn_tensor **members_of(const tn_fusion *f, uint32_t unit, tn_region *region, uint32_t *count)
{
    uint32_t n = 0, member = unit;
    do n++;
    while ((member = f->next[member]) != unit);
    tn_tensor **members = tn_region_alloc(region, n * sizeof *members);
    if (!members) return NULL;
    for (uint32_t i = 0; i < n; i++, member = f->next[member]) members[i] = f->graph->tensor[member];
    qsort(members, n, sizeof *members, by_number);
    *count = n;
    return members;
}

/* x as an operand over a space: broadcast dimensions have stride 0. */
static tn_tensor_desc over_space(const tn_tensor *x, const tn_shape *space)
{
    tn_tensor_desc dense = tn_desc_dense(x->type.dtype, &x->type.shape), desc = {.dtype = x->type.dtype};
    int32_t shift = space->rank - dense.rank;
    desc.rank = space->rank;
    for (int32_t d = 0; d < space->rank; d++) {
        desc.dim[d] = space->dim[d];
        desc.stride[d] = d < shift || dense.dim[d - shift] != space->dim[d] ? 0 : dense.stride[d - shift];
    }
    return desc;
}

static void remember(program *p, const tn_tensor *x, int32_t number)
{
    if (p->n_known < sizeof p->known / sizeof *p->known) {
        p->known[p->n_known].x = x;
        p->known[p->n_known++].number = number;
    }
}

static int32_t give_up(program *p)
{
    if (!p->builder.status) p->builder.status = TN_EUNSUPPORTED;
    return 0;
}

static int32_t fresh_input(program *p, tn_tensor *x)
{
    tn_unit *u = p->unit;
    if (u->n_in == TN_MAX_OPERANDS) return give_up(p);
    u->operation.in[u->n_in] = over_space(x, p->space);
    u->in[u->n_in++] = x;
    return tn_map_input(&p->builder, x->type.dtype);
}

static int32_t number_of(program *p, tn_tensor *x);

/* A value that is rounded when it is stored (u8, f16, bf16) has to be stored before it is used. */
static int32_t emitted(program *p, tn_tensor *x)
{
    int32_t arg[4] = {-1, -1, -1, -1};
    for (uint32_t i = 0; i < x->n_in; i++) {
        int32_t dtype = x->in[i]->type.dtype;
        if (p->f->unit[x->in[i]->id] == p->members && tn_map_compute_type(dtype) != dtype) give_up(p);
        if (p->builder.status) return 0;
        arg[i] = number_of(p, x->in[i]);
    }
    p->has_iota |= x->op == &tn_op_iota;
    return x->op->emit(x, &p->builder, arg);
}

static int32_t scalar_value(tn_map_builder *builder, const tn_tensor *x)
{
    int32_t none[4] = {-1, -1, -1, -1};
    if (x->op == &tn_op_full)
        return tn_emit(builder, "const", none, tn_map_compute_type(x->type.dtype),
                       ((const tn_full_attrs *)x->attrs)->value);
    none[0] = tn_map_scalar_number(builder, x);
    return tn_emit(builder, "scalar", none, tn_map_compute_type(x->type.dtype), 0);
}

/* The number of x's value in the program, computing what it needs first. */
static int32_t number_of(program *p, tn_tensor *x)
{
    int32_t number;
    for (uint32_t i = 0; i < p->n_known; i++)
        if (p->known[i].x == x) return p->known[i].number;
    if (p->f->scalar[x->id])
        number = scalar_value(&p->builder, x);
    else if (x->op == &tn_op_reshape && p->f->unit[x->id] == p->members)
        number = number_of(p, x->in[0]);
    else if (x->op->kind == TN_MAP && (p->f->unit[x->id] == p->members || tn_is_virtual(p->f, x, p->space)))
        number = emitted(p, x);
    else
        number = fresh_input(p, x);
    remember(p, x, number);
    return number;
}

static program *begin(tn_fusion *f, tn_unit *unit, tn_region *region, uint32_t members, const tn_shape *space)
{
    program *p = tn_alloc(sizeof *p);
    if (!p) return NULL;
    p->f = f;
    p->unit = unit;
    p->region = region;
    p->members = f->unit[members];
    p->space = space;
    p->builder.rank = space->rank;
    return p;
}

/* Program and scalars into the unit; frees p. */
static tn_status finish(program *p, tn_map_attrs *attrs)
{
    tn_unit *u = p->unit;
    tn_status s = tn_map_finish(&p->builder, p->region, attrs);
    u->n_scalar = p->builder.n_scalar;
    memcpy(u->scalar, p->builder.scalar, sizeof u->scalar);
    tn_free(p);
    return s;
}

/* ---- scalars ---- */

/* A scalar expression, operator by operator, up to those that have slots of their own. */
static int32_t expression(tn_map_builder *builder, const tn_fusion *f, tn_tensor *x)
{
    int32_t arg[4] = {-1, -1, -1, -1};
    for (uint32_t i = 0; i < x->n_in; i++) {
        tn_tensor *in = x->in[i];
        int is_given = in->op->kind != TN_MAP || f->scalar[in->id] > TN_SHORT_SCALAR;
        arg[i] = is_given ? scalar_value(builder, in) : expression(builder, f, in);
    }
    return x->op->emit(x, builder, arg);
}

/* Unlike in a kernel, where the whole expression is one scalar. */
tn_status tn_scalar_program(tn_fusion *f, tn_tensor *x, tn_map_attrs *attrs, tn_map_scalar scalars[])
{
    tn_map_builder *builder = tn_alloc(sizeof *builder);
    if (!builder) return TN_ENOMEM;
    tn_map_output(builder, expression(builder, f, x));
    tn_status s = tn_map_finish(builder, &f->ir->region, attrs);
    memcpy(scalars, builder->scalar, sizeof builder->scalar);
    tn_free(builder);
    return s;
}

/* ---- units ---- */

/* A rank of at least 1 for every operand, as backends expect. */
static void at_least_rank_1(tn_tensor_desc desc[], uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!desc[i].rank) desc[i].rank = 1, desc[i].dim[0] = desc[i].stride[0] = 1;
}

static void point(tn_unit *u)
{
    tn_op_desc *d = &u->operation.desc;
    *d = (tn_op_desc){.size = sizeof *d, .name = u->op->name, .n_in = u->n_in, .n_out = u->n_out};
    d->in = u->operation.in;
    d->out = u->operation.out;
    d->attrs = u->operation.attrs.size ? &u->operation.attrs : NULL;
    for (uint32_t i = 0; i < u->n_out; i++) u->operation.alias[i] = -1;
    d->alias = u->operation.alias;
}

/* Each member over its own shape: they are one, but for that of an epilogue behind a reshape. */
static tn_status add_outputs(program *p, tn_tensor *const member[], uint32_t count)
{
    tn_unit *u = p->unit;
    for (uint32_t i = 0; i < count; i++) {
        p->space = &member[i]->type.shape;
        int32_t number = number_of(p, member[i]);
        if (!tn_is_used_outside(p->f, member[i])) continue;
        if (u->n_out == TN_MAX_OPERANDS) return TN_EUNSUPPORTED;
        tn_map_output(&p->builder, number);
        u->operation.out[u->n_out] = tn_desc_dense(member[i]->type.dtype, p->space);
        u->out[u->n_out++] = member[i];
    }
    return TN_OK;
}

static tn_status build_map(tn_fusion *f, uint32_t unit, tn_region *region, tn_unit *u)
{
    uint32_t count = 0;
    tn_tensor **member = members_of(f, unit, region, &count);
    program *p = member ? begin(f, u, region, unit, &member[0]->type.shape) : NULL;
    if (!p) return TN_ENOMEM;
    tn_status s = add_outputs(p, member, count);
    uint32_t keep = p->has_iota ? ~0u : 0;
    tn_status finished = finish(p, &u->operation.attrs.map);
    if (s || finished) return s ? s : finished;
    u->op = &tn_op_map;
    u->fused = count;
    point(u);
    tn_map_merge(&u->operation, keep);
    at_least_rank_1(u->operation.in, u->n_in);
    at_least_rank_1(u->operation.out, u->n_out);
    return TN_OK;
}

static tn_status build_reduce(tn_fusion *f, uint32_t unit, tn_tensor *y, tn_region *region, tn_unit *u)
{
    uint32_t count = 0;
    tn_map_attrs *map = tn_region_alloc(region, sizeof *map);
    program *p = map && members_of(f, unit, region, &count) ? begin(f, u, region, unit, &y->in[0]->type.shape) : NULL;
    if (!p) return TN_ENOMEM;
    tn_map_output(&p->builder, number_of(p, y->in[0]));
    int merge = !p->has_iota;
    TN_TRY(finish(p, map));
    tn_reduce_space(y, &u->operation); /* the space and output before merging */
    u->operation.attrs.reduce.map = map;
    u->op = y->op;
    u->out[0] = y;
    u->n_out = 1;
    u->fused = count;
    point(u);
    if (merge) tn_reduce_merge(&u->operation);
    return TN_OK;
}

/* Dimensions from..to of an operand as one: its stride, or -1 if they can't be. */
static int64_t joined_stride(const tn_tensor_desc *desc, int32_t from, int32_t to)
{
    int64_t stride = 0, inner = 1;
    int found = 0;
    for (int32_t d = to; d >= from; d--) {
        if (desc->dim[d] == 1) continue;
        if (!found)
            stride = desc->stride[d], found = 1;
        else if (desc->stride[d] != stride * inner)
            return -1;
        inner *= desc->dim[d];
    }
    return stride;
}

/* An epilogue's operand over the result's own shape, as one over the (batch, m, n) that a product has at the boundary.
 */
static tn_status join(tn_tensor_desc *desc, const tn_tensor_desc *out)
{
    int32_t rank = desc->rank, folded = out->dim[0] == 1;
    tn_tensor_desc joined = *out;
    joined.dtype = desc->dtype;
    joined.stride[2] = desc->stride[rank - 1];
    joined.stride[1] = folded ? joined_stride(desc, 0, rank - 2) : desc->stride[rank - 2];
    joined.stride[0] = folded ? 0 : joined_stride(desc, 0, rank - 3);
    if (joined.stride[0] < 0 || joined.stride[1] < 0) return TN_EUNSUPPORTED;
    *desc = joined;
    return TN_OK;
}

static int has_own_dimensions(const tn_tensor_desc *desc, const tn_shape *shape)
{
    int same = desc->rank == shape->rank;
    for (int32_t d = 0; same && d < desc->rank; d++) same = desc->dim[d] == shape->dim[d];
    return same;
}

/* The map behind y, whose value 0 is y's result. Operators whose boundary has y's own dimensions take the operands as
 * they are. */
static tn_status build_epilogue(tn_fusion *f, tn_tensor *y, tn_region *region, tn_unit *u)
{
    uint32_t count = 0, first = u->n_in;
    tn_tensor **member = members_of(f, y->id, region, &count);
    tn_map_attrs *epilogue = tn_region_alloc(region, sizeof *epilogue);
    program *p = member && epilogue ? begin(f, u, region, y->id, &y->type.shape) : NULL;
    if (!p) return TN_ENOMEM;
    tn_tensor_desc result = u->operation.out[0];
    u->n_out = u->fused = 0;
    remember(p, y, tn_map_input(&p->builder, y->type.dtype));
    tn_status s = add_outputs(p, member, count);
    uint32_t has_iota = p->has_iota;
    tn_status finished = finish(p, epilogue);
    if (s || finished) return s ? s : finished;
    if (has_iota || u->n_out != 1) return TN_EUNSUPPORTED;
    for (uint32_t i = first; i < u->n_in && !has_own_dimensions(&result, &y->type.shape); i++)
        TN_TRY(join(&u->operation.in[i], &result));
    y->op->epilogue(&u->operation, epilogue);
    result.dtype = u->out[0]->type.dtype;
    u->operation.out[0] = result;
    for (uint32_t i = 0; i < count; i++) u->fused += member[i]->op->kind != TN_VIEW;
    return TN_OK;
}

/* y's kernel gives a sum of its operand as well. */
static tn_status build_sums(tn_fusion *f, tn_tensor *y, tn_unit *u)
{
    tn_tensor *z = f->graph->tensor[f->next[y->id]];
    if (!y->op->sums(y, z, &u->operation)) return TN_EUNSUPPORTED;
    u->out[1] = z;
    u->n_out = u->fused = 2;
    return TN_OK;
}

/* What a kernel does besides, if its unit has more members. */
static tn_status build_others(tn_fusion *f, tn_tensor *y, tn_region *region, tn_unit *u)
{
    uint32_t other = f->next[y->id];
    if (other == y->id) return TN_OK;
    return f->graph->tensor[other]->op == &tn_op_reduce ? build_sums(f, y, u) : build_epilogue(f, y, region, u);
}

/* A kernel: operands that are run-time scalars are passed as such. */
static tn_status build_kernel(tn_fusion *f, tn_tensor *y, tn_region *region, tn_unit *u)
{
    for (uint32_t i = 0; i < y->n_in; i++) {
        tn_tensor *x = y->in[i];
        if (f->scalar[x->id] && x->op != &tn_op_full && !x->type.shape.rank) {
            u->scalar[u->n_scalar++].x = x;
            continue;
        }
        u->operation.in[u->n_in] = tn_desc_dense(x->type.dtype, &x->type.shape);
        u->in[u->n_in++] = x;
    }
    u->operation.out[0] = tn_desc_dense(y->type.dtype, &y->type.shape);
    u->out[0] = y;
    u->n_out = u->fused = 1;
    if (y->op->describe) y->op->describe(y, &u->operation);
    TN_TRY(build_others(f, y, region, u));
    u->op = y->op;
    point(u);
    return TN_OK;
}

tn_status tn_unit_build(tn_fusion *f, uint32_t unit, tn_region *region, tn_unit *out)
{
    tn_tensor *anchor = f->anchor[f->unit[unit]], *x = f->graph->tensor[unit];
    memset(out, 0, sizeof *out);
    out->about = anchor ? anchor : x;
    if (anchor && anchor->op == &tn_op_reduce) return build_reduce(f, unit, anchor, region, out);
    if (anchor) return build_kernel(f, anchor, region, out);
    if (x->op->kind == TN_MAP || f->scalar[x->id]) return build_map(f, unit, region, out);
    return build_kernel(f, x, region, out);
}
