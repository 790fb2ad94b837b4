/* optimizers.c: from a loss to the updates of all parameters: options, limits, groups of parameters. The rules
 * themselves are in rules.c. */
#include "rate.h"
#include "rules.h"

#include "alloc.h"
#include "error.h"
#include "nearest.h"
#include "pattern.h"
#include "tenon/ops.h"
#include "word.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int tn_optimizer_at(size_t index, tn_optimizer_entry *entry)
{
    if (!entry) return 0;
    if (index >= tn_rules_count) return 0;
    *entry = tn_rules[index].entry;
    return 1;
}

/* The optimizer's rule, or NULL with the graph failed. */
static const tn_rule *find(tn_graph *graph, const char *name)
{
    tn_nearest nearest = {.word = name};
    char hint[80];
    for (size_t i = 0; i < tn_rules_count; i++) {
        if (!strcmp(tn_rules[i].entry.name, name)) return &tn_rules[i];
        tn_nearest_offer(&nearest, tn_rules[i].entry.name);
    }
    tn_graph_fail(graph, TN_EMISSING, "there is no optimizer '%s'%s", name,
                  tn_nearest_text(&nearest, hint, sizeof hint));
    return NULL;
}

/* ---- options ---- */

/* Puts the usual value in place of 0, which stays where it is usual, and checks that another lies in (0, below). */
static void settle(tn_graph *graph, const char *what, double *value, double usual, double below)
{
    if (*value == 0) *value = usual;
    if (*value >= 0 && *value < below) return;
    if (isinf(below))
        tn_graph_fail(graph, TN_EINVAL, "the %s %g is not a number above 0", what, *value);
    else
        tn_graph_fail(graph, TN_EINVAL, "the %s %g is not between 0 and %g", what, *value, below);
}

static void settle_all(tn_graph *graph, tn_optim_options *options, const tn_rule *rule)
{
    settle(graph, "weight decay", &options->weight_decay, rule->usual.weight_decay, INFINITY);
    settle(graph, "limit of the gradient's norm", &options->clip_norm, 0, INFINITY);
    settle(graph, "limit of the gradient's values", &options->clip_value, 0, INFINITY);
    settle(graph, "learning rate", &options->lr, rule->entry.lr, INFINITY);
    settle(graph, "alpha", &options->alpha, rule->usual.alpha, 1);
    settle(graph, "momentum", &options->momentum, rule->usual.momentum, 1);
    settle(graph, "beta1", &options->beta1, rule->usual.beta1, 1);
    settle(graph, "beta2", &options->beta2, rule->usual.beta2, 1);
    settle(graph, "epsilon", &options->epsilon, rule->usual.epsilon, INFINITY);
}

/* The gradients' common norm is brought down to the limit (Pascanu, Mikolov and Bengio, 2013), and then each value. */
static void clip(const tn_optim_options *options, tn_tensor *grad[], size_t count)
{
    tn_tensor *power = NULL, *factor = NULL;
    for (size_t i = 0; options->clip_norm > 0 && i < count; i++) {
        tn_tensor *own = tn_sum(tn_square(grad[i]), TN_ALL, 0);
        power = power ? tn_add(power, own) : own;
    }
    if (power) {
        tn_tensor *norm = tn_add(tn_sqrt(power), tn_number(power, 1e-6));
        factor = tn_min(tn_div(tn_number(power, options->clip_norm), norm), tn_number(power, 1));
    }
    for (size_t i = 0; i < count; i++) {
        if (factor) grad[i] = tn_mul(grad[i], factor);
        if (options->clip_value > 0) grad[i] = tn_clamp(grad[i], -options->clip_value, options->clip_value);
    }
}

/* ---- groups of parameters ---- */

enum { DECAY, RATE };

/* How a parameter is treated; NAN: nothing has been said. */
typedef struct treatment {
    double of[2];
} treatment;

