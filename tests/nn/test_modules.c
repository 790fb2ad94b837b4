/* Layers and the gradients of all their parameters against PyTorch's modules, on every device, and mistakes. */
#include "check.h"

#include "golden_modules.inc"

#include <stdlib.h>

enum { MOST = 1024, PARAMS = 32 };

/* The numbers that golden_modules.py calls fill. */
static void fill(float *x, size_t n, size_t seed)
{
    for (size_t i = 0; i < n; i++) x[i] = ((float)((7 * (i + 1) + 5 * seed + i * i) % 17) - 8) / 8;
}

static size_t seed_of(const char *name)
{
    size_t sum = 0;
    for (; *name; name++) sum += (unsigned char)*name;
    return sum % 11;
}

static tn_tensor *whole(tn_graph *graph, tn_shape shape, const int32_t *x)
{
    return tn_constant(graph, TN_I32, shape, x);
}

/* ---- what is built ---- */

static tn_tensor *input(tn_graph *g, const char *name, tn_shape shape)
{
    return tn_param(g, name, shape, (tn_init){0});
}

static tn_tensor *conv1d(tn_graph *g)
{
    return tn_conv1d(input(g, "x", TN_SHAPE(2, 4, 7)), "l", .filters = 6, .kernel = 3, .stride = 2, .pad = 1,
                     .dilation = 2, .groups = 2);
}

static tn_tensor *conv1d_same(tn_graph *g)
{
    return tn_conv1d(input(g, "x", TN_SHAPE(2, 3, 5)), "l", .filters = 2, .kernel = 4, .same = 1, .no_bias = 1);
}

static tn_tensor *conv1d_transpose(tn_graph *g)
{
    return tn_conv1d_transpose(input(g, "x", TN_SHAPE(2, 4, 5)), "l", .filters = 6, .kernel = 3, .stride = 2, .pad = 1,
                               .more = 1, .groups = 2);
}

static tn_tensor *maxpool1d(tn_graph *g)
{
    return tn_maxpool1d(input(g, "x", TN_SHAPE(2, 3, 8)), .window = 3, .stride = 2, .pad = 1);
}

static tn_tensor *avgpool1d(tn_graph *g)
{
    return tn_avgpool1d(input(g, "x", TN_SHAPE(2, 3, 8)), .window = 3, .stride = 2, .pad = 1, .ceil_mode = 1);
}

static tn_tensor *adaptive_avgpool1d(tn_graph *g)
{
    return tn_adaptive_avgpool1d(input(g, "x", TN_SHAPE(2, 3, 7)), 3);
}

static tn_tensor *instance_norm(tn_graph *g)
{
    return tn_instance_norm(input(g, "x", TN_SHAPE(2, 3, 2, 4)), "l");
}

static tn_tensor *instance_norm_plain(tn_graph *g)
{
    return tn_instance_norm(input(g, "x", TN_SHAPE(2, 3, 5)), NULL);
}

static tn_tensor *prelu(tn_graph *g)
{
    return tn_prelu(input(g, "x", TN_SHAPE(2, 3, 4)), "l", 0);
}

static tn_tensor *prelu_channels(tn_graph *g)
{
    return tn_prelu(input(g, "x", TN_SHAPE(2, 3, 4)), "l", 1);
}

static tn_tensor *embedding_padded(tn_graph *g)
{
    return tn_embedding_padded(whole(g, TN_SHAPE(2, 3), (int32_t[]){0, 2, 4, 2, 1, 0}), "l", 5, 3, 2);
}

/* The keys of the memory, and of x, that are there. */
static tn_tensor *seen(tn_graph *g)
{
    return whole(g, TN_SHAPE(2, 5), (int32_t[]){1, 1, 1, 0, 0, 0, 1, 1, 1, 1});
}

static tn_tensor *own(tn_graph *g)
{
    return tn_constant(g, TN_F32, TN_SHAPE(2, 3), (float[]){1, 1, 0, 1, 1, 1});
}

