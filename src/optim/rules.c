/* rules.c: the rules of optimizers. A new optimizer is a function and a row.
 *
 * It is told the parameters of a group as one vector, and all of them are updated by one kernel. What depends on the
 * step alone is written with scalars and costs nothing on the device. */
#include "rules.h"

#include "alloc.h"
#include "tenon/ops.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

static tn_tensor *number(const tn_update *u, double value)
{
    return tn_number(u->lr, value);
}

/* A moment of a parameter: zero at first, saved with it. */
static tn_tensor *moment_of(tn_graph *graph, const tn_tensor *param, const char *suffix)
{
    char name[320];
    snprintf(name, sizeof name, "%s.%s", tn_name_of(param), suffix);
    return tn_variable(graph, name, tn_dtype_of(param), tn_shape_of(param), (tn_init){.kind = TN_INIT_ZERO}, 0);
}

/* Those of all parameters, packed. */
static tn_tensor *moment(const tn_update *u, const char *suffix)
{
    tn_tensor **each = tn_alloc((u->members + 1) * sizeof *each);
    if (!each) tn_graph_fail(u->graph, TN_ENOMEM, "out of memory");
    for (size_t i = 0; each && i < u->members; i++) each[i] = moment_of(u->graph, u->member[i], suffix);
    tn_tensor *all = tn_pack(each, u->members);
    tn_free(each);
    return all;
}

/* share x + (1 - share) y */
static tn_tensor *blend(const tn_update *u, double share, tn_tensor *x, tn_tensor *y)
{
    return tn_add(tn_mul(number(u, share), x), tn_mul(number(u, 1 - share), y));
}

/* A moment that becomes share of itself + (1 - share) now: its next value. */
static tn_tensor *mean_of(const tn_update *u, const char *suffix, double share, tn_tensor *now)
{
    tn_tensor *mean = moment(u, suffix), *next = blend(u, share, mean, now);
    tn_assign(mean, next);
    return next;
}

static void descend(tn_tensor *p, tn_tensor *from, tn_tensor *rate, tn_tensor *way)
{
    tn_assign(p, tn_sub(from, tn_mul(rate, way)));
}

/* ---- steps along the gradient ---- */

static void sgd(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    descend(p, p, u->lr, g);
}

/* The next momentum: share of the last, and now. */
static tn_tensor *gather_way(const tn_update *u, tn_tensor *now)
{
    tn_tensor *v = moment(u, "momentum");
    tn_tensor *next = tn_add(tn_mul(number(u, u->options.momentum), v), now);
    tn_assign(v, next);
    return next;
}

static void momentum(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    descend(p, p, u->lr, gather_way(u, g));
}

static void nesterov(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    tn_tensor *v = gather_way(u, g);
    descend(p, p, u->lr, tn_add(g, tn_mul(number(u, u->options.momentum), v)));
}

/* ---- steps scaled by the gradient's size ---- */

/* g / (sqrt(power) + epsilon) */
static tn_tensor *scaled(const tn_update *u, tn_tensor *g, tn_tensor *power)
{
    return tn_div(g, tn_add(tn_sqrt(power), number(u, u->options.epsilon)));
}

static void adagrad(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    tn_tensor *sum = moment(u, "sum"), *next = tn_add(sum, tn_square(g));
    tn_assign(sum, next);
    descend(p, p, u->lr, scaled(u, g, next));
}

/* The variance of the gradient rather than its mean square, if centred; rounding does not bring it below 0. */
static void rmsprop(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    double alpha = u->options.alpha;
    tn_tensor *power = mean_of(u, "square_avg", alpha, tn_square(g));
    if (u->options.centered) {
        tn_tensor *mean = mean_of(u, "grad_avg", alpha, g);
        power = tn_max(tn_sub(power, tn_square(mean)), number(u, 0));
    }
    tn_tensor *way = scaled(u, g, power);
    descend(p, p, u->lr, u->options.momentum > 0 ? gather_way(u, way) : way);
}

/* The step's own size is what the last ones had. */
static void adadelta(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    double alpha = u->options.alpha;
    tn_tensor *epsilon = number(u, u->options.epsilon), *steps = moment(u, "acc_delta");
    tn_tensor *power = mean_of(u, "square_avg", alpha, tn_square(g));
    tn_tensor *size = tn_div(tn_sqrt(tn_add(steps, epsilon)), tn_sqrt(tn_add(power, epsilon)));
    tn_tensor *way = tn_mul(size, g);
    tn_assign(steps, blend(u, alpha, steps, tn_square(way)));
    descend(p, p, u->lr, way);
}

