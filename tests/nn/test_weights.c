/* Weights of samples: whole ones do what equal samples do, in every loss; PyTorch's numbers and scikit-learn's optimum
 * come out; and neither shards, further devices, nor where samples are make a difference. */
#include "check.h"
#include "near.h"

#include <float.h>
#include <stdlib.h>

/* ---- losses ---- */

enum { ROWS = 5, WIDE = 3, MOST = 12 };
static const float times[ROWS] = {2, 0, 1, 3, 1}; /* how often each sample counts */

static float drawn(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1;
}

/* Row i of `from` as often as it counts. */
static int64_t repeat(const void *from, size_t bytes, void *to)
{
    int64_t rows = 0;
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < (int)times[i]; k++)
            memcpy((char *)to + (size_t)rows++ * bytes, (const char *)from + (size_t)i * bytes, bytes);
    return rows;
}

/* What a loss is of `rows` samples: itself, and its gradient. */
typedef struct value {
    float loss, total, grad[MOST * WIDE];
} value;

static void evaluate(const tn_loss_entry *entry, const float *x, const void *target, const float *weight, int64_t rows,
                     int smooth, value *v)
{
    static const float classes[WIDE] = {0.5f, 2, 1};
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    tn_graph *graph = tn_graph_new();
    tn_tensor *logits = tn_input(graph, "x", TN_F32, TN_SHAPE(rows, WIDE)), *grad = NULL;
    tn_tensor *to = entry->labels ? tn_input(graph, "t", TN_I32, TN_SHAPE(rows))
                                  : tn_input(graph, "t", TN_F32, TN_SHAPE(rows, WIDE));
    tn_loss_options how = {.smoothing = smooth ? 0.1 : 0};
    if (weight) how.sample_weight = tn_input(graph, "w", TN_F32, TN_SHAPE(rows));
    if (entry->labels) how.weight = tn_constant(graph, TN_F32, TN_SHAPE(WIDE), classes);
    tn_tensor *loss = tn_loss_with(entry->name, logits, to, how);
    tn_grad(loss, &logits, 1, &grad);
    tn_output(loss, "loss");
    tn_output(tn_loss_total(entry->name, logits, to, how), "total");
    tn_output(grad, "grad");
    CHECK(tn_device_open("reference", &device));
    CHECK(tn_state_new(device, 1, &state));
    CHECK(tn_compile(graph, state, NULL, &program));
    CHECK(tn_feed(program, "x", x, (uint64_t)rows * WIDE * sizeof *x));
    CHECK(tn_feed(program, "t", target, (uint64_t)rows * (entry->labels ? 1 : WIDE) * sizeof *x));
    if (weight) CHECK(tn_feed(program, "w", weight, (uint64_t)rows * sizeof *weight));
    CHECK(tn_program_run(program));
    CHECK(tn_fetch(program, "loss", &v->loss, sizeof v->loss));
    CHECK(tn_fetch(program, "total", &v->total, sizeof v->total));
    CHECK(tn_fetch(program, "grad", v->grad, (uint64_t)rows * WIDE * sizeof *v->grad));
    tn_program_free(program);
    tn_graph_free(graph);
    tn_state_free(state);
    tn_device_close(device);
}

/* Of a row that counts k times the gradient is k times that of one of k equal rows. */
static void compare(const tn_loss_entry *entry, int smooth, uint32_t *state)
{
    float x[ROWS][WIDE], target[ROWS][WIDE], more_x[MOST][WIDE], more_target[MOST][WIDE];
    int32_t labels[ROWS], more_labels[MOST];
    value weighted, repeated;
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i % WIDE;
        for (int k = 0; k < WIDE; k++) x[i][k] = drawn(state), target[i][k] = 0.05f + 0.9f * fabsf(drawn(state));
    }
    const int64_t rows = repeat(x, sizeof *x, more_x);
    (void)repeat(target, sizeof *target, more_target);
    (void)repeat(labels, sizeof *labels, more_labels);
    evaluate(entry, &x[0][0], entry->labels ? (void *)labels : target, times, ROWS, smooth, &weighted);
    evaluate(entry, &more_x[0][0], entry->labels ? (void *)more_labels : more_target, NULL, rows, smooth, &repeated);
    check_near(entry->name, weighted.loss, repeated.loss, 2e-6);
    for (int i = 0, at = 0; i < ROWS; at += (int)times[i++])
        for (int k = 0; k < WIDE; k++)
            check_near(entry->name, weighted.grad[i * WIDE + k],
                       times[i] > 0 ? times[i] * repeated.grad[at * WIDE + k] : 0, 1e-5);
    check_near(entry->name, weighted.total, repeated.total, 1e-6);
}

