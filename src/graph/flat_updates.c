/* flat_updates.c: updates everything at once: the maps that update the variables of a model, one a variable and all
 * alike, become one map over the range in which the variables lie. Their gradients are made to lie at the same
 * distances. */
#include <stdlib.h>
#include <string.h>

#include "ir.h"

/* A map that only writes variables, and where the first of them lies. */
typedef struct update {
    tn_launch *launch;
    uint32_t number; /* of the launch */
    uint32_t buffer;
    uint64_t offset;
    int64_t count;
    uint32_t run; /* how many from this one on become one launch */
} update;

typedef struct flattening {
    const tn_target *target;
    tn_ir *ir;
    update *update;
    uint32_t updates;
    uint32_t *writer; /* by value: 1 more than the number of the launch that writes its storage last */
    uint32_t *reader; /* and of the first after that one that reads it */
    uint64_t gap;     /* variables that follow each other begin at multiples of this */
} flattening;

/* Programs in which each element is treated like every other, wherever it lies. */
static int is_uniform(const tn_map_attrs *map)
{
    static const char *const by_place[] = {"iota", "uniform", "normal"};
    for (uint32_t i = 0; i < map->n_instr; i++)
        for (size_t k = 0; k < sizeof by_place / sizeof *by_place; k++)
            if (!strcmp(map->instr[i].op, by_place[k])) return 0;
    return 1;
}

static int is_dense_vector(const tn_tensor_desc *desc, int64_t count)
{
    return desc->rank == 1 && desc->dim[0] == count && desc->stride[0] == 1 && desc->dtype == TN_F32;
}

/* One number that all elements share, such as a factor that limits the gradients' norm. */
static int is_shared(const tn_tensor_desc *desc)
{
    return desc->rank == 1 && desc->stride[0] == 0;
}

static int is_update(const tn_launch *l)
{
    const tn_op_desc *d = &l->operation.desc;
    if (l->place || l->op != &tn_op_map || !is_uniform(&l->operation.attrs.map)) return 0;
    int64_t count = l->operation.out[0].dim[0];
    for (uint32_t i = 0; i < d->n_out; i++)
        if (tn_value_root(l->out[i])->home != TN_IN_STATE || !is_dense_vector(&d->out[i], count)) return 0;
    for (uint32_t i = 0; i < d->n_in; i++)
        if (!is_shared(&d->in[i]) && !is_dense_vector(&d->in[i], count)) return 0;
    return 1;
}

static tn_status where(const flattening *f, tn_value *value, uint32_t *buffer, uint64_t *offset)
{
    return f->target->find(f->target->self, tn_value_root(value)->name, buffer, offset);
}

static int by_position(const void *a, const void *b)
{
    const update *x = a, *y = b;
    if (x->buffer != y->buffer) return x->buffer < y->buffer ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static tn_status find_writers(flattening *f)
{
    f->writer = tn_region_alloc(&f->ir->region, (f->ir->values + 1) * sizeof *f->writer);
    f->reader = tn_region_alloc(&f->ir->region, (f->ir->values + 1) * sizeof *f->reader);
    if (!f->writer || !f->reader) return TN_ENOMEM;
    for (uint32_t i = 0; i < f->ir->launches; i++) {
        const tn_launch *l = f->ir->launch[i];
        for (uint32_t k = 0; k < l->operation.desc.n_in; k++) {
            uint32_t number = tn_value_root(l->in[k])->number;
            if (f->writer[number] && !f->reader[number]) f->reader[number] = i + 1;
        }
        for (uint32_t k = 0; k < l->operation.desc.n_out; k++) f->writer[tn_value_root(l->out[k])->number] = i + 1;
    }
    return TN_OK;
}

static tn_status find_updates(flattening *f)
{
    f->update = tn_region_alloc(&f->ir->region, (f->ir->launches + 1) * sizeof *f->update);
    if (!f->update) return TN_ENOMEM;
    for (uint32_t i = 0; i < f->ir->launches; i++) {
        tn_launch *l = f->ir->launch[i];
        if (l->transfer || !is_update(l)) continue;
        update *u = &f->update[f->updates++];
        *u = (update){.launch = l, .number = i, .count = l->operation.out[0].dim[0]};
        TN_TRY(where(f, l->out[0], &u->buffer, &u->offset));
    }
    qsort(f->update, f->updates, sizeof *f->update, by_position);
    return TN_OK;
}

static int same_program(const tn_launch *a, const tn_launch *b)
{
    const tn_map_attrs *x = &a->operation.attrs.map, *y = &b->operation.attrs.map;
    if (x->n_instr != y->n_instr || x->n_in != y->n_in || x->n_out != y->n_out || a->n_scalar != b->n_scalar) return 0;
    for (uint32_t i = 0; i < x->n_instr; i++)
        if (strcmp(x->instr[i].op, y->instr[i].op) ||
            memcmp(x->instr[i].arg, y->instr[i].arg, sizeof x->instr[i].arg) ||
            x->instr[i].dtype != y->instr[i].dtype || memcmp(&x->instr[i].value, &y->instr[i].value, sizeof(double)))
            return 0;
    return !memcmp(x->out, y->out, x->n_out * sizeof *x->out) &&
           !memcmp(a->slot, b->slot, a->n_scalar * sizeof *a->slot) &&
           !memcmp(a->operation.alias, b->operation.alias, x->n_out * sizeof *a->operation.alias);
}

/* In no group; or about to be in one. */
enum { LOOSE = -1, CLAIMED = -2 };

/* A temporary that can be put anywhere: stored by itself, and in no group. */
static int is_free(const tn_value *value)
{
    return !value->base && value->home == TN_IN_ARENA && value->group == LOOSE && !value->place;
}

/* The temporary that operand i is to be, or NULL: a number that all share, or a variable. */
static tn_value *temporary(const tn_launch *l, uint32_t i)
{
    tn_value *value = tn_value_root(l->in[i]);
    return is_shared(&l->operation.in[i]) || value->home == TN_IN_STATE ? NULL : value;
}

/* Temporaries lie at one place: the first `count` operands' are no longer an update's own. */
static void release(const update *u, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        tn_value *value = temporary(u->launch, i);
        if (value && value->group == CLAIMED) value->group = LOOSE;
    }
}

