/* Layers, losses, reductions and optimizers against numbers that golden_layers.py worked out, on every device. */
#include "check.h"

#include "golden_layers.inc"

#include <stdlib.h>

enum { MOST = 64 };

/* The numbers that golden_layers.py calls fill. */
static void fill(float *x, size_t n, int seed)
{
    for (size_t i = 0; i < n; i++) x[i] = ((float)((7 * (i + 1) + 5 * (size_t)seed + i * i) % 17) - 8) / 8;
}

typedef struct bed {
    tn_device *device;
    tn_state *state;
} bed;

static const char *const devices[] = {"reference", "cpu", "opencl"};

/* 0 if the device isn't there. */
static int open_bed(bed *b, size_t d)
{
    *b = (bed){0};
    if (tn_device_open(devices[d], &b->device)) return 0;
    CHECK(tn_state_new(b->device, 1, &b->state));
    return 1;
}

static void close_bed(bed *b)
{
    tn_state_free(b->state);
    tn_device_close(b->device);
}

/* Parameters get numbers by their names; running statistics stay. */
static void fill_parameters(tn_state *state)
{
    tn_state_entry entry;
    float value[MOST];
    for (size_t i = 0; tn_state_at(state, i, &entry); i++) {
        int seed = 0;
        if (strstr(entry.name, "running")) continue;
        for (const char *c = entry.name; *c; c++) seed += *c;
        size_t n = (size_t)tn_shape_count(&entry.shape);
        assert_true(n <= MOST);
        fill(value, n, seed % 11);
        CHECK(tn_state_write(state, entry.name, value, n * sizeof *value));
    }
}