static void a_whole_weight_is_so_many_equal_samples_in_every_loss(void **unused)
{
    uint32_t state = 15;
    tn_loss_entry entry;
    (void)unused;
    for (size_t i = 0; tn_loss_at(i, &entry); i++)
        for (int smooth = 0; smooth <= !strcmp(entry.name, "cross_entropy"); smooth++) compare(&entry, smooth, &state);
}

static void weights_that_do_not_fit_are_refused(void **unused)
{
    (void)unused;
    tn_graph *graph = tn_graph_new();
    tn_tensor *y = tn_input(graph, "y", TN_F32, TN_SHAPE(4, 2)), *t = tn_input(graph, "t", TN_F32, TN_SHAPE(4, 2));
    tn_loss_with("mse", y, t, (tn_loss_options){.sample_weight = tn_input(graph, "w", TN_F32, TN_SHAPE(2))});
    assert_int_equal(tn_graph_status(graph), TN_ESHAPE);
    check_message("mse", "the weights of 4 samples are f32 (4)");
    tn_graph_free(graph);
}

/* ---- training ---- */

#include "golden_weights.inc"

static float samples[COUNT][FEATURES], heavy[COUNT];
static int32_t labels[COUNT];

static tn_dataset make_data(void)
{
    memcpy(samples, x, sizeof samples);
    memcpy(heavy, weight, sizeof heavy);
    memcpy(labels, label, sizeof labels);
    return (tn_dataset){.count = COUNT,
                        .sample = {1, {FEATURES}},
                        .x_dtype = TN_F32,
                        .x = samples,
                        .label = labels,
                        .classes = CLASSES,
                        .weight = heavy};
}

static tn_tensor *layer(tn_tensor *in, int training, const void *arg)
{
    const tn_init zero = {.kind = TN_INIT_ZERO};
    (void)training, (void)arg;
    return tn_linear(in, "fc", .units = CLASSES, .no_bias = 1, .init = &zero);
}

static const tn_model model = {.build = layer, .loss = "cross_entropy"};

typedef struct outcome {
    float w[CLASSES * FEATURES];
    tn_epoch last;
    tn_score score;
} outcome;

static tn_status train(const char *name, const tn_model *how, const tn_dataset *data, tn_fit_options options,
                       outcome *o)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    CHECK(tn_device_open(name, &device));
    CHECK(tn_state_new(device, 5, &state));
    tn_status status = tn_fit(state, how, data, &options, &o->last);
    if (!status) CHECK(tn_state_read(state, "fc.weight", o->w, sizeof o->w));
    if (!status) CHECK(tn_evaluate(state, how, data, &o->score));
    tn_state_free(state);
    tn_device_close(device);
    return status;
}

static tn_fit_options steps(int64_t count)
{
    return (tn_fit_options){.epochs = count, .optim = {.lr = RATE}};
}

static void training_comes_to_the_numbers_of_pytorch(void **unused)
{
    static const char *const devices[] = {"reference", "cpu"};
    const tn_dataset data = make_data();
    (void)unused;
    for (int d = 0; d < 2; d++)
        for (int with = 0; with < 2; with++) {
            outcome o;
            tn_fit_options options = steps(STEPS);
            const double *want = with ? torch_classes : torch_plain;
            if (with) options.class_weights = of_class;
            CHECK(train(devices[d], &model, &data, options, &o));
            for (int i = 0; i < CLASSES * FEATURES; i++) assert_near(o.w[i], want[i], 1e-6);
            assert_near(o.last.train.loss, with ? torch_classes_loss : torch_plain_loss, 1e-6);
        }
}

/* In f64, wherever samples are, to many more digits. */
static void in_double_precision_the_digits_go_on(void **unused)
{
    const tn_dataset data = make_data();
    (void)unused;
    for (int fed = 0; fed < 2; fed++) {
        tn_device *device = NULL;
        tn_state *state = NULL;
        tn_model wide = model;
        tn_epoch last;
        double w[CLASSES * FEATURES];
        tn_fit_options options = steps(STEPS);
        wide.compile.f64 = 1;
        if (fed) wide.data.where = TN_RESIDENT_HOST;
        CHECK(tn_device_open("cpu", &device));
        CHECK(tn_state_new(device, 5, &state));
        CHECK(tn_fit(state, &wide, &data, &options, &last));
        CHECK(tn_state_read(state, "fc.weight", w, sizeof w));
        for (int i = 0; i < CLASSES * FEATURES; i++) assert_near(w[i], torch_plain[i], 1e-12);
        assert_near(last.train.loss, torch_plain_loss, 1e-12);
        tn_state_free(state);
        tn_device_close(device);
    }
}

