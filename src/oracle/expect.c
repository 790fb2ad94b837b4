/* expect.c: see expect.h. */
#include "expect.h"

#include <math.h>
#include <string.h>

#include "budget.h"
#include "rows.h"

#define MARGIN 4.0 /* between what a trial does and what is allowed */

static int64_t count_of(const tn_tensor *x)
{
    return tn_shape_count(&x->type.shape);
}

static int is_whole(const tn_tensor *x)
{
    return tn_is_whole(x->type.dtype);
}

static int is_narrow(const tn_tensor *x)
{
    return tn_is_narrow(x->type.dtype);
}

/* ---- budgets ---- */

static int is_sum(const tn_tensor *y)
{
    if (y->op->traits & TN_ADDS_UP) return 1;
    if (y->op != &tn_op_reduce) return 0;
    tn_operation o = {0};
    y->op->describe(y, &o);
    return !strcmp(o.attrs.reduce.kind, "sum");
}

static int is_product(const tn_tensor *y)
{
    tn_operation o = {0};
    if (y->op != &tn_op_reduce) return 0;
    y->op->describe(y, &o);
    return !strcmp(o.attrs.reduce.kind, "prod");
}

/* A largest element is one of the elements. */
static tn_budget budget_of(const tn_tensor *y)
{
    static const tn_budget none = {0};
    if (is_whole(y) || y->op->kind == TN_LEAF || y->op->kind == TN_VIEW) return none;
    if (y->op == &tn_op_reduce && !is_sum(y) && !is_product(y)) return none;
    return tn_budget_of(y->op->name, y->type.dtype);
}

/* Of a kernel that adds up; those that do no arithmetic to speak of have 1. */
static double order_of(const tn_tensor *y)
{
    if (y->op->kind != TN_KERNEL || !y->op->flops || !is_sum(y)) return 1;
    tn_operation o = {0};
    tn_describe(y, &o);
    return tn_order_of(&o.desc);
}

/* ---- what is computed without rounding ---- */

static int all_fit(const tn_tensor *y, const double *value)
{
    int32_t dtype = y->type.dtype;
    for (int64_t e = 0; e < count_of(y); e++)
        if (dtype == TN_F32 && value[e] != (double)(float)value[e] && value[e] == value[e]) return 0;
    return 1;
}

/* Whole numbers so small that their sums, in any order, are exact in f32. */
static int all_small(const tn_expected *x, const tn_tensor *y)
{
    double bound = 1;
    int64_t terms = 1;
    for (uint32_t i = 0; i < y->n_in; i++) {
        const double *value = x->base.value[y->in[i]->id];
        double most = 0;
        for (int64_t e = 0; e < count_of(y->in[i]); e++) {
            if (value[e] != rint(value[e])) return 0;
            most = fmax(most, fabs(value[e]));
        }
        bound *= 1 + most;
        if (count_of(y->in[i]) > terms) terms = count_of(y->in[i]);
    }
    return bound * (double)terms < 0x1p23;
}

static int same_elements(const tn_expected *x, const tn_tensor *y)
{
    const double *value = x->base.value[y->id], *from = x->base.value[y->in[0]->id];
    for (int64_t e = 0; e < count_of(y); e++)
        if (value[e] != from[e]) return 0;
    return 1;
}

static int is_exact(const tn_expected *x, const tn_tensor *y)
{
    const double *value = x->base.value[y->id];
    tn_budget budget = budget_of(y);
    for (uint32_t i = 0; i < y->n_in; i++)
        if (!x->exact[y->in[i]->id]) return 0;
    if (y->op == &tn_op_cast && is_narrow(y)) return same_elements(x, y);
    if (is_whole(y)) return 1;
    if (budget.ulp == 0 && budget.input == 0 && budget.absolute == 0) return all_fit(y, value);
    if (is_narrow(y)) return 0;
    return budget.ulp < 1 ? all_fit(y, value) : is_sum(y) && all_small(x, y);
}

/* ---- trials ---- */

static uint64_t bits(tn_expected *x)
{
    x->random ^= x->random << 13;
    x->random ^= x->random >> 7;
    x->random ^= x->random << 17;
    return x->random * 0x2545F4914F6CDD1Du >> 11;
}

