/* map.c: the operator "map" of the plugin boundary, and the building of its programs. */
#include "map_internal.h"

#include <string.h>

#include "cases.h"
#include "check.h"
#include "merge.h"
#include "tenon/backend_check.h"

enum { INPUT_BASE = TN_MAX_OPERANDS }; /* while building, instruction i has the number INPUT_BASE + i */

/* ---- building ---- */

int32_t tn_map_compute_type(int32_t dtype)
{
    return tn_value_dtype(dtype);
}

static int32_t give_up(tn_map_builder *builder, const char *what)
{
    if (!builder->status) builder->status = tn_fail(TN_EUNSUPPORTED, "map: more %s than fit", what);
    return 0;
}

int32_t tn_map_input(tn_map_builder *builder, int32_t dtype)
{
    if (builder->n_in == TN_MAX_OPERANDS) return give_up(builder, "inputs");
    builder->in_dtype[builder->n_in] = tn_map_compute_type(dtype);
    return (int32_t)builder->n_in++;
}

void tn_map_output(tn_map_builder *builder, int32_t value)
{
    if (builder->n_out == TN_MAX_OPERANDS)
        (void)give_up(builder, "outputs");
    else
        builder->out[builder->n_out++] = value;
}

static int same_instr(const tn_map_instr *a, const tn_map_instr *b)
{
    return !strcmp(a->op, b->op) && !memcmp(a->arg, b->arg, sizeof a->arg) && a->dtype == b->dtype &&
           !memcmp(&a->value, &b->value, sizeof a->value);
}

/* An instruction that is there already is not added again. */
int32_t tn_emit(tn_map_builder *builder, const char *op, const int32_t arg[4], int32_t dtype, double value)
{
    tn_map_instr instr = {.op = op, .dtype = dtype, .value = value};
    memcpy(instr.arg, arg, sizeof instr.arg);
    for (uint32_t i = 0; i < builder->n_instr; i++)
        if (same_instr(&builder->instr[i], &instr)) return (int32_t)(INPUT_BASE + i);
    if (builder->n_instr == TN_MAX_INSTRS) return give_up(builder, "instructions");
    builder->instr[builder->n_instr] = instr;
    return (int32_t)(INPUT_BASE + builder->n_instr++);
}

static int same_scalar(const tn_map_scalar *a, const tn_map_scalar *b)
{
    return a->name && b->name ? !strcmp(a->name, b->name) : !a->name && !b->name && a->x == b->x;
}

static int32_t scalar_number(tn_map_builder *builder, tn_map_scalar scalar)
{
    for (uint32_t i = 0; i < builder->n_scalar; i++)
        if (same_scalar(&builder->scalar[i], &scalar)) return (int32_t)i;
    if (builder->n_scalar == TN_MAX_OPERANDS) return give_up(builder, "scalars");
    builder->scalar[builder->n_scalar] = scalar;
    return (int32_t)builder->n_scalar++;
}

int32_t tn_emit_scalar(tn_map_builder *builder, const char *name)
{
    return scalar_number(builder, (tn_map_scalar){.name = name});
}

int32_t tn_map_scalar_number(tn_map_builder *builder, const tn_tensor *x)
{
    return scalar_number(builder, (tn_map_scalar){.x = x});
}

static int32_t final_number(const tn_map_builder *builder, int32_t number)
{
    return number < INPUT_BASE ? number : number - INPUT_BASE + (int32_t)builder->n_in;
}

