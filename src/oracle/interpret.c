/* interpret.c: see interpret.h. */
#include "interpret.h"

#include <string.h>

#include "check.h"
#include "composite.h"
#include "leaf.h"
#include "map.h"
#include "reference_internal.h"

/* An operator of a graph as a call of its reference. */
typedef struct call {
    tn_operation operation;
    const double *in[TN_MAX_OPERANDS];
    tn_scalar scalar[2];
} call;

static int64_t count_of(const tn_tensor *x)
{
    return tn_shape_count(&x->type.shape);
}

static double *numbers(tn_region *region, int64_t count)
{
    return tn_region_alloc(region, (size_t)count * sizeof(double) + 1);
}

/* As the element type keeps it, but for what f32 rounds: all is computed in double precision. */
static double as_stored(double x, int32_t dtype)
{
    return dtype == TN_F32 ? x : tn_kept_as(dtype, x);
}

/* ---- one operator of each kind ---- */

static void run(call *c, const tn_op_def *op, double *y)
{
    tn_op_desc *desc = &c->operation.desc;
    op->reference(&(tn_reference_call){desc, c->in, &y, c->scalar});
}

/* The operand as it is broadcast to y's shape. */
static const double *stretch(tn_region *room, const tn_tensor *x, const tn_tensor *y, const double *value)
{
    tn_tensor_desc from = tn_desc_dense(x->type.dtype, &x->type.shape), to = tn_desc_dense(0, &y->type.shape);
    double *all = numbers(room, count_of(y));
    for (int64_t e = 0; all && e < count_of(y); e++) all[e] = value[tn_stretched_index(&from, &to, e)];
    return all;
}

void tn_describe(const tn_tensor *y, tn_operation *o)
{
    for (uint32_t i = 0; i < y->n_in; i++) o->in[i] = tn_desc_dense(y->in[i]->type.dtype, &y->in[i]->type.shape);
    o->out[0] = tn_desc_dense(y->type.dtype, &y->type.shape);
    o->desc = (tn_op_desc){.size = sizeof o->desc, .name = y->op->name, .n_in = y->n_in, .n_out = 1};
    o->desc.in = o->in, o->desc.out = o->out;
    if (y->op->kind == TN_KERNEL && y->op->describe) y->op->describe(y, o);
    if (o->attrs.size) o->desc.attrs = &o->attrs;
}

/* Element-wise: the program of this one instruction. */
static tn_status run_map(const tn_tensor *y, call *c, tn_region *room, const double *const in[], double *value)
{
    tn_map_builder *builder = tn_region_alloc(room, sizeof *builder);
    tn_operation *o = &c->operation;
    int32_t arg[4] = {0};
    TN_REQUIRE(builder && y->n_in <= 4, TN_ENOMEM, "%s: out of memory, or too many operands", y->op->name);
    builder->rank = y->type.shape.rank;
    for (uint32_t i = 0; i < y->n_in; i++) {
        arg[i] = tn_map_input(builder, y->in[i]->type.dtype);
        o->in[i] = tn_desc_dense(y->in[i]->type.dtype, &y->type.shape);
        if (!(c->in[i] = stretch(room, y->in[i], y, in[i]))) return TN_ENOMEM;
    }
    tn_map_output(builder, y->op->emit(y, builder, arg));
    TN_TRY(tn_map_finish(builder, room, &o->attrs.map));
    o->desc.attrs = &o->attrs;
    run(c, &tn_op_map, value);
    return TN_OK;
}

/* The operand over its descriptor's dimensions, of which some may be stretched. */
static const double *spread(tn_region *room, const tn_tensor_desc *desc, const double *value)
{
    tn_tensor_desc from = *desc;
    double *all = numbers(room, tn_desc_count(desc));
    from.dtype = TN_F64;
    if (all && tn_desc_count(desc)) tn_reference_load(all, value, &from);
    return all;
}

/* Under its own name: with the descriptors that it has at the boundary. An operand that is a run-time scalar is one. */
static tn_status run_kernel(const tn_tensor *y, call *c, tn_region *room, const double *const in[], double *value)
{
    tn_operation *o = &c->operation;
    for (uint32_t i = 0; i < y->n_in; i++) c->in[i] = in[i];
    if (y->op->first_row) {
        o->desc.n_in = 1;
        c->scalar[0].i = (int64_t)*in[1];
        int64_t row = o->in[0].dim[0] ? y->op->first_row(&o->desc, c->scalar) : 0;
        c->in[0] += row * o->in[0].stride[0];
    }
    TN_TRY(tn_check_operation(&o->desc));
    for (uint32_t i = 0; i < o->desc.n_in && !y->op->first_row; i++)
        if (!(c->in[i] = spread(room, &o->in[i], in[i]))) return TN_ENOMEM;
    run(c, y->op, value);
    return TN_OK;
}

static tn_status run_composite(const tn_tensor *y, call *c, const double *const in[], double *value)
{
    for (uint32_t i = 0; i < y->n_in; i++) c->in[i] = in[i];
    c->operation.desc.attrs = y->attrs;
    run(c, y->op, value);
    return TN_OK;
}

/* ---- a tensor ---- */

