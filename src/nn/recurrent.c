/* recurrent.c: layers that go through a sequence one step after another: the simple recurrent layer, LSTM (Hochreiter
 * and Schmidhuber, 1997; forget gate: Gers, Schmidhuber and Cummins, 2000) and GRU (Cho and others, 2014, as PyTorch
 * writes it), unrolled over time; and the embedding that turns numbers into vectors. */
#include "alloc.h"
#include "given.h"
#include "tenon/nn.h"

#include <math.h>
#include <stdio.h>

#define MOST_UNROLLED ((int64_t)1 << 20) /* steps of all layers together */

/* ---- one layer's parameters ---- */

typedef struct cell {
    tn_tensor *weight_ih, *weight_hh, *bias_ih, *bias_hh;
    int64_t units;
} cell;

/* Which of a stack's layers, and whether it goes through the steps from the last. */
typedef struct direction {
    int64_t layer;
    int is_reverse;
} direction;

/* Parameters of one direction of one layer: `gates` matrices one below the other, all uniform up to 1 / sqrt(units).
 * "weight_ih" of layer 1 backwards is "NAME.weight_ih_l1_reverse". */
static cell make_cell(tn_graph *graph, const char *name, direction d, int64_t gates, int64_t inputs, int64_t units)
{
    static const char *const kinds[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
    const tn_shape shapes[] = {TN_SHAPE(gates * units, inputs), TN_SHAPE(gates * units, units), TN_SHAPE(gates * units),
                               TN_SHAPE(gates * units)};
    const tn_init init = {.kind = TN_INIT_UNIFORM, .a = 1 / sqrt((double)units)};
    tn_tensor *param[4];
    tn_scope_push(graph, name);
    for (int i = 0; i < 4; i++) {
        char full[64];
        snprintf(full, sizeof full, "%s_l%lld%s", kinds[i], (long long)d.layer, d.is_reverse ? "_reverse" : "");
        param[i] = tn_param(graph, full, shapes[i], init);
    }
    tn_scope_pop(graph);
    return (cell){param[0], param[1], param[2], param[3], units};
}

/* Gates side by side, (batch, gates units), as one after another, (gates, batch, units): so that a gate is a slice that
 * costs nothing, and gates' gradients are made where they belong. */
static tn_tensor *apart(const cell *c, tn_tensor *all)
{
    const tn_shape s = tn_shape_of(all);
    return tn_transpose(tn_reshape(all, TN_SHAPE(s.dim[0], s.dim[1] / c->units, c->units)), (int32_t[]){1, 0, 2});
}

/* Gate number i of all of them apart. */
static tn_tensor *gate(tn_tensor *all, int64_t i)
{
    const tn_shape s = tn_shape_of(all);
    return tn_reshape(tn_slice(all, 0, i, 1, 1), TN_SHAPE(s.dim[1], s.dim[2]));
}

/* What the state gives, but for its bias. */
static tn_tensor *from_state(const cell *c, tn_tensor *h)
{
    return tn_matmul_t(h, c->weight_hh, 0, 1);
}

/* ---- steps: the new h (and c) from what the input gives and the old ones ---- */

static void step_rnn(const cell *c, tn_tensor *x, tn_recurrent_state *s)
{
    s->h = tn_tanh(tn_add(x, from_state(c, s->h)));
}

static void step_lstm(const cell *c, tn_tensor *x, tn_recurrent_state *s)
{
    tn_tensor *all = apart(c, tn_add(x, from_state(c, s->h)));
    tn_tensor *in = tn_sigmoid(gate(all, 0)), *forget = tn_sigmoid(gate(all, 1));
    tn_tensor *content = tn_tanh(gate(all, 2)), *out = tn_sigmoid(gate(all, 3));
    s->c = tn_add(tn_mul(forget, s->c), tn_mul(in, content));
    s->h = tn_mul(out, tn_tanh(s->c));
}

static void step_gru(const cell *c, tn_tensor *x, tn_recurrent_state *s)
{
    tn_tensor *h = apart(c, tn_add(from_state(c, s->h), c->bias_hh));
    x = apart(c, x);
    tn_tensor *reset = tn_sigmoid(tn_add(gate(x, 0), gate(h, 0)));
    tn_tensor *update = tn_sigmoid(tn_add(gate(x, 1), gate(h, 1)));
    tn_tensor *content = tn_tanh(tn_add(gate(x, 2), tn_mul(reset, gate(h, 2))));
    s->h = tn_add(content, tn_mul(update, tn_sub(s->h, content)));
}

/* The state is reset before its product, which is the content's alone. */
static void step_gru_before(const cell *c, tn_tensor *x, tn_recurrent_state *s)
{
    int64_t n = tn_shape_of(s->h).dim[1];
    tn_tensor *h = tn_matmul_t(s->h, tn_slice(c->weight_hh, 0, 0, 2 * n, 1), 0, 1);
    x = apart(c, x);
    tn_tensor *reset = tn_sigmoid(tn_add(gate(x, 0), tn_slice(h, 1, 0, n, 1)));
    tn_tensor *update = tn_sigmoid(tn_add(gate(x, 1), tn_slice(h, 1, n, n, 1)));
    h = tn_matmul_t(tn_mul(reset, s->h), tn_slice(c->weight_hh, 0, 2 * n, n, 1), 0, 1);
    tn_tensor *content = tn_tanh(tn_add(gate(x, 2), h));
    s->h = tn_add(content, tn_mul(update, tn_sub(s->h, content)));
}

static const struct {
    const char *name;
    int64_t gates;
    void (*step)(const cell *c, tn_tensor *x, tn_recurrent_state *s);
} kinds[] = {[TN_RNN] = {"rnn", 1, step_rnn},
             [TN_LSTM] = {"lstm", 4, step_lstm},
             [TN_GRU] = {"gru", 3, step_gru},
             [TN_GRU_BEFORE] = {"gru_before", 3, step_gru_before}};

/* ---- a sequence ---- */

/* One step; samples that have ended keep their state and give 0. */
static tn_tensor *advance(const cell *c, int32_t kind, tn_tensor *x, int64_t step, tn_tensor *lengths,
                          tn_recurrent_state *s)
{
    tn_recurrent_state before = *s;
    kinds[kind].step(c, x, s);
    if (!lengths) return s->h;
    tn_tensor *goes_on = tn_reshape(tn_gt(lengths, tn_number(lengths, (double)step)), TN_SHAPE(-1, 1));
    tn_tensor *y = tn_where(goes_on, s->h, tn_number(s->h, 0));
    s->h = tn_where(goes_on, s->h, before.h);
    if (s->c) s->c = tn_where(goes_on, s->c, before.c);
    return y;
}

/* All steps' inputs at once, (steps, batch, gates units): one large product instead of many small ones. The state's
 * bias is added there as well, once for all steps, but for a GRU, which multiplies it. */
static tn_tensor *inputs_of(const cell *c, int32_t kind, tn_tensor *x)
{
    x = tn_transpose(x, (int32_t[]){1, 0, 2});
    tn_shape s = tn_shape_of(x);
    tn_tensor *flat = tn_reshape(x, TN_SHAPE(s.dim[0] * s.dim[1], s.dim[2]));
    tn_tensor *bias = kind == TN_GRU ? c->bias_ih : tn_add(c->bias_ih, c->bias_hh);
    flat = tn_add(tn_matmul_t(flat, c->weight_ih, 0, 1), bias);
    return tn_reshape(flat, TN_SHAPE(s.dim[0], s.dim[1], tn_shape_of(flat).dim[1]));
}

static void check_lengths(tn_graph *graph, const char *name, const tn_tensor *lengths, int64_t batch)
{
    tn_shape shape = tn_shape_of(lengths);
    char text[160];
    if (tn_dtype_of(lengths) == TN_I32 && shape.rank == 1 && shape.dim[0] == batch) return;
    tn_graph_fail(graph, TN_EINVAL, "recurrent '%s': its lengths, %s %s, should be i32 (%lld)", name,
                  tn_dtype_name(tn_dtype_of(lengths)), tn_shape_text(&shape, text, sizeof text), (long long)batch);
}

/* What is unrolled has to be built, step by step. */
static void check_length(tn_graph *graph, const char *name, const tn_recurrent_options *options, int64_t steps)
{
    const int64_t each = options->bidirectional ? 2 * steps : steps;
    if (options->layers > MOST_UNROLLED / each || each > MOST_UNROLLED)
        tn_graph_fail(graph, TN_EINVAL, "recurrent '%s': %lld layers of %lld steps are more than %lld to unroll", name,
                      (long long)(options->layers + !options->layers), (long long)each, (long long)MOST_UNROLLED);
}

static int check_input(tn_tensor *x, const char *name, const tn_recurrent_options *options)
{
    tn_graph *graph = tn_graph_of(x);
    tn_shape shape = tn_shape_of(x);
    char text[160];
    if (tn_graph_status(graph)) return 0;
    if (options->kind < TN_RNN || options->kind > TN_GRU_BEFORE || options->units < 1 || options->layers < 0)
        tn_graph_fail(graph, TN_EINVAL, "recurrent '%s': kind %d with %lld units in %lld layers", name, options->kind,
                      (long long)options->units, (long long)options->layers);
    if (shape.rank != 3 || shape.dim[1] < 1 || shape.dim[2] < 1)
        tn_graph_fail(graph, TN_ESHAPE, "recurrent '%s': its input %s should be (batch, steps, features)", name,
                      tn_shape_text(&shape, text, sizeof text));
    else
        check_length(graph, name, options, shape.dim[1]);
    if (options->lengths) check_lengths(graph, name, options->lengths, shape.dim[0]);
    return !tn_graph_status(graph);
}

static tn_tensor *zeros(tn_graph *graph, int64_t batch, int64_t units)
{
    return tn_full(graph, TN_F32, TN_SHAPE(batch, units), 0);
}

/* One direction of one layer over (batch, steps, features); each has room for the steps' results. */
static tn_tensor *go_through(tn_tensor *x, const char *name, const tn_recurrent_options *options, direction d,
                             tn_recurrent_state *s, tn_tensor *each[])
{
    tn_graph *graph = tn_graph_of(x);
    tn_shape shape = tn_shape_of(x);
    int64_t batch = shape.dim[0], steps = shape.dim[1];
    cell c = make_cell(graph, name, d, kinds[options->kind].gates, shape.dim[2], options->units);
    tn_tensor *all = inputs_of(&c, options->kind, x);
    if (!s->h) s->h = zeros(graph, batch, options->units);
    if (!s->c && options->kind == TN_LSTM) s->c = zeros(graph, batch, options->units);
    for (int64_t i = 0; i < steps; i++) {
        int64_t t = d.is_reverse ? steps - 1 - i : i;
        tn_tensor *now = tn_reshape(tn_slice(all, 0, t, 1, 1), TN_SHAPE(batch, tn_shape_of(all).dim[2]));
        each[t] = advance(&c, options->kind, now, t, options->lengths, s);
    }
    return tn_stack(each, (uint32_t)steps, 1);
}

tn_tensor *tn_recurrent_layer(tn_tensor *x, const char *name, tn_recurrent_options options, tn_recurrent_state *state)
{
    TN_NAMED(x, name);
    if (!check_input(x, name, &options)) return x;
    int directions = options.bidirectional ? 2 : 1;
    tn_tensor **each = tn_alloc((size_t)tn_shape_of(x).dim[1] * sizeof *each), *y[2];
    if (!each) tn_graph_fail(tn_graph_of(x), TN_ENOMEM, "out of memory");
    for (int64_t layer = 0; each && layer < options.layers + !options.layers; layer++) {
        for (int i = 0; i < directions; i++) {
            tn_recurrent_state s = state ? state[layer * directions + i] : (tn_recurrent_state){0};
            y[i] = go_through(x, name, &options, (direction){layer, i}, &s, each);
            if (state) state[layer * directions + i] = s;
        }
        x = directions == 2 ? tn_concat(y, 2, 2) : y[0];
        if (options.dropout != 0 && layer + 1 < options.layers) x = tn_dropout(x, options.dropout);
    }
    tn_free(each);
    return x;
}

/* ---- embedding ---- */

/* Rows of the table; row number `zero_row`, from 1, begins with zeros. */
static tn_tensor *rows_of(tn_tensor *index, const char *name, int64_t count, int64_t units, int64_t zero_row)
{
    tn_graph *graph = tn_graph_of(index);
    if (tn_graph_status(graph)) return index;
    if (count < 1 || units < 1)
        tn_graph_fail(graph, TN_EINVAL, "embedding '%s': a table of %lld by %lld", name, (long long)count,
                      (long long)units);
    tn_init init = {.kind = TN_INIT_NORMAL, .a = 1, .zero_row = zero_row};
    tn_scope_push(graph, name);
    tn_tensor *rows = tn_gather(tn_param(graph, "weight", TN_SHAPE(count, units), init), index);
    tn_scope_pop(graph);
    return rows;
}

tn_tensor *tn_embedding(tn_tensor *index, const char *name, int64_t count, int64_t units)
{
    TN_NAMED(index, name);
    return rows_of(index, name, count, units, 0);
}

tn_tensor *tn_embedding_padded(tn_tensor *index, const char *name, int64_t count, int64_t units, int32_t padding)
{
    TN_NAMED(index, name);
    if (padding < 0 || padding >= count)
        tn_graph_fail(tn_graph_of(index), TN_EINVAL, "embedding '%s': padding %d is none of %lld rows", name, padding,
                      (long long)count);
    tn_tensor *rows = rows_of(index, name, count, units, (int64_t)padding + 1);
    if (tn_graph_status(tn_graph_of(index))) return rows;
    tn_shape each = tn_shape_of(index);
    each.dim[each.rank++] = 1;
    tn_tensor *counts = tn_reshape(tn_ne(index, tn_number(index, padding)), each);
    return tn_where(counts, rows, tn_stop_gradient(rows));
}
