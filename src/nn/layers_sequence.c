/* layers_sequence.c: layers on sequences (batch, steps, features) in a network's spec: embedding, recurrence,
 * attention, and convolution over the steps. */
#include "layers.h"

#include <stdio.h>

tn_tensor *tn_net_sequence(tn_tensor *x)
{
    tn_shape s = tn_shape_of(x);
    if (s.rank == 2) return tn_reshape(x, TN_SHAPE(s.dim[0], s.dim[1], 1));
    if (s.rank != 4) return x;
    if (s.dim[1] != 1) x = tn_transpose(x, (int32_t[]){0, 2, 1, 3});
    return tn_reshape(x, TN_SHAPE(s.dim[0], s.dim[2], s.dim[1] * s.dim[3]));
}

/* What a layer that ends a sequence makes one of: a table's columns are no steps. */
static tn_tensor *steps_of(tn_tensor *x, const char *layer)
{
    tn_graph *graph = tn_graph_of(x);
    tn_shape s = tn_shape_of(x);
    char text[160];
    if (!tn_graph_status(graph) && s.rank == 2)
        tn_graph_fail(graph, TN_ESHAPE, "%s: what it gets, %s, has no steps: it ends (batch, steps, features)", layer,
                      tn_shape_text(&s, text, sizeof text));
    return tn_net_sequence(x);
}

/* ---- recurrence ---- */

static tn_tensor *recurrent(tn_net_build *build, tn_tensor *x, int32_t kind, const char *word, double units)
{
    char name[32];
    return tn_recurrent(tn_net_sequence(x), tn_net_name(build, word, name), NULL, .kind = kind,
                        .units = (int64_t)units);
}

tn_tensor *tn_layer_rnn(tn_net_build *build, tn_tensor *x, const double arg[])
{
    return recurrent(build, x, TN_RNN, "rnn", arg[0]);
}

tn_tensor *tn_layer_lstm(tn_net_build *build, tn_tensor *x, const double arg[])
{
    return recurrent(build, x, TN_LSTM, "lstm", arg[0]);
}

tn_tensor *tn_layer_gru(tn_net_build *build, tn_tensor *x, const double arg[])
{
    return recurrent(build, x, TN_GRU, "gru", arg[0]);
}

tn_tensor *tn_layer_last(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build, (void)arg;
    x = steps_of(x, "last");
    tn_shape s = tn_shape_of(x);
    if (tn_graph_status(tn_graph_of(x))) return x;
    return tn_reshape(tn_slice(x, 1, -1, 1, 1), TN_SHAPE(s.dim[0], s.dim[2]));
}

/* ---- attention ---- */

tn_tensor *tn_layer_embedding(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    if (tn_dtype_of(x) != TN_I32) x = tn_cast(x, TN_I32);
    return tn_embedding(x, tn_net_name(build, "embedding", name), (int64_t)arg[0], (int64_t)arg[1]);
}

tn_tensor *tn_layer_position(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    (void)arg;
    x = tn_net_sequence(x);
    tn_shape s = tn_shape_of(x);
    if (tn_graph_status(tn_graph_of(x))) return x;
    tn_init init = {.kind = TN_INIT_NORMAL, .a = 0.02};
    tn_scope_push(tn_graph_of(x), tn_net_name(build, "position", name));
    x = tn_add(x, tn_param(tn_graph_of(x), "weight", TN_SHAPE(s.dim[1], s.dim[2]), init));
    tn_scope_pop(tn_graph_of(x));
    return x;
}

tn_tensor *tn_layer_project(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    return tn_linear(tn_net_sequence(x), tn_net_name(build, "fc", name), .units = (int64_t)arg[0],
                     .init = &build->init);
}

tn_tensor *tn_layer_attention(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    return tn_self_attention(tn_net_sequence(x), tn_net_name(build, "attention", name), (int64_t)arg[0],
                             arg[TN_POSITIONS] != 0);
}

tn_tensor *tn_layer_transformer(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char block[32];
    return tn_transformer(tn_net_sequence(x), tn_net_name(build, "transformer", block), .heads = (int64_t)arg[0],
                          .causal = arg[TN_POSITIONS] != 0, .hidden = (int64_t)arg[TN_POSITIONS + 1]);
}

tn_tensor *tn_layer_sinusoids(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build, (void)arg;
    x = tn_net_sequence(x);
    tn_shape s = tn_shape_of(x);
    if (tn_graph_status(tn_graph_of(x))) return x;
    return tn_add(x, tn_sinusoids(tn_graph_of(x), s.dim[1], s.dim[2]));
}

/* ---- convolution and pooling over the steps ---- */

/* Features become channels, and back. */
static tn_tensor *swapped(tn_tensor *x)
{
    return tn_graph_status(tn_graph_of(x)) ? x : tn_transpose(x, (int32_t[]){0, 2, 1});
}

tn_tensor *tn_layer_conv1d(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    uint32_t pad = (uint32_t)arg[TN_POSITIONS + 1];
    x = tn_conv1d(swapped(tn_net_sequence(x)), tn_net_name(build, "conv", name), .filters = (int64_t)arg[0],
                  .kernel = (uint32_t)arg[1], .stride = (uint32_t)arg[TN_POSITIONS], .pad = pad == TN_SAME ? 0 : pad,
                  .same = pad == TN_SAME, .groups = (uint32_t)arg[TN_POSITIONS + 2], .init = &build->init);
    return swapped(x);
}

static tn_pool1d_options pool_options(const double arg[])
{
    return (tn_pool1d_options){
        .window = (uint32_t)arg[0], .stride = (uint32_t)arg[TN_POSITIONS], .pad = (uint32_t)arg[TN_POSITIONS + 1]};
}

tn_tensor *tn_layer_maxpool1d(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return swapped(tn_maxpool1d_with(swapped(tn_net_sequence(x)), pool_options(arg)));
}

tn_tensor *tn_layer_avgpool1d(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build;
    return swapped(tn_avgpool1d_with(swapped(tn_net_sequence(x)), pool_options(arg)));
}

tn_tensor *tn_layer_mean_steps(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build, (void)arg;
    return tn_mean(steps_of(x, "mean_steps"), TN_AXES(1), 0);
}

tn_tensor *tn_layer_max_steps(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)build, (void)arg;
    return tn_amax(steps_of(x, "max_steps"), TN_AXES(1), 0);
}
