/* optimizers.c: from a loss, or gradients, to the updates of all parameters: options, limits, groups of parameters. The
 * rules themselves are in rules.c. */
#include "rate.h"
#include "rules.h"
#include "treatment.h"

#include "alloc.h"
#include "error.h"
#include "nearest.h"
#include "tenon/ops.h"

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

/* The same where 0 may be meant. */
static void settle_or_zero(tn_graph *graph, const char *what, double *value, double usual, double below)
{
    if (*value == TN_ZERO)
        *value = 0;
    else
        settle(graph, what, value, usual, below);
}

static void settle_all(tn_graph *graph, tn_optim_options *options, const tn_rule *rule)
{
    settle(graph, "limit of the gradient's norm", &options->clip_norm, 0, INFINITY);
    settle(graph, "limit of the gradient's values", &options->clip_value, 0, INFINITY);
    settle(graph, "learning rate", &options->lr, rule->entry.lr, INFINITY);
    settle_or_zero(graph, "weight decay", &options->weight_decay, rule->usual.weight_decay, INFINITY);
    settle_or_zero(graph, "alpha", &options->alpha, rule->usual.alpha, 1);
    settle_or_zero(graph, "momentum", &options->momentum, rule->usual.momentum, 1);
    settle_or_zero(graph, "beta1", &options->beta1, rule->usual.beta1, 1);
    settle_or_zero(graph, "beta2", &options->beta2, rule->usual.beta2, 1);
    settle_or_zero(graph, "epsilon", &options->epsilon, rule->usual.epsilon, INFINITY);
}

/* ---- groups ---- */

/* Parameters that are treated alike, and they and their gradients packed. */
typedef struct group {
    tn_treatment treatment;
    tn_tensor **member;
    size_t members;
    tn_tensor *param, *grad;
} group;

/* What is worked on: of each parameter its gradient and treatment, by group once they are grouped. */
typedef struct work {
    tn_tensor **param, **grad, **sorted; /* sorted: room for the parameters, and then for their gradients */
    tn_treatment *treatment;
    group *group;
    size_t count, groups;
} work;

/* The most elements of a pack, unless one parameter has more: any device has a buffer of that size. */
enum { MOST_PACKED = 1 << 24 };

static int alike(const work *w, size_t a, size_t b)
{
    const double *x = w->treatment[a].of, *y = w->treatment[b].of;
    return x[TN_DECAY] == y[TN_DECAY] && x[TN_RATE] == y[TN_RATE] &&
           tn_dtype_of(w->param[a]) == tn_dtype_of(w->param[b]);
}

static int64_t elements_of(const tn_tensor *x)
{
    tn_shape shape = tn_shape_of(x);
    return tn_shape_count(&shape);
}

/* Parameter `first` and those behind it that go with it become a group, as many as a pack may have. */
static void make_group(work *w, size_t first, tn_tensor *member[], tn_tensor *grad[])
{
    group *g = &w->group[w->groups++];
    int64_t elements = 0;
    *g = (group){.treatment = w->treatment[first], .member = member};
    for (size_t i = first; i < w->count; i++) {
        if (!w->param[i] || !alike(w, i, first)) continue;
        if (g->members && elements + elements_of(w->param[i]) > MOST_PACKED) continue;
        elements += elements_of(w->param[i]);
        member[g->members] = w->param[i];
        grad[g->members++] = w->grad[i];
        if (i != first) w->param[i] = NULL;
    }
    g->param = tn_pack(member, g->members);
    g->grad = tn_pack(grad, g->members);
}

static void make_groups(work *w)
{
    size_t done = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (!w->param[i]) continue;
        make_group(w, i, w->sorted + done, w->sorted + w->count + done);
        done += w->group[w->groups - 1].members;
    }
}

/* The gradients' common norm is brought down to the limit (Pascanu, Mikolov and Bengio, 2013), and then each value. */
static void clip(const tn_optim_options *options, group all[], size_t count)
{
    tn_tensor *power = NULL, *factor = NULL;
    for (size_t i = 0; options->clip_norm > 0 && i < count; i++) {
        tn_tensor *own = tn_cast(tn_sum(tn_square(all[i].grad), TN_ALL, 0), TN_F32);
        power = power ? tn_add(power, own) : own;
    }
    if (power) {
        tn_tensor *norm = tn_add(tn_sqrt(power), tn_number(power, 1e-6));
        factor = tn_min(tn_div(tn_number(power, options->clip_norm), norm), tn_number(power, 1));
    }
    for (size_t i = 0; i < count; i++) {
        tn_tensor **grad = &all[i].grad;
        if (factor) *grad = tn_mul(*grad, tn_cast(factor, tn_dtype_of(*grad)));
        if (options->clip_value > 0) *grad = tn_clamp(*grad, -options->clip_value, options->clip_value);
    }
}

/* ---- the updates ---- */

static void update(const tn_rule *rule, tn_update u, const group *own)
{
    tn_tensor *p = own->param, *g = own->grad;
    double decay = u.options.weight_decay = own->treatment.of[TN_DECAY], rate = own->treatment.of[TN_RATE];
    u.member = own->member;
    u.members = own->members;
    tn_tensor **const scalars[] = {&u.lr, &u.time, &u.shared}; /* f32, and parameters may be f64 */
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++)
        if (*scalars[i]) *scalars[i] = tn_cast(*scalars[i], tn_dtype_of(p));
    if (rate != 1) u.lr = tn_mul(u.lr, tn_number(u.lr, rate));
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

