/* S7: a computation graph, and the chain rule.
 *
 * A graph is built from operators; tn_grad walks it backwards and multiplies derivatives. First by hand-sized numbers,
 * J = 3 (a + b c), then on a chain of three neurons; and last by the check that works on any graph: move each parameter
 * a little, and see how the loss moves. */
#include <math.h>

#include "common.h"

static tn_tensor *parameter(tn_graph *graph, const char *name, double value)
{
    return tn_param(graph, name, TN_SCALAR, (tn_init){.kind = TN_INIT_CONSTANT, .a = value});
}

/* J and its derivatives by a, b and c, into j[4]. */
static void differentiate(example *e, float j[4])
{
    static const char *const names[] = {"J", "dJ/da", "dJ/db", "dJ/dc"};
    tn_state *state = NULL;
    tn_graph *graph = tn_graph_new();
    tn_tensor *a = parameter(graph, "a", 5), *b = parameter(graph, "b", 3), *c = parameter(graph, "c", 2);
    tn_tensor *sum = tn_add(a, tn_mul(b, c)), *all[4] = {tn_mul(tn_number(sum, 3), sum)};
    tn_grad(all[0], (tn_tensor *[]){a, b, c}, 3, &all[1]);
    for (int i = 0; i < 4; i++) tn_output(all[i], names[i]);

    TRY(tn_state_new(e->device, 1, &state));
    tn_program *program = example_compile(graph, state);
    TRY(tn_program_run(program));
    for (int i = 0; i < 4; i++) {
        TRY(tn_fetch(program, names[i], &j[i], sizeof j[i]));
        printf("  %-5s = %g\n", names[i], j[i]);
    }
    tn_program_free(program);
    tn_state_free(state);
}

/* (w x + b) / k */
static tn_tensor *neuron(tn_tensor *x, const char *w_name, double w, const char *b_name, double b, double k)
{
    tn_graph *graph = tn_graph_of(x);
    tn_tensor *y = tn_add(tn_mul(parameter(graph, w_name, w), x), parameter(graph, b_name, b));
    return tn_div(y, tn_number(y, k));
}

/* Checks every parameter of a loss; the largest error of all. */
static double check(tn_tensor *loss, const tn_value_of *in, size_t n_in)
{
    tn_gradient_error result[16];
    size_t count;
    double worst = 0;
    TRY(tn_check_gradients(loss, in, n_in, NULL, result, 16, &count));
    for (size_t i = 0; i < count; i++) {
        printf("  %-12s %3lld elements, worst: by the chain rule %12.9f, by differences %12.9f\n", result[i].name,
               (long long)result[i].compared, result[i].gradient, result[i].difference);
        example_note("derivatives, twice", result[i].name, result[i].gradient, result[i].difference);
        worst = fmax(worst, result[i].error);
        if (!result[i].compared || isnan(result[i].error)) worst = 1;
    }
    tn_graph_free(tn_graph_of(loss));
    return worst;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    float j[4];
    printf("J = 3 (a + b c) at a = 5, b = 3, c = 2:\n");
    differentiate(&e, j);

    printf("h1 = (w1 x + b1) / 8, h2 = (w2 h1 + b2) / 7, o = (w3 h2 + b3) / 9 at x = 2.5:\n");
    tn_graph *graph = tn_graph_new();
    tn_tensor *h1 = neuron(tn_full(graph, TN_F32, TN_SCALAR, 2.5), "w1", 0.7, "b1", -1.1, 8);
    tn_tensor *h2 = neuron(h1, "w2", 1.9, "b2", 0.4, 7);
    double chain = check(neuron(h2, "w3", -0.6, "b3", 0.2, 9), NULL, 0);

    printf("a network with softmax cross-entropy:\n");
    const float x[3][4] = {{0.1f, -0.4f, 0.8f, 1.2f}, {1, 0.3f, -0.5f, 0}, {-1.5f, 0.2f, 0.9f, 0.6f}};
    const int32_t label[3] = {2, 0, 1};
    graph = tn_graph_new();
    tn_tensor *hidden = tn_tanh(tn_linear(tn_input(graph, "x", TN_F32, TN_SHAPE(3, 4)), "fc1", .units = 5));
    tn_tensor *logits = tn_linear(hidden, "fc2", .units = 3);
    tn_tensor *loss = tn_cross_entropy(logits, tn_input(graph, "label", TN_I32, TN_SHAPE(3)));
    double network = check(loss, (tn_value_of[]){{"x", x}, {"label", label}}, 2);

    int right = j[0] == 33 && j[1] == 3 && j[2] == 6 && j[3] == 9;
    return example_end(&e, right && chain < 1e-8 && network < 1e-8,
                       "J = 33 with derivatives 3, 6 and 9; gradients agree with differences to 1e-8");
}
