/* oracle.c: what an operation's results should be and how far they may be off: the operator's own reference in double
 * precision, its budget, and the reference again with rounding errors of the budget's size put in at random. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"
#include "kit.h"
#include "map_internal.h"
#include "reference_internal.h"

enum { TRIALS = 6 };

/* An operation with its operands in double precision. */
typedef struct oracle {
    tn_kit *kit;
    const tn_op_desc *desc;
    const tn_op_def *op;
    const tn_scalar *scalar;
    tn_tensor_desc given[TN_MAX_OPERANDS]; /* inputs, but for rows that are not read */
    double *in[TN_MAX_OPERANDS], *noisy_in[TN_MAX_OPERANDS];
    double *noisy[TN_MAX_OPERANDS]; /* results of a trial */
    tn_budget budget;               /* of what is no map */
} oracle;

/* ---- budgets ---- */

/* The rounding of a program's instructions, as if it were that of its inputs. */
static double program_ulp(const tn_map_attrs *map)
{
    double sum = 0;
    for (uint32_t i = 0; map && i < map->n_instr; i++) {
        tn_budget b = tn_budget_of(map->instr[i].op, map->instr[i].dtype);
        sum += b.ulp + b.input;
    }
    return sum;
}

/* A largest element is one of the elements; sums and products round. */
static tn_budget budget_of(const tn_op_desc *desc)
{
    int32_t dtype = desc->out[0].dtype;
    tn_budget b = tn_budget_of(desc->name, dtype);
    if (!strcmp(desc->name, "reduce")) {
        const tn_reduce_attrs *reduce = desc->attrs;
        double ulp = program_ulp(reduce->map);
        if (strcmp(reduce->kind, "sum") && strcmp(reduce->kind, "prod")) b = (tn_budget){ulp, 0, 0};
        b.input += ulp;
    }
    if (!strcmp(desc->name, "matmul")) b.ulp += 4 * program_ulp(((const tn_matmul_attrs *)desc->attrs)->epilogue);
    if (!strncmp(desc->name, "conv2d", 6)) b.ulp += 4 * program_ulp(((const tn_conv_attrs *)desc->attrs)->epilogue);
    return b;
}

/* ---- trials ---- */

static double noise(oracle *o, double x, double units, int32_t dtype)
{
    return units != 0 ? x * (1 + (tn_kit_bits(o->kit) & 1 ? units : -units) * tn_unit_of(dtype)) : x;
}

/* One instruction with its rounding, and that of its arguments. */
static void noisy_step(oracle *o, const tn_map_step *step, tn_map_point *point, double *result)
{
    const tn_map_instr *instr = step->instr;
    tn_budget b = tn_budget_of(instr->op, instr->dtype);
    double kept[4] = {0};
    int has[4] = {0};
    for (int k = 0; b.input != 0 && k < 4; k++)
        if ((has[k] = instr->arg[k] >= 0)) {
            kept[k] = point->value[instr->arg[k]];
            point->value[instr->arg[k]] = noise(o, kept[k], b.input, instr->dtype);
        }
    *result = noise(o, step->evaluate(step, point), b.ulp, instr->dtype);
    for (int k = 3; k >= 0; k--)
        if (has[k]) point->value[instr->arg[k]] = kept[k];
}

static void try_map(oracle *o)
{
    const tn_map_attrs *map = o->desc->attrs;
    const tn_tensor_desc *space = &o->desc->out[0];
    tn_map_program program;
    int64_t place[TN_MAX_RANK] = {0}, count = tn_desc_count(space);
    double value[TN_MAX_VALUES];
    tn_map_ready(&program, map);
    for (int64_t e = 0; e < count; e++) {
        tn_map_point point = {o->scalar, e, place, value};
        for (uint32_t i = 0; i < map->n_in; i++) value[i] = o->in[i][e];
        for (uint32_t s = 0; s < program.n_step; s++) noisy_step(o, &program.step[s], &point, &value[map->n_in + s]);
        for (uint32_t k = 0; k < map->n_out; k++) o->noisy[k][e] = value[map->out[k]];
        tn_map_next(place, space->dim, space->rank);
    }
}