static void check_all(const char *what, const float *got, const double *golden, size_t n)
{
    double norm = 0;
    for (size_t i = 0; i < n; i++) norm = fmax(norm, fabs(golden[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabs(got[i] - golden[i]) <= 3e-6 * norm + 1e-7))
            fail_msg("%s: element %zu: expected %.9g, got %.9g", what, i, golden[i], (double)got[i]);
}

/* Runs a graph with output "y" and compares it. */
static void check_graph(const char *what, bed *b, tn_graph *graph, const double *golden, size_t n)
{
    tn_program *program = NULL;
    float y[MOST];
    CHECK(tn_compile(graph, b->state, NULL, &program));
    fill_parameters(b->state);
    CHECK(tn_program_run(program));
    CHECK(tn_fetch(program, "y", y, n * sizeof *y));
    check_all(what, y, golden, n);
    tn_program_free(program);
    tn_graph_free(graph);
}

/* A constant of a graph: a table that no optimizer sees. */
static tn_tensor *constant(tn_graph *graph, tn_shape shape, int seed)
{
    float x[MOST];
    fill(x, (size_t)tn_shape_count(&shape), seed);
    return tn_constant(graph, TN_F32, shape, x);
}

/* ---- layers ---- */

static tn_tensor *layer_norm(tn_graph *g)
{
    return tn_layer_norm(constant(g, TN_SHAPE(3, 5), 1), "n");
}

static tn_tensor *rms_norm(tn_graph *g)
{
    return tn_rms_norm(constant(g, TN_SHAPE(3, 5), 1), "n");
}

static tn_tensor *group_norm(tn_graph *g)
{
    return tn_group_norm(constant(g, TN_SHAPE(2, 4, 3), 1), "n", 2);
}

static tn_tensor *recurrent(tn_graph *g, int32_t kind, int64_t layers)
{
    tn_tensor *lengths[] = {tn_full(g, TN_I32, TN_SHAPE(1), 4), tn_full(g, TN_I32, TN_SHAPE(1), 2)};
    return tn_recurrent(constant(g, TN_SHAPE(2, 4, 3), 1), "r", NULL, .kind = kind, .units = 2,
                        .lengths = tn_concat(lengths, 2, 0), .layers = layers, .bidirectional = layers > 1);
}

static tn_tensor *rnn(tn_graph *g)
{
    return recurrent(g, TN_RNN, 1);
}

/* Two layers in both directions. */
static tn_tensor *deep_rnn(tn_graph *g)
{
    return recurrent(g, TN_RNN, 2);
}

static tn_tensor *lstm(tn_graph *g)
{
    return recurrent(g, TN_LSTM, 1);
}

/* Two layers in both directions. */
static tn_tensor *deep_lstm(tn_graph *g)
{
    return recurrent(g, TN_LSTM, 2);
}

static tn_tensor *gru(tn_graph *g)
{
    return recurrent(g, TN_GRU, 1);
}

/* Two layers in both directions. */
static tn_tensor *deep_gru(tn_graph *g)
{
    return recurrent(g, TN_GRU, 2);
}

static tn_tensor *self_attention(tn_graph *g)
{
    return tn_self_attention(constant(g, TN_SHAPE(2, 3, 4), 1), "a", 2, 1);
}

#define GOLDEN(name)                                                                                                   \
    {                                                                                                                  \
#name, name, golden_##name, sizeof golden_##name / sizeof *golden_##name                                       \
    }
static const struct {
    const char *name;
    tn_tensor *(*build)(tn_graph *graph);
    const double *golden;
    size_t count;
} layers[] = {GOLDEN(layer_norm), GOLDEN(rms_norm),       GOLDEN(group_norm), GOLDEN(rnn),       GOLDEN(lstm),
              GOLDEN(gru),        GOLDEN(self_attention), GOLDEN(deep_rnn),   GOLDEN(deep_lstm), GOLDEN(deep_gru)};

static void layers_agree_with_their_formulas(void **state)
{
    bed b;
    (void)state;
    for (size_t d = 0; d < 3; d++)
        for (size_t i = 0; i < sizeof layers / sizeof *layers && open_bed(&b, d); i++) {
            tn_graph *graph = tn_graph_new();
            tn_output(layers[i].build(graph), "y");
            check_graph(layers[i].name, &b, graph, layers[i].golden, layers[i].count);
            close_bed(&b);
        }
}

static void batch_normalisation_follows_its_batches_and_evaluates_by_what_it_saw(void **state)
{
    bed b;
    float running[4];
    (void)state;
    for (size_t d = 0; d < 3; d++) {
        if (!open_bed(&b, d)) continue;
        for (uint32_t training = 1; training <= 1; training--) {
            tn_graph *graph = tn_graph_new();
            tn_output(tn_batch_norm(constant(graph, TN_SHAPE(2, 4, 3), 1), "n", .training = training), "y");
            check_graph("batch_norm", &b, graph, training ? golden_batch_norm : golden_batch_norm_eval, 24);
            CHECK(tn_state_read(b.state, "n.running_mean", running, sizeof running));
            check_all("running_mean", running, golden_running_mean, 4);
            CHECK(tn_state_read(b.state, "n.running_var", running, sizeof running));
            check_all("running_var", running, golden_running_var, 4);
        }
        close_bed(&b);
    }
}

/* ---- losses ---- */

enum { PLAIN, POSITIVE, YES_NO, SHARES, LABELS };

static tn_tensor *target_of(tn_graph *g, int kind)
{
    static const float shares[] = {0.25F, 0.5F, 0, 0.25F};
    static const int32_t labels[] = {2, 0, 3};
    tn_tensor *t = constant(g, TN_SHAPE(3, 4), 2);
    if (kind == POSITIVE) return tn_add(t, tn_number(t, 1.25));
    if (kind == YES_NO) return tn_gt(t, tn_number(t, 0));
    if (kind == PLAIN) return t;
    if (kind == LABELS) return tn_constant(g, TN_I32, TN_SHAPE(3), labels);
    return tn_broadcast(tn_constant(g, TN_F32, TN_SHAPE(4), shares), TN_SHAPE(3, 4));
}

static const struct {
    const char *name;
    int target;
    const double *golden;
} losses[] = {
    {"cross_entropy", LABELS, golden_cross_entropy},
    {"nll", LABELS, golden_nll},
    {"binary_cross_entropy", YES_NO, golden_binary_cross_entropy},
    {"mse", PLAIN, golden_mse},
    {"half_mse", PLAIN, golden_half_mse},
    {"l2", PLAIN, golden_l2},
    {"mae", PLAIN, golden_mae},
    {"l1", PLAIN, golden_l1},
    {"msle", POSITIVE, golden_msle},
    {"mape", POSITIVE, golden_mape},
    {"huber", PLAIN, golden_huber},
    {"log_cosh", PLAIN, golden_log_cosh},
    {"kl_divergence", SHARES, golden_kl_divergence},
    {"cosine_similarity", PLAIN, golden_cosine_similarity},
};

static tn_tensor *output_of(tn_graph *g, int kind)
{
    tn_tensor *o = constant(g, TN_SHAPE(3, 4), 1);
    return kind == POSITIVE ? tn_add(o, tn_number(o, 1.25)) : o;
}

static void losses_agree_with_their_formulas(void **state)
{
    bed b;
    tn_loss_entry entry;
    size_t n = sizeof losses / sizeof *losses;
    (void)state;
    assert_false(tn_loss_at(n + 6, &entry)); /* every loss is here or, with its options, in test_loss_torch.c */
    for (size_t i = 0; i < n && open_bed(&b, 0); i++) {
        tn_graph *graph = tn_graph_new();
        tn_output(tn_loss(losses[i].name, output_of(graph, losses[i].target), target_of(graph, losses[i].target)), "y");
        check_graph(losses[i].name, &b, graph, losses[i].golden, 1);
        close_bed(&b);
    }
}

static void reductions_class_weights_and_smoothing_work_together(void **state)
{
    static const struct {
        double smoothing;
        int32_t reduction;
        const double *golden;
        size_t count;
    } cases[] = {{0, TN_LOSS_MEAN, golden_weighted, 1},
                 {0.1, TN_LOSS_NONE, golden_smoothed, 3},
                 {0.1, TN_LOSS_MEAN, golden_smoothed_mean, 1}};
    static const float weights[] = {0.5F, 1, 2, 0.25F};
    bed b;
    (void)state;
    for (size_t i = 0; i < 3 && open_bed(&b, 0); i++) {
        tn_graph *graph = tn_graph_new();
        tn_loss_options options = {cases[i].reduction, tn_constant(graph, TN_F32, TN_SHAPE(4), weights),
                                   cases[i].smoothing};
        tn_output(tn_loss_with("cross_entropy", output_of(graph, PLAIN), target_of(graph, LABELS), options), "y");
        check_graph("weighted cross_entropy", &b, graph, cases[i].golden, cases[i].count);
        close_bed(&b);
    }
}

static void targets_that_a_loss_cannot_take_are_reported(void **state)
{
    const float zero[] = {1, 0}, wide[] = {0.5f, 1.5f}, low[] = {0, -1}, hole[] = {1, NAN}, fine[] = {0.5f, 1};
    const int32_t labels[] = {0, 3};
    (void)state;
    CHECK(tn_loss_check_targets("mape", TN_F32, fine, 2, 0));
    CHECK(tn_loss_check_targets("binary_cross_entropy", TN_F32, fine, 2, 0));
    CHECK(tn_loss_check_targets("cross_entropy", TN_I32, labels, 2, 4));
    assert_int_equal(tn_loss_check_targets("mape", TN_F32, zero, 2, 0), TN_EINVAL);
    check_message("mape", "other than 0");
    assert_int_equal(tn_loss_check_targets("kl_divergence", TN_F32, wide, 2, 0), TN_EINVAL);
    check_message("kl_divergence", "from 0 to 1");
    assert_int_equal(tn_loss_check_targets("msle", TN_F32, low, 2, 0), TN_EINVAL);
    check_message("msle", "above -1");
    assert_int_equal(tn_loss_check_targets("mse", TN_F32, hole, 2, 0), TN_EINVAL);
    check_message("mse", "not a number");
    assert_int_equal(tn_loss_check_targets("cross_entropy", TN_I32, labels, 2, 3), TN_EINVAL);
    check_message("cross_entropy", "is 3, but there are 3 classes");
    CHECK(tn_loss_check_targets("mse", TN_I32, labels, 2, 4));
    assert_int_equal(tn_loss_check_targets("mape", TN_I32, labels, 2, 4), TN_EINVAL);
    check_message("mape", "targets of 0 and 1");
}

/* ---- optimizers ---- */

static const struct {
    const char *name, *optimizer;
    tn_optim_options options;
    const double *golden;
} optimizers[] = {
    {"nesterov", "nesterov", {.lr = 0.05}, golden_nesterov},
    {"adagrad", "adagrad", {.lr = 0.05}, golden_adagrad},
    {"rmsprop", "rmsprop", {.lr = 0.05}, golden_rmsprop},
    {"adamw", "adamw", {.lr = 0.05}, golden_adamw},
    {"weight decay", "sgd", {.lr = 0.05, .weight_decay = 0.1}, golden_decay},
    {"clipped norm", "sgd", {.lr = 0.05, .clip_norm = 0.5}, golden_clip_norm},
    {"clipped values", "sgd", {.lr = 0.05, .clip_value = 0.25}, golden_clip_value},
};

static void optimizers_agree_with_their_formulas(void **state)
{
    bed b;
    float p[6];
    (void)state;
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers && open_bed(&b, 0); i++) {
        tn_graph *graph = tn_graph_new();
        tn_program *program = NULL;
        tn_tensor *x = tn_param(graph, "p", TN_SHAPE(6), (tn_init){.kind = TN_INIT_ZERO});
        tn_tensor *c = constant(graph, TN_SHAPE(6), 3);
        tn_tensor *q = tn_mul(tn_add(c, tn_number(c, 1.25)), tn_square(tn_sub(x, tn_number(x, 1))));
        tn_minimize(tn_mul(tn_sum(q, TN_ALL, 0), tn_number(q, 0.5)), optimizers[i].optimizer, optimizers[i].options);
        CHECK(tn_compile(graph, b.state, NULL, &program));
        fill(p, 6, 1);
        CHECK(tn_state_write(b.state, "p", p, sizeof p));
        for (int t = 0; t < 5; t++) CHECK(tn_program_run(program));
        CHECK(tn_state_read(b.state, "p", p, sizeof p));
        check_all(optimizers[i].name, p, optimizers[i].golden, 6);
        tn_program_free(program);
        tn_graph_free(graph);
        close_bed(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_agree_with_their_formulas),
        cmocka_unit_test(batch_normalisation_follows_its_batches_and_evaluates_by_what_it_saw),
        cmocka_unit_test(losses_agree_with_their_formulas),
        cmocka_unit_test(reductions_class_weights_and_smoothing_work_together),
        cmocka_unit_test(targets_that_a_loss_cannot_take_are_reported),
        cmocka_unit_test(optimizers_agree_with_their_formulas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
