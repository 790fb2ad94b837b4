/* banks.c: a device whose buffers are small: what is larger altogether is spread over several of them, and what is
 * larger by itself is refused. */
#include "harness.h"

#include <string.h>

enum { BATCH = 64, INPUTS = 12, PARAMETERS = 12 * 100 + 100 + 2 * (100 * 100 + 100) + 100 * 4 + 4 };

/* 86 kB of parameters, as much again for each moment, and 26 kB a layer of what lies between them. */
static tn_graph *network(void)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_random_normal(g, TN_SHAPE(BATCH, INPUTS));
    tn_tensor *label = tn_lt(tn_argmax(x, -1), tn_number(tn_argmax(x, -1), INPUTS / 2));
    tn_tensor *y =
        tn_net(x, "linear 100, tanh, linear 100, tanh, linear 100, tanh, linear 4", (tn_net_options){.training = 1});
    tn_tensor *loss = tn_cross_entropy(y, label);
    tn_output(loss, "loss");
    tn_minimize(loss, "adam", (tn_optim_options){.lr = 0.01});
    return g;
}

/* Three steps: all parameters in their order, and the last loss. Returns how much they are. */
static int64_t train(const char *device, float out[PARAMETERS + 1], tn_program_report *report)
{
    fixture f = use_device(device, 3);
    tn_program *p = NULL;
    tn_graph *g = network();
    tn_state_entry entry;
    int64_t at = 0;
    ok(tn_compile(g, f.state, NULL, &p));
    for (int i = 0; i < 3; i++) ok(tn_program_run(p));
    for (size_t i = 0; tn_state_at(f.state, i, &entry); i++) {
        int64_t count = tn_shape_count(&entry.shape);
        if (!(entry.flags & TN_TRAINABLE)) continue;
        assert_true(at + count <= PARAMETERS);
        ok(tn_state_read(f.state, entry.name, out + at, (uint64_t)count * sizeof *out));
        at += count;
    }
    ok(tn_fetch(p, "loss", out + at, sizeof *out));
    tn_program_get_report(p, report);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
    return at + 1;
}

static void a_model_larger_than_any_buffer_trains_as_it_does_elsewhere(void **state)
{
    static float want[PARAMETERS + 1], got[PARAMETERS + 1];
    tn_program_report right, small;
    (void)state;
    assert_int_equal(train("cpu", want, &right), PARAMETERS + 1);
    assert_int_equal(train("small_buffers", got, &small), PARAMETERS + 1);
    assert_memory_equal(got, want, sizeof want);
    assert_true(small.arena_actual > 1 << 16);
    assert_true(small.state_bytes > 3 << 16);
    assert_int_equal(small.fallback_nodes, 0);
}

/* Compiling the graph fails with that message. */
static void assert_refused(tn_graph *g, const char *message)
{
    fixture f = use_device("small_buffers", 1);
    tn_program *p = NULL;
    assert_int_equal(tn_compile(g, f.state, NULL, &p), TN_ENOMEM);
    assert_string_equal(tn_message(), message);
    assert_null(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_variable_larger_than_a_buffer_is_refused_by_its_name(void **state)
{
    tn_graph *g = tn_graph_new();
    (void)state;
    tn_output(tn_linear(tn_input(g, "x", TN_F32, TN_SHAPE(2, 200)), "fc1", .units = 100), "y");
    assert_refused(g, "tensor 'fc1.weight' has 80000 bytes, and the largest buffer of small_buffers 65536");
}

static void an_input_larger_than_a_buffer_is_refused_by_its_name(void **state)
{
    tn_graph *g = tn_graph_new();
    (void)state;
    tn_output(tn_sum(tn_input(g, "pixels", TN_F32, TN_SHAPE(200, 100)), TN_AXES(0, 1), 0), "y");
    assert_refused(g, "input 'pixels' has 80000 bytes, and the largest buffer of small_buffers 65536");
}

static void a_result_larger_than_a_buffer_is_refused_by_its_operator(void **state)
{
    tn_graph *g = tn_graph_new();
    (void)state;
    tn_tensor *a = tn_input(g, "a", TN_F32, TN_SHAPE(200, 2)), *b = tn_input(g, "b", TN_F32, TN_SHAPE(2, 200));
    tn_output(tn_matmul(a, b), "y");
    assert_refused(
        g, "the result of matmul has 160000 bytes, and the largest buffer of small_buffers 65536 [node 2, matmul]");
}

/* Inputs together are larger than one buffer. */
static void inputs_are_spread_over_buffers(void **state)
{
    static float a[10000], b[10000], y[10000];
    fixture f = use_device("small_buffers", 1);
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    (void)state;
    tn_tensor *x = tn_input(g, "a", TN_F32, TN_SHAPE(10000));
    tn_output(tn_sub(x, tn_input(g, "b", TN_F32, TN_SHAPE(10000))), "y");
    ok(tn_compile(g, f.state, NULL, &p));
    for (int i = 0; i < 10000; i++) a[i] = (float)(3 * i), b[i] = (float)i;
    ok(tn_feed(p, "a", a, sizeof a));
    ok(tn_feed(p, "b", b, sizeof b));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", y, sizeof y));
    for (int i = 0; i < 10000; i++) assert_true(y[i] == (float)(2 * i));
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_larger_than_any_buffer_trains_as_it_does_elsewhere),
        cmocka_unit_test(a_variable_larger_than_a_buffer_is_refused_by_its_name),
        cmocka_unit_test(an_input_larger_than_a_buffer_is_refused_by_its_name),
        cmocka_unit_test(a_result_larger_than_a_buffer_is_refused_by_its_operator),
        cmocka_unit_test(inputs_are_spread_over_buffers),
    };
    ok(tn_backend_load(SMALL_BUFFERS));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
