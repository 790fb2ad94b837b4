/* S3: losses: one number for how wrong an output is.
 *
 * Each is computed on the same two samples, and compared with what NumPy makes of its definition; its gradient is
 * compared with differences. Then the hard cases: logits far beyond what exp() can take, and a target by which a loss
 * would divide by zero, which is reported before anything is computed. */
#include <math.h>

#include "common.h"

static const float outputs[6] = {0.5f, 1.5f, 2, 3, 0.25f, 1}; /* (2, 3) */
static const float numbers[6] = {1, 1, 2.5f, 2, 0.5f, 4};
static const float probabilities[6] = {0.2f, 0.3f, 0.5f, 0.6f, 0.3f, 0.1f};
static const int32_t labels[2] = {1, 0};

/* What a loss takes besides the outputs, and whether these are to be made logarithms of probabilities first. */
enum { NUMBERS, PROBABILITIES, LABELS };
static const struct {
    const char *name, *shown;
    int target, logs;
    double value;
} losses[] = {
    {"mse", "mean squared error", NUMBERS, 0, 1.80208333},
    {"half_mse", "half squared error", NUMBERS, 0, 2.703125},
    {"l2", "L2, sum of squares", NUMBERS, 0, 10.8125},
    {"msle", "squared logarithmic error", NUMBERS, 0, 0.18531788},
    {"mae", "mean absolute error", NUMBERS, 0, 0.958333333},
    {"l1", "L1, sum of absolutes", NUMBERS, 0, 5.75},
    {"mape", "absolute percentage error", NUMBERS, 0, 49.1666667},
    {"log_cosh", "log-cosh", NUMBERS, 0, 0.52239711},
    {"cosine_similarity", "1 - cosine similarity", NUMBERS, 0, 0.167398198},
    {"binary_cross_entropy", "binary cross-entropy", PROBABILITIES, 0, 1.07753446},
    {"kl_divergence", "Kullback-Leibler divergence", PROBABILITIES, 1, 0.166619594},
    {"cross_entropy", "categorical cross-entropy", LABELS, 0, 0.642918964},
    {"nll", "negative log-likelihood", LABELS, 1, 0.642918964},
};

static const void *const targets[] = {numbers, probabilities, labels};

/* A loss of outputs that are a parameter, so that there is a gradient to check. */
static tn_tensor *build(tn_graph *graph, size_t i)
{
    tn_tensor *output = tn_param(graph, "output", TN_SHAPE(2, 3), (tn_init){TN_INIT_ZERO});
    tn_tensor *target = losses[i].target == LABELS ? tn_input(graph, "target", TN_I32, TN_SHAPE(2))
                                                   : tn_input(graph, "target", TN_F32, TN_SHAPE(2, 3));
    return tn_loss(losses[i].name, losses[i].logs ? tn_log_softmax(output, -1) : output, target);
}

static double value_of(tn_state *state, size_t i, const float output[6])
{
    float value;
    tn_graph *graph = tn_graph_new();
    tn_output(build(graph, i), "loss");
    TRY(tn_state_put(state, "output", TN_F32, TN_SHAPE(2, 3), TN_TRAINABLE, output));
    tn_program *program = example_compile(graph, state);
    TRY(tn_feed(program, "target", targets[losses[i].target], losses[i].target == LABELS ? 8 : 24));
    TRY(tn_program_run(program));
    TRY(tn_fetch(program, "loss", &value, sizeof value));
    tn_program_free(program);
    return value;
}

static double gradient_error(tn_state *state, size_t i)
{
    tn_gradient_error result;
    tn_graph *graph = tn_graph_new();
    tn_value_of target = {"target", targets[losses[i].target]};
    TRY(tn_state_put(state, "output", TN_F32, TN_SHAPE(2, 3), TN_TRAINABLE, outputs));
    TRY(tn_check_gradients(build(graph, i), &target, 1, &(tn_gradient_options){.state = state}, &result, 1, NULL));
    tn_graph_free(graph);
    return result.compared == 6 ? result.error : NAN;
}

/* Outputs ten thousand times as large: every loss must stay a number. */
static int stays_finite(tn_state *state, size_t i)
{
    float extreme[6];
    for (int k = 0; k < 6; k++) extreme[k] = (k % 2 && losses[i].target != NUMBERS ? -1e4f : 1e4f) * outputs[k];
    double value = value_of(state, i, extreme);
    if (!isfinite(value)) printf("  %s of extreme outputs is %g\n", losses[i].name, value);
    return isfinite(value);
}

/* How the loss changes as all outputs grow, from their opposite to three times as large. */
static void draw(tn_state *state, size_t i)
{
    float grown[6];
    for (int at = -10; example_table && at <= 30; at += 2) {
        for (int k = 0; k < 6; k++) grown[k] = (float)at / 10 * outputs[k];
        example_note(losses[i].shown, "loss", (double)at / 10, value_of(state, i, grown));
    }
}

/* RMSE is for people to read: the square root of MSE. */
static int check_rmse(tn_state *state)
{
    float value;
    tn_graph *graph = tn_graph_new();
    tn_tensor *output = tn_input(graph, "output", TN_F32, TN_SHAPE(2, 3));
    tn_output(tn_root_mean_squared_error(output, tn_input(graph, "target", TN_F32, TN_SHAPE(2, 3))), "rmse");
    tn_program *program = example_compile(graph, state);
    TRY(tn_feed(program, "output", outputs, sizeof outputs));
    TRY(tn_feed(program, "target", numbers, sizeof numbers));
    TRY(tn_program_run(program));
    TRY(tn_fetch(program, "rmse", &value, sizeof value));
    tn_program_free(program);
    printf("%-28s %10.6f   as a metric\n", "root mean squared error", value);
    return fabs(value - 1.34241697) < 2e-6;
}

static int zero_target_is_reported(void)
{
    static const float with_zero[3] = {1, 0, 2};
    tn_status status = tn_loss_check_targets("mape", TN_F32, with_zero, 3, 0);
    printf("a target of 0: %s\n", status ? tn_message() : "not reported");
    return status != TN_OK;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    tn_state *state = NULL;
    int right = 1;
    TRY(tn_state_new(e.device, 1, &state));
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        double value = value_of(state, i, outputs), error = gradient_error(state, i);
        printf("%-28s %10.6f   gradient off by %.0e\n", losses[i].shown, value, error);
        right &= fabs(value - losses[i].value) < 2e-6 * fmax(1, losses[i].value) && error < 1e-7;
        right &= stays_finite(state, i);
        draw(state, i);
    }
    right &= check_rmse(state);
    right &= zero_target_is_reported();
    tn_state_free(state);
    return example_end(&e, right, "13 losses are right to 2e-6 and their gradients to 1e-7; none overflows");
}