static tn_tensor *x_of(tn_graph *g)
{
    return input(g, "x", TN_SHAPE(2, 3, 4));
}

static tn_tensor *memory_of(tn_graph *g)
{
    return input(g, "z", TN_SHAPE(2, 5, 4));
}

static tn_tensor *cross(tn_graph *g)
{
    return tn_multihead_attention(x_of(g), "l", .heads = 2, .memory = memory_of(g));
}

static tn_tensor *cross_masked(tn_graph *g)
{
    return tn_multihead_attention(x_of(g), "l", .heads = 2, .memory = memory_of(g), .mask = seen(g));
}

static tn_tensor *causal_masked(tn_graph *g)
{
    return tn_multihead_attention(x_of(g), "l", .heads = 2, .mask = own(g), .causal = 1);
}

static tn_tensor *encoder(tn_graph *g)
{
    return tn_transformer(x_of(g), "l", .heads = 2, .hidden = 8, .norm_last = 1, .relu = 1);
}

static tn_tensor *encoder_first(tn_graph *g)
{
    return tn_transformer(x_of(g), "l", .heads = 2, .hidden = 6, .causal = 1, .mask = own(g));
}

static tn_tensor *decoder_first(tn_graph *g)
{
    return tn_transformer(x_of(g), "l", .heads = 2, .causal = 1, .memory = memory_of(g), .memory_mask = seen(g));
}

static tn_tensor *decoder(tn_graph *g)
{
    return tn_transformer(x_of(g), "l", .heads = 2, .hidden = 8, .memory = memory_of(g), .norm_last = 1, .relu = 1);
}

#define GOLDEN(name)                                                                                                   \
    {                                                                                                                  \
#name, name, golden_##name, sizeof golden_##name / sizeof *golden_##name, golden_##name##_grad,                \
            sizeof golden_##name##_grad / sizeof *golden_##name##_grad                                                 \
    }
static const struct {
    const char *name;
    tn_tensor *(*build)(tn_graph *g);
    const double *y;
    size_t count;
    const double *grad;
    size_t grads;
} layers[] = {GOLDEN(conv1d),
              GOLDEN(conv1d_same),
              GOLDEN(conv1d_transpose),
              GOLDEN(maxpool1d),
              GOLDEN(avgpool1d),
              GOLDEN(instance_norm),
              GOLDEN(instance_norm_plain),
              GOLDEN(prelu),
              GOLDEN(prelu_channels),
              GOLDEN(embedding_padded),
              GOLDEN(cross),
              GOLDEN(cross_masked),
              GOLDEN(causal_masked),
              GOLDEN(encoder),
              GOLDEN(encoder_first),
              GOLDEN(decoder_first),
              GOLDEN(decoder),
              GOLDEN(adaptive_avgpool1d)};

/* ---- comparing ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(tn_name_of(*(tn_tensor *const *)a), tn_name_of(*(tn_tensor *const *)b));
}

static void compare(const char *what, const char *part, const float *got, const double *golden, size_t n)
{
    double norm = 1;
    for (size_t i = 0; i < n; i++) norm = fmax(norm, fabs(golden[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabs(got[i] - golden[i]) <= 3e-6 * norm))
            fail_msg("%s: %s %zu: expected %.9g, got %.9g", what, part, i, golden[i], (double)got[i]);
}

/* y, and the gradients of the sum of y times fill(y, 4) for all parameters by name, one after another. */
static tn_graph *graph_of(size_t k, tn_tensor *param[], size_t *count)
{
    tn_tensor *grad[PARAMS], *flat[PARAMS];
    float weight[MOST];
    tn_graph *g = tn_graph_new();
    tn_tensor *y = layers[k].build(g);
    tn_shape shape = tn_shape_of(y);
    CHECK(tn_graph_status(g));
    fill(weight, layers[k].count, 4);
    *count = tn_variables(g, TN_TRAINABLE, param, PARAMS);
    qsort(param, *count, sizeof *param, by_name);
    tn_grad(tn_sum(tn_mul(y, tn_constant(g, TN_F32, shape, weight)), TN_ALL, 0), param, *count, grad);
    for (size_t i = 0; i < *count; i++) flat[i] = tn_reshape(grad[i], TN_SHAPE(-1));
    tn_output(y, "y");
    tn_output(tn_concat(flat, (uint32_t)*count, 0), "grad");
    return g;
}

