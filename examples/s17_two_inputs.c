/* S17: a network of two inputs, a picture of a digit and a number: is the digit at least as large as the number?
 *
 *     picture (784) ── 64 relu ──┐
 *                                ├── side by side ── 32 relu ── 1
 *     number (1) ────── 8 relu ──┘
 *
 * Each input is a data set; tn_dataset_beside puts them side by side for tn_fit, and the network takes them apart by
 * tn_apart. Trained three times, once with
 * each input alone: neither is enough. */
#include "common.h"

enum { TRAIN = 8000, TEST = 1000 };

static const tn_shape shapes[2] = {{1, {784}}, {1, {1}}}; /* as the network takes them */

/* What the network may see. */
typedef struct sight {
    const char *what;
    int picture, number;
} sight;

static tn_tensor *network(tn_tensor *x, int training, const void *arg)
{
    const sight *sees = arg;
    (void)training;
    tn_tensor *input[2];
    tn_apart(x, shapes, 2, input);
    tn_tensor *picture = input[0], *number = input[1];
    if (!sees->picture) picture = tn_mul(picture, tn_number(picture, 0));
    if (!sees->number) number = tn_mul(number, tn_number(number, 0));
    picture = tn_relu(tn_linear(picture, "picture", .units = 64));
    number = tn_relu(tn_linear(number, "number", .units = 8));
    tn_tensor *both = tn_concat((tn_tensor *[]){picture, number}, 2, 1);
    return tn_linear(tn_relu(tn_linear(both, "both", .units = 32)), "answer", .units = 1);
}

/* Digits, each with a number from 1 to 9, and whether it is at least that. */
static tn_dataset questions(int64_t count, uint64_t seed)
{
    tn_dataset pictures = {0}, data = {0};
    float *number = malloc((size_t)count * sizeof *number);
    const tn_dataset numbers = {.count = count, .sample = shapes[1], .x_dtype = TN_F32, .x = number};
    TRY(tn_dataset_digits(count, seed, &pictures));
    pictures.classes = 2;
    for (int64_t i = 0; i < count; i++) {
        const int drawn = 1 + (int)(9 * chance());
        number[i] = (float)drawn / 9;
        pictures.label[i] = pictures.label[i] >= drawn;
    }
    TRY(tn_dataset_beside((const tn_dataset *[]){&pictures, &numbers}, 2, &data));
    tn_dataset_free(&pictures);
    free(number);
    return data;
}

static double accuracy(tn_device *device, const sight *sees, const tn_dataset *train, const tn_dataset *test)
{
    const tn_model model = {.build = network, .loss = "binary_cross_entropy", .arg = sees};
    example_curve curve = {"loss in training", sees->what};
    const tn_fit_options how = {
        .epochs = 15, .batch = 32, .optimizer = "adam", .optim = {.lr = 0.002}, .each = example_follow, .arg = &curve};
    tn_state *state = NULL;
    tn_score score;
    TRY(tn_state_new(device, 1, &state));
    TRY(tn_fit(state, &model, train, &how, NULL));
    TRY(tn_evaluate(state, &model, test, &score));
    printf("%-16s %5.1f %% right\n", sees->what, 100 * score.accuracy);
    tn_state_free(state);
    return score.accuracy;
}

int main(int argc, char **argv)
{
    static const sight picture = {"the picture", 1, 0}, number = {"the number", 0, 1}, both = {"both", 1, 1};
    example e = example_begin(argc, argv);
    tn_dataset train = questions(TRAIN, 1), test = questions(TEST, 2);
    const double one = accuracy(e.device, &picture, &train, &test), other = accuracy(e.device, &number, &train, &test);
    const double all = accuracy(e.device, &both, &train, &test);
    char claim[120];
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    snprintf(claim, sizeof claim, "with both inputs %.1f %% are right (at least 85), with one at most %.1f %%",
             100 * all, 100 * (one > other ? one : other));
    return example_end(&e, all > 0.85 && one < 0.8 && other < 0.8, claim);
}
