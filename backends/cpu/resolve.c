/* resolve.c: one instruction of a map's program: the code for it, its arguments, and what it costs. */
#include "prog.h"

#include <string.h>

int32_t cpu_type_of(int32_t dtype)
{
    switch (dtype) {
#define X(NAME, name, bytes, VALUE, unit, smallest, largest, infinity)                                                 \
    case TN_##NAME:                                                                                                    \
        return CPU_##VALUE;
#include "tenon/dtype.def"
#undef X
    }
    return -1;
}

/* Simple operations that a row's element costs, read off its text. */
static double row_cost(const char *text, int type)
{
    static const struct {
        const char *word;
        double cost, cost64;
    } words[] = {{"pow", 80, 160},   {"erf", 20, 200}, {"tanh", 16, 200}, {"sin", 20, 150}, {"cos", 20, 150},
                 {"log1p", 16, 150}, {"exp", 8, 100},  {"log", 10, 100},  {"sqrt", 4, 8},   {"/", 3, 6}};
    double cost = 1;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(text, words[i].word)) cost += type == CPU_F64 ? words[i].cost64 : words[i].cost;
    return type == CPU_F64 ? 2 * cost : cost;
}

static double resolve_row(const tn_map_instr *instr, cpu_step *step)
{
    const tn_formula *formula = tn_formula_find(instr->op);
    const cpu_row *row = cpu_code->rows->row;
    while (*row->name != *instr->op || strcmp(row->name, instr->op)) row++;
    step->fn = row->fn[step->type];
    for (int k = 0; k < 2; k++) step->one[k] = row->one[k][step->type];
    for (int k = 0; k < 4; k++)
        if (tn_formula_names(formula, k)) step->arg[k] = instr->arg[k];
    return row_cost(row->text, step->type);
}

static double resolve_cast(const tn_map_instr *instr, cpu_step *step, const int32_t *type)
{
    step->arg[0] = instr->arg[0];
    step->fn = cpu_code->rows->cast[step->type][type[instr->arg[0]]];
    return 0;
}

static double resolve_where(const tn_map_instr *instr, cpu_step *step, const int32_t *type)
{
    for (int k = 0; k < 3; k++) step->arg[k] = instr->arg[k];
    step->fn = cpu_code->rows->where[step->type][type[instr->arg[0]]];
    return 0;
}

static double resolve_iota(const cpu_prog_desc *d, const tn_map_instr *instr, cpu_step *step)
{
    const int32_t along = instr->arg[0];
    step->special = cpu_iota;
    step->dim = d->dim[along];
    step->inner = 1;
    for (int k = along + 1; k < d->rank; k++) step->inner *= d->dim[k];
    return 0;
}

static double resolve_random(const tn_map_instr *instr, cpu_step *step, int normal)
{
    step->special = normal ? cpu_normal : cpu_uniform;
    step->dim = instr->arg[0], step->inner = instr->arg[1];
    step->stream = (uint32_t)instr->value;
    return normal ? 40 : 20;
}

double cpu_resolve(const cpu_prog_desc *d, const tn_map_instr *instr, cpu_step *step, const int32_t *type)
{
    const int special = tn_special_find(instr->op);
    step->type = cpu_type_of(instr->dtype);
    step->output = -1;
    for (int k = 0; k < CPU_STEP_ARGS; k++) step->arg[k] = -1;
    if (special < 0) return 1 + resolve_row(instr, step);
    if (special == TN_INSTR_CAST) return 1 + resolve_cast(instr, step, type);
    if (special == TN_INSTR_WHERE) return 1 + resolve_where(instr, step, type);
    if (special == TN_INSTR_IOTA) return 1 + resolve_iota(d, instr, step);
    return 1 + resolve_random(instr, step, special == TN_INSTR_NORMAL);
}
