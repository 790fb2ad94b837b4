/* simplify.c: what is simplified has the value it had. A builder may return its operand (a reshape to the same shape,
 * a slice of everything), and what was built from that once lost the operator before it. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

/* The output "y", n numbers, of a graph with the input "x"; programs of one fixture share their variables. */
static void value_of(fixture *f, tn_tensor *y, const float *x, size_t x_bytes, float *out, size_t n)
{
    tn_graph *g = tn_graph_of(y);
    tn_output(y, "y");
    run_once(f, g, x ? "x" : NULL, x, x_bytes, "y", out, n);
    tn_graph_free(g);
}

static tn_tensor *input(int64_t batch, int64_t steps, int64_t features)
{
    return tn_input(tn_graph_new(), "x", TN_F32, TN_SHAPE(batch, steps, features));
}

/* ---- transposes ---- */

static void transposing_twice_keeps_what_was_transposed(void **state)
{
    const float x[6] = {-1, 2, -3, 4, -5, 6};
    float y[6];
    fixture f = use_device(*state, 1);
    tn_tensor *in = tn_input(tn_graph_new(), "x", TN_F32, TN_SHAPE(2, 3));
    value_of(&f, tn_transpose(tn_transpose(tn_relu(in), NULL), NULL), x, sizeof x, y, 6);
    for (int i = 0; i < 6; i++) assert_near(y[i], x[i] < 0 ? 0 : x[i], 0);
    drop_device(&f);
}

static void a_transpose_that_moves_nothing_keeps_its_operand(void **state)
{
    const float x[3] = {-1, 2, -3};
    float y[3];
    fixture f = use_device(*state, 1);
    tn_tensor *in = tn_input(tn_graph_new(), "x", TN_F32, TN_SHAPE(1, 1, 3));
    value_of(&f, tn_transpose(tn_relu(in), (int32_t[]){1, 0, 2}), x, sizeof x, y, 3);
    for (int i = 0; i < 3; i++) assert_near(y[i], x[i] < 0 ? 0 : x[i], 0);
    drop_device(&f);
}

static void a_parameter_is_transposed_twice(void **state)
{
    float y[6];
    fixture f = use_device(*state, 1);
    tn_tensor *w = tn_param(tn_graph_new(), "w", TN_SHAPE(2, 3), (tn_init){.kind = TN_INIT_CONSTANT, .a = 3});
    value_of(&f, tn_transpose(tn_transpose(w, NULL), NULL), NULL, 0, y, 6);
    for (int i = 0; i < 6; i++) assert_near(y[i], 3, 0);
    drop_device(&f);
}

static void three_transposes_are_one(void **state)
{
    static const int32_t turn[] = {1, 2, 0};
    float x[24], y[24];
    fixture f = use_device(*state, 1);
    for (int i = 0; i < 24; i++) x[i] = (float)i;
    tn_tensor *t = tn_neg(tn_input(tn_graph_new(), "x", TN_F32, TN_SHAPE(2, 3, 4)));
    for (int i = 0; i < 3; i++) t = tn_transpose(t, turn);
    value_of(&f, t, x, sizeof x, y, 24);
    for (int i = 0; i < 24; i++) assert_near(y[i], -x[i], 0);
    drop_device(&f);
}

/* ---- slices ---- */

/* Slices of slices are one when the graph is compiled, not before: what lies between is differentiated by. */
static void what_lies_between_two_slices_has_a_gradient(void **state)
{
    const float x[3] = {1, 2, 3};
    float y[2], d[2];
    fixture f = use_device(*state, 1);
    tn_tensor *in = tn_input(tn_graph_new(), "x", TN_F32, TN_SHAPE(3)), *gradient = NULL;
    tn_tensor *slice = tn_slice(in, 0, 0, 2, 1), *flipped = tn_flip(slice, 0);
    tn_grad(tn_sum(tn_square(flipped), TN_ALL, 0), &slice, 1, &gradient);
    value_of(&f, gradient, x, sizeof x, d, 2);
    in = tn_input(tn_graph_new(), "x", TN_F32, TN_SHAPE(3));
    value_of(&f, tn_flip(tn_slice(in, 0, 0, 2, 1), 0), x, sizeof x, y, 2);
    for (int i = 0; i < 2; i++) {
        assert_near(d[i], 2 * x[i], 0);
        assert_near(y[i], x[1 - i], 0);
    }
    drop_device(&f);
}

