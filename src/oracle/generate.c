/* generate.c: see generate.h. A program begins with some leaves, grows by steps of all families, is differentiated or
 * trained more often than not, and ends in outputs and assignments. */
#include "generate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"

/* The choosers, in the order of the rules. */
static const struct {
    const char *rule;
    tn_chooser *choose;
} choosers[] = {
#define X(family, name, choose, ...) {#name, tn_choose_##choose},
#include "rules.def"
#undef X
};

/* How often a step is of a family. */
static const int weights[TN_RULE_FAMILIES] = {
    [TN_RULE_LEAF] = 4,   [TN_RULE_UNARY] = 14,  [TN_RULE_BINARY] = 14, [TN_RULE_MAP] = 12,
    [TN_RULE_SHAPE] = 18, [TN_RULE_PRODUCT] = 8, [TN_RULE_PICTURE] = 6, [TN_RULE_REDUCE] = 14,
    [TN_RULE_INDEX] = 6,  [TN_RULE_LAYER] = 10,  [TN_RULE_LOSS] = 4,
};

static tn_chooser *chooser_of(const tn_call_rule *rule)
{
    if (rule->family == TN_RULE_UNARY) return tn_choose_unary;
    if (rule->family == TN_RULE_BINARY) return tn_choose_binary;
    for (size_t i = 0; i < sizeof choosers / sizeof *choosers; i++)
        if (!strcmp(choosers[i].rule, rule->name)) return choosers[i].choose;
    return NULL;
}

static int32_t some_family(tn_maker *m)
{
    int total = 0;
    for (int i = 0; i < TN_RULE_FAMILIES; i++) total += weights[i];
    int64_t at = tn_below(m, total);
    int32_t family = 0;
    while (at >= weights[family]) at -= weights[family++];
    return family;
}

static const tn_call_rule *some_rule(tn_maker *m)
{
    const tn_call_rule *found[256], *rule;
    int32_t family = some_family(m), count = 0;
    for (int32_t i = 0; count < 256 && (rule = tn_rule_at(i)); i++)
        if (rule->family == family) found[count++] = rule;
    return found[tn_below(m, count)];
}

/* A step of a rule with what its chooser finds: its number, or -1. */
static int32_t add_chosen(tn_maker *m, const tn_call_rule *rule)
{
    tn_call s = tn_step_of(m, rule->name);
    return chooser_of(rule)(m, &s) ? tn_add_step(m, &s) : -1;
}

/* What grows too large for others to be built on is scaled down; half of such steps, by a power of two. */
static void tame(tn_maker *m, int32_t number)
{
    double size = fmax(fabs(m->low[number]), fabs(m->high[number]));
    if (!m->made[number] || m->made[number]->type.dtype != TN_F32 || !(size > 20) || size > 1e30) return;
    tn_call s = tn_step_of(m, tn_chance(m, 50) ? "tame" : "squash");
    s.in[0] = number;
    s.f[0] = exp2(-floor(log2(size)));
    (void)tn_add_step(m, &s);
}

/* ---- gradients and training ---- */

/* A loss of one element: something's weighted sum, mean of squares, ... or one that is there. */
static int32_t add_loss(tn_maker *m)
{
    static const char *const kinds[] = {"weighted", "weighted", "mean_of_squares", "sum_of_all"};
    tn_call s = tn_step_of(m, kinds[tn_below(m, 4)]);
    s.in[0] = tn_any_real(m);
    if (s.in[0] < 0 || tn_made_dtype(m, s.in[0]) != TN_F32) return -1;
    s.in[1] = tn_alike(m, TN_F32, tn_made_shape(m, s.in[0]));
    return tn_add_step(m, &s);
}

/* Something that the loss depends on: so many steps up from it; or, now and then, anything. */
static int32_t some_origin(tn_maker *m, int32_t loss)
{
    int32_t at = tn_chance(m, 5) ? (int32_t)tn_below(m, m->recipe->count) : loss;
    while (at == loss || tn_chance(m, 75)) {
        int32_t next = m->recipe->step[at].in[tn_below(m, TN_STEP_OPERANDS)];
        if (next < 0 && m->recipe->step[at].in[0] < 0) break;
        if (next >= 0 && m->made[next]) at = next;
    }
    return m->made[at] && m->made[at]->type.dtype == TN_F32 ? at : -1;
}

static void add_gradient(tn_maker *m)
{
    tn_call s = tn_step_of(m, tn_chance(m, 60) ? "grad" : "grad_of_two");
    s.in[0] = add_loss(m);
    if (s.in[0] < 0) return;
    s.in[1] = some_origin(m, s.in[0]), s.in[2] = some_origin(m, s.in[0]);
    if (s.in[1] >= 0 && s.in[2] >= 0) (void)tn_add_step(m, &s);
}

