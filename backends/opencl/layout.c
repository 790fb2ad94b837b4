/* layout.c: what follows a product, and iteration spaces with neighbouring dimensions merged. */
#include "opencl.h"

#include <string.h>

/* ---- programs ---------------------------------------------------------------------------------------------------- */

tn_mapping ocl_epilogue(const ocl_build *build)
{
    static const int32_t out = 0;
    static const tn_map_attrs as_it_is = {.size = sizeof as_it_is, .out = &out, .n_in = 1, .n_out = 1};
    const tn_tensor_desc *y = &build->desc->out[0];
    if (build->facts->mapping.map) return build->facts->mapping;
    return (tn_mapping){&as_it_is, NULL, 1, tn_value_dtype(build->facts->dtype), y->rank, y->dim};
}

int32_t ocl_check_over(const ocl_build *build)
{
    const tn_op_desc *desc = build->desc;
    const int32_t over = desc->alias ? desc->alias[0] : -1;
    if (over < 0) return TN_OK;
    if (over > 1 && desc->in[over].dtype == desc->out[0].dtype && tn_desc_loose(&desc->in[over], 0) < 0) return TN_OK;
    return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: not in the place of input %d", desc->name, over);
}

uint64_t ocl_map_pinned(const tn_map_attrs *map)
{
    uint64_t pinned = 0;
    for (uint32_t i = 0; i < map->n_instr; i++)
        if (tn_special_find(map->instr[i].op) == TN_INSTR_IOTA) pinned |= 1ull << map->instr[i].arg[0];
    return pinned;
}

/* ---- iteration spaces -------------------------------------------------------------------------------------------- */

void ocl_space_begin(ocl_space *space, int32_t rank, const int64_t *dim, uint32_t reduced)
{
    *space = (ocl_space){.rank = rank};
    for (int d = 0; d < rank; d++) {
        space->dim[d] = dim[d];
        space->reduced[d] = reduced >> d & 1;
        space->place[d] = d;
    }
}

void ocl_space_operand(ocl_space *space, const tn_tensor_desc *t, int is_output, int shares)
{
    ocl_operand *o = is_output ? &space->out[space->n_out++] : &space->in[space->n_in++];
    *o = (ocl_operand){.dtype = t->dtype, .shares = shares};
    memcpy(o->stride, t->stride, sizeof o->stride);
}

static void drop(ocl_space *space, int d)
{
    for (int k = d; k + 1 < space->rank; k++) {
        space->dim[k] = space->dim[k + 1];
        space->reduced[k] = space->reduced[k + 1];
        space->place[k] = space->place[k + 1];
        for (uint32_t i = 0; i < space->n_in; i++) space->in[i].stride[k] = space->in[i].stride[k + 1];
        for (uint32_t i = 0; i < space->n_out; i++) space->out[i].stride[k] = space->out[i].stride[k + 1];
    }
    space->rank--;
}

static int pinned(const ocl_space *space, int d)
{
    return (int)(space->pinned >> space->place[d] & 1);
}

static int mergeable(const ocl_space *space, int d)
{
    if (pinned(space, d) || pinned(space, d + 1) || space->reduced[d] != space->reduced[d + 1]) return 0;
    for (uint32_t i = 0; i < space->n_in; i++)
        if (space->in[i].stride[d] != space->in[i].stride[d + 1] * space->dim[d + 1]) return 0;
    for (uint32_t i = 0; i < space->n_out; i++)
        if (space->out[i].stride[d] != space->out[i].stride[d + 1] * space->dim[d + 1]) return 0;
    return 1;
}

static void find_dense(const ocl_space *space, ocl_operand *o)
{
    int64_t stride = 1;
    o->dense = 1;
    for (int d = space->rank - 1; d >= 0; d--) {
        if (space->dim[d] == 1) o->stride[d] = stride; /* never used: as if dense */
        if (o->stride[d] != stride) o->dense = 0;
        stride *= space->dim[d];
    }
}

/* Indices of 32 bits do where twice the space fits. */
static int is_wide(const ocl_space *space)
{
    int64_t total = 1;
    for (int d = 0; d < space->rank; d++) total *= space->dim[d];
    int wide = total > INT32_MAX / 2;
    for (uint32_t i = 0; i < space->n_in; i++)
        for (int d = 0; d < space->rank; d++) wide |= space->in[i].stride[d] * space->dim[d] > INT32_MAX / 2;
    return wide;
}

void ocl_space_merge(ocl_space *space)
{
    for (int d = space->rank - 1; d >= 0; d--)
        if (space->dim[d] == 1 && !pinned(space, d)) drop(space, d);
    for (int d = space->rank - 2; d >= 0; d--) {
        if (!mergeable(space, d)) continue;
        space->dim[d + 1] *= space->dim[d];
        drop(space, d);
    }
    if (!space->rank) {
        space->rank = 1;
        space->dim[0] = 1;
        space->reduced[0] = 0;
        space->place[0] = 0;
    }
    for (uint32_t i = 0; i < space->n_in; i++) find_dense(space, &space->in[i]);
    for (uint32_t i = 0; i < space->n_out; i++) find_dense(space, &space->out[i]);
    space->wide = is_wide(space);
}