/* A slice of tensors side by side, or of one among zeros, wherever it lies: on both sides of a border, too. */
static void a_slice_of_what_was_put_together_has_its_elements(void **state)
{
    enum { N = 4, ALL = 11 };
    const float x[N] = {1, 2, 3, 4}, all[ALL] = {-1, -2, -3, -4, 5, 5, 5, 1, 2, 3, 4};
    const float among[ALL] = {0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0};
    for (int64_t start = 0; start < ALL; start++)
        for (int64_t count = 1; count <= ALL; count++)
            for (int64_t step = -3; step <= 3; step++) {
                int64_t end = start + (count - 1) * step;
                float y[2 * ALL];
                if (!step || end < 0 || end >= ALL) continue;
                fixture f = use_device(*state, 1);
                tn_tensor *in = tn_input(tn_graph_new(), "x", TN_F32, TN_SHAPE(N));
                tn_tensor *five = tn_full(tn_graph_of(in), TN_F32, TN_SHAPE(3), 5);
                tn_tensor *side = tn_concat((tn_tensor *[]){tn_neg(in), five, in}, 3, 0);
                tn_tensor *part = tn_slice(side, 0, start, count, step);
                part = tn_concat((tn_tensor *[]){part, tn_slice(tn_pad(in, 0, 3, 4), 0, start, count, step)}, 2, 0);
                value_of(&f, part, x, sizeof x, y, (size_t)(2 * count));
                for (int64_t i = 0; i < count; i++) {
                    assert_near(y[i], all[start + i * step], 0);
                    assert_near(y[count + i], among[start + i * step], 0);
                }
                drop_device(&f);
            }
}

/* Columns next to each other, with a gap, twice, or of other rows: by their steps, too. */
static void slices_side_by_side_have_their_elements(void **state)
{
    enum { ROWS = 2, COLUMNS = 5, PART = 2 };
    float x[ROWS * COLUMNS], y[ROWS * 2 * PART];
    for (int i = 0; i < ROWS * COLUMNS; i++) x[i] = (float)i;
    for (int way = 0; way < 4 * 4 * 2 * 2; way++) {
        const int start[] = {way % 4, way / 4 % 4}, row[] = {0, way / 16 % 2}, step = way / 32 ? -1 : 1;
        fixture f = use_device(*state, 1);
        tn_tensor *in = tn_input(tn_graph_new(), "x", TN_F32, TN_SHAPE(ROWS, COLUMNS)), *part[2];
        for (int k = 0; k < 2; k++) {
            part[k] = tn_slice(in, 1, step < 0 ? start[k] + 1 : start[k], PART, step);
            part[k] = tn_slice(part[k], 0, row[k], ROWS, row[k] ? -1 : 1);
        }
        value_of(&f, tn_concat(part, 2, 1), x, sizeof x, y, sizeof y / sizeof *y);
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < 2 * PART; c++) {
                const int k = c / PART, column = start[k] + (step < 0 ? 1 - c % PART : c % PART);
                assert_near(y[r * 2 * PART + c], x[(row[k] ? 1 - r : r) * COLUMNS + column], 0);
            }
        drop_device(&f);
    }
}

/* The gradient of a slice with gaps has zeros in between, wherever it is sliced. */
static void a_slice_of_a_spread_gradient_has_its_zeros(void **state)
{
    const float x[7] = {1, 2, 3, 4, 5, 6, 7};
    for (int start = 0; start < 6; start++) {
        fixture f = use_device(*state, 1);
        tn_tensor *in = tn_input(tn_graph_new(), "x", TN_F32, TN_SHAPE(7)), *gradient = NULL;
        float y[2];
        tn_grad(tn_sum(tn_square(tn_slice(in, 0, 1, 3, 2)), TN_ALL, 0), &in, 1, &gradient);
        value_of(&f, tn_slice(gradient, 0, start, 2, 1), x, sizeof x, y, 2);
        for (int i = 0; i < 2; i++) assert_near(y[i], (start + i) % 2 ? 2 * x[start + i] : 0, 0);
        drop_device(&f);
    }
}