/* Their regularisation is half the squares of the coefficients, beside the sum of the losses. */
static void the_optimum_is_that_of_scikit_learn(void **unused)
{
    const tn_dataset data = make_data();
    tn_fit_options options = steps(1500);
    double all = 0;
    outcome o;
    (void)unused;
    for (int i = 0; i < COUNT; i++) all += weight[i];
    options.optim.weight_decay = 1 / all;
    CHECK(train("cpu", &model, &data, options, &o));
    for (int i = 0; i < CLASSES * FEATURES; i++) assert_near(o.w[i], sklearn_coefficients[i], 1e-4);
    assert_near(o.score.accuracy, sklearn_accuracy, 1e-6);
}

/* Batches of 8, shuffled; of each way what it comes to, beside the first. */
static tn_fit_options in_batches(uint32_t shards)
{
    return (tn_fit_options){.epochs = 3,
                            .batch = 8,
                            .shards = shards,
                            .optimizer = "adam",
                            .class_weights = of_class,
                            .optim = {.lr = 0.05}};
}

static void shards_add_up_to_the_batch_wherever_samples_are(void **unused)
{
    static const char *const devices[] = {"reference", "cpu", "opencl:0"};
    static const uint32_t cuts[] = {2, 4, 8};
    const tn_dataset data = make_data();
    tn_device *there = NULL;
    tn_model fed = model;
    (void)unused;
    fed.data.where = TN_RESIDENT_HOST;
    for (size_t d = 0; d < 3; d++) {
        outcome whole, cut, other;
        if (tn_device_open(devices[d], &there)) continue;
        tn_device_close(there);
        CHECK(train(devices[d], &model, &data, in_batches(1), &whole));
        CHECK(train(devices[d], &fed, &data, in_batches(1), &other));
        assert_memory_equal(whole.w, other.w, sizeof whole.w);
        assert_true(whole.last.train.loss == other.last.train.loss && whole.score.loss == other.score.loss);
        for (size_t i = 0; i < (d < 2 ? 3 : 1); i++) {
            CHECK(train(devices[d], &model, &data, in_batches(cuts[i]), &cut));
            for (int k = 0; k < CLASSES * FEATURES; k++) assert_near(cut.w[k], whole.w[k], 2e-6);
            assert_near(cut.last.train.loss, whole.last.train.loss, 1e-6);
            assert_near(cut.last.train.accuracy, whole.last.train.accuracy, 1e-6);
            CHECK(train(devices[d], &fed, &data, in_batches(cuts[i]), &other));
            assert_memory_equal(cut.w, other.w, sizeof cut.w);
        }
    }
}

/* Of the shards a second device takes its part. */
static void workers_come_to_the_bits_of_one(void **unused)
{
    const tn_dataset data = make_data();
    tn_device *more = NULL;
    tn_fit_options options = in_batches(4);
    outcome one, two;
    (void)unused;
    CHECK(train("cpu", &model, &data, options, &one));
    CHECK(tn_device_open("cpu", &more));
    options.devices = &more, options.n_devices = 1;
    CHECK(train("cpu", &model, &data, options, &two));
    assert_memory_equal(one.w, two.w, sizeof one.w);
    assert_true(one.last.train.loss == two.last.train.loss && one.last.train.accuracy == two.last.train.accuracy);
    tn_device_close(more);
}

