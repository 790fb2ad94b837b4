/* optimizers.c: how a gradient changes a parameter. A new optimizer is a function and a row.
 *
 * Every parameter gets the same few operators on the same scalars, so that the compiler makes one kernel of all the
 * updates. What depends on the step alone is written with scalars and costs nothing on the device. */
#include "tenon/optim.h"

#include "alloc.h"
#include "error.h"
#include "nearest.h"
#include "tenon/ops.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the updates of all parameters share. The tensors are scalars. */
typedef struct shared {
    tn_graph *graph;
    tn_optim_options options;
    tn_tensor *lr;
    tn_tensor *time; /* the number of this step, from 1 */
} shared;

static tn_tensor *number(const shared *s, double value)
{
    return tn_number(s->lr, value);
}

/* A moment of a parameter: zero at first, saved with it. */
static tn_tensor *moment(const shared *s, tn_tensor *param, const char *suffix)
{
    char name[320];
    snprintf(name, sizeof name, "%s.%s", tn_name_of(param), suffix);
    return tn_variable(s->graph, name, TN_F32, tn_shape_of(param), (tn_init){.kind = TN_INIT_ZERO}, 0);
}

/* a x + b y */
static tn_tensor *blend(tn_tensor *a, tn_tensor *x, tn_tensor *b, tn_tensor *y)
{
    return tn_add(tn_mul(a, x), tn_mul(b, y));
}

static void sgd(const shared *s, tn_tensor *p, tn_tensor *g)
{
    tn_assign(p, tn_sub(p, tn_mul(s->lr, g)));
}

static void momentum(const shared *s, tn_tensor *p, tn_tensor *g)
{
    tn_tensor *v = moment(s, p, "momentum");
    tn_tensor *next = tn_add(tn_mul(number(s, s->options.momentum), v), g);
    tn_assign(v, next);
    tn_assign(p, tn_sub(p, tn_mul(s->lr, next)));
}

static void nesterov(const shared *s, tn_tensor *p, tn_tensor *g)
{
    tn_tensor *v = moment(s, p, "momentum"), *mu = number(s, s->options.momentum);
    tn_tensor *next = tn_add(tn_mul(mu, v), g);
    tn_assign(v, next);
    tn_assign(p, tn_sub(p, tn_mul(s->lr, tn_add(g, tn_mul(mu, next)))));
}

/* p -= lr g / (sqrt(power) + epsilon) */
static void scaled_step(const shared *s, tn_tensor *p, tn_tensor *g, tn_tensor *power)
{
    tn_tensor *spread = tn_add(tn_sqrt(power), number(s, s->options.epsilon));
    tn_assign(p, tn_sub(p, tn_mul(s->lr, tn_div(g, spread))));
}

static void adagrad(const shared *s, tn_tensor *p, tn_tensor *g)
{
    tn_tensor *sum = moment(s, p, "sum"), *next = tn_add(sum, tn_square(g));
    tn_assign(sum, next);
    scaled_step(s, p, g, next);
}

static void rmsprop(const shared *s, tn_tensor *p, tn_tensor *g)
{
    double alpha = s->options.alpha;
    tn_tensor *mean = moment(s, p, "square_avg");
    tn_tensor *next = blend(number(s, alpha), mean, number(s, 1 - alpha), tn_square(g));
    tn_assign(mean, next);
    scaled_step(s, p, g, next);
}

/* 1 - beta^t */
static tn_tensor *correction(const shared *s, double beta)
{
    return tn_sub(number(s, 1), tn_pow(number(s, beta), s->time));
}

/* Adam's step from `from`, which is p or what is left of it. */
static void adam_from(const shared *s, tn_tensor *p, tn_tensor *from, tn_tensor *g)
{
    double b1 = s->options.beta1, b2 = s->options.beta2;
    tn_tensor *m = moment(s, p, "exp_avg"), *v = moment(s, p, "exp_avg_sq");
    tn_tensor *m_next = blend(number(s, b1), m, number(s, 1 - b1), g);
    tn_tensor *v_next = blend(number(s, b2), v, number(s, 1 - b2), tn_square(g));
    tn_tensor *rate = tn_div(s->lr, correction(s, b1));
    tn_tensor *widen = tn_rsqrt(correction(s, b2));
    tn_tensor *spread = tn_add(tn_mul(widen, tn_sqrt(v_next)), number(s, s->options.epsilon));
    tn_assign(m, m_next);
    tn_assign(v, v_next);
    tn_assign(p, tn_sub(from, tn_mul(rate, tn_div(m_next, spread))));
}

static void adam(const shared *s, tn_tensor *p, tn_tensor *g)
{
    adam_from(s, p, p, g);
}

static void adamw(const shared *s, tn_tensor *p, tn_tensor *g)
{
    tn_tensor *kept = tn_sub(number(s, 1), tn_mul(s->lr, number(s, s->options.weight_decay)));
    adam_from(s, p, tn_mul(p, kept), g);
}