/* 1 if all of an update's temporaries are free; then they are its own. Two parameters may have one gradient. */
static int claim(const update *u)
{
    for (uint32_t i = 0; i < u->launch->operation.desc.n_in; i++) {
        tn_value *value = temporary(u->launch, i);
        if (value && !is_free(value)) {
            release(u, i);
            return 0;
        }
        if (value) value->group = CLAIMED;
    }
    return 1;
}

/* 1 if operand i of b lies as far from that of a as b's variable from a's. */
static int keeps_distance(const flattening *f, tn_value *a, tn_value *b, uint64_t distance)
{
    uint32_t buffer_a = 0, buffer_b = 0;
    uint64_t at_a = 0, at_b = 0;
    if (tn_value_root(a)->home != tn_value_root(b)->home) return 0;
    if (tn_value_root(a)->home != TN_IN_STATE) return 1; /* it can be put there, if nobody else claims it */
    if (where(f, a, &buffer_a, &at_a) || where(f, b, &buffer_b, &at_b)) return 0;
    return buffer_a == buffer_b && at_b - at_a == distance;
}

/* 1 if operand i is the same number for both, or lies at that distance. */
static int input_follows(const flattening *f, const tn_launch *a, const tn_launch *b, uint32_t i, uint64_t distance)
{
    if (is_shared(&a->operation.in[i]) != is_shared(&b->operation.in[i])) return 0;
    return is_shared(&a->operation.in[i]) ? a->in[i] == b->in[i] : keeps_distance(f, a->in[i], b->in[i], distance);
}

static int follows(const flattening *f, const update *a, const update *b)
{
    uint64_t distance = b->offset - a->offset, bytes = (uint64_t)a->count * sizeof(float);
    if (a->buffer != b->buffer || distance != (bytes + f->gap - 1) / f->gap * f->gap) return 0;
    if (!same_program(a->launch, b->launch)) return 0;
    for (uint32_t i = 0; i < a->launch->operation.desc.n_in; i++)
        if (!input_follows(f, a->launch, b->launch, i, distance)) return 0;
    for (uint32_t i = 0; i < a->launch->operation.desc.n_out; i++)
        if (!keeps_distance(f, a->launch->out[i], b->launch->out[i], distance)) return 0;
    return 1;
}

/* 1 if a launch of that number, 0 for none and else 1 too high, runs between an update and the last of them. */
static int is_between(const update *u, uint32_t launch, uint32_t last)
{
    return launch > u->number + 1 && launch <= last + 1;
}

/* 1 if nothing that runs between an update and the last of them needs what the update writes, or writes what it needs.
 */
static int can_wait(const flattening *f, const update *u, uint32_t last)
{
    const tn_launch *l = u->launch;
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++)
        if (is_between(u, f->reader[tn_value_root(l->out[i])->number], last)) return 0;
    for (uint32_t i = 0; i < l->operation.desc.n_in; i++)
        if (is_between(u, f->writer[tn_value_root(l->in[i])->number], last)) return 0;
    return 1;
}

