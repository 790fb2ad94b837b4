/* keep.c: finds products that have their second factor in common, as the steps of a recurrent layer have: if the device
 * wants to, the first of them keeps what it makes of that factor, such as a copy in the order of its loops, for those
 * that follow. And products and convolutions whose weight is the same in all runs, being a constant, or a variable of a
 * state that the program leaves alone: what is made of it is kept from one run to the next. */
#include "error.h"
#include "ir.h"

enum { FEWEST = 4 }; /* products for which it pays */

/* Products by what they multiply by. */
typedef struct keepers {
    uint32_t *newest; /* of a value by its number: the last launch that is the first of its like, from 1; 0: none */
    uint32_t *before; /* of such a launch: the one of the same factor before it, likewise */
    uint32_t *first;  /* of each launch that multiplies: the first of its like, likewise */
    uint32_t *uses;   /* of that one: how many are like it */
} keepers;

static int is_product(const tn_launch *l)
{
    return l->op == &tn_op_matmul && !l->place && !l->transfer;
}

static int is_convolution(const tn_launch *l)
{
    return tn_has_filters(l) && !l->place && !l->transfer;
}

/* But for what follows the product. */
static int are_alike(const tn_launch *a, const tn_launch *b)
{
    const tn_operation *x = &a->operation, *y = &b->operation;
    return tn_value_at(a->in[1]) == tn_value_at(b->in[1]) && tn_same_layout(&x->in[0], &y->in[0]) &&
           tn_same_layout(&x->in[1], &y->in[1]) && tn_same_layout(&x->out[0], &y->out[0]) &&
           x->attrs.matmul.trans_a == y->attrs.matmul.trans_a && x->attrs.matmul.trans_b == y->attrs.matmul.trans_b &&
           x->attrs.matmul.sums == y->attrs.matmul.sums && x->desc.precision == y->desc.precision;
}

static void find_first(const tn_ir *ir, keepers *k, uint32_t i)
{
    uint32_t *newest = &k->newest[tn_value_root(ir->launch[i]->in[1])->number], at = *newest;
    while (at && !are_alike(ir->launch[at - 1], ir->launch[i])) at = k->before[at - 1];
    if (!at) {
        k->before[i] = *newest;
        *newest = at = i + 1;
    }
    k->first[i] = at;
    k->uses[at - 1]++;
}

static int keeps(const tn_target *target, tn_launch *l)
{
    if (l->operation.desc.keeps) return 1;
    l->operation.desc.keeps = 1;
    if (target->supports(target->self, 0, &l->operation.desc, &l->origin)) return 1;
    l->operation.desc.keeps = 0;
    return 0;
}

int tn_changes_state(const tn_ir *ir)
{
    for (uint32_t i = 0; i < ir->launches; i++)
        for (uint32_t k = 0; k < ir->launch[i]->operation.desc.n_out; k++)
            if (tn_value_root(ir->launch[i]->out[k])->home == TN_IN_STATE) return 1;
    return 0;
}

/* For how long input 1 has the same elements. */
static int32_t stays(const tn_launch *l, int state_stays)
{
    const int has_weight = is_product(l) || is_convolution(l);
    const tn_value *root = has_weight ? tn_value_root(l->in[1]) : NULL;
    if (!root) return TN_STAYS_FOR_A_RUN;
    if (root->is_constant) return TN_STAYS_FOR_GOOD;
    return root->home == TN_IN_STATE && state_stays ? TN_STAYS_WITH_STATE : TN_STAYS_FOR_A_RUN;
}

static void find_lasting(const tn_target *target, const tn_ir *ir)
{
    const int state_stays = !tn_changes_state(ir);
    for (uint32_t i = 0; i < ir->launches; i++) {
        tn_launch *l = ir->launch[i];
        const int32_t how_long = stays(l, state_stays);
        if (!how_long || !keeps(target, l)) continue;
        l->stays = how_long;
        if (!l->keeper) l->keeper = l;
    }
}

/* Convolutions that come in rounds have the same weight in all of them. */
static void find_rounds(const tn_target *target, const tn_ir *ir)
{
    for (uint32_t i = 0; i < ir->launches; i++) {
        tn_launch *l = ir->launch[i];
        if (l->depth && is_convolution(l) && !l->keeper && keeps(target, l)) l->keeper = l;
    }
}

tn_status tn_find_keepers(const tn_target *target, tn_ir *ir)
{
    keepers k = {tn_region_alloc(&ir->region, (ir->values + 1) * sizeof *k.newest),
                 tn_region_alloc(&ir->region, (ir->launches + 1) * sizeof *k.before),
                 tn_region_alloc(&ir->region, (ir->launches + 1) * sizeof *k.first),
                 tn_region_alloc(&ir->region, (ir->launches + 1) * sizeof *k.uses)};
    if (!k.newest || !k.before || !k.first || !k.uses) return TN_ENOMEM;
    for (uint32_t i = 0; i < ir->launches; i++)
        if (is_product(ir->launch[i])) find_first(ir, &k, i);
    for (uint32_t i = 0; i < ir->launches; i++) {
        if (!k.first[i] || k.uses[k.first[i] - 1] < FEWEST) continue;
        tn_launch *l = ir->launch[i], *first = ir->launch[k.first[i] - 1];
        if ((l == first || first->keeper) && keeps(target, l)) l->keeper = first;
    }
    find_lasting(target, ir);
    find_rounds(target, ir);
    return TN_OK;
}
