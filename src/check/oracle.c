/* oracle.c: what an operation's results should be and how far they may be off: the operator's own reference in double
 * precision, its budget, and the reference again with rounding errors of the budget's size put in at random. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attrs.h"
#include "budget.h"
#include "check.h"
#include "kit.h"
#include "map_internal.h"
#include "reference_internal.h"
#include "tenon/backend_check.h"

/* Chance decides how far off the trials are, and factors that are rounded use up more of that than usual rounding. */
enum { TRIALS = 6, MORE_TRIALS = 16, SLACK = 4 };

/* An operation with its operands in double precision. */
typedef struct oracle {
    tn_kit *kit;
    const tn_op_desc *desc; /* at full precision */
    uint32_t level;         /* of precision, of the operation that is judged */
    const tn_op_def *op;
    const tn_scalar *scalar;
    tn_tensor_desc given[TN_MAX_OPERANDS]; /* inputs, but for rows that are not read */
    double *in[TN_MAX_OPERANDS], *noisy_in[TN_MAX_OPERANDS];
    double *noisy[TN_MAX_OPERANDS]; /* results of a trial */
    tn_budget budget;               /* of what is no map */
} oracle;

/* ---- budgets ---- */

/* A largest element is one of the elements; sums and products round. */
static tn_budget budget_of(const tn_op_desc *desc)
{
    int32_t dtype = desc->out[0].dtype;
    tn_budget b = tn_budget_of(desc->name, dtype);
    if (!strcmp(desc->name, "map")) return (tn_budget){0, 0, 0}; /* its instructions have */
    if (strcmp(desc->name, "reduce")) return b;
    const char *kind = ((const tn_reduce_attrs *)desc->attrs)->kind;
    return strcmp(kind, "sum") && strcmp(kind, "prod") ? (tn_budget){0, 0, 0} : b;
}

/* Whether an element is stored in another type than it was loaded in. */
static int casts(const tn_op_desc *desc)
{
    for (uint32_t i = 0; i < desc->n_in; i++)
        if (desc->in[i].dtype != desc->out[0].dtype) return 1;
    return desc->n_out != 1;
}

/* Whether elements are moved or chosen, but not computed. */
static int only_moves(const tn_op_desc *desc)
{
    if (tn_op_named(desc->name)->traits & TN_MOVES) return 1;
    if (strcmp(desc->name, "map")) return 0;
    const tn_map_attrs *map = desc->attrs;
    for (uint32_t i = 0; i < map->n_instr; i++)
        if (strcmp(map->instr[i].op, "where")) return 0;
    return !casts(desc);
}

/* ---- trials ---- */

/* Half to one and a half times the units, up or down: never the same, so that no two errors of a sum cancel in every
 * trial. */
static double noise(oracle *o, double x, double units, int32_t dtype)
{
    if (units == 0) return x;
    uint32_t bits = tn_kit_bits(o->kit);
    double size = 0.5 + (bits >> 1 & 0xffff) * 0x1p-16;
    return x * (1 + (bits & 1 ? size : -size) * units * tn_unit_of(dtype));
}

/* A program in which the result of instruction `step`, or its argument `arg` if that is not -1, is multiplied by
 * `factor`: two instructions more. */
typedef struct shaken {
    tn_map_attrs map;
    tn_map_instr instr[TN_MAX_INSTRS];
    int32_t out[TN_MAX_OPERANDS];
} shaken;

