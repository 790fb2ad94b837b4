/* narrow.c: stores what passes between kernels in 16 bits, where every kernel that touches it takes that. Kernels go on
 * computing in f32; what is summed up in place, the gradients of an update, and small tensors keep their type. */
#include "ir.h"

#define LEAST 1024 /* elements: below, precision is worth more than memory */

/* A temporary of f32 that only kernels of the first place may touch. */
static int may_be_narrow(const tn_value *root)
{
    return !root->base && root->home == TN_IN_ARENA && !root->place && root->group < 0 && !root->kept &&
           root->type.dtype == TN_F32 && tn_shape_count(&root->type.shape) >= LEAST;
}

/* Gives every operand of the launch that lies in root's storage that type; returns how many there are. */
static uint32_t set_operands(tn_launch *l, const tn_value *root, int32_t dtype)
{
    uint32_t touched = 0;
    tn_operation *o = &l->operation;
    for (uint32_t i = 0; i < o->desc.n_in; i++)
        if (tn_value_root(l->in[i]) == root) o->in[i].dtype = dtype, touched++;
    for (uint32_t i = 0; i < o->desc.n_out; i++)
        if (tn_value_root(l->out[i]) == root) o->out[i].dtype = dtype, touched++;
    return touched;
}

static void set_everywhere(tn_ir *ir, const tn_value *root, int32_t dtype)
{
    for (uint32_t i = 0; i < ir->launches; i++)
        if (set_operands(ir->launch[i], root, dtype)) ir->launch[i]->cost = tn_op_cost(&ir->launch[i]->operation.desc);
    for (uint32_t i = 0; i < ir->values; i++) {
        tn_value *value = ir->value[i];
        if (tn_value_root(value) != root) continue;
        value->type.dtype = dtype;
        value->bytes = (uint64_t)tn_shape_count(&value->type.shape) * tn_dtype_size(dtype);
    }
}

/* 1 if every launch takes root in that type. */
static int is_taken(const tn_target *target, tn_ir *ir, const tn_value *root, int32_t dtype)
{
    int taken = 1;
    for (uint32_t i = 0; i < ir->launches && taken; i++) {
        tn_launch *l = ir->launch[i];
        if (!set_operands(l, root, dtype)) continue;
        taken = !l->transfer && !l->place && target->supports(target->self, 0, &l->operation.desc);
    }
    for (uint32_t i = 0; i < ir->launches; i++) set_operands(ir->launch[i], root, TN_F32);
    return taken;
}

void tn_narrow_values(const tn_target *target, tn_ir *ir, int32_t dtype)
{
    for (uint32_t i = 0; i < ir->values; i++) {
        const tn_value *root = ir->value[i];
        if (may_be_narrow(root) && is_taken(target, ir, root, dtype)) set_everywhere(ir, root, dtype);
    }
}
