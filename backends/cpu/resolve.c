/* resolve.c: one instruction of a map's program: its name looked up, its arguments and types checked. */
#include "prog.h"

#include <ctype.h>
#include <string.h>

int32_t cpu_type_of(int32_t dtype)
{
    static const int32_t type[] = {-1, CPU_F32, CPU_I32, CPU_I32, CPU_F32, CPU_F32, CPU_F64};
    return dtype > 0 && dtype <= TN_F64 ? type[dtype] : -1;
}

/* Whether a row's text names the identifier. */
static int names(const char *text, const char *name)
{
    const size_t n = strlen(name);
    for (const char *at = strstr(text, name); at; at = strstr(at + 1, name)) {
        const int inside = at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '_' || at[-1] == '.');
        if (!inside && !isalnum((unsigned char)at[n]) && at[n] != '_') return 1;
    }
    return 0;
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

static int32_t bad_arg(const cpu_prog_desc *d, const tn_map_instr *instr, int k, tn_msg *msg)
{
    return cpu_fail(msg, TN_EINVAL, "%s: argument %d of '%s' is %d", d->op, k, instr->op, instr->arg[k]);
}

/* Checks that argument k is an earlier value, of the given type unless type is negative. */
static int32_t check_arg(const cpu_prog_desc *d, const tn_map_instr *instr, int k, const int32_t *type, int32_t n_value,
                         int32_t wanted, tn_msg *msg)
{
    if (instr->arg[k] < 0 || instr->arg[k] >= n_value) return bad_arg(d, instr, k, msg);
    if (wanted >= 0 && type[instr->arg[k]] != wanted)
        return cpu_fail(msg, TN_EDTYPE, "%s: argument %d of '%s' is not of the result's type", d->op, k, instr->op);
    return TN_OK;
}

static int32_t resolve_row(const cpu_prog_desc *d, const tn_map_instr *instr, cpu_step *step, const int32_t *type,
                           int32_t n_value, double *cost, tn_msg *msg)
{
    static const char *const unary[] = {"x", "y", "dy"}, *const binary[] = {"a", "b", "y", "dy"};
    const cpu_row *row = cpu_code->rows->row;
    while (row->name && strcmp(row->name, instr->op)) row++;
    if (!row->name) return cpu_fail(msg, TN_EUNSUPPORTED, "%s: no instruction '%s'", d->op, instr->op);
    step->fn = row->fn[step->type];
    if (!step->fn)
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: no '%s' for elements of type %d", d->op, instr->op, instr->dtype);
    const char *const *name = row->n_arg == 2 || row->n_arg == 4 ? binary : unary;
    for (int k = 0; k < row->n_arg; k++) {
        if (!names(row->text, name[k])) continue;
        const int32_t s = check_arg(d, instr, k, type, n_value, step->type, msg);
        if (s) return s;
        step->arg[k] = instr->arg[k];
    }
    *cost += row_cost(row->text, step->type);
    return TN_OK;
}

static int32_t resolve_cast(const cpu_prog_desc *d, const tn_map_instr *instr, cpu_step *step, const int32_t *type,
                            int32_t n_value, tn_msg *msg)
{
    const int32_t s = check_arg(d, instr, 0, type, n_value, -1, msg);
    if (s) return s;
    step->arg[0] = instr->arg[0];
    step->fn = cpu_code->rows->cast[step->type][type[instr->arg[0]]];
    return TN_OK;
}

static int32_t resolve_where(const cpu_prog_desc *d, const tn_map_instr *instr, cpu_step *step, const int32_t *type,
                             int32_t n_value, tn_msg *msg)
{
    for (int k = 0; k < 3; k++) {
        const int32_t s = check_arg(d, instr, k, type, n_value, k ? step->type : -1, msg);
        if (s) return s;
        step->arg[k] = instr->arg[k];
    }
    step->fn = cpu_code->rows->where[step->type][type[instr->arg[0]]];
    return TN_OK;
}

static int32_t resolve_iota(const cpu_prog_desc *d, const tn_map_instr *instr, cpu_step *step, tn_msg *msg)
{
    const int32_t along = instr->arg[0];
    if (along < 0 || along >= d->rank) return bad_arg(d, instr, 0, msg);
    step->special = cpu_iota;
    step->dim = d->dim[along];
    step->inner = 1;
    for (int k = along + 1; k < d->rank; k++) step->inner *= d->dim[k];
    return TN_OK;
}

static int32_t resolve_random(const cpu_prog_desc *d, const tn_map_instr *instr, cpu_step *step, tn_msg *msg)
{
    for (int k = 0; k < 2; k++)
        if (instr->arg[k] < 0 || (uint32_t)instr->arg[k] >= d->map->n_scalar) return bad_arg(d, instr, k, msg);
    if (step->type == CPU_I32) return cpu_fail(msg, TN_EUNSUPPORTED, "%s: no '%s' for integers", d->op, instr->op);
    if (!(instr->value >= 0 && instr->value < 16777216))
        return cpu_fail(msg, TN_EINVAL, "%s: the stream of '%s' is %g", d->op, instr->op, instr->value);
    step->special = *instr->op == 'u' ? cpu_uniform : cpu_normal;
    step->dim = instr->arg[0], step->inner = instr->arg[1];
    step->stream = (uint32_t)instr->value;
    return TN_OK;
}

int32_t cpu_resolve(const cpu_prog_desc *d, const tn_map_instr *instr, cpu_step *step, const int32_t *type,
                    int32_t n_value, double *cost, tn_msg *msg)
{
    step->type =
        instr->dtype == TN_F32 || instr->dtype == TN_I32 || instr->dtype == TN_F64 ? cpu_type_of(instr->dtype) : -1;
    step->output = -1;
    for (int k = 0; k < 4; k++) step->arg[k] = -1;
    if (!instr->op) return cpu_fail(msg, TN_EINVAL, "%s: an instruction without a name", d->op);
    if (step->type < 0)
        return cpu_fail(msg, TN_EDTYPE, "%s: '%s' can't have results of type %d", d->op, instr->op, instr->dtype);
    *cost += 1;
    if (!strcmp(instr->op, "cast")) return resolve_cast(d, instr, step, type, n_value, msg);
    if (!strcmp(instr->op, "where")) return resolve_where(d, instr, step, type, n_value, msg);
    if (!strcmp(instr->op, "iota")) return resolve_iota(d, instr, step, msg);
    if (strcmp(instr->op, "uniform") && strcmp(instr->op, "normal"))
        return resolve_row(d, instr, step, type, n_value, cost, msg);
    *cost += *instr->op == 'u' ? 20 : 40;
    return resolve_random(d, instr, step, msg);
}
