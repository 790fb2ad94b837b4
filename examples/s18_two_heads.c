/* S18: a network of two heads, which says at once what a digit is and how bright the picture is.
 *
 *     picture ── 64 relu ──┬── 10   which digit     cross-entropy
 *                          └── 1    how bright      squared error
 *
 * For tn_fit the heads lie side by side in the output, as their targets do in the data, which tn_dataset_beside makes
 * of one data set for each. The model has a cost of its own: the sum of two losses, each of its part. */
#include <math.h>

#include "common.h"

enum { TRAIN = 8000, TEST = 1000, CLASSES = 10, OUTPUTS = CLASSES + 1 };

static tn_tensor *network(tn_tensor *x, int training, const void *arg)
{
    (void)training, (void)arg;
    x = tn_relu(tn_linear(tn_flatten(x), "trunk", .units = 64));
    tn_tensor *digit = tn_linear(x, "digit", .units = CLASSES), *light = tn_linear(x, "light", .units = 1);
    return tn_concat((tn_tensor *[]){digit, light}, 2, 1);
}

/* Targets are numbers: the digit and the light. */
static tn_tensor *cost(tn_tensor *y, tn_tensor *target, int training, const void *arg)
{
    (void)training, (void)arg;
    tn_tensor *said[2], *wanted[2];
    tn_apart(y, (const tn_shape[]){TN_SHAPE(CLASSES), TN_SHAPE(1)}, 2, said);
    tn_apart(target, (const tn_shape[]){TN_SCALAR, TN_SHAPE(1)}, 2, wanted);
    tn_tensor *which = tn_cross_entropy(said[0], tn_cast(wanted[0], TN_I32));
    tn_tensor *light = tn_mean_squared_error(said[1], wanted[1]);
    return tn_add(which, tn_mul(light, tn_number(light, 10)));
}

/* How much light there is, in tenths of the brightest. */
static float light_of(const uint8_t *picture)
{
    double sum = 0;
    for (int k = 0; k < 784; k++) sum += picture[k];
    return (float)(10 * sum / 255 / 784);
}

static tn_dataset questions(int64_t count, uint64_t seed)
{
    tn_dataset digits = {0}, data = {0};
    float *light = malloc((size_t)count * sizeof *light);
    const tn_dataset lights = {.count = count, .target = light, .targets = 1};
    TRY(tn_dataset_digits(count, seed, &digits));
    for (int64_t i = 0; i < count; i++) light[i] = light_of((const uint8_t *)digits.x + 784 * i);
    TRY(tn_dataset_beside((const tn_dataset *[]){&digits, &lights}, 2, &data));
    tn_dataset_free(&digits);
    free(light);
    return data;
}

/* The share of digits that are right, and the root of the mean squared error of the light. */
static void judge(const float *y, const tn_dataset *data, double *right, double *error)
{
    *right = *error = 0;
    for (int64_t i = 0; i < data->count; i++) {
        const float *out = y + OUTPUTS * i, *target = data->target + 2 * i;
        int best = 0;
        for (int k = 1; k < CLASSES; k++)
            if (out[k] > out[best]) best = k;
        *right += best == (int)target[0];
        if (i < 300)
            example_note("light, said by what it is", best == (int)target[0] ? "digit right" : "digit wrong", target[1],
                         out[CLASSES]);
        *error += (out[CLASSES] - target[1]) * (out[CLASSES] - target[1]);
    }
    *right /= (double)data->count;
    *error = sqrt(*error / (double)data->count);
}

int main(int argc, char **argv)
{
    const tn_model model = {.build = network, .cost = cost};
    const tn_fit_options how = {.epochs = 12, .batch = 32, .optimizer = "adam", .optim = {.lr = 0.002}};
    static float y[TEST * OUTPUTS];
    example e = example_begin(argc, argv);
    tn_dataset train = questions(TRAIN, 1), test = questions(TEST, 2);
    tn_state *state = NULL;
    tn_epoch last;
    double right, error;
    char claim[120];
    TRY(tn_state_new(e.device, 1, &state));
    TRY(tn_fit(state, &model, &train, &how, &last));
    TRY(tn_predict(state, &model, &test, y, sizeof y));
    printf("the sum of both losses: %.4f\n", last.train.loss);
    judge(y, &test, &right, &error);
    tn_state_free(state);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    snprintf(claim, sizeof claim, "one network says %.1f %% of the digits and the light to %.3f", 100 * right, error);
    return example_end(&e, right > 0.9 && error < 0.05, claim);
}
