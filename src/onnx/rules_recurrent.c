/* rules_recurrent.c: RNN, GRU and LSTM, a step after another: in each direction, with lengths of their own, with
 * initial values, peepholes and a choice of activations. */
#include <string.h>
#include <strings.h>

#include "rule.h"

enum { MOST_GATES = 4, MOST_ACTIVATIONS = 6 };

typedef tn_tensor *activation(tn_tensor *x, double alpha, double beta);

static tn_tensor *affine(tn_tensor *x, double alpha, double beta)
{
    return tn_add(tn_mul(x, tn_number(x, alpha)), tn_number(x, beta));
}

static tn_tensor *act_relu(tn_tensor *x, double alpha, double beta)
{
    (void)alpha, (void)beta;
    return tn_relu(x);
}

static tn_tensor *act_tanh(tn_tensor *x, double alpha, double beta)
{
    (void)alpha, (void)beta;
    return tn_tanh(x);
}

static tn_tensor *act_sigmoid(tn_tensor *x, double alpha, double beta)
{
    (void)alpha, (void)beta;
    return tn_sigmoid(x);
}

static tn_tensor *act_softsign(tn_tensor *x, double alpha, double beta)
{
    (void)alpha, (void)beta;
    return tn_softsign(x);
}

static tn_tensor *act_softplus(tn_tensor *x, double alpha, double beta)
{
    (void)alpha, (void)beta;
    return tn_softplus(x);
}

static tn_tensor *act_leaky(tn_tensor *x, double alpha, double beta)
{
    (void)beta;
    return tn_leaky_relu(x, tn_number(x, alpha));
}

static tn_tensor *act_elu(tn_tensor *x, double alpha, double beta)
{
    (void)beta;
    return tn_elu(x, tn_number(x, alpha));
}

static tn_tensor *act_threshold(tn_tensor *x, double alpha, double beta)
{
    (void)beta;
    return tn_threshold(x, alpha, 0);
}

static tn_tensor *act_scaled_tanh(tn_tensor *x, double alpha, double beta)
{
    return affine(tn_tanh(affine(x, beta, 0)), alpha, 0);
}

static tn_tensor *act_hard_sigmoid(tn_tensor *x, double alpha, double beta)
{
    return tn_clamp(affine(x, alpha, beta), 0, 1);
}

static const struct {
    const char *name;
    activation *function;
    double alpha, beta;
    int takes; /* of these numbers */
} activations[] = {
    {"Tanh", act_tanh, 0, 0, 0},
    {"Sigmoid", act_sigmoid, 0, 0, 0},
    {"Relu", act_relu, 0, 0, 0},
    {"Affine", affine, 1, 0, 2},
    {"LeakyRelu", act_leaky, (double)0.01f, 0, 1},
    {"ThresholdedRelu", act_threshold, 1, 0, 1},
    {"ScaledTanh", act_scaled_tanh, 1, 1, 2},
    {"HardSigmoid", act_hard_sigmoid, (double)0.2f, 0.5, 2},
    {"Elu", act_elu, 1, 0, 1},
    {"Softsign", act_softsign, 0, 0, 0},
    {"Softplus", act_softplus, 0, 0, 0},
};

/* One direction of a node. Weights are as ONNX has them: gates one after another, (gates h, inputs). */
typedef struct cell {
    onnx_node *node;
    uint32_t gates;
    int64_t hidden;
    tn_tensor *w, *r, *bias_w, *bias_r, *peephole; /* the last three may be NULL */
    struct {
        activation *function;
        double alpha, beta;
    } act[3];
    double clip; /* 0: none */
    int flag;    /* the GRU's linear_before_reset, the LSTM's input_forget */
} cell;

/* From x's part for the step, (b, gates h), and the states of the step before. */
typedef void step_rule(const cell *c, tn_tensor *x, tn_tensor *state[2]);

static tn_tensor *act(const cell *c, int which, tn_tensor *x)
{
    if (c->clip > 0) x = tn_clamp(x, -c->clip, c->clip);
    return c->act[which].function(x, c->act[which].alpha, c->act[which].beta);
}

