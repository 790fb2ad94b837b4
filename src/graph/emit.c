/* emit.c: turns units into launches, in an order that serves all, and lets assignments write in place where they can.
 */

#include <stdlib.h>

#include "fuse.h"
#include "leaf.h"

/* ---- storage ---- */

static tn_status constant_value(tn_fusion *f, const tn_tensor *x, tn_value *value)
{
    const tn_constant_attrs *at = x->attrs;
    value->home = TN_IN_INPUT;
    value->data = at->data;
    value->from = at->dtype;
    value->is_constant = 1;
    f->value[x->id] = value;
    return TN_OK;
}

static int has_memory(const tn_tensor *x)
{
    return x->op == &tn_op_variable || x->op == &tn_op_input || x->op == &tn_op_constant;
}

static tn_status leaf_value(tn_fusion *f, const tn_tensor *x)
{
    tn_value *value = tn_ir_value(f->ir, x->type);
    if (value && x->op == &tn_op_constant) return constant_value(f, x, value);
    if (!value || !(value->name = tn_region_print(&f->ir->region, "%s", x->name))) return TN_ENOMEM;
    value->home = x->op == &tn_op_variable ? TN_IN_STATE : TN_IN_INPUT;
    f->value[x->id] = value;
    return TN_OK;
}

/* Where a view begins in its operand: elements. */
static int64_t begin_of(const tn_tensor *x)
{
    if (x->op == &tn_op_part) return ((const tn_part_node *)x->attrs)->start;
    return x->op == &tn_op_slice ? tn_slice_stretch(x) : 0;
}

/* What its operand has anyway: a reshape, a part of a pack, a slice without a gap. */
static int is_view(const tn_tensor *x)
{
    return x->op->kind == TN_VIEW || (x->op == &tn_op_slice && tn_slice_stretch(x) >= 0);
}

static tn_status view_value(tn_fusion *f, const tn_tensor *x)
{
    tn_value *value = tn_ir_value(f->ir, x->type);
    if (!value) return TN_ENOMEM;
    value->base = f->value[x->in[0]->id];
    value->at = (uint64_t)begin_of(x) * tn_dtype_size(x->type.dtype);
    value->is_view = 1;
    f->value[x->id] = value;
    return TN_OK;
}

/* ---- scalars ---- */

static tn_status scalar_slot(tn_fusion *f, const tn_map_scalar *scalar, uint32_t *slot);

/* A slot for an expression, behind those of the scalars in it. */
static tn_status expression_slot(tn_fusion *f, tn_tensor *x, uint32_t *slot)
{
    tn_scalar_slot made = {.dtype = x->type.dtype};
    tn_map_scalar scalars[TN_MAX_OPERANDS];
    TN_TRY(tn_scalar_program(f, x, &made.program, scalars));
    for (uint32_t i = 0; i < made.program.n_scalar; i++) TN_TRY(scalar_slot(f, &scalars[i], &made.arg[i]));
    return tn_ir_slot(f->ir, &made, slot);
}

/* The slot of the state's number of that name, or of a tensor that is one number. */
static tn_status scalar_slot(tn_fusion *f, const tn_map_scalar *scalar, uint32_t *slot)
{
    tn_tensor *x = scalar->x ? f->graph->tensor[scalar->x->id] : NULL;
    if (!x) return tn_ir_slot(f->ir, &(tn_scalar_slot){.name = scalar->name, .dtype = TN_I32}, slot);
    if (!f->slot[x->id]) {
        if (x->op == &tn_op_scalar) {
            double value = ((const tn_scalar_attrs *)x->attrs)->value;
            TN_TRY(tn_ir_slot(f->ir, &(tn_scalar_slot){.name = x->name, .dtype = x->type.dtype, .value = value}, slot));
        } else
            TN_TRY(expression_slot(f, x, slot));
        f->slot[x->id] = *slot + 1;
    }
    *slot = f->slot[x->id] - 1;
    return TN_OK;
}