/* "vectors" stands for parameters of fewer than two dimensions: biases, scales. */
static int fits(const char *pattern, const tn_tensor *param)
{
    if (!strcmp(pattern, "vectors")) return tn_shape_of(param).rank < 2;
    return tn_pattern_matches(pattern, strlen(pattern), tn_name_of(param));
}

/* Each pattern fits a parameter: what is misspelt is found. */
static void check_pattern(tn_graph *graph, const char *option, const char *pattern, tn_tensor *const param[],
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fits(pattern, param[i]) || !strcmp(pattern, "vectors")) return;
    tn_graph_fail(graph, TN_EMISSING, "%s: no parameter is called '%s'; there are '%s' to '%s'", option, pattern,
                  count ? tn_name_of(param[0]) : "", count ? tn_name_of(param[count - 1]) : "");
}

/* The next name or pattern of an option's list; 0 after the last or a mistake. */
static int next_name(tn_graph *graph, const char *option, const char *list, const char **cursor, tn_item *item)
{
    if (!*cursor) return 0;
    if (tn_item_next(cursor, item) && item->words == 1) return 1;
    tn_graph_fail(graph, TN_EINVAL, "%s '%s': '%s' is not a name", option, list, item->text);
    return 0;
}

static void exempt(tn_graph *graph, const char *patterns, tn_tensor *const param[], treatment *t, size_t count)
{
    tn_item item;
    for (const char *cursor = patterns; next_name(graph, "no_decay", patterns, &cursor, &item);) {
        check_pattern(graph, "no_decay", item.text, param, count);
        for (size_t i = 0; i < count; i++)
            if (fits(item.text, param[i])) t[i].of[DECAY] = 0;
    }
}

/* What an option's patterns and numbers say of parameters: the first that fits one counts. */
static void treat_by(tn_graph *graph, int what, const char *list, tn_tensor *const param[], treatment *t, size_t count)
{
    static const char *const option[] = {"decays", "rates"};
    static const char *const number[] = {"a weight decay of 0 or more", "a factor above 0"};
    tn_item item;
    double value;
    for (const char *cursor = list; cursor;) {
        if (!tn_item_next(&cursor, &item) || item.words != 2 || !tn_word_number(item.word[1], &value) || value < 0 ||
            (value == 0 && what == RATE)) {
            tn_graph_fail(graph, TN_EINVAL, "%s '%s': '%s' is not a name and %s", option[what], list, item.text,
                          number[what]);
            return;
        }
        check_pattern(graph, option[what], item.word[0], param, count);
        for (size_t i = 0; i < count; i++)
            if (isnan(t[i].of[what]) && fits(item.word[0], param[i])) t[i].of[what] = value;
    }
}

static int alike(const treatment *a, const treatment *b)
{
    return a->of[DECAY] == b->of[DECAY] && a->of[RATE] == b->of[RATE];
}

/* Parameters that are treated alike lie side by side. */
static void lay_out(tn_tensor *const param[], const treatment *t, size_t count)
{
    uint32_t groups = 0;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < i && !alike(&t[k], &t[i])) k++;
        if (k == i) groups++;
        for (size_t j = i; k == i && j < count; j++)
            if (alike(&t[j], &t[i])) tn_keep_together(param[j], groups - 1);
    }
}

static void treat(tn_graph *graph, const tn_optim_options *options, tn_tensor *const param[], treatment *t,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) t[i] = (treatment){{NAN, NAN}};
    treat_by(graph, DECAY, options->decays, param, t, count);
    treat_by(graph, RATE, options->rates, param, t, count);
    for (size_t i = 0; i < count; i++) {
        if (isnan(t[i].of[DECAY])) t[i].of[DECAY] = options->weight_decay;
        if (isnan(t[i].of[RATE])) t[i].of[RATE] = 1;
    }
    exempt(graph, options->no_decay, param, t, count);
    lay_out(param, t, count);
}

