/* Normalisation: the epsilon of each kind, its usual value, which is PyTorch's, and its mistakes; and a batch
 * normalisation that one training graph uses twice. */
#include "check.h"

enum { BATCH = 2, CHANNELS = 4, LENGTH = 3, ALL = BATCH * CHANNELS * LENGTH };

/* Small numbers, so that an epsilon counts. */
static void fill(float *x, int seed)
{
    for (int i = 0; i < ALL; i++) x[i] = (float)((7 * i + 5 * seed + i * i) % 17 - 8) / 8192;
}

static tn_tensor *layer(tn_tensor *x, double epsilon)
{
    return tn_layer_norm(x, "ln1", .epsilon = epsilon);
}

static tn_tensor *rms(tn_tensor *x, double epsilon)
{
    return tn_rms_norm(x, "rms1", .epsilon = epsilon);
}

static tn_tensor *group(tn_tensor *x, double epsilon)
{
    return tn_group_norm(x, "gn1", 2, .epsilon = epsilon);
}

static tn_tensor *instance(tn_tensor *x, double epsilon)
{
    return tn_instance_norm(x, "in1", .epsilon = epsilon);
}

static tn_tensor *instance_plain(tn_tensor *x, double epsilon)
{
    return tn_instance_norm(x, NULL, .epsilon = epsilon);
}

/* Each normalises rows of so many elements that lie one after another. */
static const struct {
    const char *name, *word;
    tn_tensor *(*build)(tn_tensor *x, double epsilon);
    int row, centred;
    double usual;
} kinds[] = {{"layer", "layer_norm 0.25", layer, LENGTH, 1, 1e-5},
             {"rms", "rms_norm 0.25", rms, LENGTH, 0, 1.1920928955078125e-07},
             {"group", "group_norm 2 0.25", group, CHANNELS / 2 * LENGTH, 1, 1e-5},
             {"instance", "instance_norm 0.25", instance, LENGTH, 1, 1e-5},
             {"instance, plain", NULL, instance_plain, LENGTH, 1, 1e-5}};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* (x - mean) / sqrt(variance + epsilon) of element i. */
static double expected(size_t kind, const float *x, int i, double epsilon)
{
    int row = kinds[kind].row, first = i / row * row;
    double mean = 0, square = 0;
    for (int k = first; k < first + row && kinds[kind].centred; k++) mean += (double)x[k] / row;
    for (int k = first; k < first + row; k++) square += (x[k] - mean) * (x[k] - mean) / row;
    return (x[i] - mean) / sqrt(square + epsilon);
}

/* Runs a graph of "x" and "y". */
static void run(tn_graph *graph, const char *device, const float *x, float *y)
{
    check_bed b;
    check_start(&b, graph, device);
    CHECK(tn_feed(b.program, "x", x, ALL * sizeof *x));
    CHECK(tn_program_run(b.program));
    CHECK(tn_fetch(b.program, "y", y, ALL * sizeof *y));
    check_finish(&b, graph);
}

static tn_tensor *input(tn_graph *graph, const char *name)
{
    return tn_input(graph, name, TN_F32, TN_SHAPE(BATCH, CHANNELS, LENGTH));
}

static void an_epsilon_is_added_to_the_variance_and_is_pytorchs_unless_given(void **state)
{
    static const double epsilons[] = {0, 1e-12, 0.25, TN_ZERO};
    float x[ALL], y[ALL];
    fill(x, 1);
    for (size_t k = 0; k < KINDS; k++)
        for (int e = 0; e < 4; e++) {
            tn_graph *graph = tn_graph_new();
            tn_output(kinds[k].build(input(graph, "x"), epsilons[e]), "y");
            run(graph, *state, x, y);
            for (int i = 0; i < ALL; i++)
                check_near(kinds[k].name, y[i], expected(k, x, i, e ? fmax(epsilons[e], 0) : kinds[k].usual), 1e-5);
        }
}

static void a_networks_words_take_an_epsilon(void **state)
{
    float x[ALL], y[ALL];
    fill(x, 2);
    for (size_t k = 0; k < KINDS; k++) {
        if (!kinds[k].word) continue;
        tn_graph *graph = tn_graph_new();
        tn_output(tn_net(input(graph, "x"), kinds[k].word, (tn_net_options){0}), "y");
        run(graph, *state, x, y);
        for (int i = 0; i < ALL; i++) check_near(kinds[k].word, y[i], expected(k, x, i, 0.25), 1e-5);
    }
}