static void shake(shaken *to, const tn_map_attrs *from, uint32_t step, int arg, double factor)
{
    uint32_t at = arg < 0 ? step + 1 : step; /* where the two go */
    int32_t n_in = (int32_t)from->n_in, first = n_in + (int32_t)at, target = n_in + (int32_t)step;
    if (arg >= 0) target = from->instr[step].arg[arg];
    to->map = *from;
    to->map.n_instr += 2;
    to->map.instr = to->instr;
    to->map.out = to->out;
    for (uint32_t i = 0; i < from->n_instr; i++) {
        tn_map_instr *instr = &to->instr[i < at ? i : i + 2];
        *instr = from->instr[i];
        for (int k = 0; i >= at && k < 4 && tn_takes_values(instr->op); k++) {
            int32_t old = instr->arg[k], here = arg < 0 ? old == target : i == step && k == arg;
            instr->arg[k] = here ? first + 1 : old < first ? old : old + 2;
        }
    }
    int32_t dtype = from->instr[step].dtype;
    to->instr[at] = (tn_map_instr){"const", {-1, -1, -1, -1}, dtype, 0, factor};
    to->instr[at + 1] = (tn_map_instr){"mul", {target, first, -1, -1}, dtype, 0, 0};
    for (uint32_t k = 0; k < from->n_out; k++) {
        int32_t old = from->out[k];
        to->out[k] = arg < 0 && old == target ? first + 1 : old < first ? old : old + 2;
    }
}

/* By how many of its units an operand may be off: factors of f32 also by a rounding to the digits of the level. */
static double units_of(const oracle *o, uint32_t operand)
{
    static const double rounding[] = {[TN_PRECISION_F32_FAST] = 0x1p12, [TN_PRECISION_BF16] = 0x1p15};
    const int rounds =
        o->level && (operand < 2 || o->op->factors >> operand & 1) && o->desc->in[operand].dtype == TN_F32;
    return o->budget.input + (rounds ? rounding[o->level] : 0);
}

static void try_inputs(oracle *o)
{
    for (uint32_t i = 0; i < o->desc->n_in; i++)
        for (int64_t e = 0; e < tn_desc_count(&o->given[i]); e++)
            o->noisy_in[i][e] = noise(o, o->in[i][e], units_of(o, i), o->desc->in[i].dtype);
    o->op->reference(&(tn_reference_call){o->desc, (const double *const *)o->noisy_in, o->noisy, o->scalar});
}

/* The operation on operands whose numbers too small for a full mantissa are lost. Returns 0 if there are none. */
static int flush_inputs(oracle *o)
{
    int found = 0;
    for (uint32_t i = 0; i < o->desc->n_in; i++)
        for (int64_t e = 0; e < tn_desc_count(&o->given[i]); e++) {
            double x = o->in[i][e];
            int small = x != 0 && fabs(x) < tn_dtype_facts_of(o->desc->in[i].dtype)->smallest;
            o->noisy_in[i][e] = small ? copysign(0, x) : x;
            found |= small;
        }
    if (found) o->op->reference(&(tn_reference_call){o->desc, (const double *const *)o->noisy_in, o->noisy, o->scalar});
    return found;
}

/* The whole operation with a shaken program. */
static void try_shaken(oracle *o, const shaken *program)
{
    tn_any_attrs attrs;
    tn_op_desc desc = *o->desc;
    memcpy(&attrs, desc.attrs, *(const uint64_t *)desc.attrs);
    tn_attrs_set_program(desc.name, &attrs, &program->map);
    desc.attrs = &attrs;
    o->op->reference(&(tn_reference_call){&desc, (const double *const *)o->in, o->noisy, o->scalar});
}

/* ---- what is allowed ---- */

/* Whole numbers as they are stored: their low bits. */
static void keep_bits(const oracle *o, double *const value[])
{
    for (uint32_t k = 0; k < o->desc->n_out; k++) {
        int32_t dtype = o->desc->out[k].dtype;
        for (int64_t e = 0; tn_is_whole(dtype) && e < tn_desc_count(&o->desc->out[k]); e++) {
            uint32_t bits = fabs(value[k][e]) < 0x1p63 ? (uint32_t)(uint64_t)(int64_t)value[k][e] : 0;
            value[k][e] = dtype == TN_U8   ? (double)(bits & 255)
                          : dtype == TN_I8 ? (double)(int8_t)bits
                                           : (double)(int32_t)bits;
        }
    }
}

