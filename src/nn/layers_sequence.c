/* layers_sequence.c: layers on sequences (batch, steps, features) in a network's spec: embedding, recurrence and
 * attention. */
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
    x = tn_net_sequence(x);
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
    char name[32], full[64];
    (void)arg;
    x = tn_net_sequence(x);
    tn_shape s = tn_shape_of(x);
    if (tn_graph_status(tn_graph_of(x))) return x;
    snprintf(full, sizeof full, "%s.weight", tn_net_name(build, "position", name));
    tn_init init = {.kind = TN_INIT_NORMAL, .a = 0.02};
    return tn_add(x, tn_param(tn_graph_of(x), full, TN_SHAPE(s.dim[1], s.dim[2]), init));
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

/* Vaswani and others, 2017, with the normalisation first (Xiong and others, "On layer normalization in the transformer
 * architecture", 2020): PyTorch's TransformerEncoderLayer with norm_first, and named as there. */
tn_tensor *tn_layer_transformer(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char block[32], name[64];
    tn_net_name(build, "transformer", block);
    x = tn_net_sequence(x);
    int64_t width = tn_shape_of(x).dim[tn_shape_of(x).rank - 1], hidden = (int64_t)arg[TN_POSITIONS + 1];
    snprintf(name, sizeof name, "%s.norm1", block);
    tn_tensor *y = tn_layer_norm(x, name);
    snprintf(name, sizeof name, "%s.self_attn", block);
    x = tn_add(x, tn_self_attention(y, name, (int64_t)arg[0], arg[TN_POSITIONS] != 0));
    snprintf(name, sizeof name, "%s.norm2", block);
    y = tn_layer_norm(x, name);
    snprintf(name, sizeof name, "%s.linear1", block);
    y = tn_gelu(tn_linear(y, name, .units = hidden ? hidden : 4 * width));
    snprintf(name, sizeof name, "%s.linear2", block);
    return tn_add(x, tn_linear(y, name, .units = width));
}
