/* narrow.c: storing what passes between kernels in 16 bits. */
#include "harness.h"

#include <math.h>
#include <string.h>

#include "program.h"

enum { N = 40, WIDTH = 64 };

/* Two layers and their gradients: enough that activations pass from kernel to kernel. */
static tn_graph *model(void)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(N, WIDTH));
    tn_tensor *h = tn_tanh(tn_linear(x, "fc1", .units = WIDTH));
    tn_tensor *y = tn_linear(h, "fc2", .units = WIDTH);
    tn_output(tn_mean(tn_square(y), TN_ALL, 0), "loss");
    tn_minimize(tn_mean(tn_square(y), TN_ALL, 0), "sgd", (tn_optim_options){.lr = 0.1});
    return g;
}

/* The losses of three steps; returns the bytes of what passes between kernels. */
static uint64_t train(tn_device *device, int32_t storage, float loss[3])
{
    float x[N * WIDTH];
    tn_state *state = NULL;
    tn_program *p = NULL;
    uint64_t bytes = 0;
    tn_graph *g = model();
    for (int i = 0; i < N * WIDTH; i++) x[i] = sinf((float)i);
    ok(tn_state_new(device, 7, &state));
    ok(tn_compile(g, state, &(tn_compile_options){.storage = storage}, &p));
    ok(tn_feed(p, "x", x, sizeof x));
    for (int i = 0; i < 3; i++) {
        ok(tn_program_run(p));
        ok(tn_fetch(p, "loss", &loss[i], sizeof *loss));
    }
    for (uint32_t i = 0; i < p->ir.values; i++)
        bytes += p->ir.value[i]->home == TN_IN_ARENA && p->ir.value[i]->type.dtype != TN_U8 ? p->ir.value[i]->bytes : 0;
    tn_program_free(p);
    tn_state_free(state);
    tn_graph_free(g);
    return bytes;
}

/* It takes less memory, and changes the losses, but not by much: f16 has 11 bits, bf16 has 8. */
static void half_the_bytes_give_nearly_the_same_losses(void **state)
{
    tn_device *device = NULL;
    float f32[3], narrow[3];
    if (tn_device_open(*state, &device)) skip();
    uint64_t whole = train(device, 0, f32);
    for (int32_t dtype = TN_F16; dtype <= TN_BF16; dtype++) {
        assert_true(train(device, dtype, narrow) < whole);
        assert_memory_not_equal(narrow, f32, sizeof f32);
        for (int i = 0; i < 3; i++) assert_near(narrow[i], f32[i], f32[i] * (dtype == TN_F16 ? 2e-3 : 1e-2));
    }
    tn_device_close(device);
}

/* A few rows of a layer with many weights: what is large is the weights', their gradients', or the optimizer's. */
static tn_graph *many_weights(void)
{
    enum { ROWS = 4 };
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_full(g, TN_F32, TN_SHAPE(ROWS, WIDTH), 0.37);
    tn_tensor *loss = tn_mean(tn_square(tn_linear(x, "fc", .units = WIDTH)), TN_ALL, 0);
    tn_minimize(loss, "adam", (tn_optim_options){.lr = 0.01, .clip_norm = 0.1, .weight_decay = 0.01});
    return g;
}

/* Many samples of one number each: what is large is the terms of the loss. */
static tn_graph *many_samples(void)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(N * WIDTH));
    tn_output(tn_mean(tn_square(tn_sub(x, tn_number(x, 0.1))), TN_ALL, 0), "loss");
    return g;
}

typedef tn_graph *maker(void);

/* What a run of three steps leaves: the parameters and moments, or the loss. */
static size_t leave(maker *make, const tn_compile_options *options, float left[4 * WIDTH * WIDTH])
{
    fixture f = use_device("reference", 3);
    tn_graph *g = make();
    tn_program *p = NULL;
    tn_state_entry entry;
    float x[N * WIDTH];
    size_t n = 0;
    for (int i = 0; i < N * WIDTH; i++) x[i] = sinf((float)i);
    ok(tn_compile(g, f.state, options, &p));
    if (make == many_samples) ok(tn_feed(p, "x", x, sizeof x));
    for (int i = 0; i < 3; i++) ok(tn_program_run(p));
    if (make == many_samples) ok(tn_fetch(p, "loss", &left[n++], sizeof *left));
    for (size_t i = 0; tn_state_at(f.state, i, &entry); i++) {
        size_t count = (size_t)tn_shape_count(&entry.shape);
        assert_true(n + count <= 4 * WIDTH * WIDTH);
        ok(tn_state_read(f.state, entry.name, &left[n], count * sizeof *left));
        n += count;
    }
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
    return n;
}

/* What becomes a variable or a loss is not rounded on its way, in however many kernels it is computed. */
static void what_becomes_a_variable_or_a_loss_is_the_same_to_the_bit(void **state)
{
    static float whole[4 * WIDTH * WIDTH], narrow[4 * WIDTH * WIDTH];
    maker *const makers[] = {many_weights, many_samples};
    (void)state;
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        for (uint32_t unfused = 0; unfused < 2; unfused++) {
            size_t n = leave(makers[i], &(tn_compile_options){.unfused = unfused}, whole);
            assert_true(n == leave(makers[i], &(tn_compile_options){.unfused = unfused, .storage = TN_F16}, narrow));
            for (size_t k = 0; k < n; k++)
                if (whole[k] != narrow[k])
                    fail_msg("graph %zu, unfused %u: number %zu is %.9g, not %.9g", i, unfused, k, (double)narrow[k],
                             (double)whole[k]);
        }
}

