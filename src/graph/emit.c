/* emit.c: turns units into launches, in an order that serves all, and lets assignments write in place where they can.
 */
#include <stdlib.h>
#include <string.h>

#include "fuse.h"
#include "leaf.h"

/* ---- storage ---- */

static tn_status leaf_value(tn_fusion *f, const tn_tensor *x)
{
    tn_value *value = tn_ir_value(f->ir, x->type);
    if (!value || !(value->name = tn_region_print(&f->ir->region, "%s", x->name))) return TN_ENOMEM;
    value->home = x->op == &tn_op_variable ? TN_IN_STATE : TN_IN_INPUT;
    f->value[x->id] = value;
    return TN_OK;
}

static tn_status view_value(tn_fusion *f, const tn_tensor *x)
{
    tn_value *value = tn_ir_value(f->ir, x->type);
    if (!value) return TN_ENOMEM;
    value->base = f->value[x->in[0]->id];
    value->is_view = 1;
    f->value[x->id] = value;
    return TN_OK;
}

/* ---- scalars ---- */

/* A slot for a tensor that is one number: an input, or an expression, as a program of inputs. */
static tn_status scalar_slot(tn_fusion *f, tn_tensor *x, const char *name, uint32_t *slot)
{
    if (x->op == &tn_op_scalar)
        return tn_ir_slot(f->ir, x->name, x->type.dtype, ((const tn_scalar_attrs *)x->attrs)->value, slot);
    uint32_t before = f->ir->slots, arg[TN_MAX_OPERANDS] = {0};
    TN_TRY(tn_ir_slot(f->ir, name, x->type.dtype, 0, slot));
    if (f->ir->slots == before) return TN_OK;
    tn_map_attrs program = {0};
    const char *names[TN_MAX_OPERANDS];
    uint32_t count = 0;
    TN_TRY(tn_scalar_program(f, x, &program, names, &count));
    for (uint32_t i = 0; i < count; i++)
        TN_TRY(scalar_slot(f, f->graph->tensor[strtoul(names[i] + 1, NULL, 10)], names[i], &arg[i]));
    f->ir->slot[*slot].program = program;
    memcpy(f->ir->slot[*slot].arg, arg, sizeof arg);
    return TN_OK;
}

/* "#12" is tensor 12; other names are the state's seed and step. */
static tn_status bind_scalars(tn_fusion *f, const tn_unit *u, tn_launch *launch)
{
    launch->n_scalar = u->n_scalar;
    for (uint32_t i = 0; i < u->n_scalar; i++) {
        const char *name = u->scalar[i];
        if (*name != '#')
            TN_TRY(tn_ir_slot(f->ir, name, TN_I32, 0, &launch->slot[i]));
        else
            TN_TRY(scalar_slot(f, f->graph->tensor[strtoul(name + 1, NULL, 10)], name, &launch->slot[i]));
    }
    return TN_OK;
}

/* ---- launches ---- */

static tn_status ready(tn_fusion *f, tn_tensor *x);

/* Moves an operation, with the pointers that it has into itself. */
static void move_operation(tn_operation *to, const tn_operation *from)
{
    *to = *from;
    to->desc.in = to->in;
    to->desc.out = to->out;
    to->desc.alias = to->alias;
    to->desc.attrs = to->attrs.size ? &to->attrs : NULL;
}

static tn_status launch_unit(tn_fusion *f, uint32_t unit)
{
    tn_unit *u = tn_region_alloc(&f->ir->region, sizeof *u);
    if (!u) return TN_ENOMEM;
    TN_TRY(tn_unit_build(f, unit, u));
    for (uint32_t i = 0; i < u->n_in; i++) TN_TRY(ready(f, u->in[i]));
    tn_launch *launch = tn_ir_launch(f->ir);
    if (!launch) return TN_ENOMEM;
    move_operation(&launch->operation, &u->operation);
    launch->fused = u->fused;
    launch->cost = tn_op_cost(&launch->operation.desc);
    for (uint32_t i = 0; i < u->n_in; i++) launch->in[i] = f->value[u->in[i]->id];
    for (uint32_t i = 0; i < u->n_out; i++) {
        tn_value *value = tn_ir_value(f->ir, u->out[i]->type);
        if (!value) return TN_ENOMEM;
        launch->out[i] = f->value[u->out[i]->id] = value;
    }
    return bind_scalars(f, u, launch);
}