static void try_inputs(oracle *o)
{
    for (uint32_t i = 0; i < o->desc->n_in; i++)
        for (int64_t e = 0; e < tn_desc_count(&o->given[i]); e++)
            o->noisy_in[i][e] = noise(o, o->in[i][e], o->budget.input, o->desc->in[i].dtype);
    o->op->reference(&(tn_reference_call){o->desc, (const double *const *)o->noisy_in, o->noisy, o->scalar});
}

/* ---- what is allowed ---- */

static double largest_of(int32_t dtype)
{
    return dtype == TN_F32 ? 3.4028235e38 : dtype == TN_F16 ? 65504 : dtype == TN_BF16 ? 3.3895e38 : INFINITY;
}

/* Numbers too small for a full mantissa may be lost. */
static double smallest_of(int32_t dtype)
{
    return dtype == TN_F32 || dtype == TN_BF16 ? 0x1p-126 : dtype == TN_F16 ? 0x1.02p-25 : 0x1p-1022;
}

static void widen(oracle *o, tn_kit_want *want)
{
    int by_place = !strcmp(o->desc->name, "reduce") && o->desc->out[0].dtype == TN_I32;
    for (uint32_t k = 0; k < o->desc->n_out; k++)
        for (int64_t e = 0; e < tn_desc_count(&o->desc->out[k]); e++) {
            double w = want->value[k][e], n = o->noisy[k][e], *allowed = &want->allowed[k][e];
            double off = w == n || (isnan(w) && isnan(n)) ? 0 : fabs(n - w);
            if (off != 0 && (by_place || !isfinite(off))) off = NAN;
            if (!isnan(*allowed) && !(off <= *allowed)) *allowed = off;
        }
}

static void settle(const oracle *o, tn_kit_want *want)
{
    int is_map = !strcmp(o->desc->name, "map");
    for (uint32_t k = 0; k < o->desc->n_out; k++) {
        int32_t dtype = o->desc->out[k].dtype;
        double unit = tn_unit_of(dtype), ulp = is_map ? 0 : o->budget.ulp, factor = is_map ? 1.5 : 2;
        int narrow = dtype == TN_F16 || dtype == TN_BF16, rounds = 0;
        for (int64_t e = 0; e < tn_desc_count(&o->desc->out[k]); e++) {
            double *allowed = &want->allowed[k][e], w = fabs(want->value[k][e]);
            *allowed = *allowed * factor + (isfinite(w) ? (ulp + 0.51 * narrow) * unit * w : 0);
            rounds |= *allowed > 0;
        }
        for (int64_t e = 0; rounds && e < tn_desc_count(&o->desc->out[k]); e++)
            want->allowed[k][e] += smallest_of(dtype);
        want->norm[k] = is_map ? 0 : o->budget.norm * unit;
    }
}

/* ---- all of it ---- */

static double *numbers(int64_t count)
{
    return calloc((size_t)count + 1, sizeof(double));
}

static int load_inputs(oracle *o, const tn_kit_job *job)
{
    for (uint32_t i = 0; i < o->desc->n_in; i++) {
        const tn_tensor_desc *x = &o->desc->in[i];
        const unsigned char *data = job->in[i];
        o->given[i] = *x;
        if (o->op->first_row && !i) {
            o->given[i].dim[0] = o->desc->out[0].dim[0];
            data += (uint64_t)(o->op->first_row(o->desc, job->scalar) * x->stride[0]) * tn_dtype_size(x->dtype);
        }
        o->in[i] = numbers(tn_desc_count(&o->given[i]));
        o->noisy_in[i] = numbers(tn_desc_count(&o->given[i]));
        if (!o->in[i] || !o->noisy_in[i]) return 0;
        if (tn_desc_count(&o->given[i])) tn_reference_load(o->in[i], data, &o->given[i]);
    }
    return 1;
}