/* Goes on in another state, in the middle of an epoch of three steps. */
static void an_epoch_goes_on_where_it_stood(void **unused)
{
    enum { DONE = 2 };
    const tn_dataset data = make_data();
    const tn_fit_options options = in_batches(1);
    tn_device *device = NULL;
    tn_state *state[2] = {NULL};
    tn_training *t[2] = {NULL};
    tn_epoch begun, end[2];
    float w[2][CLASSES * FEATURES];
    (void)unused;
    CHECK(tn_device_open("cpu", &device));
    for (int i = 0; i < 2; i++) {
        CHECK(tn_state_new(device, 5, &state[i]));
        CHECK(tn_training_new(state[i], &model, &data, &options, &t[i]));
    }
    for (int i = 0; i < DONE; i++) CHECK(tn_training_step(t[0]));
    CHECK(tn_training_so_far(t[0], &begun));
    tn_state_entry entry;
    for (size_t i = 0; tn_state_at(state[0], i, &entry); i++) {
        char bytes[256];
        const uint64_t size = (uint64_t)tn_shape_count(&entry.shape) * tn_dtype_size(entry.dtype);
        if ((entry.flags & TN_TRANSIENT) || size > sizeof bytes) continue;
        CHECK(tn_state_read(state[0], entry.name, bytes, size));
        CHECK(tn_state_write(state[1], entry.name, bytes, size));
    }
    tn_state_set_step(state[1], tn_state_step(state[0]));
    CHECK(tn_training_go_on(t[1], NULL, 0, DONE, &begun));
    for (int i = 0; i < 2; i++) {
        CHECK(tn_training_step(t[i]));
        CHECK(tn_training_end_epoch(t[i], &end[i]));
        CHECK(tn_state_read(state[i], "fc.weight", w[i], sizeof w[i]));
        tn_training_free(t[i]);
        tn_state_free(state[i]);
    }
    tn_device_close(device);
    assert_memory_equal(w[0], w[1], sizeof w[0]);
    assert_true(end[0].train.loss == end[1].train.loss && end[0].train.accuracy == end[1].train.accuracy);
    assert_near(end[0].weight, end[1].weight, 0);
}

/* A last batch that is smaller, and batches that have no weight at all. */
static void a_batch_without_weight_moves_nothing(void **unused)
{
    tn_dataset data = make_data();
    outcome o;
    (void)unused;
    memset(heavy, 0, sizeof heavy);
    heavy[3] = 2;
    for (uint32_t shards = 1; shards <= 5; shards += 4) {
        tn_fit_options options = steps(1);
        options.batch = 5, options.shards = shards;
        CHECK(train("cpu", &model, &data, options, &o));
        for (int i = 0; i < CLASSES; i++)
            for (int k = 0; k < FEATURES; k++)
                assert_near(o.w[i * FEATURES + k], RATE * ((i == label[3]) - 1.0 / CLASSES) * x[3 * FEATURES + k],
                            1e-6);
        assert_near(o.last.train.loss, log(CLASSES), 1e-6);
    }
}

static tn_tensor *own_cost(tn_tensor *y, tn_tensor *target, int training, const void *arg)
{
    (void)training, (void)arg;
    return tn_cross_entropy(y, target);
}

static void what_is_no_weight_is_refused_with_its_sample(void **unused)
{
    static const float bad[] = {-0.5f, NAN, INFINITY, 9e-19f, 1e-39f, 1.1e18f, FLT_MAX},
                       good[] = {1e-18f, 1e18f, -0.0f};
    tn_dataset data = make_data();
    tn_model own = model;
    outcome o;
    (void)unused;
    own.cost = own_cost;
    assert_int_equal(train("cpu", &own, &data, steps(1), &o), TN_EINVAL);
    check_message("cost", "takes no weights of samples");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        heavy[7] = good[i];
        CHECK(train("cpu", &model, &data, steps(1), &o));
        assert_true(isfinite(o.last.train.loss) && isfinite(o.w[0]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        heavy[7] = bad[i];
        assert_int_equal(train("cpu", &model, &data, steps(1), &o), TN_EINVAL);
        check_message("a weight", "sample 7 has the weight ");
    }
    memset(heavy, 0, sizeof heavy);
    assert_int_equal(train("cpu", &model, &data, steps(1), &o), TN_EINVAL);
    check_message("no weight", "all 24 training samples have the weight 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_weight_is_so_many_equal_samples_in_every_loss),
        cmocka_unit_test(weights_that_do_not_fit_are_refused),
        cmocka_unit_test(training_comes_to_the_numbers_of_pytorch),
        cmocka_unit_test(in_double_precision_the_digits_go_on),
        cmocka_unit_test(the_optimum_is_that_of_scikit_learn),
        cmocka_unit_test(shards_add_up_to_the_batch_wherever_samples_are),
        cmocka_unit_test(workers_come_to_the_bits_of_one),
        cmocka_unit_test(an_epoch_goes_on_where_it_stood),
        cmocka_unit_test(a_batch_without_weight_moves_nothing),
        cmocka_unit_test(what_is_no_weight_is_refused_with_its_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
