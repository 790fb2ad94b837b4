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

/* 1 - beta^t */
static tn_tensor *correction(const shared *s, double beta)
{
    return tn_sub(number(s, 1), tn_pow(number(s, beta), s->time));
}

static void adam(const shared *s, tn_tensor *p, tn_tensor *g)
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
    tn_assign(p, tn_sub(p, tn_mul(rate, tn_div(m_next, spread))));
}

static const struct {
    tn_optimizer_entry entry;
    void (*update)(const shared *s, tn_tensor *param, tn_tensor *grad);
} optimizers[] = {
    {{"sgd", "p -= lr g", 0.1}, sgd},
    {{"momentum", "v = momentum v + g, p -= lr v", 0.02}, momentum},
    {{"adam", "steps scaled by running means of g and g squared", 0.001}, adam},
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

static void settle_all(tn_graph *graph, tn_optim_options *options, double usual_lr)
{
    settle(graph, "learning rate", &options->lr, usual_lr, INFINITY);
    settle(graph, "momentum", &options->momentum, 0.9, 1);
    settle(graph, "beta1", &options->beta1, 0.9, 1);
    settle(graph, "beta2", &options->beta2, 0.999, 1);
    settle(graph, "epsilon", &options->epsilon, 1e-8, INFINITY);
}

/* Adds the gradients and the update of each of `count` parameters; list has room for twice as many. */
static void update_all(tn_tensor *loss, size_t row, tn_optim_options options, tn_tensor *list[], size_t count)
{
    tn_graph *graph = tn_graph_of(loss);
    shared s = {.graph = graph, .options = options};
    tn_variables(graph, TN_TRAINABLE, list, count);
    tn_grad(loss, list, count, list + count);
    s.lr = tn_scalar_input(graph, "lr", TN_F32, options.lr);
    s.time = tn_add(tn_scalar_input(graph, "step", TN_F32, 0), number(&s, 1));
    for (size_t i = 0; i < count; i++) optimizers[row].update(&s, list[i], list[count + i]);
    tn_advance_step(graph);
}

void tn_minimize(tn_tensor *loss, const char *optimizer, tn_optim_options options)
{
    tn_graph *graph = tn_graph_of(loss);
    if (tn_graph_status(graph)) return;
    size_t row = find(graph, optimizer), count = tn_variables(graph, TN_TRAINABLE, NULL, 0);
    if (row == OPTIMIZERS) return;
    settle_all(graph, &options, optimizers[row].entry.lr);
    if (!count) tn_graph_fail(graph, TN_EINVAL, "the network has no parameters to train");
    if (tn_graph_status(graph)) return;
    tn_tensor **list = tn_alloc(2 * count * sizeof *list);
    if (list)
        update_all(loss, row, options, list, count);
    else
        tn_graph_fail(graph, TN_ENOMEM, "out of memory");
    tn_free(list);
}