static void begin(const tn_tensor *y, const tn_interpretation *with, call *c)
{
    memset(c, 0, sizeof *c);
    tn_describe(y, &c->operation);
    c->scalar[0].i = (int64_t)with->seed, c->scalar[1].i = (int64_t)with->step;
}

static tn_status run_operator(const tn_tensor *y, const tn_interpretation *with, const double *const in[],
                              double *value)
{
    call *c = tn_alloc(sizeof *c);
    tn_region room = {0};
    tn_status s = c ? TN_OK : TN_ENOMEM;
    if (!s && y->n_in > TN_MAX_OPERANDS) s = tn_fail(TN_EUNSUPPORTED, "%s of %u operands", y->op->name, y->n_in);
    if (!s && y->op->kind != TN_MAP && !y->op->reference) s = tn_fail(TN_EUNSUPPORTED, "no oracle of %s", y->op->name);
    if (!s) begin(y, with, c);
    if (!s && y->op->kind == TN_MAP) s = run_map(y, c, &room, in, value);
    if (!s && y->op->kind == TN_KERNEL) s = run_kernel(y, c, &room, in, value);
    if (!s && y->op->kind == TN_COMPOSITE) s = run_composite(y, c, in, value);
    tn_region_free(&room);
    tn_free(c);
    return s;
}

/* Zeros lie in between. */
static void pack(const tn_tensor *y, const double *const in[], double *value)
{
    int64_t start = 0;
    memset(value, 0, (size_t)count_of(y) * sizeof *value);
    for (uint32_t i = 0; i < y->n_in; i++) {
        memcpy(value + start, in[i], (size_t)count_of(y->in[i]) * sizeof *value);
        start = tn_pack_next(start, y->in[i]);
    }
}

/* Where a view begins in its operand. */
static int64_t start_of(const tn_tensor *view)
{
    return view->op == &tn_op_part ? ((const tn_part_node *)view->attrs)->start : 0;
}

tn_status tn_interpret_one(const tn_tensor *y, const tn_interpretation *with, const double *const in[], double *value)
{
    int64_t count = count_of(y);
    if (y->op == &tn_op_full)
        for (int64_t e = 0; e < count; e++) value[e] = ((const tn_full_attrs *)y->attrs)->value;
    else if (y->op == &tn_op_constant)
        TN_TRY(tn_constant_numbers(y, value));
    else if (y->op->kind == TN_LEAF)
        TN_TRY(with->leaf(with->arg, y, value));
    else if (y->op == &tn_op_pack)
        pack(y, in, value);
    else if (y->op->kind == TN_VIEW)
        memcpy(value, in[0] + start_of(y), (size_t)count * sizeof *value);
    else if (count)
        TN_TRY(run_operator(y, with, in, value));
    for (int64_t e = 0; e < count; e++) value[e] = as_stored(value[e], y->type.dtype);
    return TN_OK;
}

/* ---- the graph ---- */

/* A copy of an operand, which may be changed. */
static const double *changed(const tn_tensor *y, const tn_interpretation *with, tn_region *room, uint32_t i,
                             const double *value)
{
    double *copy = numbers(room, count_of(y->in[i]));
    if (!copy) return NULL;
    memcpy(copy, value, (size_t)count_of(y->in[i]) * sizeof *copy);
    with->operand(with->arg, y, i, copy);
    return copy;
}

static tn_status compute(const tn_tensor *y, const tn_interpretation *with, tn_values *values)
{
    tn_region room = {0};
    const double **in = tn_region_alloc(&room, y->n_in * sizeof *in + 1);
    double *value = values->value[y->id] = numbers(&values->region, count_of(y));
    tn_status s = in && value ? TN_OK : TN_ENOMEM;
    for (uint32_t i = 0; !s && i < y->n_in; i++) {
        in[i] = values->value[y->in[i]->id];
        if (with->operand && !(in[i] = changed(y, with, &room, i, in[i]))) s = TN_ENOMEM;
    }
    if (!s) s = tn_interpret_one(y, with, in, value);
    if (!s && with->result) with->result(with->arg, y, value);
    tn_region_free(&room);
    return s;
}

/* What it needs first: operands come before results, but for what a composite is made of. */
static tn_status visit(const tn_tensor *y, const tn_interpretation *with, tn_values *values)
{
    if (values->value[y->id]) return TN_OK;
    if (with->by_steps && y->lowered) {
        TN_TRY(visit(y->lowered, with, values));
        values->value[y->id] = values->value[y->lowered->id];
        return TN_OK;
    }
    for (uint32_t i = 0; i < y->n_in; i++) TN_TRY(visit(y->in[i], with, values));
    return compute(y, with, values);
}

tn_status tn_interpret(const tn_graph *graph, const tn_interpretation *with, tn_values *values)
{
    *values = (tn_values){0};
    TN_TRY(tn_graph_status(graph));
    values->value = tn_region_alloc(&values->region, graph->count * sizeof *values->value + 1);
    if (!values->value) return TN_ENOMEM;
    for (uint32_t i = 0; i < graph->count; i++) TN_TRY(visit(graph->tensor[i], with, values));
    return TN_OK;
}

void tn_values_free(tn_values *values)
{
    tn_region_free(&values->region);
    *values = (tn_values){0};
}
