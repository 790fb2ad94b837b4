/* S1: the perceptron, 1958: a weighted sum, a bias, and a step.
 *
 * Rosenblatt's rule moves the weights by the error times the input: w += (t - y) x. It learns NAND and OR, because a
 * line parts the ones from the zeros. There is no such line for XOR, and the rule goes round in circles; two layers,
 * trained by gradients, learn it, and XNOR as well. */
#include <math.h>

#include "common.h"

static const float inputs[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
static const float nand_gate[4] = {1, 1, 1, 0}, or_gate[4] = {0, 1, 1, 1};
static const float xor_gate[4] = {0, 1, 1, 0}, xnor_gate[4] = {1, 0, 0, 1};

static void show(const char *name, const float y[4], const char *how)
{
    printf("%-5s 00 -> %g, 01 -> %g, 10 -> %g, 11 -> %g   %s\n", name, y[0], y[1], y[2], y[3], how);
}

/* What is said of the points between and around the four, and what is wanted of these. */
static void note_square(const char *panel, const float target[4], int (*says)(const float *at, double a, double b),
                        const float *at)
{
    for (int i = 0; i < 31 * 31; i++) {
        const double a = (i % 31) / 20.0 - 0.25, b = (i / 31) / 20.0 - 0.25;
        if (says(at, a, b)) example_note(panel, "area", a, b);
    }
    for (int i = 0; i < 4; i++)
        example_note(panel, target[i] > 0 ? "1 wanted" : "0 wanted", inputs[i][0], inputs[i][1]);
}

/* Of weights and a bias; of two layers' weights and biases. */
static int says_one(const float *at, double a, double b)
{
    return at[0] * a + at[1] * b + at[2] >= 0;
}

static int says_two(const float *at, double a, double b)
{
    double sum = at[16];
    for (int k = 0; k < 4; k++) sum += at[12 + k] * tanh(at[2 * k] * a + at[2 * k + 1] * b + at[8 + k]);
    return sum >= 0;
}

/* One sample's output, and its own learning rule: no gradients yet. */
static tn_graph *perceptron(void)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(2)), *t = tn_input(graph, "t", TN_F32, TN_SCALAR);
    tn_tensor *w = tn_param(graph, "w", TN_SHAPE(2), (tn_init){TN_INIT_ZERO});
    tn_tensor *b = tn_param(graph, "b", TN_SCALAR, (tn_init){TN_INIT_ZERO});
    tn_tensor *y = tn_step(tn_add(tn_sum(tn_mul(w, x), TN_ALL, 0), b));
    tn_tensor *error = tn_sub(t, y);
    tn_assign(w, tn_add(w, tn_mul(error, x)));
    tn_assign(b, tn_add(b, error));
    tn_output(y, "y");
    return graph;
}

/* Goes through the four samples until none is wrong; returns the epoch, or 0 if `most` were not enough. */
static int learn_alone(example *e, const char *name, const float target[4], int most)
{
    tn_state *state = NULL;
    TRY(tn_state_new(e->device, 1, &state));
    tn_program *program = example_compile(perceptron(), state);
    float y[4], w[2], b;
    int epoch = 0, wrong = 1;
    char how[80];
    while (wrong && epoch++ < most) {
        wrong = 0;
        for (int i = 0; i < 4; i++) {
            TRY(tn_feed(program, "x", inputs[i], sizeof inputs[i]));
            TRY(tn_feed(program, "t", &target[i], sizeof target[i]));
            TRY(tn_program_run(program));
            TRY(tn_fetch(program, "y", &y[i], sizeof y[i]));
            wrong += y[i] != target[i];
        }
    }
    TRY(tn_state_read(state, "w", w, sizeof w));
    TRY(tn_state_read(state, "b", &b, sizeof b));
    snprintf(how, sizeof how, wrong ? "never right in %d epochs" : "after %d epochs: step(%g a + %g b + %g)",
             wrong ? most : epoch, w[0], w[1], b);
    show(name, y, how);
    note_square(name, target, says_one, (float[]){w[0], w[1], b});
    tn_program_free(program);
    tn_state_free(state);
    return wrong ? 0 : epoch;
}

/* Two layers, all four samples at once. */
static tn_graph *two_layers(void)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(4, 2)), *t = tn_input(graph, "t", TN_F32, TN_SHAPE(4, 1));
    tn_tensor *hidden = tn_tanh(tn_linear(x, "hidden", .units = 4));
    tn_tensor *logit = tn_linear(hidden, "output", .units = 1);
    tn_output(tn_step(logit), "y");
    tn_minimize(tn_binary_cross_entropy(logit, t), "sgd", (tn_optim_options){.lr = 1});
    return graph;
}

static int learn_together(example *e, const char *name, const float target[4])
{
    tn_state *state = NULL;
    TRY(tn_state_new(e->device, 3, &state));
    tn_program *program = example_compile(two_layers(), state);
    float y[4];
    TRY(tn_feed(program, "x", inputs, sizeof inputs));
    TRY(tn_feed(program, "t", target, 4 * sizeof *target));
    for (int step = 0; step < 1000; step++) TRY(tn_program_run(program));
    TRY(tn_fetch(program, "y", y, sizeof y));
    show(name, y, "two layers, 1000 steps");
    float at[17];
    char panel[24];
    TRY(tn_state_read(state, "hidden.weight", at, 8 * sizeof *at));
    TRY(tn_state_read(state, "hidden.bias", at + 8, 4 * sizeof *at));
    TRY(tn_state_read(state, "output.weight", at + 12, 4 * sizeof *at));
    TRY(tn_state_read(state, "output.bias", at + 16, sizeof *at));
    snprintf(panel, sizeof panel, "%s, two layers", name);
    note_square(panel, target, says_two, at);
    tn_program_free(program);
    tn_state_free(state);
    return !memcmp(y, target, sizeof y);
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    int learns = learn_alone(&e, "NAND", nand_gate, 100) && learn_alone(&e, "OR", or_gate, 100);
    int fails = !learn_alone(&e, "XOR", xor_gate, 1000);
    int together = learn_together(&e, "XOR", xor_gate) && learn_together(&e, "XNOR", xnor_gate);
    return example_end(&e, learns && fails && together,
                       "one perceptron learns NAND and OR but not XOR; two layers learn XOR and XNOR");
}
