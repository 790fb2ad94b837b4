/* S19: a training loop of one's own: two programs share a state, one that trains and one that measures.
 *
 * The update is made by hand: gradients by tn_grad, and p <- p - lr (g / |g| + 0.001 p) for each parameter, whatever
 * the gradient's size (normalised gradient descent). The loop draws its batches itself, halves the rate when a round
 * brings nothing, and ends when the loss is small, or the rate is spent. */
#include "common.h"

enum { TRAIN = 3000, TEST = 600, BATCH = 50, PARAMETERS = 8 };

static tn_tensor *network(tn_graph *graph, int64_t batch)
{
    tn_tensor *x = tn_input(graph, "x", TN_U8, TN_SHAPE(batch, 784));
    x = tn_cast(x, TN_F32);
    x = tn_mul(x, tn_number(x, 1.0 / 255));
    return tn_linear(tn_relu(tn_linear(x, "fc1", .units = 64)), "fc2", .units = 10);
}

/* The parameter moves by its gradient's direction. */
static void move(tn_tensor *p, tn_tensor *g, tn_tensor *lr)
{
    tn_tensor *length = tn_sqrt(tn_add(tn_sum(tn_square(g), TN_ALL, 0), tn_number(g, 1e-12)));
    tn_tensor *decay = tn_mul(p, tn_number(p, 0.001));
    tn_assign(p, tn_sub(p, tn_mul(lr, tn_add(tn_div(g, length), decay))));
}

static tn_program *training(tn_state *state)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *param[PARAMETERS], *grad[PARAMETERS];
    tn_tensor *label = tn_input(graph, "label", TN_I32, TN_SHAPE(BATCH));
    tn_tensor *lr = tn_scalar_input(graph, "rate", TN_F32, 0);
    tn_tensor *loss = tn_cross_entropy(network(graph, BATCH), label);
    const size_t count = tn_variables(graph, TN_TRAINABLE, param, PARAMETERS);
    tn_grad(loss, param, count, grad);
    for (size_t i = 0; i < count; i++) move(param[i], grad[i], lr);
    tn_output(loss, "loss");
    return example_compile(graph, state);
}

static tn_program *measuring(tn_state *state)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *label = tn_input(graph, "label", TN_I32, TN_SHAPE(TEST));
    tn_output(tn_count_correct(network(graph, TEST), label), "right");
    return example_compile(graph, state);
}

static double accuracy(tn_program *program)
{
    float right;
    TRY(tn_program_run(program));
    TRY(tn_fetch(program, "right", &right, sizeof right));
    return right / TEST;
}

/* Once through the data, in an order of its own. Returns the mean loss. */
static double go_through(tn_program *program, const tn_dataset *data, uint64_t round)
{
    static int32_t order[TRAIN], label[BATCH];
    static uint8_t x[BATCH * 784];
    double sum = 0;
    tn_shuffle(order, TRAIN, 1, round);
    for (int start = 0; start < TRAIN; start += BATCH) {
        float loss;
        for (int i = 0; i < BATCH; i++) {
            TRY(tn_dataset_sample(data, order[start + i], x + 784 * i, &label[i]));
        }
        TRY(tn_feed(program, "x", x, sizeof x));
        TRY(tn_feed(program, "label", label, sizeof label));
        TRY(tn_program_run(program));
        TRY(tn_fetch(program, "loss", &loss, sizeof loss));
        sum += loss;
    }
    return sum / (TRAIN / BATCH);
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    tn_dataset train = {0}, test = {0};
    tn_state *state = NULL;
    double rate = 0.1, loss = 1e9, lowest = 1e9, right = 0;
    int halved = 0;
    char claim[120];
    TRY(tn_dataset_digits(TRAIN, 1, &train));
    TRY(tn_dataset_digits(TEST, 2, &test));
    TRY(tn_state_new(e.device, 1, &state));
    tn_program *learn = training(state), *measure = measuring(state);
    TRY(tn_feed(measure, "x", test.x, TEST * 784));
    TRY(tn_feed(measure, "label", test.label, TEST * sizeof *test.label));
    for (uint64_t round = 1; rate > 1e-3 && loss > 0.02; round++) {
        TRY(tn_set(learn, "rate", rate));
        loss = go_through(learn, &train, round);
        right = accuracy(measure);
        printf("round %2d  rate %.4f  loss %.4f  right %5.2f %%\n", (int)round, rate, loss, 100 * right);
        example_note("loss", "training", (double)round, loss);
        example_note("right of the test set, %", "test", (double)round, 100 * right);
        if (loss > 0.9 * lowest) rate /= 2, halved++;
        if (loss < lowest) lowest = loss;
    }
    tn_program_free(learn);
    tn_program_free(measure);
    tn_state_free(state);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    snprintf(claim, sizeof claim,
             "a rule and a loop of one's own: %.1f %% right (at least 90), the rate halved %d times", 100 * right,
             halved);
    return example_end(&e, right > 0.9, claim);
}
