/* map_evaluate.c: evaluates the programs of maps in double precision, i32 values in whole numbers that wrap. */
#include <math.h>
#include <string.h>

#include "map_internal.h"
#include "philox.h"
#include "tenon/backend_check.h"

static double wrap(int64_t x)
{
    return (double)(int32_t)(uint32_t)(uint64_t)x;
}

/* ---- one function for each sort of instruction ---- */

static double value_of(const tn_map_step *step, const tn_map_point *point, int32_t k)
{
    return step->instr->arg[k] < 0 ? 0 : point->value[step->instr->arg[k]];
}

static double do_real(const tn_map_step *step, const tn_map_point *point)
{
    double v[4] = {0};
    for (int32_t k = 0; k < step->row->n_arg; k++) v[k] = value_of(step, point, k);
    return step->row->real(v);
}

/* Comparisons see numbers as their type has them: one that was stored and the same computed again are equal. */
static double do_compare(const tn_map_step *step, const tn_map_point *point)
{
    double v[4] = {(float)value_of(step, point, 0), (float)value_of(step, point, 1)};
    return step->row->real(v);
}

static int compares(const tn_map_instr *instr)
{
    static const char *const rows[] = {"eq", "ne", "lt", "le", "gt", "ge"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(instr->op, rows[i])) return instr->dtype == TN_F32;
    return 0;
}

static double do_whole(const tn_map_step *step, const tn_map_point *point)
{
    int64_t v[4] = {0};
    for (int32_t k = 0; k < step->row->n_arg; k++) v[k] = (int64_t)value_of(step, point, k);
    return wrap(step->row->whole(v));
}

static double do_const(const tn_map_step *step, const tn_map_point *point)
{
    (void)point;
    return step->instr->value;
}

static double do_scalar(const tn_map_step *step, const tn_map_point *point)
{
    tn_scalar scalar = point->scalar[step->instr->arg[0]];
    return step->instr->dtype == TN_I32 ? wrap(scalar.i) : scalar.f;
}

static double do_iota(const tn_map_step *step, const tn_map_point *point)
{
    return (double)point->place[step->instr->arg[0]];
}

/* To an integer: towards zero; what does not fit becomes the nearest that does, NaN 0. */
static double whole_of(double x)
{
    return x != x ? 0 : trunc(fmin(fmax(x, INT32_MIN), INT32_MAX));
}

static double do_cast(const tn_map_step *step, const tn_map_point *point)
{
    const double x = value_of(step, point, 0);
    return step->instr->dtype == TN_I32 ? whole_of(x) : x;
}

/* What was computed in f32 becomes whole as f32 has it: x / sqrt(x x) is 1, though a double may be below. */
static double do_rounded_cast(const tn_map_step *step, const tn_map_point *point)
{
    return whole_of((float)value_of(step, point, 0));
}

static int casts_rounded(const tn_map_attrs *attrs, const tn_map_instr *instr)
{
    const int64_t from = (int64_t)instr->arg[0] - attrs->n_in;
    return !strcmp(instr->op, "cast") && instr->dtype == TN_I32 && from >= 0 && attrs->instr[from].dtype == TN_F32;
}

static double do_where(const tn_map_step *step, const tn_map_point *point)
{
    return value_of(step, point, value_of(step, point, 0) != 0 ? 1 : 2);
}

static double random_number(const tn_map_step *step, const tn_map_point *point,
                            double (*number)(uint64_t seed, uint64_t step, uint32_t stream, uint64_t index))
{
    uint64_t seed = (uint64_t)point->scalar[step->instr->arg[0]].i,
             count = (uint64_t)point->scalar[step->instr->arg[1]].i;
    return number(seed, count, (uint32_t)step->instr->value, (uint64_t)point->index);
}

static double do_uniform(const tn_map_step *step, const tn_map_point *point)
{
    return random_number(step, point, tn_philox_uniform);
}

static double do_normal(const tn_map_step *step, const tn_map_point *point)
{
    return random_number(step, point, tn_philox_normal);
}

/* By TN_INSTR_CONST ... */
static double (*const special[])(const tn_map_step *step, const tn_map_point *point) = {
#define X(NAME, name, ...) do_##name,
#include "tenon/instr.def"
#undef X
};

/* How an instruction is evaluated. */
static tn_map_step look_up(const tn_map_attrs *attrs, const tn_map_instr *instr)
{
    const int which = tn_special_find(instr->op);
    if (casts_rounded(attrs, instr)) return (tn_map_step){do_rounded_cast, instr, NULL};
    if (which >= 0) return (tn_map_step){special[which], instr, NULL};
    return (tn_map_step){instr->dtype == TN_I32 ? do_whole
                         : compares(instr)      ? do_compare
                                                : do_real,
                         instr, tn_row_named(instr->op)};
}

/* ---- programs ---- */

void tn_map_ready(tn_map_program *program, const tn_map_attrs *attrs)
{
    program->n_in = attrs->n_in;
    program->n_step = attrs->n_instr;
    program->out = attrs->n_out ? attrs->out[0] : 0;
    for (uint32_t i = 0; i < attrs->n_instr; i++) program->step[i] = look_up(attrs, &attrs->instr[i]);
}

void tn_map_step_all(const tn_map_program *program, const tn_map_point *point)
{
    double *result = point->value + program->n_in;
    for (uint32_t i = 0; i < program->n_step; i++) result[i] = program->step[i].evaluate(&program->step[i], point);
}

void tn_map_evaluate(const tn_map_attrs *attrs, const tn_scalar *scalar, int64_t index, const int64_t place[],
                     double value[])
{
    tn_map_program program;
    tn_map_ready(&program, attrs);
    tn_map_step_all(&program, &(tn_map_point){scalar, index, place, value});
}

void tn_map_next(int64_t place[], const int64_t dim[], int32_t rank)
{
    for (int32_t d = rank - 1; d >= 0; d--) {
        if (++place[d] < dim[d]) return;
        place[d] = 0;
    }
}

double tn_map_epilogue(const tn_reference_call *call, const tn_map_program *epilogue, double first, int64_t index)
{
    const int64_t *dim = call->desc->out[0].dim;
    int64_t place[TN_MAX_RANK] = {0}, rest = index;
    double value[TN_MAX_VALUES] = {first};
    for (int32_t d = call->desc->out[0].rank - 1; d >= 0; d--) {
        place[d] = rest % dim[d];
        rest /= dim[d];
    }
    for (uint32_t i = 1; i < epilogue->n_in; i++) value[i] = call->in[i + 1][index];
    tn_map_step_all(epilogue, &(tn_map_point){call->scalar, index, place, value});
    return value[epilogue->out];
}
