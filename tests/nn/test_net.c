/* Networks in words: what they build, and the line that each mistake gives. */
#include "check.h"

static tn_tensor *build(tn_graph *graph, const char *spec, tn_net_options options)
{
    return tn_net(tn_input(graph, "x", TN_F32, TN_SHAPE(4, 1, 5, 6)), spec, options);
}

static void check_shape(tn_tensor *x, int64_t rows, int64_t columns)
{
    tn_shape got = tn_shape_of(x);
    assert_int_equal(got.rank, 2);
    assert_int_equal(got.dim[0], rows);
    assert_int_equal(got.dim[1], columns);
}

static void parameters_are_named_and_shaped_as_pytorch_does_it(void **state)
{
    static const struct {
        const char *name;
        tn_shape shape;
    } expected[] = {
        {"fc1.weight", {2, {7, 30}}}, {"fc1.bias", {1, {7}}}, {"fc2.weight", {2, {3, 7}}}, {"fc2.bias", {1, {3}}}};
    tn_graph *graph = tn_graph_new();
    tn_tensor *list[8];
    (void)state;
    check_shape(build(graph, " linear 7 ,sigmoid,\tlinear  3", (tn_net_options){0}), 4, 3);
    assert_int_equal(tn_variables(graph, TN_TRAINABLE, list, 8), 4);
    for (int i = 0; i < 4; i++) {
        tn_shape got = tn_shape_of(list[i]);
        assert_string_equal(tn_name_of(list[i]), expected[i].name);
        assert_true(tn_shape_equal(&got, &expected[i].shape));
    }
    CHECK(tn_graph_status(graph));
    tn_graph_free(graph);
}

static void every_named_network_and_every_layer_builds(void **state)
{
    tn_net_word word;
    (void)state;
    for (size_t i = 0; tn_net_named_at(i, &word); i++) {
        const int reads = !strncmp(word.name, "gpt-", 4); /* a text, and says something at each of its places */
        tn_graph *graph = tn_graph_new();
        tn_tensor *x = tn_input(graph, "x", TN_F32, reads ? TN_SHAPE(4, 16) : TN_SHAPE(4, i % 2 ? 3 : 1, 32, 32));
        tn_tensor *y = tn_net(x, word.name, (tn_net_options){.outputs = 9, .training = 1});
        CHECK(tn_graph_status(graph));
        check_shape(reads ? tn_reshape(y, TN_SHAPE(4 * 16, 9)) : y, reads ? 4 * 16 : 4, 9);
        tn_graph_free(graph);
    }
    for (size_t i = 0; tn_net_layer_at(i, &word); i++) {
        static const struct {
            const char *usage, *spec;
        } filled[] = {
            {"linear UNITS", "linear 2"},
            {"dropout RATE", "dropout 0.5"},
            {"leaky_relu [SLOPE]", "leaky_relu 0.2"},
            {"logistic L K X0", "logistic 1 2 -0.5"},
            {"elu [ALPHA]", "elu 0.5"},
            {"celu [ALPHA]", "celu 0.5"},
            {"hard_shrink [LAMBDA]", "hard_shrink 0.5"},
            {"soft_shrink [LAMBDA]", "soft_shrink"},
            {"upsample FACTOR", "upsample 2"},
            {"pixel_shuffle FACTOR", "conv 8 3 pad same, pixel_shuffle 2"},
            {"conv FILTERS SIZE [stride N] [pad N|same] [groups N]", "conv 4 3x2 stride 2 pad same groups 1"},
            {"conv_transpose FILTERS SIZE [stride N] [pad N] [groups N]", "conv_transpose 4 3x2 stride 2 pad 1"},
            {"adaptive_avgpool SIZE", "adaptive_avgpool 2x3"},
            {"maxpool SIZE [stride N] [pad N]", "maxpool 3x2 stride 1 pad 1"},
            {"avgpool SIZE [stride N] [pad N]", "avgpool 2"},
            {"group_norm GROUPS [EPSILON]", "group_norm 1 1e-3"},
            {"batch_norm [EPSILON]", "batch_norm"},
            {"layer_norm [EPSILON]", "layer_norm 1e-6"},
            {"rms_norm [EPSILON]", "rms_norm"},
            {"instance_norm [EPSILON]", "instance_norm 1e-3"},
            {"residual", "residual, residual, relu, end, end"},
            {"end", "residual, conv 3 3 stride 2 pad 1, end"},
            {"block FILTERS [stride N]", "block 3 stride 2"},
            {"rnn UNITS", "rnn 3"},
            {"lstm UNITS", "lstm 3"},
            {"gru UNITS", "gru 3"},
            {"embedding COUNT UNITS", "embedding 3 2"},
            {"dropout2d RATE", "dropout2d 0.5"},
            {"random_crop PAD", "random_crop 2"},
            {"conv1d FILTERS SIZE [stride N] [pad N|same] [groups N]", "conv1d 4 3 stride 2 pad same groups 2"},
            {"maxpool1d SIZE [stride N] [pad N]", "maxpool1d 3 stride 1 pad 1"},
            {"avgpool1d SIZE [stride N] [pad N]", "avgpool1d 2"},
            {"project UNITS", "project 3"},
            {"attention HEADS [causal 1]", "attention 3 causal 1"},
            {"transformer HEADS [causal 1] [hidden N]", "transformer 2 hidden 5"}};
        const char *spec = word.usage;
        for (size_t k = 0; k < sizeof filled / sizeof *filled; k++)
            if (!strcmp(word.usage, filled[k].usage)) spec = filled[k].spec;
        tn_graph *graph = tn_graph_new();
        build(graph, spec, (tn_net_options){.training = 1});
        CHECK(tn_graph_status(graph));
        tn_graph_free(graph);
    }
}

