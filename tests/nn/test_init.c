/* First values of variables: their spread and limits by the formulas of PyTorch's torch.nn.init, orthogonality, and
 * names in a network's options. */
#include "check.h"

#include <stdlib.h>

enum { OUT = 64, IN = 25, WINDOW = 4, ALL = OUT * IN * WINDOW };

/* The first values of one variable of the reference's state. */
static tn_status first_values(tn_shape shape, tn_init init, float *value)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    tn_graph *graph = tn_graph_new();
    tn_output(tn_sum(tn_param(graph, "w", shape, init), TN_ALL, 0), "y");
    CHECK(tn_device_open("reference", &device));
    CHECK(tn_state_new(device, 7, &state));
    tn_status s = tn_compile(graph, state, NULL, &program);
    if (!s) CHECK(tn_state_read(state, "w", value, (uint64_t)tn_shape_count(&shape) * sizeof *value));
    tn_program_free(program);
    tn_state_free(state);
    tn_device_close(device);
    tn_graph_free(graph);
    return s;
}

/* fan_in 100, fan_out 256 */
static const struct {
    const char *name;
    tn_init init;
    double deviation, limit; /* no limit: 0 */
} kinds[] = {
    {"normal", {.kind = TN_INIT_NORMAL, .a = 0.3}, 0.3, 0},
    {"uniform", {.kind = TN_INIT_UNIFORM, .a = 0.3}, 0.17320508, 0.3},
    {"xavier", {.kind = TN_INIT_XAVIER}, 0.074953169, 0.12982269},
    {"xavier, gain 2", {.kind = TN_INIT_XAVIER, .a = 2}, 0.149906338, 0.25964539},
    {"xavier normal", {.kind = TN_INIT_XAVIER_NORMAL}, 0.074953169, 0},
    {"he", {.kind = TN_INIT_HE}, 0.14142136, 0},
    {"he, of another fan", {.kind = TN_INIT_HE, .fan_in = 50}, 0.2, 0},
    {"he uniform", {.kind = TN_INIT_HE_UNIFORM}, 0.14142136, 0.24494897},
    {"lecun", {.kind = TN_INIT_LECUN}, 0.057735027, 0.1},
    {"lecun normal", {.kind = TN_INIT_LECUN_NORMAL, .a = 0.5}, 0.05, 0},
    {"truncated", {.kind = TN_INIT_TRUNCATED, .a = 0.5}, 0.43981283, 1},
};

static void values_spread_as_the_formulas_say(void **state)
{
    static float w[ALL];
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        double sum = 0, squares = 0, most = 0;
        CHECK(first_values(TN_SHAPE(OUT, IN, 2, 2), kinds[k].init, w));
        for (int i = 0; i < ALL; i++) {
            sum += w[i];
            squares += (double)w[i] * w[i];
            most = fmax(most, fabs((double)w[i]));
        }
        double mean = sum / ALL / kinds[k].deviation, spread = sqrt(squares / ALL) / kinds[k].deviation;
        if (!(fabs(mean) < 0.06 && fabs(spread - 1) < 0.04)) /* five deviations or more */
            fail_msg("%s: mean %g and deviation %g of what it should be", kinds[k].name, mean, spread);
        if (kinds[k].limit > 0 && !(most <= kinds[k].limit * (1 + 1e-6) && most > 0.99 * kinds[k].limit))
            fail_msg("%s: values up to %g, not %g", kinds[k].name, most, kinds[k].limit);
        if (kinds[k].limit == 0 && !(most > 3 * kinds[k].deviation)) fail_msg("%s is cut off", kinds[k].name);
    }
}

