/* scale.c: large graphs: deep ones need no deep stack, and compiling takes time in proportion to their size. Time is
 * the processor's. */
#include "harness.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "program.h"
#include "rewrite.h"

/* ---- deep graphs ---- */

enum { SMALL_STACK = 256 << 10 };

/* A chain of so many operators behind a parameter. */
static tn_tensor *chain(tn_graph *g, int length)
{
    tn_tensor *x = tn_param(g, "w", TN_SHAPE(2), (tn_init){.kind = TN_INIT_CONSTANT, .a = 1});
    for (int i = 0; i < length; i++) x = tn_sin(x);
    return tn_sum(x, TN_ALL, 0);
}

static void *differentiate(void *status)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *w = NULL, *grad = NULL, *loss = chain(g, 100000);
    tn_variables(g, TN_TRAINABLE, &w, 1);
    tn_grad(loss, &w, 1, &grad);
    tn_output(grad, "grad");
    *(tn_status *)status = tn_graph_status(g);
    tn_graph_free(g);
    return NULL;
}

static void *compile_chain(void *status)
{
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_program *p = NULL;
    tn_minimize(chain(g, 20000), "sgd", (tn_optim_options){0});
    *(tn_status *)status = tn_compile(g, f.state, NULL, &p);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
    return NULL;
}

/* Does it in a thread of little stack. A stack that is too small ends the program. */
static tn_status on_small_stack(void *(*work)(void *status))
{
    tn_status s = TN_EINVAL;
    pthread_attr_t attributes;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, SMALL_STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, work, &s), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    return s;
}

static void a_deep_graph_is_differentiated_and_freed_on_a_small_stack(void **state)
{
    (void)state;
    ok(on_small_stack(differentiate));
}

static void a_deep_graph_is_compiled_on_a_small_stack(void **state)
{
    (void)state;
    ok(on_small_stack(compile_chain));
}

/* ---- scalars ---- */

/* What a program makes of one number. */
static float fetched(fixture *f, tn_graph *g)
{
    float y = 0;
    run_once(f, g, NULL, NULL, 0, "y", &y, 1);
    tn_graph_free(g);
    return y;
}

static void a_long_expression_of_scalars_is_computed(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_scalar_input(g, "x", TN_F32, 1), *one = tn_scalar_input(g, "one", TN_F32, 1);
    for (int i = 0; i < 500; i++) x = i % 2 ? tn_add(x, one) : tn_max(x, tn_number(x, 0.5));
    tn_output(tn_mul(tn_full(g, TN_F32, TN_SHAPE(1), 2), x), "y");
    assert_near(fetched(&f, g), 502, 1e-6);
    drop_device(&f);
}

static void an_expression_of_scalars_that_is_used_twice_at_each_step_is_computed(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_scalar_input(g, "x", TN_F32, 1);
    for (int i = 0; i < 100; i++) x = tn_sub(tn_mul(x, tn_number(x, 2)), x);
    tn_output(tn_mul(tn_full(g, TN_F32, TN_SHAPE(1), 3), x), "y");
    assert_near(fetched(&f, g), 3, 1e-6);
    drop_device(&f);
}

static void scalars_are_kept_as_their_types_have_them(void **state)
{
    (void)state;
    static const struct {
        double value, expected;
        int32_t as; /* what the scalar is cast to before it is used as f32 */
    } cases[] = {{0.1, 0.0999755859375, TN_F16}, {0.1, 0.10009765625, TN_BF16}, {2.7, 2, TN_U8}, {-1.5, -1, TN_I32}};
    fixture f = use_device("reference", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_graph *g = tn_graph_new();
        tn_tensor *x = tn_scalar_input(g, "x", TN_F32, cases[i].value);
        x = tn_cast(tn_cast(x, cases[i].as), TN_F32);
        tn_output(tn_mul(tn_full(g, TN_F32, TN_SHAPE(1), 1), x), "y");
        assert_near(fetched(&f, g), cases[i].expected, 1e-9);
    }
    drop_device(&f);
}

