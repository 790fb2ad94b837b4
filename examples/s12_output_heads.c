/* S12: five kinds of questions about the same pictures, each with the output layer and the loss that fit it.
 *
 *     yes or no            1 output,   sigmoid           binary cross-entropy
 *     which one            n outputs,  softmax           cross-entropy
 *     which ones           n outputs,  sigmoids          binary cross-entropy
 *     how much             1 output,   as it is          mean squared error
 *     how much of each     n outputs,  as they are       mean squared error
 *
 * The sigmoid or softmax is part of the loss. A loss that doesn't fit, or doesn't exist, is an error that says why. */
#include <math.h>

#include "common.h"

enum { TRAIN = 3000, TEST = 600 };

/* What is asked about a digit. A label is a class; targets are numbers. */
static int32_t is_large(int digit)
{
    return digit >= 5;
}

static int32_t itself(int digit)
{
    return digit;
}

static void properties(int digit, const uint8_t *picture, float *target)
{
    (void)picture;
    target[0] = digit % 2 == 0; /* even */
    target[1] = digit % 3 == 0; /* a multiple of three */
    target[2] = digit >= 5;     /* large */
}

/* How much light there is in rows from..to, in tenths of the brightest. */
static float light(const uint8_t *picture, int from, int to)
{
    double sum = 0;
    for (int i = from * 28; i < to * 28; i++) sum += picture[i];
    return (float)(10 * sum / 255 / ((to - from) * 28));
}

static void brightness(int digit, const uint8_t *picture, float *target)
{
    (void)digit;
    target[0] = light(picture, 0, 28);
}

static void halves(int digit, const uint8_t *picture, float *target)
{
    (void)digit;
    target[0] = light(picture, 0, 14);
    target[1] = light(picture, 14, 28);
}

static const struct {
    const char *question, *loss, *wrong_loss;
    int64_t outputs, classes;
    int32_t (*label)(int digit);
    void (*target)(int digit, const uint8_t *picture, float *target);
    double goal; /* accuracy, or the largest root of the mean squared error */
} heads[] = {
    {"5 or more?", "binary_cross_entropy", "cross_entropy", 1, 2, is_large, NULL, 0.9},
    {"which digit?", "cross_entropy", "binary_crossentropy", 10, 10, itself, NULL, 0.9},
    {"even, of three, large?", "binary_cross_entropy", "nll", 3, 0, NULL, properties, 0.8},
    {"how bright?", "mse", "cross_entropy", 1, 0, NULL, brightness, 0.05},
    {"how bright are the halves?", "mse", "nll", 2, 0, NULL, halves, 0.05},
};

static tn_tensor *network(tn_tensor *x, int training, const void *outputs)
{
    (void)training;
    x = tn_relu(tn_linear(tn_flatten(x), "fc1", .units = 64));
    return tn_linear(x, "fc2", .units = *(const int64_t *)outputs);
}

/* The same pictures with the answers to another question. */
static tn_dataset ask(const tn_dataset *digits, size_t head)
{
    tn_dataset data = *digits;
    data.label = NULL;
    data.classes = heads[head].classes;
    data.targets = heads[head].target ? heads[head].outputs : 0;
    if (heads[head].label) data.label = malloc((size_t)data.count * sizeof *data.label);
    if (heads[head].target) data.target = malloc((size_t)(data.count * data.targets) * sizeof *data.target);
    for (int64_t i = 0; i < data.count; i++) {
        const uint8_t *picture = (const uint8_t *)data.x + i * 784;
        if (data.label) data.label[i] = heads[head].label(digits->label[i]);
        if (data.target) heads[head].target(digits->label[i], picture, data.target + i * data.targets);
    }
    return data;
}

/* What is said of how much there is, beside what there is. */
static void note_numbers(tn_state *state, const tn_model *model, const tn_dataset *test)
{
    static float y[2 * TEST];
    TRY(tn_predict(state, model, test, y, (uint64_t)(TEST * test->targets) * sizeof *y));
    for (int64_t i = 0; i < 200; i++)
        example_note("how bright?", "said, by what it is", test->target[i * test->targets], y[i * test->targets]);
}

/* Whether the head learned its answer, and refused the loss that doesn't fit. */
static int try_head(tn_state *state, size_t head, const tn_dataset *train, const tn_dataset *test)
{
    tn_model model = {.build = network, .loss = heads[head].loss, .arg = &heads[head].outputs}, wrong = model;
    tn_fit_options how = {.epochs = 12, .batch = 32, .optimizer = "adam", .optim = {.lr = 0.002}};
    tn_score score;
    tn_epoch none;
    wrong.loss = heads[head].wrong_loss;
    tn_status refused = tn_fit(state, &wrong, train, &how, &none);
    printf("%-26s not by %s: %s\n", heads[head].question, wrong.loss, refused ? tn_message() : "IT TRAINED");
    TRY(tn_fit(state, &model, train, &how, NULL));
    TRY(tn_evaluate(state, &model, test, &score));
    int counts = !isnan(score.accuracy);
    if (head == 3) note_numbers(state, &model, test);
    double figure = counts ? score.accuracy : sqrt(score.loss);
    printf("%-26s %s: loss %.4f, %s %.3f\n", "", heads[head].loss, score.loss,
           counts ? "share of right answers" : "root mean squared error", figure);
    return refused && (counts ? figure >= heads[head].goal : figure <= heads[head].goal);
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    tn_dataset train = {0}, test = {0};
    int right = 1;
    TRY(tn_dataset_digits(TRAIN, 1, &train));
    TRY(tn_dataset_digits(TEST, 2, &test));
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        tn_dataset asked = ask(&train, i), checked = ask(&test, i);
        tn_state *state = NULL;
        TRY(tn_state_new(e.device, 1, &state));
        right &= try_head(state, i, &asked, &checked);
        tn_state_free(state);
        free(asked.label), free(asked.target), free(checked.label), free(checked.target);
    }
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    return example_end(&e, right, "each head learns its answers and refuses a loss that does not fit it");
}