static void check_orthogonal(int64_t rows, int64_t columns, int64_t window, double gain)
{
    int64_t n = columns * window, few = rows <= n ? rows : n, many = rows <= n ? n : rows;
    float *w = malloc((size_t)(rows * n + 1) * sizeof *w);
    CHECK(first_values(TN_SHAPE(rows, columns, window), (tn_init){.kind = TN_INIT_ORTHOGONAL, .a = gain}, w));
    for (int64_t i = 0; i < few; i++)
        for (int64_t j = 0; j <= i; j++) {
            double dot = 0, want = i == j ? (gain != 0 ? gain * gain : 1) : 0;
            for (int64_t k = 0; k < many; k++)
                dot += rows <= n ? (double)w[i * n + k] * w[j * n + k] : (double)w[k * n + i] * w[k * n + j];
            if (!(fabs(dot - want) < 1e-6))
                fail_msg("(%d, %d): %d times %d is %g", (int)rows, (int)n, (int)i, (int)j, dot);
        }
    free(w);
}

static void rows_or_columns_are_orthogonal(void **state)
{
    tn_shape empty = TN_SHAPE(0, 3);
    float none;
    (void)state;
    check_orthogonal(5, 7, 3, 0);
    check_orthogonal(21, 7, 1, 0);
    check_orthogonal(50, 3, 5, 1.5);
    check_orthogonal(16, 4, 4, 0);
    check_orthogonal(1, 1, 1, 2);
    CHECK(first_values(empty, (tn_init){.kind = TN_INIT_ORTHOGONAL}, &none));
}

static void mistakes_are_named(void **state)
{
    float w[3];
    (void)state;
    assert_int_equal(first_values(TN_SHAPE(3), (tn_init){.kind = TN_INIT_ORTHOGONAL}, w), TN_EINVAL);
    check_message("orthogonal", "variable 'w': what is made orthogonal has two dimensions");
    assert_int_equal(first_values(TN_SHAPE(3), (tn_init){.kind = 12}, w), TN_EINVAL);
    check_message("kind 12", "no initialisation 12");
    assert_int_equal(first_values(TN_SHAPE(3), (tn_init){.kind = -1}, w), TN_EINVAL);
    check_message("kind -1", "no initialisation -1");
    assert_int_equal(first_values(TN_SHAPE(3), (tn_init){.zero_row = 4, .kind = TN_INIT_NORMAL, .a = 1}, w), TN_EINVAL);
    check_message("row 4", "no row 4 of 3 to be zero");
}

/* What a network's weights are like under each name, and with a number. */
static void names_choose_the_weights_of_networks(void **state)
{
    static const struct {
        const char *name;
        double scale, deviation;
    } cases[] = {{"he_uniform", 0, 0.14142136}, {"he_uniform", 3, 0.42426407}, {"xavier_normal", 0, 0.11043153},
                 {"lecun_normal", 0, 0.1},      {"uniform", 0, 0.028867513},   {"uniform", 0.6, 0.34641016},
                 {"truncated", 0, 0.017592513}, {"constant", 0, 0.01},         {"constant", 0.25, 0.25},
                 {"orthogonal", 0, 0.1},        {"normal", 0, 0.01},           {"zero", 0, 0}};
    static float w[64 * 100];
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tn_device *device = NULL;
        tn_state *values = NULL;
        tn_program *program = NULL;
        tn_graph *graph = tn_graph_new();
        tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(2, 100));
        tn_net_options options = {.init = cases[k].name, .scale = cases[k].scale};
        double squares = 0;
        tn_output(tn_net(x, "linear 64", options), "y");
        CHECK(tn_device_open("reference", &device));
        CHECK(tn_state_new(device, 7, &values));
        CHECK(tn_compile(graph, values, NULL, &program));
        CHECK(tn_state_read(values, "fc1.weight", w, sizeof w));
        for (int i = 0; i < 6400; i++) squares += (double)w[i] * w[i];
        if (!(fabs(sqrt(squares / 6400) - cases[k].deviation) <= 0.05 * cases[k].deviation))
            fail_msg("%s %g: deviation %g, not %g", cases[k].name, cases[k].scale, sqrt(squares / 6400),
                     cases[k].deviation);
        tn_program_free(program);
        tn_state_free(values);
        tn_device_close(device);
        tn_graph_free(graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_spread_as_the_formulas_say),
        cmocka_unit_test(rows_or_columns_are_orthogonal),
        cmocka_unit_test(names_choose_the_weights_of_networks),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