/* Long expressions are made of others, which come first. */
static tn_status make_slots(tn_fusion *f)
{
    uint32_t slot;
    for (uint32_t i = 0; i < f->graph->count; i++)
        if (f->live[i] && f->scalar[i] > TN_SHORT_SCALAR)
            TN_TRY(scalar_slot(f, &(tn_map_scalar){.x = f->graph->tensor[i]}, &slot));
    return TN_OK;
}

/* ---- launches ---- */

/* Moves an operation, with the pointers that it has into itself. */
static void move_operation(tn_operation *to, const tn_operation *from)
{
    *to = *from;
    to->desc.in = to->in;
    to->desc.out = to->out;
    to->desc.alias = to->alias;
    to->desc.attrs = to->attrs.size ? &to->attrs : NULL;
}

static tn_status launch_unit(tn_fusion *f, const tn_unit *u)
{
    tn_launch *launch = tn_ir_launch(f->ir, &u->about->origin);
    if (!launch) return TN_ENOMEM;
    launch->op = u->op;
    move_operation(&launch->operation, &u->operation);
    launch->fused = u->fused;
    launch->cost = tn_op_cost(&launch->operation.desc);
    for (uint32_t i = 0; i < u->n_in; i++) launch->in[i] = f->value[u->in[i]->id];
    for (uint32_t i = 0; i < u->n_out; i++) {
        tn_value *value = tn_ir_value(f->ir, u->out[i]->type);
        if (!value) return TN_ENOMEM;
        launch->out[i] = f->value[u->out[i]->id] = value;
    }
    launch->n_scalar = u->n_scalar;
    for (uint32_t i = 0; i < u->n_scalar; i++) TN_TRY(scalar_slot(f, &u->scalar[i], &launch->slot[i]));
    return TN_OK;
}

/* For the node that x is or stands for. */
static tn_status launch_copy(tn_fusion *f, const tn_tensor *x, tn_value *from, tn_value *to)
{
    tn_launch *launch = tn_ir_launch(f->ir, &x->origin);
    int32_t *out = tn_region_alloc(&f->ir->region, sizeof *out);
    if (!launch || !out) return TN_ENOMEM;
    tn_operation *o = &launch->operation;
    int64_t count = tn_shape_count(&from->type.shape);
    o->in[0] = o->out[0] = tn_desc_dense(from->type.dtype, &TN_SHAPE(count));
    o->alias[0] = -1;
    o->attrs.map = (tn_map_attrs){.size = sizeof(tn_map_attrs), .out = out, .n_in = 1, .n_out = 1};
    o->desc = (tn_op_desc){.size = sizeof o->desc,
                           .name = tn_op_map.name,
                           .in = o->in,
                           .out = o->out,
                           .n_in = 1,
                           .n_out = 1,
                           .attrs = &o->attrs,
                           .alias = o->alias};
    launch->op = &tn_op_map;
    launch->in[0] = from;
    launch->out[0] = to;
    launch->fused = 1;
    launch->cost = tn_op_cost(&o->desc);
    return TN_OK;
}

/* The pack, and copies of its operands to their places in it. */
static tn_status launch_pack(tn_fusion *f, const tn_tensor *x)
{
    uint64_t size = tn_dtype_size(x->type.dtype);
    tn_value *pack = tn_ir_value(f->ir, x->type);
    int64_t start = 0;
    if (!pack) return TN_ENOMEM;
    pack->lasts = 1;
    for (uint32_t i = 0; i < x->n_in; i++) {
        tn_value *place = tn_ir_value(f->ir, x->in[i]->type);
        if (!place) return TN_ENOMEM;
        place->base = pack;
        place->at = (uint64_t)start * size;
        TN_TRY(launch_copy(f, x->in[i], f->value[x->in[i]->id], place));
        f->ir->launch[f->ir->launches - 1]->packs = 1;
        start = tn_pack_next(start, x->in[i]);
    }
    f->value[x->id] = pack;
    return TN_OK;
}