/* Each is kernels of its own, which an OpenCL driver compiles for long: some are enough there. */
static size_t stride(const char *device)
{
    return strncmp(device, "opencl", 6) ? 1 : 3;
}

static void layers_and_their_gradients_agree_with_pytorch(void **state)
{
    for (size_t k = 0; k < sizeof layers / sizeof *layers; k += stride(*state)) {
        check_bed b;
        float value[MOST];
        tn_tensor *param[PARAMS];
        size_t count;
        tn_graph *graph = graph_of(k, param, &count);
        check_start(&b, graph, *state);
        for (size_t i = 0; i < count; i++) {
            tn_shape s = tn_shape_of(param[i]);
            size_t n = (size_t)tn_shape_count(&s);
            fill(value, n, seed_of(tn_name_of(param[i])));
            CHECK(tn_state_write(b.state, tn_name_of(param[i]), value, n * sizeof *value));
        }
        CHECK(tn_program_run(b.program));
        CHECK(tn_fetch(b.program, "y", value, layers[k].count * sizeof *value));
        compare(layers[k].name, "y", value, layers[k].y, layers[k].count);
        CHECK(tn_fetch(b.program, "grad", value, layers[k].grads * sizeof *value));
        compare(layers[k].name, "gradient", value, layers[k].grad, layers[k].grads);
        check_finish(&b, graph);
    }
}

static void sinusoids_are_those_of_the_paper(void **state)
{
    check_bed b;
    float value[42];
    tn_graph *graph = tn_graph_new();
    tn_output(tn_sinusoids(graph, 7, 6), "even");
    tn_output(tn_sinusoids(graph, 3, 5), "odd");
    check_start(&b, graph, *state);
    CHECK(tn_program_run(b.program));
    CHECK(tn_fetch(b.program, "even", value, 42 * sizeof *value));
    compare("sinusoids", "y", value, golden_sinusoids, 42);
    CHECK(tn_fetch(b.program, "odd", value, 15 * sizeof *value));
    compare("sinusoids", "odd y", value, golden_sinusoids_odd, 15);
    check_finish(&b, graph);
}

/* As it is made, and after steps that move every other row. */
static void the_row_for_padding_begins_with_zeros_and_keeps_them(void **state)
{
    enum { ROWS = 5, UNITS = 3, PADDING = 2 };
    check_bed b;
    float table[2][ROWS * UNITS];
    tn_graph *graph = tn_graph_new();
    tn_tensor *index = whole(graph, TN_SHAPE(6), (int32_t[]){0, 1, PADDING, 3, 4, PADDING});
    tn_tensor *y = tn_embedding_padded(index, "l", ROWS, UNITS, PADDING);
    tn_minimize(tn_mean(tn_square(tn_sub(y, tn_number(y, 1))), TN_ALL, 0), "adamw", (tn_optim_options){.lr = 0.1});
    check_start(&b, graph, *state);
    CHECK(tn_state_read(b.state, "l.weight", table[0], sizeof table[0]));
    for (int i = 0; i < 3; i++) CHECK(tn_program_run(b.program));
    CHECK(tn_state_read(b.state, "l.weight", table[1], sizeof table[1]));
    for (int i = 0; i < ROWS * UNITS; i++) {
        int is_padding = i / UNITS == PADDING;
        if (is_padding ? table[0][i] != 0 || table[1][i] != 0 : table[0][i] == 0 || table[0][i] == table[1][i])
            fail_msg("element %d: %.9g, then %.9g", i, (double)table[0][i], (double)table[1][i]);
    }
    check_finish(&b, graph);
}

/* ---- mistakes ---- */

static tn_tensor *conv_of_a_picture(tn_graph *g)
{
    return tn_conv1d(input(g, "x", TN_SHAPE(2, 4, 7, 1)), "l", .filters = 6, .kernel = 3);
}

