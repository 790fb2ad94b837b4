/* sequence.c: networks on sequences. */
#include "nets.h"

static const tn_loss_options but_padding = {.ignores = 1, .ignored = 0};

/* A convolution that sees this step and those before. */
static tn_tensor *causal(tn_tensor *x, const char *name, int64_t filters, uint32_t dilation)
{
    return tn_conv1d(tn_pad(x, 2, 2 * dilation, 0), name, .filters = filters, .kernel = 3, .dilation = dilation);
}

/* Bai, Kolter and Koltun, 2018. */
tn_tensor *tcn(net *n)
{
    tn_tensor *x = in(n, "x");
    for (int i = 0; i < 2; i++) {
        tn_tensor *y = tn_relu(causal(x, named("conv%d", 2 * i), 6, 1u << i));
        y = tn_relu(causal(y, named("conv%d", 2 * i + 1), 6, 1u << i));
        x = tn_relu(tn_add(y, i ? x : tn_conv1d(x, "match", .filters = 6, .kernel = 1)));
    }
    n->y = linear(tn_squeeze(tn_slice(x, 2, -1, 1, 1), 2), "head", 1);
    return tn_mean_squared_error(n->y, in(n, "target"));
}

tn_tensor *seq2seq(net *n)
{
    tn_recurrent_state state = {0};
    tn_tensor *source = tn_embedding_padded(in(n, "source"), "source", 9, 6, 0);
    tn_recurrent(source, "enc", &state, .kind = TN_GRU, .units = 7, .lengths = in(n, "lengths"));
    tn_tensor *given = tn_embedding_padded(in(n, "given"), "given", 8, 6, 0);
    n->y = linear(tn_recurrent(given, "dec", &state, .kind = TN_GRU, .units = 7), "out", 8);
    return tn_loss_with("cross_entropy", n->y, in(n, "wanted"), but_padding);
}

/* The table of words is the last layer's weight as well: Press and Wolf, 2017. */
tn_tensor *tied_lm(net *n)
{
    tn_tensor *x = tn_embedding(in(n, "given"), "words", 9, 6);
    x = tn_recurrent(x, "lstm", NULL, .kind = TN_LSTM, .units = 6);
    tn_tensor *words = param(n, "words.weight", TN_SHAPE(9, 6));
    n->y = tn_add(tn_matmul_t(x, words, 0, 1), param(n, "bias", TN_SHAPE(9)));
    return tn_cross_entropy(n->y, in(n, "wanted"));
}

tn_tensor *gru_lm(net *n)
{
    tn_tensor *x = tn_embedding(in(n, "given"), "words", 9, 5);
    n->y = linear(tn_recurrent(x, "gru", NULL, .kind = TN_GRU, .units = 6, .layers = 2), "out", 9);
    return tn_cross_entropy(n->y, in(n, "wanted"));
}

tn_tensor *bilstm_tagger(net *n)
{
    tn_tensor *x = tn_embedding_padded(in(n, "words"), "words", 9, 5, 0);
    x = tn_recurrent(x, "lstm", NULL, .kind = TN_LSTM, .units = 4, .bidirectional = 1, .lengths = in(n, "lengths"));
    n->y = linear(x, "tag", 5);
    return tn_loss_with("cross_entropy", n->y, in(n, "tags"), but_padding);
}

tn_tensor *attention_pooling(net *n)
{
    tn_tensor *x = in(n, "x"), *mask = tn_unsqueeze(in(n, "mask"), 2);
    tn_tensor *score = linear_plain(tn_tanh(linear(x, "key", 6)), "score", 1);
    x = tn_sum(tn_mul(tn_masked_softmax(score, mask, 1), x), TN_AXES(1), 0);
    n->y = linear(x, "head", 3);
    return tn_cross_entropy(n->y, in(n, "label"));
}

/* As in Vaswani and others, 2017. */
tn_tensor *encoder(net *n)
{
    tn_tensor *x = tn_embedding(in(n, "words"), "words", 9, 8), *mask = in(n, "mask");
    x = tn_add(x, tn_sinusoids(n->graph, tn_shape_of(x).dim[1], 8));
    for (int i = 0; i < 2; i++)
        x = tn_transformer(x, named("layers.%d", i), .heads = 2, .hidden = 12, .mask = mask, .norm_last = 1, .relu = 1);
    tn_tensor *there = tn_unsqueeze(tn_cast(mask, TN_F32), 2);
    x = tn_div(tn_sum(tn_mul(x, there), TN_AXES(1), 0), tn_sum(there, TN_AXES(1), 0));
    n->y = linear(x, "head", 3);
    return tn_cross_entropy(n->y, in(n, "label"));
}

tn_tensor *decoder(net *n)
{
    tn_tensor *memory = tn_transformer(in(n, "x"), "enc", .heads = 2, .hidden = 12, .mask = in(n, "mask"));
    tn_tensor *x = tn_embedding(in(n, "given"), "words", 7, 8);
    x = tn_transformer(x, "dec", .heads = 2, .hidden = 12, .memory = memory, .memory_mask = in(n, "mask"), .causal = 1,
                       .epsilon = 1e-3);
    n->y = linear(x, "out", 7);
    return tn_loss_with("cross_entropy", n->y, in(n, "wanted"), but_padding);
}

/* Normalised by the mean square, and with gated units (Shazeer, 2020). */
tn_tensor *llama(net *n)
{
    tn_tensor *x = tn_embedding(in(n, "given"), "words", 9, 8);
    x = tn_add(x, tn_self_attention(tn_rms_norm(x, "norm1"), "attention", 2, 1));
    tn_tensor *h = tn_rms_norm(x, "norm2", .epsilon = 1e-3);
    h = tn_mul(tn_silu(linear_plain(h, "gate", 12)), linear_plain(h, "up", 12));
    x = tn_rms_norm(tn_add(x, linear_plain(h, "down", 8)), "norm3");
    n->y = linear_plain(x, "out", 9);
    return tn_cross_entropy(n->y, in(n, "wanted"));
}
