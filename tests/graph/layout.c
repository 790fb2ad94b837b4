/* layout.c: images with their channels last: a network computes the same so, and only where something wants the usual
 * order is anything transposed. */
#include "harness.h"

#include <math.h>
#include <string.h>

#include "leaf.h"
#include "pool.h"
#include "program.h"

enum { BATCH = 3, CHANNELS = 4, SIDE = 6, COUNT = BATCH * CHANNELS * SIDE * SIDE, PARAMETERS = 4096 };

/* What a step leaves: the loss, and all parameters. */
typedef struct left {
    float loss, parameter[PARAMETERS];
    uint32_t parameters, laid, transposed;
} left;

typedef tn_tensor *network(tn_tensor *x);

/* A block of a residual network, trained: batch normalisation, a shortcut, gradients for pictures and weights. */
static tn_tensor *residual(tn_tensor *x)
{
    tn_tensor *a = tn_relu(tn_batch_norm(tn_conv2d(x, "a", .filters = 8, .kernel = {3}, .pad = {1, 1}), "na"));
    tn_tensor *b = tn_batch_norm(tn_conv2d(a, "b", .filters = 8, .kernel = {3}, .pad = {1, 1}), "nb");
    tn_tensor *c = tn_relu(tn_add(b, tn_conv2d(x, "c", .filters = 8, .kernel = {1})));
    return tn_linear(tn_mean(c, TN_AXES(2, 3), 0), "out", .units = 3);
}

/* What a dense network and one of branches have: channels beside others', a pooling of all, branches of half of the
 * channels, a picture with an edge of zeros. */
static tn_tensor *branches(tn_tensor *x)
{
    tn_tensor *a = tn_conv2d(x, "a", .filters = 4, .kernel = {3}, .pad = {1, 1});
    a = tn_concat((tn_tensor *[]){a, tn_conv2d(tn_relu(a), "b", .filters = 4, .kernel = {3}, .pad = {1, 1})}, 2, 1);
    a = tn_avgpool2d(tn_relu(tn_batch_norm(a, "na")), .window = {2, 2});
    tn_tensor *half = tn_conv2d(tn_slice(a, 1, 4, 4, 1), "c", .filters = 4, .kernel = {1});
    tn_tensor *other = tn_maxpool2d(tn_pad(tn_slice(a, 1, 0, 4, 1), 2, 1, 1), .window = {3, 1}, .stride = {1, 1});
    a = tn_tanh(tn_concat((tn_tensor *[]){half, other, a}, 3, 1));
    return tn_linear(tn_mean(a, TN_AXES(2, 3), 0), "out", .units = 3);
}

/* Things between convolutions that move channels, or cannot be done with them last: broadcasts from fewer dimensions,
 * sums that keep none, a pooling, a softmax over channels, a flattening. */
static tn_tensor *odd(tn_tensor *x)
{
    tn_graph *g = tn_graph_of(x);
    tn_tensor *row = tn_add(tn_cast(tn_iota(g, TN_SHAPE(SIDE), 0), TN_F32), tn_full(g, TN_F32, TN_SHAPE(1), 0.5));
    tn_tensor *a = tn_conv2d(x, "a", .filters = 6, .kernel = {3}, .pad = {1, 1}, .groups = 2);
    tn_tensor *level = tn_sum(a, TN_AXES(1, 3), 1), *pixel = tn_sum(a, TN_AXES(0), 0);
    a = tn_mul(tn_add(a, tn_mul(level, tn_number(a, 0.1))), tn_tanh(tn_add(pixel, row)));
    a = tn_where(tn_lt(a, tn_full(g, TN_F32, TN_SHAPE(BATCH, 6, SIDE, SIDE), 0.2)), a, tn_neg(a));
    a = tn_maxpool2d(tn_conv2d(a, "b", .filters = 5, .kernel = {3}, .stride = {2}, .pad = {1, 1}), .window = {2, 2});
    a = tn_add(tn_softmax(a, 1), tn_broadcast(tn_sum(a, TN_AXES(0, 2, 3), 1), tn_shape_of(a)));
    return tn_linear(tn_flatten(tn_slice(a, 1, 1, 3, 1)), "out", .units = 2);
}

static void keep(tn_state *state, left *to)
{
    tn_state_entry entry;
    to->parameters = 0;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++) {
        const int64_t n = tn_shape_count(&entry.shape);
        if (entry.dtype != TN_F32) continue;
        assert_true(to->parameters + n <= PARAMETERS);
        ok(tn_state_read(state, entry.name, to->parameter + to->parameters, (uint64_t)n * sizeof(float)));
        to->parameters += (uint32_t)n;
    }
}

static void train(network *net, tn_device *device, uint32_t layout, left *to)
{
    float x[COUNT];
    tn_state *state = NULL;
    tn_program *p = NULL;
    tn_program_report report;
    tn_graph *g = tn_graph_new();
    tn_tensor *y = net(tn_input(g, "x", TN_F32, TN_SHAPE(BATCH, CHANNELS, SIDE, SIDE)));
    tn_tensor *loss = tn_mean(tn_square(tn_sub(y, tn_number(y, 0.3))), TN_ALL, 0);
    tn_output(loss, "loss");
    tn_minimize(loss, "sgd", (tn_optim_options){.lr = 0.1});
    for (int i = 0; i < COUNT; i++) x[i] = sinf(1.7f * (float)i);
    ok(tn_state_new(device, 7, &state));
    ok(tn_compile(g, state, &(tn_compile_options){.layout = layout}, &p));
    ok(tn_feed(p, "x", x, sizeof x));
    for (int i = 0; i < 2; i++) ok(tn_program_run(p));
    ok(tn_fetch(p, "loss", &to->loss, sizeof to->loss));
    keep(state, to);
    tn_program_get_report(p, &report);
    to->laid = report.channels_last;
    to->transposed = 0;
    for (uint32_t i = 0; i < p->ir.launches; i++) to->transposed += p->ir.launch[i]->op == &tn_op_transpose;
    tn_program_free(p);
    tn_state_free(state);
    tn_graph_free(g);
}