static tn_tensor *conv_without_kernel(tn_graph *g)
{
    return tn_conv1d(input(g, "x", TN_SHAPE(2, 4, 7)), "l", .filters = 6);
}

static tn_tensor *pad_and_same(tn_graph *g)
{
    return tn_conv1d(input(g, "x", TN_SHAPE(2, 4, 7)), "l", .filters = 6, .kernel = 3, .pad = 1, .same = 1);
}

static tn_tensor *much_more(tn_graph *g)
{
    return tn_conv1d_transpose(input(g, "x", TN_SHAPE(2, 4, 7)), "l", .filters = 6, .kernel = 3, .more = 1);
}

static tn_tensor *mask_of_queries(tn_graph *g)
{
    return tn_multihead_attention(x_of(g), "l", .heads = 2, .memory = memory_of(g), .mask = own(g));
}

static tn_tensor *heads_that_do_not_divide(tn_graph *g)
{
    return tn_multihead_attention(x_of(g), "l", .heads = 3);
}

static tn_tensor *memory_of_other_width(tn_graph *g)
{
    return tn_multihead_attention(x_of(g), "l", .heads = 2, .memory = input(g, "z", TN_SHAPE(2, 3, 5)));
}

static tn_tensor *crop_of_rows(tn_graph *g)
{
    return tn_random_crop(x_of(g), 1);
}

static tn_tensor *channels_of_a_vector(tn_graph *g)
{
    return tn_dropout_channels(input(g, "x", TN_SHAPE(3)), 0.5);
}

static tn_tensor *instances_of_rows(tn_graph *g)
{
    return tn_instance_norm(input(g, "x", TN_SHAPE(3, 5)), "l");
}

static tn_tensor *padding_behind_the_table(tn_graph *g)
{
    return tn_embedding_padded(tn_full(g, TN_I32, TN_SHAPE(2), 0), "l", 5, 3, 5);
}

static tn_tensor *layers_without_end(tn_graph *g)
{
    return tn_recurrent(x_of(g), "l", NULL, .units = 2, .layers = INT64_MAX);
}

static tn_tensor *a_million_unrolled_steps(tn_graph *g)
{
    return tn_recurrent(x_of(g), "l", NULL, .units = 2, .layers = 200000, .bidirectional = 1);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        tn_tensor *(*build)(tn_graph *g);
        const char *say;
    } cases[] = {
        {padding_behind_the_table, "embedding 'l': padding 5 is none of 5 rows"},
        {conv_of_a_picture, "(2, 4, 7, 1) should be (batch, channels, length)"},
        {conv_without_kernel, "a kernel of 0"},
        {pad_and_same, "conv1d 'l': its padding is given"},
        {much_more, "of which 1 are added"},
        {mask_of_queries, "a mask (2, 3) for keys (2, 5, 4)"},
        {heads_that_do_not_divide, "attention 'l': 3 heads over (2, 3, 4)"},
        {memory_of_other_width, "a memory (2, 3, 5) for (2, 3, 4)"},
        {crop_of_rows, "random_crop: its input (2, 3, 4)"},
        {channels_of_a_vector, "dropout_channels: its input (3)"},
        {instances_of_rows, "instance_norm 'l'"},
        {layers_without_end, "recurrent 'l': 9223372036854775807 layers of 3 steps are more than 1048576 to unroll"},
        {a_million_unrolled_steps, "recurrent 'l': 200000 layers of 6 steps are more"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_graph *graph = tn_graph_new();
        cases[i].build(graph);
        if (!tn_graph_status(graph)) fail_msg("case %zu was taken", i);
        check_message("layer", cases[i].say);
        tn_graph_free(graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_DEVICE(layers_and_their_gradients_agree_with_pytorch),
        ON_EVERY_DEVICE(the_row_for_padding_begins_with_zeros_and_keeps_them),
        ON_EVERY_DEVICE(sinusoids_are_those_of_the_paper),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
