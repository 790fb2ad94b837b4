/* place.c: gives each launch the first place whose device does it, and copies values across where places meet.
 * Place 0 is the state's device; the others are the fallbacks in their order. */
#include <string.h>

#include "error.h"
#include "ir.h"

/* Where a value can be found: its copy on each place, or NULL. */
typedef struct copies {
    tn_value *at[TN_PLACES];
} copies;

typedef struct placing {
    const tn_target *target;
    tn_ir *ir;
    copies *copy; /* by the number of the value in the ir as it was */
    uint32_t values;
    tn_origin origin; /* the node whose operands or results cross */
} placing;

static int is_part(const tn_value *value)
{
    return value->is_view && value->bytes != value->base->bytes;
}

/* The value itself, without reshapes. */
static tn_value *content(tn_value *value)
{
    while (value->is_view && !is_part(value)) value = value->base;
    return value;
}

static copies *copies_of(placing *p, const tn_value *value)
{
    return &p->copy[value->number];
}

static tn_value *twin(placing *p, const tn_value *value, int32_t place)
{
    tn_value *copy = tn_ir_value(p->ir, value->type);
    if (copy) copy->place = place;
    return copy;
}

static tn_status transfer(placing *p, tn_value *from, tn_value *to)
{
    tn_launch *launch = tn_ir_launch(p->ir, &p->origin);
    if (!launch) return TN_ENOMEM;
    launch->transfer = 1;
    launch->operation.desc.name = "transfer";
    launch->operation.desc.n_in = launch->operation.desc.n_out = 1;
    launch->in[0] = from;
    launch->out[0] = to;
    launch->place = to->place;
    return TN_OK;
}

/* The value on a place, brought there if need be. `made` is NULL while a value of place 0 is only on another place. */
static tn_status bring(placing *p, tn_value *value, int32_t place, tn_value **found)
{
    tn_value *plain = content(value), *whole;
    copies *c = copies_of(p, plain);
    if (is_part(plain) && !c->at[0]) {
        TN_TRY(bring(p, plain->base, 0, &whole));
        c->at[0] = plain;
    }
    if (!c->at[place]) {
        tn_value *to = place ? twin(p, plain, place) : plain, *from = NULL;
        for (int32_t i = 0; i < TN_PLACES && !from; i++) from = c->at[i];
        if (!to) return TN_ENOMEM;
        TN_TRY(transfer(p, from, to));
        c->at[place] = to;
    }
    *found = place ? c->at[place] : value;
    return TN_OK;
}

static int32_t choose(const placing *p, const tn_launch *launch)
{
    for (int32_t place = 0; place < p->target->places; place++)
        if (p->target->supports(p->target->self, place, &launch->operation.desc, &launch->origin)) return place;
    return -1;
}

/* On another place the outputs are values of their own. */
static tn_status move_outputs(placing *p, tn_launch *launch)
{
    for (uint32_t i = 0; i < launch->operation.desc.n_out; i++) {
        copies *c = copies_of(p, launch->out[i]);
        launch->operation.alias[i] = -1;
        if (!launch->place) {
            c->at[0] = launch->out[i];
            continue;
        }
        tn_value *moved = twin(p, launch->out[i], launch->place);
        if (!moved) return TN_ENOMEM;
        c->at[0] = NULL;
        launch->out[i] = c->at[launch->place] = moved;
    }
    return TN_OK;
}

static tn_status put(placing *p, tn_launch *launch)
{
    launch->place = choose(p, launch);
    p->origin = launch->origin;
    if (launch->place < 0)
        return tn_fail_at(tn_fail(TN_EUNSUPPORTED, "no device supports %s", launch->operation.desc.name), &p->origin);
    if (launch->place && p->target->refusal) {
        launch->refusal = tn_region_print(&p->ir->region, "%s", p->target->refusal(p->target->self));
        if (!launch->refusal) return TN_ENOMEM;
    }
    for (uint32_t i = 0; i < launch->operation.desc.n_in; i++)
        TN_TRY(bring(p, launch->in[i], launch->place, &launch->in[i]));
    tn_value *packed = launch->packs ? launch->out[0] : NULL;
    if (launch->place)
        TN_TRY(move_outputs(p, launch));
    else
        for (uint32_t i = 0; i < launch->operation.desc.n_out; i++)
            copies_of(p, launch->out[i])->at[0] = launch->out[i];
    TN_TRY(tn_grow(&p->ir->launch, &p->ir->launch_capacity, p->ir->launches + 1, sizeof *p->ir->launch));
    p->ir->launch[p->ir->launches++] = launch;
    return packed ? bring(p, packed, 0, &packed) : TN_OK;
}

/* 1 if it is on other places than the first alone. */
static int is_away(const copies *c)
{
    int elsewhere = 0;
    for (int32_t place = 1; place < TN_PLACES; place++) elsewhere |= c->at[place] != NULL;
    return elsewhere && !c->at[0];
}

/* Outputs and variables belong on place 0. */
static tn_status bring_home(placing *p)
{
    tn_value *home;
    p->origin = (tn_origin){0};
    for (uint32_t i = 0; i < p->values; i++) {
        tn_value *value = p->ir->value[i];
        int wanted = value->kept || value->home == TN_IN_STATE || (value->base && !value->is_view);
        if (wanted && is_away(&p->copy[i])) TN_TRY(bring(p, value, 0, &home));
    }
    return TN_OK;
}

tn_status tn_place(const tn_target *target, tn_ir *ir)
{
    placing p = {.target = target, .ir = ir, .values = ir->values};
    uint32_t count = ir->launches;
    tn_launch **launch = tn_region_alloc(&ir->region, (count + 1) * sizeof *launch);
    p.copy = tn_region_alloc(&ir->region, (ir->values + 1) * sizeof *p.copy);
    if (!launch || !p.copy) return TN_ENOMEM;
    if (count) memcpy(launch, ir->launch, count * sizeof *launch);
    ir->launches = 0;
    for (uint32_t i = 0; i < p.values; i++)
        if (ir->value[i]->home != TN_IN_ARENA || ir->value[i]->lasts) p.copy[i].at[0] = ir->value[i];
    for (uint32_t i = 0; i < count; i++) TN_TRY(put(&p, launch[i]));
    return bring_home(&p);
}
