/* S11: convolutional networks, which find a pattern wherever it is in a picture.
 *
 * First X or O: colour pictures of 32 x 32 that the program draws, moved, turned and bent, so that no pixel means
 * anything by itself. Then handwritten digits by LeNet, after LeCun, Bottou, Bengio and Haffner, 1998. */
#include <math.h>

#include "common.h"

enum { SIDE = 32, PLANE = SIDE * SIDE };

static double between(double low, double high)
{
    return low + (high - low) * chance();
}

/* Whether a point is on the stroke of an X, two crossing lines, or of an O, a ring; both fill -1..1. */
static int on_stroke(int is_x, double x, double y, double thick)
{
    if (is_x) return fmax(fabs(x), fabs(y)) < 1 && fmin(fabs(x - y), fabs(x + y)) < thick * 1.4;
    return fabs(hypot(x, y) - 1 + thick) < thick;
}

static void draw(uint8_t *picture, int is_x)
{
    double angle = between(-3.14, 3.14), size = between(7, 12), bend = between(-0.4, 0.4), squash = between(0.7, 1.3);
    double cx = SIDE / 2 + between(-5, 5), cy = SIDE / 2 + between(-5, 5), thick = between(0.12, 0.25), ink[3],
           paper[3];
    for (int c = 0; c < 3; c++) ink[c] = between(0, 230), paper[c] = fmod(ink[c] + between(70, 160), 230);
    for (int i = 0; i < 3 * PLANE; i++) {
        double dx = (i % SIDE - cx) / size, dy = (i % PLANE / SIDE - cy) / size;
        double x = dx * cos(angle) + dy * sin(angle), y = dy * cos(angle) - dx * sin(angle);
        const double *from = on_stroke(is_x, x, squash * (y + bend * x * x), thick) ? ink : paper;
        picture[i] = (uint8_t)(from[i / PLANE] + between(0, 25));
    }
}

static tn_dataset pictures(int64_t count)
{
    tn_dataset data = {.count = count, .sample = TN_SHAPE(3, SIDE, SIDE), .x_dtype = TN_U8, .classes = 2};
    data.x = malloc((size_t)count * 3 * PLANE);
    data.label = malloc((size_t)count * sizeof *data.label);
    for (int64_t i = 0; i < count; i++) draw((uint8_t *)data.x + i * 3 * PLANE, data.label[i] = i % 2);
    return data;
}

static void show(const tn_dataset *data)
{
    const uint8_t *red = data->x;
    for (int y = 0; y < SIDE; y += 2) {
        for (int i = 0; i < 3; i++, printf(" "))
            for (int x = 0; x < SIDE; x++) printf("%c", " .:-=+*#%@"[red[3 * PLANE * i + y * SIDE + x] / 26]);
        printf("\n");
    }
}

/* Pooling by 2 and by 3: 32 -> 16 -> 16 -> 5 -> 1 number for each filter. */
static tn_tensor *x_or_o(tn_tensor *x, int training, const void *arg)
{
    (void)training, (void)arg;
    x = tn_relu(tn_conv2d(x, "conv1", .filters = 12, .kernel = {5, 5}, .same = 1));
    x = tn_maxpool2d(x, .window = {2, 2});
    x = tn_relu(tn_conv2d(x, "conv2", .filters = 24, .kernel = {3, 3}, .same = 1));
    x = tn_maxpool2d(x, .window = {3, 3});
    x = tn_relu(tn_conv2d(x, "conv3", .filters = 32, .kernel = {3, 3}, .same = 1));
    x = tn_relu(tn_linear(tn_flatten(x), "fc1", .units = 64));
    return tn_linear(x, "fc2", .units = 2);
}

static tn_tensor *lenet(tn_tensor *x, int training, const void *arg)
{
    (void)arg;
    x = tn_maxpool2d(tn_relu(tn_conv2d(x, "conv1", .filters = 32, .kernel = {5, 5})), .window = {2, 2});
    x = tn_maxpool2d(tn_relu(tn_conv2d(x, "conv2", .filters = 64, .kernel = {5, 5})), .window = {2, 2});
    x = tn_relu(tn_linear(tn_flatten(x), "fc1", .units = 512));
    return tn_linear(training ? tn_dropout(x, 0.4) : x, "fc2", .units = 10);
}

/* The test accuracy after the last epoch. */
static double train(example *e, tn_model model, const tn_dataset *data, const tn_dataset *test, int64_t epochs,
                    const char *schedule)
{
    tn_fit_options how = {.epochs = epochs, .batch = 64, .optimizer = "adam", .optim = {.lr = 0.001}};
    tn_epoch last;
    tn_state *state = NULL;
    how.test = test;
    how.schedule = schedule;
    how.each = example_epoch;
    how.arg = &(example_curve){"right of the test set, %", schedule ? "digits" : "X or O"};
    TRY(tn_state_new(e->device, 1, &state));
    TRY(tn_fit(state, &model, data, &how, &last));
    tn_state_free(state);
    return last.test.accuracy;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    tn_dataset data = pictures(e.small ? 2400 : 6000), test = pictures(600);
    char claim[120];
    show(&data);
    double goal = e.small ? 0.95 : 0.99;
    double told = train(&e, (tn_model){.build = x_or_o, .loss = "cross_entropy"}, &data, &test, e.small ? 4 : 10, NULL);
    tn_dataset_free(&data);
    tn_dataset_free(&test);
    example_digits(&e, "digits:2000", &data, &test);
    double read = train(&e, (tn_model){.build = lenet, .loss = "cross_entropy"}, &data, &test, e.small ? 3 : 5,
                        "exponential 0.9997");
    tn_dataset_free(&data);
    tn_dataset_free(&test);
    snprintf(claim, sizeof claim, "X from O: %.2f %% (at least %g), digits: %.2f %% (at least %g)", 100 * told,
             100 * goal, 100 * read, 100 * goal);
    return example_end(&e, told >= goal && read >= goal, claim);
}