static double sign(tn_expected *x)
{
    return bits(x) & 1 ? 1 : -1;
}

/* Every fourth trial only rounds, as f32 does: what is different may become the same. */
static int is_plain(const tn_expected *x)
{
    return x->trials % 4 == 2;
}

/* What is computed once for a map and once for another may be rounded in one of them alone. */
static void shake_operand(void *arg, const tn_tensor *y, uint32_t i, double *value)
{
    tn_expected *x = arg;
    if (is_plain(x)) return;
    double units = budget_of(y).input;
    if (units < 0.51 && y->op->kind == TN_MAP && budget_of(y).ulp != 0 && !x->exact[y->in[i]->id]) units = 0.51;
    double size = units * order_of(y) * tn_unit_of(y->in[i]->type.dtype);
    for (int64_t e = 0; size != 0 && !x->exact[y->id] && e < count_of(y->in[i]); e++) value[e] *= 1 + sign(x) * size;
}

/* Half of the trials lose what is too small or too large for its type. */
static double limited(double value, int32_t dtype)
{
    if (fabs(value) < tn_dtype_facts_of(dtype)->smallest) return copysign(0, value);
    return fabs(value) > tn_dtype_facts_of(dtype)->largest ? copysign(INFINITY, value) : value;
}

/* Whether padding times infinity is NaN is left open: a sum over padding may be anything then; so is what is hidden
 * times infinity. */
static int is_open(const tn_expected *x, const tn_tensor *y)
{
    const int pads = y->op == &tn_op_conv2d || y->op == &tn_op_conv2d_data || y->op == &tn_op_conv2d_weight;
    if (!pads && !(y->op->traits & TN_HIDES)) return 0;
    for (uint32_t i = 0; i < (pads ? 2 : y->n_in); i++)
        for (int64_t e = 0; e < count_of(y->in[i]); e++)
            if (!isfinite(x->base.value[y->in[i]->id][e])) return 1;
    return 0;
}

/* A row's gradient is a multiple of dy, its last operand: what it loses is, too. NULL for others. */
static const double *slope_of(const tn_expected *x, const tn_tensor *y)
{
    const tn_row *row = tn_row_of(y->op);
    return row && row->is_gradient ? x->base.value[y->in[y->n_in - 1]->id] : NULL;
}

static void shake_result(void *arg, const tn_tensor *y, double *value)
{
    tn_expected *x = arg;
    tn_budget budget = budget_of(y);
    const double *dy = slope_of(x, y);
    for (int64_t e = 0; is_open(x, y) && x->trials & 1 && e < count_of(y); e++) value[e] = NAN;
    for (int64_t e = 0; is_plain(x) && y->type.dtype == TN_F32 && e < count_of(y); e++) value[e] = (float)value[e];
    if (is_plain(x)) return;
    double unit = tn_unit_of(y->type.dtype), ulp = budget.ulp > 0.51 ? budget.ulp : 0.51;
    if (x->exact[y->id] || is_whole(y) || (budget.ulp == 0 && !is_narrow(y) && y->op->kind != TN_LEAF)) ulp = 0;
    if (is_narrow(y) && !x->exact[y->id]) ulp += 0.51;
    for (int64_t e = 0; e < count_of(y); e++) {
        if (ulp != 0) value[e] *= 1 + sign(x) * ulp * unit;
        double loss = x->exact[y->id] || budget.absolute == 0 ? 0 : budget.absolute * unit * (dy ? fabs(dy[e]) : 1);
        value[e] = x->trials & 1 && fabs(value[e]) <= loss ? 0 : value[e] + sign(x) * loss; /* little may be nothing */
        if (x->trials & 1 && !is_whole(y)) value[e] = limited(value[e], y->type.dtype);
        if (value[e] == 0) value[e] = copysign(0, sign(x)); /* the sign of zero is anybody's */
    }
}

/* Adds one trial's distances to those before. */
static void widen(tn_expected *x, const tn_values *trial)
{
    for (uint32_t i = 0; i < x->graph->count; i++)
        for (int64_t e = 0; e < count_of(x->graph->tensor[i]); e++) {
            double w = x->base.value[i][e], t = trial->value[i][e];
            double off = w == t || (isnan(w) && isnan(t)) ? 0 : fabs(w - t);
            if (isnan(off)) off = INFINITY;
            if (off > x->off[i][e]) x->off[i][e] = off;
        }
}

