/* Batches that are cut into shards: the same training but for rounding, the same bits wherever the samples are, and
 * what each shard has for itself. */
#include "check.h"
#include "near.h"

#include <stdlib.h>
#include <string.h>

static const char *const devices[] = {"reference", "cpu", "opencl:0"};

enum { COUNT = 50, FEATURES = 5, CLASSES = 3, WEIGHTS = FEATURES * 7 + 7 + 7 * CLASSES + CLASSES };
static float samples[COUNT * FEATURES];
static int32_t labels[COUNT];
static tn_dataset data = {
    .count = COUNT, .sample = {1, {FEATURES}}, .x_dtype = TN_F32, .x = samples, .label = labels, .classes = CLASSES};

static void make_data(void)
{
    for (int i = 0; i < COUNT * FEATURES; i++) samples[i] = (float)((i * 37 + 11) % 64 - 32) / 16;
    for (int i = 0; i < COUNT; i++) labels[i] = (int32_t)(fabs((double)samples[i * FEATURES]) + i) % CLASSES;
}

static tn_tensor *net(tn_tensor *x, int training, const void *arg)
{
    (void)training, (void)arg;
    x = tn_tanh(tn_linear(x, "one", .units = 7));
    return tn_linear(x, "two", .units = CLASSES);
}

/* Trains afresh; the weights one after another. Returns 0 if there is no such device. */
static int train(const char *device, tn_model model, const tn_fit_options *options, float w[WEIGHTS], tn_epoch *last)
{
    static const struct {
        const char *name;
        int count;
    } part[] = {{"one.weight", 35}, {"one.bias", 7}, {"two.weight", 21}, {"two.bias", 3}};
    tn_device *d = NULL;
    tn_state *state = NULL;
    if (tn_device_open(device, &d)) return 0;
    CHECK(tn_state_new(d, 5, &state));
    CHECK(tn_fit(state, &model, &data, options, last));
    for (size_t i = 0; i < sizeof part / sizeof *part; w += part[i++].count)
        CHECK(tn_state_read(state, part[i].name, w, (uint64_t)part[i].count * sizeof *w));
    tn_state_free(state);
    tn_device_close(d);
    return 1;
}

static const tn_model model = {.build = net, .loss = "cross_entropy"};

/* Batches of 12: four whole ones and one of 2. */
static tn_fit_options options_with(uint32_t shards, const char *optimizer)
{
    return (tn_fit_options){.epochs = 3,
                            .batch = 12,
                            .shards = shards,
                            .optimizer = optimizer,
                            .optim = {.clip_norm = 0.5, .no_decay = "vectors", .weight_decay = 0.01}};
}

static void shards_add_up_to_the_batch(void **unused)
{
    (void)unused;
    static const uint32_t cuts[] = {2, 3, 4, 6, 12};
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        float want[WEIGHTS], got[WEIGHTS];
        tn_epoch whole, cut;
        tn_fit_options options = options_with(0, "momentum");
        if (!train(devices[d], model, &options, want, &whole)) continue;
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            options = options_with(cuts[i], "momentum");
            (void)train(devices[d], model, &options, got, &cut);
            for (int k = 0; k < WEIGHTS; k++) assert_near(got[k], want[k], 1e-5);
            assert_near(cut.train.loss, whole.train.loss, 1e-5);
            assert_near(cut.train.accuracy, whole.train.accuracy, 1e-9);
        }
    }
}

static void fed_samples_come_to_the_same_bits(void **unused)
{
    (void)unused;
    float want[WEIGHTS], got[WEIGHTS];
    tn_epoch last;
    tn_model fed = model;
    tn_fit_options options = options_with(4, "adam");
    fed.data.where = TN_RESIDENT_HOST;
    assert_true(train("cpu", model, &options, want, &last));
    assert_true(train("cpu", fed, &options, got, &last));
    assert_memory_equal(want, got, sizeof want);
}

/* ---- what a shard has for itself ---- */

static tn_tensor *normalized(tn_tensor *x, int training, const void *arg)
{
    (void)arg;
    return tn_linear(tn_batch_norm(x, "norm", .training = (uint32_t)training), "out", .units = CLASSES);
}

