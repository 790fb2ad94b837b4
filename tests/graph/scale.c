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
static double seconds(fixture *f, tn_tensor *(*loss)(tn_graph *g, int count), int count)
{
    double least = INFINITY;
    for (int i = 0; i < 3; i++) {
        tn_graph *g = tn_graph_new();
        tn_program *p = NULL;
        double begin = now();
        tn_minimize(loss(g, count), "adam", (tn_optim_options){0});
        ok(tn_compile(g, f->state, NULL, &p));
        least = fmin(least, now() - begin);
        tn_program_free(p);
        tn_graph_free(g);
    }
    return least;
}

/* A search or a walk for each tensor would make it 256 times the time. Large graphs leave the caches, small ones don't.
 */
static void sixteen_times_the_graph_takes_no_more_than_100_times_the_time(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        tn_tensor *(*loss)(tn_graph *g, int count);
        int count;
    } families[] = {{"layers", layers, 75}, {"steps", steps, 30}, {"branches", branches, 200}};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        fixture f = use_device("reference", 1);
        double few = seconds(&f, families[i].loss, families[i].count);
        double many = seconds(&f, families[i].loss, 16 * families[i].count);
        print_message("%s: %.4f s for %d, %.3f s for %d\n", families[i].name, few, families[i].count, many,
                      16 * families[i].count);
        if (many > 100 * few)
            fail_msg("%s: %d take %.4f s, but %d %.3f s", families[i].name, families[i].count, few,
                     16 * families[i].count, many);
        drop_device(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deep_graph_is_differentiated_and_freed_on_a_small_stack),
        cmocka_unit_test(a_deep_graph_is_compiled_on_a_small_stack),
        cmocka_unit_test(a_long_expression_of_scalars_is_computed),
        cmocka_unit_test(an_expression_of_scalars_that_is_used_twice_at_each_step_is_computed),
        cmocka_unit_test(sixteen_times_the_graph_takes_no_more_than_100_times_the_time),
    };
    return cmocka_run_group_tests_name("scale", tests, NULL, NULL);
}
