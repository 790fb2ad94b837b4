/* Whole networks in words against PyTorch's by the same weights, on every device. */
#include "check.h"

#include "golden_nets.inc"

#include <stdlib.h>

static const char *const devices[] = {"reference", "cpu", "opencl"};

/* The rules of golden_nets.py. */
static void numbers(float *x, int64_t count, int seed)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t h = (uint32_t)(i + 1000 * seed) * 2654435761u;
        h = (h ^ h >> 15) * 2246822519u;
        x[i] = (float)(h >> 8) / 8388608 - 1;
    }
}

static int ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && !strcmp(name + n - m, end);
}

static void fill(tn_state *state)
{
    tn_state_entry entry;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++) {
        int64_t count = tn_shape_count(&entry.shape);
        float *x = calloc((size_t)count, sizeof *x);
        double size = entry.shape.rank ? (double)count / (double)entry.shape.dim[0] : 1;
        int seed = 0;
        for (const char *c = entry.name; *c; c++) seed += *c;
        numbers(x, count, seed % 11);
        for (int64_t k = 0; k < count; k++) {
            if (entry.shape.rank > 1)
                x[k] = (float)(x[k] / sqrt(size / 2));
            else if (ends_with(entry.name, "running_var") || ends_with(entry.name, "weight"))
                x[k] = 1 + x[k] / 2;
            else
                x[k] = 0.3f + x[k] / 4;
        }
        CHECK(tn_state_write(state, entry.name, x, (uint64_t)count * sizeof *x));
        free(x);
    }
}

static void expect_near(const char *what, const float *got, const double *want, size_t count, double relative)
{
    double norm = 0;
    for (size_t i = 0; i < count; i++) norm = fmax(norm, fabs(want[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs(got[i] - want[i]) <= relative * norm))
            fail_msg("%s: element %zu: expected %.9g, got %.9g", what, i, want[i], (double)got[i]);
}

typedef struct bed {
    tn_device *device;
    tn_state *state;
    tn_program *program;
} bed;

/* Compiles a network, fills it and runs it once; 0 where there is no such device. */
static int run(bed *b, const char *device, const char *net, tn_shape shape, int training, float *y, size_t count)
{
    *b = (bed){0};
    if (tn_device_open(device, &b->device)) return 0;
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", TN_F32, shape);
    tn_output(tn_net(x, net, (tn_net_options){.training = (uint32_t)training, .outputs = 10}), "y");
    CHECK(tn_state_new(b->device, 1, &b->state));
    CHECK(tn_compile(graph, b->state, NULL, &b->program));
    fill(b->state);
    float *in = calloc((size_t)tn_shape_count(&shape), sizeof *in);
    numbers(in, tn_shape_count(&shape), 3);
    CHECK(tn_feed(b->program, "x", in, (uint64_t)tn_shape_count(&shape) * sizeof *in));
    CHECK(tn_program_run(b->program));
    CHECK(tn_fetch(b->program, "y", y, count * sizeof *y));
    free(in);
    tn_graph_free(graph);
    return 1;
}

static void end(bed *b)
{
    tn_program_free(b->program);
    tn_state_free(b->state);
    tn_device_close(b->device);
}

static void check_net(const char *net, tn_shape shape, const double *golden, size_t count)
{
    for (size_t d = 0; d < 3; d++) {
        float y[20];
        bed b;
        if (!run(&b, devices[d], net, shape, 0, y, count)) continue;
        expect_near(devices[d], y, golden, count, 2e-5);
        end(&b);
    }
}

static void resnet20_evaluates_as_in_pytorch(void **state)
{
    (void)state;
    check_net("resnet20", TN_SHAPE(2, 3, 32, 32), golden_resnet20, 20);
}

static void a_transformer_is_pytorchs_encoder_layer(void **state)
{
    (void)state;
    check_net("project 8, position, transformer 2 hidden 12, layer_norm, linear 3", TN_SHAPE(2, 1, 5, 6),
              golden_transformer, 6);
}

static void recurrent_layers_go_through_the_rows_of_a_picture(void **state)
{
    (void)state;
    check_net("gru 4, lstm 5, rnn 3, last, linear 2", TN_SHAPE(2, 1, 5, 6), golden_recurrent, 4);
}

static void resnet20_trains_on_the_batch_and_moves_its_running_statistics(void **state)
{
    (void)state;
    for (size_t d = 0; d < 3; d++) {
        float y[20], running[64];
        bed b;
        if (!run(&b, devices[d], "resnet20", TN_SHAPE(2, 3, 32, 32), 1, y, 20)) continue;
        expect_near(devices[d], y, golden_resnet20_training, 20, 2e-4);
        CHECK(tn_state_read(b.state, "block9.bn2.running_mean", running, sizeof running));
        expect_near("running_mean", running, golden_resnet20_mean, 64, 1e-4);
        CHECK(tn_state_read(b.state, "block9.bn2.running_var", running, sizeof running));
        expect_near("running_var", running, golden_resnet20_var, 64, 1e-4);
        end(&b);
    }
}

static void resnet20_has_the_parameters_of_its_paper(void **state)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *list[128];
    int64_t count = 0;
    (void)state;
    tn_net(tn_input(graph, "x", TN_F32, TN_SHAPE(1, 3, 32, 32)), "resnet20", (tn_net_options){.outputs = 10});
    CHECK(tn_graph_status(graph));
    size_t n = tn_variables(graph, TN_TRAINABLE, list, 128);
    for (size_t i = 0; i < n; i++) {
        tn_shape shape = tn_shape_of(list[i]);
        count += tn_shape_count(&shape);
    }
    assert_int_equal(count, RESNET20_PARAMETERS);
    tn_graph_free(graph);
}

static void frozen_batch_norm_takes_its_running_statistics_in_training(void **state)
{
    float trained[4], evaluated[4];
    const char *net = "linear 3, batch_norm, linear 2";
    (void)state;
    for (int frozen = 0; frozen < 2; frozen++) {
        tn_graph *graph = tn_graph_new();
        tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(2, 4));
        tn_net_options training = {.training = 1, .freeze = frozen ? "bn1" : NULL};
        tn_output(tn_net(x, net, training), "trained");
        tn_output(tn_net(x, net, (tn_net_options){0}), "evaluated");
        bed b = {0};
        CHECK(tn_device_open("reference", &b.device));
        CHECK(tn_state_new(b.device, 1, &b.state));
        CHECK(tn_compile(graph, b.state, NULL, &b.program));
        const float in[8] = {1, 2, 3, 4, -1, 0, 5, 2};
        CHECK(tn_feed(b.program, "x", in, sizeof in));
        CHECK(tn_program_run(b.program));
        CHECK(tn_fetch(b.program, "trained", trained, sizeof trained));
        CHECK(tn_fetch(b.program, "evaluated", evaluated, sizeof evaluated));
        assert_int_equal(!memcmp(trained, evaluated, sizeof trained), frozen);
        end(&b);
        tn_graph_free(graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnet20_evaluates_as_in_pytorch),
        cmocka_unit_test(a_transformer_is_pytorchs_encoder_layer),
        cmocka_unit_test(recurrent_layers_go_through_the_rows_of_a_picture),
        cmocka_unit_test(resnet20_trains_on_the_batch_and_moves_its_running_statistics),
        cmocka_unit_test(resnet20_has_the_parameters_of_its_paper),
        cmocka_unit_test(frozen_batch_norm_takes_its_running_statistics_in_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
