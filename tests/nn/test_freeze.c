/* Frozen variables: they stay as they are to the bit, cost no gradients, and a name that is none is said. */
#include "check.h"

enum { N = 8, IN = 6, STEPS = 5 };

static const char *const devices[] = {"reference", "cpu", "opencl"};

/* Three layers; batch normalisation has running statistics, which training would move. */
static void build(tn_graph *graph, const char *freeze)
{
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(N, IN));
    tn_tensor *h = tn_tanh(tn_linear(x, "fc1", .units = 5));
    h = tn_tanh(tn_linear(tn_batch_norm(h, "bn1", .training = 1), "fc2", .units = 4));
    tn_tensor *loss = tn_mean(tn_square(tn_linear(h, "fc10", .units = 2)), TN_ALL, 0);
    tn_freeze(graph, freeze);
    tn_minimize(loss, "adam", (tn_optim_options){.lr = 0.1});
}

typedef struct kept {
    const char *name;
    size_t count;
    float before[32], after[32];
} kept;

/* Trains a little, reads variables before and after; returns the floating-point operations of a step, or -1 where
 * there is no such device. */
static double train(const char *device_name, const char *freeze, kept *all, size_t count)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    tn_program_report report;
    float x[N * IN];
    if (tn_device_open(device_name, &device)) return -1;
    for (int i = 0; i < N * IN; i++) x[i] = (float)(i * 37 % 11) / 5 - 1;
    tn_graph *graph = tn_graph_new();
    build(graph, freeze);
    CHECK(tn_state_new(device, 3, &state));
    CHECK(tn_compile(graph, state, NULL, &program));
    CHECK(tn_feed(program, "x", x, sizeof x));
    for (size_t i = 0; i < count; i++)
        CHECK(tn_state_read(state, all[i].name, all[i].before, all[i].count * sizeof(float)));
    for (int i = 0; i < STEPS; i++) CHECK(tn_program_run(program));
    for (size_t i = 0; i < count; i++)
        CHECK(tn_state_read(state, all[i].name, all[i].after, all[i].count * sizeof(float)));
    tn_program_get_report(program, &report);
    tn_program_free(program);
    tn_state_free(state);
    tn_device_close(device);
    tn_graph_free(graph);
    return report.flops;
}

static void frozen_variables_stay_to_the_bit_and_the_others_learn(void **state)
{
    static const struct {
        const char *freeze;
        int stays[5];
    } cases[] = {
        {"fc1", {1, 1, 0, 0, 0}},        {" fc1 , bn1", {1, 1, 1, 0, 0}},     {"*.bias", {0, 1, 0, 0, 0}},
        {"fc?.weight", {1, 0, 0, 1, 0}}, {"fc1.weight,bn*", {1, 0, 1, 0, 0}}, {"fc1*", {1, 1, 0, 0, 1}},
    };
    (void)state;
    for (size_t d = 0; d < 3; d++)
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            kept all[] = {{.name = "fc1.weight", .count = 30},
                          {.name = "fc1.bias", .count = 5},
                          {.name = "bn1.running_mean", .count = 5},
                          {.name = "fc2.weight", .count = 20},
                          {.name = "fc10.weight", .count = 8}};
            if (train(devices[d], cases[c].freeze, all, 5) < 0) break;
            for (int i = 0; i < 5; i++)
                if ((memcmp(all[i].before, all[i].after, all[i].count * sizeof(float)) == 0) != cases[c].stays[i])
                    fail_msg("%s, freeze '%s': %s %s", devices[d], cases[c].freeze, all[i].name,
                             cases[c].stays[i] ? "moved" : "stayed");
        }
}

static void gradients_of_frozen_layers_are_not_computed(void **state)
{
    (void)state;
    double whole = train("reference", "fc2.bias", NULL, 0), less = train("reference", "fc2.bias, fc1", NULL, 0);
    double least = train("reference", "fc2, fc1, bn1", NULL, 0);
    if (!(least < less && less < whole)) fail_msg("flops: %g, %g, %g", whole, less, least);
}

static void a_pattern_that_names_nothing_is_said(void **state)
{
    static const char *const unknown[] = {"fc3", "fc", "fc1.weigh", "", "fc1,,fc2", "FC1", "*x", "fc1.weight.x"};
    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        tn_graph *graph = tn_graph_new();
        tn_variable(graph, "data.x", TN_F32, TN_SHAPE(4), (tn_init){0}, TN_TRANSIENT); /* none to name */
        build(graph, unknown[i]);
        assert_int_equal(tn_graph_status(graph), TN_EMISSING);
        check_message(unknown[i], "no variable is called '");
        check_message(unknown[i], "'fc1.weight' to 'fc10.bias'");
        tn_graph_free(graph);
    }
}

static void all_frozen_is_nothing_to_train(void **state)
{
    tn_graph *graph = tn_graph_new();
    (void)state;
    build(graph, "*");
    assert_int_equal(tn_graph_status(graph), TN_EINVAL);
    check_message("all", "no parameters");
    tn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_variables_stay_to_the_bit_and_the_others_learn),
        cmocka_unit_test(gradients_of_frozen_layers_are_not_computed),
        cmocka_unit_test(a_pattern_that_names_nothing_is_said),
        cmocka_unit_test(all_frozen_is_nothing_to_train),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