/* A slice without a gap lies where its operand does; a later assignment to that must not be seen. */
static void a_slice_of_a_variable_is_what_it_was(void **state)
{
    float y[3];
    fixture f = use_device(*state, 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *w = tn_param(g, "w", TN_SHAPE(4, 3), (tn_init){.kind = TN_INIT_CONSTANT, .a = 3});
    tn_assign(w, tn_add(w, tn_number(w, 1)));
    value_of(&f, tn_slice(w, 0, 2, 1, 1), NULL, 0, y, 3);
    for (int i = 0; i < 3; i++) assert_near(y[i], 3, 0);
    drop_device(&f);
}

/* ---- layers over one step, where most of what they arrange moves nothing ---- */

enum { FEATURES = 4, UNITS = 3 };
static const float sequence[2][FEATURES] = {{0.5f, -1, 2, 0.25f}, {-0.75f, 1, 0.125f, 3}};

/* The first step of a batch of one: alone, and as the first of two steps. The results must be the same. */
static void a_recurrent_layer_of_one_step_begins_as_one_of_two(void **state)
{
    for (int32_t kind = TN_RNN; kind <= TN_GRU; kind++) {
        float one[UNITS], last[UNITS], two[2 * UNITS];
        tn_recurrent_state end = {0};
        fixture f = use_device(*state, 1);
        value_of(&f, tn_recurrent(input(1, 2, FEATURES), "r", NULL, .units = UNITS, .kind = kind), sequence[0],
                 sizeof sequence, two, 2 * UNITS);
        value_of(&f, tn_recurrent(input(1, 1, FEATURES), "r", NULL, .units = UNITS, .kind = kind), sequence[0],
                 sizeof sequence[0], one, UNITS);
        (void)tn_recurrent(input(1, 1, FEATURES), "r", &end, .units = UNITS, .kind = kind);
        value_of(&f, end.h, sequence[0], sizeof sequence[0], last, UNITS);
        for (int i = 0; i < UNITS; i++) {
            assert_near(one[i], two[i], 1e-6);
            assert_near(last[i], two[i], 1e-6);
        }
        drop_device(&f);
    }
}

static void attention_with_one_head_and_one_step_begins_as_with_two(void **state)
{
    float one[FEATURES], two[2 * FEATURES];
    fixture f = use_device(*state, 1);
    value_of(&f, tn_multihead_attention(input(1, 2, FEATURES), "a", .heads = 1, .causal = 1), sequence[0],
             sizeof sequence, two, 2 * FEATURES);
    value_of(&f, tn_multihead_attention(input(1, 1, FEATURES), "a", .heads = 1, .causal = 1), sequence[0],
             sizeof sequence[0], one, FEATURES);
    for (int i = 0; i < FEATURES; i++) assert_near(one[i], two[i], 1e-6);
    drop_device(&f);
}

/* The first query's only score overflows: whatever it gets, not the value behind it. */
static void a_score_of_minus_infinity_shows_nothing_of_what_is_hidden(void **state)
{
    const float x[2] = {1e20F, 1};
    float y[2];
    fixture f = use_device(*state, 1);
    tn_tensor *in = tn_input(tn_graph_new(), "x", TN_F32, TN_SHAPE(2, 1));
    value_of(&f, tn_attention(in, tn_neg(in), in, 1), x, sizeof x, y, 2);
    if (y[0] == x[1]) fail_msg("the first query got the second value");
    drop_device(&f);
}

/* ---- numbers ---- */

/* A number is what its element type keeps of it, folded or not. */
static void numbers_are_those_that_their_type_keeps(void **state)
{
    static const struct {
        int32_t dtype;
        double number, kept;
    } cases[] = {{TN_U8, 300, 44}, {TN_F16, 0.1, 0.0999755859375}, {TN_BF16, 0.1, 0.10009765625}, {TN_I32, 2.5, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const float x[2] = {0, 1};
        float y[2];
        fixture f = use_device(*state, 1);
        tn_tensor *in = tn_input(tn_graph_new(), "x", TN_F32, TN_SHAPE(2));
        tn_tensor *number = tn_full(tn_graph_of(in), cases[i].dtype, TN_SHAPE(2), cases[i].number);
        tn_tensor *twice = tn_cast(tn_cast(tn_number(in, cases[i].number), cases[i].dtype), TN_F32);
        value_of(&f, tn_add(in, tn_sub(tn_mul(tn_cast(number, TN_F32), tn_number(in, 3)), twice)), x, sizeof x, y, 2);
        for (int k = 0; k < 2; k++) assert_near(y[k] - x[k], 2 * cases[i].kept, 1e-6 * (1 + cases[i].kept));
        drop_device(&f);
    }
}

#define ON(device, test) cmocka_unit_test_prestate(test, (void *)(uintptr_t)device)
#define ON_ALL(test)     ON("reference", test), ON("cpu", test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ALL(transposing_twice_keeps_what_was_transposed),
        ON_ALL(a_transpose_that_moves_nothing_keeps_its_operand),
        ON_ALL(a_parameter_is_transposed_twice),
        ON_ALL(three_transposes_are_one),
        ON_ALL(what_lies_between_two_slices_has_a_gradient),
        ON_ALL(a_slice_of_what_was_put_together_has_its_elements),
        ON_ALL(slices_side_by_side_have_their_elements),
        ON_ALL(a_slice_of_a_spread_gradient_has_its_zeros),
        ON_ALL(a_slice_of_a_variable_is_what_it_was),
        ON_ALL(a_recurrent_layer_of_one_step_begins_as_one_of_two),
        ON_ALL(attention_with_one_head_and_one_step_begins_as_with_two),
        ON_ALL(a_score_of_minus_infinity_shows_nothing_of_what_is_hidden),
        ON_ALL(numbers_are_those_that_their_type_keeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