/* Sees to it that x is stored. */
static tn_status ready(tn_fusion *f, tn_tensor *x)
{
    if (f->value[x->id]) return TN_OK;
    if (x->op == &tn_op_variable || x->op == &tn_op_input) return leaf_value(f, x);
    if (x->op->kind == TN_VIEW) {
        TN_TRY(ready(f, x->in[0]));
        return view_value(f, x);
    }
    return launch_unit(f, x->id);
}

/* ---- assignments ---- */

static tn_status launch_copy(tn_fusion *f, tn_value *from, tn_value *to)
{
    tn_launch *launch = tn_ir_launch(f->ir);
    int32_t *out = tn_region_alloc(&f->ir->region, sizeof *out);
    if (!launch || !out) return TN_ENOMEM;
    tn_operation *o = &launch->operation;
    int64_t count = tn_shape_count(&from->type.shape);
    o->in[0] = o->out[0] = tn_desc_dense(from->type.dtype, &TN_SHAPE(count));
    o->alias[0] = -1;
    o->attrs.map = (tn_map_attrs){.size = sizeof(tn_map_attrs), .out = out, .n_in = 1, .n_out = 1};
    o->desc = (tn_op_desc){.size = sizeof o->desc,
                           .name = "map",
                           .in = o->in,
                           .out = o->out,
                           .n_in = 1,
                           .n_out = 1,
                           .attrs = &o->attrs,
                           .alias = o->alias};
    launch->in[0] = from;
    launch->out[0] = to;
    launch->fused = 1;
    launch->cost = tn_op_cost(&o->desc);
    return TN_OK;
}

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
        TN_TRY(launch_copy(f, source[i], saved));
        source[i] = saved;
    }
    return TN_OK;
}

/* Launch and output that make a value, or NULL. */
static tn_launch *maker(const tn_ir *ir, const tn_value *value, uint32_t *number, uint32_t *output)
{
    for (uint32_t i = 0; i < ir->launches; i++)
        for (uint32_t k = 0; k < ir->launch[i]->operation.desc.n_out; k++)
            if (ir->launch[i]->out[k] == value) {
                *number = i;
                *output = k;
                return ir->launch[i];
            }
    return NULL;
}

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

/* Makes the launch that computes `value` write it to the variable, if nothing after it needs the old value. */
static int write_in_place(tn_ir *ir, tn_value *value, tn_value *variable)
{
    uint32_t number = 0, output = 0, operand = 0;
    tn_launch *launch = value->base ? NULL : maker(ir, value, &number, &output);
    if (!launch || value->home != TN_IN_ARENA) return 0;
    for (uint32_t i = number + 1; i < ir->launches; i++)
        if (reads(ir->launch[i], variable, &operand)) return 0;
    int times = reads(launch, variable, &operand);
    if (times > 1) return 0;
    if (times) {
        if (strcmp(launch->operation.desc.name, "map")) return 0;
        if (!tn_same_layout(&launch->operation.in[operand], &launch->operation.out[output])) return 0;
        launch->operation.alias[output] = (int32_t)operand;
    }
    value->base = variable;
    return 1;
}

static tn_status assign(tn_fusion *f, tn_value *source[])
{
    for (uint32_t i = 0; i < f->graph->sinks; i++) {
        const tn_sink *sink = &f->graph->sink[i];
        if (!sink->variable) continue;
        if (!f->value[sink->variable->id]) TN_TRY(leaf_value(f, sink->variable));
        if (write_in_place(f->ir, source[i], f->value[sink->variable->id])) source[i] = NULL;
    }
    for (uint32_t i = 0; i < f->graph->sinks; i++) {
        const tn_sink *sink = &f->graph->sink[i];
        if (sink->variable && source[i]) TN_TRY(launch_copy(f, source[i], f->value[sink->variable->id]));
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
    for (int assigned = 0; assigned < 2; assigned++) /* what ends in variables comes last */
        for (uint32_t i = 0; i < f->graph->sinks; i++)
            if (!f->graph->sink[i].variable == !assigned) TN_TRY(ready(f, f->graph->sink[i].value));
    TN_TRY(save_old_values(f, source));
    TN_TRY(name_outputs(f, source));
    return assign(f, source);
}
