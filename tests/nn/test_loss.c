/* Losses and counting: values worked out by hand or with more digits than f32 has, extreme logits, and mistakes. */
#include "check.h"

/* Builds something of one element from the inputs x (2, n) and t. */
typedef tn_tensor *builder(tn_tensor *x, tn_tensor *t);

/* The value on the reference device. */
static double value(builder *build, const float *x, int64_t columns, int32_t dtype, const void *t, tn_shape t_shape)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    tn_graph *graph = tn_graph_new();
    float result = -77;
    tn_tensor *input = tn_input(graph, "x", TN_F32, TN_SHAPE(2, columns));
    tn_output(build(input, tn_input(graph, "t", dtype, t_shape)), "y");
    CHECK(tn_device_open("reference", &device));
    CHECK(tn_state_new(device, 1, &state));
    CHECK(tn_compile(graph, state, NULL, &program));
    CHECK(tn_feed(program, "x", x, (uint64_t)(2 * columns) * sizeof *x));
    CHECK(tn_feed(program, "t", t, (uint64_t)tn_shape_count(&t_shape) * 4));
    CHECK(tn_program_run(program));
    CHECK(tn_fetch(program, "y", &result, sizeof result));
    tn_program_free(program);
    tn_state_free(state);
    tn_device_close(device);
    tn_graph_free(graph);
    return result;
}

static const float logits[] = {1, 2, 3, -1, 0, 5}, targets[] = {0, 2, 1, 0, 0, 1};
static const int32_t labels[] = {2, 0};

static void squared_errors_are_means_over_elements_and_halves_over_the_batch(void **state)
{
    (void)state; /* errors 1 0 2, -1 0 4: squares 1 0 4 1 0 16 */
    check_near("mse", value(tn_mean_squared_error, logits, 3, TN_F32, targets, TN_SHAPE(2, 3)), 22.0 / 6, 1e-6);
    check_near("half_mse", value(tn_half_squared_error, logits, 3, TN_F32, targets, TN_SHAPE(2, 3)), 22.0 / 2 / 2,
               1e-6);
}

static void cross_entropy_is_right_and_stable(void **state)
{
    const float huge[] = {1e4f, -1e4f, 0, -1e4f, 1e4f, 0};
    const int32_t right[] = {0, 1}, wrong[] = {1, 0};
    (void)state; /* log(e^-2 + e^-1 + 1) = 0.40760596444438, 6 + log(e^-6 + e^-5 + 1) = 6.00917446653 */
    check_near("plain", value(tn_cross_entropy, logits, 3, TN_I32, labels, TN_SHAPE(2)),
               (0.40760596444438 + 6.0091744665) / 2, 1e-6);
    check_near("sure and right", value(tn_cross_entropy, huge, 3, TN_I32, right, TN_SHAPE(2)), 0, 0);
    check_near("sure and wrong", value(tn_cross_entropy, huge, 3, TN_I32, wrong, TN_SHAPE(2)), 2e4, 1e-6);
}

static tn_tensor *weighted(tn_tensor *x, tn_tensor *t)
{
    const tn_init ones = {.kind = TN_INIT_CONSTANT, .a = 1};
    tn_tensor *class = tn_iota(tn_graph_of(x), TN_SHAPE(3), 0);
    tn_tensor *first = tn_variable(tn_graph_of(x), "w", TN_F32, TN_SHAPE(3), ones, 0);
    tn_tensor *weight = tn_where(tn_eq(class, tn_number(class, 1)), first, tn_number(first, 0));
    return tn_loss_with("cross_entropy", x, t, (tn_loss_options){.weight = weight});
}

static void samples_of_no_weight_have_no_loss(void **state)
{
    const int32_t some[] = {1, 2};
    (void)state; /* 1 + log(e^-2 + e^-1 + 1) */
    check_near("one of two", value(weighted, logits, 3, TN_I32, some, TN_SHAPE(2)), 1.40760596444438, 1e-6);
    check_near("none", value(weighted, logits, 3, TN_I32, labels, TN_SHAPE(2)), 0, 0);
}

