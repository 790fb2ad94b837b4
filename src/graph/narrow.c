/* narrow.c: stores what passes between kernels in 16 bits, where every kernel that touches it takes that. Kernels go on
 * computing in f32. Whatever becomes a variable or a loss keeps its type, fused or not, as do small tensors. */
#include "check.h"
#include "error.h"
#include "ir.h"

#include <string.h>

#define LEAST 1024 /* elements: below, precision is worth more than memory */

/* Which launches touch a value's storage: launch[begin[i] .. begin[i + 1] - 1] that of the value of number i. */
typedef struct narrowing {
    const tn_target *target;
    tn_ir *ir;
    uint32_t *begin;
    tn_launch **launch;
    uint8_t *exact;           /* of each value that has storage: it keeps its type */
    uint32_t narrow, refused; /* values */
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

/* ---- what keeps its type ---- */

static int is_called(const tn_launch *l, const char *name)
{
    return !strcmp(l->operation.desc.name, name);
}

/* Numbers pass through it as they are, or one by one. */
static int is_direct(const tn_launch *l)
{
    return l->transfer || l->op == &tn_op_map || l->op->traits & TN_MOVES;
}

/* Whether an output is kept exactly: it is a variable's, goes into one, or is one number: a loss, or a norm. */
static int makes_exact(const narrowing *n, const tn_launch *l)
{
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++) {
        const tn_value *root = tn_value_root(l->out[i]);
        if (root->home == TN_IN_STATE || n->exact[root->number] || tn_shape_count(&root->type.shape) == 1) return 1;
    }
    return 0;
}

/* The first input that must be exact for the outputs to be. A product takes factors that are rounded, and adds up in
 * f32; it is the first of its epilogue. So does a reduction to many numbers, which makes the gradients of biases. */
static uint32_t first_exact(const tn_launch *l)
{
    int adds_up_all = is_called(l, "reduce") && tn_shape_count(&l->out[0]->type.shape) == 1;
    if (is_direct(l) || adds_up_all) return 0;
    return is_called(l, "matmul") || is_called(l, "conv2d") ? 2 : l->operation.desc.n_in;
}

/* Backwards from the variables: what an optimizer makes of gradients, those themselves, the terms of a loss. */
static tn_status find_exact(narrowing *n)
{
    n->exact = tn_region_alloc(&n->ir->region, n->ir->values + 1);
    if (!n->exact) return TN_ENOMEM;
    for (uint32_t i = n->ir->launches; i-- > 0;) {
        const tn_launch *l = n->ir->launch[i];
        if (!makes_exact(n, l)) continue;
        for (uint32_t k = first_exact(l); k < l->operation.desc.n_in; k++)
            n->exact[tn_value_root(l->in[k])->number] = 1;
    }
    return TN_OK;
}

/* A temporary of f32 that only kernels of the first place may touch. */
static int may_be_narrow(const narrowing *n, const tn_value *root)
{
    return !root->base && root->home == TN_IN_ARENA && !root->place && !root->lasts && !root->kept &&
           !n->exact[root->number] && root->type.dtype == TN_F32 && tn_shape_count(&root->type.shape) >= LEAST;
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

/* Whether the launch can be as it is described now: not every operator mixes types. */
static int takes(narrowing *n, const tn_launch *l, int *refused)
{
    if (l->transfer || l->crosses || l->place || tn_check_operation(&l->operation.desc)) return 0;
    *refused = !n->target->supports(n->target->self, 0, &l->operation.desc, &l->origin);
    return !*refused;
}

/* Gives it to the operands of all launches if all of them take it. */
static void narrow(narrowing *n, tn_value *root, int32_t dtype)
{
    uint32_t begin = n->begin[root->number], end = n->begin[root->number + 1];
    int taken = 1, refused = 0;
    for (uint32_t i = begin; i < end && taken; i++) {
        set_operands(n->launch[i], root, dtype);
        taken = takes(n, n->launch[i], &refused);
    }
    for (uint32_t i = begin; i < end && !taken; i++) set_operands(n->launch[i], root, TN_F32);
    if (taken) root->type.dtype = dtype;
    n->narrow += (uint32_t)taken;
    n->refused += (uint32_t)refused;
}

tn_status tn_narrow_values(const tn_target *target, tn_ir *ir, int32_t dtype, uint32_t *narrowed, uint32_t *refused)
{
    narrowing n = {.target = target, .ir = ir};
    TN_TRY(find_launches(&n));
    TN_TRY(find_exact(&n));
    for (uint32_t i = 0; i < ir->values; i++)
        if (may_be_narrow(&n, ir->value[i])) narrow(&n, ir->value[i], dtype);
    for (uint32_t i = 0; i < ir->values; i++) {
        tn_value *value = ir->value[i], *root = tn_value_root(value);
        if (root->type.dtype != dtype || root->home != TN_IN_ARENA) continue;
        value->at = value->at / tn_dtype_size(value->type.dtype) * tn_dtype_size(dtype);
        value->type.dtype = dtype;
        value->bytes = (uint64_t)tn_shape_count(&value->type.shape) * tn_dtype_size(dtype);
    }
    for (uint32_t i = 0; i < ir->launches; i++)
        if (!ir->launch[i]->transfer) ir->launch[i]->cost = tn_op_cost(&ir->launch[i]->operation.desc);
    *narrowed = n.narrow;
    *refused = n.refused;
    return TN_OK;
}