/* A copy, which is all that one shard knows of the sum. */
static tn_status launch_crossing(tn_fusion *f, const tn_tensor *x)
{
    tn_value *sum = tn_ir_value(f->ir, x->type);
    if (!sum) return TN_ENOMEM;
    TN_TRY(launch_copy(f, x, f->value[x->in[0]->id], sum));
    f->ir->launch[f->ir->launches - 1]->crosses = 1;
    f->crossed = f->ir->launches;
    f->value[x->id] = sum;
    return TN_OK;
}

/* Tensors that are to be stored: the last one next. */
typedef struct waiting {
    tn_tensor **x;
    uint32_t count, room;
} waiting;

static int first_made_last(const void *a, const void *b)
{
    const tn_tensor *x = *(tn_tensor *const *)a, *y = *(tn_tensor *const *)b;
    return (x->id < y->id) - (x->id > y->id);
}

/* Adds those that have no storage, so that the first of them is next. */
static tn_status wait_for(const tn_fusion *f, tn_tensor *const in[], uint32_t count, waiting *w)
{
    TN_TRY(tn_grow(&w->x, &w->room, w->count + count, sizeof *w->x));
    for (uint32_t i = count; i-- > 0;)
        if (!f->value[in[i]->id]) w->x[w->count++] = in[i];
    return TN_OK;
}

/* A pack's operands come in the order in which they were made: gradients of the last layers first. */
static tn_status store_pack(tn_fusion *f, const tn_tensor *x, waiting *w)
{
    uint32_t before = w->count;
    TN_TRY(wait_for(f, x->in, x->n_in, w));
    qsort(w->x + before, w->count - before, sizeof *w->x, first_made_last);
    return w->count > before ? TN_OK : launch_pack(f, x);
}

/* Stores x, or sees to it that what it is made of is next. */
static tn_status store(tn_fusion *f, tn_tensor *x, waiting *w)
{
    uint32_t before = w->count;
    if (f->value[x->id]) return TN_OK;
    if (has_memory(x)) return leaf_value(f, x);
    if (x->op == &tn_op_pack) return store_pack(f, x, w);
    if (x->op == &tn_op_across) {
        TN_TRY(wait_for(f, x->in, x->n_in, w));
        return w->count > before ? TN_OK : launch_crossing(f, x);
    }
    if (is_view(x)) {
        TN_TRY(wait_for(f, x->in, 1, w));
        return w->count > before ? TN_OK : view_value(f, x);
    }
    TN_TRY(tn_unit_build(f, x->id, &f->ir->region, f->trial));
    TN_TRY(wait_for(f, f->trial->in, f->trial->n_in, w));
    return w->count > before ? TN_OK : launch_unit(f, f->trial);
}

/* Sees to it that x is stored. */
static tn_status ready(tn_fusion *f, tn_tensor *x)
{
    waiting w = {0};
    tn_status s = wait_for(f, &x, 1, &w);
    while (!s && w.count) {
        s = store(f, w.x[w.count - 1], &w);
        if (!s && f->value[w.x[w.count - 1]->id]) w.count--;
    }
    tn_free(w.x);
    return s;
}

/* ---- assignments ---- */

/* Values that are variables themselves are saved before anything is written. */
static tn_status save_old_values(tn_fusion *f, tn_value *source[])
{
    for (uint32_t i = 0; i < f->graph->sinks; i++) {
        const tn_sink *sink = &f->graph->sink[i];
        source[i] = f->value[sink->value->id];
        int moves = sink->variable || tn_value_root(source[i])->home == TN_IN_STATE;
        if (!moves || tn_value_root(source[i])->home == TN_IN_ARENA) continue;
        tn_value *saved = tn_ir_value(f->ir, source[i]->type);
        if (!saved) return TN_ENOMEM;
        TN_TRY(launch_copy(f, sink->value, source[i], saved));
        source[i] = saved;
    }
    return TN_OK;
}

/* Which of the launch's operands is the variable, as it was; returns how many. */
static int reads(const tn_launch *launch, const tn_value *variable, uint32_t *operand)
{
    int times = 0;
    for (uint32_t i = 0; i < launch->operation.desc.n_in; i++)
        if (tn_value_root(launch->in[i]) == variable) {
            *operand = i;
            times++;
        }
    return times;
}

