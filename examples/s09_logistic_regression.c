/* S9: logistic regression: one sigmoid unit with binary cross-entropy, from zero weights.
 *
 * The loss has a single lowest point, so zeros are as good a start as any: the first guess is 1/2 for everything and
 * its loss log 2. First cat or no cat, on colour pictures of 64 x 64 that the program draws; then a table, whose answer
 * is checked by what must hold at the lowest point: the errors have no mean, and no correlation with an input. */
#include <math.h>

#include "common.h"

enum { SIZE = 64, PIXELS = 3 * SIZE * SIZE, TRAIN = 400, TEST = 200 };

static tn_tensor *unit(tn_tensor *x, int training, const void *arg)
{
    (void)training, (void)arg;
    return tn_linear(tn_flatten(x), "unit", .units = 1, .init = &(tn_init){.kind = TN_INIT_ZERO});
}

static const tn_model model = {.build = unit, .loss = "binary_cross_entropy"};

/* Whether (x, y), seen from the middle of the thing, is in it: a cat's face has ears; a ball, a box and a bottle not.
 */
static int is_inside(int kind, double x, double y)
{
    double ears = fabs(fabs(x) - 0.55) + (y + 0.75) * (y + 0.75) * 1.5;
    if (kind == 1) return x * x + y * y < 0.2 || fabs(x) + fabs(y) < 0.9;
    if (kind == 2) return fabs(x) < 0.75 && fabs(y) < 0.7;
    if (kind == 3) return fabs(x) < (y < -0.3 ? 0.25 : 0.6) && fabs(y) < 1;
    return x * x + y * y < 0.55 || ears < 0.3;
}

/* Any colours, as long as the thing is lighter than what is behind it; moved about, large or small, with noise. */
static void draw(uint8_t *picture, int kind)
{
    double size = 20 + 6 * chance(), cx = SIZE / 2 + 6 * (chance() - 0.5), cy = SIZE / 2 + 6 * (chance() - 0.5);
    double colour[3], behind[3];
    for (int c = 0; c < 3; c++) colour[c] = 120 + 110 * chance(), behind[c] = 90 * chance();
    for (int i = 0; i < PIXELS; i++) {
        double x = (i % SIZE - cx) / size, y = (i / SIZE % SIZE - cy) / size;
        int eyes = kind == 0 && hypot(fabs(x) - 0.3, y + 0.15) < 0.12;
        const double *from = is_inside(kind, x, y) && !eyes ? colour : behind;
        picture[i] = (uint8_t)(from[i / (SIZE * SIZE)] + 25 * chance());
    }
}

static tn_dataset pictures(int64_t count)
{
    tn_dataset data = {.count = count, .sample = TN_SHAPE(3, SIZE, SIZE), .x_dtype = TN_U8, .classes = 2};
    data.x = malloc((size_t)count * PIXELS);
    data.label = malloc((size_t)count * sizeof *data.label);
    for (int64_t i = 0; i < count; i++) {
        int kind = i % 2 ? 0 : 1 + (int)(3 * chance());
        draw((uint8_t *)data.x + i * PIXELS, kind);
        data.label[i] = kind == 0;
    }
    return data;
}

/* Returns the test accuracy, or 0 if the start was wrong. */
static double cats(example *e)
{
    tn_dataset train = pictures(TRAIN), test = pictures(TEST);
    tn_score before, after;
    tn_epoch last;
    tn_state *state = NULL;
    TRY(tn_state_new(e->device, 1, &state));
    TRY(tn_evaluate(state, &model, &test, &before));
    TRY(tn_fit(state, &model, &train, &(tn_fit_options){.epochs = 300, .optim = {.lr = 0.003}}, &last));
    TRY(tn_evaluate(state, &model, &test, &after));
    printf("cat or no cat: loss %.4f -> %.4f, accuracy %.1f %%; test accuracy %.1f %%\n", before.loss, last.train.loss,
           100 * last.train.accuracy, 100 * after.accuracy);
    tn_state_free(state);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    return fabs(before.loss - log(2)) < 1e-5 ? after.accuracy : 0;
}

/* Hours of study and of sleep, and who passed. Returns how far the errors are from what must hold. */
static double exam(example *e)
{
    enum { N = 200 };
    static float x[N][2], w[2], b, logit[N];
    static int32_t passed[N];
    double off[3] = {0};
    tn_state *state = NULL;
    tn_dataset table = {.count = N, .sample = TN_SHAPE(2), .x_dtype = TN_F32, .x = x, .label = passed, .classes = 2};
    for (int i = 0; i < N; i++) {
        x[i][0] = (float)(10 * chance());
        x[i][1] = (float)(4 + 5 * chance());
        passed[i] = chance() < 1 / (1 + exp(-(0.9 * x[i][0] + 0.5 * x[i][1] - 8)));
    }
    TRY(tn_state_new(e->device, 1, &state));
    tn_fit_options how = {.epochs = 4000, .optimizer = "adam", .optim = {.lr = 0.1}, .schedule = "cosine 4000"};
    TRY(tn_fit(state, &model, &table, &how, NULL));
    TRY(tn_predict(state, &model, &table, logit, sizeof logit));
    TRY(tn_state_read(state, "unit.weight", w, sizeof w));
    TRY(tn_state_read(state, "unit.bias", &b, sizeof b));
    for (int i = 0; i < N; i++) {
        double error = 1 / (1 + exp(-logit[i])) - passed[i];
        example_note("who passed", passed[i] ? "passed" : "failed", x[i][0], x[i][1]);
        off[0] += error / N, off[1] += error * x[i][0] / N, off[2] += error * x[i][1] / N;
    }
    printf("exam: passed = sigmoid(%.2f study + %.2f sleep %+.2f), drawn by 0.9, 0.5 and -8\n", w[0], w[1], b);
    for (int i = 4; i <= 9; i += 5) example_note("who passed", "even odds", -(w[1] * i + b) / w[0], i);
    printf("mean error %.1e, with study %.1e, with sleep %.1e\n", off[0], off[1], off[2]);
    tn_state_free(state);
    return fmax(fabs(off[0]), fmax(fabs(off[1]), fabs(off[2])));
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    double accuracy = cats(&e), off = exam(&e);
    return example_end(&e, accuracy >= 0.95 && off < 1e-3,
                       "from log 2 to 95 % of the cats; the table's errors vanish at the lowest point, to 0.001");
}
