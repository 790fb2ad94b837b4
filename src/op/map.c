/* map.c: the operator "map" of the plugin boundary, and the building of its programs. */
#include "map_internal.h"

#include <string.h>

#include "cases.h"
#include "check.h"
#include "merge.h"

enum { INPUT_BASE = TN_MAX_OPERANDS }; /* while building, instruction i has the number INPUT_BASE + i */

/* ---- building ---- */

int32_t tn_map_compute_type(int32_t dtype)
{
    static const int32_t computed[] = {0, TN_F32, TN_I32, TN_I32, TN_F32, TN_F32, TN_F64};
    return tn_dtype_size(dtype) ? computed[dtype] : 0;
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

/* Instructions whose first arguments are no values: a scalar's number, a dimension. */
static int takes_values(const char *op)
{
    static const char *const others[] = {"const", "scalar", "iota", "uniform", "normal"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(op, others[i])) return 0;
    return 1;
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
        for (int k = 0; k < 4 && takes_values(instr[i].op); k++)
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

/* ---- checking ---- */

static tn_status check_instr(const char *op, const tn_map_attrs *attrs, const int32_t dtype[], uint32_t i, int32_t rank)
{
    const tn_map_instr *instr = &attrs->instr[i];
    int32_t before = (int32_t)(attrs->n_in + i);
    TN_REQUIRE(instr->op && tn_map_knows(instr), TN_EUNSUPPORTED, "%s: instruction '%s' in %s", op,
               instr->op ? instr->op : "", tn_dtype_name(instr->dtype));
    const tn_row *row = tn_row_named(instr->op);
    int is_where = !strcmp(instr->op, "where"), is_cast = !strcmp(instr->op, "cast");
    int32_t args = row ? row->n_arg : is_where ? 3 : is_cast;
    for (int32_t k = 0; k < args; k++) {
        int needed = !row || !row->is_gradient || tn_row_uses(row) >> k & 1;
        if (!needed) continue;
        TN_REQUIRE(instr->arg[k] >= 0 && instr->arg[k] < before, TN_EUNSUPPORTED,
                   "%s: value %d as argument of value %d", op, instr->arg[k], before);
        int any = is_cast || (is_where && !k);
        TN_REQUIRE(any || dtype[instr->arg[k]] == instr->dtype, TN_EUNSUPPORTED, "%s: %s of another element type", op,
                   instr->op);
    }
    if (takes_values(instr->op) || !strcmp(instr->op, "const")) return TN_OK;
    int is_iota = !strcmp(instr->op, "iota"), numbers = 1 + (*instr->op == 'u' || *instr->op == 'n');
    for (int k = 0; k < numbers; k++)
        TN_REQUIRE(instr->arg[k] >= 0 && instr->arg[k] < (is_iota ? rank : (int32_t)attrs->n_scalar), TN_EUNSUPPORTED,
                   "%s: %s of number %d", op, instr->op, instr->arg[k]);
    return TN_OK;
}

tn_status tn_map_check(const char *op, const tn_map_attrs *attrs, const tn_tensor_desc in[], uint32_t n_in,
                       int32_t first, int32_t rank)
{
    int32_t dtype[TN_MAX_VALUES];
    TN_REQUIRE(attrs->size >= sizeof *attrs && tn_attrs_known(attrs, sizeof *attrs), TN_EUNSUPPORTED,
               "%s: unknown attributes of a map", op);
    TN_REQUIRE(attrs->n_in == n_in + (first != 0) && attrs->n_in <= TN_MAX_OPERANDS &&
                   attrs->n_out <= TN_MAX_OPERANDS && attrs->n_instr <= TN_MAX_INSTRS,
               TN_EUNSUPPORTED, "%s: a program of %u inputs, %u outputs and %u instructions for %u operands", op,
               attrs->n_in, attrs->n_out, attrs->n_instr, n_in);
    if (first) dtype[0] = first;
    for (uint32_t i = 0; i < n_in; i++) dtype[i + (first != 0)] = tn_map_compute_type(in[i].dtype);
    for (uint32_t i = 0; i < attrs->n_instr; i++) {
        TN_TRY(check_instr(op, attrs, dtype, i, rank));
        dtype[attrs->n_in + i] = attrs->instr[i].dtype;
    }
    for (uint32_t i = 0; i < attrs->n_out; i++)
        TN_REQUIRE(attrs->out[i] >= 0 && attrs->out[i] < (int32_t)(attrs->n_in + attrs->n_instr), TN_EUNSUPPORTED,
                   "%s: value %d as output", op, attrs->out[i]);
    return TN_OK;
}

/* The type of a program's value. */
static int32_t value_type(const tn_op_desc *desc, int32_t value)
{
    const tn_map_attrs *attrs = desc->attrs;
    if (value < (int32_t)attrs->n_in) return tn_map_compute_type(desc->in[value].dtype);
    return attrs->instr[value - (int32_t)attrs->n_in].dtype;
}

static tn_status check(const tn_op_desc *desc)
{
    const tn_map_attrs *attrs = desc->attrs;
    TN_TRY(tn_check_attrs(desc, sizeof *attrs));
    TN_REQUIRE(desc->n_out >= 1 && desc->n_out == attrs->n_out, TN_EUNSUPPORTED, "map: %u outputs of %u", desc->n_out,
               attrs->n_out);
    for (uint32_t i = 0; i < desc->n_in; i++) {
        TN_TRY(tn_check_same(desc, &desc->in[i], &desc->out[0]));
        TN_TRY(tn_check_strides(desc, &desc->in[i]));
    }
    TN_TRY(tn_map_check("map", attrs, desc->in, desc->n_in, 0, desc->out[0].rank));
    for (uint32_t i = 0; i < desc->n_out; i++) {
        TN_TRY(tn_check_same(desc, &desc->out[i], &desc->out[0]));
        TN_TRY(tn_check_dense(desc, &desc->out[i], desc->out[0].rank));
        TN_REQUIRE(value_type(desc, attrs->out[i]) == tn_map_compute_type(desc->out[i].dtype), TN_EUNSUPPORTED,
                   "map: output %u is %s and its value is not", i, tn_dtype_name(desc->out[i].dtype));
    }
    return TN_OK;
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

const tn_op_def tn_op_map = {.name = "map",
                             .doc = "a program of element-wise operators",
                             .kind = TN_KERNEL,
                             .arity = -1,
                             .check = check,
                             .reference = reference,
                             .flops = flops,
                             .cases = cases};
