/* found.c: graphs that random programs have found to be wrong, each as it was printed by the shrinker. They are judged
 * on the devices that are always there. */
#include "generate.h"
#include "judge.h"

#include <stdlib.h>

#include "near.h"

/* A step for random numbers and one for the optimizer were the same scalar, of the type of the first. */
static void adam_counts_its_steps_beside_random_numbers(tn_graph *graph)
{
    tn_tensor *t0 = tn_input(graph, "x0", TN_F32, TN_SHAPE(0, 0, 0));
    tn_tensor *t1 = tn_add(t0, tn_cast(tn_random_uniform(graph, tn_shape_of(t0)), tn_dtype_of(t0)));
    tn_param(graph, "x39", TN_SCALAR, (tn_init){.kind = TN_INIT_UNIFORM, .a = 1});
    tn_tensor *t3 = tn_input(graph, "x43", TN_F32, TN_SCALAR);
    tn_minimize(t3, "adam", (tn_optim_options){.lr = 0, .weight_decay = 1});
    tn_output(t1, "y73");
}

/* The gradient was put where the second is, and the first was updated with what lay there. */
static void two_biases_of_one_gradient_are_both_updated(tn_graph *graph)
{
    tn_tensor *t0 = tn_input(graph, "p6", TN_F32, TN_SHAPE(1, 1, 1));
    tn_tensor *t2 = tn_recurrent(t0, "w5", NULL, .kind = 1, .units = 1, .layers = 0, .bidirectional = 1);
    tn_tensor *t3 = tn_mean(tn_square(t2), TN_ALL, 0);
    tn_minimize(t3, "momentum", (tn_optim_options){.lr = 0, .amsgrad = 0, .centered = 0, .momentum = 0});
}

/* The largest was stored as f32, and what was computed again in double precision was never equal to it. */
static void the_largest_is_found_again_where_it_is_computed_again(tn_graph *graph)
{
    tn_tensor *t0 = tn_full(graph, TN_F32, TN_SHAPE(4, 4), 1);
    tn_tensor *t1 = tn_rms_norm(t0, "w2");
    tn_tensor *t2 = tn_amax(t1, TN_ALL, 0);
    tn_minimize(t2, "adadelta", (tn_optim_options){.lr = 0, .weight_decay = 0});
}

/* The sum of the exponentials is close to 1, so that its logarithm has few digits. */
static void a_logarithm_of_softmax_close_to_0_has_the_digits_of_1(tn_graph *graph)
{
    tn_tensor *t0 = tn_input(graph, "k0", TN_F32, TN_SHAPE(7, 7, 7));
    tn_output(tn_log_softmax(tn_matmul_t(t0, t0, 0, 1), 0), "y13");
}

/* The mean of equal numbers was not that number, so that the difference was not 0. */
static void normalizing_what_is_all_the_same(tn_graph *graph)
{
    tn_tensor *t0 = tn_variable(graph, "x1", TN_F32, TN_SHAPE(3, 1, 3), (tn_init){.kind = TN_INIT_CONSTANT, .a = 1}, 0);
    tn_output(tn_all(tn_normalize(t0, TN_AXES(0, 2), 1e-2), TN_ALL, 0), "y51");
}

/* Zeros of either sign lead to either side. */
static void the_angle_of_zero_is_on_either_side(tn_graph *graph)
{
    tn_tensor *t0 = tn_input(graph, "x10", TN_F32, TN_SHAPE(2, 2)), *t1 = tn_input(graph, "i11", TN_I32, TN_SHAPE(2));
    tn_tensor *t3 = tn_full(graph, TN_F32, TN_SCALAR, -1.25);
    tn_output(tn_atan2(tn_loss_with("cross_entropy", t0, t1, (tn_loss_options){.ignored = 1}), t3), "y29");
}

/* What is computed once for a map and once for another is rounded in one of them alone. */
static void a_random_number_is_computed_twice(tn_graph *graph)
{
    tn_output(tn_soft_shrink(tn_random_normal(graph, TN_SHAPE(50)), 0.5), "y16");
}