static const struct {
    tn_optimizer_entry entry;
    void (*update)(const shared *s, tn_tensor *param, tn_tensor *grad);
    double epsilon, decay; /* usual ones */
    int decays;            /* takes care of weight decay itself */
} optimizers[] = {
    {{"sgd", "p -= lr g", 0.1}, sgd, 1e-8},
    {{"momentum", "v = momentum v + g, p -= lr v", 0.02}, momentum, 1e-8},
    {{"adam", "steps scaled by running means of g and g squared", 0.001}, adam, 1e-8},
    {{"adamw", "adam, and p -= lr decay p", 0.001}, adamw, 1e-8, 0.01, 1},
    {{"nesterov", "v = momentum v + g, p -= lr (g + momentum v)", 0.02}, nesterov, 1e-8},
    {{"adagrad", "steps scaled by the sum of g squared", 0.01}, adagrad, 1e-10},
    {{"rmsprop", "steps scaled by a running mean of g squared", 0.001}, rmsprop, 1e-8},
};

#define OPTIMIZERS (sizeof optimizers / sizeof optimizers[0])

int tn_optimizer_at(size_t index, tn_optimizer_entry *entry)
{
    if (index >= OPTIMIZERS) return 0;
    *entry = optimizers[index].entry;
    return 1;
}

/* The optimizer's row, or OPTIMIZERS with the graph failed. */
static size_t find(tn_graph *graph, const char *name)
{
    tn_nearest nearest = {.word = name};
    char hint[80];
    for (size_t i = 0; i < OPTIMIZERS; i++) {
        if (!strcmp(optimizers[i].entry.name, name)) return i;
        tn_nearest_offer(&nearest, optimizers[i].entry.name);
    }
    tn_graph_fail(graph, TN_EMISSING, "there is no optimizer '%s'%s", name,
                  tn_nearest_text(&nearest, hint, sizeof hint));
    return OPTIMIZERS;
}

/* Puts the usual value in place of 0 and checks that the number lies in (0, below). */
static void settle(tn_graph *graph, const char *what, double *value, double usual, double below)
{
    if (*value == 0) *value = usual;
    if (*value > 0 && *value < below) return;
    if (isinf(below))
        tn_graph_fail(graph, TN_EINVAL, "the %s %g is not a number above 0", what, *value);
    else
        tn_graph_fail(graph, TN_EINVAL, "the %s %g is not between 0 and %g", what, *value, below);
}

/* The number is 0, which switches it off, or above. */
static void settle_switch(tn_graph *graph, const char *what, double value)
{
    if (!(value >= 0 && value < INFINITY)) tn_graph_fail(graph, TN_EINVAL, "the %s %g is not 0 or more", what, value);
}

static void settle_all(tn_graph *graph, tn_optim_options *options, size_t row)
{
    if (options->weight_decay == 0) options->weight_decay = optimizers[row].decay;
    settle_switch(graph, "weight decay", options->weight_decay);
    settle_switch(graph, "limit of the gradient's norm", options->clip_norm);
    settle_switch(graph, "limit of the gradient's values", options->clip_value);
    settle(graph, "learning rate", &options->lr, optimizers[row].entry.lr, INFINITY);
    settle(graph, "alpha", &options->alpha, 0.99, 1);
    settle(graph, "momentum", &options->momentum, 0.9, 1);
    settle(graph, "beta1", &options->beta1, 0.9, 1);
    settle(graph, "beta2", &options->beta2, 0.999, 1);
    settle(graph, "epsilon", &options->epsilon, optimizers[row].epsilon, INFINITY);
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

/* Adds the gradients and the update of each of `count` parameters; list has room for twice as many. */
static void update_all(tn_tensor *loss, size_t row, tn_optim_options options, tn_tensor *list[], size_t count)
{
    tn_graph *graph = tn_graph_of(loss);
    shared s = {.graph = graph, .options = options};
    tn_variables(graph, TN_TRAINABLE, list, count);
    tn_grad(loss, list, count, list + count);
    clip(&options, list + count, count);
    s.lr = tn_scalar_input(graph, "lr", TN_F32, options.lr);
    s.time = tn_add(tn_scalar_input(graph, "step", TN_F32, 0), number(&s, 1));
    for (size_t i = 0; i < count; i++) {
        tn_tensor *g = list[count + i];
        if (options.weight_decay > 0 && !optimizers[row].decays)
            g = tn_add(g, tn_mul(list[i], number(&s, options.weight_decay)));
        optimizers[row].update(&s, list[i], g);
    }
    tn_advance_step(graph);
}

void tn_minimize(tn_tensor *loss, const char *optimizer, tn_optim_options options)
{
    tn_graph *graph = tn_graph_of(loss);
    if (tn_graph_status(graph)) return;
    size_t row = find(graph, optimizer), count = tn_variables(graph, TN_TRAINABLE, NULL, 0);
    if (row == OPTIMIZERS) return;
    settle_all(graph, &options, row);
    if (!count) tn_graph_fail(graph, TN_EINVAL, "the network has no parameters to train");
    if (tn_graph_status(graph)) return;
    tn_tensor **list = tn_alloc(2 * count * sizeof *list);
    if (list)
        update_all(loss, row, options, list, count);
    else
        tn_graph_fail(graph, TN_ENOMEM, "out of memory");
    tn_free(list);
}
