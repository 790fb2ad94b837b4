/* choose_layer.c: operands and numbers for layers and losses. */
#include "choose.h"

#include <string.h>

static tn_shape shape_of(const tn_maker *m, const tn_call *s)
{
    return tn_made_shape(m, s->in[0]);
}

/* The label of an earlier layer of that kind, whose parameters are then shared; or one of its own. */
static void share_label(tn_maker *m, tn_call *s)
{
    if (!tn_chance(m, 20)) return;
    for (uint32_t i = 0; i < m->recipe->count; i++)
        if (m->recipe->step[i].rule == s->rule) s->label = m->recipe->step[i].label;
}

/* ---- layers on rows ---- */

int tn_choose_rows(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 2 + (int32_t)tn_below(m, 2));
    s->p[0] = tn_some_size(m), s->p[1] = tn_chance(m, 20);
    share_label(m, s);
    return 1;
}

int tn_choose_square_rows(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 2 + (int32_t)tn_below(m, 2));
    if (s->in[0] < 0) return 0;
    s->p[0] = shape_of(m, s).dim[shape_of(m, s).rank - 1];
    return 1;
}

/* ---- on pictures and signals ---- */

int tn_choose_layer_picture(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 4);
    if (s->in[0] < 0) return 0;
    int64_t channels = shape_of(m, s).dim[1];
    s->p[0] = tn_chance(m, 70), s->p[1] = channels % 2 ? 1 : 2, s->p[2] = 1 + tn_below(m, 2);
    share_label(m, s);
    return 1;
}

/* p0 filters, p1 p2 kernel, p3 stride, p4 p5 padding, p6 groups, p7 without bias. */
int tn_choose_layer_conv(tn_maker *m, tn_call *s)
{
    if (!tn_choose_layer_picture(m, s)) return 0;
    s->p[6] = shape_of(m, s).dim[1] % 2 || tn_chance(m, 60) ? 1 : 2;
    s->p[0] = s->p[6] * (1 + tn_below(m, 4));
    s->p[1] = 1 + tn_below(m, 3), s->p[2] = 1 + tn_below(m, 3), s->p[3] = 1 + tn_below(m, 2);
    s->p[4] = tn_below(m, 3), s->p[5] = tn_below(m, 3), s->p[7] = tn_chance(m, 20);
    return 1;
}

/* p0 window or length, p1 stride, p2 padding. */
int tn_choose_signal(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 3);
    s->p[0] = 1 + tn_below(m, 4), s->p[1] = tn_below(m, 3), s->p[2] = tn_below(m, s->p[0]), s->p[3] = tn_below(m, 2);
    return 1;
}

int tn_choose_layer_signal(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 3);
    if (s->in[0] < 0) return 0;
    s->p[4] = shape_of(m, s).dim[1] % 2 || tn_chance(m, 60) ? 1 : 2;
    s->p[0] = s->p[4] * (1 + tn_below(m, 4));
    s->p[1] = 1 + tn_below(m, 3), s->p[2] = 1 + tn_below(m, 2), s->p[3] = tn_below(m, 3);
    return 1;
}

/* ---- on sequences ---- */

int tn_choose_embedding(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_add_index(m, tn_some_shape(m, (int32_t)tn_below(m, 3)));
    s->p[0] = 2 + tn_below(m, 5), s->p[1] = 1 + tn_below(m, 5);
    return 1;
}

/* A batch of 1, one step and one unit are common. */
static int32_t some_sequence(tn_maker *m, int64_t width)
{
    int64_t batch = tn_chance(m, 40) ? 1 : 1 + tn_below(m, 3), steps = tn_chance(m, 40) ? 1 : 1 + tn_below(m, 4);
    return tn_alike(m, TN_F32, TN_SHAPE(batch, steps, width));
}

int tn_choose_sequence(tn_maker *m, tn_call *s)
{
    s->in[0] = some_sequence(m, 1 + tn_below(m, 4));
    if (s->in[0] < 0) return 0;
    s->in[1] = tn_alike(m, TN_I32, TN_SHAPE(shape_of(m, s).dim[0]));
    s->p[0] = tn_below(m, 4), s->p[1] = 1 + tn_below(m, 4), s->p[2] = 1 + tn_chance(m, 25), s->p[3] = tn_chance(m, 30);
    share_label(m, s);
    return 1;
}