static void a_scalar_input_of_whole_numbers_reaches_the_kernel(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_scalar_input(g, "x", TN_U8, 3), *many = tn_input(g, "many", TN_U8, TN_SHAPE(1));
    tn_output(tn_cast(tn_add(tn_cast(many, TN_I32), tn_cast(x, TN_I32)), TN_F32), "y");
    const uint8_t in = 4;
    float y = 0;
    tn_program *p = NULL;
    ok(tn_compile(g, f.state, NULL, &p));
    ok(tn_feed(p, "many", &in, 1));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", &y, sizeof y));
    assert_near(y, 7, 1e-9);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_scalar_is_asked_for_again_with_an_equal_value(void **state)
{
    (void)state;
    static const double equal[][2] = {{0.0, -0.0}, {NAN, -NAN}, {INFINITY, INFINITY}, {3, 3}};
    for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
        tn_graph *g = tn_graph_new();
        tn_tensor *x = tn_scalar_input(g, "x", TN_F32, equal[i][0]);
        assert_ptr_equal(tn_scalar_input(g, "x", TN_F32, equal[i][1]), x);
        if (tn_graph_status(g)) fail_msg("%g and %g: %s", equal[i][0], equal[i][1], tn_message());
        tn_scalar_input(g, "x", TN_F32, i ? 0 : NAN);
        assert_int_equal(tn_graph_status(g), TN_EINVAL);
        tn_graph_free(g);
    }
}

/* Only "step:" and the number of an optimizer is the state's. */
static void a_scalar_whose_name_begins_like_the_states_is_the_users(void **state)
{
    (void)state;
    static const char *const name[] = {"step:",   "step: 1", "step:1z", "step: 1z",
                                       "step:+1", "step:0",  "step:2",  "step:x1"};
    fixture f = use_device("reference", 1);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        float y = 0;
        tn_program *p = NULL;
        tn_graph *g = tn_graph_new();
        tn_tensor *w = tn_param(g, "w", TN_SHAPE(1), (tn_init){0});
        tn_output(tn_mul(tn_full(g, TN_F32, TN_SHAPE(1), 2), tn_scalar_input(g, name[i], TN_F32, 7)), "y");
        tn_minimize(tn_sum(tn_square(w), TN_ALL, 0), "adam", (tn_optim_options){.lr = 0.1});
        ok(tn_compile(g, f.state, NULL, &p));
        ok(tn_program_run(p));
        ok(tn_fetch(p, "y", &y, sizeof y));
        if (y != 14) fail_msg("'%s' is 7 and gave %g", name[i], (double)y / 2);
        ok(tn_set(p, name[i], 8));
        tn_program_free(p);
        tn_graph_free(g);
    }
    drop_device(&f);
}

/* The step count is a real number for an optimizer and a whole one for random numbers, in the same program. */
static void the_step_count_is_right_beside_random_numbers(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    for (int order = 0; order < 2; order++) {
        float random[2][4], step = 0;
        for (int both = 0; both < 2; both++) {
            tn_graph *g = tn_graph_new();
            tn_program *p = NULL;
            tn_tensor *count = tn_mul(tn_full(g, TN_F32, TN_SHAPE(1), 1), tn_scalar_input(g, "step", TN_F32, 0));
            if (both && !order) tn_output(count, "step");
            tn_output(tn_random_uniform(g, TN_SHAPE(4)), "random");
            if (both && order) tn_output(count, "step");
            tn_state_set_step(f.state, 3);
            ok(tn_compile(g, f.state, NULL, &p));
            ok(tn_program_run(p));
            ok(tn_fetch(p, "random", random[both], sizeof random[both]));
            if (both) ok(tn_fetch(p, "step", &step, sizeof step));
            tn_program_free(p);
            tn_graph_free(g);
        }
        assert_near(step, 3, 1e-9);
        assert_memory_equal(random[0], random[1], sizeof random[0]);
    }
    drop_device(&f);
}

