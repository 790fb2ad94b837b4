/* ir.c: making values, launches and slots. */
#include "ir.h"

#include <string.h>

tn_value *tn_ir_value(tn_ir *ir, tn_type type)
{
    tn_value *value = tn_region_alloc(&ir->region, sizeof *value);
    if (!value || tn_grow(&ir->value, &ir->value_capacity, ir->values + 1, sizeof *ir->value)) return NULL;
    value->type = type;
    value->bytes = (uint64_t)tn_shape_count(&type.shape) * tn_dtype_size(type.dtype);
    value->number = ir->values;
    return ir->value[ir->values++] = value;
}

/* The node, with texts that last as long as the ir. */
static tn_origin kept(tn_ir *ir, tn_origin origin)
{
    if (origin.name) origin.name = tn_region_print(&ir->region, "%s", origin.name);
    if (origin.scope) origin.scope = tn_region_print(&ir->region, "%s", origin.scope);
    return origin;
}

tn_launch *tn_ir_launch(tn_ir *ir, const tn_origin *origin)
{
    tn_launch *launch = tn_region_alloc(&ir->region, sizeof *launch);
    if (!launch || tn_grow(&ir->launch, &ir->launch_capacity, ir->launches + 1, sizeof *ir->launch)) return NULL;
    launch->origin = kept(ir, *origin);
    return ir->launch[ir->launches++] = launch;
}

static int is_like(const tn_scalar_slot *a, const tn_scalar_slot *b)
{
    return a->name && b->name && a->dtype == b->dtype && !strcmp(a->name, b->name);
}

tn_status tn_ir_slot(tn_ir *ir, const tn_scalar_slot *like, uint32_t *slot)
{
    for (*slot = 0; *slot < ir->slots; ++*slot)
        if (is_like(&ir->slot[*slot], like)) return TN_OK;
    const char *kept = like->name ? tn_region_print(&ir->region, "%s", like->name) : NULL;
    if (like->name && !kept) return TN_ENOMEM;
    TN_TRY(tn_grow(&ir->slot, &ir->slot_capacity, ir->slots + 1, sizeof *ir->slot));
    *slot = ir->slots++;
    ir->slot[*slot] = *like;
    ir->slot[*slot].name = kept;
    return TN_OK;
}

static void live_through(tn_value *value, uint32_t number)
{
    tn_value *root = tn_value_root(value);
    if (root->first > number) root->first = number;
    if (root->last < number) root->last = number;
}

void tn_ir_find_lives(tn_ir *ir)
{
    for (uint32_t i = 0; i < ir->values; i++) {
        ir->value[i]->first = UINT32_MAX;
        ir->value[i]->last = 0;
    }
    for (uint32_t i = 0; i < ir->launches; i++) {
        const tn_launch *l = ir->launch[i];
        for (uint32_t k = 0; k < l->operation.desc.n_in; k++) live_through(l->in[k], i);
        for (uint32_t k = 0; k < l->operation.desc.n_out; k++) live_through(l->out[k], i);
        if (l->scratch) live_through(l->scratch, i);
        if (l->kept) live_through(l->kept, i);
    }
}

int tn_has_filters(const tn_launch *launch)
{
    return launch->op == &tn_op_conv2d || launch->op == &tn_op_conv2d_data;
}

tn_value *tn_value_root(tn_value *value)
{
    while (value->base) value = value->base;
    return value;
}

uint64_t tn_value_at(const tn_value *value)
{
    uint64_t at = 0;
    for (; value->base; value = value->base) at += value->at;
    return at;
}

int tn_same_layout(const tn_tensor_desc *a, const tn_tensor_desc *b)
{
    return a->dtype == b->dtype && a->rank == b->rank && !memcmp(a->dim, b->dim, sizeof a->dim) &&
           !memcmp(a->stride, b->stride, sizeof a->stride);
}

void tn_ir_free(tn_ir *ir)
{
    tn_region_free(&ir->region);
    tn_free(ir->launch);
    tn_free(ir->value);
    tn_free(ir->slot);
    tn_free(ir->output);
    *ir = (tn_ir){0};
}