static void an_epsilon_that_is_none_is_named(void **state)
{
    static const double wrong[] = {-1e-5, NAN, INFINITY};
    (void)state;
    for (size_t k = 0; k < KINDS; k++)
        for (int e = 0; e < 3; e++) {
            tn_graph *graph = tn_graph_new();
            kinds[k].build(input(graph, "x"), wrong[e]);
            if (!tn_graph_status(graph)) fail_msg("%s: epsilon %g was taken", kinds[k].name, wrong[e]);
            check_message(kinds[k].name, "epsilon");
            tn_graph_free(graph);
        }
}

static void a_transformers_epsilon_is_that_of_its_normalisations(void **state)
{
    tn_graph *graph = tn_graph_new();
    (void)state;
    tn_transformer(input(graph, "x"), "t", .heads = 1, .epsilon = -1);
    assert_int_equal(tn_graph_status(graph), TN_EINVAL);
    check_message("transformer", "layer_norm 'norm1': the epsilon -1 is not a number above 0 [in t.]");
    tn_graph_free(graph);
}

/* ---- one batch normalisation, two uses ---- */

/* What PyTorch's running statistics of channel c become after a batch. */
static void follow(const float *x, int c, double *mean, double *variance)
{
    const int count = BATCH * LENGTH;
    double sum = 0, square = 0;
    for (int b = 0; b < BATCH; b++)
        for (int i = 0; i < LENGTH; i++) sum += x[(b * CHANNELS + c) * LENGTH + i];
    for (int b = 0; b < BATCH; b++)
        for (int i = 0; i < LENGTH; i++) square += pow(x[(b * CHANNELS + c) * LENGTH + i] - sum / count, 2);
    *mean = 0.9 * *mean + 0.1 * sum / count;
    *variance = 0.9 * *variance + 0.1 * square / (count - 1);
}

static void one_batch_norm_used_twice_follows_each_use_in_turn(void **state)
{
    check_bed b;
    float x[ALL], z[ALL], mean[CHANNELS], variance[CHANNELS];
    tn_graph *graph = tn_graph_new();
    tn_tensor *first = tn_batch_norm(input(graph, "x"), "bn", .training = 1);
    tn_tensor *second = tn_batch_norm(tn_exp(input(graph, "z")), "bn", .training = 1);
    tn_minimize(tn_mean(tn_square(tn_sub(first, second)), TN_ALL, 0), "sgd", (tn_optim_options){.lr = 0.1});
    CHECK(tn_graph_status(graph));
    check_start(&b, graph, *state);
    fill(x, 1);
    fill(z, 2);
    CHECK(tn_feed(b.program, "x", x, sizeof x));
    CHECK(tn_feed(b.program, "z", z, sizeof z));
    for (int i = 0; i < 2; i++) CHECK(tn_program_run(b.program));
    CHECK(tn_state_read(b.state, "bn.running_mean", mean, sizeof mean));
    CHECK(tn_state_read(b.state, "bn.running_var", variance, sizeof variance));
    for (int i = 0; i < ALL; i++) z[i] = expf(z[i]);
    for (int c = 0; c < CHANNELS; c++) {
        double m = 0, v = 1;
        for (int i = 0; i < 2; i++) follow(x, c, &m, &v), follow(z, c, &m, &v);
        check_near("running_mean", mean[c], m, 1e-5);
        check_near("running_var", variance[c], v, 1e-5);
    }
    check_finish(&b, graph);
}

static void what_is_assigned_again_takes_the_place_of_what_was(void **state)
{
    check_bed b;
    float value = 0;
    tn_graph *graph = tn_graph_new();
    tn_tensor *v = tn_variable(graph, "v", TN_F32, TN_SCALAR, (tn_init){.kind = TN_INIT_CONSTANT, .a = 3}, 0);
    assert_ptr_equal(tn_assigned(v), v);
    for (int i = 0; i < 3; i++) tn_assign_again(v, tn_mul(tn_assigned(v), tn_number(v, 2)));
    check_start(&b, graph, *state);
    CHECK(tn_program_run(b.program));
    CHECK(tn_state_read(b.state, "v", &value, sizeof value));
    check_near("v", value, 24, 0);
    tn_assign(v, v);
    assert_int_equal(tn_graph_status(graph), TN_EINVAL);
    check_message("v", "assigned twice");
    check_finish(&b, graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_DEVICE(an_epsilon_is_added_to_the_variance_and_is_pytorchs_unless_given),
        ON_EVERY_DEVICE(a_networks_words_take_an_epsilon),
        cmocka_unit_test(an_epsilon_that_is_none_is_named),
        cmocka_unit_test(a_transformers_epsilon_is_that_of_its_normalisations),
        ON_EVERY_DEVICE(one_batch_norm_used_twice_follows_each_use_in_turn),
        ON_DEVICE(what_is_assigned_again_takes_the_place_of_what_was, "reference"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
