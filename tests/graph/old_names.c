/* old_names.c: a program that was written with the names of earlier versions compiles, links and does the same. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include "harness.h"

#include <stdio.h>
#include <string.h>

static tn_tensor *input(tn_graph *g, tn_shape shape)
{
    return tn_input(g, "x", TN_F32, shape);
}

static tn_tensor *weight(tn_graph *g)
{
    return tn_full(g, TN_F32, TN_SHAPE(2, 2, 1, 1), 0.5);
}

/* A graph of one call, as text of its sizes and names. */
static void describe(tn_graph *g, const tn_tensor *y, char text[512])
{
    tn_tensor *x[16];
    const tn_shape shape = tn_shape_of(y);
    const size_t count = tn_variables(g, 0, x, 16);
    if (tn_graph_status(g)) fail_msg("%s", tn_message());
    snprintf(text, 512, "%d", shape.rank);
    for (int d = 0; d < shape.rank; d++) snprintf(text + strlen(text), 512 - strlen(text), " %d", (int)shape.dim[d]);
    for (size_t i = 0; i < count; i++) snprintf(text + strlen(text), 512 - strlen(text), " %s", tn_name_of(x[i]));
}

#define SAME(shape, old, now)                                                                                          \
    do {                                                                                                               \
        char before[512], after[512];                                                                                  \
        tn_graph *g = tn_graph_new();                                                                                  \
        tn_tensor *x = input(g, shape);                                                                                \
        describe(g, old, before);                                                                                      \
        tn_graph_free(g);                                                                                              \
        g = tn_graph_new();                                                                                            \
        x = input(g, shape);                                                                                           \
        describe(g, now, after);                                                                                       \
        tn_graph_free(g);                                                                                              \
        assert_string_equal(before, after);                                                                            \
    } while (0)

static void functions_that_build_graphs(void **state)
{
    const tn_shape image = TN_SHAPE(2, 2, 3, 3), rows = TN_SHAPE(2, 3, 4);
    (void)state;
    SAME(image, tn_conv2d_with(x, weight(g), (tn_conv_options){.stride = {2, 2}}),
         tn_convolve2d(x, weight(g), (tn_conv_options){.stride = {2, 2}}));
    SAME(image, tn_conv2d_transposed(x, weight(g), (tn_conv_options){.stride = {2, 2}}),
         tn_convolve2d_transposed(x, weight(g), (tn_conv_options){.stride = {2, 2}}));
    SAME(image, tn_window(x, tn_scalar_input(g, "start", TN_I32, 0), 1),
         tn_dynamic_slice(x, tn_scalar_input(g, "start", TN_I32, 0), 1));
    SAME(rows, tn_linear_with(x, "a", (tn_linear_options){.units = 5}), tn_linear(x, "a", .units = 5));
    SAME(image, tn_batch_norm_with(x, "a", (tn_batch_norm_options){.training = 1}),
         tn_batch_norm(x, "a", .training = 1));
    SAME(image, tn_group_norm_with(x, "a", (tn_group_norm_options){.groups = 2}), tn_group_norm(x, "a", 2));
    SAME(rows, tn_layer_norm_with(x, (tn_norm_options){.name = "a"}), tn_layer_norm(x, "a"));
    SAME(rows, tn_rms_norm_with(x, (tn_norm_options){.name = "a"}), tn_rms_norm(x, "a"));
    SAME(image, tn_instance_norm_with(x, (tn_norm_options){.name = "a"}), tn_instance_norm(x, "a"));
    SAME(rows, tn_recurrent_with(x, "a", (tn_recurrent_options){.units = 5}, NULL),
         tn_recurrent(x, "a", NULL, .units = 5));
    SAME(rows, tn_multihead_attention_with(x, "a", (tn_attention_options){.heads = 2}),
         tn_multihead_attention(x, "a", .heads = 2));
    SAME(rows, tn_transformer_with(x, "a", (tn_transformer_options){.heads = 2}), tn_transformer(x, "a", .heads = 2));
}

static void a_step_is_counted(void **state)
{
    fixture f = use_device("reference", 1);
    float y;
    (void)state;
    tn_graph *g = tn_graph_new();
    tn_output(tn_full(g, TN_F32, TN_SCALAR, 1), "y");
    tn_advance_step(g);
    run_once(&f, g, NULL, NULL, 0, "y", &y, 1);
    assert_int_equal(tn_state_step(f.state), 1);
    ok(tn_state_reserve(f.state, 1000));
    tn_graph_free(g);
    drop_device(&f);
}

static void images_are_read(void **state)
{
    const tn_shape sample = TN_SHAPE(1, 2, 2);
    const float level[4] = {0};
    float out[4];
    tn_framing framing = {0};
    tn_ink ink;
    (void)state;
    assert_int_equal(tn_picture_read("no/such", &sample, out), tn_image_read_scaled("no/such", &sample, out));
    assert_int_equal(tn_picture_read_framed("no/such", &framing, &sample, out, &ink),
                     tn_image_read_framed("no/such", &framing, &sample, out, &ink));
    assert_int_equal(tn_picture_frame(level, 0, 0, &framing, &sample, out, &ink),
                     tn_image_frame(level, 0, 0, &framing, &sample, out, &ink));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_that_build_graphs),
        cmocka_unit_test(a_step_is_counted),
        cmocka_unit_test(images_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
