/* S15: a deep residual network: ResNet-20, after He, Zhang, Ren and Sun, 2016.
 *
 * Each block adds something to what came in, so that gradients have a straight way down through twenty layers; batch
 * normalisation keeps the numbers in range. It learns to read digits that the program puts in colour on textured
 * backgrounds, 3 x 32 x 32. With --small there is one block a stage instead of three. */
#include <math.h>

#include "common.h"

typedef struct plan {
    int blocks; /* in each of the three stages */
} plan;

/* Convolution and batch normalisation: "NAME.conv", "NAME.bn". */
static tn_tensor *conv(tn_tensor *x, const char *name, int64_t filters, uint32_t kernel, uint32_t stride, int training)
{
    char full[64];
    snprintf(full, sizeof full, "%s.conv", name);
    x = tn_conv2d(x, full, .filters = filters, .kernel = {kernel, kernel}, .stride = {stride}, .same = 1, .no_bias = 1,
                  .init = &(tn_init){.kind = TN_INIT_HE});
    snprintf(full, sizeof full, "%s.bn", name);
    return tn_batch_norm(x, full, .training = (uint32_t)training);
}

/* relu(x + f(x)); where the shape changes, x goes through a convolution of 1 x 1. */
static tn_tensor *block(tn_tensor *x, const char *name, int64_t filters, uint32_t stride, int training)
{
    char part[3][48];
    for (int i = 0; i < 3; i++) snprintf(part[i], sizeof part[i], "%s.%d", name, i + 1);
    tn_tensor *y = tn_relu(conv(x, part[0], filters, 3, stride, training));
    y = conv(y, part[1], filters, 3, 1, training);
    if (stride > 1) x = conv(x, part[2], filters, 1, stride, training);
    return tn_relu(tn_add(x, y));
}

static tn_tensor *resnet(tn_tensor *x, int training, const void *arg)
{
    const plan *p = arg;
    char name[40];
    x = tn_relu(conv(x, "first", 16, 3, 1, training));
    for (int stage = 0; stage < 3; stage++)
        for (int i = 0; i < p->blocks; i++) {
            snprintf(name, sizeof name, "stage%d.block%d", stage + 1, i + 1);
            x = block(x, name, 16 << stage, stage && !i ? 2 : 1, training);
        }
    return tn_linear(tn_global_avgpool2d(x), "fc", .units = 10);
}

enum { SIDE = 32, PLANE = SIDE * SIDE };

/* A grey digit, 28 x 28, somewhere on waves of any colour, in a lighter ink of any colour. */
static void paint(uint8_t *picture, const uint8_t *digit)
{
    int left = (int)(5 * chance()), top = (int)(5 * chance());
    double across = chance() - 0.5, down = chance() - 0.5;
    for (int c = 0; c < 3; c++) {
        double paper = 20 + 80 * chance(), wave = 20 * chance(), ink = 150 + 90 * chance();
        for (int i = 0; i < PLANE; i++) {
            int x = i % SIDE - left, y = i / SIDE - top;
            double share = x >= 0 && x < 28 && y >= 0 && y < 28 ? digit[28 * y + x] / 255.0 : 0;
            double behind = paper + wave * sin(across * x + down * y) + 10 * chance();
            *picture++ = (uint8_t)(behind + share * (ink - behind));
        }
    }
}

static tn_dataset pictures(int64_t count, uint64_t seed)
{
    tn_dataset grey = {0}, data;
    TRY(tn_dataset_digits(count, seed, &grey));
    data = grey;
    data.sample = TN_SHAPE(3, SIDE, SIDE);
    data.x = malloc((size_t)count * 3 * PLANE);
    for (int64_t i = 0; i < count; i++) paint((uint8_t *)data.x + i * 3 * PLANE, (uint8_t *)grey.x + i * 784);
    free(grey.x);
    return data;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    const plan p = {e.small ? 1 : 3};
    const double goal = e.small ? 0.7 : 0.97;
    const tn_model model = {.build = resnet, .loss = "cross_entropy", .arg = &p};
    tn_dataset data = pictures(e.small ? 1500 : 5000, 1), test = pictures(e.small ? 300 : 1000, 2);
    tn_state *state = NULL;
    tn_epoch last;
    char claim[120];
    TRY(tn_state_new(e.device, 1, &state));
    tn_fit_options how = {.epochs = e.small ? 4 : 6,
                          .batch = e.small ? 25 : 32,
                          .optimizer = "momentum",
                          .optim = {.lr = 0.05, .weight_decay = 1e-4},
                          .schedule = e.small ? "cosine 240" : "warmup 60, cosine 890",
                          .test = &test,
                          .each = example_epoch,
                          .arg = &(example_curve){"right of the test set, %", "ResNet"}};
    TRY(tn_fit(state, &model, &data, &how, &last));
    snprintf(claim, sizeof claim, "%d layers, %lld parameters: test accuracy %.1f %% (at least %g)", 2 + 6 * p.blocks,
             (long long)example_parameters(state), 100 * last.test.accuracy, 100 * goal);
    tn_state_free(state);
    tn_dataset_free(&data);
    tn_dataset_free(&test);
    return example_end(&e, last.test.accuracy >= goal, claim);
}
