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

/* (n, h, w), or (n, features) as one row, as pictures of one channel. */
static tn_tensor *picture(tn_tensor *x)
{
    tn_shape s = tn_shape_of(x);
    if (s.rank == 3) return tn_reshape(x, TN_SHAPE(s.dim[0], 1, s.dim[1], s.dim[2]));
    return s.rank == 2 ? tn_reshape(x, TN_SHAPE(s.dim[0], 1, 1, s.dim[1])) : x;
}

static uint32_t height_of(double size)
{
    return (uint32_t)size >> 16;
}

static uint32_t width_of(double size)
{
    return (uint32_t)size & 65535;
}

#define SAME 65536 /* the padding that stands for "same" */

static tn_tensor *conv(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    uint32_t stride = (uint32_t)arg[3], pad = (uint32_t)arg[4];
    snprintf(name, sizeof name, "conv%d", ++build->convs);
    return tn_conv2d(picture(x), name, .filters = (int64_t)arg[0], .kernel = {height_of(arg[1]), width_of(arg[1])},
                     .stride = {stride, stride}, .pad = {pad == SAME ? 0 : pad, pad == SAME ? 0 : pad},
                     .same = pad == SAME, .groups = (uint32_t)arg[5], .init = &build->init);
}

static tn_pool_options pool_options(const double arg[])
{
    uint32_t stride = (uint32_t)arg[3], pad = (uint32_t)arg[4];
    return (tn_pool_options){
        .window = {height_of(arg[0]), width_of(arg[0])}, .stride = {stride, stride}, .pad = {pad, pad}};
}

static tn_tensor *maxpool(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_maxpool2d_with(picture(x), pool_options(arg));
}

static tn_tensor *avgpool(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_avgpool2d_with(picture(x), pool_options(arg));
}

static tn_tensor *global_avgpool(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build, (void)arg;
    return tn_global_avgpool2d(picture(x));
}

#define POOL_PAIRS                                                                                                     \
    {                                                                                                                  \
        {"stride", 1, NULL, 0},                                                                                        \
        {                                                                                                              \
            "pad", 0, NULL, 0                                                                                          \
        }                                                                                                              \
    }

const tn_layer tn_layers[] = {
    {"conv",
     "conv FILTERS SIZE [stride N] [pad N|same] [groups N]",
     "convolution of pictures, SIZE being 5x5 or 5",
     conv,
     NULL,
     {TN_ARG_COUNT, TN_ARG_SIZE},
     0,
     {{"stride", 1, NULL, 0}, {"pad", 0, "same", SAME}, {"groups", 1, NULL, 0}}},
    {"maxpool",
     "maxpool SIZE [stride N] [pad N]",
     "the largest of each window",
     maxpool,
     NULL,
     {TN_ARG_SIZE},
     0,
     POOL_PAIRS},
    {"avgpool",
     "avgpool SIZE [stride N] [pad N]",
     "the mean of each window",
     avgpool,
     NULL,
     {TN_ARG_SIZE},
     0,
     POOL_PAIRS},
    {"global_avgpool", "global_avgpool", "the mean of each channel", global_avgpool, NULL, {0}, 0, {{0}}},
    {"linear", "linear UNITS", "fully connected: y = x W' + b", linear, NULL, {TN_ARG_COUNT}, 0, {{0}}},
    {"dropout",
     "dropout RATE",
     "sets that share of the values to 0 while training",
     dropout,
     NULL,
     {TN_ARG_RATE},
     0,
     {{0}}},
    {"flatten", "flatten", "(n, ...) to (n, the rest)", flatten, NULL, {0}, 0, {{0}}},
    {"leaky_relu",
     "leaky_relu [SLOPE]",
     "x, or x SLOPE (0.01) when negative",
     leaky_relu,
     NULL,
     {TN_ARG_REAL},
     1,
     {{0}}},
    {"elu", "elu [ALPHA]", "x, or ALPHA (1) times exp(x) - 1 when negative", elu, NULL, {TN_ARG_REAL}, 1, {{0}}},
    {"logistic",
     "logistic L K X0",
     "L / (1 + exp(-K (x - X0)))",
     logistic,
     NULL,
     {TN_ARG_REAL, TN_ARG_REAL, TN_ARG_REAL},
     0,
     {{0}}},
    {"softmax", "softmax", "positive numbers that add up to 1", softmax, NULL, {0}, 0, {{0}}},
    {"log_softmax", "log_softmax", "the logarithm of softmax", log_softmax, NULL, {0}, 0, {{0}}},
#define X(name, y, dx, doc) {#name, #name, doc, NULL, tn_##name, {0}, 0, {{0}}},
#include "tenon/unary.def"
#undef X
};
const size_t tn_layers_count = sizeof tn_layers / sizeof tn_layers[0];