/* ---- Adam and its kin ---- */

/* 1 - beta^t */
static tn_tensor *correction(const tn_update *u, double beta)
{
    return tn_sub(number(u, 1), tn_pow(number(u, beta), u->time));
}

static tn_tensor *first_moment(const tn_update *u, tn_tensor *g)
{
    return mean_of(u, "exp_avg", u->options.beta1, g);
}

/* The root of the second moment without its bias, plus epsilon; of the largest such moment for AMSGrad. */
static tn_tensor *spread(const tn_update *u, tn_tensor *g)
{
    tn_tensor *v = mean_of(u, "exp_avg_sq", u->options.beta2, tn_square(g));
    if (u->options.amsgrad) {
        tn_tensor *most = moment(u, "max_exp_avg_sq");
        v = tn_max(most, v);
        tn_assign(most, v);
    }
    tn_tensor *widen = tn_rsqrt(correction(u, u->options.beta2));
    return tn_add(tn_mul(widen, tn_sqrt(v)), number(u, u->options.epsilon));
}

/* Adam's step from `from`, which is p or what is left of it. */
static void adam_from(const tn_update *u, tn_tensor *p, tn_tensor *from, tn_tensor *g)
{
    tn_tensor *rate = tn_div(u->lr, correction(u, u->options.beta1));
    tn_tensor *m = first_moment(u, g);
    descend(p, from, rate, tn_div(m, spread(u, g)));
}

static void adam(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    adam_from(u, p, p, g);
}

/* p - lr decay p */
static tn_tensor *decayed(const tn_update *u, tn_tensor *p)
{
    if (!(u->options.weight_decay > 0)) return p;
    return tn_mul(p, tn_sub(number(u, 1), tn_mul(u->lr, number(u, u->options.weight_decay))));
}

static void adamw(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    adam_from(u, p, decayed(u, p), g);
}

/* The largest gradient, fading, in place of the second moment. */
static void adamax(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    tn_tensor *most = moment(u, "exp_inf"), *rate = tn_div(u->lr, correction(u, u->options.beta1));
    tn_tensor *next =
        tn_max(tn_mul(number(u, u->options.beta2), most), tn_add(tn_abs(g), number(u, u->options.epsilon)));
    tn_assign(most, next);
    descend(p, p, rate, tn_div(first_moment(u, g), next));
}

/* beta1 (1 - 0.96^(0.004 t) / 2) */
static tn_tensor *nadam_share(const tn_update *u, tn_tensor *time)
{
    tn_tensor *fade = tn_pow(number(u, pow(0.96, 0.004)), time);
    return tn_mul(number(u, u->options.beta1), tn_sub(number(u, 1), tn_mul(number(u, 0.5), fade)));
}

/* The product of the shares of steps 1 to t, from t alone, so that it is right for whatever is trained by this step.
 * With h = -0.004 log 0.96, the logarithm of share i is log(beta1 / 2) + h i - (h i)^2 + (h i)^3 - ..., and sums of i
 * and i^2 are polynomials of t. The cubes change the product by less than 1e-10, for it halves with every step while
 * h t is small; where that is not, the product is nothing beside 1. */
static void nadam_begin(tn_update *u)
{
    const double h = -0.004 * log(0.96);
    tn_tensor *t = u->time, *next = tn_add(t, number(u, 1)), *both = tn_add(t, next);
    tn_tensor *curve = tn_sub(number(u, h / 2), tn_mul(number(u, h * h / 6), both));
    tn_tensor *mean = tn_add(number(u, log(fmax(u->options.beta1 / 2, DBL_MIN))), tn_mul(next, curve));
    u->shared = tn_exp(tn_mul(t, mean));
}

static void nadam(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    tn_tensor *one = number(u, 1);
    tn_tensor *now = nadam_share(u, u->time), *then = nadam_share(u, tn_add(u->time, one));
    tn_tensor *g_share = tn_div(tn_sub(one, now), tn_sub(one, u->shared));
    tn_tensor *m_share = tn_div(then, tn_sub(one, tn_mul(u->shared, then)));
    tn_tensor *m = first_moment(u, g);
    tn_tensor *way = tn_add(tn_mul(g_share, g), tn_mul(m_share, m));
    descend(p, p, u->lr, tn_div(way, spread(u, g)));
}

