/* small.c: a bit of every operator on small, odd shapes, and three training steps, on a device and on the reference.
 * Short enough to be run by an interpreter of kernels (tools/sanitize.sh opencl).
 *
 *     small DEVICE [BACKEND KEY VALUE]: with an option of a backend set before
 *
 * Prints what differs; exit status 1 if anything does, 77 if there is no such device. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tenon/tenon.h>

enum { ROWS = 33, COLUMNS = 17, CLASSES = 7, STEPS = 3, MOST = ROWS * COLUMNS * 2 };

static const struct {
    const char *name;
    size_t count;
} outputs[] = {
    {"loss", 1},
    {"over rows", COLUMNS},
    {"over columns", ROWS},
    {"softmax", ROWS *COLUMNS},
    {"transposed", ROWS *COLUMNS},
    {"product", COLUMNS *COLUMNS},
    {"gathered", 5 * COLUMNS},
    {"noise", ROWS *COLUMNS},
    {"best", ROWS},
    {"pictures", 3 * 6 * 2 * 2},
    {"normalised", ROWS *COLUMNS},
};
enum { OUTPUTS = sizeof outputs / sizeof *outputs };

/* Convolutions and poolings, padded, with strides and groups: (3, 1, 11, 17) -> (3, 6, 2, 2). The third has a stride,
 * so that its gradient for x is made of dy with zeros between its elements. */
static tn_tensor *pictures(tn_tensor *x)
{
    tn_tensor *y = tn_reshape(x, TN_SHAPE(3, 1, 11, 17));
    y = tn_maxpool2d(tn_relu(tn_conv2d(y, "conv1", .filters = 4, .kernel = {3, 5})), .window = {2, 2});
    y = tn_avgpool2d(tn_tanh(tn_conv2d(y, "conv2", .filters = 4, .kernel = {3, 3}, .pad = {1, 1}, .groups = 4)),
                     .window = {3, 2}, .stride = {1, 1}, .pad = {1, 1}, .count_pad = 1);
    y = tn_conv2d(y, "conv3", .filters = 6, .kernel = {2, 2}, .stride = {2, 2}, .pad = {1, 0}, .groups = 2);
    return tn_maxpool2d(y, .window = {2, 2}, .stride = {1, 1});
}

static tn_graph *build(void)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(ROWS, COLUMNS));
    tn_tensor *label = tn_input(graph, "label", TN_I32, TN_SHAPE(ROWS));
    tn_tensor *rows = tn_input(graph, "rows", TN_I32, TN_SHAPE(5));
    tn_tensor *hidden = tn_dropout(tn_relu(tn_linear(x, "fc1", .units = 19)), 0.25);
    tn_tensor *loss = tn_cross_entropy(tn_linear(tn_tanh(hidden), "fc2", .units = CLASSES), label);
    tn_tensor *seen = pictures(x);
    tn_tensor *normal = tn_layer_norm(tn_tanh(tn_linear(x, "fc3", .units = COLUMNS)), "norm");
    loss = tn_add(loss, tn_mean(tn_square(seen), TN_AXES(0, 1, 2, 3), 0));
    loss = tn_add(loss, tn_mean(tn_mul(normal, x), TN_AXES(0, 1), 0));
    tn_tensor *made[OUTPUTS] = {
        loss,
        tn_sum(tn_square(x), TN_AXES(0), 0),
        tn_amax(x, TN_AXES(1), 0),
        tn_softmax(x, -1),
        tn_exp(tn_transpose(x, NULL)),
        tn_matmul_t(x, tn_tanh(x), 1, 0),
        tn_gather(x, rows),
        tn_add(tn_random_normal(graph, TN_SHAPE(ROWS, COLUMNS)), tn_random_uniform(graph, TN_SHAPE(COLUMNS))),
        tn_cast(tn_argmax(x, 1), TN_F32),
        seen,
        normal,
    };
    for (int i = 0; i < OUTPUTS; i++) tn_output(made[i], outputs[i].name);
    tn_minimize(loss, "adam", (tn_optim_options){.lr = 0.01});
    return graph;
}

static tn_status feed(tn_program *program)
{
    float x[ROWS * COLUMNS];
    int32_t label[ROWS], rows[5] = {3, 32, -1, 33, 0};
    for (int i = 0; i < ROWS * COLUMNS; i++) x[i] = sinf((float)i * 1.7f);
    for (int i = 0; i < ROWS; i++) label[i] = i * 5 % CLASSES;
    tn_status s = tn_feed(program, "x", x, sizeof x);
    if (!s) s = tn_feed(program, "label", label, sizeof label);
    return s ? s : tn_feed(program, "rows", rows, sizeof rows);
}

/* All outputs after the last step. */
static tn_status run(tn_device *device, float result[OUTPUTS][MOST])
{
    tn_state *state = NULL;
    tn_program *program = NULL;
    tn_graph *graph = build();
    tn_status s = tn_state_new(device, 7, &state);
    if (!s) s = tn_compile(graph, state, &(tn_compile_options){.strict = 1}, &program);
    if (!s) s = feed(program);
    for (int i = 0; !s && i < STEPS; i++) s = tn_program_run(program);
    for (int i = 0; !s && i < OUTPUTS; i++)
        s = tn_fetch(program, outputs[i].name, result[i], outputs[i].count * sizeof(float));
    tn_program_free(program);
    tn_state_free(state);
    tn_graph_free(graph);
    return s;
}

static int differences(float got[OUTPUTS][MOST], float wanted[OUTPUTS][MOST], const char *device)
{
    int bad = 0;
    for (int i = 0; i < OUTPUTS; i++)
        for (size_t k = 0; k < outputs[i].count; k++) {
            if (fabsf(got[i][k] - wanted[i][k]) <= 1e-4f * (1 + fabsf(wanted[i][k]))) continue;
            printf("FAILED: '%s' on %s, element %zu: %g, expected %g\n", outputs[i].name, device, k, got[i][k],
                   wanted[i][k]);
            bad++;
            break;
        }
    return bad;
}

int main(int argc, char **argv)
{
    static float got[OUTPUTS][MOST], wanted[OUTPUTS][MOST];
    tn_device *device = NULL, *reference = NULL;
    if (argc != 2 && argc != 5) return 2;
    if (argc == 5 && tn_backend_option(argv[2], argv[3], argv[4])) return fprintf(stderr, "%s\n", tn_message()), 1;
    if (tn_device_open(argv[1], &device)) return fprintf(stderr, "%s: skipped\n", tn_message()), 77;
    tn_status s = tn_device_open("reference", &reference);
    if (!s) s = run(reference, wanted);
    if (!s) s = run(device, got);
    if (s) fprintf(stderr, "FAILED: %s\n", tn_message());
    int bad = s ? 1 : differences(got, wanted, argv[1]);
    if (!bad) printf("%d outputs agree on %s\n", OUTPUTS, argv[1]);
    tn_device_close(reference);
    tn_device_close(device);
    return bad != 0;
}
