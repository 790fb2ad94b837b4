/* layers.c: the layers that a spec can name. A new layer is a row here, and a function if it is more than a name. */
#include "layers.h"

#include <stdio.h>

static tn_tensor *linear(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    snprintf(name, sizeof name, "fc%d", ++build->linears);
    if (tn_shape_of(x).rank > 2) x = tn_flatten(x);
    return tn_linear(x, name, .units = (int64_t)arg[0], .init = &build->init);
}

static tn_tensor *dropout(tn_net_build *build, tn_tensor *x, const double arg[])
{
    return build->options.training ? tn_dropout(x, arg[0]) : x;
}

static tn_tensor *flatten(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build, (void)arg;
    return tn_flatten(x);
}

static tn_tensor *leaky_relu(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_leaky_relu(x, tn_number(x, arg[0] != 0 ? arg[0] : 0.01));
}

static tn_tensor *elu(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_elu(x, tn_number(x, arg[0] != 0 ? arg[0] : 1));
}

static tn_tensor *logistic(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_logistic(x, arg[0], arg[1], arg[2]);
}

static tn_tensor *softmax(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build, (void)arg;
    return tn_softmax(x, -1);
}

static tn_tensor *log_softmax(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build, (void)arg;
    return tn_log_softmax(x, -1);
}

const tn_layer tn_layers[] = {
    {"linear", "linear UNITS", "fully connected: y = x W' + b", linear, NULL, {TN_ARG_COUNT}, 0},
    {"dropout", "dropout RATE", "sets that share of the values to 0 while training", dropout, NULL, {TN_ARG_RATE}, 0},
    {"flatten", "flatten", "(n, ...) to (n, the rest)", flatten, NULL, {0}, 0},
    {"leaky_relu", "leaky_relu [SLOPE]", "x, or x SLOPE (0.01) when negative", leaky_relu, NULL, {TN_ARG_REAL}, 1},
    {"elu", "elu [ALPHA]", "x, or ALPHA (1) times exp(x) - 1 when negative", elu, NULL, {TN_ARG_REAL}, 1},
    {"logistic",
     "logistic L K X0",
     "L / (1 + exp(-K (x - X0)))",
     logistic,
     NULL,
     {TN_ARG_REAL, TN_ARG_REAL, TN_ARG_REAL},
     0},
    {"softmax", "softmax", "positive numbers that add up to 1", softmax, NULL, {0}, 0},
    {"log_softmax", "log_softmax", "the logarithm of softmax", log_softmax, NULL, {0}, 0},
#define X(name, y, dx, doc) {#name, #name, doc, NULL, tn_##name, {0}, 0},
#include "tenon/unary.def"
#undef X
};
const size_t tn_layers_count = sizeof tn_layers / sizeof tn_layers[0];