static void pictures_grow(void **state)
{
    tn_graph *graph = tn_graph_new();
    (void)state; /* from 5 x 6 */
    check_shape(build(graph, "upsample 3, flatten", (tn_net_options){0}), 4, 15 * 18);
    check_shape(build(graph, "conv 8 3 pad same, pixel_shuffle 2, flatten", (tn_net_options){0}), 4, 2 * 10 * 12);
    CHECK(tn_graph_status(graph));
    tn_graph_free(graph);
}

static void layers_on_sequences_work_along_the_steps(void **state)
{
    static const struct {
        const char *spec;
        int64_t columns; /* of a picture of 5 rows of 6 */
    } cases[] = {{"conv1d 7 3 pad same, maxpool1d 2, mean_steps", 7},
                 {"conv1d 7 2 stride 2 groups 1, max_steps", 7},
                 {"sinusoids, avgpool1d 5, flatten", 6},
                 {"conv1d 2 3, prelu, flatten", 6}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_graph *graph = tn_graph_new();
        check_shape(build(graph, cases[i].spec, (tn_net_options){0}), 4, cases[i].columns);
        CHECK(tn_graph_status(graph));
        tn_graph_free(graph);
    }
}

static void every_mistake_names_the_layer_its_place_and_what_was_expected(void **state)
{
    static const struct {
        const char *spec, *say[4];
    } cases[] = {
        {"", {"no layers"}},
        {"  ", {"no layers"}},
        {"linear 0", {"layer 1", "'linear 0'", "from 1 to"}},
        {"conv 4", {"layer 1", "a number is missing", "conv FILTERS SIZE"}},
        {"conv 4 5y5", {"'5y5'", "a size such as 5x5"}},
        {"conv 4 5 stride", {"'stride'", "followed by"}},
        {"conv 4 5 stride 0", {"'stride'", "followed by"}},
        {"conv 4 5 padding 2", {"'padding'", "one of its words"}},
        {"conv_transpose 4 3 pad 9", {"conv2d_transpose", "(4, 1, 5, 6)", "nothing is left of its result"}},
        {"conv 4 9x9", {"conv2d", "(4, 1, 5, 6)", "larger than the padded picture"}},
        {"maxpool 7", {"maxpool2d", "7 x 7", "(4, 1, 5, 6)"}},
        {"linear -3", {"layer 1", "'-3'", "from 1 to"}},
        {"linear", {"layer 1", "'linear'", "linear UNITS"}},
        {"linear 2.5", {"'2.5'", "whole number", "linear UNITS"}},
        {"linear ten", {"'ten'", "whole number"}},
        {"linear nan", {"'nan'", "whole number"}},
        {"linear 99999999999999999999", {"layer 1", "whole number from 1 to 2147483647"}},
        {"linear 99999999999", {"'99999999999'", "from 1 to 2147483647"}},
        {"linear 3 4", {"layer 1", "'linear 3 4'", "too many"}},
        {"flatten, last", {"last: what it gets, (4, 30), has no steps: it ends (batch, steps, features)"}},
        {"linear 3, mean_steps", {"mean_steps: what it gets, (4, 3), has no steps"}},
        {"linear 3, max_steps, linear 2", {"max_steps: what it gets, (4, 3), has no steps"}},
        {"linear outputs", {"'outputs'", "whole number"}},
        {"linear 3, sigmod", {"layer 2", "'sigmod'", "'sigmoid'"}},
        {"linear 3, quux", {"layer 2", "'quux'", "no such layer"}},
        {"lineer 3", {"layer 1", "'linear'"}},
        {"perceptrn", {"layer 1", "'perceptron'"}},
        {"linear 3,, relu", {"layer 2", "empty"}},
        {"linear 3,", {"layer 2", "empty"}},
        {", linear 3", {"layer 1", "empty"}},
        {"relu 3", {"layer 1", "'relu 3'", "too many"}},
        {"dropout", {"layer 1", "missing", "dropout RATE"}},
        {"dropout 1", {"'1'", "below 1"}},
        {"dropout -0.1", {"'-0.1'", "from 0"}},
        {"dropout inf", {"'inf'", "number"}},
        {"linear 3, leaky_relu x", {"layer 2", "'x'", "number"}},
        {"block", {"layer 1", "a number is missing", "block FILTERS"}},
        {"group_norm 2", {"group_norm 'gn1'", "2 groups of 1 channels"}},
        {"layer_norm -0.1", {"layer 1", "'-0.1'", "a number of 0 or more", "layer_norm [EPSILON]"}},
        {"attention 4", {"attention 'attention1'", "4 heads", "(4, 5, 6)"}},
        {"end", {"no residual branch"}},
        {"residual, relu", {"no 'end'"}},
        {"residual, linear 3, end", {"residual branch from (4, 1, 5, 6) to (4, 3)"}},
        {"residual, conv 1 3, end", {"residual branch from (4, 1, 5, 6) to (4, 1, 3, 4)"}},
        {"conv 4 3, residual, conv 2 3 pad same, end", {"(4, 4, 3, 4) to (4, 2, 3, 4)"}},
        {"residual, residual, residual, residual, residual, residual, residual, residual, residual", {"more than 8"}},
        {"batchnorn", {"layer 1", "'batch_norm'"}},
        {"mlp, mlp", {"layer 1", "'mlp'", "stands alone"}},
        {"linear 3, lenet", {"layer 2", "'lenet'", "stands alone"}},
        {"attention 1 causal 2", {"'causal'", "a number that it takes", "attention HEADS [causal 1]"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tn_graph *graph = tn_graph_new();
        build(graph, cases[i].spec, (tn_net_options){0});
        if (!tn_graph_status(graph)) fail_msg("'%s' was taken", cases[i].spec);
        for (int k = 0; k < 4 && cases[i].say[k]; k++) check_message(cases[i].spec, cases[i].say[k]);
        tn_graph_free(graph);
    }
}

static void underscores_may_be_left_out(void **state)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *list[8];
    (void)state;
    build(graph, "conv 3 3, batchnorm, leakyrelu, globalavgpool, layernorm", (tn_net_options){.training = 1});
    CHECK(tn_graph_status(graph));
    assert_int_equal(tn_variables(graph, 0, list, 8), 7);
    assert_string_equal(tn_name_of(list[0]), "conv1.weight"); /* without a bias, before the normalisation */
    assert_string_equal(tn_name_of(list[1]), "bn1.running_mean");
    tn_graph_free(graph);
}

static void an_unknown_initialisation_is_named(void **state)
{
    tn_graph *graph = tn_graph_new();
    (void)state;
    build(graph, "linear 3", (tn_net_options){.init = "xavjer"});
    assert_int_equal(tn_graph_status(graph), TN_EINVAL);
    check_message("init", "'xavier'");
    tn_graph_free(graph);
    graph = tn_graph_new();
    build(graph, "linear 3", (tn_net_options){.init = "normal", .scale = -1});
    assert_int_equal(tn_graph_status(graph), TN_EINVAL);
    check_message("init", "initialisation 'normal': its number, -1, is not above 0");
    tn_graph_free(graph);
}

static void a_very_long_layer_is_refused_and_a_long_network_is_not(void **state)
{
    char text[4096] = "linear 3";
    tn_graph *graph = tn_graph_new();
    (void)state;
    for (int i = 0; i < 300; i++) strcat(text, ", linear 2");
    build(graph, text, (tn_net_options){0});
    CHECK(tn_graph_status(graph));
    tn_graph_free(graph);
    graph = tn_graph_new();
    memset(text, 'x', 1000);
    build(graph, text, (tn_net_options){0});
    assert_int_equal(tn_graph_status(graph), TN_EINVAL);
    check_message("long", "too long");
    tn_graph_free(graph);
}

static void linear_keeps_leading_dimensions_and_refuses_a_vector(void **state)
{
    tn_graph *graph = tn_graph_new();
    (void)state;
    tn_shape got = tn_shape_of(tn_linear(tn_input(graph, "x", TN_F32, TN_SHAPE(2, 3, 5)), "fc", .units = 7));
    assert_true(tn_shape_equal(&got, &TN_SHAPE(2, 3, 7)));
    CHECK(tn_graph_status(graph));
    tn_linear(tn_input(graph, "v", TN_F32, TN_SHAPE(5)), "gc", .units = 7);
    assert_int_equal(tn_graph_status(graph), TN_ESHAPE);
    check_message("vector", "'gc'");
    tn_graph_free(graph);
    graph = tn_graph_new();
    tn_linear(tn_input(graph, "x", TN_F32, TN_SHAPE(2, 5)), "fc", .units = 0);
    assert_int_equal(tn_graph_status(graph), TN_EINVAL);
    check_message("units", "0 units");
    tn_graph_free(graph);
}

/* What a layer makes of -1 and 2. */
static void a_number_that_is_0_is_no_number_that_is_missing(void **state)
{
    static const struct {
        const char *net;
        double low, high;
    } cases[] = {{"leaky_relu 0", 0, 2},  {"leaky_relu", -0.01, 2}, {"elu 0", 0, 2},           {"hard_shrink 0", -1, 2},
                 {"hard_shrink 3", 0, 0}, {"soft_shrink 0", -1, 2}, {"soft_shrink", -0.5, 1.5}};
    const float x[2] = {-1, 2};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float y[2] = {0};
        check_bed b;
        tn_graph *graph = tn_graph_new();
        tn_output(tn_net(tn_input(graph, "x", TN_F32, TN_SHAPE(1, 2)), cases[i].net, (tn_net_options){0}), "y");
        check_start(&b, graph, "reference");
        CHECK(tn_feed(b.program, "x", x, sizeof x));
        CHECK(tn_program_run(b.program));
        CHECK(tn_fetch(b.program, "y", y, sizeof y));
        check_near(cases[i].net, y[0], cases[i].low, 1e-6);
        check_near(cases[i].net, y[1], cases[i].high, 1e-6);
        check_finish(&b, graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_named_and_shaped_as_pytorch_does_it),
        cmocka_unit_test(every_named_network_and_every_layer_builds),
        cmocka_unit_test(pictures_grow),
        cmocka_unit_test(layers_on_sequences_work_along_the_steps),
        cmocka_unit_test(every_mistake_names_the_layer_its_place_and_what_was_expected),
        cmocka_unit_test(underscores_may_be_left_out),
        cmocka_unit_test(a_number_that_is_0_is_no_number_that_is_missing),
        cmocka_unit_test(an_unknown_initialisation_is_named),
        cmocka_unit_test(a_very_long_layer_is_refused_and_a_long_network_is_not),
        cmocka_unit_test(linear_keeps_leading_dimensions_and_refuses_a_vector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
