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
        cmocka_unit_test(outputs_and_small_tensors_stay),
        cmocka_unit_test(other_types_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