/* A picture with an infinity in it. */
static void means_of_windows_over_an_infinity(tn_graph *graph)
{
    tn_tensor *t0 = tn_input(graph, "x2", TN_F32, TN_SHAPE(1, 1, 2));
    tn_output(tn_adaptive_avgpool1d(tn_log(t0), 3), "y17");
}

/* Numbers that f32 takes for 1 are equal, and the first of them is the largest. */
static void the_largest_of_what_is_rounded_to_1(tn_graph *graph)
{
    tn_tensor *t0 = tn_input(graph, "x0", TN_F32, TN_SHAPE(3, 126)), *t1 = tn_input(graph, "i41", TN_I32, TN_SHAPE(3));
    tn_tensor *t2 = tn_tanh(tn_mul(tn_add(t0, tn_number(t0, 2)), tn_number(t0, 8)));
    tn_output(tn_count_correct(t2, t1), "y54");
    tn_output(tn_argmax(t2, 1), "y55");
}

/* A difference that cancels is 0 for a device, and no other number is told from 0 so well. */
static void what_is_left_of_a_small_number_by_tanh_shrink(tn_graph *graph)
{
    tn_tensor *t0 = tn_param(graph, "k1", TN_SHAPE(30, 30), (tn_init){.kind = TN_INIT_UNIFORM, .a = 0.05});
    tn_output(tn_logical_and(t0, tn_tanh_shrink(t0)), "y65");
}

/* What is rounded when it is stored was computed again where it was used, and never stored. */
static void random_numbers_are_rounded_by_a_type_that_is_stored(tn_graph *graph)
{
    tn_tensor *t0 = tn_random_normal(graph, TN_SHAPE(7, 1));
    tn_tensor *t1 = tn_cast(tn_cast(t0, TN_U8), tn_dtype_of(t0));
    tn_output(t1, "y21");
}

/* A batch of matrices without an element was taken for one matrix, and the other factor for a batch of its own. */
static void one_matrix_times_a_batch_of_nothing(tn_graph *graph)
{
    tn_tensor *t0 = tn_input(graph, "x4", TN_F32, TN_SHAPE(1, 3, 1));
    tn_tensor *t1 = tn_param(graph, "x5", TN_SHAPE(11, 1, 0), (tn_init){.kind = TN_INIT_UNIFORM, .a = 1});
    tn_tensor *t2 = tn_matmul_t(t0, tn_swap_axes(t1, -1, -2), 0, 1);
    tn_output(t2, "y17");
}

#define FOUND(graph)                                                                                                   \
    {                                                                                                                  \
#graph, graph                                                                                                  \
    }
/* Padding times NaN is NaN or nothing. */
static void weights_of_a_window_over_padding_and_nan(tn_graph *graph)
{
    tn_tensor *t0 = tn_input(graph, "x3", TN_F32, TN_SHAPE(1, 1, 0, 0));
    tn_tensor *t1 =
        tn_conv2d(t0, "w2", .filters = 1, .kernel = {1, 0}, .stride = {0}, .pad = {1, 1}, .groups = 0, .no_bias = 0);
    tn_tensor *t2 = tn_atan2(t1, t1);
    tn_tensor *t4 = tn_sum(t2, TN_ALL, 1);
    tn_minimize(t4, "sgd", (tn_optim_options){.lr = 0, .amsgrad = 0, .centered = 0, .momentum = 0});
}

/* What is left of the difference to their mean is 0 if the mean is rounded, and not if their quotient is not. */
static void whether_anything_is_left_of_what_is_all_the_same(tn_graph *graph)
{
    tn_tensor *t0 = tn_input(graph, "x0", TN_F32, TN_SHAPE(1, 1, 33));
    tn_tensor *t1 = tn_param(graph, "x3", TN_SCALAR, (tn_init){.kind = TN_INIT_UNIFORM, .a = 1});
    tn_tensor *t2 = tn_logical_and(t0, t1);
    tn_tensor *t3 = tn_input(graph, "p7", TN_F32, TN_SHAPE(1, 4, 1));
    tn_tensor *t4 = tn_div(t2, t3);
    tn_tensor *t5 = tn_layer_norm(t4, "w14");
    tn_tensor *t6 = tn_any(t5, TN_AXES(1), 0);
    tn_output(t6, "y41");
}

