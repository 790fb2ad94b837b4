/* S2: activations: what a neuron does with its weighted sum.
 *
 * Each is computed with its derivative at a few points, far out and at NaN too: a saturated neuron has no gradient, and
 * a NaN is not swallowed. The expected numbers were computed independently, with NumPy in double precision. */
#include <math.h>

#include "common.h"

enum { POINTS = 7 };

static const float points[POINTS] = {-1000, -1, 0, 0.5f, 2, 1000, NAN};

static tn_tensor *linear(tn_tensor *x)
{
    return tn_mul(x, tn_number(x, 1));
}

/* L / (1 + exp(-k (x - x0))) */
static tn_tensor *logistic(tn_tensor *x)
{
    return tn_logistic(x, 2, 3, 0.5);
}

static tn_tensor *leaky(tn_tensor *x)
{
    return tn_leaky_relu(x, tn_number(x, 0.1));
}

static const struct {
    const char *name;
    tn_tensor *(*f)(tn_tensor *x);
    float value[POINTS], slope[POINTS];
} activations[] = {
    {"step", tn_step, {0, 0, 1, 1, 1, 1, NAN}, {0, 0, 0, 0, 0, 0, 0}},
    {"linear", linear, {-1000, -1, 0, 0.5f, 2, 1000, NAN}, {1, 1, 1, 1, 1, 1, 1}},
    {"sigmoid",
     tn_sigmoid,
     {0, 0.268941421f, 0.5f, 0.622459331f, 0.880797078f, 1, NAN},
     {0, 0.196611933f, 0.25f, 0.235003712f, 0.104993585f, 0, NAN}},
    {"logistic",
     logistic,
     {0, 0.0219738853f, 0.364851048f, 1, 1.97802611f, 2, NAN},
     {0, 0.0651973783f, 0.894878712f, 1.5f, 0.0651973783f, 0, NAN}},
    {"tanh",
     tn_tanh,
     {-1, -0.761594156f, 0, 0.462117157f, 0.96402758f, 1, NAN},
     {0, 0.419974342f, 1, 0.786447733f, 0.0706508249f, 0, NAN}},
    {"relu", tn_relu, {0, 0, 0, 0.5f, 2, 1000, NAN}, {0, 0, 0, 1, 1, 1, 0}},
    {"leaky relu", leaky, {-100, -0.1f, 0, 0.5f, 2, 1000, NAN}, {0.1f, 0.1f, 1, 1, 1, 1, 1}},
};
enum { COUNT = sizeof activations / sizeof activations[0] };

/* Prints what came out, and returns how many numbers are wrong. */
static int compare(const char *name, const char *of, const float *got, const float *want, int n)
{
    int wrong = 0;
    printf("%-10s %-10s", name, of);
    for (int i = 0; i < n; i++) {
        int right = isnan(want[i]) ? isnan(got[i]) : fabsf(got[i] - want[i]) <= 2e-6f * fmaxf(1, fabsf(want[i]));
        printf(" %10.6g%s", got[i], right ? "" : "!");
        wrong += !right;
    }
    printf("\n");
    return wrong;
}

/* All of them in one program, as outputs "0", "0'", "1", ... */
static tn_program *run_all(tn_state *state, const float *at, int64_t count)
{
    char name[16];
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(count)), *slope;
    for (int i = 0; i < COUNT; i++) {
        tn_tensor *y = activations[i].f(x);
        tn_grad(tn_sum(y, TN_ALL, 0), &x, 1, &slope);
        snprintf(name, sizeof name, "%d", i);
        tn_output(y, name);
        snprintf(name, sizeof name, "%d'", i);
        tn_output(slope, name);
    }
    tn_program *program = example_compile(graph, state);
    TRY(tn_feed(program, "x", at, (uint64_t)count * sizeof *at));
    TRY(tn_program_run(program));
    return program;
}

/* For the picture. */
static void draw_curves(tn_state *state)
{
    float x[97], y[97];
    char name[16];
    for (int k = 0; k < 97; k++) x[k] = (float)(k - 48) / 12;
    tn_program *program = run_all(state, x, 97);
    for (int i = 0; i < 2 * COUNT; i++) {
        snprintf(name, sizeof name, "%d%s", i / 2, i % 2 ? "'" : "");
        TRY(tn_fetch(program, name, y, sizeof y));
        for (int k = 0; k < 97; k++) example_note(activations[i / 2].name, i % 2 ? "derivative" : "value", x[k], y[k]);
    }
    tn_program_free(program);
}

static int check_elementwise(tn_state *state)
{
    char name[16];
    int wrong = 0;
    tn_program *program = run_all(state, points, POINTS);
    float value[POINTS], derivative[POINTS];
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "%d", i);
        TRY(tn_fetch(program, name, value, sizeof value));
        snprintf(name, sizeof name, "%d'", i);
        TRY(tn_fetch(program, name, derivative, sizeof derivative));
        wrong += compare(activations[i].name, "value", value, activations[i].value, POINTS);
        wrong += compare("", "derivative", derivative, activations[i].slope, POINTS);
    }
    tn_program_free(program);
    return wrong;
}

/* Softmax takes a whole row: probabilities that add up to 1, and are the same when all inputs grow by one amount. */
static int check_softmax(tn_state *state)
{
    static const float rows[4][3] = {{1, 2, 3}, {1001, 1002, 1003}, {-1000, 0, 1000}, {0, NAN, 0}};
    static const float want[4][3] = {
        {0.09003057f, 0.24472847f, 0.66524096f}, {0.09003057f, 0.24472847f, 0.66524096f}, {0, 0, 1}, {NAN, NAN, NAN}};
    static const float slopes[3] = {0.08192507f, -0.02203304f, -0.05989202f}; /* of the first output of row 0 */
    float got[4][3], slope[4][3];
    int wrong = 0;
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(4, 3)), *y = tn_softmax(x, -1), *d;
    tn_tensor *first = tn_slice(tn_slice(y, 0, 0, 1, 1), 1, 0, 1, 1);
    tn_grad(tn_sum(first, TN_ALL, 0), &x, 1, &d);
    tn_output(y, "y");
    tn_output(d, "d");
    tn_program *program = example_compile(graph, state);
    TRY(tn_feed(program, "x", rows, sizeof rows));
    TRY(tn_program_run(program));
    TRY(tn_fetch(program, "y", got, sizeof got));
    TRY(tn_fetch(program, "d", slope, sizeof slope));
    for (int i = 0; i < 4; i++) wrong += compare(i ? "" : "softmax", "value", got[i], want[i], 3);
    wrong += compare("", "derivative", slope[0], slopes, 3);
    tn_program_free(program);
    return wrong;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    tn_state *state = NULL;
    TRY(tn_state_new(e.device, 1, &state));
    int wrong = compare("", "x", points, points, POINTS);
    wrong += check_elementwise(state);
    wrong += check_softmax(state);
    draw_curves(state);
    tn_state_free(state);
    return example_end(&e, wrong == 0,
                       "eight activations and their derivatives are right to 2e-6, saturated and NaN too");
}