static void compare(const left *a, const left *b)
{
    assert_int_equal(a->parameters, b->parameters);
    assert_near(a->loss, b->loss, 1e-5);
    for (uint32_t i = 0; i < a->parameters; i++) assert_near(a->parameter[i], b->parameter[i], 2e-5);
}

/* Three convolutions forward, one back to pictures, three to weights; x alone is transposed. */
static void a_residual_block_is_transposed_at_its_borders_alone(void **state)
{
    (void)state;
    static left usual, last;
    tn_device *device = NULL;
    ok(tn_device_open("reference", &device));
    train(residual, device, TN_LAYOUT_USUAL, &usual);
    train(residual, device, TN_LAYOUT_LAST, &last);
    assert_int_equal(usual.laid, 0);
    assert_int_equal(last.laid, 7);
    assert_int_equal(last.transposed, 1);
    compare(&usual, &last);
    tn_device_close(device);
}

/* Three convolutions forward, two back to pictures, three to weights. */
static void branches_are_transposed_at_their_borders_alone(void **state)
{
    (void)state;
    static left usual, last;
    tn_device *device = NULL;
    ok(tn_device_open("reference", &device));
    train(branches, device, TN_LAYOUT_USUAL, &usual);
    train(branches, device, TN_LAYOUT_LAST, &last);
    assert_int_equal(last.laid, 8);
    assert_int_equal(last.transposed, 1);
    compare(&usual, &last);
    tn_device_close(device);
}

static void what_moves_channels_gets_them_where_it_wants_them(void **state)
{
    (void)state;
    static left usual, last;
    tn_device *device = NULL;
    ok(tn_device_open("reference", &device));
    train(odd, device, TN_LAYOUT_USUAL, &usual);
    train(odd, device, TN_LAYOUT_LAST, &last);
    assert_int_equal(last.laid, 5);
    compare(&usual, &last);
    tn_device_close(device);
}

/* A pooling of images that have them so is one of usual images where a device has no other: cpu. */
static void poolings_go_to_the_usual_order_and_back(void **state)
{
    (void)state;
    static const char *const names[] = {"reference", "cpu"};
    const tn_pool_node node = {.window = {2, 3}, .stride = {2, 1}, .pad = {1, 0}, .channels_last = 1};
    float x[2 * 5 * 6 * 3], y[2][2 * 3 * 4 * 3];
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = sinf(1.7f * (float)i);
    for (int i = 0; i < 2; i++) {
        tn_device *device = NULL;
        tn_state *s = NULL;
        tn_program *p = NULL;
        tn_graph *g = tn_graph_new();
        tn_tensor *in = tn_input(g, "x", TN_F32, TN_SHAPE(2, 5, 6, 3));
        tn_output(tn_node(&tn_op_maxpool2d, NULL, &in, 1, &node), "y");
        if (tn_device_open(names[i], &device)) skip();
        ok(tn_state_new(device, 7, &s));
        ok(tn_compile(g, s, NULL, &p));
        ok(tn_feed(p, "x", x, sizeof x));
        ok(tn_program_run(p));
        ok(tn_fetch(p, "y", y[i], sizeof y[i]));
        tn_program_free(p);
        tn_state_free(s);
        tn_graph_free(g);
        tn_device_close(device);
    }
    assert_memory_equal(y[0], y[1], sizeof *y);
}

static tn_status compile_strictly(tn_device *device, uint32_t layout)
{
    tn_state *state = NULL;
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    tn_output(residual(tn_input(g, "x", TN_F32, TN_SHAPE(BATCH, CHANNELS, SIDE, SIDE))), "y");
    ok(tn_state_new(device, 7, &state));
    const tn_status s = tn_compile(g, state, &(tn_compile_options){.layout = layout, .strict = 1}, &p);
    tn_program_free(p);
    tn_state_free(state);
    tn_graph_free(g);
    return s;
}

/* cpu has none so. */
static void a_device_that_has_none_is_left_alone(void **state)
{
    (void)state;
    static left usual, last;
    tn_device *device = NULL;
    if (tn_device_open("cpu", &device)) skip();
    train(residual, device, TN_LAYOUT_USUAL, &usual);
    train(residual, device, TN_LAYOUT_LAST, &last);
    assert_int_equal(last.laid, 0);
    assert_memory_equal(&usual, &last, sizeof usual);
    assert_int_equal(compile_strictly(device, TN_LAYOUT_LAST), TN_EUNSUPPORTED);
    assert_non_null(
        strstr(tn_message(), "cpu makes no convolution with channels last, and nothing else is allowed: conv2d"));
    ok(compile_strictly(device, TN_LAYOUT_TRY));
    tn_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_residual_block_is_transposed_at_its_borders_alone),
        cmocka_unit_test(branches_are_transposed_at_their_borders_alone),
        cmocka_unit_test(what_moves_channels_gets_them_where_it_wants_them),
        cmocka_unit_test(poolings_go_to_the_usual_order_and_back),
        cmocka_unit_test(a_device_that_has_none_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