static int make_room(oracle *o, tn_kit_want *want)
{
    for (uint32_t k = 0; k < o->desc->n_out; k++) {
        int64_t count = tn_desc_count(&o->desc->out[k]);
        want->value[k] = numbers(count), want->allowed[k] = numbers(count), o->noisy[k] = numbers(count);
        if (!want->value[k] || !want->allowed[k] || !o->noisy[k]) return 0;
    }
    return 1;
}

static void compute(oracle *o, tn_kit_want *want)
{
    int is_map = !strcmp(o->desc->name, "map");
    o->op->reference(&(tn_reference_call){o->desc, (const double *const *)o->in, want->value, o->scalar});
    for (int t = 0; t < TRIALS && (is_map || o->budget.input != 0); t++) {
        if (is_map)
            try_map(o);
        else
            try_inputs(o);
        widen(o, want);
    }
    settle(o, want);
}

int tn_kit_expected(tn_kit *kit, const tn_kit_job *job, tn_kit_want *want)
{
    oracle o = {.kit = kit, .desc = job->desc, .op = tn_op_named(job->desc->name), .scalar = job->scalar};
    memset(want, 0, sizeof *want);
    if (!o.op || !o.op->reference || o.op->check(job->desc))
        return tn_kit_expect(kit, 0, "the reference does not do %s: %.300s", job->desc->name, tn_message());
    o.budget = budget_of(job->desc);
    int fine = load_inputs(&o, job) && make_room(&o, want);
    if (fine)
        compute(&o, want);
    else
        tn_kit_expect(kit, 0, "out of memory");
    for (int i = 0; i < TN_MAX_OPERANDS; i++) free(o.in[i]), free(o.noisy_in[i]), free(o.noisy[i]);
    return fine;
}

void tn_kit_want_free(tn_kit_want *want)
{
    for (int k = 0; k < TN_MAX_OPERANDS; k++) free(want->value[k]), free(want->allowed[k]);
}

/* ---- comparing ---- */

static int near_enough(double got, double want, double allowed, double largest)
{
    if (isnan(allowed) || got == want) return 1;
    if (isnan(want) || isnan(got)) return isnan(want) && isnan(got);
    if (fabs(want) > 0.9999 * largest && fabs(got) > 0.9999 * largest) return (got < 0) == (want < 0);
    return fabs(got - want) <= allowed;
}

static int compare_output(tn_kit *kit, const tn_kit_job *job, const tn_kit_want *want, uint32_t k, const char *how)
{
    char what[300];
    const tn_tensor_desc *y = &job->desc->out[k];
    int64_t count = tn_desc_count(y);
    double *got = numbers(count), off2 = 0, want2 = 0, allowed2 = 0, worst = 0;
    int fine = got != NULL;
    if (fine && count) tn_reference_load(got, job->out[k], y);
    for (int64_t e = 0; fine && e < count; e++) {
        double w = want->value[k][e], allowed = want->allowed[k][e], off = fabs(got[e] - w);
        fine = tn_kit_expect(kit, near_enough(got[e], w, allowed, largest_of(y->dtype)),
                             "%s%s: output %u, element %lld: expected %.9g +- %.3g, got %.9g",
                             tn_kit_describe(job->desc, what, sizeof what), how, k, (long long)e, w, allowed, got[e]);
        if (!isfinite(off) || !isfinite(allowed)) continue;
        if (allowed > 0 && off / allowed > worst) worst = off / allowed;
        off2 += off * off, want2 += w * w, allowed2 += allowed * allowed;
    }
    if (fine && want->norm[k] > 0) {
        double bound = want->norm[k] * sqrt(want2) + 0.5 * sqrt(allowed2);
        fine = tn_kit_expect(kit, sqrt(off2) <= bound, "%s%s: output %u is off by %.3g in norm, %.3g are allowed",
                             tn_kit_describe(job->desc, what, sizeof what), how, k, sqrt(off2), bound);
    }
    if (worst > kit->result->worst) kit->result->worst = worst;
    free(got);
    return fine;
}

int tn_kit_compare(tn_kit *kit, const tn_kit_job *job, const tn_kit_want *want, const char *how)
{
    for (uint32_t k = 0; k < job->desc->n_out; k++)
        if (!compare_output(kit, job, want, k, how)) return 0;
    return 1;
}
