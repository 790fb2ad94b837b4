/* treatment.c: which parameters an optimizer updates, and what decay and rate each has: options that are lists of
 * names, patterns and numbers. */
#include "treatment.h"

#include "nearest.h"
#include "pattern.h"
#include "word.h"

#include <math.h>
#include <string.h>

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

static void exempt(tn_graph *graph, const char *patterns, tn_tensor *const param[], tn_treatment *t, size_t count)
{
    tn_item item;
    for (const char *cursor = patterns; next_name(graph, "no_decay", patterns, &cursor, &item);) {
        check_pattern(graph, "no_decay", item.text, param, count);
        for (size_t i = 0; i < count; i++)
            if (fits(item.text, param[i])) t[i].of[TN_DECAY] = 0;
    }
}

/* What an option's patterns and numbers say of parameters: the first that fits one counts. */
static void treat_by(tn_graph *graph, int what, const char *list, tn_tensor *const param[], tn_treatment *t,
                     size_t count)
{
    static const char *const option[] = {"decays", "rates"};
    static const char *const number[] = {"a weight decay of 0 or more", "a factor above 0"};
    tn_item item;
    double value;
    for (const char *cursor = list; cursor;) {
        if (!tn_item_next(&cursor, &item) || item.words != 2 || !tn_word_number(item.word[1], &value) || value < 0 ||
            (value == 0 && what == TN_RATE)) {
            tn_graph_fail(graph, TN_EINVAL, "%s '%s': '%s' is not a name and %s", option[what], list, item.text,
                          number[what]);
            return;
        }
        check_pattern(graph, option[what], item.word[0], param, count);
        for (size_t i = 0; i < count; i++)
            if (isnan(t[i].of[what]) && fits(item.word[0], param[i])) t[i].of[what] = value;
    }
}

void tn_treat(tn_graph *graph, const tn_optim_options *options, tn_tensor *const param[], tn_treatment *t, size_t count)
{
    for (size_t i = 0; i < count; i++) t[i] = (tn_treatment){{NAN, NAN}};
    treat_by(graph, TN_DECAY, options->decays, param, t, count);
    treat_by(graph, TN_RATE, options->rates, param, t, count);
    for (size_t i = 0; i < count; i++) {
        if (isnan(t[i].of[TN_DECAY])) t[i].of[TN_DECAY] = options->weight_decay;
        if (isnan(t[i].of[TN_RATE])) t[i].of[TN_RATE] = 1;
    }
    exempt(graph, options->no_decay, param, t, count);
}

size_t tn_choose(tn_graph *graph, const char *only, tn_tensor *param[], size_t count)
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