static tn_tensor *gate(const cell *c, tn_tensor *all, uint32_t i)
{
    return tn_slice(all, -1, (int64_t)i * c->hidden, c->hidden, 1);
}

static tn_tensor *recur(const cell *c, tn_tensor *h)
{
    tn_tensor *y = tn_matmul_t(h, c->r, 0, 1);
    return c->bias_r ? tn_add(y, c->bias_r) : y;
}

static void step_rnn(const cell *c, tn_tensor *x, tn_tensor *state[2])
{
    state[0] = act(c, 0, tn_add(x, recur(c, state[0])));
}

/* The new value, behind the reset either of the state or of its product. */
static tn_tensor *gru_value(const cell *c, tn_tensor *x, tn_tensor *recurrent, tn_tensor *h, tn_tensor *reset)
{
    if (c->flag) return act(c, 1, tn_add(gate(c, x, 2), tn_mul(reset, gate(c, recurrent, 2))));
    tn_tensor *r = tn_slice(c->r, 0, 2 * c->hidden, c->hidden, 1);
    tn_tensor *y = tn_matmul_t(tn_mul(reset, h), r, 0, 1);
    if (c->bias_r) y = tn_add(y, gate(c, c->bias_r, 2));
    return act(c, 1, tn_add(gate(c, x, 2), y));
}

static void step_gru(const cell *c, tn_tensor *x, tn_tensor *state[2])
{
    tn_tensor *h = state[0], *recurrent = recur(c, h);
    tn_tensor *update = act(c, 0, tn_add(gate(c, x, 0), gate(c, recurrent, 0)));
    tn_tensor *reset = act(c, 0, tn_add(gate(c, x, 1), gate(c, recurrent, 1)));
    tn_tensor *value = gru_value(c, x, recurrent, h, reset);
    state[0] = tn_add(tn_mul(tn_sub(tn_number(update, 1), update), value), tn_mul(update, h));
}

/* What a gate sees of the cell: i, o, f in this order. */
static tn_tensor *peep(const cell *c, tn_tensor *sum, uint32_t i, tn_tensor *value)
{
    return c->peephole ? tn_add(sum, tn_mul(gate(c, c->peephole, i), value)) : sum;
}

static void step_lstm(const cell *c, tn_tensor *x, tn_tensor *state[2])
{
    tn_tensor *all = tn_add(x, recur(c, state[0])), *value = state[1];
    tn_tensor *in = act(c, 0, peep(c, gate(c, all, 0), 0, value));
    tn_tensor *forget = act(c, 0, peep(c, gate(c, all, 2), 2, value));
    if (c->flag) forget = tn_sub(tn_number(in, 1), in);
    value = tn_add(tn_mul(forget, value), tn_mul(in, act(c, 1, gate(c, all, 3))));
    tn_tensor *out = act(c, 0, peep(c, gate(c, all, 1), 1, value));
    state[0] = tn_mul(out, c->act[2].function(value, c->act[2].alpha, c->act[2].beta));
    state[1] = value;
}

/* ---- reading a node ---- */

/* The numbers that the node has for those of its activations that take some, in the order of these. */
typedef struct numbers {
    double alpha[MOST_ACTIVATIONS], beta[MOST_ACTIVATIONS];
    int64_t alphas, betas, next_alpha, next_beta;
} numbers;

static int find_activation(onnx_node *n, cell *c, int which, const char *name, size_t length, numbers *given)
{
    for (size_t k = 0; k < sizeof activations / sizeof *activations; k++) {
        if (strlen(activations[k].name) != length || strncasecmp(activations[k].name, name, length) != 0) continue;
        c->act[which].function = activations[k].function;
        c->act[which].alpha = activations[k].alpha, c->act[which].beta = activations[k].beta;
        if (activations[k].takes > 0 && given->next_alpha < given->alphas)
            c->act[which].alpha = given->alpha[given->next_alpha++];
        if (activations[k].takes > 1 && given->next_beta < given->betas)
            c->act[which].beta = given->beta[given->next_beta++];
        return 1;
    }
    onnx_cannot(n, "activation %.*s", (int)length, name);
    return 0;
}