static void binary_cross_entropy_is_right_and_stable(void **state)
{
    const float some[] = {0, 2}, yes[] = {1, 1}, huge[] = {-1e4f, 1e4f}, no[] = {0, 1};
    (void)state; /* log 2, and log(1 + e^-2) */
    check_near("plain", value(tn_binary_cross_entropy, some, 1, TN_F32, yes, TN_SHAPE(2, 1)),
               (0.69314718056 + 0.12692801104) / 2, 1e-6);
    check_near("right", value(tn_binary_cross_entropy, huge, 1, TN_F32, no, TN_SHAPE(2, 1)), 0, 0);
    check_near("half wrong", value(tn_binary_cross_entropy, huge, 1, TN_F32, yes, TN_SHAPE(2, 1)), 5e3, 1e-6);
}

static tn_tensor *mse_by_name(tn_tensor *x, tn_tensor *t)
{
    return tn_loss("mse", x, t);
}

static tn_tensor *bce_by_name(tn_tensor *x, tn_tensor *t)
{
    return tn_loss("binary_cross_entropy", x, t);
}

static void labels_become_one_hot_or_0_and_1_where_the_loss_wants_targets(void **state)
{
    const float some[] = {0, 2};
    const int32_t yes[] = {1, 1};
    (void)state; /* one-hot (0 0 1), (1 0 0): errors 1 2 2, -2 0 5 */
    check_near("mse", value(mse_by_name, logits, 3, TN_I32, labels, TN_SHAPE(2)), 38.0 / 6, 1e-6);
    check_near("bce", value(bce_by_name, some, 1, TN_I32, yes, TN_SHAPE(2)), (0.69314718056 + 0.12692801104) / 2, 1e-6);
}

/* (2, 3) as a sequence of two steps, of labels (1, 2). */
static tn_tensor *count_steps(tn_tensor *x, tn_tensor *t)
{
    return tn_count_correct(tn_reshape(x, TN_SHAPE(1, 2, 3)), tn_reshape(t, TN_SHAPE(1, 2)));
}

static void right_answers_are_counted(void **state)
{
    const float one[] = {-0.5f, 0.5f}, t[] = {0, 1, 1, 0, 0, 1};
    const float signs[] = {-1, 1, 1, -1, 1, 1};
    const int32_t both[] = {0, 1}, none[] = {1, 0};
    (void)state;
    check_near("arg-max", value(tn_count_correct, logits, 3, TN_I32, labels, TN_SHAPE(2)), 1, 0);
    check_near("steps", value(count_steps, logits, 3, TN_I32, labels, TN_SHAPE(2)), 1, 0);
    check_near("one output", value(tn_count_correct, one, 1, TN_I32, both, TN_SHAPE(2)), 2, 0);
    check_near("one output", value(tn_count_correct, one, 1, TN_I32, none, TN_SHAPE(2)), 0, 0);
    check_near("a sample counts if all its outputs are right",
               value(tn_count_correct, signs, 3, TN_F32, t, TN_SHAPE(2, 3)), 1, 0);
}

static void targets_of_another_shape_are_refused_rather_than_broadcast(void **state)
{
    static const struct {
        const char *loss;
        int32_t dtype;
        tn_shape target;
        const char *say;
    } cases[] = {
        {"mse", TN_F32, {1, {4}}, "(4, 1)"},
        {"half_mse", TN_F32, {2, {4, 3}}, "(4, 3)"},
        {"binary_cross_entropy", TN_F32, {1, {4}}, "(4)"},
        {"cross_entropy", TN_I32, {1, {5}}, "(5)"},
        {"cross_entropy", TN_F32, {2, {4, 1}}, "i32"},
        {"cross_entropy", TN_I32, {1, {4}}, "binary_cross_entropy takes one"},
        {"nll", TN_I32, {1, {4}}, "1 output(s) for each label"},
        {"cross_entropi", TN_I32, {1, {4}}, "'cross_entropy'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tn_graph *graph = tn_graph_new();
        tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(4, 1));
        tn_loss(cases[i].loss, x, tn_input(graph, "t", cases[i].dtype, cases[i].target));
        if (!tn_graph_status(graph)) fail_msg("case %zu was taken", i);
        check_message(cases[i].loss, cases[i].say);
        tn_graph_free(graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squared_errors_are_means_over_elements_and_halves_over_the_batch),
        cmocka_unit_test(cross_entropy_is_right_and_stable),
        cmocka_unit_test(samples_of_no_weight_have_no_loss),
        cmocka_unit_test(binary_cross_entropy_is_right_and_stable),
        cmocka_unit_test(labels_become_one_hot_or_0_and_1_where_the_loss_wants_targets),
        cmocka_unit_test(right_answers_are_counted),
        cmocka_unit_test(targets_of_another_shape_are_refused_rather_than_broadcast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
