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

/* Which launches touch a value's storage: launch[begin[i] .. begin[i + 1] - 1] that of the value of number i. */
typedef struct narrowing {
    const tn_target *target;
    tn_ir *ir;
    uint32_t *begin;
    tn_launch **launch;
} narrowing;

/* Calls `see` for the storage of each operand of each launch. */
static void each_operand(narrowing *n, void (*see)(narrowing *n, const tn_value *root, tn_launch *l))
{
    for (uint32_t i = 0; i < n->ir->launches; i++) {
        tn_launch *l = n->ir->launch[i];
        for (uint32_t k = 0; k < l->operation.desc.n_in; k++) see(n, tn_value_root(l->in[k]), l);
        for (uint32_t k = 0; k < l->operation.desc.n_out; k++) see(n, tn_value_root(l->out[k]), l);
    }
}

static void count(narrowing *n, const tn_value *root, tn_launch *l)
{
    (void)l;
    n->begin[root->number + 2]++;
}

/* begin[i + 1] is where the next one of value i goes; in the end, where those of value i + 1 begin. */
static void list(narrowing *n, const tn_value *root, tn_launch *l)
{
    n->launch[n->begin[root->number + 1]++] = l;
}

static tn_status find_launches(narrowing *n)
{
    n->begin = tn_region_alloc(&n->ir->region, (n->ir->values + 2) * sizeof *n->begin);
    if (!n->begin) return TN_ENOMEM;
    each_operand(n, count);
    for (uint32_t i = 0; i < n->ir->values; i++) n->begin[i + 2] += n->begin[i + 1];
    n->launch = tn_region_alloc(&n->ir->region, (n->begin[n->ir->values + 1] + 1) * sizeof(tn_launch *));
    if (!n->launch) return TN_ENOMEM;
    each_operand(n, list);
    return TN_OK;
}

/* Gives every operand of the launch that lies in root's storage that type. */
static void set_operands(tn_launch *l, const tn_value *root, int32_t dtype)
{
    tn_operation *o = &l->operation;
    for (uint32_t i = 0; i < o->desc.n_in; i++)
        if (tn_value_root(l->in[i]) == root) o->in[i].dtype = dtype;
    for (uint32_t i = 0; i < o->desc.n_out; i++)
        if (tn_value_root(l->out[i]) == root) o->out[i].dtype = dtype;
}

/* Gives it to the operands of all launches if all of them take it. */
static int narrow(narrowing *n, tn_value *root, int32_t dtype)
{
    uint32_t begin = n->begin[root->number], end = n->begin[root->number + 1];
    int taken = 1;
    for (uint32_t i = begin; i < end && taken; i++) {
        tn_launch *l = n->launch[i];
        set_operands(l, root, dtype);
        taken = !l->transfer && !l->place && n->target->supports(n->target->self, 0, &l->operation.desc);
    }
    for (uint32_t i = begin; i < end && !taken; i++) set_operands(n->launch[i], root, TN_F32);
    return taken;
}

tn_status tn_narrow_values(const tn_target *target, tn_ir *ir, int32_t dtype)
{
    narrowing n = {.target = target, .ir = ir};
    TN_TRY(find_launches(&n));
    for (uint32_t i = 0; i < ir->values; i++)
        if (may_be_narrow(ir->value[i]) && narrow(&n, ir->value[i], dtype)) ir->value[i]->type.dtype = dtype;
    for (uint32_t i = 0; i < ir->values; i++) {
        tn_value *value = ir->value[i], *root = tn_value_root(value);
        if (root->type.dtype != dtype || root->home != TN_IN_ARENA) continue;
        value->type.dtype = dtype;
        value->bytes = (uint64_t)tn_shape_count(&value->type.shape) * tn_dtype_size(dtype);
    }
    for (uint32_t i = 0; i < ir->launches; i++)
        if (!ir->launch[i]->transfer) ir->launch[i]->cost = tn_op_cost(&ir->launch[i]->operation.desc);
    return TN_OK;
}
