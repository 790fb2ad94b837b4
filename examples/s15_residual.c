/* S15: a deep residual network: ResNet-20, after He, Zhang, Ren and Sun, 2016.
 *
 * Each block adds something to what came in, so that gradients have a straight way down through twenty layers; batch
 * normalisation keeps the numbers in range. It learns digits in colour on textured backgrounds, 3 x 32 x 32, that the
 * library draws. With --small there is one block a stage instead of three, and the digits are grey. */
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

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    const plan p = {e.small ? 1 : 3};
    const double goal = e.small ? 0.6 : 0.9;
    const tn_model model = {.build = resnet, .loss = "cross_entropy", .arg = &p};
    tn_dataset data = {0}, test = {0};
    tn_state *state = NULL;
    tn_epoch last;
    char claim[120];
    TRY(tn_dataset_open(e.small ? "digits:1000" : "digits-rgb:8000", 1, NULL, &data, &test));
    TRY(tn_state_new(e.device, 1, &state));
    tn_fit_options how = {.epochs = e.small ? 4 : 8,
                          .batch = e.small ? 25 : 50,
                          .optimizer = "momentum",
                          .optim = {.lr = 0.05, .weight_decay = 1e-4},
                          .schedule = e.small ? "cosine 160" : "warmup 100, cosine 1300",
                          .test = &test,
                          .each = example_epoch};
    TRY(tn_fit(state, &model, &data, &how, &last));
    snprintf(claim, sizeof claim, "%d layers, %lld parameters: test accuracy %.1f %% (at least %g)", 2 + 6 * p.blocks,
             (long long)example_parameters(state), 100 * last.test.accuracy, 100 * goal);
    tn_state_free(state);
    tn_dataset_free(&data);
    tn_dataset_free(&test);
    return example_end(&e, last.test.accuracy >= goal, claim);
}