/* One trial: what it is off is added to what is allowed, or is the least that is. */
static void widen(oracle *o, tn_kit_want *want, int adds)
{
    keep_bits(o, o->noisy);
    int by_place = !strcmp(o->desc->name, "reduce") && o->desc->out[0].dtype == TN_I32;
    for (uint32_t k = 0; k < o->desc->n_out; k++)
        for (int64_t e = 0; e < tn_desc_count(&o->desc->out[k]); e++) {
            double w = want->value[k][e], n = o->noisy[k][e], *allowed = &want->allowed[k][e];
            double off = w == n || (isnan(w) && isnan(n)) ? 0 : fabs(n - w);
            if (off != 0 && (by_place || !isfinite(off))) off = NAN;
            *allowed = adds ? *allowed + off : off > *allowed || isnan(off) ? off : *allowed;
        }
}

/* Each instruction's own rounding, and what its arguments' would mean; all of them may come together. */
static void widen_program(oracle *o, tn_kit_want *want)
{
    const tn_map_attrs *map = tn_attrs_program(o->desc);
    shaken *program = map && map->n_instr + 2 <= TN_MAX_INSTRS ? malloc(sizeof *program) : NULL;
    for (uint32_t i = 0; program && i < map->n_instr; i++) {
        const tn_map_instr *instr = &map->instr[i];
        tn_budget b = tn_budget_of(instr->op, instr->dtype);
        for (int arg = -1; arg < 4; arg++) {
            double units = arg < 0 ? b.ulp : b.input;
            if (units == 0 || (arg >= 0 && (instr->arg[arg] < 0 || !tn_takes_values(instr->op)))) continue;
            shake(program, map, i, arg, 1 + units * tn_unit_of(instr->dtype));
            try_shaken(o, program);
            widen(o, want, 1);
        }
    }
    free(program);
}

/* What the operator and its program's instructions lose in absolute terms. */
static double absolute_loss(const oracle *o)
{
    const tn_map_attrs *map = tn_attrs_program(o->desc);
    double loss = o->budget.absolute * tn_unit_of(o->desc->out[0].dtype);
    for (uint32_t i = 0; map && i < map->n_instr; i++)
        loss += tn_budget_of(map->instr[i].op, map->instr[i].dtype).absolute * tn_unit_of(map->instr[i].dtype);
    return loss;
}