/* Far below 0 its slope is the difference of two numbers near 1, times what may be large. */
static void a_steep_slope_through_gelu_far_below_0(tn_graph *graph)
{
    tn_tensor *t0 = tn_param(graph, "x0", TN_SHAPE(64), (tn_init){.kind = TN_INIT_UNIFORM, .a = 6});
    tn_tensor *t1 = tn_mul(tn_gelu(t0), tn_number(t0, 1e5));
    tn_minimize(tn_sum(t1, TN_ALL, 0), "sgd", (tn_optim_options){.lr = 0.01});
}

static const struct {
    const char *name;
    void (*build)(tn_graph *graph);
} found[] = {
    FOUND(adam_counts_its_steps_beside_random_numbers),
    FOUND(two_biases_of_one_gradient_are_both_updated),
    FOUND(the_largest_is_found_again_where_it_is_computed_again),
    FOUND(a_logarithm_of_softmax_close_to_0_has_the_digits_of_1),
    FOUND(normalizing_what_is_all_the_same),
    FOUND(the_angle_of_zero_is_on_either_side),
    FOUND(a_random_number_is_computed_twice),
    FOUND(means_of_windows_over_an_infinity),
    FOUND(the_largest_of_what_is_rounded_to_1),
    FOUND(what_is_left_of_a_small_number_by_tanh_shrink),
    FOUND(random_numbers_are_rounded_by_a_type_that_is_stored),
    FOUND(weights_of_a_window_over_padding_and_nan),
    FOUND(one_matrix_times_a_batch_of_nothing),
    FOUND(whether_anything_is_left_of_what_is_all_the_same),
    FOUND(a_steep_slope_through_gelu_far_below_0),
};

static void judge_all(const char *name)
{
    tn_device *device = NULL;
    if (tn_device_open(name, &device)) fail_msg("%s", tn_message());
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        for (uint64_t seed = 1; seed < 5; seed++) {
            tn_verdict verdict;
            tn_graph *graph = tn_graph_new();
            found[i].build(graph);
            if (tn_judge(graph, device, seed, &verdict)) fail_msg("%s: %s", found[i].name, tn_message());
            if (verdict.wrong) fail_msg("%s, seed %d: %s", found[i].name, (int)seed, verdict.text);
            tn_graph_free(graph);
        }
    tn_device_close(device);
}

static void what_was_found_is_right_on_the_reference(void **state)
{
    (void)state;
    judge_all("reference");
}

static void what_was_found_is_right_on_cpu(void **state)
{
    (void)state;
    tn_device *cpu = NULL;
    if (tn_device_open("cpu", &cpu)) skip();
    tn_device_close(cpu);
    judge_all("cpu");
}

/* ---- random programs themselves ---- */

static void a_seed_and_a_number_give_the_same_program(void **state)
{
    (void)state;
    static tn_recipe one, two;
    char *first = NULL, *second = NULL;
    size_t sizes[2];
    assert_int_equal(tn_generate(7, 30, &one), TN_OK);
    assert_int_equal(tn_generate(7, 30, &two), TN_OK);
    FILE *a = open_memstream(&first, &sizes[0]), *b = open_memstream(&second, &sizes[1]);
    tn_recipe_print(&one, a), tn_recipe_print(&two, b);
    fclose(a), fclose(b);
    assert_string_equal(first, second);
    free(first), free(second);
}

/* Every rule but for those that hardly any program has; so that no chooser fails for ever. */
static void programs_use_the_whole_interface(void **state)
{
    (void)state;
    static unsigned char used[1000];
    static tn_recipe recipe;
    for (uint64_t number = 0; number < 1500; number++) {
        assert_int_equal(tn_generate(1, number, &recipe), TN_OK);
        for (uint32_t i = 0; i < recipe.count; i++) used[recipe.step[i].rule] = 1;
    }
    for (int32_t i = 0; tn_rule_at(i); i++)
        if (!used[i]) fail_msg("no program has a step '%s'", tn_rule_at(i)->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_found_is_right_on_the_reference),
        cmocka_unit_test(what_was_found_is_right_on_cpu),
        cmocka_unit_test(a_seed_and_a_number_give_the_same_program),
        cmocka_unit_test(programs_use_the_whole_interface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