/* ---- all of it ---- */

/* The optimizer's rule with usual options in place of zeros, or NULL with the graph failed. */
static const tn_rule *begin(tn_graph *graph, const char *optimizer, tn_optim_options *options)
{
    if (!optimizer) tn_graph_fail(graph, TN_EINVAL, "the optimizer's name is NULL");
    const tn_rule *rule = tn_graph_status(graph) ? NULL : find(graph, optimizer);
    if (rule) settle_all(graph, options, rule);
    return tn_graph_status(graph) ? NULL : rule;
}

static tn_status make_room(work *w, size_t count)
{
    w->param = tn_alloc((count + 1) * sizeof *w->param);
    w->grad = tn_alloc((count + 1) * sizeof *w->grad);
    w->sorted = tn_alloc((2 * count + 1) * sizeof *w->sorted);
    w->treatment = tn_alloc((count + 1) * sizeof *w->treatment);
    w->group = tn_alloc((count + 1) * sizeof *w->group);
    return w->param && w->grad && w->sorted && w->treatment && w->group ? TN_OK : TN_ENOMEM;
}

static void free_room(work *w)
{
    tn_free(w->param);
    tn_free(w->grad);
    tn_free(w->sorted);
    tn_free(w->treatment);
    tn_free(w->group);
}

/* The updates of w's parameters by w's gradients. */
static void apply(tn_graph *graph, const tn_rule *rule, const tn_optim_options *options, work *w)
{
    tn_update u = {.graph = graph, .options = *options};
    tn_treat(graph, options, w->param, w->treatment, w->count);
    if (tn_graph_status(graph)) return;
    tn_scope_push(graph, NULL); /* moments are named after parameters, which have their scope */
    u.lr = rate_input(graph, options);
    u.time = tn_add(tn_count_steps(graph, w->param, w->count), tn_number(u.lr, 1));
    make_groups(w);
    clip(options, w->group, w->groups);
    if (rule->begin) rule->begin(&u);
    for (size_t i = 0; i < w->groups; i++) update(rule, u, &w->group[i]);
    tn_scope_pop(graph);
}

static void check_gradient(tn_graph *graph, const tn_tensor *param, const tn_tensor *grad)
{
    char p[160], g[160];
    if (!param || !grad) {
        tn_graph_fail(graph, TN_EINVAL, "a %s is NULL", param ? "gradient" : "parameter");
        return;
    }
    tn_shape shape_p = tn_shape_of(param), shape_g = tn_shape_of(grad);
    if (tn_graph_of(grad) != graph || !tn_shape_equal(&shape_p, &shape_g) || tn_dtype_of(param) != tn_dtype_of(grad))
        tn_graph_fail(graph, TN_ESHAPE, "the gradient of '%s', %s %s, is %s %s",
                      tn_name_of(param) ? tn_name_of(param) : "", tn_dtype_name(tn_dtype_of(param)),
                      tn_shape_text(&shape_p, p, sizeof p), tn_dtype_name(tn_dtype_of(grad)),
                      tn_shape_text(&shape_g, g, sizeof g));
}

void tn_apply_gradients(tn_tensor *const param[], tn_tensor *const grad[], size_t count, const char *optimizer,
                        tn_optim_options options)
{
    work w = {.count = count};
    tn_graph *graph = tn_graph_of(param && count ? param[0] : NULL);
    if (!grad) tn_graph_fail(graph, TN_EINVAL, "tn_apply_gradients: grad is NULL");
    const tn_rule *rule = begin(graph, optimizer, &options);
    for (size_t i = 0; rule && i < count && !tn_graph_status(graph); i++) check_gradient(graph, param[i], grad[i]);
    if (!rule || tn_graph_status(graph)) return;
    if (make_room(&w, count))
        tn_graph_fail(graph, TN_ENOMEM, "out of memory");
    else {
        memcpy(w.param, param, count * sizeof *w.param);
        w.count = tn_choose(graph, options.only, w.param, count);
        for (size_t i = 0, k = 0; k < w.count; i++)
            if (param[i] == w.param[k]) w.grad[k++] = grad[i];
        if (!tn_graph_status(graph)) apply(graph, rule, &options, &w);
    }
    free_room(&w);
}

/* The gradients of the parameters that `only` names, and the updates by them. */
static void minimize(tn_tensor *loss, const tn_rule *rule, const tn_optim_options *options, work *w)
{
    tn_graph *graph = tn_graph_of(loss);
    tn_variables(graph, TN_TRAINABLE, w->param, w->count);
    w->count = tn_choose(graph, options->only, w->param, w->count);
    if (tn_graph_status(graph)) return;
    tn_grad(loss, w->param, w->count, w->grad);
    if (!tn_graph_status(graph)) apply(graph, rule, options, w);
}

void tn_minimize(tn_tensor *loss, const char *optimizer, tn_optim_options options)
{
    tn_graph *graph = tn_graph_of(loss);
    const tn_rule *rule = begin(graph, optimizer, &options);
    work w = {.count = rule ? tn_variables(graph, TN_TRAINABLE, NULL, 0) : 0};
    if (!rule) return;
    if (!w.count)
        tn_graph_fail(graph, TN_EINVAL, "the network has no parameters to train");
    else if (make_room(&w, w.count))
        tn_graph_fail(graph, TN_ENOMEM, "out of memory");
    else
        minimize(loss, rule, &options, &w);
    free_room(&w);
}