static void settle(const oracle *o, tn_kit_want *want)
{
    double loss = absolute_loss(o), order = tn_order_of(o->desc);
    const double slack = o->level ? SLACK : 1;
    for (uint32_t k = 0; k < o->desc->n_out; k++) {
        int32_t dtype = o->desc->out[k].dtype;
        double unit = tn_unit_of(dtype), ulp = o->budget.ulp;
        double own = dtype == TN_F64 ? 8 : 1, more = own * order; /* the reference rounds as well */
        int narrow = tn_is_narrow(dtype), rounds = 0;
        for (int64_t e = 0; e < tn_desc_count(&o->desc->out[k]); e++) {
            double *allowed = &want->allowed[k][e], w = fabs(want->value[k][e]);
            *allowed =
                *allowed * more * slack * 1.1 + (isfinite(w) ? (ulp * own + 0.51 * narrow) * unit * w + loss : 0);
            rounds |= *allowed > 0;
        }
        for (int64_t e = 0; rounds && e < tn_desc_count(&o->desc->out[k]); e++)
            want->allowed[k][e] += tn_dtype_facts_of(dtype)->smallest;
        want->norm[k] = o->budget.norm * own * unit;
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
    o->op->reference(&(tn_reference_call){o->desc, (const double *const *)o->in, want->value, o->scalar});
    keep_bits(o, want->value);
    for (int t = 0; t < (o->level ? MORE_TRIALS : TRIALS) && o->budget.input != 0; t++) {
        try_inputs(o);
        widen(o, want, 0);
    }
    for (uint32_t k = 0; k < o->desc->n_out; k++) /* chance may have been kind */
        for (int64_t e = 0; e < tn_desc_count(&o->desc->out[k]); e++) want->allowed[k][e] *= 2;
    want->moves = only_moves(o->desc), want->coarse = o->level != 0;
    if (!want->moves && flush_inputs(o)) widen(o, want, 0);
    widen_program(o, want);
    settle(o, want);
}

int tn_kit_expected(tn_kit *kit, const tn_kit_job *job, tn_kit_want *want)
{
    tn_op_desc plain = *job->desc;
    oracle o = {
        .kit = kit, .desc = &plain, .level = plain.precision, .op = tn_op_named(plain.name), .scalar = job->scalar};
    memset(want, 0, sizeof *want);
    plain.precision = TN_PRECISION_F32;
    if (tn_check_operation(&plain))
        return tn_kit_expect(kit, 0, "the reference does not do %s: %.300s", job->desc->name, tn_message());
    o.budget = budget_of(&plain);
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

/* Of what is only moved, a NaN need not be the same one. */
static int is_same(double got, double want)
{
    return isnan(want) ? isnan(got) : got == want && signbit(got) == signbit(want);
}

/* What rounds may pass the largest number or not; an infinity is one, and what does not round is what it is. */
static int near_enough(double got, double want, double allowed, double largest)
{
    if (isnan(allowed) || got == want) return 1;
    if (isnan(want) || isnan(got)) return isnan(want) && isnan(got);
    if (isinf(want) || allowed == 0) return 0;
    if (fabs(want) > 0.9999 * largest && fabs(got) > 0.9999 * largest) return (got < 0) == (want < 0);
    return fabs(got - want) <= allowed;
}

/* How much of the norm of what is allowed all elements together may be off by: as chance has it, the less the more
 * elements matter. */
static double share_of(const tn_kit_want *want, double allowed2, double allowed4)
{
    return want->coarse ? 0.35 / SLACK * (1 + 4 * sqrt(allowed4) / fmax(allowed2, DBL_MIN)) : 0.5;
}

static int compare_output(tn_kit *kit, const tn_kit_job *job, const tn_kit_want *want, uint32_t k, const char *how)
{
    char what[300];
    const tn_tensor_desc *y = &job->desc->out[k];
    int64_t count = tn_desc_count(y);
    double *got = numbers(count), off2 = 0, want2 = 0, allowed2 = 0, allowed4 = 0, worst = 0;
    int fine = got != NULL;
    if (fine && count) tn_reference_load(got, job->out[k], y);
    for (int64_t e = 0; fine && e < count; e++) {
        double w = want->value[k][e], allowed = want->allowed[k][e], off = fabs(got[e] - w);
        const int digits = off < 1e-9 * fabs(w) ? 17 : 10; /* the two must not look equal */
        fine = want->moves ? is_same(got[e], w) : near_enough(got[e], w, allowed, tn_dtype_facts_of(y->dtype)->largest);
        if (fine)
            tn_kit_expect(kit, 1, " ");
        else
            tn_kit_expect(kit, 0, "%s%s: output %u, element %lld: expected %.*g +- %.3g, got %.*g",
                          tn_kit_describe(job->desc, what, sizeof what), how, k, (long long)e, digits, w, allowed,
                          digits, got[e]);
        if (!isfinite(off) || !isfinite(allowed)) continue;
        if (allowed > 0 && off / allowed > worst) worst = off / allowed;
        off2 += off * off, want2 += w * w, allowed2 += allowed * allowed;
        allowed4 += pow(allowed, 4);
    }
    if (fine && want->norm[k] > 0) {
        double bound = want->norm[k] * sqrt(want2) + share_of(want, allowed2, allowed4) * sqrt(allowed2);
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
