/* S14: recurrent networks: a simple one, LSTM and GRU.
 *
 * The adding problem (Hochreiter and Schmidhuber, 1997): of a sequence of numbers two are marked, and the network is to
 * say their sum at the end. The sequences are of different lengths; what comes after the end must not count.
 *
 * The echo: from an endless stream of bits, say the one of three steps ago. The stream is cut into pieces of five
 * steps, and gradients stop at the cut: truncated back-propagation through time. The state, kept in variables, does not
 * stop. Without it the first three of five answers could only be guessed. */
#include <math.h>

#include "common.h"

/* A simple network forgets sooner, and is allowed a larger squared error. */
static const struct {
    const char *name;
    double most;
} kinds[] = {[TN_RNN] = {"simple", 0.03}, [TN_LSTM] = {"LSTM", 0.005}, [TN_GRU] = {"GRU", 0.005}};

/* ---- the adding problem ---- */

enum { STEPS = 16, SHORTEST = 6 };

/* Each step is a number and a mark: 1, 0, or -1 after the end. */
static tn_dataset additions(int64_t count)
{
    tn_dataset data = {.count = count, .sample = TN_SHAPE(STEPS, 2), .x_dtype = TN_F32, .targets = 1};
    float *x = data.x = calloc((size_t)count * STEPS * 2, sizeof *x);
    data.target = calloc((size_t)count, sizeof *data.target);
    for (int64_t i = 0; i < count; i++, x += STEPS * 2) {
        int length = SHORTEST + (int)((STEPS - SHORTEST + 1) * chance());
        int first = (int)(length / 2 * chance()), second = length / 2 + (int)((length - length / 2) * chance());
        for (int t = 0; t < STEPS; t++) {
            x[2 * t] = (float)chance();
            x[2 * t + 1] = t >= length ? -1 : t == first || t == second;
        }
        data.target[i] = x[2 * first] + x[2 * second];
    }
    return data;
}

static tn_tensor *adder(tn_tensor *x, int training, const void *kind)
{
    (void)training;
    tn_tensor *marks = tn_slice(x, 2, 1, 1, 1);
    tn_tensor *there = tn_ge(marks, tn_number(marks, 0)); /* (batch, steps, 1) */
    tn_tensor *lengths = tn_cast(tn_sum(there, TN_AXES(1, 2), 0), TN_I32);
    tn_recurrent_state last = {0};
    tn_recurrent(x, "rnn", &last, .kind = *(const int32_t *)kind, .units = 24, .lengths = lengths);
    return tn_linear(last.h, "sum", .units = 1);
}

/* The mean squared error on new sequences; always saying 1 would have 1/6. */
static double add(example *e, int32_t kind, const tn_dataset *train, const tn_dataset *test)
{
    tn_model model = {.build = adder, .loss = "mse", .arg = &kind};
    tn_fit_options how = {.epochs = 30, .batch = 50, .optimizer = "adam", .optim = {.lr = 0.01, .clip_norm = 1}};
    example_curve curve = {"the adding problem: squared error", kinds[kind].name};
    how.each = example_follow;
    how.arg = &curve;
    tn_score score;
    tn_state *state = NULL;
    TRY(tn_state_new(e->device, 1, &state));
    TRY(tn_fit(state, &model, train, &how, NULL));
    TRY(tn_evaluate(state, &model, test, &score));
    tn_state_free(state);
    return score.loss;
}

/* ---- the echo ---- */

enum { STREAMS = 32, PIECE = 5, DELAY = 3, PIECES = 400, UNITS = 16 };

static tn_graph *echo_graph(int32_t kind, int carry)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(STREAMS, PIECE, 1));
    tn_tensor *t = tn_input(graph, "t", TN_F32, TN_SHAPE(STREAMS * PIECE, 1));
    tn_tensor *h = tn_variable(graph, "h", TN_F32, TN_SHAPE(STREAMS, UNITS), (tn_init){TN_INIT_ZERO}, 0);
    tn_tensor *c = tn_variable(graph, "c", TN_F32, TN_SHAPE(STREAMS, UNITS), (tn_init){TN_INIT_ZERO}, 0);
    tn_recurrent_state now = {h, kind == TN_LSTM ? c : NULL};
    tn_tensor *y = tn_recurrent(x, "rnn", carry ? &now : NULL, .kind = kind, .units = UNITS);
    tn_tensor *logit = tn_linear(tn_reshape(y, TN_SHAPE(STREAMS * PIECE, UNITS)), "bit", .units = 1);
    if (carry) tn_assign(h, now.h);
    if (carry && kind == TN_LSTM) tn_assign(c, now.c);
    tn_output(tn_count_correct(logit, t), "right");
    tn_minimize(tn_binary_cross_entropy(logit, t), "adam", (tn_optim_options){.lr = 0.01});
    return graph;
}

/* The share of right bits over the last 50 pieces. */
static double echo(example *e, int32_t kind, int carry)
{
    static float stream[STREAMS][DELAY + PIECE], x[STREAMS][PIECE], t[STREAMS][PIECE];
    float right;
    double all = 0;
    tn_state *state = NULL;
    TRY(tn_state_new(e->device, 1, &state));
    tn_program *program = example_compile(echo_graph(kind, carry), state);
    for (int piece = 0; piece < PIECES; piece++) {
        for (int s = 0; s < STREAMS; s++) {
            memmove(stream[s], stream[s] + PIECE, DELAY * sizeof(float));
            for (int i = 0; i < PIECE; i++) stream[s][DELAY + i] = chance() < 0.5;
            memcpy(x[s], stream[s] + DELAY, sizeof x[s]);
            memcpy(t[s], stream[s], sizeof t[s]);
        }
        TRY(tn_feed(program, "x", x, sizeof x));
        TRY(tn_feed(program, "t", t, sizeof t));
        TRY(tn_program_run(program));
        TRY(tn_fetch(program, "right", &right, sizeof right));
        if (piece >= PIECES - 50) all += right / (50.0 * STREAMS * PIECE);
    }
    tn_program_free(program);
    tn_state_free(state);
    return all;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    tn_dataset train = additions(e.small ? 2000 : 6000), test = additions(500);
    int right = 1;
    for (int32_t kind = TN_RNN; kind <= TN_GRU; kind++) {
        double error = add(&e, kind, &train, &test), kept = echo(&e, kind, 1), cut = echo(&e, kind, 0);
        printf("%-6s  sum: squared error %.5f of 0.167   echo: %5.1f %% right, %4.1f %% without the state\n",
               kinds[kind].name, error, 100 * kept, 100 * cut);
        right &= error < kinds[kind].most && kept > 0.98 && cut < 0.8;
    }
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    return example_end(&e, right,
                       "all three add numbers far better than by guessing, and echo 98 % of the bits across the cuts");
}