/* Operators that don't mix types are not asked to. */
static void a_classifier_can_be_narrow(void **state)
{
    static const float zeros[4 * N * WIDTH];
    fixture f = use_device(*state, 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4 * N, WIDTH)),
              *label = tn_input(g, "label", TN_I32, TN_SHAPE(4 * N));
    tn_tensor *y = tn_linear(tn_relu(tn_linear(x, "fc1", .units = WIDTH)), "fc2", .units = 20);
    tn_minimize(tn_cross_entropy(y, label), "sgd", (tn_optim_options){.lr = 0.1});
    for (uint32_t unfused = 0; unfused < 2; unfused++) {
        tn_program *p = NULL;
        tn_program_report report;
        ok(tn_compile(g, f.state, &(tn_compile_options){.storage = TN_F16, .unfused = unfused}, &p));
        tn_program_get_report(p, &report);
        assert_true(report.narrow_values > 0);
        ok(tn_feed(p, "x", zeros, sizeof zeros));
        ok(tn_feed(p, "label", zeros, 4 * N * sizeof(int32_t)));
        ok(tn_program_run(p));
        ok(tn_wait(p));
        tn_program_free(p);
    }
    tn_graph_free(g);
    drop_device(&f);
}

/* Of a network of convolutions all that is large, forward and backward, but for gradients of weights. */
static void images_can_be_narrow(void **state)
{
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4, 3, 18, 18)), *label = tn_input(g, "label", TN_I32, TN_SHAPE(4));
    tn_tensor *y = tn_relu(tn_conv2d(x, "a", .filters = 8, .kernel = {3, 3}));
    y = tn_relu(tn_conv2d(tn_maxpool2d(y, .window = {2, 2}), "b", .filters = 16, .kernel = {3, 3}, .pad = {1, 1}));
    y = tn_linear(tn_flatten(tn_avgpool2d(y, .window = {2, 2})), "c", .units = 10);
    tn_minimize(tn_cross_entropy(y, label), "sgd", (tn_optim_options){.lr = 0.1});
    tn_program *p = NULL;
    tn_program_report report;
    int seen = 0;
    (void)state;
    ok(tn_compile(g, f.state, &(tn_compile_options){.storage = TN_BF16, .strict = 1}, &p));
    tn_program_get_report(p, &report);
    assert_int_equal(report.narrow_refused, 0);
    for (uint32_t i = 0; i < p->ir.launches; i++) {
        const tn_op_desc *desc = &p->ir.launch[i]->operation.desc;
        if (!strstr(desc->name, "2d") || !strcmp(desc->name, "conv2d_weight")) continue;
        assert_int_equal(desc->out[0].dtype, TN_BF16);
        seen++;
    }
    assert_int_equal(seen, 7); /* two convolutions and two poolings, the gradients of these, one for pictures */
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* The processor's kernels compute in what they read. */
static void a_device_that_takes_none_is_reported_and_refused_where_strict(void **state)
{
    tn_program_report report;
    tn_program *p = NULL;
    tn_device *device = NULL;
    (void)state;
    if (tn_device_open("cpu", &device)) skip();
    tn_device_close(device);
    fixture f = use_device("cpu", 1);
    tn_graph *g = model();
    ok(tn_compile(g, f.state, &(tn_compile_options){.storage = TN_F16}, &p));
    tn_program_get_report(p, &report);
    tn_program_free(p);
    assert_int_equal(report.narrow_values, 0);
    assert_true(report.narrow_refused > 0);
    assert_non_null(strstr(report.narrow_why, "only f32"));
    assert_int_equal(tn_compile(g, f.state, &(tn_compile_options){.storage = TN_F16, .strict = 1}, &p),
                     TN_EUNSUPPORTED);
    assert_non_null(strstr(tn_message(), "cpu stores no value as f16, and nothing else is allowed: "));
    tn_graph_free(g);
    drop_device(&f);
}

/* Outputs are fetched as f32, so a single kernel has nothing that could be narrow. */
static void outputs_and_small_tensors_stay(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2000)), *few = tn_input(g, "few", TN_F32, TN_SHAPE(8, 8));
    tn_output(tn_exp(x), "y");
    tn_output(tn_matmul(tn_matmul(few, few), few), "z");
    tn_program *p = NULL;
    ok(tn_compile(g, f.state, &(tn_compile_options){.storage = TN_BF16}, &p));
    for (uint32_t i = 0; i < p->ir.values; i++) assert_int_not_equal(p->ir.value[i]->type.dtype, TN_BF16);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void other_types_are_refused(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_program *p = NULL;
    tn_output(tn_exp(tn_input(g, "x", TN_F32, TN_SHAPE(4))), "y");
    assert_int_equal(tn_compile(g, f.state, &(tn_compile_options){.storage = TN_U8}, &p), TN_EDTYPE);
    assert_string_equal(tn_message(), "compile: values are stored as f16 or bf16, not as u8");
    tn_graph_free(g);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(half_the_bytes_give_nearly_the_same_losses, (void *)(uintptr_t) "reference"),
        cmocka_unit_test_prestate(half_the_bytes_give_nearly_the_same_losses, (void *)(uintptr_t) "opencl:0"),
        cmocka_unit_test(what_becomes_a_variable_or_a_loss_is_the_same_to_the_bit),
        cmocka_unit_test_prestate(a_classifier_can_be_narrow, (void *)(uintptr_t) "reference"),
        cmocka_unit_test(images_can_be_narrow),
        cmocka_unit_test(a_device_that_takes_none_is_reported_and_refused_where_strict),
        cmocka_unit_test(outputs_and_small_tensors_stay),
        cmocka_unit_test(other_types_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