/* ---- time ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* `count` layers, each with a variable of its own, in a training step. */
static tn_tensor *layers(tn_graph *g, int count)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 2));
    char name[32];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "fc%d", i);
        x = tn_linear(x, name, .units = 2);
    }
    return tn_mean_squared_error(x, tn_input(g, "target", TN_F32, TN_SHAPE(2, 2)));
}

static tn_tensor *steps(tn_graph *g, int count)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, count, 2));
    x = tn_recurrent(x, "lstm", NULL, .kind = TN_LSTM, .units = 2);
    return tn_sum(x, TN_ALL, 0);
}

static tn_tensor *branches(tn_graph *g, int count)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(8)), *sum = tn_param(g, "w", TN_SHAPE(8), (tn_init){0});
    for (int i = 0; i < count; i++) {
        tn_tensor *y = tn_sin(tn_mul(x, tn_number(x, i + 2)));
        sum = tn_add(sum, i % 2 ? tn_cumsum(y, 0, 0, 0) : y);
    }
    sum = tn_sum(sum, TN_ALL, 0);
    tn_output(sum, "sum");
    return sum;
}

/* Seconds to compile a training step, the least of three. */
static double seconds(tn_tensor *(*loss)(tn_graph *g, int count), int count)
{
    double least = INFINITY;
    fixture f = use_device("reference", 1);
    for (int i = 0; i < 3; i++) {
        tn_graph *g = tn_graph_new();
        tn_program *p = NULL;
        double begin = now();
        tn_minimize(loss(g, count), "adam", (tn_optim_options){0});
        ok(tn_compile(g, f.state, NULL, &p));
        least = fmin(least, now() - begin);
        tn_program_free(p);
        tn_graph_free(g);
    }
    drop_device(&f);
    return least;
}

typedef struct family {
    const char *name;
    tn_tensor *(*loss)(tn_graph *g, int count);
    int count;
} family;

enum { MOST = 100, ROUNDS = 5 };

/* How many times the time a graph of 16 times the size takes, the least of some rounds: what others do to the caches
 * costs a large graph more than a small one, for as long as it lasts. */
static double growth(const family *of)
{
    double least = INFINITY;
    for (int i = 0; i < ROUNDS && least > MOST; i++) {
        double few = seconds(of->loss, of->count), many = seconds(of->loss, 16 * of->count);
        print_message("%s: %.4f s for %d, %.3f s for %d\n", of->name, few, of->count, many, 16 * of->count);
        least = fmin(least, many / few);
    }
    return least;
}

/* A search or a walk for each tensor would make it 256 times the time. Large graphs leave the caches, small ones don't.
 */
static void sixteen_times_the_graph_takes_no_more_than_100_times_the_time(void **state)
{
    (void)state;
    static const family families[] = {{"layers", layers, 75}, {"steps", steps, 30}, {"branches", branches, 200}};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        double times = growth(&families[i]);
        if (times > MOST) fail_msg("%s: 16 times the graph takes %.0f times the time", families[i].name, times);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deep_graph_is_differentiated_and_freed_on_a_small_stack),
        cmocka_unit_test(a_deep_graph_is_compiled_on_a_small_stack),
        cmocka_unit_test(a_long_expression_of_scalars_is_computed),
        cmocka_unit_test(an_expression_of_scalars_that_is_used_twice_at_each_step_is_computed),
        cmocka_unit_test(scalars_are_kept_as_their_types_have_them),
        cmocka_unit_test(a_scalar_input_of_whole_numbers_reaches_the_kernel),
        cmocka_unit_test(a_scalar_is_asked_for_again_with_an_equal_value),
        cmocka_unit_test(a_scalar_whose_name_begins_like_the_states_is_the_users),
        cmocka_unit_test(the_step_count_is_right_beside_random_numbers),
        cmocka_unit_test(sixteen_times_the_graph_takes_no_more_than_100_times_the_time),
    };
    return cmocka_run_group_tests_name("scale", tests, NULL, NULL);
}