static void add_training(tn_maker *m)
{
    static const char *const kinds[] = {"minimize", "minimize_clipped", "minimize_more"};
    tn_optimizer_entry entry;
    size_t optimizers = 0;
    while (tn_optimizer_at(optimizers, &entry)) optimizers++;
    tn_call s = tn_step_of(m, kinds[tn_below(m, 3)]);
    (void)tn_optimizer_at((size_t)tn_below(m, (int64_t)optimizers), &entry);
    s.word = entry.name;
    s.in[0] = add_loss(m);
    s.f[0] = tn_chance(m, 50) ? 0.125 : 0.01, s.f[1] = tn_chance(m, 50) ? 0 : 0.25;
    s.p[0] = tn_below(m, 2), s.p[1] = tn_below(m, 2);
    if (s.in[0] >= 0) (void)tn_add_step(m, &s);
}

/* ---- sinks ---- */

static void add_output(tn_maker *m, uint32_t number)
{
    tn_call s = tn_step_of(m, "output");
    s.letter = 'y', s.in[0] = (int32_t)number;
    if (m->made[number]) (void)tn_add_step(m, &s);
}

/* Every tensor that nothing uses, and some others: inputs and variables among them. */
static void add_outputs(tn_maker *m)
{
    uint32_t count = m->recipe->count;
    for (uint32_t i = 0; i < count; i++)
        if (m->made[i] && (tn_recipe_uses(m->recipe, i) ? tn_chance(m, 12) : tn_chance(m, 90))) add_output(m, i);
}

static void add_assignments(tn_maker *m)
{
    uint32_t count = m->recipe->count;
    for (uint32_t i = 0; i < count; i++) {
        const tn_tensor *x = m->made[i];
        tn_call s = tn_step_of(m, "assign");
        if (!x || x->op != &tn_op_variable || !tn_chance(m, 60)) continue;
        s.in[0] = (int32_t)i, s.in[1] = tn_alike(m, x->type.dtype, x->type.shape);
        if (s.in[1] >= 0) (void)tn_add_step(m, &s);
    }
}

static void add_freeze(tn_maker *m)
{
    for (uint32_t i = 0; i < m->recipe->count; i++) {
        tn_call s = tn_step_of(m, "freeze");
        if (!m->made[i] || m->made[i]->op != &tn_op_variable || !tn_chance(m, 30)) continue;
        s.in[0] = (int32_t)i;
        (void)tn_add_step(m, &s);
        return;
    }
}

/* ---- a program ---- */

static void grow(tn_maker *m, int64_t steps)
{
    for (int64_t i = 0; i < steps && !m->status; i++) {
        int32_t number = add_chosen(m, some_rule(m));
        if (number >= 0) tame(m, number);
    }
}

static void compose(tn_maker *m)
{
    for (int64_t i = 1 + tn_below(m, 3); i > 0; i--) (void)tn_add_leaf(m, TN_F32, tn_some_shape(m, tn_some_rank(m)));
    grow(m, 1 + tn_below(m, tn_chance(m, 70) ? 8 : 24));
    if (tn_chance(m, 10)) add_freeze(m);
    if (tn_chance(m, 60)) add_gradient(m);
    if (tn_chance(m, 30)) grow(m, 1 + tn_below(m, 4));
    if (tn_chance(m, 25)) add_gradient(m); /* of gradients, often */
    if (tn_chance(m, 30)) add_training(m);
    if (tn_chance(m, 30)) add_assignments(m);
    add_outputs(m);
    if (!m->graph->sinks) add_output(m, 0);
}

uint64_t tn_generated_seed(uint64_t seed, uint64_t number)
{
    return (seed + 1) * 0x9E3779B97F4A7C15u ^ (number + 1) * 0xD1B54A32D192ED03u;
}

tn_status tn_generate(uint64_t seed, uint64_t number, tn_recipe *recipe)
{
    tn_maker m = {.recipe = recipe, .graph = tn_graph_new()};
    m.seed = tn_generated_seed(seed, number), m.random = m.seed | 1;
    recipe->count = 0;
    if (!m.graph) return TN_ENOMEM;
    for (int i = 0; i < 8; i++) (void)tn_below(&m, 2);
    compose(&m);
    tn_graph_free(m.graph);
    tn_region_free(&m.region);
    tn_free(m.value);
    return m.status;
}