static void read_numbers(onnx_node *n, numbers *given)
{
    *given = (numbers){0};
    given->alphas = onnx_floats(n, "activation_alpha", given->alpha, MOST_ACTIVATIONS);
    given->betas = onnx_floats(n, "activation_beta", given->beta, MOST_ACTIVATIONS);
    if (given->alphas > MOST_ACTIVATIONS || given->betas > MOST_ACTIVATIONS) onnx_cannot(n, "so many activations");
}

/* Of a direction behind the one before. */
static int read_activations(onnx_node *n, cell *c, int direction, int count, const char *const usual[], numbers *given)
{
    const onnx_attribute *at = onnx_attr(n, "activations");
    for (int i = 0; i < count; i++) {
        size_t k = (size_t)(direction * count + i);
        const char *name = at && k < at->n_strings ? (const char *)at->strings[k].data : usual[i];
        size_t length = at && k < at->n_strings ? at->strings[k].len : strlen(name);
        if (n->failed || !find_activation(n, c, i, name, length, given)) return 0;
    }
    return 1;
}

/* One direction's part of a weight: (directions, ...) -> (...). */
static tn_tensor *part_of(onnx_node *n, uint32_t i, int direction)
{
    tn_tensor *x = onnx_in(n, i);
    return x ? tn_squeeze(tn_slice(x, 0, direction, 1, 1), 0) : NULL;
}

static int read_cell(onnx_node *n, int direction, uint32_t gates, cell *c)
{
    int64_t wide;
    *c = (cell){.node = n, .gates = gates, .w = part_of(n, 1, direction), .r = part_of(n, 2, direction)};
    tn_tensor *bias = part_of(n, 3, direction);
    if (!c->w || !c->r || n->failed) return 0;
    c->hidden = onnx_dim(c->r, 1), wide = gates * c->hidden;
    if (onnx_int(n, "hidden_size", c->hidden) != c->hidden) onnx_cannot(n, "attribute hidden_size");
    if (bias) c->bias_w = tn_slice(bias, 0, 0, wide, 1), c->bias_r = tn_slice(bias, 0, wide, wide, 1);
    c->clip = onnx_float(n, "clip", 0);
    return !n->failed;
}

/* ---- all steps of a direction ---- */

typedef struct layer {
    tn_tensor *x, *length; /* (t, b, inputs); or NULL */
    step_rule *step;
    uint32_t states;
    const char *const *usual;
    uint32_t gates, initial; /* the operand of the first state's initial value */
} layer;

static tn_tensor *initial(onnx_node *n, const layer *l, const cell *c, uint32_t state, int direction, int by_batch)
{
    tn_tensor *x = onnx_in(n, l->initial + state);
    if (x) return tn_squeeze(tn_slice(x, by_batch, direction, 1, 1), by_batch);
    return tn_full(n->graph, tn_dtype_of(l->x), TN_SHAPE(onnx_dim(l->x, 1), c->hidden), 0);
}

/* Behind its length a sample keeps its state, and its output is 0. */
static void hold(const layer *l, int64_t t, tn_tensor *before[2], tn_tensor *state[2], tn_tensor **out)
{
    if (!l->length) return;
    tn_tensor *lasts = tn_gt(l->length, tn_number(l->length, (double)t));
    for (uint32_t i = 0; i < l->states; i++) state[i] = tn_where(lasts, state[i], before[i]);
    *out = tn_where(lasts, *out, tn_number(*out, 0));
}

/* The outputs of all steps into y[t]; the last states into state[]. */
static void run(const layer *l, const cell *c, int backwards, tn_tensor *y[], tn_tensor *state[2])
{
    int64_t steps = onnx_dim(l->x, 0), batch = onnx_dim(l->x, 1);
    tn_tensor *all = tn_matmul_t(tn_reshape(l->x, TN_SHAPE(steps * batch, -1)), c->w, 0, 1);
    if (c->bias_w) all = tn_add(all, c->bias_w);
    all = tn_reshape(all, TN_SHAPE(steps, batch, (int64_t)c->gates * c->hidden));
    for (int64_t i = 0; i < steps; i++) {
        int64_t t = backwards ? steps - 1 - i : i;
        tn_tensor *before[2] = {state[0], state[1]};
        l->step(c, tn_squeeze(tn_slice(all, 0, t, 1, 1), 0), state);
        y[t] = state[0];
        hold(l, t, before, state, &y[t]);
    }
}

