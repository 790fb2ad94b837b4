/* S8: handwritten digits by a multi-layer perceptron, in two ways.
 *
 * First as it is done today: softmax with cross-entropy, and Adam, whose learning rate falls to nothing. Then the
 * classic way: sigmoid outputs, the quadratic cost, and plain mini-batch gradient descent. */
#include "common.h"

/* 784-100-40-10 */
static tn_tensor *modern(tn_tensor *x, int training, const void *arg)
{
    (void)training, (void)arg;
    x = tn_sigmoid(tn_linear(tn_flatten(x), "fc1", .units = 100));
    x = tn_sigmoid(tn_linear(x, "fc2", .units = 40));
    return tn_linear(x, "fc3", .units = 10); /* the loss does the softmax */
}

/* 784-100-10, sigmoid outputs: each should be 1 for its digit and 0 for the others. */
static tn_tensor *classic(tn_tensor *x, int training, const void *arg)
{
    (void)training, (void)arg;
    x = tn_sigmoid(tn_linear(tn_flatten(x), "fc1", .units = 100));
    return tn_sigmoid(tn_linear(x, "fc2", .units = 10));
}

static const struct {
    const char *title;
    tn_model model;
    tn_fit_options how;
    int64_t small_epochs;
    double goal, small_goal; /* share of the test images that are read right */
} ways[] = {
    {"784-100-40-10, softmax with cross-entropy, Adam",
     {.build = modern, .loss = "cross_entropy"},
     {.epochs = 12, .batch = 64, .optimizer = "adam", .optim = {.lr = 0.003}, .schedule = "cosine 11256"},
     12,
     0.975,
     0.92},
    {"784-100-10, quadratic cost, plain gradient descent",
     {.build = classic, .loss = "half_mse"},
     {.epochs = 30, .batch = 10, .optimizer = "sgd", .optim = {.lr = 3}},
     8,
     0.965,
     0.92},
};

/* Trains from fresh weights; the share of the test images that are read right. */
static double train(example *e, const tn_dataset *data, const tn_dataset *test, size_t way)
{
    tn_fit_options how = ways[way].how;
    tn_epoch last;
    tn_state *state = NULL;
    how.test = test;
    how.each = example_epoch;
    how.arg = &(example_curve){"right of the test set, %", ways[way].model.loss};
    if (e->small) how.epochs = ways[way].small_epochs;
    printf("%s:\n", ways[way].title);
    TRY(tn_state_new(e->device, 1, &state));
    TRY(tn_fit(state, &ways[way].model, data, &how, &last));
    tn_state_free(state);
    return last.test.accuracy;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    tn_dataset data = {0}, test = {0};
    char claim[120];
    double share[2];
    int right = 1;
    example_digits(&e, "digits:4000", &data, &test);
    for (size_t i = 0; i < 2; i++) {
        share[i] = train(&e, &data, &test, i);
        right &= share[i] >= (e.small ? ways[i].small_goal : ways[i].goal);
    }
    snprintf(claim, sizeof claim, "test accuracy %.2f %% by cross-entropy (%g) and %.2f %% by the quadratic cost (%g)",
             100 * share[0], 100 * (e.small ? ways[0].small_goal : ways[0].goal), 100 * share[1],
             100 * (e.small ? ways[1].small_goal : ways[1].goal));
    tn_dataset_free(&data);
    tn_dataset_free(&test);
    return example_end(&e, right, claim);
}