tn_status tn_expect_more(tn_expected *x, uint32_t trials)
{
    tn_interpretation with = x->with;
    with.operand = shake_operand, with.result = shake_result;
    for (uint32_t i = 0; i < trials; i++, x->trials++) {
        tn_values trial;
        with.arg = x;
        with.by_steps = x->trials % 8 != 6; /* a plain one, in which a composite rounds once */
        tn_status s = tn_interpret(x->graph, &with, &trial);
        if (!s) widen(x, &trial);
        tn_values_free(&trial);
        TN_TRY(s);
    }
    return TN_OK;
}

/* The trials' own argument is the expectation: leaves are passed on. */
static tn_status same_leaf(void *arg, const tn_tensor *leaf, double *value)
{
    const tn_expected *x = arg;
    memcpy(value, x->base.value[leaf->id], (size_t)count_of(leaf) * sizeof *value);
    return TN_OK;
}

/* Composites are computed step by step in the trials, for errors arise in each. */
static tn_status lower_all(tn_graph *graph)
{
    for (uint32_t i = 0; i < graph->count; i++) {
        tn_tensor *y = graph->tensor[i];
        if (y->op->kind == TN_COMPOSITE && !y->lowered) y->lowered = y->op->lower(y);
        TN_TRY(tn_graph_status(graph));
    }
    return TN_OK;
}

/* In the order of computing: what a composite is made of may come after it. */
static void find_exact(tn_expected *x, const tn_tensor *y, unsigned char *seen)
{
    if (seen[y->id]) return;
    seen[y->id] = 1;
    if (y->lowered) find_exact(x, y->lowered, seen);
    for (uint32_t i = 0; i < y->n_in; i++) find_exact(x, y->in[i], seen);
    x->exact[y->id] = y->lowered ? x->exact[y->lowered->id] : (unsigned char)is_exact(x, y);
}

static tn_status make_room(tn_expected *x)
{
    const tn_graph *graph = x->graph;
    unsigned char *seen = tn_region_alloc(&x->region, graph->count + 1);
    x->off = tn_region_alloc(&x->region, graph->count * sizeof *x->off + 1);
    x->exact = tn_region_alloc(&x->region, graph->count + 1);
    if (!seen || !x->off || !x->exact) return TN_ENOMEM;
    for (uint32_t i = 0; i < graph->count; i++) {
        x->off[i] = tn_region_alloc(&x->region, (size_t)count_of(graph->tensor[i]) * sizeof **x->off + 1);
        if (!x->off[i]) return TN_ENOMEM;
        find_exact(x, graph->tensor[i], seen);
    }
    return TN_OK;
}

tn_status tn_expect(tn_graph *graph, const tn_interpretation *with, uint64_t random, tn_expected *x)
{
    *x = (tn_expected){.graph = graph, .with = *with, .random = random * 2 + 1};
    TN_TRY(tn_interpret(graph, with, &x->want));
    TN_TRY(lower_all(graph));
    x->with.by_steps = 1;
    TN_TRY(tn_interpret(graph, &x->with, &x->base));
    x->with.leaf = same_leaf;
    return make_room(x);
}

void tn_expected_free(tn_expected *x)
{
    tn_values_free(&x->want);
    tn_values_free(&x->base);
    tn_region_free(&x->region);
}

/* ---- comparing ---- */

double tn_expected_allowed(const tn_expected *x, const tn_tensor *y, int64_t e)
{
    return MARGIN * x->off[y->id][e] +
           (x->exact[y->id] || is_whole(y) ? 0 : tn_dtype_facts_of(y->type.dtype)->smallest);
}

int tn_expected_holds(const tn_expected *x, const tn_tensor *y, int64_t e, double got)
{
    double want = x->want.value[y->id][e], allowed = tn_expected_allowed(x, y, e);
    if (got == want || isinf(allowed)) return 1;
    if (isnan(got) || isnan(want)) return isnan(got) && isnan(want);
    return fabs(got - want) <= allowed;
}