/* The length of the average that v is at step t: 2 / (1 - beta2) - 1 in the end. Until it is above 5, the variance of
 * 1 / sqrt(v) is not known, and steps are of the first moment alone. */
static void radam(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    double b2 = u->options.beta2, end = 2 / (1 - b2) - 1;
    tn_tensor *fade = tn_pow(number(u, b2), u->time), *one = number(u, 1);
    tn_tensor *lost = tn_div(tn_mul(tn_mul(number(u, 2), u->time), fade), tn_sub(one, fade));
    tn_tensor *length = tn_sub(number(u, end), lost), *known = tn_gt(length, number(u, 5));
    tn_tensor *ratio = tn_div(tn_mul(tn_sub(length, number(u, 4)), tn_sub(length, number(u, 2))), length);
    ratio = tn_mul(ratio, number(u, end / ((end - 4) * (end - 2))));
    tn_tensor *widen = tn_sqrt(tn_mul(tn_where(known, ratio, one), correction(u, b2)));
    tn_tensor *v = mean_of(u, "exp_avg_sq", b2, tn_square(g));
    tn_tensor *size = tn_div(widen, tn_add(tn_sqrt(v), number(u, u->options.epsilon)));
    tn_tensor *rate = tn_div(u->lr, correction(u, u->options.beta1));
    descend(p, p, rate, tn_mul(first_moment(u, g), tn_where(known, size, one)));
}

/* Only the sign of a blend of momentum and gradient counts. */
static void lion(const tn_update *u, tn_tensor *p, tn_tensor *g)
{
    tn_tensor *way = tn_sign(blend(u, u->options.beta1, moment(u, "exp_avg"), g));
    mean_of(u, "exp_avg", u->options.beta2, g);
    descend(p, decayed(u, p), u->lr, way);
}

#define ADAM .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8

const tn_rule tn_rules[] = {
    {.entry = {"sgd", "p -= lr g", 0.1, ""}, .update = sgd},
    {.entry = {"momentum", "v = momentum v + g, p -= lr v", 0.02, "momentum"},
     .update = momentum,
     .usual = {.momentum = 0.9}},
    {.entry = {"adam", "steps scaled by running means of g and g squared", 0.001, "beta1 beta2 epsilon amsgrad"},
     .update = adam,
     .usual = {ADAM}},
    {.entry = {"adamw", "adam, and p -= lr decay p", 0.001, "beta1 beta2 epsilon amsgrad"},
     .update = adamw,
     .usual = {ADAM, .weight_decay = 0.01},
     .decays = 1},
    {.entry = {"nesterov", "v = momentum v + g, p -= lr (g + momentum v)", 0.02, "momentum"},
     .update = nesterov,
     .usual = {.momentum = 0.9}},
    {.entry = {"adagrad", "steps scaled by the sum of g squared", 0.01, "epsilon"},
     .update = adagrad,
     .usual = {.epsilon = 1e-10}},
    {.entry = {"rmsprop", "steps scaled by a running mean of g squared", 0.001, "alpha epsilon momentum centered"},
     .update = rmsprop,
     .usual = {.alpha = 0.99, .epsilon = 1e-8}},
    {.entry = {"adadelta", "the same, and by the size of the last steps", 1, "alpha epsilon"},
     .update = adadelta,
     .usual = {.alpha = 0.9, .epsilon = 1e-6}},
    {.entry = {"adamax", "adam with the largest g instead of the mean of squares", 0.002, "beta1 beta2 epsilon"},
     .update = adamax,
     .usual = {ADAM}},
    {.entry = {"nadam", "adam that looks ahead as nesterov does", 0.002, "beta1 beta2 epsilon"},
     .update = nadam,
     .begin = nadam_begin,
     .usual = {ADAM}},
    {.entry = {"radam", "adam that scales its steps once it knows how", 0.001, "beta1 beta2 epsilon"},
     .update = radam,
     .usual = {ADAM}},
    {.entry = {"lion", "steps of lr along the sign of a running mean of g", 0.0001, "beta1 beta2"},
     .update = lion,
     .usual = {.beta1 = 0.9, .beta2 = 0.99},
     .decays = 1},
};
const size_t tn_rules_count = sizeof tn_rules / sizeof tn_rules[0];