/* p0 heads, p1 causal, p2 p3 other options; a memory and its mask, or not. */
int tn_choose_heads(tn_maker *m, tn_call *s)
{
    s->p[0] = 1 + tn_below(m, 2);
    s->in[0] = some_sequence(m, s->p[0] * (1 + tn_below(m, 3)));
    if (s->in[0] < 0) return 0;
    tn_shape memory = shape_of(m, s);
    memory.dim[1] = 1 + tn_below(m, 4);
    s->p[1] = tn_below(m, 2), s->p[2] = tn_below(m, 2), s->p[3] = tn_below(m, 2);
    int has_memory = strstr(tn_rule_at(s->rule)->text, ".memory") && tn_chance(m, 60);
    if (has_memory) s->in[1] = tn_alike(m, TN_F32, memory);
    if (!has_memory) memory.dim[1] = shape_of(m, s).dim[1];
    if (tn_chance(m, 50)) s->in[2] = tn_alike(m, TN_I32, TN_SHAPE(memory.dim[0], memory.dim[1]));
    share_label(m, s);
    return 1;
}

/* ---- networks in words ---- */

static const struct {
    int32_t rank;
    const char *words;
} nets[] = {
    {2, "linear 5, relu, linear 3, tanh, linear outputs"},
    {2, "linear 4, leaky_relu, dropout 0.25, linear outputs, log_softmax"},
    {2, "linear 3, elu, linear 3, hard_shrink, linear outputs"},
    {2, "perceptron"},
    {4, "conv 3 3x3 pad same, relu, maxpool 2, flatten, linear 4, relu, linear outputs"},
    {4, "conv 2 2x2, batch_norm, gelu, global_avgpool, linear outputs"},
    {4, "conv 4 1x1, prelu, avgpool 2, adaptive_avgpool 2x2, flatten, linear outputs"},
    {4, "conv_transpose 2 2x2 stride 2, relu, global_maxpool, linear outputs"},
    {3, "lstm 3, last, linear outputs"},
    {3, "gru 2, flatten, linear outputs"},
    {3, "project 4, position, transformer 2, layer_norm, linear outputs"},
};

int tn_choose_net(tn_maker *m, tn_call *s)
{
    int64_t i = tn_below(m, sizeof nets / sizeof *nets);
    s->word = nets[i].words;
    s->in[0] = tn_any_full(m, nets[i].rank);
    s->p[0] = 1 + tn_below(m, 3), s->p[1] = tn_below(m, 2);
    return 1;
}

/* ---- losses ---- */

/* Losses that take targets of the outputs' shape; and those that take labels. */
static const char *some_loss(tn_maker *m, uint32_t labels)
{
    tn_loss_entry entry;
    const char *found[64] = {NULL};
    int64_t count = 0;
    for (size_t i = 0; count < 64 && tn_loss_at(i, &entry); i++)
        if (entry.labels == labels) found[count++] = entry.name;
    return found[tn_below(m, count)];
}

int tn_choose_loss(tn_maker *m, tn_call *s)
{
    s->word = some_loss(m, 0);
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    tn_call target = tn_step_of(m, "input"); /* probabilities: right for every loss */
    target.letter = 'p', target.dtype = TN_F32, target.shape = shape_of(m, s);
    s->in[1] = tn_add_step(m, &target);
    s->p[0] = tn_below(m, 3);
    return 1;
}

int tn_choose_label_loss(tn_maker *m, tn_call *s)
{
    s->word = some_loss(m, 1);
    s->in[0] = tn_any_full(m, 2 + tn_chance(m, 25));
    if (s->in[0] < 0) return 0;
    tn_shape label = shape_of(m, s);
    int64_t classes = label.dim[--label.rank];
    s->in[1] = tn_add_index(m, label);
    if (tn_chance(m, 40)) s->in[2] = tn_alike(m, TN_F32, TN_SHAPE(classes));
    s->p[0] = tn_below(m, 3), s->p[1] = tn_below(m, 2);
    return 1;
}

/* Two tensors of vectors, and a number for each pair. */
int tn_choose_vectors(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 2 + tn_chance(m, 30));
    if (s->in[0] < 0) return 0;
    tn_shape each = shape_of(m, s);
    s->in[1] = tn_alike(m, TN_F32, each);
    each.rank--;
    s->in[2] = tn_alike(m, TN_F32, each);
    return 1;
}
