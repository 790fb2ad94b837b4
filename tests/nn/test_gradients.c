/* The public gradient checker: it passes right gradients, finds wrong ones, and leaves the user's things alone. */
#include "check.h"

static const tn_init random_init = {.kind = TN_INIT_NORMAL, .a = 0.7};

static tn_tensor *mean_square(tn_tensor *x)
{
    return tn_mean(tn_square(x), TN_ALL, 0);
}

static void a_network_with_every_kind_of_layer_has_right_gradients(void **state)
{
    (void)state;
    float x[2 * 3 * 6 * 6];
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = (float)((i * 37 % 101) / 50.0 - 1);
    const int32_t label[2] = {1, 0};
    tn_gradient_error result[16];
    size_t count = 0;
    tn_graph *graph = tn_graph_new();
    tn_tensor *y = tn_input(graph, "x", TN_F32, TN_SHAPE(2, 3, 6, 6));
    y = tn_batch_norm(tn_conv2d(y, "conv1", .filters = 4, .kernel = {3, 3}), "bn1", .training = 1);
    y = tn_dropout(tn_flatten(tn_maxpool2d(tn_tanh(y), .window = {2, 2})), 0.3);
    y = tn_linear(tn_layer_norm(y, "ln"), "fc1", .units = 3);
    tn_tensor *loss = tn_cross_entropy(y, tn_input(graph, "label", TN_I32, TN_SHAPE(2)));
    tn_minimize(loss, "adam", (tn_optim_options){.lr = 0.1});
    const tn_value_of in[] = {{"x", x}, {"label", label}};
    CHECK(tn_check_gradients(loss, in, 2, &(tn_gradient_options){.elements = 7}, result, 16, &count));
    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++) {
        if (!(result[i].error < 1e-6))
            fail_msg("%s: element %lld: %g against %g", result[i].name, (long long)result[i].element,
                     result[i].gradient, result[i].difference);
        if (result[i].compared < 1) fail_msg("%s: nothing was compared", result[i].name);
    }
    tn_graph_free(graph);
}

/* tn_dynamic_slice has no gradient: what tn_grad says of its operand is wrong, on purpose here. */
static void a_gradient_that_is_missing_is_found(void **state)
{
    (void)state;
    tn_gradient_error result[2];
    size_t count = 0;
    tn_graph *graph = tn_graph_new();
    tn_tensor *w = tn_param(graph, "w", TN_SHAPE(4, 2), random_init),
              *v = tn_param(graph, "v", TN_SHAPE(3), random_init);
    tn_tensor *start = tn_scalar_input(graph, "start", TN_I32, 1);
    tn_tensor *loss = tn_add(mean_square(tn_dynamic_slice(w, start, 2)), mean_square(v));
    CHECK(tn_check_gradients(loss, NULL, 0, NULL, result, 2, &count));
    assert_int_equal(count, 2);
    assert_string_equal(result[0].name, "w");
    check_near("error of w", result[0].error, 1, 1e-9);
    assert_true(result[0].element >= 2 && result[0].element < 6);
    assert_true(result[1].error < 1e-8);
    tn_graph_free(graph);
}

static void an_element_at_a_kink_is_left_out(void **state)
{
    (void)state;
    const float w[3] = {-1, 0, 2};
    tn_device *device = NULL;
    tn_state *values = NULL;
    tn_gradient_error result;
    CHECK(tn_device_open("cpu", &device));
    CHECK(tn_state_new(device, 1, &values));
    CHECK(tn_state_put(values, "w", TN_F32, TN_SHAPE(3), TN_TRAINABLE, w));
    tn_graph *graph = tn_graph_new();
    tn_tensor *loss = tn_sum(tn_relu(tn_param(graph, "w", TN_SHAPE(3), random_init)), TN_ALL, 0);
    CHECK(tn_check_gradients(loss, NULL, 0, &(tn_gradient_options){.state = values}, &result, 1, NULL));
    assert_int_equal(result.compared, 2);
    assert_true(result.error < 1e-8);
    tn_graph_free(graph);
    tn_state_free(values);
    tn_device_close(device);
}

static void values_come_from_the_state_and_stay_there(void **state)
{
    (void)state;
    const float w[2] = {3, -5};
    float kept[2];
    tn_device *device = NULL;
    tn_state *values = NULL;
    tn_gradient_error result;
    CHECK(tn_device_open("cpu", &device));
    CHECK(tn_state_new(device, 1, &values));
    CHECK(tn_state_put(values, "w", TN_F32, TN_SHAPE(2), TN_TRAINABLE, w));
    tn_graph *graph = tn_graph_new();
    tn_tensor *loss = tn_sum(tn_square(tn_param(graph, "w", TN_SHAPE(2), random_init)), TN_ALL, 0);
    tn_gradient_options options = {.state = values, .device = device, .elements = 1};
    CHECK(tn_check_gradients(loss, NULL, 0, &options, &result, 1, NULL));
    check_near("gradient", result.gradient, 6, 1e-12);
    check_near("difference", result.difference, 6, 1e-9);
    CHECK(tn_state_read(values, "w", kept, sizeof kept));
    assert_memory_equal(kept, w, sizeof w);
    tn_graph_free(graph);
    tn_state_free(values);
    tn_device_close(device);
}

/* The loss depends on a counter that each run moves on. */
static void assignments_do_not_count(void **state)
{
    (void)state;
    tn_gradient_error result;
    tn_graph *graph = tn_graph_new();
    tn_tensor *w = tn_param(graph, "w", TN_SHAPE(2), random_init);
    tn_tensor *runs = tn_variable(graph, "runs", TN_F32, TN_SCALAR, (tn_init){TN_INIT_CONSTANT, .a = 1}, 0);
    tn_assign(runs, tn_add(runs, tn_number(runs, 1)));
    tn_tensor *loss = tn_mul(runs, tn_sum(tn_square(w), TN_ALL, 0));
    CHECK(tn_check_gradients(loss, NULL, 0, NULL, &result, 1, NULL));
    assert_int_equal(result.compared, 2);
    assert_true(result.error < 1e-8);
    tn_graph_free(graph);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    const float x = 1;
    tn_graph *graph = tn_graph_new();
    tn_tensor *w = tn_param(graph, "w", TN_SHAPE(2), random_init), *loss = tn_sum(w, TN_ALL, 0);
    const tn_value_of in = {"nothing", &x};
    assert_int_equal(tn_check_gradients(loss, &in, 1, NULL, NULL, 0, NULL), TN_EMISSING);
    check_message("an unknown input", "nothing");
    tn_graph_free(graph);
    graph = tn_graph_new();
    w = tn_param(graph, "w", TN_SHAPE(2), random_init);
    assert_int_not_equal(tn_check_gradients(w, NULL, 0, NULL, NULL, 0, NULL), TN_OK);
    tn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_with_every_kind_of_layer_has_right_gradients),
        cmocka_unit_test(a_gradient_that_is_missing_is_found),
        cmocka_unit_test(an_element_at_a_kink_is_left_out),
        cmocka_unit_test(values_come_from_the_state_and_stay_there),
        cmocka_unit_test(assignments_do_not_count),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}
