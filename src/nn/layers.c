/* layers.c: the layers that a spec can name. A new layer is a row here, and a function if it is more than a name. */
#include "layers.h"

#include <stdio.h>
#include <string.h>

const char *tn_net_name(tn_net_build *build, const char *kind, char name[32])
{
    int i = 0;
    while (i < TN_NET_KINDS - 1 && build->named[i].kind && strcmp(build->named[i].kind, kind)) i++;
    build->named[i].kind = kind;
    snprintf(name, 32, "%s%d", kind, ++build->named[i].count);
    return name;
}

static tn_tensor *linear(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    if (tn_shape_of(x).rank > 2) x = tn_flatten(x);
    return tn_linear(x, tn_net_name(build, "fc", name), .units = (int64_t)arg[0], .init = &build->init);
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

static tn_tensor *dropout2d(tn_net_build *build, tn_tensor *x, const double arg[])
{
    return build->options.training ? tn_dropout_channels(x, arg[0]) : x;
}

static tn_tensor *prelu(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    (void)arg;
    return tn_prelu(x, tn_net_name(build, "prelu", name), 0);
}

static tn_tensor *leaky_relu(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_leaky_relu(x, tn_number(x, arg[0]));
}

static tn_tensor *elu(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_elu(x, tn_number(x, arg[0]));
}

static tn_tensor *celu(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_celu(x, arg[0]);
}

static tn_tensor *hard_shrink(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_hard_shrink(x, arg[0]);
}

static tn_tensor *soft_shrink(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_soft_shrink(x, arg[0]);
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

static tn_tensor *conv(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    uint32_t stride = (uint32_t)arg[3], pad = (uint32_t)arg[4];
    int normed = !strcmp(build->next, "batch_norm"); /* which would take a bias away again */
    return tn_conv2d(picture(x), tn_net_name(build, "conv", name), .filters = (int64_t)arg[0],
                     .kernel = {height_of(arg[1]), width_of(arg[1])}, .stride = {stride, stride},
                     .pad = {pad == TN_SAME ? 0 : pad, pad == TN_SAME ? 0 : pad}, .same = pad == TN_SAME,
                     .groups = (uint32_t)arg[5], .no_bias = (uint32_t)normed, .init = &build->init);
}

static tn_tensor *conv_transpose(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    uint32_t stride = (uint32_t)arg[3], pad = (uint32_t)arg[4];
    return tn_conv2d_transpose(picture(x), tn_net_name(build, "conv_transpose", name), .filters = (int64_t)arg[0],
                               .kernel = {height_of(arg[1]), width_of(arg[1])}, .stride = {stride, stride},
                               .pad = {pad, pad}, .groups = (uint32_t)arg[5], .init = &build->init);
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

static tn_tensor *global_maxpool(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build, (void)arg;
    return tn_global_maxpool2d(picture(x));
}

static tn_tensor *adaptive_avgpool(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_adaptive_avgpool2d(picture(x), height_of(arg[0]), width_of(arg[0]));
}

/* Pixels become `factor` rows and columns of the same, so that the gradient is their sum. */
static tn_tensor *upsample(tn_net_build *build, tn_tensor *x, const double arg[])
{
    int64_t factor = (int64_t)arg[0];
    (void)build;
    return tn_repeat(tn_repeat(picture(x), 2, factor), 3, factor);
}

static tn_tensor *pixel_shuffle(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return tn_pixel_shuffle(picture(x), (int64_t)arg[0]);
}

static tn_tensor *random_flip(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)arg;
    return build->options.training ? tn_random_flip(picture(x)) : x;
}

static tn_tensor *random_crop(tn_net_build *build, tn_tensor *x, const double arg[])
{
    return build->options.training ? tn_random_crop(picture(x), (int64_t)arg[0]) : x;
}

#define POOL_PAIRS                                                                                                     \
    {                                                                                                                  \
        {"stride", 1, NULL, 0, 0},                                                                                     \
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
     {{"stride", 1, NULL, 0, 0}, {"pad", 0, "same", TN_SAME, 0}, {"groups", 1, NULL, 0, 0}}},
    {"conv_transpose",
     "conv_transpose FILTERS SIZE [stride N] [pad N] [groups N]",
     "transposed convolution: to larger pictures",
     conv_transpose,
     NULL,
     {TN_ARG_COUNT, TN_ARG_SIZE},
     0,
     {{"stride", 1, NULL, 0, 0}, {"pad", 0, NULL, 0}, {"groups", 1, NULL, 0, 0}}},
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
     "the mean of each window, padding left out",
     avgpool,
     NULL,
     {TN_ARG_SIZE},
     0,
     POOL_PAIRS},
    {"adaptive_avgpool",
     "adaptive_avgpool SIZE",
     "means of so many rows and columns of windows",
     adaptive_avgpool,
     NULL,
     {TN_ARG_SIZE},
     0,
     {{0}}},
    {.name = "upsample",
     .usage = "upsample FACTOR",
     .doc = "each pixel FACTOR times in height and width",
     .apply = upsample,
     .args = {TN_ARG_COUNT}},
    {.name = "pixel_shuffle",
     .usage = "pixel_shuffle FACTOR",
     .doc = "FACTOR x FACTOR channels become pixels: larger pictures of fewer channels",
     .apply = pixel_shuffle,
     .args = {TN_ARG_COUNT}},
    {"global_maxpool", "global_maxpool", "the largest of each channel", global_maxpool, NULL, {0}, 0, {{0}}},
    {"global_avgpool", "global_avgpool", "the mean of each channel", global_avgpool, NULL, {0}, 0, {{0}}},
    {.name = "batch_norm",
     .usage = "batch_norm [EPSILON]",
     .doc = "each channel to mean 0 and variance 1 over the batch; a conv before it has no bias",
     .apply = tn_layer_batch_norm,
     .args = {TN_ARG_MEANT},
     .optional = 1},
    {.name = "layer_norm",
     .usage = "layer_norm [EPSILON]",
     .doc = "the same over the last dimension",
     .apply = tn_layer_layer_norm,
     .args = {TN_ARG_MEANT},
     .optional = 1},
    {.name = "rms_norm",
     .usage = "rms_norm [EPSILON]",
     .doc = "the last dimension to a mean square of 1",
     .apply = tn_layer_rms_norm,
     .args = {TN_ARG_MEANT},
     .optional = 1},
    {.name = "group_norm",
     .usage = "group_norm GROUPS [EPSILON]",
     .doc = "groups of channels to mean 0 and variance 1",
     .apply = tn_layer_group_norm,
     .args = {TN_ARG_COUNT, TN_ARG_MEANT},
     .optional = 1},
    {.name = "instance_norm",
     .usage = "instance_norm [EPSILON]",
     .doc = "each channel of each sample to mean 0 and variance 1",
     .apply = tn_layer_instance_norm,
     .args = {TN_ARG_MEANT},
     .optional = 1},
    {.name = "random_flip",
     .usage = "random_flip",
     .doc = "mirrors half of the pictures while training",
     .apply = random_flip},
    {.name = "random_crop",
     .usage = "random_crop PAD",
     .doc = "shifts pictures by up to PAD rows and columns while training",
     .apply = random_crop,
     .args = {TN_ARG_COUNT}},
    {.name = "residual",
     .usage = "residual",
     .doc = "begins a branch, to whose end what is here is added",
     .apply = tn_layer_residual},
    {.name = "end",
     .usage = "end",
     .doc = "ends it; smaller pictures and more channels are met by steps and zeros",
     .apply = tn_layer_end},
    {.name = "block",
     .usage = "block FILTERS [stride N]",
     .doc = "residual block of two 3x3 convolutions with batch_norm and relu",
     .apply = tn_layer_block,
     .args = {TN_ARG_COUNT},
     .pair = {{"stride", 1, NULL, 0, 0}}},
    {.name = "rnn",
     .usage = "rnn UNITS",
     .doc = "simple recurrent layer over (n, steps, features); a picture's rows are steps",
     .apply = tn_layer_rnn,
     .args = {TN_ARG_COUNT}},
    {.name = "lstm",
     .usage = "lstm UNITS",
     .doc = "the same with LSTM",
     .apply = tn_layer_lstm,
     .args = {TN_ARG_COUNT}},
    {.name = "gru", .usage = "gru UNITS", .doc = "the same with GRU", .apply = tn_layer_gru, .args = {TN_ARG_COUNT}},
    {.name = "last", .usage = "last", .doc = "the last step of a sequence", .apply = tn_layer_last},
    {.name = "embedding",
     .usage = "embedding COUNT UNITS",
     .doc = "rows of a trainable table by whole numbers 0..COUNT-1",
     .apply = tn_layer_embedding,
     .args = {TN_ARG_COUNT, TN_ARG_COUNT}},
    {.name = "position",
     .usage = "position",
     .doc = "adds a trainable vector to each step of a sequence",
     .apply = tn_layer_position},
    {.name = "sinusoids",
     .usage = "sinusoids",
     .doc = "adds sines and cosines of each step's place",
     .apply = tn_layer_sinusoids},
    {.name = "conv1d",
     .usage = "conv1d FILTERS SIZE [stride N] [pad N|same] [groups N]",
     .doc = "convolution over the steps of a sequence",
     .apply = tn_layer_conv1d,
     .args = {TN_ARG_COUNT, TN_ARG_COUNT},
     .pair = {{"stride", 1, NULL, 0, 0}, {"pad", 0, "same", TN_SAME, 0}, {"groups", 1, NULL, 0, 0}}},
    {.name = "maxpool1d",
     .usage = "maxpool1d SIZE [stride N] [pad N]",
     .doc = "the largest of each window of steps",
     .apply = tn_layer_maxpool1d,
     .args = {TN_ARG_COUNT},
     .pair = POOL_PAIRS},
    {.name = "avgpool1d",
     .usage = "avgpool1d SIZE [stride N] [pad N]",
     .doc = "the mean of each window of steps",
     .apply = tn_layer_avgpool1d,
     .args = {TN_ARG_COUNT},
     .pair = POOL_PAIRS},
    {.name = "max_steps", .usage = "max_steps", .doc = "the largest of all steps", .apply = tn_layer_max_steps},
    {.name = "mean_steps", .usage = "mean_steps", .doc = "the mean of all steps", .apply = tn_layer_mean_steps},
    {.name = "project",
     .usage = "project UNITS",
     .doc = "linear over the last dimension alone: for each step",
     .apply = tn_layer_project,
     .args = {TN_ARG_COUNT}},
    {.name = "attention",
     .usage = "attention HEADS [causal 1]",
     .doc = "self-attention over a sequence; causal: steps see those before",
     .apply = tn_layer_attention,
     .args = {TN_ARG_COUNT},
     .pair = {{"causal", 0, NULL, 0, 1}}},
    {.name = "transformer",
     .usage = "transformer HEADS [causal 1] [hidden N]",
     .doc = "transformer block: attention, then two linear layers with gelu",
     .apply = tn_layer_transformer,
     .args = {TN_ARG_COUNT},
     .pair = {{"causal", 0, NULL, 0, 1}, {"hidden", 1, NULL, 0, 0}}},
    {"linear", "linear UNITS", "fully connected: y = x W' + b", linear, NULL, {TN_ARG_COUNT}, 0, {{0}}},
    {"dropout",
     "dropout RATE",
     "sets that share of the values to 0 while training",
     dropout,
     NULL,
     {TN_ARG_RATE},
     0,
     {{0}}},
    {.name = "dropout2d",
     .usage = "dropout2d RATE",
     .doc = "the same for whole channels",
     .apply = dropout2d,
     .args = {TN_ARG_RATE}},
    {"flatten", "flatten", "(n, ...) to (n, the rest)", flatten, NULL, {0}, 0, {{0}}},
    {"leaky_relu",
     "leaky_relu [SLOPE]",
     "x, or x SLOPE (0.01) when negative",
     leaky_relu,
     NULL,
     {TN_ARG_REAL},
     1,
     {{0}},
     0.01},
    {.name = "prelu",
     .usage = "prelu",
     .doc = "x, or x times a slope that is trained (0.25) when negative",
     .apply = prelu},
    {"elu", "elu [ALPHA]", "x, or ALPHA (1) times exp(x) - 1 when negative", elu, NULL, {TN_ARG_REAL}, 1, {{0}}, 1},
    {"celu",
     "celu [ALPHA]",
     "x, or ALPHA (1) times exp(x / ALPHA) - 1 when negative",
     celu,
     NULL,
     {TN_ARG_REAL},
     1,
     {{0}},
     1},
    {"hard_shrink",
     "hard_shrink [LAMBDA]",
     "0 within LAMBDA (0.5) of 0, else x",
     hard_shrink,
     NULL,
     {TN_ARG_REAL},
     1,
     {{0}},
     0.5},
    {"soft_shrink",
     "soft_shrink [LAMBDA]",
     "x towards 0 by LAMBDA (0.5)",
     soft_shrink,
     NULL,
     {TN_ARG_REAL},
     1,
     {{0}},
     0.5},
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