/* The operand of all updates as one value. */
static tn_value *span(flattening *f, const update *u, uint32_t count, int64_t elements,
                      tn_value *(*operand)(tn_launch *, uint32_t), uint32_t i)
{
    tn_value *first = operand(u[0].launch, i);
    tn_value *value = tn_ir_value(f->ir, (tn_type){TN_F32, TN_SHAPE(elements)});
    if (!value) return NULL;
    if (tn_value_root(first)->home == TN_IN_STATE) {
        value->base = tn_value_root(first);
        return value;
    }
    if (tn_grow(&f->ir->group_bytes, &f->ir->group_capacity, f->ir->groups + 1, sizeof *f->ir->group_bytes))
        return NULL;
    f->ir->group_bytes[f->ir->groups] = value->bytes;
    for (uint32_t k = 0; k < count; k++) {
        tn_value *member = tn_value_root(operand(u[k].launch, i));
        member->group = (int32_t)f->ir->groups;
        member->in_group = u[k].offset - u[0].offset;
    }
    value->group = (int32_t)f->ir->groups++;
    return value;
}

static tn_value *input(tn_launch *l, uint32_t i)
{
    return l->in[i];
}

static tn_value *output(tn_launch *l, uint32_t i)
{
    return l->out[i];
}

static uint32_t last_of(const update *u, uint32_t count)
{
    uint32_t last = u[0].number;
    for (uint32_t i = 1; i < count; i++)
        if (u[i].number > last) last = u[i].number;
    return last;
}

static int64_t elements_of(const update *u, uint32_t count)
{
    return (int64_t)((u[count - 1].offset - u[0].offset) / sizeof(float)) + u[count - 1].count;
}

static void set_length(tn_launch *l, int64_t elements)
{
    for (uint32_t i = 0; i < l->operation.desc.n_in; i++) l->operation.in[i].dim[0] = elements;
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++) l->operation.out[i].dim[0] = elements;
}

/* 1 if the device takes the map over the whole range. */
static int is_taken(const flattening *f, const update *u, uint32_t count)
{
    tn_launch *one = f->ir->launch[last_of(u, count)];
    int64_t before = one->operation.out[0].dim[0];
    set_length(one, elements_of(u, count));
    int taken = f->target->supports(f->target->self, 0, &one->operation.desc);
    set_length(one, before);
    return taken;
}

/* How many updates from u on become one: those that are alike, unless one of them can't wait. */
static uint32_t find_run(const flattening *f, const update *u)
{
    uint32_t count = 1, fits;
    if (!claim(u)) return 1;
    while (&u[count] < &f->update[f->updates] && follows(f, &u[count - 1], &u[count]) && claim(&u[count])) count++;
    fits = count;
    for (uint32_t i = 0, last = last_of(u, count); i < count; i++)
        if (!can_wait(f, &u[i], last)) fits = 1;
    if (fits > 1 && !is_taken(f, u, count)) fits = 1;
    for (uint32_t i = 0; i < count && fits == 1; i++) release(&u[i], u[i].launch->operation.desc.n_in);
    return fits;
}

/* Makes one launch of `count` updates, in the place of the last; the others go. */
static tn_status unite(flattening *f, const update *u, uint32_t count)
{
    int64_t elements = elements_of(u, count);
    uint32_t last = last_of(u, count), fused = 0;
    tn_launch *one = f->ir->launch[last];
    tn_value *in[TN_MAX_OPERANDS], *out[TN_MAX_OPERANDS];
    uint32_t n_in = one->operation.desc.n_in, n_out = one->operation.desc.n_out;
    for (uint32_t i = 0; i < n_in; i++)
        if (!(in[i] = is_shared(&one->operation.in[i]) ? one->in[i] : span(f, u, count, elements, input, i)))
            return TN_ENOMEM;
    for (uint32_t i = 0; i < n_out; i++)
        if (!(out[i] = span(f, u, count, elements, output, i))) return TN_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        fused += u[i].launch->fused;
        if (u[i].number != last) f->ir->launch[u[i].number] = NULL;
    }
    memcpy(one->in, in, n_in * sizeof *in);
    memcpy(one->out, out, n_out * sizeof *out);
    set_length(one, elements);
    one->fused = fused;
    one->cost = tn_op_cost(&one->operation.desc);
    return TN_OK;
}

static void close_ranks(tn_ir *ir)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ir->launches; i++)
        if (ir->launch[i]) ir->launch[kept++] = ir->launch[i];
    ir->launches = kept;
}

tn_status tn_flat_updates(const tn_target *target, tn_ir *ir)
{
    flattening f = {.target = target, .ir = ir, .gap = ir->alignment};
    if (target->unfused) return TN_OK;
    TN_TRY(find_writers(&f));
    TN_TRY(find_updates(&f));
    for (uint32_t i = 0; i < f.updates; i += f.update[i].run) f.update[i].run = find_run(&f, &f.update[i]);
    for (uint32_t i = 0; i < f.updates; i += f.update[i].run)
        if (f.update[i].run > 1) TN_TRY(unite(&f, &f.update[i], f.update[i].run));
    close_ranks(ir);
    return TN_OK;
}
