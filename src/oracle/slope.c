/* slope.c: see slope.h. */
#include "slope.h"

#include <math.h>
#include <string.h>

#include "interpret.h"
#include "leaf.h"
#include "philox.h"
#include "plain.h"

#define STEP  1e-6
#define ASIDE 1e-3

/* The graph, and the tensor that is moved along a direction. */
typedef struct slope {
    tn_graph *graph;
    const tn_tensor *loss, *moved, *grad;
    uint64_t seed;
    double way;             /* how far along the direction */
    const tn_values *there; /* the values where nothing is moved; NULL while these are computed */
} slope;

static double direction(const slope *s, int64_t e)
{
    return 2 * tn_philox_uniform(s->seed, 0, 7, (uint64_t)e) - 1;
}

static tn_status leaf(void *arg, const tn_tensor *x, double *value)
{
    const slope *s = arg;
    if (x->op == &tn_op_scalar)
        *value = ((const tn_scalar_attrs *)x->attrs)->value;
    else
        tn_judge_feed(x, s->seed, 0, value);
    return TN_OK;
}

static int stops(const tn_tensor *y)
{
    return y->op == &tn_op_stop_gradient;
}

/* A little to the side first: what is exactly 0 or 1 may be the one place where a gradient is no slope.
 * What stops gradients is a constant: it does not move. */
static void move(void *arg, const tn_tensor *y, double *value)
{
    const slope *s = arg;
    if (stops(y) && y != s->moved && s->there)
        memcpy(value, s->there->value[y->id], (size_t)tn_shape_count(&y->type.shape) * sizeof *value);
    for (int64_t e = 0; y == s->moved && e < tn_shape_count(&y->type.shape); e++)
        value[e] += ASIDE * tn_philox_uniform(s->seed, 1, 7, (uint64_t)e) + s->way * direction(s, e);
}

static tn_status interpret(slope *s, double way, tn_values *values)
{
    const tn_interpretation with = {leaf, NULL, move, s, s->seed, 1, 0};
    s->way = way;
    return tn_interpret(s->graph, &with, values);
}

/* The loss so far along the direction. */
static tn_status evaluate(slope *s, double way, double *loss)
{
    tn_values values;
    tn_status status = interpret(s, way, &values);
    if (!status) *loss = *values.value[s->loss->id];
    tn_values_free(&values);
    return status;
}

/* What the gradient says of the direction, and how large its parts are. */
static void sum_up(const slope *s, const tn_values *values, double *said, double *size)
{
    *said = *size = 0;
    for (int64_t e = 0; e < tn_shape_count(&s->moved->type.shape); e++) {
        double part = values->value[s->grad->id][e] * direction(s, e);
        *said += part, *size += fabs(part);
    }
}

static tn_status compare(slope *s, tn_verdict *verdict)
{
    double at = 0, before = 0, after = 0, said = 0, size = 0;
    tn_values there;
    tn_status status = interpret(s, 0, &there);
    if (!status) at = *there.value[s->loss->id], sum_up(s, &there, &said, &size), s->there = &there;
    if (!status) status = evaluate(s, -STEP, &before);
    if (!status) status = evaluate(s, STEP, &after);
    s->there = NULL;
    tn_values_free(&there);
    TN_TRY(status);
    double rises = (after - at) / STEP, fell = (at - before) / STEP, mean = (rises + fell) / 2;
    double noise = 1e-7 * (1 + fabs(at)) + 1e-4 * size;
    if (!(fabs(rises - fell) <= noise) || !isfinite(said) || size > 1e6) return TN_OK; /* a kink, or too steep to say */
    if (fabs(said - mean) <= 10 * noise) return TN_OK;
    verdict->wrong = 1;
    tn_snprintf(verdict->text, sizeof verdict->text,
                "a gradient of '%s' says %.9g in a direction in which the loss rises by %.9g",
                s->moved->name ? s->moved->name : s->moved->op->name, said, mean);
    return TN_OK;
}

/* What is rounded has stairs for a slope; some gradients are none by definition. */
static int has_slopes(const tn_recipe *recipe, const tn_graph *graph)
{
    static const char *const others[] = {"freeze", "window", "embedding_padded"};
    for (uint32_t i = 0; i < recipe->count; i++)
        for (size_t k = 0; k < sizeof others / sizeof *others; k++)
            if (recipe->step[i].rule == tn_rule_named(others[k])) return 0;
    for (uint32_t i = 0; i < graph->count; i++)
        if (tn_is_narrow(graph->tensor[i]->type.dtype)) return 0;
    return 1;
}

tn_status tn_judge_slopes(const tn_recipe *recipe, uint64_t seed, tn_verdict *verdict)
{
    tn_tensor *made[TN_MOST_STEPS] = {NULL};
    tn_graph *graph = tn_recipe_build(recipe, made);
    tn_status status = tn_graph_status(graph);
    int fit = !status && has_slopes(recipe, graph);
    for (uint32_t i = 0; fit && i < recipe->count && !status && !verdict->wrong; i++) {
        const tn_call *step = &recipe->step[i];
        if (step->rule != tn_rule_named("grad") || !made[i]) continue;
        slope s = {
            .graph = graph, .loss = made[step->in[0]], .moved = made[step->in[1]], .grad = made[i], .seed = seed};
        status = compare(&s, verdict);
    }
    tn_graph_free(graph);
    return status;
}