/* 1 if a pack may be made in the variable: nothing else of the program touches it, what lies between the parts is zero
 * there, too, and no other run is under way while they are made, which may be earlier than it seems (settle.c). */
static int takes_pack(const tn_fusion *f, const tn_tensor *x)
{
    const uint32_t flags = ((const tn_variable_attrs *)x->attrs)->flags;
    return flags & TN_PACKS_ALONE && f->value[x->id]->first == UINT32_MAX && !f->crossed;
}

/* Makes the launch that computes `value` write it to the variable, if nothing after it needs the old value, and it is
 * no output, which lasts longer than the variable keeps it. Knows from tn_ir_find_lives who makes the one and last
 * reads the other. Several runs may be under way up to the last crossing: none writes before. */
static int write_in_place(const tn_fusion *f, tn_value *value, const tn_tensor *x)
{
    tn_value *variable = f->value[x->id];
    uint32_t output = 0, operand = 0;
    if (value->base || value->home != TN_IN_ARENA || value->kept) return 0;
    if (variable->last > value->first || value->first < f->crossed) return 0;
    if (value->lasts) {
        if (takes_pack(f, x)) value->base = variable;
        return value->base != NULL;
    }
    tn_launch *launch = f->ir->launch[value->first];
    while (launch->out[output] != value) output++;
    int times = reads(launch, variable, &operand);
    if (times > 1) return 0;
    if (times) {
        if (launch->op != &tn_op_map) return 0;
        if (!tn_same_layout(&launch->operation.in[operand], &launch->operation.out[output])) return 0;
        launch->operation.alias[output] = (int32_t)operand;
    }
    value->base = variable;
    return 1;
}

static tn_status assign(tn_fusion *f, tn_value *source[])
{
    for (uint32_t i = 0; i < f->graph->sinks; i++) {
        tn_tensor *variable = f->graph->sink[i].variable;
        if (variable && !f->value[variable->id]) TN_TRY(leaf_value(f, variable));
    }
    tn_ir_find_lives(f->ir);
    for (uint32_t i = 0; i < f->graph->sinks; i++) {
        const tn_sink *sink = &f->graph->sink[i];
        if (!sink->variable) continue;
        if (write_in_place(f, source[i], sink->variable)) source[i] = NULL;
    }
    for (uint32_t i = 0; i < f->graph->sinks; i++) {
        const tn_sink *sink = &f->graph->sink[i];
        if (sink->variable && source[i])
            TN_TRY(launch_copy(f, sink->variable, source[i], f->value[sink->variable->id]));
    }
    return TN_OK;
}

/* An output is the saved value where there is one, and lives to the end. */
static tn_status name_outputs(tn_fusion *f, tn_value *source[])
{
    for (uint32_t i = 0; i < f->graph->sinks; i++) {
        const char *name = f->graph->sink[i].name;
        if (!name) continue;
        TN_TRY(tn_grow(&f->ir->output, &f->ir->output_capacity, f->ir->outputs + 1, sizeof *f->ir->output));
        f->ir->output[f->ir->outputs++] = (tn_ir_output){tn_region_print(&f->ir->region, "%s", name), source[i]};
        tn_value_root(source[i])->kept = 1;
    }
    return TN_OK;
}

tn_status tn_emit_launches(tn_fusion *f)
{
    tn_value **source = tn_region_alloc(&f->ir->region, (f->graph->sinks + 1) * sizeof *source);
    if (!source) return TN_ENOMEM;
    TN_TRY(make_slots(f));
    for (int assigned = 0; assigned < 2; assigned++) /* what ends in variables comes last */
        for (uint32_t i = 0; i < f->graph->sinks; i++)
            if (!f->graph->sink[i].variable == !assigned) TN_TRY(ready(f, f->graph->sink[i].value));
    TN_TRY(save_old_values(f, source));
    TN_TRY(name_outputs(f, source));
    return assign(f, source);
}