/* Results of both directions beside each other: (t, directions, b, h) and (directions, b, h), or by batch first. */
static void conclude(onnx_node *n, const layer *l, int by_batch, int directions, tn_tensor **y, tn_tensor *state[2][2])
{
    int64_t steps = onnx_dim(l->x, 0);
    tn_tensor *of[2];
    for (int d = 0; d < directions; d++) of[d] = tn_stack(y + d * steps, (uint32_t)steps, 0);
    tn_tensor *all = tn_stack(of, (uint32_t)directions, 1);
    onnx_out(n, 0, by_batch ? tn_transpose(all, (const int32_t[]){2, 0, 1, 3}) : all);
    for (uint32_t i = 0; i < l->states; i++) {
        for (int d = 0; d < directions; d++) of[d] = state[d][i];
        onnx_out(n, 1 + i, tn_stack(of, (uint32_t)directions, by_batch));
    }
}

static void recurrent(onnx_node *n, layer *l, const char *flag)
{
    int by_batch = onnx_int(n, "layout", 0) != 0, reverse = onnx_text_is(n, "direction", "forward", "reverse");
    int directions = onnx_text_is(n, "direction", "forward", "bidirectional") ? 2 : 1;
    tn_tensor *state[2][2] = {{0}};
    cell c;
    numbers given;
    onnx_heeded(n, "output_sequence"); /* of opsets before 7 */
    read_numbers(n, &given);
    if (!(l->x = onnx_in(n, 0)) || tn_shape_of(l->x).rank != 3) return;
    if (by_batch) l->x = tn_transpose(l->x, (const int32_t[]){1, 0, 2});
    int64_t steps = onnx_dim(l->x, 0);
    if ((l->length = onnx_in(n, 4))) l->length = tn_reshape(l->length, TN_SHAPE(onnx_dim(l->x, 1), 1));
    tn_tensor **y = tn_region_alloc(&n->build->region, (size_t)(2 * steps) * sizeof *y + 1);
    if (!steps) onnx_cannot(n, "no steps");
    for (int d = 0; y && d < directions && !n->failed; d++) {
        if (!read_cell(n, d, l->gates, &c)) return;
        if (!read_activations(n, &c, d, l->states == 2 ? 3 : l->gates == 1 ? 1 : 2, l->usual, &given)) return;
        c.flag = flag ? onnx_int(n, flag, 0) != 0 : 0;
        if (l->states == 2) c.peephole = part_of(n, 7, d);
        for (uint32_t i = 0; i < l->states; i++) state[d][i] = initial(n, l, &c, i, d, by_batch);
        run(l, &c, d == 1 || reverse, y + d * steps, state[d]);
    }
    if (y && !n->failed) conclude(n, l, by_batch, directions, y, state);
}

void onnx_rule_rnn(onnx_node *n)
{
    static const char *const usual[] = {"Tanh"};
    recurrent(n, &(layer){.step = step_rnn, .states = 1, .gates = 1, .initial = 5, .usual = usual}, NULL);
}

void onnx_rule_gru(onnx_node *n)
{
    static const char *const usual[] = {"Sigmoid", "Tanh", 0};
    recurrent(n, &(layer){.step = step_gru, .states = 1, .gates = 3, .initial = 5, .usual = usual},
              "linear_before_reset");
}

void onnx_rule_lstm(onnx_node *n)
{
    static const char *const usual[] = {"Sigmoid", "Tanh", "Tanh", 0};
    recurrent(n, &(layer){.step = step_lstm, .states = 2, .gates = 4, .initial = 5, .usual = usual}, "input_forget");
}