/* Leaves in the list what the option names; returns how many there are. */
static size_t choose(tn_graph *graph, const char *only, tn_tensor *param[], size_t count)
{
    tn_item item;
    size_t chosen = 0;
    for (const char *cursor = only; next_name(graph, "only", only, &cursor, &item);)
        check_pattern(graph, "only", item.text, param, count);
    for (size_t i = 0; i < count; i++) {
        int named = !only;
        for (const char *cursor = only; !named && cursor;)
            named = tn_item_next(&cursor, &item) && fits(item.text, param[i]);
        if (named) param[chosen++] = param[i];
    }
    if (!chosen) tn_graph_fail(graph, TN_EMISSING, "only '%s': there is no such parameter", only);
    return chosen;
}

/* ---- the updates ---- */

static void update(const tn_rule *rule, tn_update u, const treatment *t, tn_tensor *p, tn_tensor *g)
{
    double decay = u.options.weight_decay = t->of[DECAY];
    if (t->of[RATE] != 1) u.lr = tn_mul(u.lr, tn_number(u.lr, t->of[RATE]));
    if (decay > 0 && !rule->decays) g = tn_add(g, tn_mul(p, tn_number(p, decay)));
    rule->update(&u, p, g);
}

tn_status tn_rate_name(const tn_optim_options *options, char name[TN_RATE_NAME])
{
    const char *own = options->name;
    int length = snprintf(name, TN_RATE_NAME, "%s%slr", own ? own : "", own ? "." : "");
    TN_REQUIRE(length < TN_RATE_NAME, TN_EINVAL, "an optimizer's name of %d characters", length - 3);
    return TN_OK;
}

static tn_tensor *rate_input(tn_graph *graph, const tn_optim_options *options)
{
    char name[TN_RATE_NAME];
    tn_status s = tn_rate_name(options, name);
    if (s) tn_graph_fail(graph, s, "%s", tn_message());
    return tn_scalar_input(graph, name, TN_F32, options->lr);
}

/* Adds the gradients and the update of each of `count` parameters; list has room for twice as many. */
static void update_all(tn_tensor *loss, const tn_rule *rule, tn_optim_options options, tn_tensor *list[], treatment *t,
                       size_t count)
{
    tn_graph *graph = tn_graph_of(loss);
    tn_update u = {.graph = graph, .options = options};
    tn_variables(graph, TN_TRAINABLE, list, count);
    count = choose(graph, options.only, list, count);
    treat(graph, &options, list, t, count);
    if (tn_graph_status(graph)) return;
    tn_grad(loss, list, count, list + count);
    clip(&options, list + count, count);
    u.lr = rate_input(graph, &options);
    u.time = tn_add(tn_count_steps(graph, list, count), tn_number(u.lr, 1));
    if (rule->begin) rule->begin(&u);
    for (size_t i = 0; i < count; i++) update(rule, u, &t[i], list[i], list[count + i]);
}

void tn_minimize(tn_tensor *loss, const char *optimizer, tn_optim_options options)
{
    tn_graph *graph = tn_graph_of(loss);
    if (!optimizer) tn_graph_fail(graph, TN_EINVAL, "tn_minimize: optimizer is NULL");
    if (tn_graph_status(graph)) return;
    const tn_rule *rule = find(graph, optimizer);
    size_t count = tn_variables(graph, TN_TRAINABLE, NULL, 0);
    if (!rule) return;
    settle_all(graph, &options, rule);
    if (!count) tn_graph_fail(graph, TN_EINVAL, "the network has no parameters to train");
    if (tn_graph_status(graph)) return;
    tn_tensor **list = tn_alloc(2 * count * sizeof *list);
    treatment *t = tn_alloc(count * sizeof *t);
    if (list && t)
        update_all(loss, rule, options, list, t, count);
    else
        tn_graph_fail(graph, TN_ENOMEM, "out of memory");
    tn_free(list);
    tn_free(t);
}