/* One step with a momentum of 0.1: the running mean is that of the batch, the variance the mean of the shards'. */
static void running_statistics_are_the_mean_of_the_shards(void **unused)
{
    (void)unused;
    enum { SHARDS = 2, EACH = COUNT / SHARDS };
    tn_device *device = NULL;
    tn_state *state = NULL;
    float mean[FEATURES], variance[FEATURES];
    CHECK(tn_device_open("cpu", &device));
    CHECK(tn_state_new(device, 5, &state));
    tn_model norm = {.build = normalized, .loss = "cross_entropy"};
    int32_t order[COUNT];
    for (int i = 0; i < COUNT; i++) order[i] = i;
    tn_shuffle(order, COUNT, 5, 1);
    CHECK(tn_fit(state, &norm, &data, &(tn_fit_options){.epochs = 1, .shards = SHARDS, .batch = COUNT}, NULL));
    CHECK(tn_state_read(state, "norm.running_mean", mean, sizeof mean));
    CHECK(tn_state_read(state, "norm.running_var", variance, sizeof variance));
    for (int f = 0; f < FEATURES; f++) {
        double sum = 0, spread = 0, all = 0;
        for (int i = 0; i < COUNT; i++) all += samples[i * FEATURES + f] / (double)COUNT;
        for (int s = 0; s < SHARDS; s++) {
            double own = 0;
            for (int i = 0; i < EACH; i++) own += samples[order[s * EACH + i] * FEATURES + f] / (double)EACH;
            for (int i = 0; i < EACH; i++) {
                double off = samples[order[s * EACH + i] * FEATURES + f] - own;
                sum += off * off;
            }
        }
        spread = sum / (EACH - 1) / SHARDS;
        assert_near(mean[f], 0.1 * all, 1e-6);
        assert_near(variance[f], 0.9 + 0.1 * spread, 1e-5);
    }
    tn_state_free(state);
    tn_device_close(device);
}

enum { WIDE = 256 };

static tn_tensor *thinned(tn_tensor *x, int training, const void *arg)
{
    (void)arg;
    tn_tensor *ones = tn_full(tn_graph_of(x), TN_F32, TN_SHAPE(tn_shape_of(x).dim[0], WIDE), 1);
    ones = training ? tn_dropout(ones, 0.5) : ones;
    tn_tensor *w = tn_param(tn_graph_of(x), "w", TN_SHAPE(WIDE, 1), (tn_init){0});
    return tn_matmul(ones, w);
}

/* Two shards of a sample each: a weight that one of them sees moves half as far as one that both see. */
static void each_shard_has_random_numbers_of_its_own(void **unused)
{
    (void)unused;
    float x[2] = {0, 0}, y[2] = {1, 1}, w[WIDE];
    const tn_dataset two = {.count = 2, .sample = {1, {1}}, .x_dtype = TN_F32, .x = x, .target = y, .targets = 1};
    const tn_model thin = {.build = thinned, .loss = "half_mse"};
    int seen[3] = {0};
    tn_device *device = NULL;
    tn_state *state = NULL;
    CHECK(tn_device_open("cpu", &device));
    CHECK(tn_state_new(device, 5, &state));
    CHECK(
        tn_fit(state, &thin, &two, &(tn_fit_options){.epochs = 1, .shards = 2, .batch = 2, .optim = {.lr = 1}}, NULL));
    CHECK(tn_state_read(state, "w", w, sizeof w));
    for (int i = 0; i < WIDE; i++) {
        int times = (int)lround(w[i]);
        assert_near(w[i], times, 1e-6);
        assert_true(times >= 0 && times <= 2);
        seen[times]++;
    }
    for (int times = 0; times < 3; times++) assert_true(seen[times] > WIDE / 8);
    assert_true(seen[1] > WIDE / 3);
    assert_true(tn_state_seed(state) == 5);
    tn_state_free(state);
    tn_device_close(device);
}

static void shards_that_are_not_equal_are_refused(void **unused)
{
    (void)unused;
    tn_fit_options options = options_with(5, "sgd");
    assert_int_equal(tn_fit_check(&model, &data, &options), TN_EINVAL);
    assert_non_null(strstr(tn_message(), "12"));
    assert_non_null(strstr(tn_message(), "into 4"));
    options.shards = 13;
    assert_int_equal(tn_fit_check(&model, &data, &options), TN_EINVAL);
    options.shards = 12;
    CHECK(tn_fit_check(&model, &data, &options));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_add_up_to_the_batch),
        cmocka_unit_test(fed_samples_come_to_the_same_bits),
        cmocka_unit_test(running_statistics_are_the_mean_of_the_shards),
        cmocka_unit_test(each_shard_has_random_numbers_of_its_own),
        cmocka_unit_test(shards_that_are_not_equal_are_refused),
    };
    make_data();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
