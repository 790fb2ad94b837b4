/* optimizers.c: from a loss to the updates of all parameters: options, limits, groups of parameters. The rules
 * themselves are in rules.c. */
#include "rules.h"

#include "alloc.h"
#include "error.h"
#include "nearest.h"
#include "pattern.h"
#include "tenon/ops.h"
#include "word.h"

#include <math.h>
#include <string.h>

int tn_optimizer_at(size_t index, tn_optimizer_entry *entry)
{
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

/* How a parameter is treated. */
typedef struct treatment {
    double decay, rate;
} treatment;

/* Each pattern fits a parameter: what is misspelt is found. */
static void check_pattern(tn_graph *graph, const char *option, const char *pattern, tn_tensor *const param[],
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tn_pattern_matches(pattern, strlen(pattern), tn_name_of(param[i]))) return;
    tn_graph_fail(graph, TN_EMISSING, "%s: no parameter is called '%s'; there are '%s' to '%s'", option, pattern,
                  tn_name_of(param[0]), tn_name_of(param[count - 1]));
}

static void exempt(tn_graph *graph, const char *patterns, tn_tensor *const param[], treatment *of, size_t count)
{
    tn_item item;
    for (const char *cursor = patterns; cursor;) {
        if (!tn_item_next(&cursor, &item) || item.words != 1) {
            tn_graph_fail(graph, TN_EINVAL, "no_decay '%s': '%s' is not a name", patterns, item.text);
            return;
        }
        int vectors = !strcmp(item.text, "vectors");
        if (!vectors) check_pattern(graph, "no_decay", item.text, param, count);
        for (size_t i = 0; i < count; i++)
            if (vectors ? tn_shape_of(param[i]).rank < 2
                        : tn_pattern_matches(item.text, strlen(item.text), tn_name_of(param[i])))
                of[i].decay = 0;
    }
}

static void set_rates(tn_graph *graph, const char *rates, tn_tensor *const param[], treatment *of, size_t count)
{
    tn_item item;
    double rate;
    for (const char *cursor = rates; cursor;) {
        if (!tn_item_next(&cursor, &item) || item.words != 2 || !tn_word_number(item.word[1], &rate) || rate <= 0) {
            tn_graph_fail(graph, TN_EINVAL, "rates '%s': '%s' is not a name and a factor above 0", rates, item.text);
            return;
        }
        check_pattern(graph, "rates", item.word[0], param, count);
        for (size_t i = 0; i < count; i++)
            if (of[i].rate == 0 && tn_pattern_matches(item.word[0], strlen(item.word[0]), tn_name_of(param[i])))
                of[i].rate = rate;
    }
}

/* Parameters that are treated alike lie side by side. */
static void lay_out(tn_tensor *const param[], const treatment *of, size_t count)
{
    uint32_t groups = 0;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < i && (of[k].decay != of[i].decay || of[k].rate != of[i].rate)) k++;
        if (k == i) groups++;
        for (size_t j = i; k == i && j < count; j++)
            if (of[j].decay == of[i].decay && of[j].rate == of[i].rate) tn_keep_together(param[j], groups - 1);
    }
}

static void treat(tn_graph *graph, const tn_optim_options *options, tn_tensor *const param[], treatment *of,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) of[i] = (treatment){.decay = options->weight_decay};
    exempt(graph, options->no_decay, param, of, count);
    set_rates(graph, options->rates, param, of, count);
    for (size_t i = 0; i < count; i++)
        if (of[i].rate == 0) of[i].rate = 1;
    lay_out(param, of, count);
}

/* ---- the updates ---- */

static void update(const tn_rule *rule, tn_update u, treatment of, tn_tensor *p, tn_tensor *g)
{
    u.options.weight_decay = of.decay;
    if (of.rate != 1) u.lr = tn_mul(u.lr, tn_number(u.lr, of.rate));
    if (of.decay > 0 && !rule->decays) g = tn_add(g, tn_mul(p, tn_number(p, of.decay)));
    rule->update(&u, p, g);
}

/* Adds the gradients and the update of each of `count` parameters; list has room for twice as many. */
static void update_all(tn_tensor *loss, const tn_rule *rule, tn_optim_options options, tn_tensor *list[], treatment *of,
                       size_t count)
{
    tn_graph *graph = tn_graph_of(loss);
    tn_update u = {.graph = graph, .options = options};
    tn_variables(graph, TN_TRAINABLE, list, count);
    treat(graph, &options, list, of, count);
    if (tn_graph_status(graph)) return;
    tn_grad(loss, list, count, list + count);
    clip(&options, list + count, count);
    u.lr = tn_scalar_input(graph, "lr", TN_F32, options.lr);
    u.time = tn_add(tn_scalar_input(graph, "step", TN_F32, 0), tn_number(u.lr, 1));
    if (rule->begin) rule->begin(&u);
    for (size_t i = 0; i < count; i++) update(rule, u, of[i], list[i], list[count + i]);
    tn_advance_step(graph);
}

void tn_minimize(tn_tensor *loss, const char *optimizer, tn_optim_options options)
{
    tn_graph *graph = tn_graph_of(loss);
    if (tn_graph_status(graph)) return;
    const tn_rule *rule = find(graph, optimizer);
    size_t count = tn_variables(graph, TN_TRAINABLE, NULL, 0);
    if (!rule) return;
    settle_all(graph, &options, rule);
    if (!count) tn_graph_fail(graph, TN_EINVAL, "the network has no parameters to train");
    if (tn_graph_status(graph)) return;
    tn_tensor **list = tn_alloc(2 * count * sizeof *list);
    treatment *of = tn_alloc(count * sizeof *of);
    if (list && of)
        update_all(loss, rule, options, list, of, count);
    else
        tn_graph_fail(graph, TN_ENOMEM, "out of memory");
    tn_free(list);
    tn_free(of);
}