tn_status tn_map_finish(const tn_map_builder *builder, tn_region *region, tn_map_attrs *attrs)
{
    if (builder->status) return builder->status;
    tn_map_instr *instr = tn_region_alloc(region, builder->n_instr * sizeof *instr);
    int32_t *out = tn_region_alloc(region, builder->n_out * sizeof *out);
    if (!instr || !out) return TN_ENOMEM;
    for (uint32_t i = 0; i < builder->n_instr; i++) {
        instr[i] = builder->instr[i];
        for (int k = 0; k < 4 && tn_takes_values(instr[i].op); k++)
            instr[i].arg[k] = final_number(builder, instr[i].arg[k]);
    }
    for (uint32_t i = 0; i < builder->n_out; i++) out[i] = final_number(builder, builder->out[i]);
    *attrs = (tn_map_attrs){.size = sizeof *attrs,
                            .instr = instr,
                            .out = out,
                            .n_instr = builder->n_instr,
                            .n_in = builder->n_in,
                            .n_out = builder->n_out,
                            .n_scalar = builder->n_scalar};
    return TN_OK;
}

/* ---- merging dimensions ---- */

void tn_map_merge(tn_operation *o, uint32_t keep)
{
    tn_tensor_desc *operand[2 * TN_MAX_OPERANDS];
    int32_t becomes[TN_MAX_RANK];
    uint32_t count = 0, classes;
    for (uint32_t i = 0; i < o->desc.n_in; i++) operand[count++] = &o->in[i];
    for (uint32_t i = 0; i < o->desc.n_out; i++) operand[count++] = &o->out[i];
    if (!count) return;
    int64_t dim[TN_MAX_RANK];
    int32_t rank = operand[0]->rank;
    memcpy(dim, operand[0]->dim, sizeof dim);
    (void)tn_merge(dim, rank, 0, keep, operand, count, becomes, &classes);
}

/* ---- the operator ---- */

static double flops(const tn_op_desc *desc)
{
    const tn_map_attrs *attrs = desc->attrs;
    return (double)attrs->n_instr * (double)tn_desc_count(&desc->out[0]);
}

static void reference(const tn_reference_call *call)
{
    const tn_map_attrs *attrs = call->desc->attrs;
    const tn_tensor_desc *space = &call->desc->out[0];
    double value[TN_MAX_VALUES] = {0};
    int64_t place[TN_MAX_RANK] = {0}, count = tn_desc_count(space);
    tn_map_program program;
    tn_map_ready(&program, attrs);
    for (int64_t e = 0; e < count; e++) {
        for (uint32_t i = 0; i < attrs->n_in; i++) value[i] = call->in[i][e];
        tn_map_step_all(&program, &(tn_map_point){call->scalar, e, place, value});
        for (uint32_t i = 0; i < attrs->n_out; i++) call->out[i][e] = value[attrs->out[i]];
        tn_map_next(place, space->dim, space->rank);
    }
}

static tn_tensor *case_chain(tn_tensor *const in[])
{
    return tn_sub(tn_max(tn_mul(in[0], in[1]), in[2]), in[0]);
}

static tn_tensor *case_tree(tn_tensor *const in[])
{
    return tn_add(tn_mul(tn_tanh(in[0]), tn_sigmoid(in[1])), tn_mul(tn_square(in[0]), tn_number(in[0], 0.25)));
}

static const tn_op_case cases[] = {
    {"a chain", case_chain, {F32(7, 13), F32(7, 13), F32(7, 13)}},
    {"a chain over rows and columns", case_chain, {F32(31, 17), F32(17), F32(31, 1)}},
    {"a tree", case_tree, {F32(3, 41), F32(3, 41)}},
    {"a chain of whole numbers", case_chain, {I32(53), I32(53), I32(1)}, -9, 9, 1},
    {"one element", case_tree, {F32(1), F32(1)}},
    {"nothing", case_chain, {F32(0, 3), F32(3), F32(1)}},
    {0},
};

static const tn_field crosses[] = {TN_FIELD_NAMED(tn_map_attrs, instr, PROGRAM, ""), {0}};

const tn_op_def tn_op_map = {.name = "map",
                             .crosses = crosses,
                             .doc = "a program of element-wise operators",
                             .kind = TN_KERNEL,
                             .arity = -1,
                             .reference = reference,
                             .flops = flops,
                             .cases = cases};
