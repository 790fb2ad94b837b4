/* ir.c: making values, launches and slots. */
#include "ir.h"

#include <string.h>

tn_value *tn_ir_value(tn_ir *ir, tn_type type)
{
    tn_value *value = tn_region_alloc(&ir->region, sizeof *value);
    if (!value || tn_grow(&ir->value, &ir->value_capacity, ir->values + 1, sizeof *ir->value)) return NULL;
    value->type = type;
    value->bytes = (uint64_t)tn_shape_count(&type.shape) * tn_dtype_size(type.dtype);
    value->group = -1;
    return ir->value[ir->values++] = value;
}

tn_launch *tn_ir_launch(tn_ir *ir)
{
    tn_launch *launch = tn_region_alloc(&ir->region, sizeof *launch);
    if (!launch || tn_grow(&ir->launch, &ir->launch_capacity, ir->launches + 1, sizeof *ir->launch)) return NULL;
    return ir->launch[ir->launches++] = launch;
}

tn_status tn_ir_slot(tn_ir *ir, const char *name, int32_t dtype, double value, uint32_t *slot)
{
    for (uint32_t i = 0; i < ir->slots; i++)
        if (!strcmp(ir->slot[i].name, name)) {
            *slot = i;
            return TN_OK;
        }
    TN_TRY(tn_grow(&ir->slot, &ir->slot_capacity, ir->slots + 1, sizeof *ir->slot));
    const char *kept = tn_region_print(&ir->region, "%s", name);
    if (!kept) return TN_ENOMEM;
    ir->slot[ir->slots] = (tn_scalar_slot){.name = kept, .dtype = dtype, .value = value};
    *slot = ir->slots++;
    return TN_OK;
}

tn_value *tn_value_root(tn_value *value)
{
    while (value->base) value = value->base;
    return value;
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
    tn_free(ir->group_bytes);
    *ir = (tn_ir){0};
}
